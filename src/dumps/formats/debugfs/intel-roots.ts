// Root and interrupt tables of Intel VT-d as debugfs shows them.
//
// `dmar_translation_struct`; numbers of 64 bits, "0x" 16*hexdigit, the upper one first:
//   "IOMMU" name ": Root Table Address:" hex
//   "B.D.F Root_entry Context_entry PASID PASID_table_entry"
//   bb:dd.f root "0x…:0x…"  context "0x…:0x…"  pasid  entry "0x…:0x…:0x…"
// In legacy mode the PASID is -1. In a legacy context entry, bits 2:0 of the upper word are the address width (1: 39,
// 2: 48, 3: 57 bits), bits 3:2 of the lower word the type of translation: 0 and 1 use page tables, 2 passes through.
// A row may take several lines, with the title of each part above it.
//
// `ir_translation_struct`: "Remapped" | "Posted" "Interrupt supported on IOMMU:" name, "IR table address:" hex, and rows
// of interrupts, which have no address that a device writes to.
// (drivers/iommu/intel/debugfs.c, Linux 5.0 to 6.12; VT-d specification, context entry.)

import type { Iova } from '../../../iova/iova.ts';
import { rangeOfBits } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { continuation } from '../../text/wrapped.ts';

const ROOT = /^\s{0,40}IOMMU:? ?([\w.-]{1,40}): ?Root Table Address: ?(?:0x)?([0-9a-f]{1,64})$/i;
const TITLE = /^\s{0,40}(?:(?:B\.D\.F|Root_entry|Context_entry|PASID|PASID_table_entry)(?:\s{1,40}|$)){1,5}$/;
const DEVICE = /^\s{0,40}[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\s|$)/i;
const WORD = '0x[0-9a-f]{16}';
const PARTS = new RegExp(`\\s{0,40}(?:(${WORD}):(${WORD})(:${WORD})?|(-?\\d{1,7})|\\([^()]{1,60}\\))(?=\\s|$)`, 'iy');
/** An entry whose rest is on the next line. */
const CUT = /(?:^|\s)(0x?|0x[0-9a-f]{1,16}|(?:0x[0-9a-f]{16}:){1,2}(?:0|0x[0-9a-f]{0,15})?)$/i;

const WHOLE = /(?:^|\s)(0x[0-9a-f]{16}(?::0x[0-9a-f]{16})?)$/i;

