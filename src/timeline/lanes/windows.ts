import type { HostWindow } from '../../analysis/host/host.ts';
import { counted } from '../../iova/format.ts';
import { compareRanges } from '../../iova/range.ts';
import type { StyleName } from '../scene/style-names.ts';
import { type DescribedRange, describedLane, type LaneContent, stackRows } from './lane.ts';
import type { HostSource } from './sources.ts';

const STYLES: Readonly<Record<string, StyleName>> = {
  ram: 'window-ram',
  pci: 'window-pci',
  ecam: 'window-pci',
  reserved: 'window-reserved',
};

function described({ start, last, name, type, depth, provenance }: HostWindow): DescribedRange {
  return {
    start,
    last,
    style: STYLES[type] ?? 'window-other',
    caption: name,
    info: {
      title: `${name} (${type})`,
      sentence: 'Host physical addresses. An IOVA refers to the same location only where it is identity-mapped.',
      parts: [{ owner: name, range: { start, last }, provenance }],
      values: { depth: String(depth) },
    },
  };
}

/** The host's memory map: its outermost windows, or a row for each level when expanded. */
export function windowsOfHost({ space, laneId, isExpanded }: HostSource): LaneContent<'windows'>[] {
  const { windows } = space.host;
  const sorted = windows.toSorted(compareRanges);
  const depths = [...new Set(sorted.map(({ depth }) => depth))].sort((a, b) => a - b);
  const expandable = depths.length > 1;
  const expanded = expandable && isExpanded('windows');
  const rows = (expanded ? depths : depths.slice(0, 1)).flatMap((depth) =>
    stackRows(sorted.filter((w) => w.depth === depth).map(described)).map((ranges) =>
      expanded ? { title: `level ${depth}`, ranges } : { ranges },
    ),
  );
  const subtitle = `physical, ${counted(windows.length, 'window')}`;
  return [
    describedLane(
      { id: laneId('windows'), kind: 'windows', title: 'memory map', subtitle, expandable, expanded },
      rows,
    ),
  ];
}
