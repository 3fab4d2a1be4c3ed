import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, IOVA_SPACE, type Iova } from './iova.ts';
import {
  compareRanges,
  containsAddress,
  containsRange,
  type IovaRange,
  intersection,
  overlaps,
  range,
  rangeOfLength,
  rangesEqual,
  sizeOf,
  WHOLE_SPACE,
} from './range.ts';
import {
  complement,
  find,
  gaps,
  intersect,
  largest,
  overlapsSet,
  rangeSet,
  subtract,
  totalSize,
  union,
} from './range-set.ts';
import { anyAddress, anyRange, assertProperty, shortRange } from './testing/arbitraries.ts';

const either = fc.oneof(anyRange, shortRange);
const ranges = fc.array(either, { maxLength: 12 });

/** The addresses where something may change: both ends of every range and their neighbours. */
function probes(...lists: readonly (readonly IovaRange[])[]): Iova[] {
  const near = lists.flat().flatMap((r) => [r.start - 1n, r.start, r.last, r.last + 1n]);
  return [0n, ...near, IOVA_MAX].filter((n): n is Iova => n >= 0n && n <= IOVA_MAX);
}

function holds(list: readonly IovaRange[], address: bigint): boolean {
  return list.some((r) => r.start <= address && address <= r.last);
}

/** Sorted, disjoint, not adjacent. */
function expectCanonical(set: readonly IovaRange[]): void {
  for (const [i, r] of set.entries()) {
    expect(r.start <= r.last).toBe(true);
    const next = set[i + 1];
    if (next) expect(next.start).toBeGreaterThan(r.last + 1n);
  }
}

describe('range', () => {
  it('is made of two addresses in order', () => {
    expect(range(0n, IOVA_MAX)).toEqual(WHOLE_SPACE);
    expect(() => range(2n, 1n)).toThrow(RangeError);
    expect(() => range(0n, IOVA_SPACE)).toThrow(RangeError);
    expect(() => range(-1n, 1n)).toThrow(RangeError);
  });

  it('has a length, up to 2^64', () => {
    assertProperty(
      fc.property(either, (r) => {
        expect(rangeOfLength(r.start, sizeOf(r))).toEqual(r);
      }),
    );
    expect(sizeOf(WHOLE_SPACE)).toBe(IOVA_SPACE);
    expect(rangeOfLength(5n, 0n)).toBeUndefined();
    expect(rangeOfLength(IOVA_MAX, 2n)).toBeUndefined();
    expect(rangeOfLength(0n, IOVA_SPACE + 1n)).toBeUndefined();
    expect(rangeOfLength(-1n, 1n)).toBeUndefined();
  });

  it('overlaps, contains and intersects as its addresses do', () => {
    assertProperty(
      fc.property(either, either, anyAddress, (a, b, address) => {
        const shared = probes([a], [b]).filter((n) => holds([a], n) && holds([b], n));
        const common = intersection(a, b);
        expect(overlaps(a, b)).toBe(shared.length > 0);
        expect(overlaps(b, a)).toBe(overlaps(a, b));
        expect(common !== undefined).toBe(overlaps(a, b));
        for (const n of probes([a], [b])) {
          expect(common !== undefined && containsAddress(common, n)).toBe(holds([a], n) && holds([b], n));
        }
        expect(containsAddress(a, address)).toBe(holds([a], address));
        expect(containsRange(a, b)).toBe(common !== undefined && rangesEqual(common, b));
      }),
    );
  });

  it('sorts by start, then by last', () => {
    const list = [range(5n, 9n), range(0n, 3n), range(5n, 6n), range(0n, IOVA_MAX)];
    expect(list.sort(compareRanges).map((r) => [r.start, r.last])).toEqual([
      [0n, 3n],
      [0n, IOVA_MAX],
      [5n, 6n],
      [5n, 9n],
    ]);
    expect(compareRanges(range(1n, 2n), range(1n, 2n))).toBe(0);
  });
});

describe('range set', () => {
  it('holds the addresses of its ranges, in one form whatever their order', () => {
    assertProperty(
      fc.property(ranges, (list) => {
        const set = rangeSet(list);
        expectCanonical(set);
        for (const n of probes(list)) {
          expect(holds(set, n)).toBe(holds(list, n));
          const found = find(set, n);
          expect(found !== undefined && containsAddress(found, n)).toBe(holds(list, n));
        }
        expect(rangeSet(list.toReversed())).toEqual(set);
        expect(rangeSet(set)).toEqual(set);
      }),
    );
  });

  it('meets a range where any of its ranges does', () => {
    assertProperty(
      fc.property(ranges, either, (list, one) => {
        expect(overlapsSet(rangeSet(list), one)).toBe(list.some((r) => overlaps(r, one)));
      }),
    );
  });

  it('joins ranges that touch, also at the top', () => {
    expect(rangeSet([range(4n, 5n), range(1n, 3n)])).toEqual([range(1n, 5n)]);
    expect(rangeSet([range(IOVA_MAX, IOVA_MAX), range(0n, IOVA_MAX - 1n)])).toEqual([WHOLE_SPACE]);
    expect(rangeSet([WHOLE_SPACE, range(IOVA_MAX, IOVA_MAX)])).toEqual([WHOLE_SPACE]);
  });

  it('does not change the ranges it was made of', () => {
    const list = [range(1n, 3n), range(2n, 8n)];
    rangeSet(list);
    expect(list).toEqual([range(1n, 3n), range(2n, 8n)]);
  });

  it('knows the algebra of sets', () => {
    assertProperty(
      fc.property(ranges, ranges, either, (x, y, within) => {
        const a = rangeSet(x);
        const b = rangeSet(y);
        const results = [union(a, b), intersect(a, b), subtract(a, b), complement(a), complement(a, within)];
        for (const set of results) expectCanonical(set);
        for (const n of probes(x, y, [within])) {
          const [inA, inB] = [holds(x, n), holds(y, n)];
          expect(results.map((set) => holds(set, n))).toEqual([
            inA || inB,
            inA && inB,
            inA && !inB,
            !inA,
            !inA && containsAddress(within, n),
          ]);
        }
        expect(complement(complement(a))).toEqual(a);
        expect(totalSize(a) + totalSize(complement(a))).toBe(IOVA_SPACE);
      }),
    );
  });

  it('knows its gaps and its largest range', () => {
    const set = rangeSet([range(1n, 2n), range(8n, 9n), range(20n, 20n)]);
    expect(gaps(set)).toEqual([range(3n, 7n), range(10n, 19n)]);
    expect(gaps([])).toEqual([]);
    expect(largest(set)).toEqual(range(1n, 2n));
    expect(largest([])).toBeUndefined();
    expect(largest(gaps(set))).toEqual(range(10n, 19n));
    expect(complement([])).toEqual([WHOLE_SPACE]);
    expect(complement([WHOLE_SPACE])).toEqual([]);
  });
});