const INTERRUPTS = /^\s{0,40}(?:Remapped|Posted) Interrupt supported on IOMMU: ?([\w.-]{1,40})$/i;
const INTERRUPT_TABLE = /^\s{0,40}IR table address: ?(?:0x)?[0-9a-f]{1,16}$/i;
const INTERRUPT_TITLE = /^\s{0,40}Entry\s{1,8}SrcID\s{1,8}(?:DstID|PDA_high)\b/;
const INTERRUPT_ROW =
  /^\s{0,40}\d{1,6}\s{1,8}[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\s{1,8}[0-9a-f]{8}\s{1,8}(?:[0-9a-f]{8}\s{1,8})?[0-9a-f]{2}\s{1,8}[0-9a-f]{16}(\s{1,8}[0-9a-f]{16})?$/i;

/** Address bits by the width field of a context entry. */
const WIDTHS: ReadonlyMap<bigint, number> = new Map([
  [1n, 39],
  [2n, 48],
  [3n, 57],
]);
/** The largest type of translation that uses page tables. */
const TRANSLATED_MAX = 1n;

/** The current row, as far as it was read. */
interface Row {
  readonly line: number;
  root: boolean;
  context: { readonly upper: Iova; readonly lower: Iova } | undefined;
}

class IntelRootsReader implements LineReader {
  readonly #sink: FactSink;
  readonly #named = new Set<string>();
  readonly #apertures = new Set<string>();
  #iommu: string | undefined;
  #row: Row | undefined;
  #cut = '';
  /** The line whose rest `#cut` waits for. */
  #cutLine: DumpLine | undefined;
  #interrupts = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || line.elision) {
      this.end();
      this.#row = undefined;
      return 0;
    }
    return (
      this.#root(line) || this.#interruptLine(line, ahead) || (this.#iommu === undefined ? 0 : this.#entry(line, ahead))
    );
  }

  /** The rest of a line that was cut does not come any more. */
  end(): void {
    if (this.#cut !== '' && this.#cutLine) this.#damaged(this.#cutLine);
    this.#cut = '';
  }

  #root(line: DumpLine): number {
    const [, name, address] = ROOT.exec(line.text) ?? [];
    if (name === undefined) return 0;
    this.#name(name, line.number);
    this.#iommu = name;
    this.end();
    this.#row = undefined;
    if (parseHexAddress(address) === undefined) this.#damaged(line);
    return 1;
  }

  #name(name: string, line: number): void {
    if (this.#named.has(name)) return;
    this.#named.add(name);
    this.#sink.fact({ kind: 'iommu', name, driver: 'intel' }, line);
  }

  #interruptLine(line: DumpLine, ahead: Lookahead): number {
    const name = INTERRUPTS.exec(line.text)?.[1];
    if (name !== undefined) {
      this.#name(name, line.number);
      this.#interrupts = true;
      this.#iommu = undefined;
      return 1;
    }
    if (!this.#interrupts) return 0;
    const row = INTERRUPT_ROW.exec(line.text);
    if (row)
      return row[1] === undefined && /^[0-9a-f]{16}$/i.test(continuation(line, ahead)?.text.trim() ?? '') ? 2 : 1;
    return INTERRUPT_TABLE.test(line.text) || INTERRUPT_TITLE.test(line.text) ? 1 : 0;
  }

  #entry(line: DumpLine, ahead: Lookahead): number {
    if (TITLE.test(line.text)) return 1;
    const device = DEVICE.exec(line.text);
    if (device) {
      this.end();
      this.#row = { line: line.number, root: false, context: undefined };
    }
    if (!this.#row) return 0;
    // The rest of an entry that was broken on the line before.
    let text = this.#cut + (device ? line.text.slice(device[0].length) : line.text.trim());
    const next = continuation(line, ahead)?.text.trim() ?? '';
    this.#cut = (next.startsWith(':') ? WHOLE : CUT).exec(text)?.[1] ?? '';
    // A PASID of 0, unless its `x` is on the next line.
    if (this.#cut === '0' && !/^x/i.test(next)) this.#cut = '';
    if (this.#cut !== '') {
      text = text.slice(0, -this.#cut.length);
      this.#cutLine = line;
    }
    PARTS.lastIndex = 0;
    let end = 0;
    for (let part = PARTS.exec(text); part; part = PARTS.exec(text)) {
      end = PARTS.lastIndex;
      this.#part(part);
    }
    if (text.slice(end).trim() === '') return 1;
    if (!device) return 0;
    this.#damaged(line);
    this.#row = undefined;
    return 1;
  }

  #part([, first, second, third, pasid]: RegExpExecArray): void {
    const row = this.#row;
    if (!row || third !== undefined) return;
    if (pasid !== undefined) {
      if (Number(pasid) === -1) this.#aperture(row);
      return;
    }
    const upper = parseHexAddress(first);
    const lower = parseHexAddress(second);
    if (!row.root) row.root = true;
    else if (upper !== undefined && lower !== undefined) row.context ??= { upper, lower };
  }

  #aperture({ context, line }: Row): void {
    const iommu = this.#iommu;
    const present = context && (context.lower & 1n) !== 0n && ((context.lower >> 2n) & 3n) <= TRANSLATED_MAX;
    const width = context && present ? WIDTHS.get(context.upper & 7n) : undefined;
    if (width === undefined || iommu === undefined || this.#apertures.has(`${iommu} ${width}`)) return;
    this.#apertures.add(`${iommu} ${width}`);
    this.#sink.fact({ kind: 'aperture', ...rangeOfBits(width), iommu }, line);
  }

  #damaged(line: DumpLine): void {
    this.#sink.diagnostic('damaged-root-table', { text: line.text }, line.number);
  }
}

export const INTEL_DEBUGFS_ROOTS: LineParser = {
  open: (_source: DumpSource, sink) => new IntelRootsReader(sink),
};
