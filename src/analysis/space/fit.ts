// "Would this fit?": where a range of some size and alignment fits among free ranges, or what blocks it.
import { alignUp, bitLength } from '../../iova/iova.ts';
import { containsRange, type IovaRange, rangeOfLength, sizeOf } from '../../iova/range.ts';
import { complement, intersect, type RangeSet } from '../../iova/range-set.ts';
import type { SpaceObstacle, UsableRanges } from './usable-ranges.ts';

export interface FitQuestion {
  /** Bytes, 1 to 2^64. */
  readonly size: bigint;
  /** A power of two; 1 for any address. */
  readonly alignment: bigint;
  /** The start address; anywhere if absent. */
  readonly at?: bigint | undefined;
}

/** Possible start addresses: `first`, and every multiple of the alignment from there up to `last`. */
export interface Places {
  readonly first: bigint;
  readonly last: bigint;
  /** The free range that contains them. */
  readonly free: IovaRange;
}

export interface FitAnswer {
  readonly fits: boolean;
  /** Ascending. With a fixed address that one, if it fits. */
  readonly places: readonly Places[];
  /** How many such ranges fit at once, each aligned; 0 or 1 with a fixed address. */
  readonly together: bigint;
  /** The largest size that fits anywhere at this alignment (at a fixed address: from there), and where; undefined if none. */
  readonly largest?: { readonly size: bigint; readonly start: bigint } | undefined;
  /** With a fixed address: the parts of the requested range that are not free, ascending. */
  readonly blocked: RangeSet;
  /** With a fixed address: why no range of this size can start there, regardless of what is free. */
  readonly startError?: 'misaligned' | 'past-the-end' | undefined;
}

/** Places in one free range for `size` bytes. */
function placesIn(free: IovaRange, size: bigint, alignment: bigint): Places | undefined {
  const first = alignUp(free.start, alignment);
  const highest = free.last - size + 1n;
  if (highest < first) return undefined;
  return { first, last: first + ((highest - first) / alignment) * alignment, free };
}

/** How many ranges of `size` bytes fit into one free range's places without overlap. */
function packed({ first, last }: Places, size: bigint, alignment: bigint): bigint {
  return (last - first) / alignUp(size, alignment) + 1n;
}

/** The largest range that starts at a multiple of the alignment; the lowest of equals. */
export function largestAligned(free: RangeSet, alignment: bigint): FitAnswer['largest'] {
  let best: FitAnswer['largest'];
  for (const r of free) {
    const start = alignUp(r.start, alignment);
    if (start > r.last) continue;
    const size = r.last - start + 1n;
    if (!best || size > best.size) best = { size, start };
  }
  return best;
}

/** Answers a question about free ranges (disjoint, ascending). */
export function findPlaces(free: RangeSet, question: FitQuestion): FitAnswer {
  const { size, alignment, at } = question;
  if (at === undefined) {
    const places = free.flatMap((r) => placesIn(r, size, alignment) ?? []);
    const together = places.reduce((sum, place) => sum + packed(place, size, alignment), 0n);
    return { fits: places.length > 0, places, together, largest: largestAligned(free, alignment), blocked: [] };
  }
  const holder = free.find((r) => r.start <= at && at <= r.last);
  const isAligned = at % alignment === 0n;
  const largest = holder && isAligned ? { size: holder.last - at + 1n, start: at } : undefined;
  const requested = rangeOfLength(at, size);
  const none = { fits: false, places: [], together: 0n, largest };
  if (!requested) return { ...none, blocked: [], startError: 'past-the-end' };
  if (!isAligned) return { ...none, blocked: blockedOf(free, requested), startError: 'misaligned' };
  if (holder && containsRange(holder, requested)) {
    return { fits: true, places: [{ first: at, last: at, free: holder }], together: 1n, largest, blocked: [] };
  }
  return { ...none, blocked: blockedOf(free, requested) };
}

/** The answer for one address space, with what blocks the requested range. */
export interface SpaceFitAnswer extends FitAnswer {
  /** With a fixed address, if it does not fit there: what blocks it, at most `max` obstacles. Else empty. */
  readonly obstacles: readonly SpaceObstacle[];
}

/** "Would this fit?" for one address space; what is mapped in it is not free. */
export function fitInSpace(space: UsableRanges, question: FitQuestion, max = 50): SpaceFitAnswer {
  const answer = findPlaces(space.free, question);
  const requested = question.at === undefined ? undefined : rangeOfLength(question.at, question.size);
  const isBlocked = requested !== undefined && answer.blocked.length > 0;
  return { ...answer, obstacles: isBlocked ? space.obstaclesIn(requested, max) : [] };
}

function blockedOf(free: RangeSet, requested: IovaRange): RangeSet {
  return complement(intersect(free, [requested]), requested);
}

/** Statistics of the holes of an address space. */
export interface HoleStatistics {
  readonly count: number;
  /** Bytes, 0 to 2^64. */
  readonly total: bigint;
  readonly largest?: IovaRange | undefined;
  /** For each requested alignment: the largest range that starts at a multiple of it. */
  readonly aligned: readonly { readonly alignment: bigint; readonly largest: FitAnswer['largest'] }[];
  /** Exponent n: holes of at least 2^n and less than 2^(n+1) bytes. Only sizes that occur, ascending. */
  readonly histogram: readonly { readonly exponent: number; readonly count: number; readonly total: bigint }[];
}

/** Counts holes as they are visited: a million of them need no array. */
export class HoleCounter {
  #count = 0;
  #total = 0n;
  #largest: IovaRange | undefined;
  readonly #aligned: { alignment: bigint; largest: FitAnswer['largest'] }[];
  readonly #histogram = new Map<number, { count: number; total: bigint }>();

  constructor(alignments: readonly bigint[]) {
    this.#aligned = alignments.map((alignment) => ({ alignment, largest: undefined }));
  }

  add(hole: IovaRange): void {
    const size = sizeOf(hole);
    this.#count++;
    this.#total += size;
    if (!this.#largest || size > sizeOf(this.#largest)) this.#largest = hole;
    for (const entry of this.#aligned) {
      if (entry.largest && size <= entry.largest.size) continue;
      const start = alignUp(hole.start, entry.alignment);
      const room = hole.last - start + 1n;
      if (room > 0n && (!entry.largest || room > entry.largest.size)) entry.largest = { size: room, start };
    }
    const exponent = bitLength(size) - 1;
    const bin = this.#histogram.get(exponent) ?? { count: 0, total: 0n };
    bin.count++;
    bin.total += size;
    this.#histogram.set(exponent, bin);
  }

  get result(): HoleStatistics {
    return {
      count: this.#count,
      total: this.#total,
      largest: this.#largest,
      aligned: this.#aligned,
      histogram: [...this.#histogram]
        .map(([exponent, bin]) => ({ exponent, ...bin }))
        .sort((a, b) => a.exponent - b.exponent),
    };
  }
}
