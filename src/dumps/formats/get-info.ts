// Hex dumps of the kernel's answer to a request for IOVA ranges, in any form that `readHexDump` reads: plain digits, xxd,
// hexdump, od, the memory of a debugger, a C array. Two answers are recognized:
//
//   VFIO_IOMMU_GET_INFO      4 argsz, 4 flags = 3, 8 page sizes, 4 offset of the capabilities, 4 of 0; capabilities
//   IOMMU_IOAS_IOVA_RANGES   4 size = 32, 4 ioas, 4 ranges, 4 of 0, 8 pointer, 8 alignment; the ranges follow directly
//
// in either byte order. Hex dumps are common, so the first lines must have a valid beginning, in every field; other dumps
// are not read. (Linux 6.12, include/uapi/linux/vfio.h and iommufd.h.)
import { type Iova, iova, lowestSetBit } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { decodeBuffer } from '../../uapi/decode-buffer.ts';
import { readHexDump } from '../../uapi/hex/hex-dump.ts';
import type { Endian } from '../../uapi/node.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../format.ts';
import { ADDRESSED_ROW, C_ROW, LAST_ROW, PLAIN_ROW } from './hex-lines.ts';

const C_OPENING = /\]\s{0,4}=\s{0,4}\{?$|^\s{0,40}\{$/;

/** Longer dumps are cut: no answer is so long. */
const LINES_MAX = 4096;
const INFO_HEAD = 24;
const INFO_LENGTH_MAX = 0x1_0000;
const RANGES_HEAD = 32;
const RANGES_MAX = 4096;
/** Zero bytes at the end that a tool may not print: less than one bound of a range. */
const MISSING_MAX = 7;

type Answer =
  | { readonly kind: 'info'; readonly endian: Endian }
  | { readonly kind: 'ranges'; readonly endian: Endian; readonly count: number; readonly ioas: number };

interface Block {
  readonly lines: DumpLine[];
  readonly answer: Answer;
}

class GetInfoReader implements LineReader {
  readonly #sink: FactSink;
  #block: Block | undefined;
  /** The last line of another dump: the lines that continue it are not looked at. */
  #other: DumpLine | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt || line.elision) {
      this.#close();
      return 0;
    }
    if (this.#block && !goesOn(this.#block.lines.at(-1), line)) this.#close();
    if (!this.#block) {
      const answer = goesOn(this.#other, line) ? undefined : beginning(line, ahead);
      this.#other = !answer && isDump(line.text) ? line : undefined;
      if (!answer) return 0;
      this.#block = { lines: [], answer };
    }
    this.#block.lines.push(line);
    const next = ahead(1);
    if (!next || !goesOn(line, next) || this.#block.lines.length >= LINES_MAX) this.#close();
    return 1;
  }

  end(): void {
    this.#close();
  }

  #close(): void {
    const block = this.#block;
    this.#block = undefined;
    if (!block) return;
    const dump = readHexDump(textOf(block.lines), { endian: block.answer.endian });
    for (const { line, message } of dump.problems) {
      this.#sink.diagnostic('damaged-hex-dump', { reason: message }, placeOf(block.lines, line));
    }
    const line = block.lines[0]?.number ?? 1;
    if (dump.problems.length > 0) {
      // What follows a malformed word may be in the wrong place.
      this.#sink.recognized();
      return;
    }
    if (block.answer.kind === 'ranges') this.#ranges(dump.bytes, block.answer, line);
    else this.#info(dump.bytes, block.answer.endian, line);
  }

  #info(bytes: Uint8Array, endian: Endian, line: number): void {
    const struct = 'vfio_iommu_type1_info';
    let result = decodeBuffer(bytes, { struct, endian });
    // Tools that print a buffer up to its last byte that is not 0 cut the last bound of a range.
    for (let missing = 1; result.ok && result.decoded.problems.length > 0 && missing <= MISSING_MAX; missing++) {
      if (bytes.at(-1) === 0) break;
      const filled = new Uint8Array(bytes.length + missing);
      filled.set(bytes);
      const again = decodeBuffer(filled, { struct, endian });
      if (!again.ok || again.decoded.problems.length > 0) continue;
      result = again;
      this.#sink.diagnostic('zeros-left-off', { missing }, line);
    }
    if (!result.ok) return;
    const { problems, ranges, pageSizes } = result.decoded;
    for (const { offset, message } of problems) {
      this.#sink.diagnostic('damaged-buffer', { offset, reason: message }, line);
    }
    this.#sink.recognized();
    this.#emit(ranges, line, pageSizes === undefined ? {} : { pgsize_bitmap: iova(pageSizes) });
  }

  #ranges(bytes: Uint8Array, { endian, count, ioas }: Answer & { kind: 'ranges' }, line: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ranges: IovaRange[] = [];
    for (let at = RANGES_HEAD; ranges.length < count && at + 16 <= bytes.length; at += 16) {
      const start = iova(view.getBigUint64(at, endian === 'little'));
      const last = iova(view.getBigUint64(at + 8, endian === 'little'));
      if (start > last) {
        this.#sink.diagnostic('damaged-buffer', { offset: at, reason: 'a range ends before it starts' }, line);
        break;
      }
      ranges.push({ start, last });
    }
    if (ranges.length < count) {
      this.#sink.diagnostic('damaged-buffer', { reason: `it has ${ranges.length} of ${count} ranges` }, line);
    }
    this.#sink.recognized();
    this.#emit(ranges, line, { ioas: String(ioas) });
  }

  #emit(ranges: readonly IovaRange[], line: number, about: { pgsize_bitmap?: Iova; ioas?: string }): void {
    for (const { start, last } of ranges) this.#sink.fact({ kind: 'valid_range', start, last, ...about }, line);
  }
}

