// Page tables of Intel VT-d as debugfs shows them: `domain_translation_struct`, for all devices or in a device's folder.
//
//   "Device" name ["with pasid" hex] "@0x" hex          the root of the table: devices with the same root share a domain
//   "IOVA_PFN PML5E PML4E PDPE PDE PTE"
//   "0x" 13*hexdigit "|" PML5E PML4E PDPE [PDE [PTE]]   each "0x" 16*hexdigit; blanks or tabs between
//
// The first number is the IOVA in pages of 4 KiB. Entries are 0 for unused levels. The last one that is not 0 is the leaf:
// a PTE; a PDE with bit 7, a page of 2 MiB; a PDPE with bit 7, 1 GiB. Bits 0 and 1 of a leaf: read, write. Bits 12 (21, 30)
// to 51 are the physical address. Pages that are contiguous in both address spaces are one `map` fact.
// Mail programs break rows between two entries, or inside one. The kernel's documentation has the table in two halves, one
// below the other: "IOVA_PFN PML5E PML4E" and rows of those, then "PDPE PDE PTE" and as many rows.
// (drivers/iommu/intel/debugfs.c, Linux 5.5 to 6.12; VT-d specification, second-stage paging entries.)

import { hex } from '../../../iova/format.ts';
import { IOVA_MAX, type Iova, iova } from '../../../iova/iova.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeDevice } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { FieldScanner } from '../../text/field-scanner.ts';
import { continuation } from '../../text/wrapped.ts';

