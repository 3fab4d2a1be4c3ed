// What QEMU says about a guest's virtual IOMMU, as messages and as trace events. Accesses that it refused:
//
//   function ": detected" what "(" ["dev=" bus:slot:function ","] "iova=" hex … ["write=" n] … ")"      intel-iommu
//   "vtd_dmar_fault" "sid" hex "fault" n "addr" hex "write" n                                            its trace
//   "vtd_err_dmar_" name ["dev" bus:slot.function] "iova" hex … ["write" n]                              old traces
//   region "translation failed for iova=" hex "(" event ")"                                              SMMUv3
//   "smmuv3_translate_abort" region "sid=" (hex | n) "abort on iova:" hex "is_write=" n                  its trace
//   "amdvi_page_fault" … hex                                                                             amd-iommu
//   "amdvi_mode_invalid error: translation level" n "translating addr" hex
//   "riscv_iommu_flt" id ": fault" bus:slot.function "reason:" hex "iova:" hex                           riscv-iommu
//
// Accesses that it translated, each in one page at least: a mapping that was there. Those of pages of 4 KiB and more are
// taken for one of 4 KiB, which is right for a part of them.
//
//   "vtd_dmar_translate" "dev" bus:slot.function "iova" hex "-> gpa" hex "mask" hex
//   "vtd_page_walk_one" … "iova" hex "-> gpa" hex "mask" hex "perm" n          told to VFIO: all of it; without permission, unmapped
//   "smmuv3_translate_success" region "sid=" (hex | n) "iova=" hex "translated=" hex "perm=" hex
//   "amdvi_" ("translation_result" | "iotlb_hit") … "devid:" bus:slot.function "gpa" hex "hpa" hex
//   "riscv_iommu_dma" id ": translate" bus:slot.function "#" n access hex "->" hex
//
// A message of VT-d about a page table names no device; the one about the same address after it does: they are one fault.
// Buses are those of the guest. (hw/i386/intel_iommu.c, amd_iommu.c, hw/arm/smmuv3.c, hw/riscv, QEMU 2.6 to 10.)
import { type Iova, iova } from '../../../iova/iova.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import { type FaultAccess, faultAccess } from '../../fields/fault-access.ts';
import { isRedacted } from '../../fields/redacted.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { HEX_REST, matchLongest } from '../../text/match-longest.ts';

const HEX = '0x[0-9a-f]{1,64}';
/** `03:00.0`, and `03:00:00` or `03:00.00` as some versions print it. */
const DEVICE = '(?<device>[0-9a-f]{2,4}:[0-9a-f]{2}[:.][0-9a-f]{1,2})';
/** In decimal before QEMU 4.1. */
const SID = '(?<sid>0x[0-9a-f]{1,8}|\\d{1,10})';
const END = '(?![\\w.…])';

interface FaultForm {
  readonly driver: string;
  readonly start: RegExp;
  /** With groups `address`, and of `device`, `sid`, `region`, `write`, `reason` and `number` those that it has. */
  readonly pattern: RegExp;
}

