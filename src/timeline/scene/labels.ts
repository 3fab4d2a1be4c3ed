import { shorten, textWidth } from './text-metrics.ts';

/** A bar that needs a label. `x0` and `x1` are the pixels of its visible part. */
export interface LabelRequest {
  readonly x0: number;
  readonly x1: number;
  readonly title: string;
  readonly detail: string;
  /** True if the title must not be shortened: part of a number is a wrong number. */
  readonly isNumber?: boolean;
}

export type PlacedLabel =
  /** Text in or beside the bar; `lines` is one or two. `x` is the middle of the lines, or their start. */
  | {
      readonly place: 'text';
      readonly x: number;
      readonly anchor: 'start' | 'middle';
      readonly lines: readonly string[];
    }
  /** No room: the bar gets a letter, and the list below the picture the text. */
  | { readonly place: 'number'; readonly x: number };

export const LABEL_SIZE = 11.5;
export const DETAIL_SIZE = 10.5;
const PADDING = 5;
/** Room that an axis break takes on either side of its middle. */
const AXIS_BREAK_HALF = 9;

interface Gap {
  readonly x0: number;
  readonly x1: number;
}

/** The widest part of a bar that no axis break crosses. */
function widestPart(x0: number, x1: number, axisBreaks: readonly number[]): Gap {
  const inside = axisBreaks.filter((t) => t > x0 - AXIS_BREAK_HALF && t < x1 + AXIS_BREAK_HALF);
  let best: Gap = { x0, x1: x0 };
  let from = x0;
  for (const t of [...inside, x1 + AXIS_BREAK_HALF]) {
    const to = Math.min(x1, t - AXIS_BREAK_HALF);
    if (to - from > best.x1 - best.x0) best = { x0: from, x1: to };
    from = Math.max(from, t + AXIS_BREAK_HALF);
  }
  return best;
}

/**
 * Places the labels of one row so that none overlaps another, a foreign bar or an axis break. In order of preference:
 * both lines inside, the title alone, the title shortened, both on one line beside the bar, a number.
 * `bars` ascend and do not overlap; `axisBreaks` are the pixels of axis breaks, ascending; the plot is 0 … `width`.
 */
export function placeLabels(
  bars: readonly LabelRequest[],
  axisBreaks: readonly number[],
  width: number,
  twoLines: boolean,
): PlacedLabel[] {
  /** Right end of the last label written beside a bar. */
  let taken = 0;
  return bars.map((bar, i): PlacedLabel => {
    const part = widestPart(bar.x0, bar.x1, axisBreaks);
    const room = part.x1 - part.x0 - 2 * PADDING;
    const middle = (part.x0 + part.x1) / 2;
    const text = (lines: readonly string[]): PlacedLabel => ({ place: 'text', x: middle, anchor: 'middle', lines });
    const titleWidth = textWidth(bar.title, LABEL_SIZE);
    const oneLine = bar.detail === '' ? bar.title : `${bar.title} · ${bar.detail}`;
    if (twoLines && bar.detail !== '') {
      if (Math.max(titleWidth, textWidth(bar.detail, DETAIL_SIZE)) <= room) return text([bar.title, bar.detail]);
    } else if (textWidth(oneLine, LABEL_SIZE) <= room) return text([oneLine]);
    if (titleWidth <= room) return text([bar.title]);
    if (bar.detail !== '' && textWidth(bar.detail, LABEL_SIZE) <= room) return text([bar.detail]);

    const nextBar = bars[i + 1]?.x0 ?? width;
    const nextBreak = axisBreaks.find((t) => t > bar.x1) ?? Number.POSITIVE_INFINITY;
    const beside = bar.x1 + PADDING;
    const limit = Math.min(nextBar - PADDING, nextBreak - AXIS_BREAK_HALF, width);
    for (const candidate of [oneLine, bar.title]) {
      const candidateWidth = textWidth(candidate, LABEL_SIZE);
      if (beside >= taken && beside + candidateWidth <= limit) {
        taken = beside + candidateWidth + PADDING;
        return { place: 'text', x: beside, anchor: 'start', lines: [candidate] };
      }
    }
    const short = bar.isNumber ? '' : shorten(bar.title, room, LABEL_SIZE);
    if (short !== '') return text([short]);
    return { place: 'number', x: middle };
  });
}
