// Events of the AMD IOMMU in kernel logs, and the memory ranges that firmware defines for its devices (IVMD):
//
//   [[driver] device ":"] ["AMD-Vi:" | "AMD IOMMU:"] "Event logged [" event 1*(key "=" value) "]"
//   event = "IO_PAGE_FAULT" | "ILLEGAL_DEV_TABLE_ENTRY" | "INVALID_DEVICE_REQUEST" | "INVALID_PPR_REQUEST"
//   key   = "device" (if not before) | "domain" | "pasid" | "address" | "flags" | others
//   "Event logged [RMP_PAGE_FAULT device=" device "vmg_tag=" hex ", gpa=" hex ", flags_rmp=" hex ", flags=" hex "]"
//   "Event logged [" hardware error | timeout … "]"            no address of the device: a diagnostic
//   "AMD-Vi: Extended features (" ["EFR:"] hex [", " ["EFR2:"] hex] ")"       of the registers
//   "IO_PAGE_FAULT: domain =" n ", device id =" id ", fault address =" hex ", flags =" hex     Xen; id: bus, device, function
//   "IO_PAGE_FAULT:" device "d" n "addr" hex "flags" hex …                                     newer Xen
//
//   "AMD-Vi: Using global IVHD EFR:" hex ", EFR2:" hex        features of the IVRS table, which the kernel follows
//
//   "IVMD_TYPE" ["_ALL" | "_RANGE" | "i"] "devid_start:" device "devid_end:" device
//        "range_start:" hex "range_end:" hex "flags:" hex      with amd_iommu_dump; the end is exclusive
//
// Bit 3 of IVMD's flags marks a range that is excluded (reserved); others are mapped one to one (direct). Bit 3 of an
// event's flags marks an interrupt: its address is where interrupts go, and the reason says so. Bit 5 marks writes. Other
// events have physical addresses of the host, of the IOMMU's own tables and commands: those are no facts.
// (print_event and its like in drivers/iommu/amd/iommu.c, init_unity_map_range in init.c, Linux 2.6.27 to 6.12.)

import { iova } from '../../../iova/iova.ts';
import { quote } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { DEVICE_NAME_PATTERN, normalizeLoggedDevice } from '../../fields/device-name.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import { busDeviceFunction } from '../../fields/pci-address.ts';
import { orderedRange } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { HEX_REST, type Matched, matchLongest } from '../../text/match-longest.ts';
import { continuation } from '../../text/wrapped.ts';

const HEX = '(?:0[xX])?[0-9a-fA-F]{1,64}';
const PAIR = ' \\w{1,16}= ?[^\\s\\]=]{1,32}';
const BEFORE = `(?:(?<![\\w.:@=-])(${DEVICE_NAME_PATTERN}?): {1,4}(?:AMD-Vi: ?|AMD IOMMU: ?)?)?Event logged ?\\[ ?`;
const NAME = '(IO_PAGE_FAULT|ILLEGAL_DEV_TABLE_ENTRY|INVALID_DEVICE_REQUEST|INVALID_PPR_REQUEST)';
const BODY = `${BEFORE}${NAME}((?:${PAIR}){0,4}) address=? ?(${HEX})`;
// The `=` at the end of a broken line may have been removed as quoted-printable.
const WHOLE = new RegExp(`${BODY}(?:${PAIR}){0,3}? flags=? ?(0x[0-9a-fA-F]{1,16})(?!\\w)`);
/** Without flags: only if the address is whole, because something follows it or it has all its digits. */
const HEAD = new RegExp(`${BODY}(?= \\w{1,16}=| ?\\]|(?<=[x=][0-9a-fA-F]{16})$)`);
const XEN_OLD = new RegExp(
  `()(IO_PAGE_FAULT): domain = \\d{1,6}, (device id = 0x[0-9a-fA-F]{1,4}), fault address = (${HEX}), flags = (${HEX})(?!\\w)`,
);
const XEN_NEW = new RegExp(`()(IO_PAGE_FAULT): ([0-9a-fA-F:.]{7,16}) d\\S{1,8} addr (${HEX}) flags (${HEX})(?!\\w)`);
const START =
  /Event logged|IO_PAGE_FAULT: |(?:AMD-Vi|IOMMU):(?: Ev?e?n?t?(?: [loged]{1,6})?)?$|[0-9a-f]\.[0-7]:(?: [AMDViO: -]{1,10})?$/;
