// Addresses of an I/O address space: unsigned 64-bit, held as branded bigints.
import { highWord, lowWord } from './address-halves.ts';

declare const brand: unique symbol;

/** An I/O virtual address: a bigint from 0 to 2^64−1 inclusive. */
export type Iova = bigint & { readonly [brand]: 'Iova' };

/** The highest address, 0xffffffffffffffff. Also the mask for arithmetic modulo 2^64. */
export const IOVA_MAX = 0xffff_ffff_ffff_ffffn as Iova;

/** Number of addresses in the space, 2^64: an exclusive end, so not an address itself. */
export const IOVA_SPACE = 1n << 64n;

/** Widths in bits that IOMMUs have, ascending: Intel's client parts 39, servers 46 to 57; AMD and ARM 48 and more. */
export const ADDRESS_WIDTHS: readonly number[] = [36, 39, 40, 46, 48, 52, 57];

/** True if `value` fits an unsigned 64-bit address. */
export function isIova(value: bigint): value is Iova {
  return value >= 0n && value <= IOVA_MAX;
}

/** Brands an in-range bigint. Throws RangeError otherwise: a value from outside goes through `parseAddress`. */
export function iova(value: bigint): Iova {
  if (!isIova(value)) throw new RangeError(`not an unsigned 64-bit address: ${value}`);
  return value;
}

/** Lowest set bit of `value` (the alignment that it has), or 0 for 0. */
export function lowestSetBit(value: bigint): bigint {
  return value & -value;
}

/** `value` up to the next multiple of the power of two `alignment`, not wrapped: may exceed 64 bits. */
export function alignUp(value: bigint, alignment: bigint): bigint {
  return (value + alignment - 1n) & -alignment;
}

/** `value` down to a multiple of the power of two `alignment`. */
export function alignDown(value: bigint, alignment: bigint): bigint {
  return value & -alignment;
}

/** The smallest power of two that is at least `value`; 1 for 0 and 1. */
export function roundUpPowerOfTwo(value: bigint): bigint {
  return value <= 1n ? 1n : 1n << BigInt(bitLength(value - 1n));
}

/** Number of bits needed to write `value` (0 for 0). `value` must not be negative. */
export function bitLength(value: bigint): number {
  if (value > IOVA_MAX) return value.toString(2).length;
  const high = highWord(value);
  return high === 0 ? 32 - Math.clz32(lowWord(value)) : 64 - Math.clz32(high);
}
