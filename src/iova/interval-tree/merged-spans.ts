import type { Iova } from '../iova.ts';
import type { IntervalEntry, ReadonlyIntervalTree, Span } from './types.ts';

/**
 * The alternating used and free stretches of first…last (inclusive) over several trees together: used is what any of
 * them covers, and used stretches that touch are one.
 */
export function* mergedSpans(trees: readonly ReadonlyIntervalTree[], first: bigint, last: bigint): Generator<Span> {
  if (first > last) return;
  const sources = trees.map((tree) => tree.overlaps(first, last));
  const heads = sources.map((source) => source.next());
  /** First address of the stretch at hand. */
  let from = first;
  /** First address behind what is known to be used; `from` if nothing is. May be 2^64. */
  let next = first;
  for (;;) {
    let lowest = -1;
    for (const [i, head] of heads.entries()) {
      if (head.done) continue;
      const best = lowest === -1 ? undefined : heads[lowest];
      if (!best || best.done || head.value.start < best.value.start) lowest = i;
    }
    const head = heads[lowest];
    if (!head || head.done) break;
    const { start, last: end } = head.value;
    if (start > next) {
      if (next > from) yield { start: from as Iova, last: (next - 1n) as Iova, used: true };
      yield { start: next as Iova, last: (start - 1n) as Iova, used: false };
      from = start;
      next = start;
    }
    if (end >= next) next = end + 1n;
    heads[lowest] = (sources[lowest] as Generator<IntervalEntry>).next();
  }
  if (next > last) {
    yield { start: from as Iova, last: last as Iova, used: true };
    return;
  }
  if (next > from) yield { start: from as Iova, last: (next - 1n) as Iova, used: true };
  yield { start: next as Iova, last: last as Iova, used: false };
}
