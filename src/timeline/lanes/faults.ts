import { deviceLabel } from '../../analysis/host/devices.ts';
import type { Fault } from '../../analysis/host/host.ts';
import { counted, groupedDecimal, groupedHex } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { noteOf } from './bars.ts';
import { type DescribedRange, describedLane, type LaneContent } from './lane.ts';
import type { HostSource } from './sources.ts';

const UNKNOWN = 'unknown device';

function described(address: bigint, faults: readonly Fault[], labelOf: (device: string) => string): DescribedRange {
  const at = range(address, address);
  const count = faults.reduce((sum, fault) => sum + fault.count, 0);
  const reasons = [...new Set(faults.flatMap(({ reason }) => reason ?? []))];
  const accesses = [...new Set(faults.flatMap(({ access }) => access ?? []))];
  return {
    ...at,
    style: 'fault',
    caption: groupedHex(address),
    info: {
      title: `fault at ${groupedHex(address)}`,
      sentence: `The IOMMU blocked ${count === 1 ? 'one DMA access' : `${groupedDecimal(BigInt(count))} DMA accesses`} at this address.`,
      parts: faults.map(({ device, provenance }) => ({
        owner: device === undefined ? UNKNOWN : labelOf(device),
        range: at,
        provenance,
      })),
      values: {
        ...(accesses.length > 0 ? { access: accesses.join(', ') } : {}),
        ...(reasons.length > 0 ? { reason: reasons.join('; ') } : {}),
      },
    },
  };
}

/** Where DMA was blocked: one arrow for each address, or a row for each device when expanded. */
export function faultsOfHost({ space, laneId, isExpanded }: HostSource): LaneContent<'faults'>[] {
  const { faults } = space.host;
  const labelOf = (device: string) => deviceLabel(space.host.devices, device);
  const rowOf = (some: readonly Fault[]): DescribedRange[] => {
    const byAddress = new Map<bigint, Fault[]>();
    for (const fault of some) {
      const known = byAddress.get(fault.address);
      if (known) known.push(fault);
      else byAddress.set(fault.address, [fault]);
    }
    return [...byAddress]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, list]) => described(address, list, labelOf));
  };
  const devices = [...new Set(faults.map(({ device }) => device ?? UNKNOWN))].sort();
  const expandable = devices.length > 1;
  const expanded = expandable && isExpanded('faults');
  const rows = expanded
    ? devices.map((title) => ({
        title,
        note: title === UNKNOWN ? '' : noteOf(title, labelOf(title)),
        ranges: rowOf(faults.filter(({ device }) => (device ?? UNKNOWN) === title)),
      }))
    : [{ ranges: rowOf(faults) }];
  const total = faults.reduce((sum, { count }) => sum + count, 0);
  const subtitle =
    devices.length === 1
      ? `${counted(total, 'fault')}, ${devices[0] === undefined || devices[0] === UNKNOWN ? UNKNOWN : labelOf(devices[0])}`
      : `${counted(total, 'fault')} from ${counted(devices.length, 'device')}`;
  return [
    describedLane({ id: laneId('faults'), kind: 'faults', title: 'faults', subtitle, expandable, expanded }, rows),
  ];
}
