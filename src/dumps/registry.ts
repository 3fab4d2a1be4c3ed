// All formats: what they are called, which lines are theirs, and how their parsers are loaded. Parsers are loaded when
// a text needs them, so this file imports none of them and has what is known of each without it.

import { FUNCTION_LINE_ENDS, PCI_ADDRESS_PATTERN } from './fields/pci-address.ts';
import type { DumpFormat, LineFormat } from './format.ts';
import { isAcpiTable } from './formats/acpi/signature.ts';
import { PROXMOX_ENTRY, PROXMOX_SECTION } from './formats/guest/proxmox-lines.ts';
import { ADDRESSED_ROW, C_ROW, LAST_ROW, PLAIN_ROW } from './formats/hex-lines.ts';

/** For words that end with the first digit of a number. */
const DIGITS: readonly string[] = [...'0123456789'];
const DMA_EVENTS: readonly string[] = [
  ...['dma_map_page:', 'dma_map_phys:', 'dma_map_resource:', 'dma_map_sg:', 'dma_map_sg_err:'],
  ...['dma_unmap_page:', 'dma_unmap_phys:', 'dma_unmap_resource:', 'dma_unmap_sg:', 'dma_sync_'],
  ...['dma_alloc:', 'dma_alloc_', 'dma_free:', 'dma_free_'],
];
/** The ends of lines that were broken in one of the words, behind its first `from` characters or later. */
const brokenEnds = (words: readonly string[], from: number): readonly string[] => [
  ...new Set(words.flatMap((word) => [...word].slice(from).map((_, i) => `${word.slice(0, from + i)}\n`))),
];
/** The end of a line of a trace that was broken in its event's name or in the mark behind it. */
const BROKEN_EVENT = /\d:(?=[a-zIMOU_: ]*$) {0,24}(?:iommu:)?[a-z_]{0,26}(?:: {0,24}(?:I|IO|IOM|IOMM|IOMMU)?)?$/;
/** The same behind a long name alone: by itself, because it is looked for in fewer lines. */
const BROKEN_MARK = /io_page_fault: ?(?:I|IO|IOM|IOMM|IOMMU)?$|device_\w{4,16}: ?(?:I|IO|IOM|IOMM|IOMMU)?$/;
const HEX_DIGITS: readonly string[] = [...'0123456789abcdef'];

export const IOMMU_GROUPS: LineFormat = {
  kind: 'lines',
  name: 'iommu-groups',
  title: 'sysfs: IOMMU groups',
  command: 'find /sys/kernel/iommu_groups -type l',
  interest: {
    words: ['group', '/type', '/devices', '/sys/', ' ->', '\ntotal '],
    shapes: [
      /^\s{0,40}[\w.:-]{1,80}$/,
      new RegExp(`^[^\\p{L}\\p{N}]{0,20}(?:\\[[0-9a-f:R\\]\\[ \\t]{1,20})?${PCI_ADDRESS_PATTERN}`, 'iu'),
    ],
  },
  isEarly: true,
  load: async () => (await import('./formats/sysfs/iommu-groups.ts')).IOMMU_GROUPS,
};

/** What stands before a range in brackets: "region [0x0, 0x1000)". */
function rangesOf(...names: readonly string[]): string[] {
  return names.flatMap((name) => ['[', ' [', ':[', ': ['].map((bracket) => `${name}${bracket}`));
}

export const IOMMU_CLASS: LineFormat = {
  kind: 'lines',
  name: 'iommu-class',
  title: 'sysfs: IOMMUs',
  command: 'grep -H . /sys/class/iommu/*/*-iommu/*',
  interest: {
    // Not `/iommu_groups`, which is the other one's.
    words: [
      '-iommu/',
      ...['/', '\n', ':', ' ', '\t', '"', "'", '`', '|', '*', ',', ';', '<', ')'].map((end) => `/iommu${end}`),
    ],
    shapes: [
      /^\s{0,8}(?:(?:0x)?[0-9a-fA-F]{1,64}(?::[0-9a-fA-F]{1,64})?$|(?:dmar|ivhd|smmu|arm-smmu|virtio|s390-iommu|riscv-iommu|apple-dart)\S{0,100}(?:\s|$))/,
    ],
    around: { words: ['/sys/', ' -> ', '\ntotal '] },
    inside: { shapes: [/^\s{0,8}[\w.:@-]{1,100}$/] },
  },
  load: async () => (await import('./formats/sysfs/iommu-class.ts')).IOMMU_CLASS,
};