const FAULTS: readonly FaultForm[] = [
  {
    driver: 'intel',
    start: /\bvtd_\w{3,40}: detected\b/,
    pattern: new RegExp(
      `vtd_\\w{3,40}: detected (?<reason>[A-Za-z][\\w -]{2,60}?) ?\\(?(?:dev= ?${DEVICE}, ?)?iova= ?(?<address>${HEX})(?=[ ,)])(?:.{0,80}?write= ?(?<write>[01])(?!\\w))?`,
      'i',
    ),
  },
  {
    driver: 'intel',
    start: /\bvtd_dmar_fault sid\b/,
    pattern: new RegExp(
      `vtd_dmar_fault sid (?<sid>0x[0-9a-f]{1,4}) fault (?<number>\\d{1,3}) addr (?<address>${HEX}) write (?<write>\\d)${END}`,
    ),
  },
  {
    driver: 'intel',
    // Those about a page table go on behind the address.
    start: /\bvtd_err_dmar_\w{3,30} (?:dev|iova)\b/,
    pattern: new RegExp(
      `vtd_err_dmar_(?<reason>\\w{3,30}) (?:dev ${DEVICE} )?iova (?<address>${HEX})${END}(?<!slpte.{0,200}(?=$))(?:.{0,60}? write (?<write>[01])(?!\\w))?`,
      'i',
    ),
  },
  {
    driver: 'smmu-v3',
    start: /translation failed for iova\b/,
    pattern: new RegExp(
      `(?<region>[\\w.-]{3,80}) translation failed for iova= ?(?<address>${HEX}) ?\\((?:SMMU_EVT_)?(?<reason>\\w{3,40})\\)`,
      'i',
    ),
  },
  {
    driver: 'smmu-v3',
    start: /\bsmmuv3_translate_abort\b/,
    pattern: new RegExp(
      `smmuv3_translate_abort (?:\\S{1,80} )?sid= ?${SID} (?:abort on )?iova[:=]{1,2} ?(?<address>${HEX}) is_write= ?(?<write>[01])(?!\\w)`,
      'i',
    ),
  },
  {
    driver: 'amd',
    start: /\bamdvi_page_fault\b/,
    pattern: new RegExp(
      `amdvi_page_fault (?:error: page fault accessing guest physical address|Fault at|.{0,60}?) ?(?<address>${HEX})${END}`,
      'i',
    ),
  },
  {
    driver: 'amd',
    start: /\bamdvi_mode_invalid\b/,
    pattern: new RegExp(
      `amdvi_mode_invalid error: (?<reason>translation level) (?:0x)?\\w{1,4} translating addr (?<address>${HEX})${END}`,
    ),
  },
  {
    driver: 'riscv',
    start: /\briscv_iommu_flt\b/,
    pattern: new RegExp(
      `riscv_iommu_flt.{1,60}?\\bfault (?:\\S{1,40} )?${DEVICE} reason: ?(?<number>0x[0-9a-f]{1,4}) iova: ?(?<address>${HEX})${END}`,
      'i',
    ),
  },
];

/** What VT-d's fault numbers mean. */
const VTD_REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'Present bit in root entry is clear'],
  [2, 'Present bit in context entry is clear'],
  [3, 'Invalid context entry'],
  [4, 'Access beyond MGAW'],
  [5, 'PTE Write access is not set'],
  [6, 'PTE Read access is not set'],
  [7, 'Next page table ptr is invalid'],
  [8, 'Root table address invalid'],
  [9, 'Context table ptr is invalid'],
  [10, 'non-zero reserved fields in RTP'],
  [11, 'non-zero reserved fields in CTP'],
  [12, 'non-zero reserved fields in PTE'],
]);

/** A translation: groups `address` and `to`, and of `device`, `sid`, `mask`, `perm` those that it has. */
const TRANSLATIONS: readonly { readonly start: RegExp; readonly pattern: RegExp }[] = [
  {
    start: /\bvtd_dmar_translate dev\b/,
    pattern: new RegExp(
      `vtd_dmar_translate dev ${DEVICE} iova (?<address>${HEX}) -> gpa (?<to>${HEX}) mask (?<mask>${HEX})${END}`,
      'i',
    ),
  },
  {
    start: /\bvtd_page_walk_one\b/,
    pattern: new RegExp(
      `vtd_page_walk_one .{0,60}?iova (?<address>${HEX}) -> gpa (?<to>${HEX}) mask (?<mask>${HEX}) perm (?<perm>\\d{1,2})(?!\\w)`,
      'i',
    ),
  },
  {
    start: /\bsmmuv3_translate_success\b/,
    pattern: new RegExp(
      `smmuv3_translate_success (?:\\S{1,80} )?sid= ?${SID} iova= ?(?<address>${HEX}) translated= ?(?<to>${HEX}) perm`,
      'i',
    ),
  },
  {
    start: /\bamdvi_(?:translation_result|iotlb_hit)\b/,
    pattern: new RegExp(
      `amdvi_(?:translation_result|iotlb_hit) .{0,40}?devid:? ${DEVICE} gpa (?<address>${HEX}) hpa (?<to>${HEX})${END}`,
      'i',
    ),
  },
  {
    start: /\briscv_iommu_dma\b/,
    pattern: new RegExp(
      `riscv_iommu_dma.{1,60}? translate ${DEVICE} #\\d{1,10} \\w{1,10} (?<address>${HEX}) -> (?<to>${HEX})${END}`,
      'i',
    ),
  },
];

