// Measuring: both ends snap to the bounds of what is drawn, so that a measurement is exact without zooming in.
import { IOVA_SPACE, type Iova } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';

/** A bound in the picture: the border before the address `edge` (up to 2^64), at a pixel of the plot. */
export interface Bound {
  readonly pixel: number;
  readonly edge: bigint;
}

/** One end of a measurement: a border between addresses, or the address below the pointer. */
export type MeasureEnd = { readonly edge: bigint } | { readonly address: Iova };

const SNAP_PIXELS = 7;

/** The bound nearest to a pixel, if one is near enough. */
export function nearestBound(bounds: readonly Bound[], pixel: number): Bound | undefined {
  let best: Bound | undefined;
  for (const bound of bounds) {
    const distance = Math.abs(bound.pixel - pixel);
    if (distance <= SNAP_PIXELS && (!best || distance < Math.abs(best.pixel - pixel))) best = bound;
  }
  return best;
}

const lowEdge = (end: MeasureEnd) => ('edge' in end ? end.edge : end.address);
const highEdge = (end: MeasureEnd) => ('edge' in end ? end.edge : end.address + 1n);

/** The address from `low` to `high`, both inclusive, that is a multiple of the largest power of two. */
export function roundestAddress(low: bigint, high: bigint): bigint {
  let unit = 1n;
  let best = low;
  for (;;) {
    const multiple = ((low + unit - 1n) / unit) * unit;
    if (multiple > high) return best;
    best = multiple;
    // Zero is a multiple of every power.
    if (multiple === 0n) return best;
    unit *= 2n;
  }
}

/** The addresses between two ends, in either order; undefined if there are none. */
export function measuredRange(a: MeasureEnd, b: MeasureEnd): IovaRange | undefined {
  const start = lowEdge(a) < lowEdge(b) ? lowEdge(a) : lowEdge(b);
  const end = highEdge(a) > highEdge(b) ? highEdge(a) : highEdge(b);
  return start < end && end <= IOVA_SPACE ? range(start, end - 1n) : undefined;
}
