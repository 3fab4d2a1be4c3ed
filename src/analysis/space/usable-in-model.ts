// What the state of a model can take: the page loads it with the first session.
import type { RangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { freeRanges, obstaclesIn, type RangeObstacle, usableRanges } from '../../kernel/shared/usable-ranges.ts';
import type { Provenance } from '../host/host.ts';
import type { SpaceObstacle, UsableRanges } from './usable-ranges.ts';

/** An address space of a model. `eventPlace` returns where an event was read, by index. */
export function usableInModel(
  space: AddressSpaceView,
  eventPlace: (index: number) => readonly Provenance[],
): UsableRanges {
  let free: RangeSet | undefined;
  return {
    usable: usableRanges(space),
    get free() {
      free ??= freeRanges(space);
      return free;
    },
    hasMappings: space.areaCount > 0,
    isApertureKnown: space.domains.length > 0,
    obstaclesIn: (requested, max) =>
      obstaclesIn(space, requested, max).map((obstacle) => modelObstacle(space, obstacle, eventPlace)),
  };
}

function modelObstacle(
  space: AddressSpaceView,
  { kind, start, last, type, owner, origin }: RangeObstacle,
  eventPlace: (index: number) => readonly Provenance[],
): SpaceObstacle {
  const owners = owner === undefined ? [] : [owner];
  switch (kind) {
    case 'aperture':
      return { kind, start, last, owners, provenance: [] };
    case 'area':
      return { kind: 'mapping', start, last, owners, provenance: origin === undefined ? [] : eventPlace(origin) };
    case 'reserved':
      return { kind, start, last, type, owners, provenance: [] };
    default:
      return { kind: 'not-valid', start, last, owners: [space.id], provenance: [] };
  }
}
