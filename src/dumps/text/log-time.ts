// The time that the kernel stamps on a line of its log.
import type { DumpLine } from '../format.ts';

const STAMP = /\[ {0,10}(\d{1,10}\.\d{1,9})\]/;

/** Seconds since boot, of `[   12.345678]`, as a field of a fact; empty without a stamp. */
export function timeOf({ raw }: Pick<DumpLine, 'raw'>): { readonly time?: number } {
  const stamp = STAMP.exec(raw)?.[1];
  return stamp === undefined ? {} : { time: Number(stamp) };
}
