// Unpacks what people attach: gzip, xz and zstd. Each decoder is loaded when it is needed, and hands on everything up to
// an error. What is unpacked is counted: a small file may hold more than anybody can read.
import { endAtFailure } from './end-at-failure.ts';
import type { Packing } from './file-kind.ts';
import type { SourceReading } from './source-reading.ts';
import { closeUnread, piecesOf, reasonOf } from './streams.ts';

/** Bytes that one source may unpack to. */
export const UNPACKED_MAX = 4 * 2 ** 30;

/** The bytes, up to the limit of the source, `max`; reaching it is reported for `name`. */
export async function* limited(
  { collector }: SourceReading,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  max = UNPACKED_MAX,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bytes) {
    collector.unpacked += piece.length;
    if (collector.unpacked > max) {
      collector.diagnostic(name, 'unpacked-too-large', { limit: max });
      return;
    }
    yield piece;
  }
}

/** The content of a packed file. Problems of the data are reported. */
export async function* unpacked(
  reading: SourceReading,
  name: string,
  packing: Packing,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of limited(reading, name, piecesOf(decoded(reading, name, packing, packed)))) {
    await reading.pacer.pause();
    yield piece;
  }
}

async function* decoded(
  { collector }: SourceReading,
  name: string,
  packing: Packing,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (packing === 'gzip') {
    const { gunzip } = await import('./gunzip.ts');
    yield* gunzip(packed, (problem) =>
      problem.code === 'gzip-damaged'
        ? collector.diagnostic(name, problem.code, { reason: problem.reason })
        : collector.diagnostic(name, problem.code, {}),
    );
    return;
  }
  const fault = (reason: string) => collector.diagnostic(name, 'packed-damaged', { packing, reason });
  if (packing === 'zstd') yield* unzstd(packed, fault);
  else yield* unxz(packed, fault);
}

async function* unzstd(
  packed: AsyncIterable<Uint8Array>,
  fault: (reason: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => {
    // The decoder goes on to use its memory.
    if (chunk.length > 0) ready.push(chunk.slice());
  });
  const attempt = (bytes: Uint8Array, isLast: boolean): string | undefined => {
    try {
      decoder.push(bytes, isLast);
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  };
  for await (const piece of packed) {
    const problem = attempt(piece, false);
    yield* ready;
    ready = [];
    if (problem !== undefined) {
      fault(problem);
      return;
    }
  }
  const problem = attempt(new Uint8Array(0), true);
  yield* ready;
  if (problem !== undefined) fault(problem);
}

/** Its decoder takes one stream at a time: the others wait, so xz in xz would wait for itself. */
let depthOfXz = 0;

async function* unxz(
  packed: AsyncIterable<Uint8Array>,
  fault: (reason: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (depthOfXz > 0) {
    fault('it is inside of other xz data, or other xz data is being read; unpack it first');
    await closeUnread(packed);
    return;
  }
  depthOfXz++;
  // What the source throws is thrown on; the decoder's own errors are problems of the data.
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const module = await import('xz-decompress');
    const { XzReadableStream } = 'default' in module ? (module.default as typeof module) : module;
    const { stream, failure } = endAtFailure(packed);
    reader = new XzReadableStream(stream).getReader();
    for (;;) {
      let next: ReadableStreamReadResult<Uint8Array>;
      try {
        next = await reader.read();
      } catch (error) {
        if (!failure()) fault(reasonOf(error));
        break;
      }
      if (next.done) break;
      if (next.value.length > 0) yield next.value.slice();
    }
    const failed = failure();
    if (failed) throw failed.error;
  } finally {
    depthOfXz--;
    await reader?.cancel().catch(() => undefined);
  }
}
