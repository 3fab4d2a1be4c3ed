// Intel VT-d in kernel logs. Each message follows a prefix that varies between versions (`DMAR: `, `dmar: `, `DMAR:`,
// `IOMMU: `, none, `[VT-D]` of Xen). The messages:
//
//   "Host address width" decimal
//   unit "reg_base_addr" hex "ver" v:v "cap" hex "ecap" hex     unit = "dmar0:" | "IOMMU 0:"; both become `dmar0`
//   "RMRR base: 0x" hex "end: 0x" hex                           both ends inclusive, printed equally wide
//   "No firmware reserved region can cover this RMRR [" hex "-" hex "]"
//   device ": Device is ineligible for IOMMU domain attach" …   older
//   device ": Firmware has requested this device have a 1:1 IOMMU mapping" …
//   "iommu width (" decimal ") is not sufficient for the mapped address (" hex ")"
//   fault    = "[DMA" access [pasid] "]" "Request device [" device "]" [pasid] "fault addr" hex [reason]
//   access   = "Read" | "Write"
//   pasid    = "NO_PASID" | "PASID" hex                         ffffffff: none
//   device   = 02:00.0 | 0x02:0x00.0 | 0000:02:00.0
//   reason   = "[fault reason" number "]" text                  in old versions on a line of its own, with a prefix
//            | "DMAR: reason" number "-" text                   Xen
//   "[INTR-REMAP] Request device [" device "] fault index" hex [reason]     an interrupt that was refused: no address
//   "DMA PTE for vPFN 0x" pfn "already set (to" entry "not" entry ")"       the page was mapped twice; numbers are hex
//   "Setting identity map for device" device "[0x" hex "- 0x" hex "]"     the end inclusive, exclusive before 2.6.32
//
// (drivers/iommu/intel/dmar.c and iommu.c, Linux 2.6.30 to 6.12.)

import { iova } from '../../../iova/iova.ts';
import { range } from '../../../iova/range.ts';
import { addressWidthOf } from '../../../uapi/vtd-capability.ts';
import { quote } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { DEVICE_NAME_PATTERN, normalizeLoggedDevice } from '../../fields/device-name.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import { messageTail } from '../../fields/message-tail.ts';
import { orderedRange } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { HEX_REST, type Matched, matchLongest } from '../../text/match-longest.ts';
import { continuation } from '../../text/wrapped.ts';

const HEX = '(?:0[xX])?[0-9a-fA-F]{1,64}';

const WIDTH = /Host address width ?(\d{1,3})(?![\w.])/;
const UNIT =
  /(?:dmar|IOMMU )(\d{1,4}): ?reg_base_addr (?:0x)?[0-9a-f]{1,16},? ver [\da-f]{1,4}:[\da-f]{1,4} cap (?:0x)?([0-9a-f]{1,64}) ecap (?:0x)?([0-9a-f]{1,64})(?=$|,|\s(?![0-9a-f]{2,5}\b))/i;
const RMRR = /RMRR base: ?0x([0-9a-f]{1,64}) {1,4}end: ?0x([0-9a-f]{1,64})(?!\w)/i;
const UNCOVERED = new RegExp(`No firmware reserved region can cover this RMRR ?\\[ ?(${HEX}) ?- ?(${HEX}) ?\\]`);
const ABOUT_DEVICE = `(?<![\\w.:@-])(${DEVICE_NAME_PATTERN}?): ?(?:DMAR: ?)?`;
const ONE_TO_ONE = 'Firmware has requested this device have a 1:1 IOMMU mapping';
const INELIGIBLE: readonly RegExp[] = [
  new RegExp(`${ABOUT_DEVICE}(Device is ineligible for IOMMU domain attach due to platform RMRR requirement)`),
  new RegExp(`${ABOUT_DEVICE}(${ONE_TO_ONE}, rejecting configuring the device without a 1:1 mapping)`),
  new RegExp(`${ABOUT_DEVICE}(${ONE_TO_ONE})`),
];
const INELIGIBLE_START = /Device is\b|Firmware has\b/;
const IDENTITY = new RegExp(
  `(Setting|Ignoring) identity map for (?:HW passthrough )?device (${DEVICE_NAME_PATTERN}) \\[(${HEX}) ?- ?(${HEX}) ?\\]`,
);
const TOO_NARROW = /iommu width \((\d{1,3})\) is not sufficient for the mapped address \((?:0x)?([0-9a-f]{1,64})\)/;

