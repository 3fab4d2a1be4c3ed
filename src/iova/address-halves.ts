// 64-bit addresses as two unsigned 32-bit words, for loops that must not allocate a bigint for each comparison.

import { wordAt } from './typed-arrays.ts';

/** Number of values of one word. */
export const TWO_32 = 0x1_0000_0000;

const scratch = new BigUint64Array(1);
const halves = new Uint32Array(scratch.buffer);
// The order of the halves in memory is the machine's; detected once.
scratch[0] = 1n;
/** Where the lower word of an address is in a `Uint32Array` on the memory of a `BigUint64Array`. */
export const LOW = halves[0] === 1 ? 0 : 1;
/** Where the upper word is. */
export const HIGH = 1 - LOW;

/** The upper 32 bits of an address, 0 to 2^32−1. */
export function highWord(value: bigint): number {
  scratch[0] = value;
  return wordAt(halves, HIGH);
}

/** The lower 32 bits of an address, 0 to 2^32−1. */
export function lowWord(value: bigint): number {
  scratch[0] = value;
  return wordAt(halves, LOW);
}

/** The address of two words. */
export function fromWords(high: number, low: number): bigint {
  halves[HIGH] = high;
  halves[LOW] = low;
  // Index 0 of an array of one element.
  return scratch[0] as bigint;
}

/** True if a ≤ b. */
export function atMost(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow <= bLow);
}

/** True if a < b. */
export function below(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  return aHigh < bHigh || (aHigh === bHigh && aLow < bLow);
}
