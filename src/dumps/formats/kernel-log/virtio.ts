// Faults of a virtio-iommu in the kernel log of its guest.
//
//   prefix reason "fault from EP" number ["PASID" number] ["at" address "[" ["R"] ["W"] ["X"] "]"]
//
// reason = "domain" | "page" | "unknown"; address = "0x" hex | "0". The endpoint is a decimal number; the firmware of the
// guest knows which device it is. Without an address there is no fact.
// (viommu_fault_handler in drivers/iommu/virtio-iommu.c, Linux 5.3 to 6.12.)
import { parseHexAddress } from '../../fields/address.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import { faultLines } from './fault-line.ts';

const REASONS: ReadonlyMap<string | undefined, string> = new Map([
  ['domain', 'the endpoint has no domain'],
  ['page', 'page fault'],
  ['unknown', 'fault of unknown reason'],
]);

export const KERNEL_LOG_VIRTIO = faultLines({
  start: /\b(?:domain|page|unknown) fault(?: from EP\b|(?: from)?$)/,
  pattern:
    /\b(domain|page|unknown) fault from EP (\d{1,10})(?: PASID (\d{1,10}))? at (0x[0-9a-f]{1,64}|0) \[(R?)(W?)X?\]/,
  shorter: /\b(domain|page|unknown) fault from EP (\d{1,10})(?: PASID (\d{1,10}))?$/,
  read: ([, reason, endpoint, pasid, place, reads, writes]) => {
    const text = REASONS.get(reason) ?? 'fault';
    if (place === undefined) return `endpoint ${endpoint}: ${text}; the address was not printed`;
    const address = parseHexAddress(place);
    if (address === undefined) return undefined;
    const access = writes === 'W' || reads === 'R' ? faultAccess(writes === 'W') : undefined;
    return {
      kind: 'fault',
      address,
      device: `ep:${endpoint}`,
      ...(access === undefined ? {} : { access }),
      reason: text,
      driver: 'virtio',
      ...(pasid === undefined ? {} : { pasid: Number(pasid) }),
    };
  },
});
