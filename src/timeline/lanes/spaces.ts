// The lanes of an address space that dumps describe: its heading, and the lanes of each kind in the table.
import { groupTitle } from '../../analysis/host/host.ts';
import { holderLabel } from '../../analysis/space/common-space.ts';
import { finished, LANE_KINDS, type LaneKind, laneKind } from './kinds.ts';
import type { SpaceLanes } from './lane.ts';
import { type HostSource, laneIds, type ReportedSource } from './sources.ts';

/**
 * The lanes of the address space that the selected groups of a host share. `key` is unique in the picture, `expanded`
 * has the ids of expanded lanes, and `layers` the kinds of lanes that are selected on their own.
 */
export function hostSpace(
  key: string,
  source: Omit<HostSource, 'laneId' | 'isExpanded'>,
  expanded: ReadonlySet<string>,
  layers: ReadonlySet<LaneKind>,
): SpaceLanes {
  const { host, groups } = source.space;
  const titles = groups.map(groupTitle);
  const listed = titles.length > 4 ? `${titles.length} groups` : titles.join(' + ');
  const kinds = LANE_KINDS.filter((kind) => laneKind(kind).layer === null || layers.has(kind));
  const withIds = { ...source, ...laneIds(key, expanded) };
  return {
    id: key,
    title: titles.length > 0 ? `${host.title}: ${listed}` : host.title,
    subtitle: titles.length > 1 ? 'shared address space' : '',
    lanes: kinds.flatMap((kind) => laneKind(kind).of?.host?.(withIds) ?? []).map(finished),
  };
}

/** The lanes of an address space whose ranges a kernel reported. `title` names the host. */
export function reportedSpace(
  key: string,
  title: string,
  source: Omit<ReportedSource, 'laneId' | 'isExpanded'>,
  expanded: ReadonlySet<string>,
): SpaceLanes {
  const withIds = { ...source, ...laneIds(key, expanded) };
  return {
    id: key,
    title: `${title}: ${source.space.name}`,
    subtitle: holderLabel(source.space),
    lanes: LANE_KINDS.flatMap((kind) => laneKind(kind).of?.reported?.(withIds) ?? []).map(finished),
  };
}