/** A region of `info mtree` without its beginning or its end. */
const PART_OF_REGION = /^[ \t]{2,128}[0-9a-f]{1,16}(?:-[0-9a-f]{0,16})?$/i;
export const MTREE: LineFormat = {
  kind: 'lines',
  name: 'mtree',
  title: 'QEMU: info mtree',
  command: "virsh qemu-monitor-command GUEST --hmp 'info mtree -f'",
  interest: {
    words: [
      ...['FlatView', 'address-space', 'memory-region:', 'Root memory', ' AS "', '\nAS "', '(qemu)', ' (prio'],
      ...['Dispatch\n'],
    ],
    shapes: [
      /^[ \t]{0,128}(?:\[DETECTED OVERFLOW!\] )?[0-9a-f]{8,64}-(?:[0-9a-f]{0,64}$|[0-9a-f]{8,64} \()/i,
      /^\s{0,8}aliases$/,
    ],
    // The name of an address space alone, and the beginning of a region.
    around: { shapes: [/^\s{0,8}[A-Za-z][\w./@-]{0,60}$/, PART_OF_REGION] },
    inside: {
      words: ['Physical sections', 'Nodes (', 'skip='],
      shapes: [/^\s{0,24}(?:#\d|\[\d{1,9}\]$)/, PART_OF_REGION],
    },
  },
  load: async () => (await import('./formats/qemu/mtree.ts')).MTREE,
};

/** To add a format, add a row here; the order decides only which of two equally near formats a message names. */
export const FORMATS: readonly DumpFormat[] = [
  {
    kind: 'lines',
    name: 'reserved-regions',
    title: 'sysfs: reserved_regions',
    command: 'grep -H . /sys/kernel/iommu_groups/*/reserved_regions',
    interest: {
      words: [
        ...['iommu_group', 'reserved_', '/sys/', '\n='],
        ...['\ncd ', ' cd ', ';cd ', '&cd ', '|cd ', '(cd ', '\ncd\n', ' cd\n', 'pushd'],
      ],
      shapes: [
        /0x[0-9a-f]{0,64}[ \t]{1,40}0/i,
        new RegExp(
          `^[^\\p{L}\\p{N}/]{0,20}(?:0x|(?:iommu[ _-]?)?groups?[ _#:=-]{0,8}\\d|\\d{1,9}[^\\p{L}\\p{N}/]{0,20}$|${PCI_ADDRESS_PATTERN})`,
          'iu',
        ),
      ],
      broken: [/0x[0-9a-f]{0,64}[ \t]?=?$/i],
    },
    isEarly: true,
    load: async () => (await import('./formats/sysfs/reserved-regions.ts')).RESERVED_REGIONS,
  },
  IOMMU_GROUPS,
  IOMMU_CLASS,
  {
    kind: 'lines',
    name: 'kernel-log-groups',
    title: 'Kernel log: IOMMU groups',
    command: 'sudo dmesg',
    interest: { words: ['Adding to', 'Adding device', 'Adding\n', 'iommu: D', ...FUNCTION_LINE_ENDS] },
    isEarly: true,
    load: async () => (await import('./formats/kernel-log/groups.ts')).KERNEL_LOG_GROUPS,
  },
  {
    kind: 'lines',
    name: 'kernel-log-intel',
    title: 'Kernel log: Intel VT-d',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...['DMAR', 'DRHD', 'ATSR', 'RHSA', 'RMRR', 'Host address', 'reg_base_addr', 'No firmware', 'Device is '],
        ...['Firmware has', 'iommu width', '[DMA', 'INTR-REMAP', 'fault index', 'handling fault', 'identity map'],
        ...['DMA PTE for', 'SATC', 'SIDP'],
      ],
    },
    isEarly: true,
    load: async () => (await import('./formats/kernel-log/intel.ts')).KERNEL_LOG_INTEL,
  },
  {
    kind: 'lines',
    name: 'kernel-log-amd',
    title: 'Kernel log: AMD-Vi',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...[
          'AMD-Vi:',
          'IVHD EFR',
          'IOMMU:\n',
          'IOMMU: E',
          'Event logged',
          'IO_PAGE_FAULT',
          'IVMD_TYPE',
          ...FUNCTION_LINE_ENDS,
        ],
        // The end of a line that was broken in the name.
        ...[' A\n', ' AM\n', ' AMD\n', 'AMD-\n', 'AMD-V\n', 'AMD-Vi\n'],
      ],
    },
    load: async () => (await import('./formats/kernel-log/amd.ts')).KERNEL_LOG_AMD,
  },
  {
    kind: 'lines',
    name: 'kernel-log-smmu',
    title: 'Kernel log: ARM SMMU',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...['event 0x', 'event: ', 'received:\n', 'context fault', 'context\n', 'Unhandled\n', 'unknown Stream ID'],
        ...['global fault', 'GFSR 0x', '-bit VA', '-bit, oas', 'Supported page sizes', 'smmu'],
        ...['FAR    = ', 'FAR = ', 'FSR    = ', 'FSR = ', 'FSYNR0'],
      ],
      inside: {
        shapes: [
          /(?:^|[\s:])0x[0-9a-f]{1,8} ?[0-9a-f]{0,8}$/i,
          /\b(?:FAR|PAR|FSR|FSYNR[01]|CBFRSYNRA[01]?|CONTEXTIDR|SCTLR|ACTLR|TTBR[01]|MAIR[01]|SID)\s{0,8}= ?[0-9a-f]/i,
        ],
      },
    },
    load: async () => (await import('./formats/kernel-log/smmu.ts')).KERNEL_LOG_SMMU,
  },
  {
    kind: 'lines',
    name: 'kernel-log-riscv',
    title: 'Kernel log: RISC-V IOMMU',
    command: 'sudo dmesg',
    interest: { words: ['devid:', 'Fault\n'], shapes: [/\bFault \d{1,5}$/] },
    load: async () => (await import('./formats/kernel-log/riscv.ts')).KERNEL_LOG_RISCV,
  },
  {
    kind: 'lines',
    name: 'kernel-log-virtio',
    title: 'Kernel log: virtio-iommu',
    command: 'sudo dmesg',
    interest: { words: ['fault from', 'fault\n', 'input address: ', 'page mask: '] },
    load: async () => (await import('./formats/kernel-log/virtio.ts')).KERNEL_LOG_VIRTIO,
  },
  {
    kind: 'lines',
    name: 'kernel-log-other-iommus',
    title: 'Kernel log: IOMMUs of systems on chips',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...['Page fault at', 'Page fault for', 'translation fault: status', ': fault type=', 'occurred at'],
        ...['Unhandled fault: status', 'Translation fault on master', 'Access permission fault', ': errs:0x'],
        ...['tegra-mc', 'apple-dart'],
      ],
    },
    load: async () => (await import('./formats/kernel-log/other-iommus.ts')).KERNEL_LOG_OTHER_IOMMUS,
  },
  {
    kind: 'lines',
    name: 'iomem',
    title: '/proc/iomem',
    command: 'sudo cat /proc/iomem',
    interest: { words: ['iomem:'], shapes: [/^[ \t]{0,64}[0-9a-f]{8,64}-/i] },
    load: async () => (await import('./formats/iomem.ts')).IOMEM,
  },
  {
    kind: 'lines',
    name: 'host-identity',
    title: 'host name and kernel',
    command: 'uname -a',
    interest: { words: ['Linux ', 'hostname', '(running kernel: '] },
    isEarly: true,
    load: async () => (await import('./formats/host-identity.ts')).HOST_IDENTITY,
  },
  {
    kind: 'lines',
    name: 'cpu',
    title: '/proc/cpuinfo, lscpu',
    command: 'lscpu',
    interest: {
      words: ['address sizes'],
      inside: { shapes: [/^\s{0,16}[a-z_][\w ]{1,20}\t\s{0,4}:/] },
    },
    load: async () => (await import('./formats/cpu.ts')).CPU,
  },
  {
    kind: 'lines',
    name: 'ftrace',
    title: 'Kernel trace: IOMMU events',
    command: 'sudo cat /sys/kernel/tracing/trace',
    interest: {
      words: [' IOMMU:', ':IOMMU:', 'LOST ', 'EVENT DROPPED', 'EVENTS DROPPED', 'PERF_RECORD_LOST'],
      // A line that a mail program broke before the mark.
      tails: [{ shape: BROKEN_EVENT, letters: 'abcdefghijklmnopqrstuvwxyzIMOU_: ' }],
      shapes: [BROKEN_MARK, /^(?:un)?map: ?(?:I|IO|IOM|IOMM|IOMMU)?$/],
    },
    load: async () => (await import('./formats/trace/ftrace.ts')).FTRACE,
  },
  {
    kind: 'lines',
    name: 'dma-events',
    title: 'Kernel trace: DMA API events',
    command: 'sudo cat /sys/kernel/tracing/trace',
    interest: { words: [...DMA_EVENTS, ...brokenEnds(DMA_EVENTS, 'dma_'.length)] },
    load: async () => (await import('./formats/trace/dma-events.ts')).DMA_EVENTS,
  },
  {
    kind: 'lines',
    name: 'qemu-errors',
    title: 'QEMU: error messages',
    command: 'sudo cat /var/log/libvirt/qemu/GUEST.log',
    interest: {
      words: [
        // Not with more of a name behind it: `dma_map_page` is the kernel's.
        ...[
          'dma_map(',
          'dma_map ',
          'dma_map\n',
          'dma_unmap(',
          'dma_unmap ',
          'dma_unmap\n',
          'VFIO_MAP_DMA',
          'VFIO_UNMAP_DMA',
          'IOMMU_IOAS_',
          '-device vfio',
        ],
        ...HEX_DIGITS.map((digit) => `vfio ${digit}`),
        ...['Address space limit', 'Address space\n', 'Address\n', 'possible DMA', 'running out of DMA'],
        ...['possibly running', 'Notified about', 'Notified\n', 'Conflicting host', 'Conflicting\n'],
        ...['eserved region', 'eserved-regions', 'PCI peer', ': PCI\n', 'DMA mapping', 'failed to setup container'],
        ...['page mask', 'page size mask', 'frozen granule', 'granularity', 'DIRTY_BITMAP', 'dirty bitmap'],
        ...['error attach', 'is not known!!', 'guest RAM', "guest memory '"],
        ...['not viable', 'used in multiple', "can't map", 'received unaligned', 'aw-bits', 'aw_bits', 'aw bits'],
        ...['available IOMMU', 'ailed to set', 'initialization failed', 'memory listener', 'Region '],
        ...['v\n', 'vf\n', 'vfi\n', 'vfio\n'],
      ],
      // A call or a group whose line was broken.
      shapes: [/vfio_[a-z_]{0,22}$|group \d{1,9} is(?: not)?$/],
      around: { words: ['vfio', 'iommufd'] },
    },
    load: async () => (await import('./formats/qemu/errors.ts')).QEMU_ERRORS,
  },
  {
    kind: 'lines',
    name: 'qemu-viommu',
    title: 'QEMU: virtual IOMMUs',
    command: 'sudo cat /var/log/libvirt/qemu/GUEST.log',
    interest: {
      words: [
        'vtd_',
        'translation failed for',
        'smmuv3_',
        'amdvi_',
        'riscv_iommu_',
        'New fault is not',
        'zero reserved',
      ],
    },
    load: async () => (await import('./formats/qemu/viommu.ts')).QEMU_VIOMMU,
  },
  {
    kind: 'lines',
    name: 'dyndbg',
    title: 'Kernel log: IOMMU debug messages',
    command: 'sudo dmesg',
    interest: { words: ['map: iova', 'mapping: iova', 'unmap this: iova', 'unmapped: iova', 'unaligned: iova'] },
    load: async () => (await import('./formats/kernel-log/dyndbg.ts')).DYNDBG,
  },
  {
    kind: 'lines',
    name: 'qemu-trace',
    title: 'QEMU: trace events',
    command: 'sudo cat /var/log/libvirt/qemu/GUEST.log',
    interest: {
      words: [
        ...['region_add', 'region_del', 'iommufd_', 'virtio_iommu_', 'vhost_vdpa_', 'iommu map @', 'iommu unmap @'],
        ...['vfio_region', 'vfio_listener', 'vfio_iommu_map', 'vfio_msi', 'vfio_intx', 'vfio_pci', 'vfio_quirk'],
        ...['vfio_device_dirty', 'vfio_prereg', 'vfio_legacy_dma', 'vfio_get_d', 'vfio_known_safe', 'vfio_populate'],
        ...['vfio_attach', 'vfio_detach', 'vfio_put', 'is not aligned to', 'vfio_user_dma', 'vfu_dma', 'vfu: '],
      ],
    },
    load: async () => (await import('./formats/qemu/trace.ts')).QEMU_TRACE,
  },
  MTREE,
  {
    kind: 'lines',
    name: 'lspci',
    title: 'lspci',
    command: 'sudo lspci -vv',
    interest: {
      words: [
        ...[...HEX_DIGITS, '<'].map((digit) => `emory at ${digit}`),
        ...['emory at\n', 'I/O ports at', 'behind bridge', 'Expansion ROM', 'IOMMU group:'],
        ...DIGITS.map((digit) => `Region ${digit}`),
        ...['MSI: Enable', 'MSI-X: Enable', 'Message Signal', 'Masking: ', 'Vector table', 'PBA: ', 'Capabilities: '],
        ...['Kernel driver', 'Kernel modules', 'Subsystem: ', 'Control: I/O', 'Status: Cap', 'Bus: primary'],
        ...['DeviceName: ', 'lspci', 'NUMA node:'],
      ],
      shapes: [
        /^\s{0,16}(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /i,
        /^\s{0,16}(?:Slot|Device):\s{1,8}[0-9a-f]/,
        /^\s{0,32}Flags: /,
        /^\s{0,32}Address: ?[0-9a-f]{8}/i,
      ],
      around: { words: ['group'] },
      inside: {
        words: ['Address:', 'MSI:', 'MSI-X:'],
        shapes: [
          /^\s{0,16}(?:Class|Vendor|Device|SVendor|SDevice|Rev|ProgIf|PhySlot|Driver|Module|NUMANode|IOMMUGroup|DTNode):\s/,
        ],
      },
    },
    load: async () => (await import('./formats/devices/lspci.ts')).LSPCI,
  },
  {
    kind: 'lines',
    name: 'lspci-tree',
    title: 'lspci -t',
    command: 'lspci -t',
    interest: {
      shapes: [/^[ >|]{0,200}-?[+\\]?-{0,4}(?:\[[0-9a-f]{4,8}:[0-9a-f]{2}|[+\\]-[0-9a-f]{2}\.[0-7])/i],
    },
    load: async () => (await import('./formats/devices/lspci-tree.ts')).LSPCI_TREE,
  },
  {
    kind: 'lines',
    name: 'driverctl',
    title: 'driverctl',
    command: 'driverctl list-devices',
    interest: {
      shapes: [/^\s{0,16}[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] (?:\(none\)|[a-z][\w-]{1,40})(?: [[(]|$)/i],
    },
    load: async () => (await import('./formats/devices/driverctl.ts')).DRIVERCTL,
  },
  {
    kind: 'lines',
    name: 'kernel-log-devices',
    title: 'Kernel log: devices and command line',
    command: 'sudo dmesg',
    interest: {
      words: ['command line:', 'BOOT_IMAGE=', 'IOMMU disabled', 'IOMMU is disabled', '] type '],
      shapes: [
        // `pci` is no driver.
        new RegExp(
          `^\\s{0,8}(?!pci )[a-z][\\w-]{1,40} ${PCI_ADDRESS_PATTERN}(?: [\\w.:()-]{1,24}(?: [(\\w]{4,20}\\))?)?: `,
        ),
        /^\s{0,8}(?:BOOT_IMAGE=|initrd=|root=)\S/,
      ],
    },
    isEarly: true,
    load: async () => (await import('./formats/devices/kernel-log-devices.ts')).KERNEL_LOG_DEVICES,
  },
  {
    kind: 'lines',
    name: 'kernel-log-boot',
    title: 'Kernel log: memory map and PCI resources',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...['BIOS-e820: ', 'BIOS-provided', 'efi: mem', 'root bus resource', 'bridge window [', 'PCI host bridge'],
        ...['PCI bridge to [bus', ': reg 0x', ': ROM [mem', '..0x'],
        ...DIGITS.map((digit) => `: BAR ${digit}`),
        ...DIGITS.flatMap((digit) => [`VF BAR ${digit}`, `  BAR ${digit}`]),
        ...['  reg 0x', '  ROM [mem'],
      ],
    },
    isEarly: true,
    load: async () => (await import('./formats/kernel-log/boot.ts')).KERNEL_LOG_BOOT,
  },
  {
    kind: 'lines',
    name: 'kernel-log-dma',
    title: 'Kernel log: DMA addresses',
    command: 'sudo dmesg',
    interest: {
      words: ['-bit DMA', 'overflow 0', 'DMA addr ', ': overflow', 'swiotlb buffer', 'DMA-API: ', 'leaked entries'],
    },
    load: async () => (await import('./formats/kernel-log/dma.ts')).KERNEL_LOG_DMA,
  },
  {
    kind: 'lines',
    name: 'vfio-messages',
    title: 'VFIO: devices that could not be assigned',
    command: 'sudo dmesg',
    interest: {
      words: [
        ...['/dev/vfio/', '/dev/iommu', 'no iommu_group', 'get iommu_group', 'iommu_group not found'],
        ...['within the iommu_group', 'getting device', 'is already attached', 'is in use', 'support passthrough'],
        ...['support VFIO PCI passthrough', 'support legacy PCI passthrough', 'passthrough of host PCI', 'lacking ACS'],
        ...[
          'not viable',
          'failed with error',
          'Verify all devices',
          'vfio_pci: add [',
          'error bind device',
          'failed to get group',
        ],
      ],
    },
    load: async () => (await import('./formats/devices/vfio-messages.ts')).VFIO_MESSAGES,
  },
  {
    kind: 'lines',
    name: 'userspace-messages',
    title: 'DPDK, SPDK and Cloud Hypervisor messages',
    interest: {
      words: [
        ...[
          'dma_map ',
          'dma_map\n',
          'dma_unmap ',
          'dma_unmap\n',
          'DMA map',
          'DMA unmap',
          'map user memory',
          'map region',
          'map mmio',
        ],
        ...[
          'map new region',
          '--base-virtaddr',
          'IOVA exceeding',
          "Selected IOVA mode '",
          '--iova-mode',
          'map an IOVA range',
        ],
        ...['memseg iova', "Expecting '", 'DMA remapping', 'annot set up DMA', 'annot clear DMA'],
        ...['cannot attach the device', 'Requested device', 'VFIO support', 'VFIO group is', 'managed by VFIO'],
        ...['using IOMMU type', 'select IOMMU type', 'IommuDma', 'iommu table', 'from iommu', 'into iommu'],
        ...['already mapped, skipping', 'using dma mask', 'Memory region register', 'Memory region unregister'],
        ...['DMA remap', ...rangesOf('DMA', 'memory', 'guest', 'region', 'mem')],
      ],
    },
    load: async () => (await import('./formats/userspace/messages.ts')).USERSPACE_MESSAGES,
  },
  {
    kind: 'lines',
    name: 'kernel-log-xen',
    title: 'Xen log: IOMMUs',
    interest: {
      words: [
        ...['VT-D]', 'ACPI_DMAR', 'RMRR region', 'RMRR\n', 'RMRR address', 'the RMRR', 'IVMD Block', 'smmu: /'],
        ...['Start_Addr_Phys', 'Mem_Length'],
      ],
    },
    load: async () => (await import('./formats/kernel-log/xen.ts')).KERNEL_LOG_XEN,
  },
  {
    kind: 'lines',
    name: 'kernel-log-vfio',
    title: 'Kernel log: VFIO',
    command: 'sudo dmesg',
    interest: {
      words: ['RLIMIT_MEMLOCK', 'callbacks suppressed', 'vfio_pin', 'No interrupt remapping', 'MSI interrupts are'],
      shapes: [/vfio-pci .{4,40}: BAR \d/],
    },
    load: async () => (await import('./formats/kernel-log/vfio.ts')).KERNEL_LOG_VFIO,
  },
  {
    kind: 'lines',
    name: 'intel-debugfs-pages',
    title: 'Intel debugfs: page tables',
    command: 'sudo cat /sys/kernel/debug/iommu/intel/domain_translation_struct',
    interest: {
      words: [' @', 'IOVA_PFN'],
      shapes: [/^\s{0,16}(?:0x[0-9a-f]{1,64}\s{0,8}(?:\||$)|P(?:ML[45]E|DPE|DE|TE)\b)/i],
      inside: { shapes: [/^\s{0,40}0x[0-9a-f]{16}(?:\s{1,40}0x[0-9a-f]{16}){1,2}$/i] },
    },
    load: async () => (await import('./formats/debugfs/intel-pages.ts')).INTEL_DEBUGFS_PAGES,
  },
  {
    kind: 'lines',
    name: 'intel-debugfs-registers',
    title: 'Intel debugfs: registers',
    command: 'sudo cat /sys/kernel/debug/iommu/intel/iommu_regset',
    interest: {
      words: ['Register Base Address'],
      shapes: [
        /^\s{0,40}(?:Name\s{1,40}Offset|[A-Z][A-Z0-9_]{1,24}\s{1,40}0x[0-9a-f]{1,4}\s{1,40}(?:\S{1,64}|0x\S{1,16} [0-9a-f ]{4,64})$)/i,
      ],
    },
    load: async () => (await import('./formats/debugfs/intel-registers.ts')).INTEL_DEBUGFS_REGISTERS,
  },
  {
    kind: 'lines',
    name: 'intel-debugfs-roots',
    title: 'Intel debugfs: root and interrupt tables',
    command: 'sudo cat /sys/kernel/debug/iommu/intel/dmar_translation_struct',
    interest: {
      words: ['Root Table Address', 'Interrupt supported on'],
      inside: {
        words: ['Root_entry', 'Context_entry', 'PASID', ':0x', ':0\n', ':\n', 'IR table address', 'SrcID'],
        shapes: [
          /^(?:0?x)?[0-9a-f]{1,16}(?:\s|$)/i,
          /^\s{0,40}(?:\d{1,6}\s{1,8}[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\s|[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\s{1,8}0)/i,
        ],
      },
    },
    load: async () => (await import('./formats/debugfs/intel-roots.ts')).INTEL_DEBUGFS_ROOTS,
  },
  {
    kind: 'lines',
    name: 'amd-debugfs',
    title: 'AMD debugfs: device and interrupt tables',
    command: 'sudo cat /sys/kernel/debug/iommu/amd/devtbl',
    interest: {
      words: ['QWORD[3]', 'IRT[', '\nDeviceId'],
      inside: { shapes: [new RegExp(`^\\s{0,16}${PCI_ADDRESS_PATTERN}\\s{1,16}[0-9a-f]{2}`, 'i')] },
    },
    load: async () => (await import('./formats/debugfs/amd.ts')).AMD_DEBUGFS,
  },
  {
    kind: 'lines',
    name: 'acpi-disassembly',
    title: 'ACPI: disassembled DMAR, IVRS or IORT',
    command: 'iasl -d DMAR.dat && cat DMAR.dsl',
    interest: {
      words: ['ACPI Data Table ['],
      shapes: [
        /^\s{0,60}(?:\[[\dA-Fa-fh ]{4,24}\]\s{0,60})?(?:Type|Signature|Host Address Width|Subtable Type|Number of RMR Descriptors|RMR Descriptor Offset|Base Address of RMR) ?:/,
        /^\s{0,8}\*? ?(?:Intel ACPI Component Architecture|AML\/ASL\+ Disassembler|Copyright \(c\) \d{4} - \d{4} Intel|Disassembly of |Format: \[HexOffset)/,
      ],
      inside: {
        words: ['Raw Table Data'],
        shapes: [
          /^\s{0,60}\[(?:[0-9A-Fa-f]{3,6}h |\d{4}\])/,
          /^\s{0,60}[A-Z][A-Za-z0-9 ()/.-]{0,46} ?:(?:$| ?(?:[0-9A-Fa-f]{1,64}|"\w{4}"|[0-9A-Fa-f]{2},[0-9A-Fa-f]{1,2})(?:\s|$))/,
          /^\s{0,16}[0-9a-f]{3,6}:(?: [0-9a-f]{2}){1,16}(?:\s|$)/i,
        ],
      },
    },
    load: async () => (await import('./formats/acpi/disassembly.ts')).ACPI_DISASSEMBLY,
  },
  {
    kind: 'lines',
    name: 'acpi-dump',
    title: 'acpidump: DMAR, IVRS or IORT',
    command: 'sudo acpidump',
    interest: {
      shapes: [/^\s{0,8}[A-Z0-9_!]{4} @ 0x[0-9A-F]{1,16}$/],
      inside: { shapes: [/^\s{0,16}[0-9A-F]{4,8}:(?: [0-9A-F]{2}){1,16}(?:\s|$)/i] },
    },
    load: async () => (await import('./formats/acpi/dump.ts')).ACPI_DUMP,
  },
  {
    kind: 'binary',
    name: 'acpi-table',
    title: 'ACPI: DMAR, IVRS or IORT table',
    command: 'sudo cat /sys/firmware/acpi/tables/DMAR',
    matches: isAcpiTable,
    load: async () => (await import('./formats/acpi/table.ts')).ACPI_TABLE,
  },
  {
    kind: 'lines',
    name: 'get-info',
    title: 'Hex dump of VFIO_IOMMU_GET_INFO or IOMMU_IOAS_IOVA_RANGES',
    interest: { words: [']=\n', '] =\n', '{\n'], shapes: [ADDRESSED_ROW, PLAIN_ROW, LAST_ROW, C_ROW] },
    load: async () => (await import('./formats/get-info.ts')).GET_INFO,
  },
  {
    kind: 'lines',
    name: 'guest-command-line',
    title: 'QEMU, Cloud Hypervisor and crosvm command lines, libvirt log',
    command: 'ps -C qemu-system-x86_64 -o args=',
    interest: {
      words: ['starting up libvirt', '\\\n'],
      shapes: [
        /^\s{0,40}--?[A-Za-z]/,
        /^\s{0,16}(?:export |local |readonly |declare (?:-\w )?)?[A-Za-z_]\w{0,60}\+?=(?:"[^"`]{0,4000}"|'[^']{0,4000}'|[^\s"'`;(]{0,400}|\(.*)(?:\s+#.*)?\s*$/,
        /^\s{0,16}Environment=/,
        /qemu-system-(?![a-z0-9_]{1,20}(?:-\d|\]| (?!run)\w+=))|kvm(?!-\d|_\w{1,40}:)|cloud-hypervisor(?!-\d)|crosvm(?!-\d)/,
      ],
    },
    load: async () => (await import('./formats/guest/command-line.ts')).GUEST_COMMAND_LINE,
  },
  {
    kind: 'lines',
    name: 'libvirt-xml',
    title: 'libvirt XML',
    command: 'virsh dumpxml GUEST',
    interest: {
      words: [
        ...[
          '<domain',
          ':domain',
          '<device>',
          '<!doctype',
          '<hostdev ',
          '<interface type=',
          '<iommu model=',
          '<devices>',
        ],
        ...['<memorybacking>', '<maxmemory', '<memory unit=', '<qemu:commandline', '<type arch=', '<cpu mode='],
      ],
      // A `<` or `>` in a line that does not start with the task of a trace: traces have one in every line.
      inside: { shapes: [/^(?!\s{0,40}<(?:idle|\.\.\.)>-\d)[^<>]*[<>]/] },
    },
    load: async () => (await import('./formats/guest/libvirt-xml.ts')).LIBVIRT_XML,
  },
  {
    kind: 'lines',
    name: 'proxmox',
    title: 'Proxmox VE guest configuration',
    command: 'qm config ID',
    interest: { shapes: [PROXMOX_ENTRY], inside: { shapes: [PROXMOX_SECTION] } },
    load: async () => (await import('./formats/guest/proxmox.ts')).PROXMOX,
  },
  {
    kind: 'lines',
    name: 'kubevirt',
    title: 'KubeVirt objects',
    command: 'kubectl get vmi NAME -o yaml',
    interest: {
      words: ['kubevirt.io/v'],
      inside: {
        shapes: [/^\s{0,200}(?:- {1,8}){0,4}(?:"[A-Za-z][\w./-]{0,100}"|[A-Za-z][\w./-]{0,100}):(?:\s|$)/],
      },
    },
    load: async () => (await import('./formats/guest/kubevirt.ts')).KUBEVIRT,
  },
];
