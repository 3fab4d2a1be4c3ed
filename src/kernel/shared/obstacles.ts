// Obstacles of an operation, made from the state of a model.
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { AreaView, ReservedView } from '../model.ts';
import type { Obstacle, Requested } from './refusal.ts';

/** The range of two bounds that are known to be addresses, the first not above the second. */
export function asRange(start: bigint, last: bigint): IovaRange {
  return { start: start as Iova, last: last as Iova };
}

export function areaObstacle(area: Pick<AreaView, 'start' | 'last' | 'origin'>): Obstacle {
  return { kind: 'area', start: area.start, last: area.last, origin: area.origin };
}

export function reservedObstacle(r: ReservedView): Obstacle {
  const owner = r.owner ? { owner: r.owner.name } : {};
  return {
    kind: r.type === 'aperture' ? 'aperture' : 'reserved',
    start: r.start,
    last: r.last,
    type: r.type,
    ...owner,
  };
}

/** A range (inclusive) where nothing is mapped. */
export function holeObstacle(start: bigint, last: bigint): Obstacle {
  return { kind: 'hole', ...asRange(start, last) };
}

/** What an operation requested; `start` is `undefined` if the kernel was to choose. */
export function requestedBy(start: Iova | undefined, length: bigint): Requested {
  return start === undefined ? { length } : { start, length };
}
