// Intel VT-d in kernel logs. Around each message, a prefix that changed with the versions (`DMAR: `, `dmar: `, `DMAR:`,
// `IOMMU: `, none, Xen's `[VT-D]`); of the messages
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
//   reason   = "[fault reason" number "]" text                  once a line of its own behind another prefix
//            | "DMAR: reason" number "-" text                   Xen
//   "[INTR-REMAP] Request device [" device "] fault index" …    about an interrupt: no address
//   "Setting identity map for device" device "[0x" hex "- 0x" hex "]"     the end inclusive, exclusive before 2.6.32
//
// (drivers/iommu/intel/dmar.c and iommu.c, Linux 2.6.30 to 6.12.)
import { range } from '../../../iova/range.ts';
import { addressWidthOf } from '../../../uapi/vtd-capability.ts';
import { quote } from '../../diagnostics.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';
import { DEVICE_NAME, logDevice, type Matched, matchWrapped, parseAddress } from './shared.ts';

const HEX = '(?:0[xX])?[0-9a-fA-F]{1,64}';
const HEX_REST = /^[0-9a-fA-F]{1,15}$/;
const NO_REST = /(?!)/;

const WIDTH = /Host address width ?(\d{1,3})(?![\w.])/;
const UNIT =
  /(?:dmar|IOMMU )(\d{1,4}): ?reg_base_addr (?:0x)?[0-9a-f]{1,16},? ver [\da-f]{1,4}:[\da-f]{1,4} cap (?:0x)?([0-9a-f]{1,64}) ecap (?:0x)?([0-9a-f]{1,64})/i;
const RMRR = /RMRR base: ?0x([0-9a-f]{1,64}) {1,4}end: ?0x([0-9a-f]{1,64})(?!\w)/i;
const UNCOVERED = new RegExp(`No firmware reserved region can cover this RMRR ?\\[ ?(${HEX}) ?- ?(${HEX}) ?\\]`);
const INELIGIBLE = new RegExp(
  `(?<![\\w.:@-])(${DEVICE_NAME}?): ?(?:DMAR: ?)?((?:Device is ineligible for IOMMU domain attach due to platform RMRR requirement)|(?:Firmware has requested this device have a 1:1 IOMMU mapping(?:, rejecting configuring the device without a 1:1 mapping)?))`,
);
const INELIGIBLE_START = /Device is\b|Firmware has\b/;
const IDENTITY = new RegExp(
  `(Setting|Ignoring) identity map for (?:HW passthrough )?device (${DEVICE_NAME}) \\[(${HEX}) ?- ?(${HEX}) ?\\]`,
);
const TOO_NARROW = /iommu width \((\d{1,3})\) is not sufficient for the mapped address \((?:0x)?([0-9a-f]{1,64})\)/;

const PASID = `(?:NO_PASID|PASID ?(${HEX}))`;
const REQUEST = `\\[DMA (Read|Write)(?: ${PASID})? ?\\] ?Request device \\[{1,2} ?([0-9a-fA-FxX:.]{4,24}) ?\\] ?(?:${PASID} )?fault addr:? ?(${HEX})`;
const REASON =
  ' {0,4},?(?: ?iommu reg = \\S{1,40})? {0,4}(?:DMAR: ?)?(?:\\[fault reason (?:0x)?([0-9a-f]{1,4})h? ?\\]|reason (?:0x)?([0-9a-f]{1,4}) -) {0,4}([^\\s].{0,200})?$';
