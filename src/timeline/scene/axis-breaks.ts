// Axis breaks: here the axis leaves out so much that the widths of bars cannot be compared across.
import { formatSize } from '../../iova/format.ts';
import { pixelOf } from '../axis/viewport.ts';
import type { Frame } from './layout.ts';
import type { Mark } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import { textWidth } from './text-metrics.ts';

/** A segment narrower than this has no room for a break. */
const WIDTH_MIN = 22;
/** Distance that the middle of a break keeps from the borders of the plot. */
const BORDER = 6;
const TOOTH = 7;
const LABEL_SIZE = 10;
const LABEL_GAP = 6;

export interface AxisBreak {
  /** Middle of the break, in pixels of the plot. */
  readonly pixel: number;
  /** How much is left out. */
  readonly label: string;
}

/** The breaks in the window, from left to right. */
export function findAxisBreaks({ scale, view }: Frame): AxisBreak[] {
  return scale.segments.flatMap((segment) => {
    if (!segment.isAxisBreak) return [];
    const x0 = pixelOf(view, segment.base);
    const x1 = pixelOf(view, segment.base + segment.length);
    const pixel = (x0 + x1) / 2;
    // Wider than the window: inside a segment the scale is even, so nothing is left out of what is seen.
    const isZoomedIn = x1 - x0 > view.width;
    if (x1 - x0 < WIDTH_MIN || isZoomedIn || pixel < BORDER || pixel > view.width - BORDER) return [];
    return [{ pixel, label: formatSize(segment.end - segment.start) }];
  });
}

/** A zigzag through the lanes for each break, and its size above `labelBottom` if there is room. */
export function drawAxisBreaks(
  { left, right }: Frame,
  breaks: readonly AxisBreak[],
  labelBottom: number,
  top: number,
  bottom: number,
): Mark[] {
  const marks: Mark[] = [];
  let labelEnd = Number.NEGATIVE_INFINITY;
  for (const { pixel, label } of breaks) {
    const x = left + pixel;
    const points: [number, number][] = [];
    for (let y = top - 2, side = 1; y <= bottom; y += TOOTH, side = -side) points.push([x + (TOOTH / 2) * side, y]);
    marks.push(pathMark(points, 'ground', TOOTH), pathMark(points, 'faint'));
    const width = textWidth(label, LABEL_SIZE);
    if (x - width / 2 > labelEnd + LABEL_GAP && x + width / 2 < right) {
      const style = { size: LABEL_SIZE, ink: 'muted', anchor: 'middle', halo: true } as const;
      marks.push(textMark(x, labelBottom - 5, label, style));
      labelEnd = x + width / 2;
    }
  }
  return marks;
}