const EVENT = /Event logged ?\[ ?(?:IO_PAGE|RMP_PAGE)|IO_PAGE_FAULT: /;

/** Of guests whose memory the processor protects: the table of owners refused the guest physical address. */
const OWNER = new RegExp(
  `${BEFORE}(RMP_PAGE_FAULT)((?:${PAIR},?){0,3}),? gpa=? ?(${HEX}),? flags_rmp=? ?0x[0-9a-fA-F]{1,16},? flags=? ?(0x[0-9a-fA-F]{1,16})(?!\\w)`,
);
const OWNER_START = /Event logged ?\[ ?RMP_PAGE/;
const OTHER_EVENT = new RegExp(
  `${BEFORE}(RMP_HW_ERROR|DEV_TAB_HARDWARE_ERROR|PAGE_TAB_HARDWARE_ERROR|ILLEGAL_COMMAND_ERROR|COMMAND_HARDWARE_ERROR|IOTLB_INV_TIMEOUT)((?: [^\\]]{1,200})?)`,
);
const OTHER_START = /Event logged ?\[ ?(?:RMP_HW|DEV_TAB|PAGE_TAB|ILLEGAL_COMMAND|COMMAND_HARDWARE|IOTLB_INV)/;
const HARDWARE_ERRORS: Readonly<Record<string, string>> = {
  RMP_HW_ERROR: 'the IOMMU could not read the table of page owners (RMP)',
  DEV_TAB_HARDWARE_ERROR: 'the IOMMU could not read the device table',
  PAGE_TAB_HARDWARE_ERROR: 'the IOMMU could not read the page tables of the device',
  ILLEGAL_COMMAND_ERROR: 'the IOMMU was given a command that it does not have',
  COMMAND_HARDWARE_ERROR: 'the IOMMU could not read its command buffer',
};
const EXTENDED = /AMD-Vi: Extended features \((?:EFR: ?)?(0x[0-9a-f]{1,16})(?:, ?(?:EFR2: ?)?(0x[0-9a-f]{1,16}))?\)/i;

const DEVICE_ID = '((?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7])';
const IVMD = new RegExp(
  `IVMD_TYPE(_ALL|_RANGE|i)?\\s{1,8}devid_start: ?${DEVICE_ID} devid_end: ?${DEVICE_ID} range_start: ?(${HEX}) range_end: ?(${HEX}) flags: ?(${HEX})(?!\\w)`,
);
const IVMD_START = /IVMD_TYPE/;
const FEATURES = /Using global IVHD EFR: ?(0x[0-9a-f]{1,16}), ?EFR2: ?(0x[0-9a-f]{1,16})(?!\w| [0-9a-f]{3,4}$)/i;
const FEATURES_START = /Using global IVHD EFR:/;
/** Devices of IVHDs, as `amd_iommu_dump` prints them. */
const IVHD = /AMD-Vi: {1,10}(?:Using IVHD type|device: [0-9a-f]|mmio-addr: |DEV_[A-Z])/;

const PAGE_OFFSET = 0xfffn;
const INTERRUPT = 1n << 3n;
const EXCLUDED = 1n << 3n;
const WRITE = 1n << 5n;

class KernelLogAmdReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    if (IVMD_START.test(line.text)) return this.#ivmd(line, ahead);
    if (FEATURES_START.test(line.text)) return this.#features(line, ahead);
    if (IVHD.test(line.text)) {
      this.#sink.recognized();
      return 1;
    }
    const extended = EXTENDED.exec(line.text);
    const register = parseHexAddress(extended?.[1]);
    if (register !== undefined) {
      this.#sink.fact({ kind: 'iommu', name: 'AMD-Vi', driver: 'amd', cap: register }, line.number);
      return 1;
    }
    if (!START.test(line.text)) return 0;
    const other = this.#otherEvent(line, ahead);
    if (other > 0) return other;
    const found = find(line, ahead);
    if (!found) return this.#damaged(line);
    const { match, lines } = found;
    const [, before = '', event = '', pairs = '', digits, bits] = match;
    const address = parseHexAddress(digits);
    if (address === undefined) return this.#damaged(line);
    const flags = parseHexAddress(bits);
    const device = deviceOf(before, pairs);
    const isInterrupt = flags !== undefined && (flags & INTERRUPT) !== 0n;
    const pasid = parseHexAddress(/ pasid= ?(\w{1,18})/.exec(pairs)?.[1]);
    const access =
      (event === 'IO_PAGE_FAULT' || event === 'RMP_PAGE_FAULT') && flags !== undefined && !isInterrupt
        ? faultAccess((flags & WRITE) !== 0n)
        : undefined;
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        ...(device === undefined ? {} : { device }),
        ...(access === undefined ? {} : { access }),
        reason: bits === undefined ? event : `${event} flags=${bits}${isInterrupt ? ' (interrupt)' : ''}`,
        driver: 'amd',
        ...(pasid === undefined ? {} : { pasid: Number(pasid) }),
        ...timeOf(line),
      },
      line.number,
    );
    return lines;
  }

  /** An event that is about the IOMMU's own accesses, or about a device that does not answer. */
  #otherEvent(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, OTHER_START, [OTHER_EVENT]);
    if (!found) return 0;
    const [, before = '', event = '', pairs = ''] = found.match;
    const device = deviceOf(before, pairs);
    this.#sink.recognized();
    const what = HARDWARE_ERRORS[event];
    if (what === undefined) this.#sink.diagnostic('device-invalidation-timeout', { device }, line.number);
    else this.#sink.diagnostic('iommu-hardware-error', { device, event, what }, line.number);
    return found.lines;
  }

  #features(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, FEATURES_START, [FEATURES]);
    const [, first, second] = found?.match ?? [];
    const efr = parseHexAddress(first);
    const efr2 = parseHexAddress(second);
    if (!found || efr === undefined || efr2 === undefined) {
      const [number = 'EFR2'] = /EFR2?: ?[^\s,]*$/.exec(line.text) ?? [];
      this.#sink.diagnostic('damaged-number', { numbers: [number], text: line.text }, line.number);
      return 1;
    }
    // The digits below may be more of it, unless it is 0: no zeros are printed in front.
    const below = continuation(line, ahead, found.lines)?.text.trim() ?? '';
    if (efr2 !== 0n && found.match.input.endsWith(second ?? '') && HEX_REST.test(below)) {
      this.#sink.diagnostic('damaged-number', { numbers: [`EFR2:${second}`], text: line.text }, line.number);
      this.#sink.fact({ kind: 'host', efr }, line.number);
      return found.lines;
    }
    this.#sink.fact({ kind: 'host', efr, efr2 }, line.number);
    return found.lines;
  }

  #ivmd(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, IVMD_START, [IVMD], /^[0-9a-f]{1,4}$/i);
    const [, which, first = '', last = '', from, to, bits] = found?.match ?? [];
    const start = parseHexAddress(from);
    const end = parseHexAddress(to);
    const flags = parseHexAddress(bits);
    if (!found || start === undefined || end === undefined || end === 0n || flags === undefined) {
      this.#sink.diagnostic('damaged-ivmd', { text: line.text }, line.number);
      return 1;
    }
    // Whole pages: an end that is not at the start of one is the last address itself.
    const lastAddress = (end & PAGE_OFFSET) === 0n ? iova(end - 1n) : end;
    const region = orderedRange(start, lastAddress, quote(line.text), line.number, this.#sink);
    if (!region) return found.lines;
    const [one, other] = [normalizeLoggedDevice(first), normalizeLoggedDevice(last)];
    const devices = which === '_ALL' ? undefined : one === other ? one : `${one}-${other}`;
    this.#sink.fact(
      {
        kind: 'reserved',
        ...region,
        type: (flags & EXCLUDED) === 0n ? 'direct' : 'reserved',
        origin: 'ivmd',
        ...(devices === undefined ? {} : { device: devices }),
      },
      line.number,
    );
    return found.lines;
  }

  #damaged(line: DumpLine): number {
    if (!EVENT.test(line.text)) return 0;
    this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    return 1;
  }
}

