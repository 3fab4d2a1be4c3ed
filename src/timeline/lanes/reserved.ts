import { deviceLabel } from '../../analysis/host/devices.ts';
import { type Group, groupTitle, type Host, type Region } from '../../analysis/host/host.ts';
import { meaningOf } from '../../analysis/host/region-types.ts';
import { type MergedRegion, mergeByType } from '../../analysis/space/common-space.ts';
import { BRIDGE_WINDOW, type ReservedView } from '../../kernel/model.ts';
import type { StyleName } from '../scene/style-names.ts';
import { type DescribedRange, describedLane, type LaneContent, type Part, stackRows } from './lane.ts';
import type { HostSource, ModelSource } from './sources.ts';

const STYLES: ReadonlyMap<string, StyleName> = new Map<string, StyleName>([
  ['msi', 'msi'],
  ['sw-msi', 'msi'],
  ['direct', 'direct'],
  ['direct-relaxable', 'direct-relaxable'],
  ['reserved', 'reserved'],
]);

/** The style of a reserved region by its type as the kernel prints it; an unknown type has one of its own. */
function reservedStyle(type: string): StyleName {
  return STYLES.get(type) ?? 'reserved-other';
}

function describeRegion(region: Pick<MergedRegion, 'start' | 'last' | 'type'>, parts: readonly Part[]): DescribedRange {
  const { title, sentence } = meaningOf(region.type);
  return {
    start: region.start,
    last: region.last,
    style: reservedStyle(region.type),
    caption: title,
    info: { title: title === region.type ? region.type : `${title} (${region.type})`, sentence, parts },
  };
}

/** The rows of a group in an expanded lane. The kernel lists regions per group, not per device. */
function groupRows(group: Group, host: Pick<Host, 'devices'>) {
  const title = groupTitle(group);
  const devices = group.devices.filter((device) => device !== title);
  const [device = ''] = devices;
  const first = device === '' ? '' : deviceLabel(host.devices, device);
  const note = devices.length > 1 ? `${first} and ${devices.length - 1} more` : first;
  const ranges = group.regions.map((r: Region) =>
    describeRegion(r, [
      { owner: groupTitle(group), range: { start: r.start, last: r.last }, provenance: r.provenance },
    ]),
  );
  const rows = stackRows(ranges);
  return (rows.length === 0 ? [[]] : rows).map((row) => ({ title, note, ranges: row }));
}

/**
 * The reserved regions of the selected groups: merged by type, or a row for each group when expanded. No lane without
 * groups: an empty lane would claim that nothing is reserved.
 */
export function reservedOfHost({ space, laneId, isExpanded }: HostSource): LaneContent<'reserved'>[] {
  if (space.groups.length === 0) return [];
  const names = space.groups.map((g) => g.group ?? groupTitle(g));
  const first = names[0];
  const subtitle =
    names.length === 1
      ? space.groups[0]?.group === undefined
        ? `${first}`
        : `group ${first}`
      : names.length <= 4
        ? `groups ${names.join(', ')}`
        : `${names.length} groups`;
  const expandable = space.groups.length > 1;
  const expanded = expandable && isExpanded('reserved');
  const rows = expanded
    ? space.groups.flatMap((group) => groupRows(group, space.host))
    : stackRows(space.reserved.map((r) => describeRegion(r, r.parts))).map((ranges) => ({ ranges }));
  return [
    describedLane(
      { id: laneId('reserved'), kind: 'reserved', title: 'reserved', subtitle, expandable, expanded },
      rows,
    ),
  ];
}

/** The owner of a reserved range. */
function ownerLabel({ owner }: ReservedView): string {
  return owner ? `${owner.kind} ${owner.name}` : 'no owner';
}

function describeReserved({ start, last, type, parts }: MergedRegion): DescribedRange {
  const range = { start, last };
  const who = parts.map((part) => part.owner).join(', ');
  if (type === 'aperture') {
    const info = { title: 'outside the aperture', sentence: `${who} cannot translate these addresses.`, parts };
    return { ...range, style: 'beyond', caption: 'outside the aperture', info };
  }
  if (type === 'manual') {
    const sentence = 'Reserved by request, without an owner: no mapping may overlap it.';
    const info = { title: 'reserved by request', sentence, parts };
    return { ...range, style: 'reserved', caption: 'reserved', info };
  }
  if (type === BRIDGE_WINDOW) {
    const sentence = 'A memory window of the PCI host bridge: the kernel gives these addresses to no PCI device.';
    const info = { title: 'window of the PCI host bridge', sentence, parts };
    return { ...range, style: 'window-pci', caption: 'PCI window', info };
  }
  const { title, sentence } = meaningOf(type);
  return { ...range, style: reservedStyle(type), caption: title, info: { title, sentence, parts } };
}

/** The reserved ranges of a model's space: merged by type, or a row for each owner when expanded. */
export function reservedOfModel({ space, laneId, isExpanded }: ModelSource): LaneContent<'reserved'>[] {
  const regions = space.reserved.map((r) => ({
    type: r.type,
    owner: ownerLabel(r),
    range: { start: r.start, last: r.last },
    provenance: [],
  }));
  const owners = [...new Set(regions.map((r) => r.owner))];
  const expandable = owners.length > 1;
  const expanded = expandable && isExpanded('reserved');
  const subtitle = owners.length > 2 ? `${owners.length} owners` : owners.join(', ') || 'none';
  const rowsOf = (of: typeof regions) => stackRows(mergeByType(of).map(describeReserved));
  const rows = expanded
    ? owners.flatMap((title) => rowsOf(regions.filter((r) => r.owner === title)).map((ranges) => ({ title, ranges })))
    : rowsOf(regions).map((ranges) => ({ ranges }));
  return [
    describedLane(
      { id: laneId('reserved'), kind: 'reserved', title: 'reserved', subtitle, expandable, expanded },
      rows,
    ),
  ];
}
