import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromWords, highWord, lowWord } from '../address-halves.ts';
import { IOVA_MAX, type Iova } from '../iova.ts';
import { type IovaRange, overlaps, rangesEqual, WHOLE_SPACE } from '../range.ts';
import { complement, rangeSet } from '../range-set.ts';
import { anyRange, assertProperty, shortRange } from '../testing/arbitraries.ts';
import { mergedSpans } from './merged-spans.ts';
import { IntervalTree } from './tree.ts';
import type { IntervalEntry, Span } from './types.ts';

/** The same answers from a plain array, sorted by start, equals in order of arrival. */
class NaiveIndex {
  readonly entries: IntervalEntry[] = [];

  insert(r: IovaRange, value: number): void {
    const at = this.entries.findIndex((e) => e.start > r.start);
    this.entries.splice(at < 0 ? this.entries.length : at, 0, { ...r, value });
  }

  remove(r: IovaRange, value: number): boolean {
    const at = this.entries.findLastIndex((e) => rangesEqual(e, r) && e.value === value);
    if (at < 0) return false;
    this.entries.splice(at, 1);
    return true;
  }

  overlaps(r: IovaRange): IntervalEntry[] {
    return this.entries.filter((e) => overlaps(e, r));
  }

  gaps(r: IovaRange, length: bigint): IovaRange[] {
    return complement(rangeSet(this.entries), r).filter((gap) => gap.last - gap.start >= length - 1n);
  }
}

function naiveSpans(entries: readonly IovaRange[], within: IovaRange): Span[] {
  const holes = complement(rangeSet(entries), within);
  const used = complement(holes, within);
  return [...used.map((r) => ({ ...r, used: true })), ...holes.map((r) => ({ ...r, used: false }))].sort((a, b) =>
    a.start < b.start ? -1 : 1,
  );
}

function visited(tree: IntervalTree, r: IovaRange): IntervalEntry[] {
  const out: IntervalEntry[] = [];
  const ended = tree.visitOverlaps(r.start, r.last, (value, startHigh, startLow, lastHigh, lastLow) => {
    out.push({
      start: fromWords(startHigh, startLow) as Iova,
      last: fromWords(lastHigh, lastLow) as Iova,
      value,
    });
    return false;
  });
  // A visitor that never ends the visit, and one that ends it at once.
  expect(ended).toBe(false);
  expect(tree.visitOverlaps(r.start, r.last, () => true)).toBe(out.length > 0);
  return out;
}

function visitedGaps(tree: IntervalTree, r: IovaRange, length: bigint, shift?: number, offset?: number): IovaRange[] {
  const out: IovaRange[] = [];
  const ended = tree.visitGaps(
    r.start,
    r.last,
    length,
    (startHigh, startLow, lastHigh, lastLow) => {
      out.push({ start: fromWords(startHigh, startLow) as Iova, last: fromWords(lastHigh, lastLow) as Iova });
      return false;
    },
    shift,
    offset,
  );
  expect(ended).toBe(false);
  // What the first search learned about alignment may let another one skip gaps that are too small.
  if (shift === undefined) expect(tree.visitGaps(r.start, r.last, length, () => true)).toBe(out.length > 0);
  return out;
}

function expectSame(tree: IntervalTree, naive: NaiveIndex, queries: readonly IovaRange[]): void {
  tree.verify();
  expect(tree.size).toBe(naive.entries.length);
  expect([...tree.overlaps(0n, IOVA_MAX)]).toEqual(naive.entries);
  for (const q of [WHOLE_SPACE, ...queries, ...naive.entries.slice(0, 3)]) {
    expect(tree.find(q.start, q.last)).toBe(naive.entries.findLast((e) => rangesEqual(e, q))?.value);
    const hits = naive.overlaps(q);
    expect([...tree.overlaps(q.start, q.last)]).toEqual(hits);
    expect(visited(tree, q)).toEqual(hits);
    expect(tree.firstOverlap(q.start, q.last)).toEqual(hits[0]);
    expect(tree.overlapsAny(q.start, q.last)).toBe(hits.length > 0);
    expect([...tree.spans(q.start, q.last)]).toEqual(naiveSpans(naive.entries, q));
    expect(tree.countStartingIn(q.start, q.last)).toBe(
      naive.entries.filter((e) => e.start >= q.start && e.start <= q.last).length,
    );
    for (const length of [1n, 2n, 9n, q.last - q.start + 1n, 1n << 32n]) {
      expect(visitedGaps(tree, q, length)).toEqual(naive.gaps(q, length));
    }
  }
}

