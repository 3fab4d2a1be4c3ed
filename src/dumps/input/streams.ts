// Streams of bytes: reading them in small pieces, looking at their first bytes, and separating their failures from bugs.

import { concatenated } from '../../session/sharing/bytes.ts';

export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** Bytes of the head that detection may look at. */
export const HEAD_BYTES = 4096;
/** The work on one piece is not interrupted: small enough to stay responsive. */
const PIECE_BYTES = 32_768;

/** The chunks of a stream in pieces of at most 32 KiB. Leaving the loop early cancels the stream. */
export async function* piecesOf(stream: ByteStream): AsyncGenerator<Uint8Array, void, undefined> {
  if (!('getReader' in stream)) {
    for await (const chunk of stream) yield* cut(chunk);
    return;
  }
  const reader = stream.getReader();
  let finished = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        finished = true;
        return;
      }
      yield* cut(value);
    }
  } finally {
    // A stream that failed refuses to be cancelled with the same error: it has been reported already.
    if (!finished) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

function* cut(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield chunk.subarray(at, at + PIECE_BYTES);
}

/** A stream whose first bytes can be looked at before it is read. */
export interface Peeked {
  /** Fewer bytes than were asked for only if the stream is shorter, or if it failed. */
  readonly head: Uint8Array;
  /** The whole stream, from its first byte; to be read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** The first bytes of a stream, `max` at most, with all of it to be read after them. */
export async function peek(pieces: AsyncIterable<Uint8Array>, max = HEAD_BYTES): Promise<Peeked> {
  const iterator = pieces[Symbol.asyncIterator]();
  const kept: Uint8Array[] = [];
  let length = 0;
  let done = false;
  let failure: { readonly error: unknown } | undefined;
  while (length < max && !done && !failure) {
    try {
      const next = await iterator.next();
      if (next.done) done = true;
      else {
        kept.push(next.value);
        length += next.value.length;
      }
    } catch (error) {
      // What came before the failure is still read; the failure is thrown after it.
      failure = { error };
    }
  }
  const head = concatenated(kept, max);
  async function* whole(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* kept;
      if (failure) throw failure.error;
      while (!done) {
        const next = await iterator.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { head, bytes: whole() };
}

/** What was thrown, in words. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** An error of a stream, as distinct from a bug of the code that reads it. */
export class StreamFailure extends Error {
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/** The pieces of a stream. What opening or reading it throws is thrown as a StreamFailure. */
export async function* openPieces(open: () => Promise<ByteStream>): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array, void>;
      try {
        pieces ??= piecesOf(await open());
        next = await pieces.next();
      } catch (error) {
        throw new StreamFailure(error);
      }
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await pieces?.return();
  }
}

/** Reads to the end and drops what it reads, so that a failure shows. */
export async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** Closes a stream without reading it. */
export async function closeUnread(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) break;
}
