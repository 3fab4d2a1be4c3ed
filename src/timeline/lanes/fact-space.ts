import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import { groupTitle } from '../../analysis/host/host.ts';
import type { MappingState } from '../../analysis/host/mappings.ts';
import type { CommonSpace } from '../../analysis/space/common-space.ts';
import { APERTURE_NOT_IN_DUMPS, apertureLane } from './aperture.ts';
import { barLane } from './bars.ts';
import { doorbellLane } from './doorbells.ts';
import { faultLane } from './faults.ts';
import { guestLane } from './guest.ts';
import type { SpaceLanes } from './lane.ts';
import { mappingLanes } from './mappings.ts';
import { reservedLane } from './reserved.ts';
import { usableLane } from './usable.ts';
import { windowLane } from './windows.ts';

/** What is drawn beside the regions of the ticked groups. */
export interface FactLayers {
  readonly guests: readonly GuestLayout[];
  /** At the moment that is to be drawn. */
  readonly mappings: readonly MappingState[];
  readonly hasWindows: boolean;
  readonly hasBars: boolean;
  readonly hasFaults: boolean;
}

/** The lanes of the address space that the ticked groups of a host share. `expanded` holds the ids of opened lanes. */
export function factSpace(space: CommonSpace, expanded: ReadonlySet<string>, layers: FactLayers): SpaceLanes {
  const { host } = space;
  const id = host.key;
  const lane = (name: string) => `${id}#${name}`;
  const isOpen = (name: string) => expanded.has(lane(name));
  const groups = space.groups.map(groupTitle);
  const listed = groups.length > 4 ? `${groups.length} groups` : groups.join(' + ');
  // Of a dump without groups nothing is known to be reserved: a lane that is empty would say that nothing is.
  const hasGroups = groups.length > 0;
  return {
    id,
    title: hasGroups ? `${host.title}: ${listed}` : host.title,
    subtitle: groups.length > 1 ? 'in one address space' : '',
    lanes: [
      apertureLane(lane('aperture'), space.apertures, APERTURE_NOT_IN_DUMPS, isOpen('aperture')),
      ...(hasGroups ? [reservedLane(lane('reserved'), space, isOpen('reserved'))] : []),
      ...doorbellLane(lane('doorbells'), space),
      ...(layers.hasWindows ? [windowLane(lane('windows'), host.windows, isOpen('windows'))] : []),
      ...(layers.hasBars ? [barLane(lane('bars'), host.bars, isOpen('bars'))] : []),
      ...layers.guests.map((guest, i) => guestLane(lane(`guest ${i}`), guest, isOpen(`guest ${i}`))),
      ...layers.mappings.flatMap((state) => mappingLanes(lane(`mappings ${state.set.key}`), state)),
      ...(layers.hasFaults ? [faultLane(lane('faults'), host.faults, isOpen('faults'))] : []),
      ...(hasGroups ? [usableLane(lane('usable'), space)] : []),
    ],
  };
}