/** The event with its flags, from several lines if needed; without flags only if there are none. */
function find(line: DumpLine, ahead: Lookahead): Matched | undefined {
  for (const pattern of [WHOLE, OWNER, XEN_OLD, XEN_NEW]) {
    const match = pattern.exec(line.text);
    if (match && !line.text.endsWith(match[0])) return { match, lines: 1 };
  }
  return (
    matchLongest(line, ahead, START, [WHOLE], /^[0-9a-f]{1,4}\]?$/i) ??
    matchLongest(line, ahead, OWNER_START, [OWNER], /^[0-9a-f]{1,4}\]?$/i) ??
    matchLongest(line, ahead, /IO_PAGE_FAULT: /, [XEN_NEW]) ??
    matchLongest(line, ahead, /IO_PAGE_FAULT: /, [XEN_OLD]) ??
    matchLongest(line, ahead, START, [HEAD])
  );
}

function deviceOf(before: string, pairs: string): string | undefined {
  const id = parseHexAddress(/^device id = (\w{1,8})$/.exec(pairs)?.[1]);
  if (id !== undefined) return normalizeLoggedDevice(busDeviceFunction(Number(id)));
  const own = / device= ?([^\s=,]{4,32})/.exec(pairs)?.[1] ?? (/^[0-9a-f:.]{7,16}$/i.test(pairs) ? pairs : undefined);
  if (own !== undefined) return normalizeLoggedDevice(own);
  // A line break may have joined the name of the driver to the device.
  const name = before.replace(/:?(?:AMD-Vi|IOMMU)$/, '');
  return name === '' || name === 'kernel' || /^ivhd\d{1,3}$/.test(name) ? undefined : normalizeLoggedDevice(name);
}

export const KERNEL_LOG_AMD: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogAmdReader(sink),
};
