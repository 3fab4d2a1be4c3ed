// `/proc/iomem`: the ranges of the host's physical address space, nested ones below the range that contains them.
//
//   line = [path ":"] *"  " address "-" address " : " name        two blanks a level; both ends inclusive
//   address = 8*16 hexdigit                                       `/proc/ioports`, which is not read, has four
//
// (r_show in kernel/resource.c.) The indentation of the whole dump, as of code in a text, is ignored. Without privilege
// the kernel prints all addresses as zero.
import { rangeOfEnds } from '../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../format.ts';
import { joinWrapped } from '../text/wrapped.ts';

const LINE = /^(?:\S{0,200}iomem:(?:\d{1,6}:)?)?([ \t]{0,64})([0-9a-fA-F]{8,64})-([0-9a-fA-F]{8,64}) : (\S.{0,200})$/;
/** A line that a mail program broke after an address or the colon. */
const PARTIAL = /^(?:\S{0,200}iomem:)?[ \t]{0,64}[0-9a-fA-F]{8,64}-(?:[0-9a-fA-F]{1,64}(?: :)?)?$/;
const ZEROS = /^0+$/;

/** Blanks before code in a text. */
const CODE_INDENT = 4;
const TAB_WIDTH = 8;

type WindowType = 'ram' | 'pci' | 'ecam' | 'mmio' | 'reserved' | 'other';

const TYPES: readonly (readonly [type: WindowType, names: RegExp])[] = [
  ['ram', /^System RAM\b/i],
  ['reserved', /^reserved$/i],
  ['ecam', /\b(?:ECAM|MMCONFIG|MMCFG)\b|\.pcie config$/i],
  ['pci', /^PCI(?:e|-X)? Bus\b|^pcie?@[0-9a-f]+$/i],
  [
    'other',
    /^(?:Kernel|Crash kernel|ACPI|Video ROM|System ROM|Adapter ROM|Video RAM|Persistent Memory|Soft Reserved|Unusable|Unknown|Unaddressable|namespace\d|dax\d|CXL Window|Graphics Stolen|RAM buffer|Ram Buffer|EFI|device tree)/i,
  ],
];

/** Ranges within memory are memory too, not devices. */
const MEMORY = /^(?:System RAM|Persistent Memory|Soft Reserved|CXL Window)\b/i;

interface Row {
  readonly indent: number;
  readonly start: string;
  readonly last: string;
  readonly name: string;
}

class IomemReader implements LineReader {
  readonly #sink: FactSink;
  /** The indentation of the current block as a whole, and the index of its last line. */
  #base = 0;
  #index = -2;
  /** Indentation of the memory that may contain the ranges of the lines below. */
  #memory: number | undefined;
  #hidden = false;
  #elided = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) {
      // The rest has the same indentation.
      if (line.index === this.#index + 1) this.#index = line.index;
      this.#elided = true;
      return 0;
    }
    if (line.prompt) return 0;
    const alone = readRow(line.text);
    const joined = alone || !PARTIAL.test(line.text) ? undefined : joinWrapped(line, ahead, 2, readRow);
    const row = alone ?? joined?.value;
    if (!row) return 0;
    const lines = joined?.lines ?? 1;
    if (line.index !== this.#index + 1) {
      this.#base = baseOf(row, ahead);
      this.#memory = undefined;
    }
    if (this.#elided) this.#memory = undefined;
    this.#elided = false;
    this.#index = line.index + lines - 1;
    this.#window(row, line);
    return lines;
  }

  #window(row: Row, line: DumpLine): void {
    if (ZEROS.test(row.start) && ZEROS.test(row.last)) {
      if (!this.#hidden) {
        this.#sink.diagnostic('addresses-hidden', {}, line.number);
      }
      this.#hidden = true;
      return;
    }
    const range = rangeOfEnds(row.start, row.last, line, this.#sink);
    if (!range) return;
    if (row.indent < this.#base) this.#base = row.indent;
    if (this.#memory !== undefined && row.indent <= this.#memory) this.#memory = undefined;
    const named = TYPES.find(([, names]) => names.test(row.name))?.[0];
    const type: WindowType = named ?? (this.#memory === undefined ? 'mmio' : 'other');
    if (this.#memory === undefined && MEMORY.test(row.name)) this.#memory = row.indent;
    const depth = Math.floor((row.indent - this.#base) / 2);
    this.#sink.fact({ kind: 'window', ...range, name: row.name, depth, type }, line.number);
  }
}

function readRow(text: string): Row | undefined {
  const [, blanks, start, last, name] = LINE.exec(text) ?? [];
  if (blanks === undefined || start === undefined || last === undefined || name === undefined) return undefined;
  return { indent: blanks.replaceAll('\t', ' '.repeat(TAB_WIDTH)).length, start, last, name: name.trimEnd() };
}

/** The indentation of the dump as a whole: the smallest of its first lines, if it is at least that of code. */
function baseOf(first: Row, ahead: Lookahead): number {
  let base = first.indent;
  for (let n = 1; n <= 4 && base >= CODE_INDENT; n++) {
    const row = readRow(ahead(n)?.text ?? '');
    if (!row) break;
    base = Math.min(base, row.indent);
  }
  return base >= CODE_INDENT ? base : 0;
}

export const IOMEM: LineParser = {
  open: (_source: DumpSource, sink) => new IomemReader(sink),
};
