import { deviceLabel } from '../../analysis/host/devices.ts';
import type { Bar } from '../../analysis/host/host.ts';
import { counted } from '../../iova/format.ts';
import { compareRanges } from '../../iova/range.ts';
import { type DescribedRange, describedLane, type LaneContent, stackRows } from './lane.ts';
import type { HostSource } from './sources.ts';

/** The kernel's index of the expansion ROM, after the six BARs. */
const ROM_INDEX = 6;

/** What is known of a device besides its address. */
export function noteOf(device: string, label: string): string {
  return label.replace(device, '').trim();
}

/** `label`: what the device is called in the details; in the picture its address has to do. */
function described({ start, last, device, index, prefetchable, bits, provenance }: Bar, label: string): DescribedRange {
  const name = index === ROM_INDEX ? 'ROM' : `BAR ${index}`;
  return {
    start,
    last,
    style: 'bar',
    caption: `${device} ${name}`,
    info: {
      title: `${name} of ${label}`,
      sentence:
        'Device registers or memory, at the address that lspci reported: a host physical address, or a guest physical address if lspci ran in a guest.',
      parts: [{ owner: label, range: { start, last }, provenance }],
      values: {
        ...(bits === undefined ? {} : { kind: `${bits}-bit` }),
        ...(prefetchable === undefined ? {} : { prefetchable: prefetchable ? 'yes' : 'no' }),
      },
    },
  };
}

/** The BARs of PCI devices: together, or a row for each device when expanded. */
export function barsOfHost({ space, laneId, isExpanded }: HostSource): LaneContent<'bars'>[] {
  const { bars } = space.host;
  const sorted = bars.toSorted(compareRanges);
  const devices = [...new Set(bars.map(({ device }) => device))].sort();
  const labelOf = (device: string) => deviceLabel(space.host.devices, device);
  const describe = (bar: Bar) => described(bar, labelOf(bar.device));
  const expandable = devices.length > 1;
  const expanded = expandable && isExpanded('bars');
  const rows = expanded
    ? devices.flatMap((title) =>
        stackRows(sorted.filter(({ device }) => device === title).map(describe)).map((ranges) => ({
          title,
          note: noteOf(title, labelOf(title)),
          ranges,
        })),
      )
    : stackRows(sorted.map(describe)).map((ranges) => ({ ranges }));
  const subtitle = `${counted(bars.length, 'BAR')} of ${counted(devices.length, 'device')}`;
  return [describedLane({ id: laneId('bars'), kind: 'bars', title: 'BARs', subtitle, expandable, expanded }, rows)];
}
