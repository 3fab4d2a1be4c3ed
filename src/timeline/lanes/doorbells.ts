import type { MsiMessage } from '../../analysis/host/host.ts';
import { formatSize, hex } from '../../iova/format.ts';
import { alignDown, lowestSetBit } from '../../iova/iova.ts';
import { containsRange, rangeOfLength } from '../../iova/range.ts';
import { type DescribedRange, describedLane, type LaneContent } from './lane.ts';
import type { HostSource } from './sources.ts';

/** Doorbells are mapped by pages of the IOMMU; where its page sizes are not known, the smallest usual one. */
const USUAL_GRANULE = 0x1000n;

/**
 * The pages that the devices of the ticked groups write their interrupts to, each with the devices that do: inside the
 * MSI window they are the doorbells that take room in it. No lane where no dump says what devices were programmed with.
 */
export function doorbellsOfHost({ space, laneId }: HostSource): LaneContent<'doorbells'>[] {
  const devices = new Set(space.groups.flatMap((group) => group.devices));
  const messages = space.host.msiMessages.filter(({ device }) => devices.has(device));
  if (messages.length === 0) return [];
  const sizes = space.apertures.flatMap(({ pageSizes }) => (pageSizes ? [lowestSetBit(pageSizes)] : []));
  const granule = sizes.reduce((largest, size) => (size > largest ? size : largest), USUAL_GRANULE);
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
        ? `Devices write their interrupts here: a page of ${formatSize(granule)} of the MSI window is taken.`
        : 'Devices write their interrupts here, outside every MSI window of the ticked groups: they may not arrive.';
      return [
        {
          ...range,
          style: isInside ? 'doorbell' : 'doorbell-outside',
          caption: names.length === 1 ? (names[0] ?? '') : `${names.length} devices`,
          info: {
            title: isInside ? 'doorbell page' : 'interrupts outside the MSI window',
            sentence,
            parts: writers.map(({ device, provenance }) => ({ owner: device, range, provenance })),
            values: { written: [...new Set(writers.map(({ address }) => hex(address)))].join(', ') },
          },
        },
      ];
    });
  const subtitle = `${ranges.length} ${ranges.length === 1 ? 'page' : 'pages'} of ${formatSize(granule)}`;
  return [describedLane({ id: laneId('doorbells'), kind: 'doorbells', title: 'doorbells', subtitle }, [{ ranges }])];
}
