// Registers of Intel VT-d as debugfs shows them, `iommu_regset`:
//
//   "IOMMU:" name "Register Base Address:" hex
//   "Name Offset Contents"
//   NAME "0x" hex "0x" 16*hexdigit
//
// CAP and ECAP are the capabilities; the address width (MGAW) minus one is in bits 21:16 of CAP. FEADDR, FEUADDR (upper
// half), FEDATA and FECTL (bit 31: masked) are the interrupt that the IOMMU sends for faults.
// (drivers/iommu/intel/debugfs.c, Linux 4.20 to 6.12; VT-d specification, register descriptions.)

import { type Iova, iova } from '../../../iova/iova.ts';
import { addressWidthOf } from '../../../uapi/vtd-capability.ts';
import { parseHexAddress } from '../../fields/address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';

const BLOCK = /^\s{0,40}IOMMU: ?([\w.-]{1,40})\s{1,8}Register Base Address: ?(?:0x)?([0-9a-f]{1,64})$/i;
const TITLE = /^\s{0,40}Name\s{1,40}Offset\s{1,40}Contents$/;
/** The kernel prints all sixteen digits, and the offset with two or more. */
const REGISTER =
  /^\s{0,40}([A-Z][A-Z0-9_]{1,24})\s{1,40}0x[0-9a-f]{1,4}\s{1,40}(0x\S{0,64}|\S{1,64}|0x\S{1,16} [0-9a-f ]{4,64})$/i;
const CONTENTS = /^0x([0-9a-f]{16})$/i;
const KEPT = new Set(['CAP', 'ECAP', 'FEADDR', 'FEUADDR', 'FEDATA', 'FECTL']);
const MASKED = 1n << 31n;

interface Block {
  readonly name: string;
  readonly line: number;
  /** A register without a value is malformed. */
  readonly registers: Map<string, { readonly value: Iova | undefined; readonly line: number }>;
}

class IntelRegistersReader implements LineReader {
  readonly #sink: FactSink;
  #block: Block | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (line.prompt) {
      this.#close();
      return 0;
    }
    const taken = this.#begin(line) || this.#register(line) || (this.#block && TITLE.test(line.text) ? 1 : 0);
    // Other text follows: emit the facts of the block first.
    if (taken > 0 && !goesOn(ahead(1))) this.#close();
    return taken;
  }

  end(): void {
    this.#close();
  }

  #begin(line: DumpLine): number {
    const [, name, base] = BLOCK.exec(line.text) ?? [];
    if (name === undefined) return 0;
    this.#close();
    if (parseHexAddress(base) === undefined) this.#damaged(line);
    this.#block = { name, line: line.number, registers: new Map() };
    return 1;
  }

  #register(line: DumpLine): number {
    const [, text, contents = ''] = this.#block ? (REGISTER.exec(line.text) ?? []) : [];
    const name = text?.toUpperCase();
    if (name === undefined) return 0;
    const value = parseHexAddress(CONTENTS.exec(contents)?.[1]);
    if (value === undefined) this.#damaged(line);
    if (KEPT.has(name)) this.#block?.registers.set(name, { value, line: line.number });
    return 1;
  }

  #close(): void {
    const block = this.#block;
    this.#block = undefined;
    if (!block) return;
    const { name, registers } = block;
    const cap = registers.get('CAP')?.value;
    const ecap = registers.get('ECAP')?.value;
    this.#sink.fact(
      {
        kind: 'iommu',
        name,
        driver: 'intel',
        ...(cap === undefined ? {} : { address_width: addressWidthOf(cap), cap }),
        ...(ecap === undefined ? {} : { ecap }),
      },
      block.line,
    );
    const low = registers.get('FEADDR');
    const high = registers.get('FEUADDR') ?? { value: 0n };
    if (!low?.value || high.value === undefined) return;
    const upper = high.value;
    const data = registers.get('FEDATA')?.value;
    const control = registers.get('FECTL')?.value;
    this.#sink.fact(
      {
        kind: 'msi_message',
        device: name,
        address: iova(BigInt.asUintN(64, (upper << 32n) | low.value)),
        ...(data === undefined ? {} : { data }),
        ...(control === undefined ? {} : { enabled: (control & MASKED) === 0n }),
      },
      low.line,
    );
  }

  #damaged(line: DumpLine): void {
    this.#sink.diagnostic('damaged-register', { text: line.text }, line.number);
  }
}

function goesOn(next: DumpLine | undefined): boolean {
  return next !== undefined && (next.elision || REGISTER.test(next.text) || TITLE.test(next.text));
}

export const INTEL_DEBUGFS_REGISTERS: LineParser = {
  open: (_source: DumpSource, sink) => new IntelRegistersReader(sink),
};
