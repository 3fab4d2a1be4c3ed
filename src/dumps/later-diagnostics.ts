// The diagnostics that only formats emit that are not part of the first load: `loadLaterDiagnostics` loads them together with
// the parsers.
import { hex, hexRange } from '../iova/format.ts';
import {
  atDevice,
  bytes,
  complaint,
  ofDevice,
  quote,
  type Range,
  rule,
  type Text,
  type WithDevice,
  type WithError,
  widthText,
  withBase,
  withError,
} from './diagnostic-rule.ts';

export const LATER_DIAGNOSTICS = {
  // debugfs
  'damaged-page-table': rule(
    'warning',
    ({ text }: Text) =>
      `malformed page table row: ${quote(text)}; expected a page frame, '|' and three to five entries that end in a leaf`,
  ),
  'damaged-root-table': rule(
    'warning',
    ({ text }: Text) =>
      `malformed root table row: ${quote(text)}; expected a device and pairs of 64-bit hexadecimal numbers`,
  ),

  // Memory and devices
  'addresses-hidden': rule('warning', () => 'all addresses are zero; read /proc/iomem as root to see them', {
    explainsEmptySource: true,
  }),
  'bar-without-size': rule(
    'info',
    ({ device, start }: { readonly device: string; readonly start: bigint }) =>
      `the size of the region at ${hex(start)} of ${device} was not printed; lspci prints sizes only if it reads sysfs`,
  ),

  // Kernel logs of AMD and Xen
  'damaged-ivmd': rule(
    'warning',
    ({ text }: Text) =>
      `malformed IVMD: ${quote(text)}; expected two devices, 'range_start:', 'range_end:' and 'flags:'`,
  ),
  'rmrr-ignored': rule('info', (range: Range) => `Xen ignores the RMRR ${hexRange(range)}: it has no device`),
  'rmrr-incorrect': rule('warning', (range: Range) => `Xen rejected the RMRR ${hexRange(range)} as incorrect`),

  // Kernel traces
  'events-lost': rule(
    'warning',
    (lost: { readonly kept: string; readonly written: string } | { readonly count: string | undefined }) =>
      'kept' in lost
        ? `the trace holds ${lost.kept} of ${lost.written} events: the ring buffer overflowed and the oldest were dropped`
        : `the tracer lost ${lost.count ?? 'some'} events here: mappings after this line may be incomplete`,
  ),
  'attach-without-domain': rule(
    'info',
    () => 'devices were attached or detached here; the events do not name the domain, so it is unknown',
  ),
  'dma-map-failed': rule(
    'warning',
    ({ device, size }: { readonly device: string; readonly size: bigint | undefined }) =>
      size === undefined
        ? `a DMA mapping for ${device} failed`
        : `a DMA mapping of ${hex(size)} bytes for ${device} failed`,
  ),
  'dma-list-cut': rule(
    'warning',
    ({ device }: { readonly device: string }) =>
      `the event has only the first ranges of a long list that was mapped for ${device}`,
  ),
  'dma-unmap-without-map': rule(
    'info',
    ({ device }: { readonly device: string }) =>
      `a list was unmapped for ${device} whose mapping is not in this trace, so its addresses are unknown`,
  ),
  'dma-untranslated': rule(
    'info',
    ({ device }: { readonly device: string }) =>
      `the DMA addresses of ${device} are physical addresses: no IOMMU translates them, or its domain is "identity"`,
  ),

  // ACPI tables
  'acpi-truncated': rule(
    'warning',
    (cut: { readonly at: number } | { readonly expected: number; readonly found: number }) =>
      'at' in cut
        ? `the structure at byte ${cut.at} extends beyond the table; structures before it were read`
        : `the table is truncated: its header says ${bytes(cut.expected)}, found ${cut.found}`,
  ),
  'acpi-short-structure': rule(
    'warning',
    ({ at }: { readonly at: number }) => `the structure at byte ${at} is too short for its type and was skipped`,
  ),
  'acpi-trailing-bytes': rule(
    'info',
    ({ count }: { readonly count: number }) => `ignored ${bytes(count)} after the end of the table`,
  ),
  'acpi-checksum': rule('warning', () => 'wrong checksum: the table was modified or is corrupt'),
  'acpi-incomplete': rule(
    'warning',
    ({ table }: { readonly table: string | undefined }) =>
      `incomplete structure${table === undefined ? '' : ` in ${table}`}: required fields are missing; it was skipped`,
  ),
  'acpi-second-table': rule(
    'warning',
    ({ table }: { readonly table: string }) =>
      `a second ${table} table: Linux uses the first one in the list of tables (XSDT), so this one was skipped`,
  ),
  'damaged-acpi-field': rule(
    'warning',
    ({ name, text }: Text & { readonly name: string }) =>
      `malformed field '${name}': ${quote(text)}; expected a whole hexadecimal number of at most 64 bits`,
  ),
  'bad-address-width': rule(
    'warning',
    ({ width }: { readonly width: number }) => `invalid host address width: ${width} bits; expected at most 64`,
  ),

  // Buffers
  'damaged-hex-dump': rule('warning', ({ reason }: { readonly reason: string }) => `malformed hex dump: ${reason}`),
  'damaged-buffer': rule(
    'warning',
    ({ offset, reason }: { readonly offset?: number; readonly reason: string }) =>
      `malformed buffer${offset === undefined ? '' : ` at byte ${offset}`}: ${reason}`,
  ),
  'zeros-left-off': rule(
    'warning',
    ({ missing }: { readonly missing: number }) =>
      `the dump ends ${bytes(missing)} before the end of its last range; the missing bytes are assumed 0`,
  ),

  // QEMU
  'damaged-request': complaint(
    'warning',
    ({ text }: Text) =>
      `malformed map or unmap request of QEMU: ${quote(text)}; expected '(container, iova, size, vaddr) = result'`,
  ),
  'damaged-memory-region': rule(
    'warning',
    ({ text }: Text) =>
      `malformed memory region: ${quote(text)}; expected two addresses of 16 digits, '(prio N, TYPE)' and a name`,
  ),
  'mtree-too-large': rule(
    'warning',
    ({ limit }: { readonly limit: number }) => `more than ${limit} memory regions; the rest were skipped`,
  ),
  'mtree-without-address-space': rule(
    'info',
    () => 'only alias targets were found; without an address space their addresses are unknown',
  ),
  'mtree-alias-unresolved': rule(
    'info',
    () => 'some aliases point to regions that are not in the dump, or form a loop; their own range and type are used',
  ),
  'qemu-error-unknown': complaint(
    'info',
    ({ op }: { readonly op: 'map' | 'unmap' }) =>
      `the ${op} request failed; the trace does not show the error and no error message follows`,
  ),
  'qemu-map-failed': complaint(
    'error',
    ({ api, ...error }: WithError & { readonly api: 'VFIO' | 'iommufd' }) =>
      `${api} refused a map request${withError(error)}; its range was not printed`,
  ),
  'qemu-unmap-failed': complaint(
    'error',
    ({ api, ...error }: WithError & { readonly api?: 'VFIO' | 'iommufd' }) =>
      `${api ?? 'the kernel'} refused an unmap request${withError(error)}; its range was not printed`,
  ),
  'qemu-phys-bits-too-low': complaint(
    'error',
    ({ limit, needed, width }: { readonly limit: bigint; readonly needed: bigint; readonly width: string }) =>
      `the guest needs addresses up to ${widthText(needed)}; its CPU has phys-bits ${width}, up to ${widthText(limit)}`,
  ),
  'qemu-few-dma-mappings': complaint(
    'warning',
    ({ count, ...device }: WithDevice & { readonly count: string }) =>
      `${atDevice(device)}the guest may need more than the ${count} DMA mappings of a container`,
  ),
  'qemu-late-reserved-regions': complaint(
    'warning',
    () => 'the host added reserved regions after the guest had probed its virtual IOMMU; the guest does not know them',
  ),
  'qemu-conflicting-reserved-regions': complaint(
    'error',
    () => 'another device adds reserved regions that the virtual IOMMU can no longer take over',
  ),
  'qemu-reserved-region-invalid': complaint('error', () => 'a configured reserved region is invalid'),
  'qemu-no-peer-to-peer': complaint(
    'warning',
    (device: WithDevice) =>
      `the BARs${device.device === undefined ? '' : ` of ${device.device}`} are not mapped for DMA: other devices cannot access them`,
  ),
  'qemu-dma-mapping-fatal': complaint('error', () => 'QEMU aborted: memory of the running guest could not be mapped'),
  'qemu-container-setup-failed': complaint(
    'error',
    ({ group, ...rest }: WithDevice & WithError & { readonly group: string }) =>
      `${atDevice(rest)}group ${group} could not be added to a container${withError(rest)}`,
  ),
  'qemu-group-not-viable': complaint(
    'error',
    ({ group, ...device }: WithDevice & { readonly group: string }) =>
      `${atDevice(device)}group ${group} is not viable: not all of its devices are bound to VFIO`,
  ),
  'qemu-several-address-spaces': complaint(
    'error',
    ({ group }: { readonly group: string }) =>
      `devices of group ${group} were assigned to different address spaces; a group can have only one`,
  ),
  'request-errors-differ': rule(
    'info',
    ({ first, second }: { readonly first: string; readonly second: string }) =>
      `the ioctl failed with ${first}; the ${second} that QEMU printed for the call is of something else`,
  ),
  'qemu-outside-host-window': complaint(
    'error',
    (range: Range) => `no DMA window of the container covers ${hexRange(range)}`,
  ),
  'qemu-unaligned-region': complaint(
    'warning',
    ({ name, start }: { readonly name: string | undefined; readonly start: bigint | undefined }) =>
      `skipped a memory region${name === undefined ? '' : ` (${name})`}${start === undefined ? '' : ` at ${hex(start)}`}: it is not aligned to pages`,
  ),
  'qemu-address-width-mismatch': complaint(
    'error',
    ({ guest, host }: { readonly guest: string; readonly host: string }) =>
      `the virtual IOMMU has ${guest} address bits; the host IOMMU has ${host}`,
  ),
  'viommu-entry-invalid': complaint(
    'warning',
    ({ what }: { readonly what: string }) => `the tables that the guest gave its virtual IOMMU are wrong: ${what}`,
  ),
  'viommu-device-unknown': complaint(
    'warning',
    ({ device }: { readonly device: string }) =>
      `the guest gave the virtual IOMMU no domain for ${device}: all its accesses are refused`,
  ),
  'qemu-page-mask-mismatch': complaint(
    'error',
    ({ wanted, has }: { readonly wanted?: bigint | undefined; readonly has?: bigint | undefined }) =>
      `the virtual IOMMU and the host's IOMMU have no page size in common${
        wanted === undefined ? '' : `: the host has page mask ${hex(wanted)}`
      }${has === undefined ? '' : `, the guest was promised ${hex(has)}`}`,
  ),
  'qemu-dirty-bitmap-failed': complaint(
    'error',
    ({ start, last, error }: Range & WithError) =>
      `dirty pages of ${hexRange({ start, last })} could not be read${withError({ error })}: a migration cannot finish`,
  ),
  'iommufd-device-not-attached': complaint(
    'error',
    ({ device, id, ...failure }: WithDevice & WithError & { readonly id: string }) =>
      `the device${ofDevice({ device })} could not be attached to object ${id} of iommufd${withError(failure)}${
        failure.error === 'EINVAL'
          ? ': its IOMMU cannot use that page table, or firmware requires memory of it to stay mapped'
          : failure.error === 'EADDRINUSE'
            ? ': a region that it reserves is mapped already'
            : ''
      }`,
  ),
  'qemu-no-iommu': complaint('error', () => 'the host offers no IOMMU type that QEMU can use'),
  'qemu-memory-not-allocated': complaint(
    'error',
    (error: WithError) => `the guest's RAM could not be allocated${withError(error)}`,
  ),
  'qemu-iommu-not-set': complaint(
    'error',
    (failure: WithDevice & WithError) =>
      `${atDevice(failure)}a group could not be attached to its IOMMU${withError(failure)}`,
  ),

  // Devices that could not be assigned
  'vfio-group-not-opened': complaint(
    'error',
    ({ group, error, ...device }: WithDevice & WithError & { readonly group: string }) =>
      error === 'ENOENT' || error === 'ENODEV'
        ? `${atDevice(device)}/dev/vfio/${group} does not exist: no device of group ${group} is bound to vfio-pci`
        : error === 'EBUSY'
          ? `${atDevice(device)}/dev/vfio/${group} is in use: another process holds group ${group}`
          : `${atDevice(device)}/dev/vfio/${group} could not be opened${withError({ error })}`,
  ),
  'vfio-devices-not-bound': complaint(
    'error',
    () => 'not all devices of a group are bound to VFIO; the log does not name the group',
  ),
  'vfio-device-without-group': complaint(
    'error',
    (device: WithDevice) => `the device${ofDevice(device)} has no IOMMU group`,
  ),
  'vfio-device-not-handed-out': complaint(
    'error',
    ({ group, ...rest }: WithDevice & WithError & { readonly group: string }) =>
      `the device${ofDevice(rest)} of group ${group} is not bound to vfio-pci, or is in use${withError(rest)}`,
  ),
  'iommufd-device-not-bound': complaint(
    'error',
    (failure: WithDevice & WithError) =>
      `the device${ofDevice(failure)} could not be bound to iommufd${withError(failure)}${
        failure.error === 'EBUSY' ? ': another driver or process owns DMA of its group' : ''
      }`,
  ),
  'vfio-file-not-opened': complaint(
    'error',
    ({ file, ...failure }: WithError & { readonly file: string }) => `${file} could not be opened${withError(failure)}`,
  ),
  'vfio-device-attached-twice': complaint(
    'error',
    (device: WithDevice) => `the device${ofDevice(device)} is assigned to the guest twice`,
  ),
  'device-in-use': complaint(
    'error',
    ({
      driver,
      domain,
      ...device
    }: WithDevice & { readonly driver: string | undefined; readonly domain: string | undefined }) =>
      `the device${ofDevice(device)} is in use${domain === undefined ? '' : ` by the guest '${domain}' (${driver})`}`,
  ),
  'host-without-passthrough': complaint(
    'error',
    () => 'the host cannot assign PCI devices: it has no IOMMU groups, or vfio is not loaded',
  ),
  'device-not-isolated': complaint(
    'error',
    (device: WithDevice) => `the device${ofDevice(device)} is behind a switch without ACS: it can reach its neighbours`,
  ),
  'vfio-probe-failed': complaint(
    'error',
    (failure: WithDevice & WithError) => `vfio-pci could not take the device${ofDevice(failure)}${withError(failure)}`,
  ),

  // Definitions of guests
  'guest-ram-unknown': rule(
    'warning',
    ({ name }: { readonly name: string | undefined }) =>
      `the definition of ${name === undefined ? 'the guest' : `'${name}'`} has no RAM size; its memory layout is unknown`,
  ),
  'guest-definition-cut': rule(
    'warning',
    ({ what }: { readonly what: string }) => `${what} is incomplete; settings after the cut are unknown`,
  ),
  'guest-option-unknown': rule(
    'info',
    ({ option }: { readonly option: string }) => `${quote(option)} is not a known option; it may move guest memory`,
  ),
  'guest-option-not-modelled': rule(
    'warning',
    ({ option }: { readonly option: string }) =>
      `${quote(option)} moves guest memory; the layout does not account for it`,
  ),
  'guest-option-unresolved': rule(
    'warning',
    ({ option }: { readonly option: string }) => `${quote(option)} has a shell variable whose value is unknown`,
  ),
  'guest-option-invalid': rule(
    'warning',
    ({ option, expected }: { readonly option: string; readonly expected: string }) =>
      `invalid value: ${quote(option)}; expected ${expected}`,
  ),
  'guest-option-elsewhere': rule(
    'info',
    ({ option }: { readonly option: string }) => `${quote(option)} reads settings from a file that is not here`,
  ),
  'guest-machine-default': rule(
    'info',
    ({ machine }: { readonly machine: string }) => `no machine type given; assumed the default, '${machine}'`,
  ),
  'guest-memory-default': rule(
    'info',
    ({ size }: { readonly size: string }) => `no memory size given; assumed the default, ${size}`,
  ),
  'guest-device-unresolved': rule(
    'info',
    ({ device }: { readonly device: string }) =>
      `${quote(device)} is assigned to the guest; its PCI address on the host is not given`,
  ),
  'guest-device-all-functions': rule(
    'info',
    ({ device }: { readonly device: string }) => `all functions of ${device} are assigned; only function 0 is listed`,
  ),
  'guest-xml-doctype': rule(
    'warning',
    () => 'ignored a document type declaration: entities that it defines are not expanded',
  ),

  'dirty-tracking': rule(
    'info',
    ({ ranges, bits }: { readonly ranges: readonly Range[]; readonly bits: number }) =>
      `QEMU tracks dirty pages from the lowest to the highest address of memory, in ${ranges.map(hexRange).join(' and ')}: a device that tracks them needs ${bits} address bits`,
  ),

  // DPDK, SPDK, Cloud Hypervisor and others
  'request-error-unknown': rule('info', () => 'a request failed; the log does not show the error'),
  'dpdk-iova-above-mask': complaint('error', (range: Range | Pick<WithError, 'base'>) =>
    'start' in range
      ? `memory at IOVA ${hexRange(range)} is above the DMA mask`
      : `some memory has IOVAs above the address width of the IOMMU${withBase(range)}`,
  ),
  'dpdk-iova-mode': complaint(
    'error',
    ({ expected, current }: { readonly expected: string; readonly current: string }) =>
      `a driver needs IOVA mode ${expected}; EAL uses ${current}`,
  ),
  'dpdk-dma-map-failed': complaint(
    'error',
    (error: WithError) => `a range could not be mapped${withError(error)}; its bounds were not printed`,
  ),
  'dpdk-dma-unmap-failed': complaint(
    'error',
    (error: WithError) => `a range could not be unmapped${withError(error)}; its bounds were not printed`,
  ),
  'dpdk-device-dma-failed': complaint(
    'error',
    (failure: WithDevice & WithError) =>
      `memory could not be mapped for the device${ofDevice(failure)}${withError(failure)}`,
  ),
  'dpdk-partial-unmap': complaint(
    'error',
    (unmap: { readonly requested: bigint; readonly freed: bigint } | { readonly start: bigint | undefined }) =>
      'freed' in unmap
        ? `an unmap of ${bytes(unmap.requested)} unmapped ${unmap.freed}: the mapping was made with other bounds`
        : `an unmap${unmap.start === undefined ? '' : ` at ${hex(unmap.start)}`} unmapped nothing: the mapping was made with other bounds`,
  ),
  'dpdk-device-not-attached': complaint(
    'error',
    (device: WithDevice) => `the device${ofDevice(device)} cannot be used`,
  ),
  'dpdk-group-not-viable': complaint(
    'error',
    (device: WithDevice) =>
      `the group of the device${ofDevice(device)} is not viable: not all of its devices are bound to VFIO`,
  ),
  'dpdk-not-vfio': complaint('info', (device: WithDevice) => `the device${ofDevice(device)} is not bound to VFIO`),
  'dpdk-region-not-mapped': complaint('error', () => 'newly added memory could not be mapped'),
  'dpdk-outside-window': complaint('error', () => 'a range is outside the DMA window'),
  'dpdk-no-iommu-type': complaint(
    'error',
    (device: WithDevice) => `the host offers no IOMMU type for the device${ofDevice(device)}`,
  ),
  'vmm-dma-map-failed': complaint(
    'error',
    (failure: WithDevice & WithError) =>
      `memory could not be mapped for a device${failure.device === undefined ? '' : `, ${failure.device}`}${withError(failure)}`,
  ),
  'vmm-dma-unmap-failed': complaint(
    'error',
    (failure: WithDevice & WithError) =>
      `memory could not be unmapped for a device${failure.device === undefined ? '' : `, ${failure.device}`}${withError(failure)}`,
  ),
} as const;
