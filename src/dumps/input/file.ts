// Reads one file, whatever it is: packed, an archive, a format of bytes, a session file, or text.
import { loadLaterDiagnostics } from '../diagnostics.ts';
import { pathComponents } from '../fields/sysfs-path.ts';
import type { BinaryFormat, BinaryParser, DumpSource, LineFormat } from '../format.ts';
import { neededFormats } from '../text/needed-formats.ts';
import type { TextCollector } from '../text/text-collector.ts';
import { type TextReader, textReader } from '../text/text-reader.ts';
import type { ReadEntry } from './archive.ts';
import { carrierMax, carrierOf, sessionIn } from './embedded.ts';
import { isPlainText, isTar, isZip, packingOf, utf16 } from './file-kind.ts';
import { type DecodedPiece, PieceDecoder, REPLACEMENT } from './piece-decoder.ts';
import type { SessionFileReader } from './session-file.ts';
import { maybeSession, SESSION_FORMAT } from './session-start.ts';
import type { SourceReading } from './source-reading.ts';
import { closeUnread, drain, HEAD_BYTES, type Peeked, peek, piecesOf, reasonOf, StreamFailure } from './streams.ts';

/** Archives in archives are opened down to here. */
const DEPTH_MAX = 4;

/**
 * `inTree`: the file is one of a folder or an archive, in which files that hold nothing are common. `depth`: of archives
 * and packed files around it. Throws what reading `pieces` throws, after everything before that was read.
 */
export async function readFile(
  reading: SourceReading,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  inTree: boolean,
  depth = 0,
): Promise<void> {
  const { collector } = reading;
  const peeked = await peek(pieces);
  const { head, bytes } = peeked;
  const packing = depth < DEPTH_MAX ? packingOf(head) : undefined;
  if (packing !== undefined) {
    // Most dumps are plain text: decoders are loaded when they are needed.
    const { unpacked } = await import('./unpack.ts');
    await readFile(reading, name, unpacked(reading, name, packing, bytes), inTree, depth + 1);
    return;
  }
  const readEntry: ReadEntry = (own, entry, entryBytes) => readFile(own, entry, entryBytes, true, depth + 1);
  // Of the files of a folder or an archive, an archive belongs to their host.
  const { newSource } = inTree ? {} : reading;
  const hosts = newSource && { archive: name, newSource };
  if (depth < DEPTH_MAX && isZip(head)) {
    const { readZip } = await import('./zip.ts');
    await readZip(reading, name, bytes, hosts, readEntry);
    return;
  }
  if (depth < DEPTH_MAX && isTar(head)) {
    const [{ readTar }, { takeKnownFile }] = await Promise.all([import('./archive.ts'), import('./known-file.ts')]);
    await readTar(reading, name, bytes, hosts, readEntry, depth + 1 < DEPTH_MAX ? takeKnownFile : undefined);
    return;
  }
  collector.files++;
  const binary = reading.binaryFormats.find((format) => format.matches(head));
  if (binary) {
    await readBinary(reading, name, binary, bytes);
    return;
  }
  if (head.length === 0) {
    await drain(bytes);
    if (!inTree) collector.diagnostic(name, 'empty-file', {});
    return;
  }
  const rest = await readCarrier(reading, name, peeked);
  if (rest === undefined) return;
  const what = isPlainText(head) ? undefined : (await import('./binary-kind.ts')).describeBinary(head);
  if (what !== undefined) {
    if (!inTree) collector.diagnostic(name, 'binary-file', { what });
    await closeUnread(rest);
    return;
  }
  // Packed files and archives are not looked for below a certain depth, and carriers may have something to report.
  const isFile = depth < DEPTH_MAX && rest === bytes;
  await readText(reading, name, { head, bytes: rest }, inTree, isFile);
}

