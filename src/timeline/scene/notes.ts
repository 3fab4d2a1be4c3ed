// Letters for ranges that are too narrow for a label, and the list below the picture that explains them.
import { formatRange, formatSize, groupedHex } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

/** Beyond this many, letters help nobody: a row that would exceed it gets none. */
const NOTES_MAX = 24;
export const NOTE_LINE = 17;
export const NOTE_SIZE = TEXT.small;
/** Left edge of a note's text; the badge is left of it. */
export const NOTE_TEXT_X = 38;
export const NOTE_BADGE_X = 22;
const BADGE_WIDTH = 15;
const BADGE_GAP = 3;

/** A range that gets a letter: `x` is its middle in pixels of the plot. */
export interface LetteredRange {
  readonly x: number;
  readonly range: IovaRange;
  readonly caption: string;
}

/** A badge over several neighbours: their first and last number. */
interface OpenBadge {
  readonly first: number;
  readonly last: number;
  readonly x: number;
  readonly right: number;
}

/** Letters, so that numbers are left for the conflicts. `number` counts from 1. */
function letterOf(number: number): string {
  return String.fromCharCode(0x60 + number);
}

function badgeLabel({ first, last }: Pick<OpenBadge, 'first' | 'last'>): string {
  return first === last ? letterOf(first) : `${letterOf(first)}–${letterOf(last)}`;
}

/** Name before bounds and size; of a single address only the address. */
function noteText(laneTitle: string, range: IovaRange, caption: string): string {
  const size = sizeOf(range);
  const where = size === 1n ? groupedHex(range.start) : `${formatRange(range)}, ${formatSize(size)}`;
  const name = caption || 'range';
  return name === where ? `${laneTitle}: ${where}` : `${laneTitle}: ${name} ${where}`;
}

/** The notes of a picture: letters go on from row to row. */
export class Notes {
  readonly #texts: string[] = [];

  /** Badges above the ranges of a row with its top at `y`; neighbours that would touch share one. Ascending by `x`. */
  addRow(frame: Frame, laneTitle: string, ranges: readonly LetteredRange[], y: number): Mark[] {
    if (this.#texts.length + ranges.length > NOTES_MAX) return [];
    const badges: OpenBadge[] = [];
    for (const { x, range, caption } of ranges) {
      const number = this.#texts.push(noteText(laneTitle, range, caption));
      const open = badges.at(-1);
      if (open && x - BADGE_WIDTH / 2 < open.right + BADGE_GAP) {
        const middle = (open.x + x) / 2;
        const width = textWidth(badgeLabel({ first: open.first, last: number }), TEXT.tiny, 'bold');
        badges[badges.length - 1] = { first: open.first, last: number, x: middle, right: middle + width / 2 + 6 };
      } else {
        badges.push({ first: number, last: number, x, right: x + BADGE_WIDTH / 2 });
      }
    }
    return badges.map((badge) => ({ type: 'badge', x: frame.left + badge.x, y: y - 2, text: badgeLabel(badge) }));
  }

  /** The list of notes, below `top`. */
  list({ width }: Frame, top: number): { marks: Mark[]; bottom: number } {
    let y = top;
    const marks = this.#texts.flatMap((text, i): Mark[] => {
      y += NOTE_LINE;
      return [
        { type: 'badge', x: NOTE_BADGE_X, y: y - 4, text: letterOf(i + 1) },
        textMark(NOTE_TEXT_X, y, shorten(text, width - NOTE_TEXT_X - MARGIN, NOTE_SIZE), { size: NOTE_SIZE }),
      ];
    });
    return { marks, bottom: marks.length > 0 ? y + 6 : y };
  }
}
