// What an interval tree stores and returns, in a file of its own, so that the parts of the tree can share it.
import type { Iova } from '../iova.ts';

/** One entry: an inclusive range and the unsigned 32-bit value (a handle) that its owner gave it. */
export interface IntervalEntry {
  readonly start: Iova;
  readonly last: Iova;
  readonly value: number;
}

/** Gets one entry as words; returning `true` ends the visit. */
export type EntryVisitor = (
  value: number,
  startHigh: number,
  startLow: number,
  lastHigh: number,
  lastLow: number,
) => boolean | undefined;

/** Makes something of one entry, given as words. */
export type EntryMaker<T> = (
  value: number,
  startHigh: number,
  startLow: number,
  lastHigh: number,
  lastLow: number,
) => T;

/** Gets one gap as words, both ends inclusive; returning `true` ends the visit. */
export type GapVisitor = (
  startHigh: number,
  startLow: number,
  lastHigh: number,
  lastLow: number,
) => boolean | undefined;

/** A range of addresses that entries cover without a hole (`used`), or that none of them touches. */
export interface Span {
  readonly start: Iova;
  readonly last: Iova;
  readonly used: boolean;
}

/** What may be asked of a tree that belongs to somebody else. */
export interface ReadonlyIntervalTree {
  readonly size: number;
  has(start: bigint, last: bigint, value: number): boolean;
  find(start: bigint, last: bigint): number | undefined;
  overlapsAny(first: bigint, last: bigint): boolean;
  firstOverlap(first: bigint, last: bigint): IntervalEntry | undefined;
  overlaps(first: bigint, last: bigint): Generator<IntervalEntry>;
  overlapsAs<T>(first: bigint, last: bigint, make: EntryMaker<T>): Generator<T>;
  visitOverlaps(first: bigint, last: bigint, visit: EntryVisitor): boolean;
  visitGaps(first: bigint, last: bigint, length: bigint, visit: GapVisitor, shift?: number, offset?: number): boolean;
  spans(first: bigint, last: bigint): Generator<Span>;
  countStartingIn(first: bigint, last: bigint): number;
}
