// Cuts an address space at the bounds of what is in it, for a drawing that is not to scale: between two cuts nothing
// begins or ends, or, where there is more than can be drawn, it is said how much.
import type { IovaRange } from '../../iova/range.ts';
import { elementAt, firstEndingAtOrAfter, type RangeColumns } from '../lanes/columns.ts';

/** What a row has in a segment: nothing, one range that covers it, or several (or a part of one). */
export type Coverage =
  | { readonly kind: 'empty' }
  | { readonly kind: 'range'; readonly index: number }
  | { readonly kind: 'several'; readonly first: number; readonly count: number };

/** Ranges of a row whose bounds are looked at: beyond it a row is only summed up. */
const ROW_MAX = 400;

/**
 * The view cut into at most `max` segments, ascending, without gaps. The bounds of `first` (in order of importance) are
 * cuts before those of the rows, and those of a row before those of the rows after it.
 */
export function segmentsOf(
  view: IovaRange,
  first: readonly IovaRange[],
  rows: readonly RangeColumns[],
  max: number,
): IovaRange[] {
  /** First addresses of segments. */
  const cuts = new Set<bigint>([view.start]);
  const cut = ({ start, last }: { readonly start: bigint; readonly last: bigint }) => {
    for (const at of [start, last + 1n]) if (at > view.start && at <= view.last && cuts.size < max) cuts.add(at);
  };
  for (const range of first) cut(range);
  for (const row of rows) {
    const from = firstEndingAtOrAfter(row, view.start);
    const end = Math.min(row.starts.length, from + ROW_MAX);
    for (let i = from; i < end && elementAt(row.starts, i) <= view.last; i++) {
      cut({ start: elementAt(row.starts, i), last: elementAt(row.lasts, i) });
    }
  }
  const starts = [...cuts].sort((a, b) => (a < b ? -1 : 1));
  return starts.map((start, i) => ({ start, last: (starts[i + 1] ?? view.last + 1n) - 1n }) as IovaRange);
}

/** What a row has in a segment. */
export function coverage(row: RangeColumns, segment: IovaRange): Coverage {
  const index = firstEndingAtOrAfter(row, segment.start);
  if (index >= row.starts.length || elementAt(row.starts, index) > segment.last) return { kind: 'empty' };
  if (elementAt(row.starts, index) <= segment.start && elementAt(row.lasts, index) >= segment.last) {
    return { kind: 'range', index };
  }
  const end = firstEndingAtOrAfter(row, segment.last);
  const reaches = end < row.starts.length && elementAt(row.starts, end) <= segment.last;
  return { kind: 'several', first: index, count: end - index + (reaches ? 1 : 0) };
}
