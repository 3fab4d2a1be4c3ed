// What programs and kernels complained of in words: told as they are, with what helps where that is known.
import type { Host } from '../host/host.ts';
import type { Conflict } from './conflict.ts';

/** Complaints that are listed. */
const LISTED_MAX = 50;

const LIMITS =
  'Fewer, larger mappings (huge pages, a larger block size of virtio-mem), or a higher dma_entry_limit of vfio_iommu_type1.';
const WIDTH =
  'Keep the addresses below what the IOMMU reaches: fewer phys-bits for the guest, another base address, IOVA as physical addresses.';

const WAYS_OUT: Readonly<Record<string, string>> = {
  'qemu-few-dma-mappings': LIMITS,
  'qemu-phys-bits-too-low': 'Give the guest more phys-bits (host-phys-bits=on), or less memory and smaller windows.',
  'qemu-no-peer-to-peer': 'Usually nothing is lost: only DMA from device to device needs it.',
  'qemu-address-width-mismatch': 'Set the address width of the virtual IOMMU (aw-bits) to what the host has.',
  'qemu-group-not-viable': 'All devices of the group must be bound to vfio-pci, or to no driver.',
  'address-above-width': WIDTH,
  'dpdk-iova-above-mask': WIDTH,
  'dpdk-iova-mode': 'Start with --iova-mode=pa, or use a driver and an IOMMU that translate virtual addresses.',
  'memlock-limit': 'Raise RLIMIT_MEMLOCK of the process above the memory that it maps.',
  'no-interrupt-remapping':
    'Turn interrupt remapping on (firmware setup, intremap=on), or accept the risk with allow_unsafe_interrupts.',
  'rmrr-not-reserved': 'A firmware update; until then, the device’s data and the kernel’s may overwrite each other.',
};

/** The host's complaints as conflicts, each once. */
export function complaintConflicts(host: Host): Conflict[] {
  return host.complaints.slice(0, LISTED_MAX).map(({ code, severity, message, provenance }) => ({
    id: `complaint ${code} ${message}`,
    rule: code,
    severity: severity === 'error' ? 'fatal' : 'warning',
    title: message.length > 160 ? `${message.slice(0, 160)}…` : message,
    message: 'A program or the kernel said so; these are its findings, not ours.',
    remedy:
      WAYS_OUT[code] ??
      'Look at the lines around it, and add the host’s reserved_regions and kernel log of the same time.',
    marks: [],
    provenance,
  }));
}
