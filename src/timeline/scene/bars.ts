// The ranges of one row: bars (or arrows), what can be hit, labels, and the outline of the selection.
import { formatRange, formatSize, groupedDecimal } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import { toWorld } from '../axis/scale.ts';
import type { RowSlice } from '../axis/slice.ts';
import { type PixelSpan, pixelOf, pixelSpanOf } from '../axis/viewport.ts';
import { elementAt, rangeAt } from '../lanes/columns.ts';
import type { LaneTraits } from '../lanes/lane.ts';
import type { AxisBreak } from './axis-breaks.ts';
import { DETAIL_SIZE, LABEL_SIZE, type LabelRequest, type PlacedLabel, placeLabels } from './labels.ts';
import type { Frame } from './layout.ts';
import type { HitArea, Mark, Target } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import { type StyleName, styleAt } from './style-names.ts';
import { styleOf } from './styles.ts';

/** Merged ranges nearer to a neighbour than this many pixels carry no label. */
const CROWDED = 6;
/** A row at least this high has room for two lines. */
const TWO_LINES_HEIGHT = 30;
const OUTLINE_GAP = 2;

/** A mark of the row that is in the window. */
export interface Bar extends PixelSpan {
  /** From the first address of the first range to the last address of the last one. */
  readonly range: IovaRange;
  readonly style: StyleName;
  /** Number of ranges that the mark represents. */
  readonly count: number;
  /** Index of the (first) range in the lane's row. */
  readonly index: number;
  /** '' if it has none of its own, or represents several ranges. */
  readonly caption: string;
}

/** The marks of a row that the window shows, from left to right. */
export function barsIn({ scale, view }: Frame, row: RowSlice): Bar[] {
  return Array.from(row.starts, (_, i): Bar | undefined => {
    const range = rangeAt(row, i);
    const span = range && pixelSpanOf(view, scale, range.start, range.last);
    if (!span) return undefined;
    return {
      ...span,
      range,
      style: styleAt(elementAt(row.styles, i)),
      count: elementAt(row.counts, i),
      index: elementAt(row.indices, i),
      caption: elementAt(row.captions, i),
    };
  }).filter((bar) => bar !== undefined);
}

function labelRequest({ x0, x1, range, style, count, caption }: Bar): LabelRequest {
  const size = formatSize(sizeOf(range));
  if (count > 1) {
    return { x0, x1, title: `${groupedDecimal(BigInt(count))} ranges`, detail: '', isNumber: true };
  }
  if (caption === '') return { x0, x1, title: size, detail: '', isNumber: true };
  // The size of an unknown range means nothing.
  return { x0, x1, title: caption, detail: style === 'unknown' ? '' : size, isNumber: false };
}

/** The labels of a row's bars, one each. */
export function barLabels(bars: readonly Bar[], breaks: readonly AxisBreak[], height: number) {
  const requests = bars.map((bar, k): LabelRequest => {
    const request = labelRequest(bar);
    const before = bars[k - 1];
    const after = bars[k + 1];
    // Among others a merged mark is mere texture; only one with space around it shows its number of ranges.
    const isCrowded = (before && bar.x0 - before.x1 < CROWDED) || (after && after.x0 - bar.x1 < CROWDED);
    return isCrowded && bar.count !== 1 ? { ...request, title: '' } : request;
  });
  return placeLabels(
    requests,
    breaks.map(({ pixel }) => pixel),
    height >= TWO_LINES_HEIGHT,
  );
}

/** Pixels that a bar takes in the scene. */
function boxOf({ left }: Frame, { x0, x1 }: PixelSpan, y: number, height: number) {
  return { x: left + x0, y, width: x1 - x0, height };
}

/** A bar, without an edge on a side where it continues outside of the window. */
export function barMark(frame: Frame, bar: Bar, y: number, height: number): Mark {
  const { scale, view } = frame;
  const { range, style, count, caption } = bar;
  const what = count > 1 ? `${count} ranges` : caption || styleOf(style).label;
  return {
    type: 'bar',
    ...boxOf(frame, bar, y, height),
    style,
    title: `${what}: ${formatRange(range)}, ${formatSize(sizeOf(range))}`,
    openLeft: bar.x0 === 0 && pixelOf(view, toWorld(scale, range.start)) < -1,
    openRight: bar.x1 === view.width && pixelOf(view, toWorld(scale, range.last + 1n)) > view.width + 1,
  };
}

/** A marker that points up at one address: a fault, or where an allocator is. */
export function arrowMarks(
  frame: Frame,
  { x0, x1 }: PixelSpan,
  y: number,
  height: number,
  style: StyleName = 'fault',
): Mark[] {
  const ink = style === 'cursor' ? 'accent' : 'alarm';
  const x = frame.left + (x0 + x1) / 2;
  // Room for a letter above it.
  const tip = y + 6;
  const shaft = [
    [x, tip],
    [x, y + height],
  ] as const;
  const head = [
    [x - 4, tip + 7],
    [x, tip],
    [x + 4, tip + 7],
  ] as const;
  return [pathMark(shaft, ink, 2), pathMark(head, ink, 2)];
}

/** The text of labels that have room. */
export function labelMarks({ left }: Frame, labels: readonly PlacedLabel[], y: number, height: number): Mark[] {
  return labels.flatMap((label): Mark[] => {
    if (label.place === 'letter') return [];
    const x = left + label.x;
    const style = { anchor: 'middle', halo: true } as const;
    const [first = '', second] = label.lines;
    if (second === undefined) return [textMark(x, y + height / 2 + 4, first, { size: LABEL_SIZE, ...style })];
    return [
      textMark(x, y + height / 2 - 3, first, { size: LABEL_SIZE, ...style }),
      textMark(x, y + height / 2 + 10, second, { size: DETAIL_SIZE, ink: 'muted', ...style }),
    ];
  });
}

/** Bars or arrows of a row with its top at `y`, and the areas that they can be hit in. */
export function shapesOf(
  frame: Frame,
  bars: readonly Bar[],
  where: Pick<Target, 'laneId' | 'row'>,
  { shape, height }: Pick<LaneTraits, 'shape' | 'height'>,
  y: number,
): { marks: Mark[]; hits: HitArea[] } {
  return {
    marks: bars.flatMap((bar) =>
      shape === 'arrow' ? arrowMarks(frame, bar, y, height, bar.style) : [barMark(frame, bar, y, height)],
    ),
    hits: bars.map((bar) => ({
      ...boxOf(frame, bar, y, height),
      style: bar.style,
      target: { ...where, index: bar.index, count: bar.count, start: bar.range.start, last: bar.range.last },
    })),
  };
}

/** Outlines of the bars that are exactly the selected range. An outline never hides what is selected. */
export function selectionOutlines(
  { left }: Frame,
  bars: readonly Bar[],
  selected: Pick<Target, 'start' | 'last'>,
  y: number,
  height: number,
): Mark[] {
  return bars
    .filter(({ range }) => range.start === selected.start && range.last === selected.last)
    .map(({ x0, x1 }) => ({
      type: 'outline',
      x: left + x0 - OUTLINE_GAP,
      y: y - OUTLINE_GAP,
      width: x1 - x0 + 2 * OUTLINE_GAP,
      height: height + 2 * OUTLINE_GAP,
      ink: 'accent',
    }));
}