const DEVICE =
  /(?:^|[\s(])Device {1,4}(\S{1,80})(?: {1,4}with pasid ([0-9a-f]{1,8}))? {1,4}@ ?(?:0x)?([0-9a-f]{1,64})(?!\w)/i;
const HEADER = /^\s{0,16}IOVA_PFN\b|^\s{0,16}(?:(?:PML5E|PML4E|PDPE|PDE|PTE)(?:\s{1,40}|$)){1,5}$/;
/** The page frame alone: the `|` at the start of the next line was removed as a quote mark. */
const FRAME = /^\s{0,16}0x[0-9a-f]{13}(?: ?\|)?$/i;
const ROW = /^\s{0,16}0x[0-9a-f]{1,64}\s{0,8}\|\s{0,40}(?:0x|0?$)/i;
/** A row of which only the first digits are left, or are on this line. */
const CUT_FRAME = /^\s{0,16}0x[0-9a-f]{1,12}$/i;
const ROW_OR_REST = /^\s{0,16}(?:(?:0x)?[0-9a-f]{1,13}\s{0,8}\|\s{0,40}0x|0x[0-9a-f]{16}(?:\s|$))/i;
const DIGITS = /^[0-9a-fx\s|]{1,120}$/i;
const CUT_ENTRY = /(?:^|\s)(?:0|0x[0-9a-f]{0,15})$/i;

const ENTRIES = 5;
const UPPER_HALF = /^\s{0,16}IOVA_PFN\s{1,40}PML5E\s{1,40}PML4E$/;
const LOWER_HALF = /^\s{0,16}PDPE\s{1,40}PDE(?:\s{1,40}PTE)?$/;
const UPPER_ROW = /^\s{0,16}0x[0-9a-f]{13}\s{0,8}\|\s{1,40}0x[0-9a-f]{16}\s{1,40}0x[0-9a-f]{16}$/i;
const LOWER_ROW = /^\s{0,40}0x[0-9a-f]{16}(?:\s{1,40}0x[0-9a-f]{16}){1,2}$/i;
const HALVES_MAX = 100_000;
const FRAME_BITS = 12n;
const ADDRESS_BITS = 0x000f_ffff_ffff_f000n;
const LARGE = 1n << 7n;
const READ = 1n;
const WRITE = 2n;
const SIZES = { pte: 0x1000n, pde: 0x20_0000n, pdpe: 0x4000_0000n };

/** The pages of a row, or of several that are contiguous. */
interface Pages {
  readonly start: Iova;
  readonly paddr: Iova;
  readonly access: bigint;
  readonly line: number;
  /** In bytes. The last byte is at most the highest address. */
  size: bigint;
}

class IntelPagesReader implements LineReader {
  readonly #sink: FactSink;
  readonly #scanner = new FieldScanner();
  #device: { readonly device?: string; readonly domain?: string; readonly pasid?: number } = {};
  #pending: Pages | undefined;
  /** Upper halves of rows, whose lower halves are below all of them; and whether those have begun. */
  #upper: { readonly text: string; readonly line: DumpLine }[] | undefined;
  #isLower = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || line.elision) {
      if (line.prompt) this.#endHalves();
      this.#flush();
      return 0;
    }
    const half = this.#half(line, ahead);
    if (half > 0) return half;
    const taken = this.#row(line, ahead) || this.#header(line);
    // Other text follows: emit the facts of these rows first.
    const next = ahead(taken);
    if (taken > 0 && (!next || !(ROW.test(next.text) || FRAME.test(next.text)))) this.#flush();
    return taken;
  }

  end(): void {
    this.#endHalves();
    this.#flush();
  }

  /** A line of a table in two halves. */
  #half(line: DumpLine, ahead: Lookahead): number {
    const { text } = line;
    if (UPPER_HALF.test(text) && UPPER_ROW.test(ahead(1)?.text ?? '')) {
      this.#endHalves();
      this.#upper = [];
      return 1;
    }
    const rows = this.#upper;
    if (!rows) return 0;
    if (!this.#isLower && UPPER_ROW.test(text) && rows.length < HALVES_MAX) {
      rows.push({ text, line });
      return 1;
    }
    if (LOWER_HALF.test(text)) {
      this.#isLower = true;
      return 1;
    }
    const first = this.#isLower && LOWER_ROW.test(text) ? rows.shift() : undefined;
    if (!first) {
      this.#endHalves();
      return 0;
    }
    const pages = this.#read(`${first.text} ${text.trim()}`, first.line.number);
    if (pages) this.#add(pages);
    else {
      this.#flush();
      this.#damaged(first.line);
    }
    if (rows.length === 0) {
      this.#endHalves();
      this.#flush();
    }
    return 1;
  }

  /** Rows whose lower halves are missing say nothing. */
  #endHalves(): void {
    const [first] = this.#upper ?? [];
    this.#upper = undefined;
    this.#isLower = false;
    if (first) this.#damaged(first.line);
  }

  #add(pages: Pages): void {
    const last = this.#pending;
    if (
      last &&
      last.start + last.size === pages.start &&
      last.paddr + last.size === pages.paddr &&
      last.access === pages.access
    ) {
      last.size += pages.size;
    } else {
      this.#flush();
      this.#pending = pages;
    }
  }

  #header(line: DumpLine): number {
    const [, device, pasid, root] = DEVICE.exec(line.text) ?? [];
    if (device === undefined) return HEADER.test(line.text) ? 1 : 0;
    this.#flush();
    const address = parseHexAddress(root);
    this.#device = {
      device: normalizeDevice(device),
      ...(address === undefined ? {} : { domain: hex(address) }),
      ...(pasid === undefined ? {} : { pasid: Number.parseInt(pasid, 16) }),
    };
    if (address === undefined) this.#damaged(line);
    else this.#sink.recognized();
    return 1;
  }

  /** True if one of the lines below is a row, or ends one. The second may be: mail programs break rows. */
  #isInTable(...below: readonly (string | undefined)[]): boolean {
    return below.some((text) => text !== undefined && ROW_OR_REST.test(text));
  }

  #row(line: DumpLine, ahead: Lookahead): number {
    if (
      this.#device.device !== undefined &&
      CUT_FRAME.test(line.text) &&
      this.#isInTable(ahead(1)?.text, ahead(2)?.text)
    ) {
      this.#flush();
      this.#damaged(line);
      return 1;
    }
    if (!ROW.test(line.text) && !(FRAME.test(line.text) && ROW_REST.test(ahead(1)?.text ?? ''))) return 0;
    const { text, lines } = wholeRow(line, ahead);
    const pages = this.#read(text, line.number);
    if (!pages) {
      this.#flush();
      this.#damaged(line);
      return lines;
    }
    this.#add(pages);
    return lines;
  }

  /** The pages of a whole row; undefined if it is malformed or has no leaf. */
  #read(text: string, line: number): Pages | undefined {
    const scanner = this.#scanner;
    scanner.start(text, 0);
    scanner.blanks();
    const frame = scanner.literal('0x') ? scanner.hex() : undefined;
    scanner.blanks();
    if (frame === undefined || frame >> (64n - FRAME_BITS) !== 0n || !scanner.literal('|')) return undefined;
    const entries: Iova[] = [];
    for (scanner.blanks(); !scanner.atEnd; scanner.blanks()) {
      const entry = scanner.literal('0x') ? scanner.hex() : undefined;
      if (entry === undefined || !scanner.atBoundary || entries.length === ENTRIES) return undefined;
      entries.push(entry);
    }
    const [, , pdpe = 0n, pde = 0n, pte = 0n] = entries;
    const leaf = leafOf(pdpe, pde, pte);
    const start = frame << FRAME_BITS;
    if (entries.length < 3 || !leaf) return undefined;
    const access = leaf.entry & (READ | WRITE);
    const paddr = leaf.entry & ADDRESS_BITS & -leaf.size;
    if (access === 0n || start % leaf.size !== 0n || start + leaf.size - 1n > IOVA_MAX) return undefined;
    return { start: iova(start), paddr: iova(paddr), access, line, size: leaf.size };
  }

  #flush(): void {
    const pages = this.#pending;
    this.#pending = undefined;
    if (!pages) return;
    const { device, domain, pasid } = this.#device;
    this.#sink.fact(
      {
        kind: 'map',
        start: pages.start,
        last: iova(pages.start + pages.size - 1n),
        paddr: pages.paddr,
        ...(device === undefined ? {} : { device }),
        ...(domain === undefined ? {} : { domain }),
        origin: 'page-table',
        ...(pages.access === (READ | WRITE)
          ? {}
          : { read: (pages.access & READ) !== 0n, write: (pages.access & WRITE) !== 0n }),
        ...(pasid === undefined ? {} : { pasid }),
      },
      pages.line,
    );
  }

  #damaged(line: DumpLine): void {
    this.#sink.diagnostic('damaged-page-table', { text: line.text }, line.number);
  }
}

