// Generators and helpers for tests of the choice of an IOVA: crowded address spaces.
import * as fc from 'fast-check';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';

/** A tree of these ranges with nodes small enough that a few dozen of them need several levels. */
export function treeOf(ranges: readonly IovaRange[]): IntervalTree {
  const tree = new IntervalTree(4);
  for (const [i, r] of ranges.entries()) tree.insert(r.start, r.last, i);
  return tree;
}

/** Ranges of a few units at one edge of the space: gaps of every size and phase occur. */
export function crowd(base: bigint, unit: bigint, maxLength: number): fc.Arbitrary<IovaRange[]> {
  return fc.array(
    fc.tuple(fc.nat({ max: 4 * maxLength }), fc.nat({ max: 5 }), fc.boolean()).map(([at, more, odd]) => {
      const start = base + BigInt(at) * unit + (odd ? unit / 4n : 0n);
      const last = start + BigInt(more) * unit + unit / 2n;
      return {
        start: (start > IOVA_MAX ? IOVA_MAX : start) as Iova,
        last: (last > IOVA_MAX ? IOVA_MAX : last) as Iova,
      };
    }),
    { maxLength, size: 'max' },
  );
}

/** The ranges without those that overlap an earlier one. */
export function disjoint(ranges: readonly IovaRange[]): IovaRange[] {
  const out: IovaRange[] = [];
  for (const r of ranges) if (!out.some((o) => o.start <= r.last && r.start <= o.last)) out.push(r);
  return out;
}
