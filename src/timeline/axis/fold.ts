import { bitLength } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { elementAt, firstEndingAtOrAfter, type RangeColumns, rangeAt } from '../lanes/columns.ts';
import type { SpaceLanes } from '../lanes/lane.ts';
import { foldScale, type Scale } from './scale.ts';

/** More clusters than this in one row and the fold would have no room for any of them. */
const CLUSTERS_MAX = 192;

/** Joins ranges whose gaps are small against the others, so that at most `CLUSTERS_MAX` remain. O(n). */
export function clusters({ starts, lasts }: RangeColumns): { start: bigint; end: bigint }[] {
  const count = starts.length;
  /** Of each range: the bits of the length of the gap before it. */
  const gapBits = new Uint8Array(count);
  let threshold = -1;
  if (count > CLUSTERS_MAX) {
    const histogram = new Uint32Array(65);
    for (let i = 1; i < count; i++) {
      const bits = bitLength(elementAt(starts, i) - elementAt(lasts, i - 1) - 1n);
      gapBits[i] = bits;
      histogram[bits] = elementAt(histogram, bits) + 1;
    }
    let remaining = count;
    while (remaining > CLUSTERS_MAX && threshold < 64) {
      threshold++;
      remaining -= elementAt(histogram, threshold);
    }
  }
  const out: { start: bigint; end: bigint }[] = [];
  for (let i = 0; i < count; i++) {
    // A cluster ends where the next range does not join it.
    if (i > 0 && threshold >= 0 && elementAt(gapBits, i) <= threshold) continue;
    const open = out.at(-1);
    if (open) open.end = elementAt(lasts, i - 1) + 1n;
    out.push({ start: elementAt(starts, i), end: elementAt(lasts, count - 1) + 1n });
  }
  return out;
}

/**
 * One fold scale for all given spaces. `keepVisible`: further ranges that must stay visible, bounds inclusive.
 */
export function foldFor(spaces: readonly SpaceLanes[], keepVisible: readonly IovaRange[] = []): Scale {
  const edges = new Set(keepVisible.flatMap(({ start, last }) => [start, last + 1n]));
  const content: RangeColumns[] = [];
  for (const lane of spaces.flatMap((space) => space.lanes)) {
    for (const row of lane.rows) {
      for (const { start, end } of clusters(row)) {
        edges.add(start);
        edges.add(end);
      }
      if (lane.traits.isContent) content.push(row);
    }
  }
  return foldScale({
    edges,
    isOccupied: (start, end) =>
      keepVisible.some((r) => r.start < end && r.last >= start) ||
      content.some((row) => {
        const next = rangeAt(row, firstEndingAtOrAfter(row, start));
        return next !== undefined && next.start < end;
      }),
  });
}
