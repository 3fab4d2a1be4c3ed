// What only Xen prints about the IOMMUs of its host; the formats of Linux read what both print (the host's address width,
// faults). `(XEN) ` is removed before; debug builds print the file and line before the message.
//
//   "[VT-D]" …
//     "found ACPI_DMAR_" table ":"                              a table starts
//     "endpoint: " device | "bridge: " device …                 its devices
//     "drhd->address = " hex " iommu->reg = " hex               one IOMMU, numbered from 0 in this order
//     "cap = " hex " ecap = " hex                               of it
//     "RMRR region: base_addr " hex " end_addr" ["ess"] " " hex  both ends inclusive
//     "RMRR address range " hex ".." hex " not in reserved memory" | … "not in reserved memory base = " hex " end = " hex
//     "Ignore the RMRR (" hex ", " hex ") due to …" | "The RMRR (" hex ", " hex ") is incorrect!"
//   "AMD-Vi: IVMD Block: type " type " phys " hex " len " hex
//   "AMD-Vi: IVMD Block: Type " type, "Start_Addr_Phys " hex, "Mem_Length " hex, on a line each    Xen 3 and 4.0
//   "smmu: /node: Stage-2: " n "-bit IPA -> " n "-bit PA"
//
// (drivers/passthrough/vtd/dmar.c and iommu.c, amd/iommu_acpi.c, arm/smmu.c of Xen 3.4 to 4.19.)

import type { IovaRange } from '../../../iova/range.ts';
import { addressWidthOf } from '../../../uapi/vtd-capability.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizePciAddress } from '../../fields/pci-address.ts';
import { rangeOfEnds, rangeOfSize } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';

const HEX = '(?:0x)?([0-9a-fA-F]{1,64})';
const DIGITS = /^[0-9a-f]{1,15}\)?$/i;
const TABLE = /found ACPI_DMAR_[A-Z]{3,8}:?/;
const SCOPE =
  /\[VT-D\]\S{0,40} {0,4}(endpoint|bridge): ?(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])(?!\w)/i;
const OTHER = /\[VT-D\]\S{0,40} {0,4}(?:dmaru->address = |IOAPIC: |MSI HPET: |flags: |drhd->address = )/;
const UNIT = /drhd->address = /;
const CAP = new RegExp(`\\[VT-D\\]\\S{0,40} {0,4}cap = ${HEX} {1,4}ecap = ${HEX}(?=$|,|\\s(?![0-9a-f]{2,5}\\b))`);
const RMRR = new RegExp(`RMRR region: {0,4}base_addr(?:ess)? {0,4}${HEX} {1,4}end_addr(?:ess)? {0,4}${HEX}(?!\\w)`);
const UNRESERVED: readonly RegExp[] = [
  new RegExp(`RMRR address range ${HEX} ?\\.\\. ?${HEX} not in reserved memory`),
  new RegExp(`RMRR address range not in reserved memory base = ${HEX} end = ${HEX}(?!\\w)`),
];
const IGNORED = new RegExp(`(Ignore|The) (?:the )?RMRR \\(${HEX}, ?${HEX}\\)(?: due| is incorrect)?`);
const ABSENT = /Non-existent device \(([0-9a-f:.]{5,20})\)/;
const IVMD = new RegExp(`IVMD Block: type (0x[0-9a-f]{1,4}) phys ${HEX} len ${HEX}(?!\\w)`);
const OLD_IVMD = /IVMD Block: Type (0x[0-9a-f]{1,4})$/;
const OLD_START = new RegExp(`Start_Addr_Phys ${HEX}(?!\\w)`);
const OLD_LENGTH = new RegExp(`Mem_Length ${HEX}(?!\\w)`);
const STAGE_2 = /\bsmmu: (\/[\w/@.,-]{1,100}): {0,4}Stage-2: (\d{1,2})-bit IPA -> \d{1,2}-bit PA/;

