// Reads lines of a source again, numbered as the format readers number them, to show where a fact was found.
import { TextLines } from '../text/text-lines.ts';
import { describeBinary } from './binary-kind.ts';
import { carrierOf } from './embedded.ts';
import { isTar, isZip, packingOf, utf16 } from './file-kind.ts';
import { type DumpInput, openInputs } from './open.ts';
import { Pacer } from './pacer.ts';
import { type ByteStream, peek, piecesOf } from './streams.ts';

/** Lines are shown up to this many characters. */
const SHOWN_LENGTH_MAX = 2000;
/** Bytes between two places of an index. */
const INDEX_STEP = 262_144;
const CARRIAGE_RETURN = 0x0d;

export interface SourceLines {
  /** The requested lines, without line ends, starting with `from`; fewer if the source ends before. */
  readonly lines: readonly string[];
  /** Number of lines in the source; undefined if it was not read to its end. */
  readonly total?: number | undefined;
}

/** An input that can also be read from a byte on. */
export interface TextInput extends DumpInput {
  /** Opens the file at a byte. Absent where that is not possible. */
  streamFrom?(byte: number): ByteStream;
}

/** What is known of where the lines of a file are, so that a page of it does not read what is before. */
export interface LineIndex {
  /** Ascending: in line number `line`, counted from 1, is the byte at `byte`. */
  readonly places: { readonly byte: number; readonly line: number }[];
  /** Number of lines, once the end was read. */
  total?: number | undefined;
  /** Whether the file is text as it is, not packed or an archive; undefined until that was looked at. */
  isPlain?: boolean | undefined;
}

export function emptyIndex(): LineIndex {
  return { places: [{ byte: 0, line: 1 }] };
}

/** Collects the lines `from` to `from + limit - 1` of those that are passed on. */
class LineCollector {
  readonly lines: string[] = [];
  readonly #from: number;
  readonly #limit: number;

  constructor(from: number, limit: number) {
    this.#from = from;
    this.#limit = limit;
  }

  add(text: string, begin: number, end: number, number: number, isCut: boolean): void {
    if (number < this.#from || this.lines.length >= this.#limit) return;
    const line = text.slice(begin, end).replace(/^\uFEFF/, '');
    this.lines.push(isCut ? `${line}…` : line);
  }
}

/** Stops reading: enough lines are known. */
class Enough extends Error {}

/** Reads the whole input up to the lines, which may be in a member of an archive. */
async function readFromStart(
  input: DumpInput,
  source: string,
  from: number,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<SourceLines | undefined> {
  const enough = new AbortController();
  const collector = new LineCollector(from, limit);
  let isFound = false;
  const reader = new TextLines(SHOWN_LENGTH_MAX, (text, begin, end, number, isCut) =>
    collector.add(text, begin, end, number, isCut),
  );
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    await openInputs([input], {
      formats: [],
      onEvents: () => undefined,
      onText: (name, piece) => {
        if (name !== source) return;
        isFound = true;
        reader.push(piece);
        if (reader.count > from + limit) enough.abort(new Enough());
      },
      signal: stop,
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return { lines: collector.lines };
  }
  reader.end();
  return isFound ? { lines: collector.lines, total: reader.count } : undefined;
}

async function isPlainText(stream: ByteStream): Promise<boolean> {
  const { head, bytes } = await peek(piecesOf(stream));
  // Ends the stream.
  await bytes[Symbol.asyncIterator]().return?.();
  const isOther =
    packingOf(head) !== undefined ||
    isZip(head) ||
    isTar(head) ||
    carrierOf(head) !== undefined ||
    utf16(head) !== undefined;
  return !isOther && head.length > 0 && describeBinary(head) === undefined;
}

/** Reads a text file from the last known place before the lines, and notes the places that it passes. */
async function readFromPlace(
  streamFrom: (byte: number) => ByteStream,
  index: LineIndex,
  from: number,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<SourceLines> {
  // The line that a place is in is read only in part.
  const place = index.places.findLast(({ byte, line }) => line < from || byte === 0) ?? { byte: 0, line: 1 };
  const before = place.line - 1;
  const collector = new LineCollector(from, limit);
  const reader = new TextLines(SHOWN_LENGTH_MAX, (text, begin, end, number, isCut) =>
    collector.add(text, begin, end, number + before, isCut),
  );
  const decoder = new TextDecoder();
  const pacer = new Pacer(signal);
  let byte = place.byte;
  try {
    for await (const piece of piecesOf(streamFrom(place.byte))) {
      await pacer.pause();
      reader.push(decoder.decode(piece, { stream: true }));
      byte += piece.length;
      const known = index.places.at(-1)?.byte ?? 0;
      // After a carriage return it is not known yet how many lines have ended.
      if (byte >= known + INDEX_STEP && piece.at(-1) !== CARRIAGE_RETURN) {
        index.places.push({ byte, line: before + reader.count + 1 });
      }
      if (before + reader.count > from + limit) return { lines: collector.lines, total: index.total };
    }
  } finally {
    pacer.close();
  }
  reader.push(decoder.decode());
  reader.end();
  index.total = before + reader.count;
  return { lines: collector.lines, total: index.total };
}

async function knowsPlain(index: LineIndex, streamFrom: (byte: number) => ByteStream): Promise<boolean> {
  index.isPlain ??= await isPlainText(streamFrom(0));
  return index.isPlain;
}

/**
 * Reads lines `from` (counted from 1) to `from + limit - 1` of the source called `source`, which is `input` itself or a
 * member of it if that is an archive. `index`: of the same input, to be kept for the next call. Undefined if there is no
 * such text in it. Rejects when `signal` is aborted, or if a file that could be read before cannot be read any more.
 */
export async function readSourceLines(
  input: TextInput,
  source: string,
  from: number,
  limit: number,
  { signal, index = emptyIndex() }: { readonly signal?: AbortSignal; readonly index?: LineIndex } = {},
): Promise<SourceLines | undefined> {
  const streamFrom = input.streamFrom?.bind(input);
  if (streamFrom && input.name === source && (await knowsPlain(index, streamFrom))) {
    return readFromPlace(streamFrom, index, from, limit, signal);
  }
  return readFromStart(input, source, from, limit, signal);
}