type Step = { readonly range: IovaRange; readonly value: number; readonly remove: boolean; readonly pick: number };

function stepsOf(range: fc.Arbitrary<IovaRange>, size: number): fc.Arbitrary<Step[]> {
  return fc.array(
    fc.record({
      range,
      value: fc.integer({ min: 0, max: 3 }),
      // One in four, so that the tree grows.
      remove: fc.nat({ max: 3 }).map((n) => n === 0),
      pick: fc.nat(),
    }),
    { maxLength: size, size: 'max' },
  );
}

/** Runs the steps on both; with `disjoint`, what would overlap is left out. */
function run(tree: IntervalTree, naive: NaiveIndex, steps: readonly Step[], disjoint: boolean): void {
  for (const step of steps) {
    const victim = naive.entries[step.pick % Math.max(1, naive.entries.length)];
    if (step.remove && victim) {
      expect(tree.remove(victim.start, victim.last, victim.value)).toBe(true);
      naive.remove(victim, victim.value);
    } else if (!disjoint || naive.overlaps(step.range).length === 0) {
      tree.insert(step.range.start, step.range.last, step.value);
      naive.insert(step.range, step.value);
    }
  }
}

/** The same with the functions that take words: of entries with equal bounds the latest goes first. */
function runInWords(tree: IntervalTree, naive: NaiveIndex, steps: readonly Step[]): void {
  const wordsOf = ({ start, last }: IovaRange) =>
    [highWord(start), lowWord(start), highWord(last), lowWord(last)] as const;
  for (const step of steps) {
    const victim = naive.entries[step.pick % Math.max(1, naive.entries.length)];
    const bounds = step.remove && victim ? victim : step.range;
    const latest = naive.entries.findLast((entry) => rangesEqual(entry, bounds));
    expect(tree.removeWords(...wordsOf(bounds))).toBe(latest?.value ?? -1);
    if (latest) naive.remove(bounds, latest.value);
    if (step.remove) continue;
    const isFree = naive.overlaps(bounds).length === 0;
    expect(tree.insertFree(...wordsOf(bounds), step.value)).toBe(isFree);
    if (isFree) naive.insert(bounds, step.value);
  }
}

const capacities = fc.constantFrom(4, 5, 8, 64);