const FAULT = new RegExp(REQUEST);
const FAULT_WITH_REASON = new RegExp(REQUEST + REASON, 'i');
const FAULT_START = /\[DMA (?:Read|Write)|\[DMA$/;
const INTERRUPT = /INTR-REMAP\S{0,3} {0,2}(?:Request device|\[fault reason)|fault index [0-9a-fx]/;
const STATUS = /DRHD: handling fault status reg/;
/** Lines of the same driver that hold nothing for a layout. */
const OTHER =
  /DRHD base: ?0x[0-9a-f]+ {1,4}flags|(?:IOAPIC|HPET) id \d{1,4} under DRHD base|ATSR flags: ?0x|No ATSR found|RHSA base: ?0x|DMAR(?:-IR)?: ?(?:Queued invalidation|Enabled IRQ remapping|IOMMU (?:enabled|feature|batching)|dmar\d{1,4}: Using (?:Queued|Register)|x2apic is disabled|Use 'intremap|Intel\(R\) Virtualization Technology|Skip IOMMU disabling)/;

/** Texts that a mail program may have broken, to see where they end. */
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

/** What old kernels print for a request without a PASID. */
const NO_PASID = 0xffffffffn;

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
      (INTERRUPT.test(line.text) || STATUS.test(line.text) || OTHER.test(line.text) ? 1 : 0)
    );
  }

  #width(line: DumpLine, ahead: Lookahead): number {
    const found = matchWrapped(line, ahead, /Host address/, WIDTH, NO_REST);
    const bits = Number(found?.match[1]);
    if (!found || bits < 1 || bits > 64) return 0;
    this.#sink.fact({ kind: 'host', address_width: bits }, line.number);
    return found.lines;
  }

  #unit(line: DumpLine, ahead: Lookahead): number {
    const found = matchWrapped(line, ahead, /reg_base_addr|(?:dmar|IOMMU )\d{1,4}:$/i, UNIT, HEX_REST);
    if (!found) return /reg_base_addr [0-9a-f]/.test(line.text) ? this.#damaged('unit', line) : 0;
    const cap = parseAddress(found.match[2]);
    const ecap = parseAddress(found.match[3]);
    if (cap === undefined || ecap === undefined) return this.#damaged('unit', line);
    const name = `dmar${Number(found.match[1])}`;
    const bits = addressWidthOf(cap);
    this.#sink.fact({ kind: 'iommu', name, driver: 'intel', address_width: bits, cap, ecap }, line.number);
    return found.lines;
  }

  #rmrr(line: DumpLine, ahead: Lookahead): number {
    let found = matchWrapped(line, ahead, /RMRR\b/, RMRR, HEX_REST);
    if (!found) return /RMRR base: ?0x/.test(line.text) ? this.#damaged('rmrr', line) : 0;
    // Both are printed equally wide: digits on the next line are the rest only if that makes them so.
    const alone = found.lines === 2 ? RMRR.exec(line.text) : null;
    if (alone && found.match[1]?.length !== found.match[2]?.length) found = { match: alone, lines: 1 };
    const [, from = '', to = ''] = found.match;
    if (to.length < from.length) return this.#damaged('rmrr', line);
    const start = parseAddress(from);
    const last = parseAddress(to);
    if (start === undefined || last === undefined) return this.#damaged('rmrr', line);
    if (start > last) {
      this.#sink.diagnostic('start-above-last', { what: quote(line.text), start, last }, line.number);
      return found.lines;
    }
    this.#sink.fact({ kind: 'reserved', start, last, type: 'direct', origin: 'rmrr' }, line.number);
    return found.lines;
  }

  #uncovered(line: DumpLine, ahead: Lookahead): number {
    const found = matchWrapped(line, ahead, /No firmware/, UNCOVERED, NO_REST);
    const start = parseAddress(found?.match[1]);
    const last = parseAddress(found?.match[2]);
    if (!found || start === undefined || last === undefined) return 0;
    this.#sink.recognized();
    this.#sink.diagnostic('rmrr-not-reserved', { start, last }, line.number);
    return found.lines;
  }

  #ineligible(line: DumpLine, ahead: Lookahead): number {
    if (!INELIGIBLE_START.test(line.text)) return 0;
    // The longer form first: the end of the sentence may stand on the next lines.
    const found = this.#wholeSentence(line, ahead) ?? matchWrapped(line, ahead, INELIGIBLE_START, INELIGIBLE, NO_REST);
    const [, device, reason] = found?.match ?? [];
    if (!found || device === undefined || reason === undefined) return 0;
    this.#sink.fact({ kind: 'ineligible', device: logDevice(device), reason }, line.number);
    return found.lines;
  }

  #wholeSentence(line: DumpLine, ahead: Lookahead): Matched | undefined {
    const parse = (text: string) => {
      const match = INELIGIBLE.exec(text);
      return match && /(?:requirement|without a 1:1 mapping)$/.test(match[0]) ? match : undefined;
    };
    const alone = parse(line.text);
    if (alone) return { match: alone, lines: 1 };
    const joined = joinWrapped(line, ahead, 3, parse);
    return joined && { match: joined.value, lines: joined.lines };
  }

  #tooNarrow(line: DumpLine, ahead: Lookahead): number {
    const found = matchWrapped(line, ahead, /iommu width \(/, TOO_NARROW, NO_REST);
    const address = parseAddress(found?.match[2]);
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
    const found = matchWrapped(line, ahead, /identity map\b/, IDENTITY, NO_REST);
    if (!found) return 0;
    const [, what, device = '', from, to] = found.match;
    const start = parseAddress(from);
    const end = parseAddress(to);
    if (start === undefined || end === undefined) return this.#damaged('identity-map', line);
    // Whole pages are mapped: an end at the start of a page is the address behind the last.
    const last = end > start && (end & 0xfffn) === 0n ? parseAddress((end - 1n).toString(16)) : end;
    if (last === undefined || start > last) {
      this.#sink.diagnostic('start-above-last', { what: quote(line.text), start, last: end }, line.number);
      return found.lines;
    }
    // Ignored: the hardware passes all addresses of the device through, and nothing is mapped.
    if (what === 'Setting') {
      const name = logDevice(device);
      this.#sink.fact({ kind: 'map', start, last, paddr: start, device: name, origin: 'kernel-log' }, line.number);
    }
    return found.lines;
  }

  #fault(line: DumpLine, ahead: Lookahead): number {
    if (!FAULT_START.test(line.text)) return 0;
    const whole = this.#withReason(line, ahead) ?? matchWrapped(line, ahead, FAULT_START, FAULT, HEX_REST);
    if (!whole) return /Request device/.test(line.text) ? this.#damaged('fault', line) : 0;
    const { match } = whole;
    const [, access = '', before, device = '', behind, digits, number, other = number, text] = match;
    const address = parseAddress(digits);
    if (address === undefined) return this.#damaged('fault', line);
    const pasid = parseAddress(before ?? behind);
    const reason = text ?? (other === undefined ? undefined : `fault reason ${other}`);
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        device: logDevice(device),
        access: access.toLowerCase(),
        ...(reason === undefined ? {} : { reason: reason.trim() }),
        driver: 'intel',
        ...(pasid === undefined || pasid === NO_PASID ? {} : { pasid: Number(pasid) }),
      },
      line.number,
    );
    return whole.lines;
  }

  /** The fault with its reason, wherever the line was broken; a text cut short is completed if it is a known one. */
  #withReason(line: DumpLine, ahead: Lookahead): Matched | undefined {
    const alone = FAULT_WITH_REASON.exec(line.text);
    const joined = alone
      ? undefined
      : joinWrapped(line, ahead, 3, (text) => {
          const match = FAULT_WITH_REASON.exec(text);
          return match && match.index < line.text.length ? match : undefined;
        });
    const match = alone ?? joined?.value;
    const lines = joined?.lines ?? 1;
    if (!match) return undefined;
    const text = match[8]?.trim() ?? '';
    const rest = REASONS.includes(text) ? undefined : continuation(line, ahead, lines)?.text.trim();
    const known = REASONS.find((reason) => rest && (text + rest === reason || `${text} ${rest}` === reason));
    if (known === undefined) return { match, lines };
    match[8] = known;
    return { match, lines: lines + 1 };
  }

  #damaged(what: 'unit' | 'rmrr' | 'fault' | 'identity-map', line: DumpLine): number {
    this.#sink.diagnostic(`damaged-${what}`, { text: line.text }, line.number);
    return 1;
  }
}

export const KERNEL_LOG_INTEL: LineFormat = {
  kind: 'lines',
  name: 'kernel-log-intel',
  title: 'Kernel log: Intel VT-d',
  interest:
    /DRHD|ATSR|RHSA|DMAR-IR: |DMAR: |Host address|reg_base_addr|dmar\d{1,4}:$|RMRR|No firmware|Device is inel|Firmware has|iommu width|\[DMA|INTR-REMAP|fault index|handling fault|identity map/,
  open: (_source: DumpSource, sink) => new KernelLogIntelReader(sink),
};