/** An entry of the guest's tables that is not valid, without the address of an access. */
const BAD_ENTRY =
  /\b(vtd_\w{3,40}|intel-iommu|VT-?d): ?((?:detected )?invalid (?:root|context|pasid) entry|.{0,40}?(?:reserved|rsvd) (?:fields?|bits?).{0,40}?(?:non-?zero|set)|.{0,40}?non-?zero (?:reserved|rsvd)(?: (?:fields?|bits?))?(?: in [\w -]{2,40})?)/i;
const BAD_ENTRY_START = /\b(?:vtd_\w{3,40}|intel-iommu|VT-?d): ?.{0,60}(?:invalid|reserved|rsvd)/i;
/** Recognized, without an address of a device. */
const OTHER =
  /^.{0,80}\b(?:vtd_fault_disabled|vtd_inv_\w{3,30}|vtd_reg_\w{3,30}|vtd_switch_address_space|smmuv3_(?:record_event|cmdq_\w{3,30}|config_\w{3,30}|trigger_irq)|New fault is not recorded)(?![\w])/;
const NUMBERS = /0x|[\ue030-\ue066]/i;
const TIME = /(?:^|[\s>])\d{1,10}@(\d{1,12}\.\d{1,9}):/;
const PAGE_OFFSET = 0xfffn;
/** Lines between two messages about one access. */
const SAME_MAX = 4;

