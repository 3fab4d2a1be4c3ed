// The lanes of an address space of a model, by kind (kinds.ts). The page loads this with the first session.
import { counted } from '../../iova/format.ts';
import { cursorsOfModel, keptOfModel } from './allocator.ts';
import { allowedOfModel } from './allowed.ts';
import { apertureOfModel } from './aperture.ts';
import { areasOfModel } from './areas.ts';
import { guestOfModel } from './guest.ts';
import { holesOfModel } from './holes.ts';
import { finished, LANE_KINDS, type LaneFunction, type LaneKind } from './kinds.ts';
import type { SpaceLanes } from './lane.ts';
import { reservedOfModel } from './reserved.ts';
import { laneIds, type ModelSource } from './sources.ts';
import { usableOfModel } from './usable.ts';

export const MODEL_LANES: Readonly<Partial<Record<LaneKind, LaneFunction<ModelSource, LaneKind>>>> = {
  aperture: apertureOfModel,
  reserved: reservedOfModel,
  allowed: allowedOfModel,
  guest: guestOfModel,
  areas: areasOfModel,
  kept: keptOfModel,
  cursors: cursorsOfModel,
  holes: holesOfModel,
  usable: usableOfModel,
};

/** The lanes of an address space of a model. `title` names the session. */
export function modelSpace(
  key: string,
  title: string,
  source: Omit<ModelSource, 'laneId' | 'isExpanded'>,
  expanded: ReadonlySet<string>,
): SpaceLanes {
  const { space } = source;
  const withIds = { ...source, ...laneIds(key, expanded) };
  return {
    id: key,
    title: `${title}: ${space.id}`,
    subtitle: `${counted(space.domains.length, 'domain')}, ${counted(space.areaCount, space.validRanges ? 'mapping' : 'area')}`,
    lanes: LANE_KINDS.flatMap((kind) => MODEL_LANES[kind]?.(withIds) ?? []).map(finished),
  };
}
