// Where an address space of a model can take a mapping, and what blocks a range: asked by answers, never by drawing.
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { type IovaRange, overlaps } from '../../iova/range.ts';
import { complement, type RangeSet, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView } from '../model.ts';
import { areaObstacle, reservedObstacle } from './obstacles.ts';
import type { Obstacle } from './refusal.ts';

/** An obstacle that occupies a range. Bounds are its own, inclusive, not cut to what was asked for. */
export type RangeObstacle = Obstacle & IovaRange;

/**
 * Where the kernel accepts a mapping if nothing is mapped yet: the valid ranges of a container, elsewhere everything
 * that is not reserved (what IOMMU_IOAS_IOVA_RANGES reports). Allowed ranges do not count: they limit only the kernel's
 * own choice.
 */
export function usableRanges(space: AddressSpaceView): RangeSet {
  return space.validRanges ? rangeSet(space.validRanges) : complement(rangeSet(space.reserved));
}

/** The usable ranges without what is mapped. O(areas + reserved). */
export function freeRanges(space: AddressSpaceView): RangeSet {
  const usable = usableRanges(space);
  if (space.areaCount === 0) return usable;
  const free: IovaRange[] = [];
  for (const r of usable) {
    let next: bigint = r.start;
    for (const area of space.areas(r.start, r.last)) {
      if (area.start > next) free.push({ start: next as Iova, last: (area.start - 1n) as Iova });
      // Areas may overlap: one version of the kernel lets that happen.
      if (area.last >= next) next = area.last + 1n;
    }
    if (next <= r.last && next <= IOVA_MAX) free.push({ start: next as Iova, last: r.last });
  }
  return free;
}

/**
 * What blocks a mapping of `wanted`: reserved ranges and what lies outside of an aperture first, then what is mapped,
 * then what is in no valid range for any other reason (a container without a group); each ascending by start, `max` at
 * most. Empty exactly if the mapping fits as far as ranges are concerned; alignment is not looked at.
 */
export function obstaclesIn(
  space: AddressSpaceView,
  wanted: IovaRange,
  max = Number.POSITIVE_INFINITY,
): RangeObstacle[] {
  const found: RangeObstacle[] = [];
  for (const r of space.reserved) {
    if (r.start > wanted.last) break;
    if (r.last >= wanted.start) found.push({ ...reservedObstacle(r), start: r.start, last: r.last });
  }
  for (const area of space.areas(wanted.start, wanted.last)) {
    if (found.length >= max) break;
    found.push({ ...areaObstacle(area), start: area.start, last: area.last });
  }
  for (const r of complement(rangeSet([...usableRanges(space), ...space.reserved]))) {
    if (overlaps(r, wanted)) found.push({ kind: 'not-valid', ...r });
  }
  return found.slice(0, max);
}
