// Every diagnostic that reading, analysis and the engine emit: its code, severity, message and consequences.
// To add one: an entry here. A code without an entry does not compile. Session files may hold codes of other versions
// and of the agent: `diagnosticRule` returns undefined for those.
import { hex, hexRange } from '../iova/format.ts';
import { bitLength } from '../iova/iova.ts';
import type { FactOf } from '../session/events.ts';

export type Severity = FactOf<'diagnostic'>['severity'];

/** Consequences of a diagnostic beyond its message. */
interface Consequences {
  /**
   * Explains a source that has no facts: if all of its lines were understood, 'nothing-recognized' is not emitted as well.
   */
  readonly explainsEmptySource?: true;
  /**
   * Passes on a problem that a program or a kernel reported. It becomes a conflict, unless its severity is `info`, with the
   * remedy that remedies.ts has for it.
   */
  readonly isComplaint?: true;
}

export interface DiagnosticRule<P = never> extends Consequences {
  /** Unless the place that emits it knows better. */
  readonly severity: Severity;
  readonly message: (parameters: P) => string;
}

function rule<P = NoParameters>(
  severity: Severity,
  message: (parameters: P) => string,
  consequences: Consequences = {},
): DiagnosticRule<P> {
  return { severity, message, ...consequences };
}

/** A problem that a program or a kernel reported. */
function complaint<P = NoParameters>(severity: Severity, message: (parameters: P) => string): DiagnosticRule<P> {
  return rule(severity, message, { isComplaint: true });
}

type NoParameters = Readonly<Record<string, never>>;

interface Range {
  readonly start: bigint;
  /** Inclusive. */
  readonly last: bigint;
}

/** A line of the source, or a part of it. */
interface Text {
  readonly text: string;
}

/** Name of the errno (`EINVAL`) or the program's text for it; undefined if the program did not print it. */
interface WithError {
  readonly error: string | undefined;
  /** DPDK's --base-virtaddr: the lowest IOVA if IOVAs are virtual addresses. */
  readonly base?: bigint | undefined;
}

/** A device as the source names it; undefined if it does not. */
interface WithDevice {
  readonly device: string | undefined;
}

const QUOTE_MAX = 120;

/** Text of a source in quotes, without blanks around it and cut to 120 characters. */
export function quote(text: string): string {
  return `'${shortened(text.trim(), QUOTE_MAX)}'`;
}

const shortened = (text: string, max: number) => (text.length > max ? `${text.slice(0, max)}…` : text);

/** Two samples, a format and a command fit on three lines of a terminal. */
const SAMPLE_MAX = 46;

const sampleText = ({ line, text }: { readonly line: number; readonly text: string }) =>
  `line ${line}: '${shortened(text, SAMPLE_MAX)}'`;
const withBase = ({ base }: Pick<WithError, 'base'>) => (base === undefined ? '' : `, IOVAs from ${hex(base)}`);
const withError = (e: WithError) => (e.error === undefined ? '' : `: ${e.error}`) + withBase(e);
const ofDevice = ({ device }: WithDevice) => (device === undefined ? '' : ` ${device}`);
const atDevice = ({ device }: WithDevice) => (device === undefined ? '' : `${device}: `);
const bytes = (count: bigint | number) => `${count} ${BigInt(count) === 1n ? 'byte' : 'bytes'}`;
const widthText = (address: bigint) => `${hex(address)} (${bitLength(address)} bits)`;

/** Bytes of the largest bounce buffer: 128 slots of 2 KiB (Linux, IO_TLB_SEGSIZE). */
const BOUNCE_MAX = 262_144n;

/** Where the message of 'nothing-recognized' continues with the format that the text resembles and what to add. */
const RESEMBLES = /\. (?=Resembles(?:: | no known format))/;
const INSTEAD = /\. (?=Try the output of: )/;

/** The message of 'nothing-recognized' in lines: what was seen, what it resembles, what to give instead. */
export function nothingRecognizedLines(message: string): string[] {
  const [seen = '', more = ''] = message.split(RESEMBLES);
  return [seen, ...more.split(INSTEAD)].filter((line) => line !== '');
}

