// Debug messages of the IOMMU core in the kernel log, enabled by dynamic debug. Numbers are hexadecimal.
//
//   "map: iova" hex "pa" hex "size" hex
//   "mapping: iova" hex "pa" hex "pgsize" hex ["count" decimal]      how the map before it was done
//   "unmap this: iova" hex "size" hex                                 starts an unmap; its pieces follow in order:
//   "unmapped: iova" hex "size" hex
//   "unaligned: iova" hex ["pa" hex] "size" hex "min_pagesz" hex      refused
//
// Each follows `iommu: `, the name of a function (`iommu_map: `), or nothing. Drivers with page tables of their own print
// the same with the name of a device: those are not IOMMUs. Physical addresses were printed with one 0x, two, or none. An
// unmap may end early, or unmap more than was requested; pieces of two unmaps may be mixed.
// (drivers/iommu/iommu.c, Linux 3.3 to 6.12.)

import { type Iova, iova, isIova } from '../../../iova/iova.ts';
import { rangeOfLength } from '../../../iova/range.ts';
import type { FactOf } from '../../../session/events.ts';
import { quote } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { LOOKAHEAD } from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { type Matched, matchLongest } from '../../text/match-longest.ts';

const NUMBER = '(?:0x){0,2}([0-9a-f]{1,64})(?!\\w)';
const PREFIX = '(?:^ {0,8}|\\b_{0,2}iommu\\w{0,40}: ?)';
const START = new RegExp(`${PREFIX}(?:map|mapping|unmap this|unmapped|unaligned): iova`);
const MAP = new RegExp(`${PREFIX}map: iova ${NUMBER} pa ${NUMBER} size ${NUMBER}`);
const MAPPING = new RegExp(`${PREFIX}mapping: iova ${NUMBER} pa ${NUMBER} pgsize ${NUMBER}(?: count (\\d{1,20}))?`);
const UNMAP = new RegExp(`${PREFIX}unmap this: iova ${NUMBER} size ${NUMBER}`);
const PIECE = new RegExp(`${PREFIX}unmapped: iova ${NUMBER} size ${NUMBER}`);
const UNALIGNED = new RegExp(
  `${PREFIX}unaligned: iova ${NUMBER}(?: pa (?:0x){0,2}[0-9a-f]{1,16})? size ${NUMBER} min_pagesz ${NUMBER}`,
);
/** The rest of a number that a mail program broke, perhaps in its prefix. */
const REST = /^x?[0-9a-f]{1,15}$/;
/** Unmaps in progress at the same time: the messages of more processors are rarely mixed. */
const OPEN_MAX = 8;

/** An unmap whose pieces follow. */
interface OpenUnmap {
  readonly fact: FactOf<'unmap'>;
  readonly size: bigint;
  readonly line: number;
  /** Undefined once a piece was malformed. */
  unmapped: Iova | undefined;
}

