import { IOVA_MAX, type Iova, iova } from './iova.ts';

/** A non-empty range of addresses, inclusive on both sides, as kernels print them. */
export interface IovaRange {
  readonly start: Iova;
  readonly last: Iova;
}

/** The whole space, 0x0 to 0xffffffffffffffff. */
export const WHOLE_SPACE: IovaRange = { start: iova(0n), last: IOVA_MAX };

/** Builds an inclusive range. Throws RangeError when start > last or a bound is no address. */
export function range(start: bigint, last: bigint): IovaRange {
  if (start > last) throw new RangeError(`start 0x${start.toString(16)} is above last 0x${last.toString(16)}`);
  return { start: iova(start), last: iova(last) };
}

/** All addresses of `bits` bits. RangeError unless that is 0 to 64. */
export function rangeOfBits(bits: number): IovaRange {
  return range(0n, (1n << BigInt(bits)) - 1n);
}

/**
 * The range of `length` bytes from `start`; `undefined` when length is 0 or the end wraps past 2^64−1.
 * `start` + `length` may be 2^64 exactly: the range then ends at the top.
 */
export function rangeOfLength(start: bigint, length: bigint): IovaRange | undefined {
  const last = start + length - 1n;
  return length <= 0n || last > IOVA_MAX || start < 0n ? undefined : { start: iova(start), last: iova(last) };
}

/** Number of bytes, 1 to 2^64: the whole space has 2^64, which is no address. */
export function sizeOf(r: IovaRange): bigint {
  return r.last - r.start + 1n;
}

/** True if both borders of the range are multiples of `unit`: it is made of whole units. */
export function isAligned(r: IovaRange, unit: bigint): boolean {
  return r.start % unit === 0n && (r.last + 1n) % unit === 0n;
}

export function overlaps(a: IovaRange, b: IovaRange): boolean {
  return a.start <= b.last && b.start <= a.last;
}

export function containsAddress(r: IovaRange, address: bigint): boolean {
  return r.start <= address && address <= r.last;
}

export function containsRange(outer: IovaRange, inner: IovaRange): boolean {
  return outer.start <= inner.start && inner.last <= outer.last;
}

export function intersection(a: IovaRange, b: IovaRange): IovaRange | undefined {
  const start = a.start > b.start ? a.start : b.start;
  const last = a.last < b.last ? a.last : b.last;
  return start <= last ? { start, last } : undefined;
}

export function rangesEqual(a: IovaRange, b: IovaRange): boolean {
  return a.start === b.start && a.last === b.last;
}

/** Orders by start, then by last. */
export function compareRanges(a: IovaRange, b: IovaRange): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.last === b.last ? 0 : a.last < b.last ? -1 : 1;
}
