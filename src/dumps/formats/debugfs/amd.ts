// The tables of AMD IOMMUs as debugfs shows them (/sys/kernel/debug/iommu/amd):
//
//   devtbl:   "DeviceId QWORD[3] QWORD[2] QWORD[1] QWORD[0] iommu"
//             device 4*(blank 16*hexdigit) blank iommu
//   irqtbl:   "DeviceId" device, then "IRT[" index "]" 16*hexdigit 16*hexdigit, of each entry in use
//
// Of a device table entry: bit 0 of QWORD[0] says that it is valid, bit 1 that it has page tables, bits 9 to 11 are their
// levels (0: none, addresses pass through), bits 61 and 62 permit reads and writes; the low 16 bits of QWORD[1] are the
// domain. Entries of the interrupt table have no address that a device uses.
// (drivers/iommu/amd/debugfs.c, Linux 6.17; AMD I/O Virtualization, device table entry.)
import { parseHexAddress } from '../../fields/address.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../../format.ts';

const TITLE = /^\s{0,16}DeviceId\s{1,40}QWORD\[3\]\s{1,40}QWORD\[2\]\s{1,40}QWORD\[1\]\s{1,40}QWORD\[0\]/;
const ROW = new RegExp(
  `^\\s{0,16}(${PCI_ADDRESS_PATTERN})\\s{1,16}([0-9a-f]{16})\\s{1,8}([0-9a-f]{16})\\s{1,8}([0-9a-f]{16})\\s{1,8}([0-9a-f]{16})(?:\\s{1,16}(iommu\\d{1,3}))?$`,
  'i',
);
/** A row whose numbers are not whole. */
const ROW_START = new RegExp(`^\\s{0,16}${PCI_ADDRESS_PATTERN}\\s{1,16}[0-9a-f\\ue030-\\ue066]{2}`, 'i');
const INTERRUPTS = new RegExp(`^\\s{0,16}DeviceId\\s{1,8}(${PCI_ADDRESS_PATTERN})$`);
const INTERRUPT = /^\s{0,16}IRT\[[0-9a-f]{4}\]\s{1,8}[0-9a-f]{16}(?:\s{0,4}[0-9a-f]{16}){0,1}$/i;

const VALID = 1n;
const TRANSLATION = 2n;
const LEVELS = (word: bigint) => (word >> 9n) & 7n;

class AmdDebugfsReader implements LineReader {
  readonly #sink: FactSink;
  #isTable = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.prompt) this.#isTable = false;
    if (line.elision || line.prompt) return 0;
    if (TITLE.test(line.text)) {
      this.#isTable = true;
      this.#sink.recognized();
      return 1;
    }
    const device = normalizePciAddress(INTERRUPTS.exec(line.text)?.[1] ?? '');
    if (device !== undefined || INTERRUPT.test(line.text)) {
      this.#isTable = false;
      this.#sink.recognized();
      return 1;
    }
    return this.#isTable ? this.#row(line) : 0;
  }

  #row(line: DumpLine): number {
    const [, name = '', , , second, first, iommu] = ROW.exec(line.text) ?? [];
    const device = normalizePciAddress(name);
    const low = parseHexAddress(first);
    const high = parseHexAddress(second);
    if (device === undefined || low === undefined || high === undefined) {
      if (!ROW_START.test(line.text)) return 0;
      this.#sink.diagnostic('damaged-root-table', { text: line.text }, line.number);
      return 1;
    }
    const isTranslated = (low & VALID) !== 0n && (low & TRANSLATION) !== 0n && LEVELS(low) !== 0n;
    this.#sink.fact(
      {
        kind: 'device',
        device,
        ...(iommu === undefined ? {} : { iommu: iommu.toLowerCase().replace(/^iommu0*(?=\d)/, 'ivhd') }),
        ...(isTranslated ? { domain: `0x${(high & 0xffffn).toString(16)}`, levels: Number(LEVELS(low)) } : {}),
      },
      line.number,
    );
    return 1;
  }
}

export const AMD_DEBUGFS: LineParser = { open: (_source: DumpSource, sink) => new AmdDebugfsReader(sink) };
