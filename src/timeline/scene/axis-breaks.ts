// Axis breaks: here the axis leaves out so much that the widths of bars cannot be compared across.
import { formatSize } from '../../iova/format.ts';
import { pixelOf } from '../axis/viewport.ts';
import type { Frame } from './layout.ts';
import type { Mark } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import { textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

/** A segment narrower than this has no room for a break. */
const WIDTH_MIN = 22;
/** Distance that the middle of a break keeps from the borders of the plot. */
const BORDER = 6;
const TOOTH = 7;
const LABEL_SIZE = TEXT.tiny;
/** Distance that a label keeps from both ends of its range. */
const LABEL_GAP = 3;
/** Where in its range a break is. */
const BREAK_SHARE = 0.82;

export interface AxisBreak {
  /** Middle of the break, in pixels of the plot. */
  readonly pixel: number;
  /** The visible part of the compressed range: from `x0` inclusive to `x1` exclusive, in pixels of the plot. */
  readonly x0: number;
  readonly x1: number;
  /** Size of the compressed range. */
  readonly label: string;
}

/** The breaks in the window, from left to right. */
export function findAxisBreaks({ scale, view }: Frame): AxisBreak[] {
  return scale.segments.flatMap((segment) => {
    if (!segment.isAxisBreak) return [];
    const x0 = pixelOf(view, segment.base);
    const x1 = pixelOf(view, segment.base + segment.length);
    // Beside the middle: one side keeps enough room for the label of a bar.
    const pixel = x0 + (x1 - x0) * BREAK_SHARE;
    // Wider than the window: inside a segment the scale is even, so nothing is left out of what is seen.
    const isZoomedIn = x1 - x0 > view.width;
    if (x1 - x0 < WIDTH_MIN || isZoomedIn || pixel < BORDER || pixel > view.width - BORDER) return [];
    const visible = { x0: Math.max(0, x0), x1: Math.min(view.width, x1) };
    return [{ pixel, ...visible, label: formatSize(segment.end - segment.start) }];
  });
}

/**
 * A zigzag through the lanes for each break. Its size is above `labelBottom` if it fits between the ends of the range:
 * beside them it would be read as the size of a neighbour.
 */
export function drawAxisBreaks(
  { left }: Frame,
  breaks: readonly AxisBreak[],
  labelBottom: number,
  top: number,
  bottom: number,
): Mark[] {
  const marks: Mark[] = [];
  for (const { pixel, x0, x1, label } of breaks) {
    const x = left + pixel;
    const points: [number, number][] = [];
    for (let y = top - 2, side = 1; y <= bottom; y += TOOTH, side = -side) points.push([x + (TOOTH / 2) * side, y]);
    marks.push(pathMark(points, 'ground', TOOTH), pathMark(points, 'faint'));
    if (textWidth(label, LABEL_SIZE) + 2 * LABEL_GAP <= x1 - x0) {
      const style = { size: LABEL_SIZE, ink: 'muted', anchor: 'middle', halo: true } as const;
      marks.push(textMark(left + (x0 + x1) / 2, labelBottom - 5, label, style));
    }
  }
  return marks;
}
