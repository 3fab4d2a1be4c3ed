// What lanes are made of: one type for each of the three sources of an address space.
import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { MappingState } from '../../analysis/host/mapping-state.ts';
import type { CommonSpace, ReportedSpace } from '../../analysis/space/common-space.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import type { SessionStates } from '../../kernel/replay/state-at.ts';
import type { Part } from './lane.ts';

/** Ids of the lanes of one address space. `name` is unique in it. */
export interface LaneIds {
  laneId(name: string): string;
  isExpanded(name: string): boolean;
}

/** The address space that the selected groups of a host share. */
export interface HostSource extends LaneIds {
  readonly space: CommonSpace;
  readonly guests: readonly GuestLayout[];
  /** At the moment that is drawn. */
  readonly mappings: readonly MappingState[];
}

/** An address space whose ranges a kernel reported (VFIO_IOMMU_GET_INFO, IOMMU_IOAS_IOVA_RANGES). */
export interface ReportedSource extends LaneIds {
  readonly space: ReportedSpace;
  readonly guests: readonly GuestLayout[];
}

/** The states of a session's model, and after how many events one of them is drawn. */
export interface Moment {
  readonly states: Pick<SessionStates, 'revision' | 'touchedRanges'>;
  readonly position: number;
}

/** An address space of a kernel model (an IOAS, a container), at one moment of a session. */
export interface ModelSource extends LaneIds {
  readonly space: AddressSpaceView;
  readonly guest: GuestLayout | undefined;
  /** The moment of the session; absent if other moments of it are not drawn. */
  readonly moment?: Moment | undefined;
  /** Where the event of an index was read. */
  provenanceOf(event: number): Part['provenance'];
}

/** The ids of an address space's lanes. `key` is unique in the picture; `expanded` has the ids of expanded lanes. */
export function laneIds(key: string, expanded: ReadonlySet<string>): LaneIds {
  const laneId = (name: string) => `${key}#${name}`;
  return { laneId, isExpanded: (name) => expanded.has(laneId(name)) };
}