class QemuViommuReader implements LineReader {
  readonly #sink: FactSink;
  /** The access of the last fault, and where it was. */
  #last: { readonly address: Iova; readonly index: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const lines = this.#fault(line, ahead) || this.#translation(line, ahead) || this.#badEntry(line, ahead);
    if (lines > 0) return lines;
    // What has an address is counted.
    if (!OTHER.test(line.text) || /0x[0-9a-f]{4}/i.test(line.text)) return 0;
    this.#sink.recognized();
    return 1;
  }

  #fault(line: DumpLine, ahead: Lookahead): number {
    for (const { driver, start, pattern } of FAULTS) {
      if (!start.test(line.text)) continue;
      const found = matchLongest(line, ahead, start, [pattern], HEX_REST);
      const groups: Groups = found?.match.groups ?? {};
      const address = parseHexAddress(groups.address);
      if (!found || address === undefined) {
        if (!NUMBERS.test(line.text) && !isRedacted(line.text)) continue;
        this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
        return 1;
      }
      const last = this.#last;
      this.#last = { address, index: line.index };
      // The same access again, in the words of a caller.
      if (last?.address === address && line.index - last.index <= SAME_MAX && driver === 'intel') {
        this.#last = undefined;
        return found.lines;
      }
      this.#emit(driver, address, groups, line, driver === 'intel' ? callerOf(address, ahead, found.lines) : undefined);
      return found.lines;
    }
    return 0;
  }

  #emit(driver: string, address: Iova, groups: Groups, line: DumpLine, caller: Groups | undefined): void {
    const device = deviceOf(groups) ?? (caller && deviceOf(caller));
    const write = groups.write ?? caller?.write;
    const access: FaultAccess | undefined = write === undefined ? undefined : faultAccess(write !== '0');
    const stamp = TIME.exec(line.raw)?.[1];
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        ...(device === undefined ? {} : { device }),
        ...(access === undefined ? {} : { access }),
        reason: `virtual IOMMU: ${reasonOf(driver, groups)}`,
        driver,
        ...(stamp === undefined ? {} : { time: Number(stamp) }),
      },
      line.number,
    );
  }

  #translation(line: DumpLine, ahead: Lookahead): number {
    for (const { start, pattern } of TRANSLATIONS) {
      if (!start.test(line.text)) continue;
      const found = matchLongest(line, ahead, start, [pattern], HEX_REST);
      const groups: Groups = found?.match.groups ?? {};
      const address = parseHexAddress(groups.address);
      const to = parseHexAddress(groups.to);
      const mask = groups.mask === undefined ? PAGE_OFFSET : parseHexAddress(groups.mask);
      // A mask is the offset in a page: all ones, 4 KiB at least.
      if (!found || address === undefined || to === undefined || mask === undefined || !isOffsetMask(mask)) {
        if (!NUMBERS.test(line.text)) continue;
        this.#sink.diagnostic('damaged-event', { what: 'trace event', text: line.text }, line.number);
        return 1;
      }
      const from = iova(address & ~mask);
      const device = deviceOf(groups);
      const stamp = TIME.exec(line.raw)?.[1];
      const isUnmap = groups.perm === '0';
      this.#sink.fact(
        {
          kind: isUnmap ? 'unmap' : 'map',
          start: from,
          last: iova(from + mask),
          ...(isUnmap ? {} : { paddr: iova(to & ~mask) }),
          ...(device === undefined ? {} : { device }),
          ...(stamp === undefined ? {} : { time: Number(stamp) }),
          origin: 'qemu',
        },
        line.number,
      );
      return found.lines;
    }
    return 0;
  }

  #badEntry(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, BAD_ENTRY_START, [BAD_ENTRY]);
    if (!found) return 0;
    const [, , what = ''] = found.match;
    this.#sink.recognized();
    this.#sink.diagnostic('viommu-entry-invalid', { what: what.trim() }, line.number);
    return found.lines;
  }
}

type Groups = Readonly<Partial<Record<string, string>>>;

function isOffsetMask(mask: bigint): boolean {
  return mask >= PAGE_OFFSET && (mask & (mask + 1n)) === 0n;
}

/** The message of the caller about the same access, which names the device. */
function callerOf(address: Iova, ahead: Lookahead, from: number): Groups | undefined {
  for (let n = from; n <= SAME_MAX; n++) {
    const text = ahead(n)?.text ?? '';
    for (const { driver, pattern } of FAULTS) {
      const groups = driver === 'intel' ? pattern.exec(text)?.groups : undefined;
      if (groups && parseHexAddress(groups.address) === address) return groups;
    }
  }
  return undefined;
}

/** The device as the guest sees it; of SMMUs the stream, or the region that has its number. */
function deviceOf({ device, sid, region }: Groups): string | undefined {
  if (device !== undefined) {
    const [, bus = '', slot = '', fn = ''] = /^(?:0{0,2})([0-9a-f]{2}):([0-9a-f]{2})[:.]0?([0-7])$/i.exec(device) ?? [];
    return fn === '' ? device : normalizeLoggedDevice(`${bus}:${slot}.${fn}`);
  }
  return sid === undefined ? region : `sid:0x${Number(sid).toString(16)}`;
}

function reasonOf(driver: string, { reason, number }: Groups): string {
  if (reason === 'translation level') return 'invalid translation level';
  if (reason !== undefined) return reason.replaceAll('_', driver === 'intel' ? ' ' : '_').trim();
  if (number === undefined) return driver === 'amd' ? 'page fault' : 'access aborted';
  return (driver === 'intel' ? VTD_REASONS.get(Number(number)) : undefined) ?? `fault ${number}`;
}

export const QEMU_VIOMMU: LineParser = {
  open: (_source: DumpSource, sink) => new QemuViommuReader(sink),
};
