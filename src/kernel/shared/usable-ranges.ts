// Where an address space of a model accepts a mapping, and what blocks a range.
import { type IovaRange, overlaps } from '../../iova/range.ts';
import { complement, type RangeSet, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView } from '../model.ts';
import { areaObstacle, reservedObstacle } from './obstacles.ts';
import type { Obstacle } from './refusal.ts';

/** An obstacle that occupies a range. Bounds are its own, inclusive, not cut to what was requested. */
export type RangeObstacle = Obstacle & IovaRange;

/**
 * Where the kernel accepts a mapping if nothing is mapped yet: the valid ranges of a container, elsewhere everything
 * that is not reserved (what IOMMU_IOAS_IOVA_RANGES reports). Allowed ranges do not count: they limit only the kernel's
 * own choice.
 */
export function usableRanges(space: AddressSpaceView): RangeSet {
  return space.validRanges ? rangeSet(space.validRanges) : complement(rangeSet(space.reserved));
}

/**
 * Calls `visit` for each of the usable ranges without what is mapped, by ascending start. `usable`: those of the space, or parts
 * of them. O(areas + reserved).
 */
export function visitFreeRanges(
  space: AddressSpaceView,
  visit: (free: IovaRange) => void,
  usable: RangeSet = usableRanges(space),
): void {
  for (const { start, last } of usable) {
    space.visitHoles(start, last, 1n, (hole) => {
      visit(hole);
      return undefined;
    });
  }
}

/** The usable ranges without what is mapped. O(areas + reserved). */
export function freeRanges(space: AddressSpaceView): RangeSet {
  const free: IovaRange[] = [];
  visitFreeRanges(space, (range) => free.push(range));
  return free;
}

/**
 * What blocks a mapping of `requested`, at most `max` obstacles: reserved ranges and what is outside of an aperture first,
 * then areas, then what is in no valid range for another reason (a container without a group); each ascending by start.
 * Empty exactly if `requested` is inside one of the free ranges. Alignment is not checked.
 */
export function obstaclesIn(
  space: AddressSpaceView,
  requested: IovaRange,
  max = Number.POSITIVE_INFINITY,
): RangeObstacle[] {
  const found: RangeObstacle[] = [];
  for (const r of space.reserved) {
    if (r.start > requested.last) break;
    if (r.last >= requested.start) found.push({ ...reservedObstacle(r), start: r.start, last: r.last });
  }
  for (const area of space.areas(requested.start, requested.last)) {
    if (found.length >= max) break;
    found.push({ ...areaObstacle(area), start: area.start, last: area.last });
  }
  for (const r of complement(rangeSet([...usableRanges(space), ...space.reserved]))) {
    if (overlaps(r, requested)) found.push({ kind: 'not-valid', ...r });
  }
  return found.slice(0, max);
}
