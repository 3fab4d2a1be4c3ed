// Ranges as columns of typed arrays: room for a million of them, and cheap to send from a worker.
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';

/** Disjoint ranges in ascending order; bounds inclusive. Both columns have the same length. */
export interface RangeColumns {
  readonly starts: BigUint64Array;
  readonly lasts: BigUint64Array;
}

/** Element `index` of a column; throws a RangeError if there is none. */
export function elementAt<T>(column: ArrayLike<T>, index: number): T {
  const value = column[index];
  if (value === undefined) throw new RangeError(`no element ${index} in a column of ${column.length}`);
  return value;
}

/** Range `index` of the columns; `undefined` if there is none. */
export function rangeAt({ starts, lasts }: RangeColumns, index: number): IovaRange | undefined {
  const start = starts[index];
  const last = lasts[index];
  // Every element of a BigUint64Array is an address.
  return start === undefined || last === undefined ? undefined : { start: start as Iova, last: last as Iova };
}

/** Index of the first range that ends at or after `address`; the number of ranges if there is none. O(log n). */
export function firstEndingAtOrAfter({ lasts }: Pick<RangeColumns, 'lasts'>, address: bigint): number {
  let low = 0;
  let high = lasts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (elementAt(lasts, middle) < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Indices of the ranges that share an address with a range, `end` exclusive. */
export function indicesOf(
  row: RangeColumns,
  { start, last }: IovaRange,
): { readonly from: number; readonly end: number } {
  const from = firstEndingAtOrAfter(row, start);
  return { from, end: Math.max(from, firstEndingAtOrAfter({ lasts: row.starts }, last + 1n)) };
}