/** The continuation of a row below its page frame. */
const ROW_REST = /^\s{0,40}(?:\| ?)?0x[0-9a-f]{16}(?:\s|$)/i;

function leafOf(pdpe: bigint, pde: bigint, pte: bigint): { readonly entry: bigint; readonly size: bigint } | undefined {
  if (pte !== 0n) return { entry: pte, size: SIZES.pte };
  if (pde !== 0n) return (pde & LARGE) === 0n ? undefined : { entry: pde, size: SIZES.pde };
  return (pdpe & LARGE) === 0n ? undefined : { entry: pdpe, size: SIZES.pdpe };
}

/** The row with its continuation lines. The length of an entry shows whether a line was broken inside it. */
function wholeRow(line: DumpLine, ahead: Lookahead): { text: string; lines: number } {
  let text = line.text;
  let lines = 1;
  for (; lines <= 3; lines++) {
    const rest = continuation(line, ahead, lines)?.text.trim();
    if (rest === undefined || !DIGITS.test(rest) || ROW.test(rest) || FRAME.test(rest)) break;
    const separator = text.includes('|') ? (CUT_ENTRY.test(text) ? '' : ' ') : rest.startsWith('|') ? ' ' : ' | ';
    text += separator + rest;
  }
  return { text, lines };
}

export const INTEL_DEBUGFS_PAGES: LineParser = {
  open: (_source: DumpSource, sink) => new IntelPagesReader(sink),
};
