// Numbers of the structures as text for people.
import { formatRange, formatSize } from '../iova/format.ts';
import { IOVA_MAX } from '../iova/iova.ts';
import { range, sizeOf } from '../iova/range.ts';

/**
 * The page sizes of a bitmap (bit n set: pages of 2^n bytes), smallest first: `4 KiB, 2 MiB, 1 GiB`; three and more
 * powers in a row as `4 KiB … 8 EiB`. `none` for 0.
 */
export function pageSizesLabel(bitmap: bigint): string {
  const parts: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if (((bitmap >> BigInt(bit)) & 1n) === 0n) continue;
    let end = bit;
    while (end < 63 && ((bitmap >> BigInt(end + 1)) & 1n) === 1n) end++;
    const size = (n: number) => formatSize(1n << BigInt(n));
    if (end - bit >= 2) parts.push(`${size(bit)} … ${size(end)}`);
    else for (let n = bit; n <= end; n++) parts.push(size(n));
    bit = end;
  }
  return parts.join(', ') || 'none';
}

/** A range of two inclusive bounds and its size, or that it is reversed. */
export function rangeLabel(start: bigint, last: bigint): string {
  if (start > last) return 'start is above last';
  const r = range(start, last);
  return `${formatRange(r)}, ${formatSize(sizeOf(r))}`;
}

/** The range of a start and a length in bytes. */
export function lengthLabel(start: bigint, length: bigint): string {
  if (length === 0n) return 'empty';
  const last = start + length - 1n;
  return last > IOVA_MAX ? `${formatSize(length)}, ends above 2^64-1` : rangeLabel(start, last);
}
