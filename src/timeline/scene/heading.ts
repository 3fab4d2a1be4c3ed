// Title and subtitle of a picture.
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

const HEIGHT = 34;
const SUBTITLE_LINE = 14;
const TITLE_SIZE = TEXT.title;
const SUBTITLE_SIZE = TEXT.small;
/** Least distance between title and subtitle on one line. */
const GAP = 24;

/** The subtitle is on the title's line if both fit, else below it. */
export function heading({ width }: Frame, title: string, subtitle: string): { marks: Mark[]; bottom: number } {
  const room = width - 2 * MARGIN;
  const shortTitle = shorten(title, room, TITLE_SIZE, 'bold', 8);
  const titleMark = textMark(MARGIN, 22, shortTitle, { size: TITLE_SIZE, font: 'bold' });
  const titleWidth = textWidth(shortTitle, TITLE_SIZE, 'bold');
  const style = { size: SUBTITLE_SIZE, ink: 'muted' } as const;
  if (titleWidth + GAP + textWidth(subtitle, SUBTITLE_SIZE) <= room) {
    const right = textMark(width - MARGIN, 21, subtitle, { ...style, anchor: 'end' });
    return { marks: [titleMark, right], bottom: HEIGHT };
  }
  const below = textMark(MARGIN, 37, shorten(subtitle, room, SUBTITLE_SIZE), style);
  return { marks: [titleMark, below], bottom: HEIGHT + SUBTITLE_LINE };
}
