// How to fix what programs and kernels complain about. Kept apart from diagnostics.ts, which the page loads before its first
// picture; `conflicts/complaints.ts` asks for these afterwards.
import type { DiagnosticCode } from './diagnostics.ts';

const ABOVE_WIDTH =
  'Keep addresses within the width of the IOMMU: use fewer phys-bits for the guest, another base address, or physical addresses as IOVAs.';

export const BIND_GROUP = 'Bind every device of the group to vfio-pci, or to no driver.';

/** For lines that report a fault or a refusal with a number that was cut or masked. */
const GIVE_WHOLE = 'Open the original log: without the whole address nothing can be said about it.';

const ENABLE_IOMMU = 'Enable the IOMMU in the firmware setup and on the kernel command line (intel_iommu=on).';

/** One or two sentences, by the code of a complaint. */
const REMEDIES: Readonly<Partial<Record<DiagnosticCode, string>>> = {
  'damaged-fault': GIVE_WHOLE,
  'fault-without-address': 'Trace iommu:map, iommu:unmap and iommu:io_page_fault: the log does not have the address.',
  'iommu-entry-invalid':
    'Check that the firmware (IORT table or device tree) gives the device the right stream ids, and that its driver was not unbound while the device was active.',
  'iommu-hardware-error':
    'Update the firmware; if it stays, memory or the IOMMU is faulty, or something overwrites its tables.',
  'memory-controller-error':
    'No IOMMU took part, or it had translated the access: check which physical address the driver, or the page table, gave to the device.',
  'device-invalidation-timeout':
    'Look for what the device logged before; if it works without ATS, start the kernel with pci=noats.',
  'interrupt-refused':
    'It is no DMA fault. Update the firmware, or reset the device before it is given to another domain; intremap=off only hides it.',
  'unaligned-request':
    'Make the address, the physical address and the size multiples of that page size; with pages of 16 or 64 KiB on the host, those of the guest too.',
  'mapping-already-set':
    'Two users share the domain without knowing of each other (often an identity or firmware mapping that was left): update the kernel.',
  'rmrr-not-reserved':
    'Update the firmware. Until then the kernel may use this memory while the device writes to it, which corrupts both.',
  'dma-mask-overflow':
    'It is the DMA API without an IOMMU in the way: enable the IOMMU for the device (no iommu=pt), raise swiotlb=, or limit the size of its requests.',
  'swiotlb-full':
    'Enlarge the buffers with swiotlb=SLOTS on the kernel command line, or enable the IOMMU for the device: then none are needed.',
  'dma-api-debug': 'It is a bug of the driver: report it with the backtrace below the message.',
  'bar-without-address': 'Enable "Above 4G decoding" in the firmware setup, or start the kernel with pci=realloc.',
  'address-above-width': ABOVE_WIDTH,
  'iommu-disabled': ENABLE_IOMMU,
  'memlock-limit': 'Raise RLIMIT_MEMLOCK of the process above the amount of memory that it maps.',
  'faults-suppressed':
    'Start with printk.devkmsg=on, or look at the first messages after the boot: later ones are the same.',
  'no-interrupt-remapping':
    'Enable interrupt remapping (firmware setup, intremap=on), or accept the risk with allow_unsafe_interrupts.',
  'damaged-request': GIVE_WHOLE,
  'qemu-phys-bits-too-low':
    'Increase phys-bits of the guest (host-phys-bits=on), or use less memory and smaller PCI windows.',
  'qemu-few-dma-mappings':
    'Use fewer, larger mappings (huge pages, a larger virtio-mem block size), or raise dma_entry_limit of vfio_iommu_type1.',
  'qemu-no-peer-to-peer': 'Usually none is needed: only peer-to-peer DMA uses these mappings.',
  'qemu-group-not-viable': BIND_GROUP,
  'qemu-address-width-mismatch': 'Set aw-bits of the virtual IOMMU to the address width of the host IOMMU.',
  'viommu-entry-invalid':
    'It is an error of the guest (or of its kernel), not of the host: check its kernel log, and the settings of the virtual IOMMU (aw-bits, caching-mode, scalable mode).',
  'viommu-device-unknown': 'Check that the guest has a driver for its virtual IOMMU, and that the device is below it.',
  'qemu-page-mask-mismatch':
    'Set granule of the virtual IOMMU to the page size of the host (granule=host), use kernels with equal page sizes, or plug the device before the guest boots.',
  'qemu-dirty-bitmap-failed':
    'The range must lie in one mapping, and the IOMMU must track dirty pages: compare it with what is mapped.',
  'iommufd-device-not-attached': "Add the host's reserved_regions of its group and the kernel log from the same time.",
  'qemu-memory-not-allocated':
    'Free memory of the host, add hugepages if the guest uses them, or give the guest less RAM.',
  'vfio-group-not-opened': `${BIND_GROUP} The user of the monitor needs access to /dev/vfio/N, and no other process may hold the group.`,
  'vfio-devices-not-bound': BIND_GROUP,
  'vfio-device-without-group': ENABLE_IOMMU,
  'vfio-device-not-handed-out': BIND_GROUP,
  'iommufd-device-not-bound': BIND_GROUP,
  'vfio-file-not-opened':
    'Load the modules vfio_pci and, for iommufd, iommufd, and give the user of the monitor access to the file.',
  'vfio-device-attached-twice': 'Remove one of the two assignments.',
  'device-in-use': 'Shut down the guest that has the device, or detach it there.',
  'host-without-passthrough': ENABLE_IOMMU,
  'vfio-probe-failed': 'Check that the device has an IOMMU group and that no other driver holds it.',
  'dpdk-iova-above-mask': ABOVE_WIDTH,
  'dpdk-partial-unmap':
    'Unmap with the bounds of the map, or start with --match-allocations, which frees memory as it was allocated.',
  'dpdk-iova-mode': 'Start with --iova-mode=pa, or use a driver and an IOMMU that support virtual addresses.',
  'dpdk-group-not-viable': BIND_GROUP,
};

/** The remedy of a complaint; undefined for a code without one, as those of other versions and of the agent. */
export function remedyOf(code: string): string | undefined {
  return Object.hasOwn(REMEDIES, code) ? REMEDIES[code as DiagnosticCode] : undefined;
}
