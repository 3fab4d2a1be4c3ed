// Unpacks gzip with fflate, which returns everything up to an error. The platform's DecompressionStream may drop what it
// has unpacked when the data is truncated, and most reject a second member. fflate checks no sums: that is done here.
import { Gunzip } from 'fflate';
import { crc32 } from '../../session/sharing/crc32.ts';
import { reasonOf } from './streams.ts';

/** Bytes handed to the decoder at once: what one step unpacks (2 MiB at most) is lost if the step meets damage. */
const STEP = 2048;
/** CRC-32 and length modulo 2^32, little-endian, after each member (RFC 1952, section 2.3.1). */
const TRAILER = 8;

/** What is wrong with gzip data; `code` is the diagnostic's. */
export type GzipProblem =
  | { readonly code: 'gzip-truncated' }
  | { readonly code: 'gzip-damaged'; readonly reason: string };

/**
 * Unpacks gzip with any number of members. `fault` is called at most once, after the last good byte, if the data is
 * truncated or corrupt.
 */
export async function* gunzip(
  packed: AsyncIterable<Uint8Array>,
  fault: (problem: GzipProblem) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ready: Uint8Array[] = [];
  let crc = 0;
  let length = 0;
  let trailer = new Uint8Array(0);
  const decoder = new Gunzip((chunk) => {
    if (chunk.length === 0) return;
    crc = crc32(chunk, crc);
    length += chunk.length;
    ready.push(chunk);
  });
  decoder.onmember = () => {
    crc = 0;
    length = 0;
  };
  const attempt = (bytes: Uint8Array, final: boolean): string | undefined => {
    try {
      decoder.push(bytes, final);
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  };
  for await (const piece of packed) {
    for (let at = 0; at < piece.length; at += STEP) {
      const step = piece.subarray(at, at + STEP);
      const problem = attempt(step, false);
      yield* ready;
      ready = [];
      if (problem !== undefined) {
        fault({ code: 'gzip-damaged', reason: problem });
        return;
      }
      const tail = step.length >= TRAILER ? step : new Uint8Array([...trailer, ...step]);
      trailer = Uint8Array.from(tail.subarray(-TRAILER));
    }
  }
  const problem = attempt(new Uint8Array(0), true);
  yield* ready;
  const sums = trailer.length === TRAILER ? new DataView(trailer.buffer) : undefined;
  const complete = sums?.getUint32(4, true) === length % 0x1_0000_0000;
  if (problem !== undefined || !complete) {
    fault({ code: 'gzip-truncated' });
  } else if (sums?.getUint32(0, true) !== crc) {
    fault({ code: 'gzip-damaged', reason: 'checksum mismatch' });
  }
}
