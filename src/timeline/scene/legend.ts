// The legend: every style that the picture shows, with its meaning.
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { STYLE_NAMES, type StyleName } from './style-names.ts';
import { styleOf } from './styles.ts';
import { textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

const LINE = 22;
const TEXT_SIZE = TEXT.small;
const SWATCH = { width: 18, height: 12 };
const TEXT_INDENT = 24;
const ENTRY_GAP = 18;

/** The entries below `top`, in the order of the table of styles, on as many lines as they need. */
export function legend({ width }: Frame, used: ReadonlySet<StyleName>, top: number): { marks: Mark[]; bottom: number } {
  const marks: Mark[] = [];
  let x = MARGIN;
  let y = top + 4;
  for (const style of STYLE_NAMES) {
    if (!used.has(style)) continue;
    const { label } = styleOf(style);
    const entryWidth = TEXT_INDENT + textWidth(label, TEXT_SIZE) + ENTRY_GAP;
    if (x > MARGIN && x + entryWidth > width) {
      x = MARGIN;
      y += LINE;
    }
    marks.push({ type: 'bar', x, y, ...SWATCH, style });
    marks.push(textMark(x + TEXT_INDENT, y + 10, label, { size: TEXT_SIZE, ink: 'muted' }));
    x += entryWidth;
  }
  return { marks, bottom: y + LINE };
}
