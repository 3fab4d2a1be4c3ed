import type { CommonSpace } from '../../analysis/common-space.ts';
import { groupTitle } from '../../analysis/inventory.ts';
import type { SpaceLanes } from '../lane.ts';
import { APERTURE_NOT_IN_DUMPS, apertureLane } from './aperture-lane.ts';
import { doorbellLane } from './doorbell-lane.ts';
import { reservedLane } from './reserved-lane.ts';
import { usableLane } from './usable-lane.ts';

/** The lanes of the address space that the ticked groups of a host share. `expanded` holds the ids of opened lanes. */
export function factSpace(space: CommonSpace, expanded: ReadonlySet<string>): SpaceLanes {
  const id = space.host.key;
  const lane = (name: string) => `${id}#${name}`;
  const groups = space.groups.map(groupTitle);
  const listed = groups.length > 4 ? `${groups.length} groups` : groups.join(' + ');
  return {
    id,
    title: groups.length === 0 ? `${space.host.title}: nothing ticked` : `${space.host.title}: ${listed}`,
    subtitle: groups.length > 1 ? 'in one address space' : '',
    lanes: [
      apertureLane(lane('aperture'), space.apertures, APERTURE_NOT_IN_DUMPS, expanded.has(lane('aperture'))),
      reservedLane(lane('reserved'), space, expanded.has(lane('reserved'))),
      ...doorbellLane(lane('doorbells'), space),
      usableLane(lane('usable'), space),
    ],
  };
}