/** Reads the session that a picture, a page or a link carries; returns the bytes of a file that carries none. */
async function readCarrier(
  reading: SourceReading,
  name: string,
  { head, bytes }: Peeked,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const carrier = carrierOf(head);
  if (carrier === undefined) return bytes;
  const max = carrierMax(carrier);
  const whole = await peek(bytes, max + 1);
  if (whole.head.length > max) return whole.bytes;
  const session = await sessionIn(carrier, whole.head);
  if (session.state === 'none') return whole.bytes;
  if (session.problem !== undefined) {
    const code = session.state === 'found' ? 'session-damaged' : 'session-lost';
    reading.collector.diagnostic(name, code, { problem: session.problem });
  }
  if (session.state === 'found') {
    const content = new TextEncoder().encode(session.text);
    await readText(reading, name, { head: content.subarray(0, HEAD_BYTES), bytes: piecesOf(once(content)) });
  }
  // If the stream failed, that is thrown after what came before it was read.
  await drain(whole.bytes);
  return undefined;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function reportNotLoaded(
  { collector }: SourceReading,
  name: string,
  { title }: { readonly title: string },
  error: unknown,
): void {
  collector.diagnostic(name, 'format-not-loaded', { format: title, reason: reasonOf(error) });
}

async function readBinary(
  reading: SourceReading,
  name: string,
  format: BinaryFormat,
  bytes: AsyncIterable<Uint8Array>,
): Promise<void> {
  let parser: BinaryParser;
  try {
    [parser] = await Promise.all([format.load(), loadLaterDiagnostics()]);
  } catch (error) {
    reportNotLoaded(reading, name, format, error);
    await closeUnread(bytes);
    return;
  }
  await parser.read(bytes, { name, path: pathComponents(name) }, reading.collector.sink(name, format));
}

/** The reader of a session file; undefined if the text is none, or if the reader cannot be loaded, which is reported. */
async function sessionReader(
  reading: SourceReading,
  name: string,
  start: string,
): Promise<SessionFileReader | undefined> {
  let part: typeof import('./session-file.ts');
  try {
    // A session file may hold diagnostics of any format.
    [part] = await Promise.all([import('./session-file.ts'), loadLaterDiagnostics()]);
  } catch (error) {
    reportNotLoaded(reading, name, SESSION_FORMAT, error);
    return undefined;
  }
  return part.looksLikeSession(start) ? new part.SessionFileReader(name, reading.collector) : undefined;
}

/** `isFile`: every file with these bytes, in a folder or an archive, is read as this text. */
async function readText(
  reading: SourceReading,
  name: string,
  { head, bytes }: Peeked,
  inTree = false,
  isFile = false,
): Promise<void> {
  const { collector, pacer } = reading;
  const encoding = utf16(head) ?? 'utf-8';
  const decoder = new PieceDecoder(encoding);
  const start = new TextDecoder(encoding).decode(head);
  const mayBeSession = maybeSession(start);
  const session = mayBeSession ? await sessionReader(reading, name, start) : undefined;
  // The first byte of a byte order mark, which is not in the text.
  const isExact = isFile && encoding === 'utf-8' && head[0] !== 0xef && !mayBeSession;
  const reader = session ?? new WaitingText(reading, name, inTree, isExact);
  const push = async ({ text, bytes: ofText }: DecodedPiece) => {
    await reader.push(text, ofText);
    reading.onText?.(name, text);
  };
  let failure: StreamFailure | undefined;
  try {
    for await (const piece of bytes) {
      await push(decoder.decode(piece));
      await pacer.pause();
    }
    await push(decoder.end());
  } catch (error) {
    if (!(error instanceof StreamFailure)) throw error;
    failure = error;
  }
  // Also after a failure of the stream: the lines before it count.
  await reader.end();
  if (failure) throw failure;
  if (session?.header) {
    reading.headers.push(session.header);
    collector.noteFormat(SESSION_FORMAT);
  }
}

const ENCODER = new TextEncoder();

/** In characters. Of a text that is not longer, only the parsers are loaded that it needs; longer ones are not kept. */
const WHOLE_MAX = 65_536;
/** In characters of all texts: to look at more of them for the parsers that they need would take longer than to load all. */
const SCOUTED_MAX = 1 << 18;

/** A text that waits until the parsers that it needs are loaded; of a folder or an archive, also until it is whole. */
class WaitingText {
  readonly #reading: SourceReading;
  readonly #source: DumpSource;
  readonly #inTree: boolean;
  readonly #isExact: boolean;
  #pieces: string[] = [];
  #length = 0;
  #reader: TextReader | undefined;

  /** `isExact`: nothing but its bytes, in UTF-8, made a file this text, unless some of them are invalid. */
  constructor(reading: SourceReading, name: string, inTree: boolean, isExact: boolean) {
    this.#reading = reading;
    this.#source = { name, path: pathComponents(name) };
    this.#inTree = inTree;
    this.#isExact = isExact;
    if (!inTree && reading.lineFormats.missing.length === 0) this.#open(reading.collector);
  }

  async push(piece: string, bytes?: Uint8Array): Promise<void> {
    if (this.#reader) {
      this.#reader.push(piece, bytes);
      return;
    }
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length <= WHOLE_MAX) return;
    await this.#load(this.#reading.lineFormats.formats);
    this.#open(this.#reading.collector);
  }

  async end(): Promise<void> {
    if (!this.#reader) await this.#readWhole();
    this.#reader?.end();
  }

  async #readWhole(): Promise<void> {
    const { collector, lineFormats } = this.#reading;
    const repeated = this.#inTree ? await lineFormats.repeated() : undefined;
    const text = this.#pieces.join('');
    if (repeated?.replay(this.#source, text, collector)) return;
    lineFormats.scouted += lineFormats.missing.length > 0 ? text.length : 0;
    const needed = lineFormats.scouted > SCOUTED_MAX ? lineFormats.formats : neededFormats(lineFormats, this.#pieces);
    const isLoaded = await this.#load(needed);
    const { to, end } = repeated?.record(
      this.#source,
      text,
      collector,
      this.#isExact && !text.includes(REPLACEMENT),
    ) ?? { to: collector, end: undefined };
    const reader = this.#open(to);
    if (!isLoaded || !end) return;
    reader.end();
    end();
    this.#reader = undefined;
  }

  /** True if all could be loaded. */
  async #load(formats: readonly LineFormat[]): Promise<boolean> {
    const { lineFormats, collector } = this.#reading;
    const problems = await lineFormats.load(formats);
    for (const { format, reason } of problems) {
      collector.diagnostic(this.#source.name, 'format-not-loaded', { format: format.title, reason });
    }
    return problems.length === 0;
  }

  #open(collector: TextCollector): TextReader {
    const { lineFormats } = this.#reading;
    const reader = textReader(lineFormats, this.#source, collector);
    for (const piece of this.#pieces) {
      const bytes = ENCODER.encode(piece);
      // Characters beyond ASCII have several.
      reader.push(piece, bytes.length === piece.length ? bytes : undefined);
    }
    this.#pieces = [];
    this.#reader = reader;
    return reader;
  }
}