describe('IntervalTree', () => {
  it('adds what overlaps nothing and removes exact ranges, given as words', () => {
    assertProperty(
      fc.property(capacities, stepsOf(shortRange, 8), stepsOf(shortRange, 60), (capacity, before, steps) => {
        const tree = new IntervalTree(capacity);
        const naive = new NaiveIndex();
        // What was there before may overlap.
        run(tree, naive, before, false);
        runInWords(tree, naive, steps);
        tree.verify();
        expectSame(tree, naive, [WHOLE_SPACE]);
      }),
    );
  });

  it('is empty at first', () => {
    const tree = new IntervalTree();
    expectSame(tree, new NaiveIndex(), [{ start: 0n as Iova, last: IOVA_MAX }]);
    expect(tree.remove(0n, 0n, 0)).toBe(false);
  });

  it('holds the whole space as one entry', () => {
    const tree = new IntervalTree();
    const naive = new NaiveIndex();
    const whole = { start: 0n as Iova, last: IOVA_MAX };
    tree.insert(0n, IOVA_MAX, 0xffff_ffff);
    naive.insert(whole, 0xffff_ffff);
    expectSame(tree, naive, [whole, { start: IOVA_MAX, last: IOVA_MAX }, { start: 0n as Iova, last: 0n as Iova }]);
    expect(tree.has(0n, IOVA_MAX, 0xffff_ffff)).toBe(true);
    expect(tree.has(0n, IOVA_MAX, 0)).toBe(false);
  });

  it('holds single bytes at both ends of the space', () => {
    const tree = new IntervalTree();
    tree.insert(IOVA_MAX, IOVA_MAX, 1);
    tree.insert(0n, 0n, 2);
    expect([...tree.spans(0n, IOVA_MAX)]).toEqual([
      { start: 0n, last: 0n, used: true },
      { start: 1n, last: IOVA_MAX - 1n, used: false },
      { start: IOVA_MAX, last: IOVA_MAX, used: true },
    ]);
    expect(visitedGaps(tree, { start: 0n as Iova, last: IOVA_MAX }, (1n << 64n) - 2n)).toEqual([
      { start: 1n, last: IOVA_MAX - 1n },
    ]);
    expect(visitedGaps(tree, { start: 0n as Iova, last: IOVA_MAX }, (1n << 64n) - 1n)).toEqual([]);
  });

  it('finds gaps that begin or end where the upper word changes', () => {
    const tree = new IntervalTree();
    tree.insert(0x1n, 0xffff_ffffn, 0);
    tree.insert(0x3_0000_0000n, 0x3_ffff_ffffn, 1);
    expect(visitedGaps(tree, WHOLE_SPACE, 1n)).toEqual([
      { start: 0n, last: 0n },
      { start: 0x1_0000_0000n, last: 0x2_ffff_ffffn },
      { start: 0x4_0000_0000n, last: IOVA_MAX },
    ]);
  });

  it('refuses a start above its last', () => {
    expect(() => new IntervalTree().insert(2n, 1n, 0)).toThrow(RangeError);
  });

  it('refuses a capacity that cannot be split', () => {
    expect(() => new IntervalTree(3)).toThrow(RangeError);
  });

  it('ends a visit when the visitor says so', () => {
    const tree = new IntervalTree(4);
    for (let i = 0n; i < 100n; i++) tree.insert(i * 10n, i * 10n + 4n, Number(i));
    const seen: number[] = [];
    expect(tree.visitOverlaps(95n, 900n, (value) => seen.push(value) === 3)).toBe(true);
    expect(seen).toEqual([10, 11, 12]);
    tree.insert(0n, 1000n, 999);
    seen.length = 0;
    expect(tree.visitOverlaps(95n, 900n, (value) => seen.push(value) === 3)).toBe(true);
    expect(seen).toEqual([999, 10, 11]);
    const gaps: number[] = [];
    const sparse = new IntervalTree(4);
    for (let i = 0n; i < 100n; i++) sparse.insert(i * 10n, i * 10n + 4n, Number(i));
    expect(sparse.visitGaps(12n, 900n, 5n, (_high, low) => gaps.push(low) === 2)).toBe(true);
    expect(gaps).toEqual([15, 25]);
  });

  it('answers as an array does: overlapping entries', () => {
    assertProperty(
      fc.property(
        capacities,
        stepsOf(fc.oneof(anyRange, shortRange), 120),
        fc.array(anyRange, { maxLength: 4 }),
        (capacity, steps, queries) => {
          const tree = new IntervalTree(capacity);
          const naive = new NaiveIndex();
          run(tree, naive, steps, false);
          expectSame(tree, naive, queries);
        },
      ),
    );
  });

  it('answers as an array does: disjoint entries', () => {
    assertProperty(
      fc.property(
        capacities,
        stepsOf(shortRange, 150),
        fc.array(fc.oneof(anyRange, shortRange), { maxLength: 4 }),
        (capacity, steps, queries) => {
          const tree = new IntervalTree(capacity);
          const naive = new NaiveIndex();
          run(tree, naive, steps, true);
          expectSame(tree, naive, queries);
        },
      ),
    );
  });

  it.each([4, 6, 16])('stays in order through thousands of insertions and removals (capacity %i)', (capacity) => {
    assertProperty(
      fc.property(fc.infiniteStream(fc.nat({ max: 5999 })), (numbers) => {
        const tree = new IntervalTree(capacity);
        const present = new Set<number>();
        const range = (n: number): IovaRange => {
          // Strides cross 2^32 and end at the very top.
          const start = n === 5999 ? IOVA_MAX - 9n : (1n << 32n) - 3_000n * 64n + BigInt(n) * 64n;
          return { start: start as Iova, last: (start + 9n) as Iova };
        };
        let step = 0;
        for (const n of numbers) {
          const r = range(n);
          // Grows for a while, then shrinks to almost nothing, and so on.
          const growing = Math.floor(step / 2500) % 2 === 0;
          if (!present.has(n) && growing) {
            tree.insert(r.start, r.last, n);
            present.add(n);
          } else if (present.has(n) && !growing) {
            // One expect for each of so many steps would take longer than the tree.
            if (!tree.remove(r.start, r.last, n)) expect.fail(`${n} is not removed`);
            present.delete(n);
          }
          if (step % 500 === 0) tree.verify();
          if (++step === 6000) break;
        }
        const naive = new NaiveIndex();
        for (const n of [...present].sort((a, b) => a - b)) naive.insert(range(n), n);
        expectSame(tree, naive, [{ start: (1n << 32n) as Iova, last: ((1n << 32n) + 9_000n) as Iova }]);
        for (const n of present) {
          if (!tree.remove(range(n).start, range(n).last, n)) expect.fail(`${n} is not removed`);
        }
        expect(tree.size).toBe(0);
        tree.verify();
      }),
      { numRuns: 1 },
    );
  });

  it.each([true, false])(
    'skips no gap that holds an aligned block, whatever was learned (disjoint: %s)',
    (disjoint) => {
      // Crowds where words carry over, at the start and at the end of the space.
      const bases = [0n, (1n << 32n) - 0x200n, IOVA_MAX - 0x3ffn];
      const step = fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            op: fc.constant('insert' as const),
            at: fc.nat({ max: 0x1ff }),
            size: fc.nat({ max: 7 }),
          }),
        },
        {
          weight: 3,
          arbitrary: fc.record({
            op: fc.constant('remove' as const),
            at: fc.nat({ max: 0x1ff }),
            size: fc.constant(0),
          }),
        },
        {
          weight: 4,
          arbitrary: fc.record({
            op: fc.constant('search' as const),
            at: fc.nat({ max: 40 }),
            size: fc.integer({ min: 1, max: 24 }),
          }),
        },
      );
      // Exponents and offsets. 9 and 0x14 are not runs of ones: a later start may be rounded up to an earlier place.
      const placements = [
        [0, 0],
        [2, 0],
        [3, 0],
        [5, 0],
        [31, 0],
        [0, 9],
        [2, 0x14],
      ] as const;
      assertProperty(
        fc.property(
          fc.constantFrom(4, 5, 8),
          fc.constantFrom(...bases),
          fc.array(step, { maxLength: 400, size: 'max' }),
          (capacity, base, steps) => {
            let tree = new IntervalTree(capacity);
            const naive = new NaiveIndex();
            for (const [i, { op, at, size }] of steps.entries()) {
              if (op === 'insert') {
                const start = base + BigInt(at * 2);
                const last = start + BigInt(size) > IOVA_MAX ? IOVA_MAX : start + BigInt(size);
                const r = { start, last } as IovaRange;
                if (disjoint && naive.overlaps(r).length > 0) continue;
                tree.insert(start, last, i);
                naive.insert(r, i);
              } else if (op === 'remove') {
                const entry = naive.entries[at % (naive.entries.length + 1)];
                if (!entry) continue;
                expect(tree.remove(entry.start, entry.last, entry.value)).toBe(true);
                naive.remove(entry, entry.value);
              } else {
                const [shift, offset] = placements[at % placements.length] ?? [0, 0];
                const within = { start: base + BigInt(at), last: base + 0x3ffn - BigInt(at) } as IovaRange;
                const length = BigInt(size);
                const fitsAt = (start: bigint, last: bigint) => {
                  const first = ((start + (1n << BigInt(shift)) - 1n) >> BigInt(shift)) << BigInt(shift);
                  const place = first | BigInt(offset);
                  return place <= last && last - place >= length - 1n;
                };
                // Gaps in which a block fits from any address on.
                const fits = (gap: IovaRange) => {
                  const steps = offset === 0 ? 0n : 64n;
                  for (let start: bigint = gap.start; start <= gap.last && start <= gap.start + steps; start++) {
                    if (fitsAt(start, gap.last)) return true;
                  }
                  return false;
                };
                const seen = visitedGaps(tree, within, length, shift, offset).filter(fits);
                expect(seen).toEqual(naive.gaps(within, length).filter(fits));
                if (size === 24) tree = tree.clone();
              }
            }
            tree.verify();
          },
        ),
      );
    },
  );

  it('learns where no aligned block fits, and forgets it when an entry is removed', () => {
    const tree = new IntervalTree(4);
    // 12 bytes free in every 16, none of them from a multiple of 16 on.
    for (let i = 0n; i < 500n; i++) tree.insert(i * 16n, i * 16n + 3n, Number(i));
    const looked = () => visitedGaps(tree, { start: 0n as Iova, last: 7_999n as Iova }, 9n, 4).length;
    const plain = visitedGaps(tree, { start: 0n as Iova, last: 7_999n as Iova }, 9n).length;
    expect(plain).toBe(500);
    looked();
    // Gaps between nodes are looked at each time, gaps inside are not.
    expect(looked()).toBeLessThan(30);
    tree.remove(256n * 16n, 256n * 16n + 3n, 256);
    const found = visitedGaps(tree, { start: 0n as Iova, last: 7_999n as Iova }, 9n, 4);
    expect(found).toContainEqual({ start: 255n * 16n + 4n, last: 257n * 16n - 1n });
    tree.verify();
    expect(() => tree.visitGaps(0n, 9n, 1n, () => false, 32)).toThrow(RangeError);
  });

  it('learns the same for an offset, and keeps what it learned for the latest eight', () => {
    const tree = new IntervalTree(4);
    // 12 bytes free in every 16, 11 from the offset 5 on.
    for (let i = 0n; i < 500n; i++) tree.insert(i * 16n, i * 16n + 3n, Number(i));
    const looked = (offset: number) =>
      visitedGaps(tree, { start: 0n as Iova, last: 7_999n as Iova }, 12n, 0, offset).length;
    expect(looked(5)).toBeGreaterThan(100);
    expect(looked(5)).toBeLessThan(30);
    const { bytes } = tree;
    for (let offset = 6; offset < 13; offset++) looked(offset);
    expect(looked(5)).toBeLessThan(30);
    for (let offset = 13; offset < 16; offset++) looked(offset);
    expect(looked(5)).toBeLessThan(30);
    expect(looked(6)).toBeGreaterThan(100);
    expect(tree.bytes - bytes).toBeLessThan(bytes);
    tree.verify();
    expect(() => tree.visitGaps(0n, 9n, 1n, () => false, 0, 2 ** 31)).toThrow(RangeError);
  });

  it('finds the right one of many equal ranges', () => {
    const tree = new IntervalTree(4);
    for (let value = 0; value < 50; value++) tree.insert(8n, 15n, value);
    tree.insert(8n, 20n, 7);
    for (let value = 0; value < 50; value += 2) expect(tree.remove(8n, 15n, value)).toBe(true);
    expect(tree.remove(8n, 15n, 4)).toBe(false);
    tree.verify();
    expect([...tree.overlaps(0n, 100n)].map((e) => e.value)).toEqual(
      [...Array(25).keys()].map((i) => 2 * i + 1).concat(7),
    );
  });

  it('builds from sorted input what insertion builds', () => {
    assertProperty(
      fc.property(
        capacities,
        fc.array(anyRange, { maxLength: 200, size: 'max' }),
        fc.array(anyRange, { maxLength: 3 }),
        (capacity, ranges, queries) => {
          const naive = new NaiveIndex();
          for (const [i, r] of ranges.entries()) naive.insert(r, i);
          const sorted = naive.entries;
          const tree = IntervalTree.fromSorted(
            BigUint64Array.from(sorted, (e) => e.start),
            BigUint64Array.from(sorted, (e) => e.last),
            Uint32Array.from(sorted, (e) => e.value),
            capacity,
          );
          expectSame(tree, naive, queries);
          for (const r of ranges.slice(0, 20)) {
            tree.insert(r.start, r.last, 1000);
            naive.insert(r, 1000);
          }
          expectSame(tree, naive, queries);
        },
      ),
    );
  });

  it('numbers the entries of sorted input that brings no values', () => {
    const tree = IntervalTree.fromSorted(BigUint64Array.of(1n, 5n), BigUint64Array.of(2n, 6n));
    expect([...tree.overlaps(0n, 9n)].map((e) => e.value)).toEqual([0, 1]);
  });

  it('refuses sorted input that is not', () => {
    expect(() => IntervalTree.fromSorted(BigUint64Array.of(5n, 1n), BigUint64Array.of(5n, 1n))).toThrow(/descend/);
    expect(() => IntervalTree.fromSorted(BigUint64Array.of(5n), BigUint64Array.of(4n))).toThrow(/above last/);
    expect(() => IntervalTree.fromSorted(BigUint64Array.of(5n), new BigUint64Array(0))).toThrow(/length/);
  });

  it('clones into an independent tree', () => {
    assertProperty(
      fc.property(capacities, stepsOf(shortRange, 80), stepsOf(shortRange, 80), (capacity, before, after) => {
        const tree = new IntervalTree(capacity);
        const naive = new NaiveIndex();
        run(tree, naive, before, false);
        const copy = tree.clone();
        const kept = new NaiveIndex();
        kept.entries.push(...naive.entries);
        run(tree, naive, after, false);
        expectSame(copy, kept, []);
        run(copy, kept, after.slice().reverse(), false);
        expectSame(tree, naive, []);
        expectSame(copy, kept, []);
      }),
    );
  });

  it('clears and can be filled again', () => {
    const tree = new IntervalTree(4);
    for (let i = 0n; i < 100n; i++) tree.insert(i, i + 5n, 0);
    tree.clear();
    tree.verify();
    expect(tree.size).toBe(0);
    tree.insert(3n, 4n, 9);
    expect([...tree.overlaps(0n, IOVA_MAX)]).toEqual([{ start: 3n, last: 4n, value: 9 }]);
  });

  it('is small with few entries, and so is its copy', () => {
    const tree = new IntervalTree();
    expect(tree.bytes).toBeLessThan(20);
    for (let i = 0n; i < 3n; i++) tree.insert(i * 16n, i * 16n + 7n, Number(i));
    expect(tree.bytes).toBeLessThan(150);
    const copy = tree.clone();
    expect(copy.bytes).toBeLessThan(150);
    for (let i = 3n; i < 200n; i++) copy.insert(i * 16n, i * 16n + 7n, Number(i));
    copy.verify();
    expect([tree.size, copy.size]).toEqual([3, 200]);
    expect([...copy.overlaps(0n, IOVA_MAX)].map(({ value }) => value)).toEqual(
      Array.from({ length: 200 }, (_, i) => i),
    );
    const other = new IntervalTree();
    expect([...other.overlaps(0n, IOVA_MAX)]).toEqual([]);
  });

  it('needs some tens of bytes an entry', () => {
    const n = 10_000;
    const starts = BigUint64Array.from({ length: n }, (_, i) => BigInt(i) * 0x3000n);
    const tree = IntervalTree.fromSorted(
      starts,
      starts.map((start) => start + 0x1fffn),
    );
    expect(tree.bytes / n).toBeGreaterThan(20);
    expect(tree.bytes / n).toBeLessThan(60);
    // What searches learn about one alignment is 8 bytes a slot.
    const before = tree.bytes;
    tree.visitGaps(0n, IOVA_MAX, 1n << 40n, () => false, 12);
    const learned = tree.bytes - before;
    expect(learned).toBeGreaterThan(0);
    tree.visitGaps(0n, IOVA_MAX, 1n << 40n, () => false, 12);
    expect(tree.bytes - before).toBe(learned);
    tree.visitGaps(0n, IOVA_MAX, 1n << 40n, () => false, 21);
    expect(tree.bytes - before).toBe(2 * learned);
  });
});

describe('mergedSpans', () => {
  it('joins what several trees cover', () => {
    assertProperty(
      fc.property(
        fc.array(fc.array(fc.oneof(anyRange, shortRange), { maxLength: 12 }), { maxLength: 3 }),
        anyRange,
        (lists, within) => {
          const trees = lists.map((ranges) => {
            const tree = new IntervalTree(4);
            for (const r of ranges) tree.insert(r.start, r.last, 0);
            return tree;
          });
          expect([...mergedSpans(trees, within.start, within.last)]).toEqual(naiveSpans(lists.flat(), within));
        },
      ),
    );
  });
});
