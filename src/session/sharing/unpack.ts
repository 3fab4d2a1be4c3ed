// Unpacks deflated text up to a maximum size, and as much as possible of a text that was cut or damaged.
import { Inflate } from 'fflate';
import { concatenated } from './bytes.ts';

export interface Unpacked {
  /** Everything up to the end, the first damage or the limit. */
  readonly bytes: Uint8Array;
  /** `complete`; `cut`: the data ends too early; `damaged`: it cannot be unpacked further; `too-large`: above the limit. */
  readonly end: 'complete' | 'cut' | 'damaged' | 'too-large';
}

/** Bytes passed to the decoder at a time: they unpack to 1 MiB at most. */
const STEP = 1024;

/**
 * fflate does not report whether it reached the last block. If it did, it ignores what follows. Otherwise these bytes, which are
 * longer than the longest stored block, either unpack to something or cause an error: all ones are not a valid block header.
 */
const PROBE = new Uint8Array(0x1_0000 + STEP).fill(0xff);

class LimitReached extends Error {}

/** Unpacks raw deflate (RFC 1951). At most `max` bytes are kept. Never throws. */
export function unpack(packed: Uint8Array, max: number): Unpacked {
  const parts: Uint8Array[] = [];
  let length = 0;
  const decoder = new Inflate((chunk) => {
    parts.push(chunk);
    length += chunk.length;
    if (length > max) throw new LimitReached();
  });
  const push = (bytes: Uint8Array): Unpacked['end'] => {
    try {
      decoder.push(bytes, false);
      return 'complete';
    } catch (error) {
      return error instanceof LimitReached ? 'too-large' : 'damaged';
    }
  };
  let end: Unpacked['end'] = 'complete';
  for (let at = 0; at < packed.length && end === 'complete'; at += STEP) end = push(packed.slice(at, at + STEP));
  const unpacked = Math.min(length, max);
  if (end === 'complete' && (push(PROBE) !== 'complete' || length > unpacked)) end = 'cut';
  return { bytes: concatenated(parts, unpacked), end };
}
