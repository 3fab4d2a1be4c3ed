// Numbers of the structures in words.
import { formatRange, formatSize } from '../iova/format.ts';
import { IOVA_MAX, type Iova } from '../iova/iova.ts';

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

/** A range of two inclusive bounds and its size; says so if it is reversed. */
export function rangeLabel(start: bigint, last: bigint): string {
  if (start > last) return 'start is above last';
  return `${formatRange({ start: start as Iova, last: last as Iova })}, ${formatSize(last - start + 1n)}`;
}

/** The range of a start and a length in bytes. */
export function lengthLabel(start: bigint, length: bigint): string {
  if (length === 0n) return 'no byte';
  const last = start + length - 1n;
  return last > IOVA_MAX ? `${formatSize(length)}, past the end of the 64-bit space` : rangeLabel(start, last);
}
