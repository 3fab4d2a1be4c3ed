import { deviceLabel } from '../../analysis/host/devices.ts';
import type { MsiMessage } from '../../analysis/host/host.ts';
import { counted, formatSize, groupedHex } from '../../iova/format.ts';
import { alignDown, lowestSetBit } from '../../iova/iova.ts';
import { containsRange, rangeOfLength } from '../../iova/range.ts';
import { type DescribedRange, describedLane, type LaneContent } from './lane.ts';
import type { HostSource } from './sources.ts';

/** Doorbells are mapped in pages of the IOMMU: 4 KiB if its page sizes are unknown. */
const DEFAULT_GRANULE = 0x1000n;

/**
 * The pages that the devices of the selected groups write MSIs to, each with its devices. Inside an MSI window they are
 * doorbells. No lane if no dump contains the MSI addresses of these devices.
 */
export function doorbellsOfHost({ space, laneId }: HostSource): LaneContent<'doorbells'>[] {
  const devices = new Set(space.groups.flatMap((group) => group.devices));
  const messages = space.host.msiMessages.filter(({ device }) => devices.has(device));
  if (messages.length === 0) return [];
  const labelOf = (device: string) => deviceLabel(space.host.devices, device);
  const sizes = space.apertures.flatMap(({ pageSizes }) => (pageSizes ? [lowestSetBit(pageSizes)] : []));
  const granule = sizes.reduce((largest, size) => (size > largest ? size : largest), DEFAULT_GRANULE);
  const pages = new Map<bigint, MsiMessage[]>();
  for (const message of messages) {
    const page = alignDown(message.address, granule);
    pages.set(page, [...(pages.get(page) ?? []), message]);
  }
  const windows = space.reserved.filter((region) => region.type === 'msi');
  const ranges = [...pages]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([start, writers]): DescribedRange[] => {
      const range = rangeOfLength(start, granule);
      if (!range) return [];
      const names = [...new Set(writers.map(({ device }) => device))];
      const isInside = windows.some((window) => containsRange(window, range));
      const sentence = isInside
        ? `Devices write MSIs here: this ${formatSize(granule)} page of the MSI window is in use.`
        : 'Devices write MSIs here, outside every MSI window of the selected groups: the interrupts may not be delivered.';
      return [
        {
          ...range,
          style: isInside ? 'doorbell' : 'doorbell-outside',
          caption: names.length === 1 ? (names[0] ?? '') : `${names.length} devices`,
          info: {
            title: isInside ? 'MSI doorbell page' : 'MSI target outside the MSI windows',
            sentence,
            parts: writers.map(({ device, provenance }) => ({ owner: labelOf(device), range, provenance })),
            values: { 'MSI address': [...new Set(writers.map(({ address }) => groupedHex(address)))].join(', ') },
          },
        },
      ];
    });
  const subtitle = `${counted(ranges.length, 'page')} of ${formatSize(granule)}`;
  return [describedLane({ id: laneId('doorbells'), kind: 'doorbells', title: 'doorbells', subtitle }, [{ ranges }])];
}
