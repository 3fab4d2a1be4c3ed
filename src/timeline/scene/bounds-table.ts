// The table of exact bounds below an exported picture.
import { counted, formatRange, formatSize } from '../../iova/format.ts';
import { range, sizeOf } from '../../iova/range.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

/** A line of the table. Bounds inclusive. */
export interface BoundsLine {
  readonly what: string;
  readonly start: bigint;
  readonly last: bigint;
  /** Where it was read. */
  readonly source: string;
}

/** The lines of a window, and how many it has altogether. */
export interface BoundsList {
  readonly lines: readonly BoundsLine[];
  readonly total: number;
}

/** Says how many ranges a list does not have; '' if it has all of them. */
export function unlistedText(unlisted: number): string {
  return unlisted === 0 ? '' : `and ${counted(unlisted, 'more range')}, not listed here`;
}

const LINES_MAX = 60;
const LINE = 15;
const SIZE = TEXT.small;
const COLUMN_GAP = 16;
/** Share of the width that the first column takes at most. */
const WHAT_SHARE = 0.3;
/** Left edge of bounds that have a line of their own. */
const NARROW_INDENT = 28;

/** The table below `top`. Bounds are never cut: in a narrow picture they are on a line of their own. */
export function boundsTable({ width }: Frame, { lines, total }: BoundsList, top: number) {
  if (lines.length === 0) return { marks: [], bottom: top };
  const cells = lines.slice(0, LINES_MAX).map(({ what, start, last, source }) => {
    const bounds = range(start, last);
    return { what, bounds: formatRange(bounds), size: formatSize(sizeOf(bounds)), source };
  });
  const widest = (texts: readonly string[], font: 'sans' | 'mono' = 'sans') =>
    Math.max(...texts.map((text) => textWidth(text, SIZE, font)));
  const whatWidth = Math.min(width * WHAT_SHARE, widest(cells.map(({ what }) => what))) + COLUMN_GAP;
  const boundsWidth =
    widest(
      cells.map(({ bounds }) => bounds),
      'mono',
    ) + COLUMN_GAP;
  const sizeWidth = widest(cells.map(({ size }) => size)) + COLUMN_GAP;
  const isNarrow = MARGIN + whatWidth + boundsWidth > width;
  const boundsX = isNarrow ? NARROW_INDENT : MARGIN + whatWidth;
  const sizeX = boundsX + boundsWidth;
  const sourceX = sizeX + sizeWidth;

  const marks: Mark[] = [];
  let y = top + 4;
  for (const cell of cells) {
    y += LINE;
    const room = isNarrow ? width - 2 * MARGIN : whatWidth - 12;
    marks.push(textMark(MARGIN, y, shorten(cell.what, room, SIZE), { size: SIZE }));
    if (isNarrow) y += LINE;
    marks.push(textMark(boundsX, y, cell.bounds, { size: SIZE, font: 'mono' }));
    if (sourceX < width) marks.push(textMark(sizeX, y, cell.size, { size: SIZE }));
    const source = shorten(cell.source, width - sourceX - MARGIN, SIZE);
    if (source !== '') marks.push(textMark(sourceX, y, source, { size: SIZE, ink: 'muted' }));
  }
  const unlisted = unlistedText(total - cells.length);
  if (unlisted !== '') {
    y += LINE;
    marks.push(textMark(MARGIN, y, unlisted, { size: SIZE, ink: 'muted' }));
  }
  return { marks, bottom: y + 6 };
}
