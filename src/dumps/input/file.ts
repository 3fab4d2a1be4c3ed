// Reads one file, whatever it is: packed, an archive, a format of bytes, a session file, or text.
import { pathComponents } from '../fields/sysfs-path.ts';
import { TextReader } from '../text/text-reader.ts';
import { readTar } from './archive.ts';
import { carrierMax, carrierOf, sessionIn } from './embedded.ts';
import { describeBinary, isGzip, isTar, utf16 } from './file-kind.ts';
import type { GzipProblem } from './gunzip.ts';
import { looksLikeSession, SESSION_FORMAT, SessionFileReader } from './session-file.ts';
import type { SourceReading } from './source-reading.ts';
import { closeUnread, drain, HEAD_BYTES, type Peeked, peek, piecesOf } from './streams.ts';

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
  if (depth < DEPTH_MAX && isGzip(head)) {
    await readFile(reading, name, unpacked(reading, name, bytes), inTree, depth + 1);
    return;
  }
  if (depth < DEPTH_MAX && isTar(head)) {
    await readTar(reading, name, bytes, (entry, entryBytes) => readFile(reading, entry, entryBytes, true, depth + 1));
    return;
  }
  collector.files++;
  const binary = reading.binaryFormats.find((format) => format.matches(head));
  if (binary) {
    await binary.read(bytes, { name, path: pathComponents(name) }, collector.sink(name, binary));
    return;
  }
  if (head.length === 0) {
    await drain(bytes);
    if (!inTree) collector.diagnostic(name, 'empty-file', {});
    return;
  }
  const rest = await readCarrier(reading, name, peeked);
  if (rest === undefined) return;
  const what = describeBinary(head);
  if (what !== undefined) {
    if (!inTree) collector.diagnostic(name, 'binary-file', { what });
    await closeUnread(rest);
    return;
  }
  await readText(reading, name, { head, bytes: rest });
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

async function* unpacked(
  { collector, pacer }: SourceReading,
  name: string,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const report = (problem: GzipProblem) =>
    problem.code === 'gzip-damaged'
      ? collector.diagnostic(name, problem.code, { reason: problem.reason })
      : collector.diagnostic(name, problem.code, {});
  // Most dumps are plain text: the decoder is loaded when it is needed.
  const { gunzip } = await import('./gunzip.ts');
  for await (const piece of piecesOf(gunzip(packed, report))) {
    await pacer.pause();
    yield piece;
  }
}

async function readText(reading: SourceReading, name: string, { head, bytes }: Peeked): Promise<void> {
  const { collector, pacer } = reading;
  const encoding = utf16(head) ?? 'utf-8';
  const decoder = new TextDecoder(encoding);
  const start = new TextDecoder(encoding).decode(head);
  const session = looksLikeSession(start) ? new SessionFileReader(name, collector) : undefined;
  const reader = session ?? new TextReader(reading.lineFormats, { name, path: pathComponents(name) }, collector);
  const push = (text: string) => {
    reader.push(text);
    reading.onText?.(name, text);
  };
  try {
    for await (const piece of bytes) {
      push(decoder.decode(piece, { stream: true }));
      await pacer.pause();
    }
    push(decoder.decode());
  } finally {
    // Also after a failure of the stream: the lines before it count.
    reader.end();
  }
  if (session?.header) {
    reading.headers.push(session.header);
    collector.noteFormat(SESSION_FORMAT);
  }
}