function isDump(text: string): boolean {
  return ADDRESSED_ROW.test(text) || PLAIN_ROW.test(text) || C_ROW.test(text);
}

/**
 * True if the line below may belong to the same dump. A line of `*` has no letters and counts as blank; a dump with
 * addresses continues after it.
 */
function goesOn(before: DumpLine | undefined, line: DumpLine): boolean {
  if (!before || line.prompt || line.elision || line.index !== before.index + 1) return false;
  if (!isDump(line.text) && !(PLAIN_ROW.test(before.text) && LAST_ROW.test(line.text))) return false;
  if (line.blanksBefore === 0) return true;
  return line.blanksBefore === 1 && ADDRESSED_ROW.test(line.text) && ADDRESSED_ROW.test(before.text);
}

function textOf(lines: readonly DumpLine[]): string {
  return lines.map(({ text, blanksBefore }, i) => (i > 0 && blanksBefore > 0 ? `*\n${text}` : text)).join('\n');
}

/** The number in the source of a line of `textOf`, counted from 1. */
function placeOf(lines: readonly DumpLine[], wanted: number): number {
  let at = 0;
  for (const [i, { number, blanksBefore }] of lines.entries()) {
    at += i > 0 && blanksBefore > 0 ? 2 : 1;
    if (at >= wanted) return number;
  }
  return lines.at(-1)?.number ?? 1;
}

/** The answer that starts in the line and those directly after it; undefined if they are no answer. */
function beginning(line: DumpLine, ahead: Lookahead): Answer | undefined {
  const lines: DumpLine[] = [];
  if (isDump(line.text)) lines.push(line);
  else if (!C_OPENING.test(line.text)) return undefined;
  for (let n = 1, before = line; n <= LOOKAHEAD; n++) {
    const next = ahead(n);
    if (!next || !goesOn(before, next)) break;
    lines.push(next);
    before = next;
  }
  if (lines.length === 0) return undefined;
  for (const endian of ['little', 'big'] as const) {
    // A debugger prints words in the byte order of its machine.
    const { bytes } = readHexDump(textOf(lines), { endian });
    const answer = answerOf(bytes, endian);
    if (answer) return answer;
  }
  return undefined;
}

function answerOf(bytes: Uint8Array, endian: Endian): Answer | undefined {
  if (bytes.length < INFO_HEAD) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endian === 'little';
  const word = (at: number) => view.getUint32(at, little);
  const [first, second, third, fourth, offset, pad] = [
    word(0),
    word(4),
    word(8),
    word(12),
    word(16),
    word(20),
  ] as const;
  const smallest = lowestSetBit(view.getBigUint64(8, little));
  const hasPages = smallest >= 1n << 9n && smallest <= 1n << 30n;
  const hasChain = offset >= INFO_HEAD && offset < first && offset % 8 === 0 && pad === 0;
  if (first > INFO_HEAD && first <= INFO_LENGTH_MAX && second === 3 && hasPages && hasChain) {
    return { kind: 'info', endian };
  }
  if (bytes.length < RANGES_HEAD) return undefined;
  const alignment = view.getBigUint64(24, little);
  const isAlignment = alignment > 0n && alignment <= 1n << 30n && lowestSetBit(alignment) === alignment;
  const isRequest = first === RANGES_HEAD && second > 0 && second < 1 << 20 && third > 0 && third < RANGES_MAX;
  // The pointer to the ranges is an address above the first page.
  if (!isRequest || fourth !== 0 || !isAlignment || view.getBigUint64(16, little) < 0x1000n) return undefined;
  return { kind: 'ranges', endian, count: third, ioas: second };
}

export const GET_INFO: LineParser = {
  open: (_source: DumpSource, sink) => new GetInfoReader(sink),
};