class KernelLogXenReader implements LineReader {
  readonly #sink: FactSink;
  #endpoints: string[] = [];
  #bridges: string[] = [];
  #units = -1;
  /** A block of Xen 3 or 4.0, which takes several lines. */
  #oldBlock: { readonly line: number; start?: string | undefined } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return (
      this.#table(line) ||
      this.#unit(line, ahead) ||
      this.#rmrr(line, ahead) ||
      this.#about(line, ahead) ||
      this.#ivmd(line, ahead) ||
      this.#smmu(line, ahead) ||
      (OTHER.test(line.text) ? 1 : 0)
    );
  }

  #table(line: DumpLine): number {
    if (TABLE.test(line.text)) {
      this.#endpoints = [];
      this.#bridges = [];
      return 1;
    }
    const [, what, domain = '0', bus = '', slot = '', part = ''] = SCOPE.exec(line.text) ?? [];
    if (what === undefined) return 0;
    const device = normalizePciAddress(
      `${domain.padStart(4, '0')}:${bus.padStart(2, '0')}:${slot.padStart(2, '0')}.${part}`,
    );
    const list = what === 'bridge' ? this.#bridges : this.#endpoints;
    if (device !== undefined && list.length < 64) list.push(device);
    return 1;
  }

  #unit(line: DumpLine, ahead: Lookahead): number {
    if (UNIT.test(line.text)) {
      this.#units++;
      return 1;
    }
    const found = matchLongest(line, ahead, /\bcap = /, [CAP], DIGITS);
    const cap = parseHexAddress(found?.match[1]);
    const ecap = parseHexAddress(found?.match[2]);
    if (!found || cap === undefined || ecap === undefined) return 0;
    const name = `dmar${Math.max(this.#units, 0)}`;
    const bits = addressWidthOf(cap);
    this.#sink.fact({ kind: 'iommu', name, driver: 'intel', address_width: bits, cap, ecap }, line.number);
    return found.lines;
  }

  #rmrr(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /RMRR region:|RMRR$/, [RMRR], DIGITS);
    if (!found) return 0;
    const range = rangeOfEnds(found.match[1], found.match[2], line, this.#sink);
    if (range) this.#reserved(range, 'rmrr', line.number);
    return found.lines;
  }

  /** One fact for each device of the table, or one without a device. */
  #reserved(range: IovaRange, origin: 'rmrr' | 'ivmd', line: number): void {
    const named = this.#endpoints.length > 0 ? this.#endpoints : this.#bridges;
    const devices = origin === 'rmrr' && named.length > 0 ? named : [undefined];
    for (const device of devices) {
      const owner = device === undefined ? {} : { device };
      this.#sink.fact(
        { kind: 'reserved', start: range.start, last: range.last, type: 'direct', origin, ...owner },
        line,
      );
    }
  }

  #about(line: DumpLine, ahead: Lookahead): number {
    const unreserved = matchLongest(line, ahead, /RMRR address range/, UNRESERVED, DIGITS);
    if (unreserved) {
      const range = rangeOfEnds(unreserved.match[1], unreserved.match[2], line, this.#sink);
      if (range) {
        this.#sink.recognized();
        this.#sink.diagnostic('rmrr-not-reserved', range, line.number);
      }
      return unreserved.lines;
    }
    const ignored = matchLongest(line, ahead, /Ignore the RMRR|The RMRR/, [IGNORED]);
    if (ignored) {
      const [, how, from, to] = ignored.match;
      const rmrr = { start: parseHexAddress(from) ?? 0n, last: parseHexAddress(to) ?? 0n };
      this.#sink.recognized();
      this.#sink.diagnostic(how === 'Ignore' ? 'rmrr-ignored' : 'rmrr-incorrect', rmrr, line.number);
      return ignored.lines;
    }
    if (!ABSENT.test(line.text)) return 0;
    this.#sink.recognized();
    return 1;
  }

  #ivmd(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /IVMD Block: type/, [IVMD], DIGITS);
    if (found) {
      const range = rangeOfSize(found.match[2], found.match[3], line, this.#sink);
      if (range) this.#reserved(range, 'ivmd', line.number);
      return found.lines;
    }
    if (OLD_IVMD.test(line.text)) {
      this.#oldBlock = { line: line.number };
      return 1;
    }
    if (!this.#oldBlock) return 0;
    const start = OLD_START.exec(line.text)?.[1];
    if (start !== undefined) {
      this.#oldBlock.start = start;
      return 1;
    }
    const length = OLD_LENGTH.exec(line.text)?.[1];
    if (length === undefined) return 0;
    const range =
      this.#oldBlock.start === undefined ? undefined : rangeOfSize(this.#oldBlock.start, length, line, this.#sink);
    if (range) this.#reserved(range, 'ivmd', this.#oldBlock.line);
    this.#oldBlock = undefined;
    return 1;
  }

  #smmu(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /\bsmmu: \//, [STAGE_2]);
    const [, name, bits] = found?.match ?? [];
    if (!found || name === undefined || bits === undefined) return 0;
    this.#sink.fact({ kind: 'iommu', name, driver: 'smmu-v2', address_width: Number(bits) }, line.number);
    return found.lines;
  }
}

export const KERNEL_LOG_XEN: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogXenReader(sink),
};
