// Helpers of the tests of structures.
import type { Endian } from '../node.ts';
import { type Width, writeNumber } from '../numbers.ts';

/** The bytes of hex digits; blanks and line ends are passed over. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Numbers one behind the other, each with its width in bytes. */
export function pack(fields: readonly (readonly [Width, bigint | number])[], endian: Endian = 'little'): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) {
    writeNumber(bytes, at, width, endian, BigInt(value));
    at += width;
  }
  return bytes;
}

/** A copy with one number written over. */
export function patched(bytes: Uint8Array, offset: number, width: Width, value: bigint | number): Uint8Array {
  const copy = bytes.slice();
  writeNumber(copy, offset, width, 'little', BigInt(value));
  return copy;
}