export const DIAGNOSTICS = {
  // Files and archives
  'empty-file': rule('warning', () => 'the file is empty', { explainsEmptySource: true }),
  'binary-file': rule('error', ({ what }: { readonly what: string }) => `not text: ${what}`, {
    explainsEmptySource: true,
  }),
  unreadable: rule('error', ({ reason }: { readonly reason: string }) => `cannot be read: ${reason}`, {
    explainsEmptySource: true,
  }),
  'format-not-loaded': rule(
    'error',
    ({ format, reason }: { readonly format: string; readonly reason: string }) =>
      `the part of iovascope that reads '${format}' could not be loaded (${reason}); check the server of this page, then open the file again`,
    { explainsEmptySource: true },
  ),
  'nothing-recognized': rule(
    'error',
    ({
      samples,
      nearest,
      command,
    }: {
      /** Lines that were not understood. */
      readonly samples: readonly { readonly line: number; readonly text: string }[];
      /** Title of the format that they resemble. */
      readonly nearest: string | undefined;
      /** A command whose output would be recognized. */
      readonly command: string | undefined;
    }) =>
      [
        `nothing recognized${samples.length > 0 ? ': ' : ''}${samples.slice(0, 2).map(sampleText).join(', ')}`,
        nearest === undefined ? 'Resembles no known format' : `Resembles: ${nearest}`,
        ...(command === undefined ? [] : [`Try the output of: ${command}`]),
      ].join('. '),
  ),
  'session-damaged': rule('warning', ({ problem }: { readonly problem: string }) => problem),
  'session-lost': rule('error', ({ problem }: { readonly problem: string }) => problem, { explainsEmptySource: true }),
  'gzip-truncated': rule('warning', () => 'the gzip data is truncated; everything before the end was read'),
  'gzip-damaged': rule(
    'warning',
    ({ reason }: { readonly reason: string }) => `the gzip data is corrupt (${reason}); some of the text may be wrong`,
  ),
  'packed-damaged': rule(
    'warning',
    ({ packing, reason }: { readonly packing: string; readonly reason: string }) =>
      `the ${packing} data is corrupt or ends too early (${reason}); what comes before was read`,
  ),
  'unpacked-too-large': rule(
    'error',
    ({ limit }: { readonly limit: number }) =>
      `unpacked, it holds more than ${bytes(limit)}, and the rest was not read; unpack it and open what you need`,
    { explainsEmptySource: true },
  ),
  'zip-bad-entry': rule(
    'warning',
    ({ name, reason }: { readonly name: string; readonly reason: string }) =>
      `'${name.slice(0, 200)}' in the archive cannot be read to its end (${reason}); the other files are read`,
  ),
  'tar-damaged': rule(
    'warning',
    ({ reason }: { readonly reason: string }) =>
      `the archive is corrupt (${reason}); entries before this point were read`,
  ),
  'tar-bad-entry': rule(
    'warning',
    ({ name, reason }: { readonly name: string; readonly reason: string }) =>
      `skipped an entry of the archive${name === '' ? '' : `, '${name}'`}: ${reason}`,
  ),
  'tar-absolute-path': rule(
    'info',
    ({ name }: { readonly name: string }) =>
      `'${name}' is an absolute path; such entries are read as paths relative to the archive`,
  ),
  'tar-truncated': rule(
    'warning',
    ({ name, size, expected }: { readonly name: string; readonly size: number; readonly expected: number }) =>
      `the archive ends inside '${name}': ${size} of ${bytes(expected)} are present`,
  ),
  'long-line-cut': rule(
    'warning',
    ({ limit, isSkipped }: { readonly limit: number; readonly isSkipped: boolean }) =>
      `the line is longer than ${limit} characters and was ${isSkipped ? 'skipped' : 'cut'}`,
  ),
  elision: rule('info', ({ text }: Text) => `text was omitted here: ${quote(text)}`),

  // Session files
  'not-json': rule('error', ({ message }: { readonly message: string }) => message),
  'not-an-event': rule('error', ({ message }: { readonly message: string }) => message),
  'bad-header': rule('error', ({ message }: { readonly message: string }) => message, { explainsEmptySource: true }),
  'bad-field': rule('error', ({ message }: { readonly message: string }) => message),
  'unknown-kind': rule('warning', ({ message }: { readonly message: string }) => message),
  'unknown-op': rule('warning', ({ message }: { readonly message: string }) => message),
  'unknown-memory': rule('warning', ({ message }: { readonly message: string }) => message),
  'no-header': rule('warning', ({ message }: { readonly message: string }) => message),
  'unknown-model': rule(
    'warning',
    ({ operations, reason }: { readonly operations: number; readonly reason: string }) =>
      `${operations} ${operations === 1 ? 'operation is' : 'operations are'} kept but not run: ${reason}`,
  ),
  'assumed-kernel': rule('warning', ({ message }: { readonly message: string }) => message),

  // Addresses and ranges, whatever the format
  'start-above-last': rule(
    'error',
    ({ what, start, last }: Range & { readonly what: string }) =>
      `${what}: the start ${hex(start)} is above the last address ${hex(last)}; the range was skipped`,
  ),
  'too-many-digits': rule(
    'error',
    ({ text }: Text) => `${quote(text)}: a number has more than 16 hexadecimal digits; expected at most 64 bits`,
  ),
  'damaged-number': rule(
    'warning',
    ({ numbers, text }: Text & { readonly numbers: readonly string[] }) =>
      `malformed ${numbers.length === 1 ? 'number' : 'numbers'} ${numbers.slice(0, 3).map(quote).join(', ')} in ${quote(text)}: digits are missing, masked or separated; not used`,
  ),
  'repaired-number': rule(
    'info',
    ({ number, digits }: { readonly number: string; readonly digits: string }) =>
      `read ${quote(number)} as ${digits}: a multiplication sign was in the place of an x`,
  ),
  'range-beyond-64-bits': rule(
    'warning',
    ({ what, start, length }: { readonly what: string; readonly start: bigint; readonly length?: bigint }) =>
      `${what}: the range at ${hex(start)}${length === undefined ? '' : ` of ${hex(length)} bytes`} ends beyond 64 bits and was skipped`,
  ),
  'empty-range': rule(
    'info',
    ({ what, start }: { readonly what: string; readonly start: bigint }) =>
      `${what}: the range at ${hex(start)} is empty and was skipped`,
  ),

  // sysfs
  'damaged-region': rule(
    'warning',
    ({ text }: Text) =>
      `malformed reserved region: ${quote(text)}; expected two addresses and a type, as in '0x00000000fee00000 0x00000000feefffff msi'`,
  ),
  'repeated-region': rule(
    'info',
    ({ owner, line }: { readonly owner: string; readonly line: number }) =>
      `${owner} already has this region, from line ${line}`,
  ),
  'overlapping-regions': rule(
    'info',
    ({
      owner,
      region,
      other,
    }: {
      readonly owner: string;
      readonly region: Range & { readonly type: string };
      readonly other: Range & { readonly type: string; readonly line: number };
    }) =>
      `${hexRange(region)} (${region.type}) overlaps ${hexRange(other)} (${other.type}) of line ${other.line}, both of ${owner}; this is valid`,
  ),
  'damaged-register': rule(
    'warning',
    ({ text }: Text) => `malformed IOMMU register: ${quote(text)}; expected a hexadecimal number of at most 64 bits`,
  ),

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

  // /proc/iomem, lspci
  'addresses-hidden': rule('warning', () => 'all addresses are zero; read /proc/iomem as root to see them', {
    explainsEmptySource: true,
  }),
  'bar-without-size': rule(
    'info',
    ({ device, start }: { readonly device: string; readonly start: bigint }) =>
      `the size of the region at ${hex(start)} of ${device} was not printed; lspci prints sizes only if it reads sysfs`,
  ),

  // Kernel logs
  'damaged-unit': rule(
    'warning',
    ({ text }: Text) =>
      `malformed VT-d unit: ${quote(text)}; expected 'reg_base_addr', 'ver', 'cap' and 'ecap' in hexadecimal`,
  ),
  'damaged-rmrr': rule(
    'warning',
    ({ text }: Text) => `malformed RMRR: ${quote(text)}; expected 'RMRR base:' and 'end:' with numbers of equal length`,
  ),
  'damaged-identity-map': rule(
    'warning',
    ({ text }: Text) =>
      `malformed identity map: ${quote(text)}; expected '[start - end]' in hexadecimal, at most 64 bits each`,
  ),
  'damaged-ivmd': rule(
    'warning',
    ({ text }: Text) =>
      `malformed IVMD: ${quote(text)}; expected two devices, 'range_start:', 'range_end:' and 'flags:'`,
  ),
  'damaged-fault': complaint(
    'warning',
    ({ text }: Text) => `a fault was logged, but its address cannot be read: ${quote(text)}`,
  ),
  'fault-without-address': complaint('warning', ({ what }: { readonly what: string }) => what),
  'iommu-entry-invalid': complaint(
    'warning',
    ({ device, what }: { readonly device: string; readonly what: string }) =>
      `the IOMMU refuses all accesses of ${device}: ${what}; no mapping would help`,
  ),
  'iommu-hardware-error': complaint(
    'warning',
    ({ device, event, what }: WithDevice & { readonly event: string; readonly what: string }) =>
      `${event}${device === undefined ? '' : ` for ${device}`}: ${what}`,
  ),
  'memory-controller-error': complaint(
    'warning',
    ({ client, what, address }: { readonly client: string; readonly what: string; readonly address: bigint }) =>
      `the memory controller refused ${client} at ${hex(address)} (${what}): an address of memory, not an IOVA`,
  ),
  'device-invalidation-timeout': complaint(
    'warning',
    ({ device }: WithDevice) =>
      `the device${ofDevice({ device })} did not answer an invalidation of its address translation cache (ATS): it hangs, or was reset or removed`,
  ),
  'interrupt-refused': complaint(
    'warning',
    ({
      device,
      index,
      reason,
    }: WithDevice & { readonly index: string | undefined; readonly reason: string | undefined }) =>
      `an interrupt${device === undefined ? '' : ` of ${device}`} was refused${index === undefined ? '' : ` (entry ${index} of the interrupt remapping table)`}${reason === undefined ? '' : `: ${reason}`}`,
  ),
  'mapping-already-set': complaint(
    'warning',
    ({ start, last, old, wanted }: Range & { readonly old: bigint; readonly wanted: bigint }) =>
      `the kernel mapped the page ${hexRange({ start, last })} twice: its entry was ${hex(old)} and should become ${hex(wanted)}`,
  ),
  'damaged-event': rule(
    'warning',
    ({ what, text, reason }: Text & { readonly what: string; readonly reason?: string }) =>
      `malformed ${what}: ${quote(text)}${reason === undefined ? '' : ` (${reason})`}`,
  ),
  'unaligned-request': complaint(
    'warning',
    ({ iova, size, page }: { readonly iova: bigint; readonly size: bigint; readonly page: bigint }) =>
      `the kernel refused a request for ${hex(size)} bytes at ${hex(iova)}: not aligned to the smallest page size, ${hex(page)}`,
  ),
  'default-domain-type': rule('info', ({ type }: { readonly type: string }) => `the default domain type is ${type}`),
  'rmrr-not-reserved': rule(
    'warning',
    (range: Range) => `the firmware memory map does not reserve the RMRR ${hexRange(range)}`,
    {
      explainsEmptySource: true,
      isComplaint: true,
    },
  ),
  'dma-mask-overflow': complaint(
    'error',
    ({
      device,
      mask,
      bus,
      ...range
    }: Range & { readonly device: string; readonly mask: bigint; readonly bus?: bigint }) => {
      const limit = bus !== undefined && bus < mask ? bus : mask;
      const size = range.last - range.start + 1n;
      const why =
        range.last > limit
          ? `it can only reach addresses up to ${widthText(limit)}${limit === mask ? ' (its DMA mask)' : ' (the limit of its bus)'}, and there is no bounce buffer for it`
          : size > BOUNCE_MAX
            ? `the buffer lies below its DMA mask, ${hex(mask)}, but is larger (${bytes(size)}) than a bounce buffer (${BOUNCE_MAX}), which this kernel uses for all DMA`
            : `no bounce buffer was free, although the buffer lies below its DMA mask, ${hex(mask)}`;
      return `${device} cannot use the buffer at ${hexRange(range)}: ${why}`;
    },
  ),
  'swiotlb-full': complaint(
    'error',
    ({
      device,
      size,
      total,
      used,
    }: {
      readonly device: string;
      readonly size: bigint | undefined;
      readonly total: number | undefined;
      readonly used: number | undefined;
    }) =>
      `no bounce buffer${size === undefined ? '' : ` of ${bytes(size)}`} is free for ${device}${
        total === undefined || used === undefined ? '' : `: ${used} of ${total} slots of 2 KiB are used`
      }${size !== undefined && size > BOUNCE_MAX ? `; none can be larger than ${BOUNCE_MAX} bytes` : ''}`,
  ),
  'dma-api-debug': complaint(
    'warning',
    ({
      device,
      driver,
      what,
      range,
    }: WithDevice & {
      readonly driver: string | undefined;
      readonly what: string;
      readonly range: Range | undefined;
    }) =>
      `the DMA API's checks found an error${driver === undefined ? '' : ` of the driver ${driver}`}${
        device === undefined ? '' : ` of ${device}`
      }: ${what.trim()}${range === undefined ? '' : ` (${hexRange(range)})`}`,
  ),
  'bar-without-address': complaint(
    'warning',
    ({ device, index, size }: { readonly device: string; readonly index: number; readonly size: bigint | undefined }) =>
      `BAR ${index} of ${device}${size === undefined ? '' : ` (${hex(size)} bytes)`} was given no address: the windows of its bridges are too small`,
  ),
  'rmrr-ignored': rule('info', (range: Range) => `Xen ignores the RMRR ${hexRange(range)}: it has no device`),
  'rmrr-incorrect': rule('warning', (range: Range) => `Xen rejected the RMRR ${hexRange(range)} as incorrect`),
  'address-above-width': rule(
    'warning',
    ({ address, width }: { readonly address: bigint; readonly width: string }) =>
      `${hex(address)} needs ${bitLength(address)} address bits; the IOMMU has ${width}`,
    { explainsEmptySource: true, isComplaint: true },
  ),
  'kernel-options': rule(
    'info',
    ({ options }: { readonly options: readonly string[] }) => `kernel command line: ${options.join(' ')}`,
  ),
  'iommu-disabled': complaint(
    'warning',
    ({ by, option }: { readonly by?: string; readonly option?: string }) =>
      `the IOMMU is disabled${option === undefined ? ` (${by})` : `: the kernel's command line has ${option}`}; no device can be assigned`,
  ),
  'acs-override': rule(
    'warning',
    ({ option }: { readonly option: string }) =>
      `${option}: groups are smaller than the hardware isolates; devices of different groups may reach each other`,
  ),
  'memlock-limit': complaint(
    'error',
    ({ limit }: { readonly limit: string }) => `a process tried to lock more memory than its limit of ${limit} bytes`,
  ),
  'faults-suppressed': complaint(
    'warning',
    ({ count }: { readonly count: number }) => `${count} messages about faults were suppressed by the kernel`,
  ),
  'no-interrupt-remapping': complaint('error', () => 'devices cannot be assigned: the host has no interrupt remapping'),
  'bar-not-reserved': complaint(
    'warning',
    ({ bar, device, ...range }: Range & { readonly bar: string; readonly device: string }) =>
      `BAR ${bar} of ${device}, ${hexRange(range)}, is already in use by something else`,
  ),

  // Kernel traces
  'events-lost': rule(
    'warning',
    (lost: { readonly kept: string; readonly written: string } | { readonly count: string | undefined }) =>
      'kept' in lost
        ? `the trace holds ${lost.kept} of ${lost.written} events: the ring buffer overflowed and the oldest were dropped`
        : `the tracer lost ${lost.count ?? 'some'} events here: mappings after this line may be incomplete`,
  ),
  'events-folded': rule('info', ({ message }: { readonly message: string }) => message),
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

/** Stable, in kebab-case: scripts may depend on them. */
export type DiagnosticCode = keyof typeof DIAGNOSTICS;

/** What the message of a code is made of. */
export type DiagnosticParameters<C extends DiagnosticCode> = Parameters<(typeof DIAGNOSTICS)[C]['message']>[0];

/** The rule of a code that may come from outside, such as from a session file; undefined for an unknown one. */
export function diagnosticRule(code: string): DiagnosticRule | undefined {
  return Object.hasOwn(DIAGNOSTICS, code) ? DIAGNOSTICS[code as DiagnosticCode] : undefined;
}

/** The fact of a diagnostic, without its place. */
export function diagnosticFact<C extends DiagnosticCode>(
  code: C,
  parameters: DiagnosticParameters<C>,
  severity: Severity = DIAGNOSTICS[code].severity,
): FactOf<'diagnostic'> {
  // A rule and its parameters are looked up by the same code, which the compiler cannot follow through the union.
  const { message } = DIAGNOSTICS[code] as unknown as DiagnosticRule<DiagnosticParameters<C>>;
  return { kind: 'diagnostic', severity, code, message: message(parameters) };
}
