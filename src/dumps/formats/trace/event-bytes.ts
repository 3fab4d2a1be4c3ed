// Parts of the lines of traces, read from their bytes: shared by the fast paths of their formats.

import { fromWords } from '../../../iova/address-halves.ts';
import type { Iova } from '../../../iova/iova.ts';
import { doubleAt } from '../../../iova/typed-arrays.ts';

/** The name, which the kernel cuts, with the process and a few blanks before it. */
const FREE_LENGTH_MAX = 64;
const CPU_DIGITS_MAX = 4;
const FLAGS_LENGTH_MAX = 8;
/** A double holds fifteen decimal digits exactly. */
const DIGITS_MAX = 15;
const SECONDS_DIGITS_MAX = 12;
/** Powers of ten by their exponent. */
const SCALES = Float64Array.of(1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9);

const LETTER_U = 85;
const COLON = 58;
const BRACKET = 91;
const BLANK = 32;
const DOT = 46;

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** By byte: the value of a hex digit, -1 for other characters. */
const HEX_VALUES = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX_VALUES[digit.charCodeAt(0)] = value;
  HEX_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/** True for the characters of the kernel's flags: letters, digits and dots. */
function isFlag(code: number): boolean {
  return code === DOT || isDigit(code) || ((code | 0x20) >= 97 && (code | 0x20) <= 122);
}

/** High and low word of the last number that `hexEnd` read: in an array, because numbers of 32 bits may become objects. */
export const words = new Uint32Array(2);
/** The last number that `decimalEnd` read. */
export const decimal = new Float64Array(1);

/** The address of two words of 32 bits: any two are one. */
export function addressOf(high: number, low: number): Iova {
  return fromWords(high, low) as Iova;
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Where `expected` ends if it is at this place; -1 if it is not. */
export function textEnd(bytes: Uint8Array, at: number, to: number, expected: Uint8Array): number {
  const end = at + expected.length;
  if (end > to) return -1;
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return -1;
  return end;
}

/** Where a number of up to sixteen hex digits ends; -1 if there is none. */
export function hexEnd(bytes: Uint8Array, from: number, to: number): number {
  let high = 0;
  let low = 0;
  let at = from;
  for (; at < to; at++) {
    const digit = HEX_VALUES[bytes[at] as number] as number;
    if (digit < 0) break;
    high = (high << 4) | (low >>> 28);
    low = (low << 4) | digit;
  }
  if (at === from || at - from > 16) return -1;
  words[0] = high;
  words[1] = low;
  return at;
}

/** Where a decimal number of up to fifteen digits ends; -1 if there is none. */
export function decimalEnd(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  let at = from;
  for (; at < to; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (at === from || at - from > DIGITS_MAX) return -1;
  decimal[0] = value;
  return at;
}

/** Where one or more blanks end; -1 if there is none. */
export function blanksEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === BLANK) at++;
  return at === from ? -1 : at;
}

/** Where the time ends, after its colon; -1 if there is none. `decimal` then holds it in seconds. */
function timeEnd(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  let dot = -1;
  let at = from;
  for (; at < to; at++) {
    const code = bytes[at] as number;
    if (code === DOT && dot < 0) dot = at;
    else if (isDigit(code)) value = value * 10 + (code - 48);
    else break;
  }
  const decimals = at - dot - 1;
  if (bytes[at] !== COLON || at >= to || dot <= from || dot - from > SECONDS_DIGITS_MAX) return -1;
  if (decimals < 1 || decimals > 9 || at - from - 1 > DIGITS_MAX) return -1;
  // Both numbers are exact, so their quotient is the double nearest to the printed time.
  decimal[0] = value / doubleAt(SCALES, decimals);
  return at + 1;
}

/** Where the flags and the blanks after them end. There may be none. */
function flagsEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isFlag(bytes[at] as number)) at++;
  if (bytes[at] !== BLANK || at - from > FLAGS_LENGTH_MAX) return from;
  const end = blanksEnd(bytes, at, to);
  return end < 0 ? from : end;
}

/** Where the number of the CPU starts, which is where the free text ends; -1 if there is none. */
export function freeTextEnd(bytes: Uint8Array, from: number, to: number): number {
  const limit = Math.min(to, from + FREE_LENGTH_MAX);
  let at = from;
  for (; at < limit; at++) {
    const code = bytes[at] as number;
    if (code === BRACKET) break;
    // The first `IOMMU:` must be the mark of the event itself.
    if (code === COLON && bytes[at - 1] === LETTER_U) return -1;
  }
  return at < limit && isDigit(bytes[at + 1] as number) ? at : -1;
}

/** Where the name of the event begins, or its system, behind CPU, flags and time; -1 if they are not there. `decimal` then holds the time. */
export function prefixEnd(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== BRACKET) return -1;
  const cpu = decimalEnd(bytes, from + 1, to);
  if (cpu < 0 || cpu - from - 1 > CPU_DIGITS_MAX || bytes[cpu] !== 93) return -1;
  const flags = blanksEnd(bytes, cpu + 1, to);
  if (flags < 0) return -1;
  const timed = timeEnd(bytes, flagsEnd(bytes, flags, to), to);
  return timed < 0 ? -1 : blanksEnd(bytes, timed, to);
}
