import { IOVA_MAX, type Iova } from './iova.ts';
import { compareRanges, type IovaRange, sizeOf, WHOLE_SPACE } from './range.ts';

/**
 * A set of addresses as disjoint inclusive ranges in ascending order, no two of them adjacent.
 * The form is canonical: equal sets have equal arrays. Build one with `rangeSet`.
 */
export type RangeSet = readonly IovaRange[];

/** Makes the canonical set of any ranges: sorted, overlapping and adjacent ones joined. O(n log n). */
export function rangeSet(ranges: Iterable<IovaRange>): RangeSet {
  const sorted = [...ranges].sort(compareRanges);
  const out: { start: Iova; last: Iova }[] = [];
  for (const r of sorted) {
    const tail = out.at(-1);
    // `tail.last + 1n` may be 2^64, which no start reaches, so the comparison stays true to the set.
    if (tail && r.start <= tail.last + 1n) {
      if (r.last > tail.last) tail.last = r.last;
    } else {
      out.push({ start: r.start, last: r.last });
    }
  }
  return out;
}

export function union(a: RangeSet, b: RangeSet): RangeSet {
  return rangeSet([...a, ...b]);
}

/** The addresses in both sets. O(n + m). */
export function intersect(a: RangeSet, b: RangeSet): RangeSet {
  const out: IovaRange[] = [];
  let i = 0;
  let j = 0;
  for (let x = a[i], y = b[j]; x && y; x = a[i], y = b[j]) {
    const start = x.start > y.start ? x.start : y.start;
    const last = x.last < y.last ? x.last : y.last;
    if (start <= last) out.push({ start, last });
    if (x.last < y.last) i++;
    else j++;
  }
  return out;
}

/** The addresses inside `within` that are not in `set`, ends included. */
export function complement(set: RangeSet, within: IovaRange = WHOLE_SPACE): RangeSet {
  const out: IovaRange[] = [];
  let next: bigint = within.start;
  for (const r of set) {
    if (r.last < within.start) continue;
    if (r.start > within.last) break;
    if (r.start > next) out.push({ start: next as Iova, last: (r.start - 1n) as Iova });
    if (r.last + 1n > next) next = r.last + 1n;
  }
  if (next <= within.last && next <= IOVA_MAX) out.push({ start: next as Iova, last: within.last });
  return out;
}

/** The addresses of `a` that are not in `b`. */
export function subtract(a: RangeSet, b: RangeSet): RangeSet {
  return intersect(a, complement(b));
}

/** The ranges between the ranges of a set, without what is before the first and after the last. */
export function gaps(set: RangeSet): RangeSet {
  const first = set[0];
  const tail = set.at(-1);
  return first && tail ? complement(set, { start: first.start, last: tail.last }) : [];
}

/** The range of the set that holds `address`. O(log n). */
export function find(set: RangeSet, address: bigint): IovaRange | undefined {
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const r = set[middle];
    if (!r || address < r.start) high = middle - 1;
    else if (address > r.last) low = middle + 1;
    else return r;
  }
  return undefined;
}

/** Whether any address of the range, ends included, is in the set. O(log n). */
export function overlapsSet(set: RangeSet, range: IovaRange): boolean {
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const r = set[middle];
    if (r && r.last < range.start) low = middle + 1;
    else high = middle;
  }
  const first = set[low];
  return first !== undefined && first.start <= range.last;
}

/** Number of addresses in the set, 0 to 2^64. */
export function totalSize(set: RangeSet): bigint {
  return set.reduce((sum, r) => sum + sizeOf(r), 0n);
}

/** The largest range of the set, the lowest of equals. */
export function largest(set: RangeSet): IovaRange | undefined {
  let best: IovaRange | undefined;
  for (const r of set) if (!best || sizeOf(r) > sizeOf(best)) best = r;
  return best;
}
