import type { Iova } from '../iova.ts';
import type { IntervalEntry, ReadonlyIntervalTree, Span } from './types.ts';

/** The entries of one tree, read one ahead; `head` is undefined at the end. */
interface Source {
  readonly entries: Iterator<IntervalEntry, unknown>;
  head: IntervalEntry | undefined;
}

function sourceOf(entries: Iterator<IntervalEntry, unknown>): Source {
  const source: Source = { entries, head: undefined };
  advance(source);
  return source;
}

function advance(source: Source): void {
  const result = source.entries.next();
  source.head = result.done ? undefined : result.value;
}

/**
 * The alternating used and free ranges of first…last (inclusive) over several trees together: used is what any of them
 * covers, and used ranges that touch are joined.
 */
export function* mergedSpans(trees: readonly ReadonlyIntervalTree[], first: bigint, last: bigint): Generator<Span> {
  if (first > last) return;
  const sources: Source[] = trees.map((tree) => sourceOf(tree.overlaps(first, last)));
  /** First address of the current span. */
  let from = first;
  /** First address after what is known to be used; `from` if nothing is. May be 2^64. */
  let next = first;
  for (;;) {
    let lowest: Source | undefined;
    for (const source of sources) {
      if (source.head && (!lowest?.head || source.head.start < lowest.head.start)) lowest = source;
    }
    if (!lowest?.head) break;
    const { start, last: end } = lowest.head;
    if (start > next) {
      if (next > from) yield { start: from as Iova, last: (next - 1n) as Iova, used: true };
      yield { start: next as Iova, last: (start - 1n) as Iova, used: false };
      from = start;
      next = start;
    }
    if (end >= next) next = end + 1n;
    advance(lowest);
  }
  if (next > last) {
    yield { start: from as Iova, last: last as Iova, used: true };
    return;
  }
  if (next > from) yield { start: from as Iova, last: (next - 1n) as Iova, used: true };
  yield { start: next as Iova, last: last as Iova, used: false };
}
