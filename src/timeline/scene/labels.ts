import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

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
  /** Text in the bar; `lines` is one or two, `x` their middle. */
  | { readonly place: 'text'; readonly x: number; readonly lines: readonly string[] }
  /** No room: the bar gets a letter at its middle, and the list below the picture the text. */
  | { readonly place: 'letter'; readonly x: number };

export const LABEL_SIZE = TEXT.label;
export const DETAIL_SIZE = TEXT.small;
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
 * Places the labels of one row. Every text is inside its own bar, clear of axis breaks: text in the space of another
 * range would be read as a statement about that range. In order of preference: name and detail, the name alone, the
 * name shortened, a letter that refers to the list. A detail never stands for the name.
 * `bars` ascend and do not overlap; `axisBreaks` are the pixels of axis breaks, ascending.
 */
export function placeLabels(
  bars: readonly LabelRequest[],
  axisBreaks: readonly number[],
  twoLines: boolean,
): PlacedLabel[] {
  return bars.map((bar): PlacedLabel => {
    const part = widestPart(bar.x0, bar.x1, axisBreaks);
    const room = part.x1 - part.x0 - 2 * PADDING;
    const text = (...lines: readonly string[]): PlacedLabel => ({
      place: 'text',
      x: (part.x0 + part.x1) / 2,
      lines,
    });
    const titleWidth = textWidth(bar.title, LABEL_SIZE);
    if (titleWidth <= room && bar.detail !== '') {
      const oneLine = `${bar.title} · ${bar.detail}`;
      if (twoLines && textWidth(bar.detail, DETAIL_SIZE) <= room) return text(bar.title, bar.detail);
      if (!twoLines && textWidth(oneLine, LABEL_SIZE) <= room) return text(oneLine);
    }
    if (titleWidth <= room) return text(bar.title);
    const short = bar.isNumber ? '' : shorten(bar.title, room, LABEL_SIZE);
    return short === '' ? { place: 'letter', x: (bar.x0 + bar.x1) / 2 } : text(short);
  });
}
