// Walks the ranges of lanes in reading order: lane by lane, and by address within a lane.
import { firstEndingAtOrAfter, type RangeColumns, rangeAt } from '../../timeline/lanes/columns.ts';
import type { Lane } from '../../timeline/lanes/lane.ts';
import type { Target } from '../../timeline/scene/mark.ts';

export function targetAt(lane: Lane, row: number, index: number): Target | undefined {
  const columns = lane.rows[row];
  const range = columns && rangeAt(columns, index);
  return range && { laneId: lane.id, row, index, count: 1, start: range.start, last: range.last };
}

/** The n-th range of a lane, counting row by row. */
export function nthOfLane(lane: Lane, n: number): Target | undefined {
  let rest = n;
  for (const [row, columns] of lane.rows.entries()) {
    if (rest < columns.starts.length) return targetAt(lane, row, rest);
    rest -= columns.starts.length;
  }
  return undefined;
}

function compare(a: Target, b: Target): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  if (a.last !== b.last) return a.last < b.last ? -1 : 1;
  return a.row - b.row;
}

/** Index of the first range of a row that starts at or after `address`. */
export function firstStartingAtOrAfter(row: RangeColumns, address: bigint): number {
  const index = firstEndingAtOrAfter(row, address);
  const start = row.starts[index];
  return start !== undefined && start < address ? index + 1 : index;
}

/** The next (or previous) range of the same lane by address, across all rows. O(rows × log n). */
export function neighbour(lane: Lane, from: Target, direction: 'next' | 'previous'): Target | undefined {
  let best: Target | undefined;
  for (const [row, columns] of lane.rows.entries()) {
    const at = firstStartingAtOrAfter(columns, from.start);
    // Candidates around the same start: equal starts in other rows are ordered by their end and row.
    for (const index of direction === 'next' ? [at, at + 1] : [at, at - 1]) {
      const candidate = targetAt(lane, row, index);
      if (!candidate) continue;
      const order = compare(candidate, from);
      if (direction === 'next' ? order <= 0 : order >= 0) continue;
      const better =
        best === undefined || (direction === 'next' ? compare(candidate, best) < 0 : compare(candidate, best) > 0);
      if (better) best = candidate;
    }
  }
  return best;
}

/** The first or the last range of a lane by address. */
export function extreme(lane: Lane, direction: 'next' | 'previous'): Target | undefined {
  let best: Target | undefined;
  for (const [row, columns] of lane.rows.entries()) {
    const candidate = targetAt(lane, row, direction === 'next' ? 0 : columns.starts.length - 1);
    if (!candidate) continue;
    if (!best || (direction === 'next' ? compare(candidate, best) < 0 : compare(candidate, best) > 0)) best = candidate;
  }
  return best;
}
