import { type Group, groupTitle, type Region } from '../../analysis/host/host.ts';
import { meaningOf } from '../../analysis/host/region-types.ts';
import type { CommonSpace, MergedRegion } from '../../analysis/space/common-space.ts';
import { STYLE_NAMES, styleIndex } from '../scene/theme.ts';
import { type DescribedRange, describedLane, type Lane, type Part, stackRows } from './lane.ts';

/** The style of a reserved region by its type word; an unknown word has one of its own. */
export function reservedStyle(type: string): number {
  if (type === 'sw-msi') return styleIndex('msi');
  const known = STYLE_NAMES.find((name) => name === type);
  const styled = known === 'msi' || known === 'direct' || known === 'direct-relaxable' || known === 'reserved';
  return styleIndex(styled ? known : 'reserved-other');
}

function described(region: Pick<MergedRegion, 'start' | 'last' | 'type'>, parts: readonly Part[]): DescribedRange {
  const { title, sentence } = meaningOf(region.type);
  return {
    start: region.start,
    last: region.last,
    style: reservedStyle(region.type),
    caption: title,
    info: { title: title === region.type ? region.type : `${title} (${region.type})`, sentence, parts },
  };
}

/** Rows of a group when the lane is opened. The group is as fine as it gets: the kernel lists regions a group. */
function groupRows(group: Group) {
  const title = groupTitle(group);
  const devices = group.devices.filter((device) => device !== title);
  const note = devices.length > 1 ? `${devices[0]} and ${devices.length - 1} more` : (devices[0] ?? '');
  const ranges = group.regions.map((r: Region) =>
    described(r, [{ owner: groupTitle(group), range: { start: r.start, last: r.last }, provenance: r.provenance }]),
  );
  const rows = stackRows(ranges);
  return (rows.length === 0 ? [[]] : rows).map((row) => ({ title, note, ranges: row }));
}

/** What the ticked groups reserve: joined by type, or a row for each group when opened. */
export function reservedLane(id: string, space: CommonSpace, expanded: boolean): Lane {
  const names = space.groups.map((g) => g.group ?? groupTitle(g));
  const first = names[0];
  const subtitle =
    names.length === 0
      ? 'nothing ticked'
      : names.length === 1
        ? space.groups[0]?.group === undefined
          ? `${first}`
          : `group ${first}`
        : names.length <= 4
          ? `groups ${names.join(', ')}`
          : `${names.length} groups`;
  const expandable = space.groups.length > 1;
  const rows =
    expandable && expanded
      ? space.groups.flatMap(groupRows)
      : stackRows(space.reserved.map((r) => described(r, r.parts))).map((ranges) => ({ ranges }));
  return describedLane(
    { id, kind: 'reserved', title: 'reserved', subtitle, expandable, expanded: expandable && expanded },
    rows,
  );
}