class DyndbgReader implements LineReader {
  readonly #sink: FactSink;
  readonly #open: OpenUnmap[] = [];

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) this.#closeAll();
    if (line.prompt || line.elision || !START.test(line.text)) return 0;
    const piece = this.#match(line, ahead, PIECE);
    if (!piece) this.#closeStale(ahead);
    return (
      (piece ? this.#piece(piece, line) : 0) ||
      this.#map(line, ahead) ||
      this.#mapping(line, ahead) ||
      this.#unmap(line, ahead) ||
      this.#unaligned(line, ahead) ||
      this.#damaged(line)
    );
  }

  end(): void {
    this.#closeAll();
  }

  #match(line: DumpLine, ahead: Lookahead, pattern: RegExp): Matched | undefined {
    return matchLongest(line, ahead, START, [pattern], REST);
  }

  #map(line: DumpLine, ahead: Lookahead): number {
    const found = this.#match(line, ahead, MAP);
    if (!found) return 0;
    const paddr = parseHexAddress(found.match[2]);
    const range = this.#range(found.match[1], found.match[3], line);
    if (range === 'none') return found.lines;
    if (range === undefined || paddr === undefined) return this.#damaged(line);
    this.#sink.fact({ kind: 'map', ...range, paddr, origin: 'dyndbg', ...timeOf(line) }, line.number);
    return found.lines;
  }

  #mapping(line: DumpLine, ahead: Lookahead): number {
    const found = this.#match(line, ahead, MAPPING);
    if (found) this.#sink.recognized();
    return found?.lines ?? 0;
  }

  #unmap(line: DumpLine, ahead: Lookahead): number {
    const found = this.#match(line, ahead, UNMAP);
    if (!found) return 0;
    const size = parseHexAddress(found.match[2]);
    const range = this.#range(found.match[1], found.match[2], line);
    if (range === 'none') return found.lines;
    if (range === undefined || size === undefined) return this.#damaged(line);
    const fact: FactOf<'unmap'> = { kind: 'unmap', ...range, origin: 'dyndbg', ...timeOf(line) };
    this.#open.push({ fact, size, line: line.number, unmapped: iova(0n) });
    if (this.#open.length > OPEN_MAX) this.#close(0);
    return found.lines;
  }

  #piece({ match, lines }: Matched, line: DumpLine): number {
    const size = parseHexAddress(match[2]);
    const range = this.#range(match[1], match[2], line);
    if (range === 'none') return lines;
    if (range === undefined || size === undefined) return this.#damaged(line);
    const index = this.#open.findIndex((unmap) => goesOn(unmap, range.start));
    const unmap = this.#open[index];
    if (!unmap) {
      const fact: FactOf<'unmap'> = { kind: 'unmap', ...range, unmapped: size, origin: 'dyndbg', ...timeOf(line) };
      this.#sink.fact(fact, line.number);
      return lines;
    }
    // The size of the whole address space is not an address.
    const unmapped: bigint = (unmap.unmapped ?? 0n) + size;
    if (!isIova(unmapped)) return this.#damaged(line);
    unmap.unmapped = unmapped;
    if (unmapped >= unmap.size) this.#close(index);
    return lines;
  }

  #unaligned(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, START, [UNALIGNED]);
    if (!found) return 0;
    const [start, size, page] = found.match.slice(1).map(parseHexAddress);
    if (start === undefined || size === undefined || page === undefined) return this.#damaged(line);
    this.#sink.diagnostic('unaligned-request', { iova: start, size, page }, line.number);
    return found.lines;
  }

  /** The range of a start and a size; `none` after a diagnostic if it is empty; undefined if a number is malformed. */
  #range(
    address: string | undefined,
    length: string | undefined,
    line: DumpLine,
  ): { readonly start: Iova; readonly last: Iova } | 'none' | undefined {
    const start = parseHexAddress(address);
    const size = parseHexAddress(length);
    if (start === undefined || size === undefined) return undefined;
    if (size > 0n) return rangeOfLength(start, size);
    this.#sink.diagnostic('empty-range', { what: quote(line.text), start }, line.number);
    return 'none';
  }

  #close(index: number): void {
    const [unmap] = this.#open.splice(index, 1);
    if (!unmap) return;
    const { fact, unmapped } = unmap;
    this.#sink.fact({ ...fact, ...(unmapped === undefined ? {} : { unmapped }) }, unmap.line);
  }

  #closeAll(): void {
    while (this.#open.length > 0) this.#close(0);
  }

  /** A line that is no piece ends every unmap without a piece on the next lines: messages of processors may be mixed. */
  #closeStale(ahead: Lookahead): void {
    for (let index = 0; index < this.#open.length; ) {
      const unmap = this.#open[index];
      if (unmap && hasPieceAhead(unmap, ahead)) index++;
      else this.#close(index);
    }
  }

  #damaged(line: DumpLine): number {
    // A sentence about such a message is not malformed.
    if (!/iova (?:0x)?[0-9a-f\ue030-\ue078]/.test(line.text)) return 0;
    this.#sink.diagnostic('damaged-event', { what: 'IOMMU debug message', text: line.text }, line.number);
    // It may be a piece of any of them.
    for (const unmap of this.#open) unmap.unmapped = undefined;
    return 1;
  }
}

function goesOn(unmap: OpenUnmap, start: bigint): boolean {
  return unmap.unmapped !== undefined && start === unmap.fact.start + unmap.unmapped;
}

function hasPieceAhead(unmap: OpenUnmap, ahead: Lookahead): boolean {
  for (let n = 1; n <= LOOKAHEAD; n++) {
    const start = parseHexAddress(PIECE.exec(ahead(n)?.text ?? '')?.[1]);
    if (start !== undefined && goesOn(unmap, start)) return true;
  }
  return false;
}

export const DYNDBG: LineParser = {
  open: (_source: DumpSource, sink) => new DyndbgReader(sink),
};