const pasid = (group: string) => `(?:NO_PASID|PASID ?(?<${group}>${HEX}))`;
const REQUEST = `\\[DMA (?<access>Read|Write)(?: ${pasid('pasid')})? ?\\] ?Request device \\[{1,2} ?(?<device>[0-9a-fA-FxX:.]{4,24}) ?\\] ?(?:${pasid('pasidAfter')} )?fault addr:? ?(?<address>${HEX})(?![\\w'’*])`;
const REASON =
  ' {0,4},?(?: ?iommu reg = \\S{1,40})? {0,4}(?:(?:\\[VT-D\\])?DMAR: ?)?(?:\\[fault reason (?:0x)?(?<number>[0-9a-f]{1,4})h? ?\\]|reason (?:0x)?(?<numberOfXen>[0-9a-f]{1,4}) -) {0,4}(?<text>[^\\s].{0,200})?$';
const FAULT = new RegExp(REQUEST);
const FAULT_WITH_REASON = new RegExp(REQUEST + REASON, 'i');
const FAULT_START = /\[DMA (?:Read|Write)|\[DMA$/;
const INTERRUPT = /INTR-REMAP\S{0,3} {0,2}(?:Request device|\[fault reason)|fault index [0-9a-fx]/;
const REFUSED: readonly RegExp[] = [
  /INTR-REMAP\S{0,3} {0,2}Request device \[{1,2} ?([0-9a-fA-FxX:.]{4,24}) ?\] ?fault index (?:0x)?([0-9a-f]{1,8})(?!\w)(?: {0,4}(?:DMAR: ?)?(?:INTR-REMAP: ?)?\[fault reason (?:0x)?([0-9a-f]{1,4})h? ?\] {0,4}([^\s].{0,200})?)?/i,
];
/** Old kernels have the reason on a line of its own. */
const INTERRUPT_REASON = /INTR-REMAP\S{0,3} {0,2}\[fault reason (?:0x)?[0-9a-f]{1,4}h? ?\] {0,4}(\S.{0,200})?$/i;
const ALREADY_SET =
  /DMA PTE for vPFN 0x([0-9a-f]{1,16}) already set \(to (?:0x)?([0-9a-f]{1,16}) not (?:0x)?([0-9a-f]{1,16})\)/;
const ALREADY_SET_START = /DMA PTE for vPFN\b/;
const STATUS = /DRHD: handling fault status reg/;
/** Other lines of the driver: recognized, without facts. */
const OTHER =
  /DRHD base: ?0x[0-9a-f]+ {1,4}flags|(?:IOAPIC|HPET) id \d{1,4} under DRHD base|ATSR flags: ?0x|SATC flags: ?0x|SIDP segment|No (?:ATSR|SATC|SIDP) found|RHSA base: ?0x|DMAR(?:-IR)?: ?(?:Queued invalidation|Enabled IRQ remapping|IOMMU (?:enabled|feature|batching)|dmar\d{1,4}: Using (?:Queued|Register)|x2apic is disabled|Use 'intremap|Intel\(R\) Virtualization Technology|Skip IOMMU disabling)/;

/** Reasons that the kernel prints: they tell whether a mail program broke one. */
const REASONS: readonly string[] = [
  'Software',
  'Present bit in root entry is clear',
  'Present bit in context entry is clear',
  'Invalid context entry',
  'Access beyond MGAW',
  'PTE Write access is not set',
  'PTE Read access is not set',
  'Next page table ptr is invalid',
  'Root table address invalid',
  'Context table ptr is invalid',
  'non-zero reserved fields in RTP',
  'non-zero reserved fields in CTP',
  'non-zero reserved fields in PTE',
  'PCE for translation request specifies blocking',
];

const PAGE_OFFSET = 0xfffn;
/** What old kernels print for a request without a PASID. */
const NO_PASID = 0xffffffffn;

interface FaultMatch extends Matched {
  /** The whole text of the reason, if its end was on the next line. */
  readonly reason?: string;
}

class KernelLogIntelReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return (
      this.#fault(line, ahead) ||
      this.#width(line, ahead) ||
      this.#unit(line, ahead) ||
      this.#rmrr(line, ahead) ||
      this.#uncovered(line, ahead) ||
      this.#ineligible(line, ahead) ||
      this.#tooNarrow(line, ahead) ||
      this.#identity(line, ahead) ||
      this.#alreadySet(line, ahead) ||
      this.#interrupt(line, ahead) ||
      (STATUS.test(line.text) || OTHER.test(line.text) ? 1 : 0)
    );
  }

  #width(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /Host address/, [WIDTH]);
    const bits = Number(found?.match[1]);
    if (!found || bits < 1 || bits > 64) return 0;
    this.#sink.fact({ kind: 'host', address_width: bits }, line.number);
    return found.lines;
  }

  #unit(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /reg_base_addr|(?:dmar|IOMMU )\d{1,4}:$/i, [UNIT], HEX_REST);
    if (!found) return /reg_base_addr [0-9a-f]/.test(line.text) ? this.#damaged('unit', line) : 0;
    const cap = parseHexAddress(found.match[2]);
    const ecap = parseHexAddress(found.match[3]);
    if (cap === undefined || ecap === undefined) return this.#damaged('unit', line);
    const name = `dmar${Number(found.match[1])}`;
    const bits = addressWidthOf(cap);
    this.#sink.fact({ kind: 'iommu', name, driver: 'intel', address_width: bits, cap, ecap }, line.number);
    return found.lines;
  }

  #rmrr(line: DumpLine, ahead: Lookahead): number {
    let found = matchLongest(line, ahead, /RMRR\b/, [RMRR], HEX_REST);
    if (!found) return /RMRR base: ?0x/.test(line.text) ? this.#damaged('rmrr', line) : 0;
    // Both are printed with the same width: digits on the next line belong to the second only if they make it so wide.
    const alone = found.lines === 2 ? RMRR.exec(line.text) : null;
    if (alone && found.match[1]?.length !== found.match[2]?.length) found = { match: alone, lines: 1 };
    const [, from = '', to = ''] = found.match;
    if (to.length < from.length) return this.#damaged('rmrr', line);
    const start = parseHexAddress(from);
    const last = parseHexAddress(to);
    if (start === undefined || last === undefined) return this.#damaged('rmrr', line);
    const region = orderedRange(start, last, quote(line.text), line.number, this.#sink);
    if (region) this.#sink.fact({ kind: 'reserved', ...region, type: 'direct', origin: 'rmrr' }, line.number);
    return found.lines;
  }

  #uncovered(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /No firmware/, [UNCOVERED]);
    const start = parseHexAddress(found?.match[1]);
    const last = parseHexAddress(found?.match[2]);
    if (!found || start === undefined || last === undefined) return 0;
    this.#sink.recognized();
    if (start > last) {
      this.#sink.diagnostic('start-above-last', { what: quote(line.text), start, last }, line.number);
      return found.lines;
    }
    this.#sink.fact({ kind: 'reserved', start, last, type: 'direct', origin: 'rmrr' }, line.number);
    this.#sink.diagnostic('rmrr-not-reserved', { start, last }, line.number);
    return found.lines;
  }

  #ineligible(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, INELIGIBLE_START, INELIGIBLE);
    const [, device, reason] = found?.match ?? [];
    if (!found || device === undefined || reason === undefined) return 0;
    this.#sink.fact({ kind: 'ineligible', device: normalizeLoggedDevice(device), reason }, line.number);
    return found.lines;
  }

  /** An interrupt that was refused. */
  #interrupt(line: DumpLine, ahead: Lookahead): number {
    if (!INTERRUPT.test(line.text)) return 0;
    const found = matchLongest(line, ahead, INTERRUPT, REFUSED);
    const [, device, index, number, text] = found?.match ?? [];
    const next = ahead(found?.lines ?? 1)?.text ?? '';
    const below = found && number === undefined ? INTERRUPT_REASON.exec(next)?.[1] : undefined;
    const alone = found ? undefined : INTERRUPT_REASON.exec(line.text)?.[1];
    const reason = text ?? below ?? alone ?? (number === undefined ? undefined : `fault reason ${number}`);
    this.#sink.recognized();
    this.#sink.diagnostic(
      'interrupt-refused',
      {
        device: device === undefined ? undefined : normalizeLoggedDevice(device),
        index: index === undefined ? undefined : `0x${index}`,
        reason: reason === undefined ? undefined : messageTail(reason),
      },
      line.number,
    );
    return (found?.lines ?? 1) + (below === undefined ? 0 : 1);
  }

  #alreadySet(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, ALREADY_SET_START, [ALREADY_SET]);
    const frame = parseHexAddress(found?.match[1]);
    const old = parseHexAddress(found?.match[2]);
    const wanted = parseHexAddress(found?.match[3]);
    if (!found || frame === undefined || old === undefined || wanted === undefined) return 0;
    // A frame number: the address would need more than 64 bits.
    if (frame >= 1n << 52n) return 0;
    const start = frame << 12n;
    this.#sink.recognized();
    this.#sink.diagnostic('mapping-already-set', { start, last: start + PAGE_OFFSET, old, wanted }, line.number);
    return found.lines;
  }

  #tooNarrow(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /iommu width \(/, [TOO_NARROW]);
    const address = parseHexAddress(found?.match[2]);
    if (!found || address === undefined) return 0;
    const [, width = '0'] = found.match;
    const bits = BigInt(width);
    if (bits >= 1n && bits <= 64n) {
      this.#sink.fact({ kind: 'aperture', ...range(0n, (1n << bits) - 1n) }, line.number);
    }
    this.#sink.diagnostic('address-above-width', { address, width }, line.number);
    return found.lines;
  }

  #identity(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /identity map\b/, [IDENTITY]);
    if (!found) return 0;
    const [, what, device = '', from, to] = found.match;
    const start = parseHexAddress(from);
    const end = parseHexAddress(to);
    if (start === undefined || end === undefined) return this.#damaged('identity-map', line);
    // Whole pages are mapped: an end at the start of a page is exclusive.
    const last = end > start && (end & PAGE_OFFSET) === 0n ? iova(end - 1n) : end;
    const mapped = orderedRange(start, last, quote(line.text), line.number, this.#sink);
    // `Ignoring`: the hardware passes all addresses of the device through, so nothing is mapped.
    if (mapped && what === 'Setting') {
      const name = normalizeLoggedDevice(device);
      this.#sink.fact({ kind: 'map', ...mapped, paddr: start, device: name, origin: 'kernel-log' }, line.number);
    }
    return found.lines;
  }

  #fault(line: DumpLine, ahead: Lookahead): number {
    if (!FAULT_START.test(line.text)) return 0;
    const found: FaultMatch | undefined =
      this.#withReason(line, ahead) ?? matchLongest(line, ahead, FAULT_START, [FAULT], HEX_REST);
    if (!found) return /Request device/.test(line.text) ? this.#damaged('fault', line) : 0;
    const { groups = {} } = found.match;
    const address = parseHexAddress(groups.address);
    if (address === undefined || groups.device === undefined) return this.#damaged('fault', line);
    // Pages are printed: at the end of the line an address inside of one was cut.
    const isAtEnd = found.match[0].endsWith(groups.address ?? '') && found.match.input.endsWith(found.match[0]);
    // The reason is on a line of its own.
    const isXensEnd = /\(XEN\)/.test(line.raw) && line.text.endsWith(` ${groups.address}`);
    if ((isAtEnd || isXensEnd) && (address & PAGE_OFFSET) !== 0n) return this.#damaged('fault', line);
    const pasid = parseHexAddress(groups.pasid ?? groups.pasidAfter);
    const number = groups.number ?? groups.numberOfXen;
    const text = found.reason ?? groups.text;
    const reason = text ?? (number === undefined ? undefined : `fault reason ${number}`);
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        device: normalizeLoggedDevice(groups.device),
        access: faultAccess(groups.access === 'Write'),
        ...(reason === undefined ? {} : { reason: messageTail(reason) }),
        driver: 'intel',
        ...(pasid === undefined || pasid === NO_PASID ? {} : { pasid: Number(pasid) }),
        ...timeOf(line),
      },
      line.number,
    );
    return found.lines;
  }

  /** The fault with its reason, wherever the line was broken. */
  #withReason(line: DumpLine, ahead: Lookahead): FaultMatch | undefined {
    const found = matchLongest(line, ahead, FAULT_START, [FAULT_WITH_REASON]);
    if (!found) return undefined;
    const { match, lines } = found;
    const text = messageTail(match.groups?.text ?? '');
    const rest = REASONS.includes(text) ? undefined : continuation(line, ahead, lines)?.text.trim();
    const reason = REASONS.find((known) => rest && (text + rest === known || `${text} ${rest}` === known));
    return reason === undefined ? found : { match, lines: lines + 1, reason };
  }

  #damaged(what: 'unit' | 'rmrr' | 'fault' | 'identity-map', line: DumpLine): 1 {
    this.#sink.diagnostic(`damaged-${what}`, { text: line.text }, line.number);
    return 1;
  }
}

export const KERNEL_LOG_INTEL: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogIntelReader(sink),
};
