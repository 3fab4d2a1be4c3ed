// Every diagnostic that reading, analysis and the engine emit: its code, severity, message and consequences.
// To add one: an entry here, or in later-diagnostics.ts if only formats emit it that are not part of the first load. A code
// without an entry does not compile. Session files may hold codes of other versions and of the agent: `diagnosticRule`
// returns undefined for those.
import { hex, hexRange } from '../iova/format.ts';
import { bitLength } from '../iova/iova.ts';
import type { FactOf } from '../session/events.ts';
import {
  bytes,
  complaint,
  type DiagnosticRule,
  ofDevice,
  quote,
  type Range,
  rule,
  type Severity,
  shortened,
  type Text,
  type WithDevice,
  widthText,
} from './diagnostic-rule.ts';

/** Two samples, a format and a command fit on three lines of a terminal. */
const SAMPLE_MAX = 46;

const sampleText = ({ line, text }: { readonly line: number; readonly text: string }) =>
  `line ${line}: '${shortened(text, SAMPLE_MAX)}'`;
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

  // Long traces
  'events-folded': rule('info', ({ message }: { readonly message: string }) => message),
  'events-unordered': rule('warning', ({ message }: { readonly message: string }) => message),
} as const;

type Later = typeof import('./later-diagnostics.ts').LATER_DIAGNOSTICS;
type Rules = typeof DIAGNOSTICS & Later;

let later: Later | undefined;

/**
 * Loads the diagnostics of later-diagnostics.ts. Needed before a parser of a format that is not `isEarly` runs, and before
 * `diagnosticRule` is asked about codes from outside. Rejects if the file cannot be loaded; the next call tries again.
 */
export async function loadLaterDiagnostics(): Promise<void> {
  later ??= (await import('./later-diagnostics.ts')).LATER_DIAGNOSTICS;
}

/** Stable, in kebab-case: scripts may depend on them. */
export type DiagnosticCode = keyof Rules;

/** What the message of a code is made of. */
export type DiagnosticParameters<C extends DiagnosticCode> = Parameters<Rules[C]['message']>[0];

/** The rule of a code that may come from outside, such as from a session file; undefined for an unknown one. */
export function diagnosticRule(code: string): DiagnosticRule | undefined {
  if (Object.hasOwn(DIAGNOSTICS, code)) return DIAGNOSTICS[code as keyof typeof DIAGNOSTICS];
  return later && Object.hasOwn(later, code) ? later[code as keyof Later] : undefined;
}

/** The rule of a code of this version. */
export function ruleOf<C extends DiagnosticCode>(code: C): DiagnosticRule<DiagnosticParameters<C>> {
  const found = diagnosticRule(code);
  if (!found) throw new Error(`the diagnostic ${code} is not loaded`);
  // A rule and its parameters are looked up by the same code, which the compiler cannot follow through the union.
  return found as unknown as DiagnosticRule<DiagnosticParameters<C>>;
}

/** The fact of a diagnostic, without its place. */
export function diagnosticFact<C extends DiagnosticCode>(
  code: C,
  parameters: DiagnosticParameters<C>,
  severity: Severity = ruleOf(code).severity,
): FactOf<'diagnostic'> {
  return { kind: 'diagnostic', severity, code, message: ruleOf(code).message(parameters) };
}
