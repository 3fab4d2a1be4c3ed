import { describe, expect, it } from 'vitest';
import { lengthLabel, pageSizesLabel, rangeLabel } from './words.ts';

describe('numbers in words', () => {
  it.each<[bigint, string]>([
    [0n, 'none'],
    [1n, '1 byte'],
    [0x4020_1000n, '4 KiB, 2 MiB, 1 GiB'],
    [0x3000n, '4 KiB, 8 KiB'],
    [0x7000n, '4 KiB … 16 KiB'],
    [0xf_ff7f_ffff_f000n, '4 KiB … 256 GiB, 1 TiB … 2 PiB'],
    [0xffff_ffff_ffff_f000n, '4 KiB … 8 EiB'],
    [0x8000_0000_0000_0000n, '8 EiB'],
  ])('page sizes %#', (bitmap, message) => {
    expect(pageSizesLabel(bitmap)).toBe(message);
  });

  it('ranges', () => {
    expect(rangeLabel(0n, 0xffff_ffff_ffff_ffffn)).toBe('0x0 – 0xffff_ffff_ffff_ffff, 16 EiB');
    expect(rangeLabel(2n, 1n)).toBe('start is above last');
    expect(lengthLabel(0x1000n, 0x1000n)).toBe('0x1000 – 0x1fff, 4 KiB');
    expect(lengthLabel(0x1000n, 0n)).toBe('empty');
    expect(lengthLabel(0xffff_ffff_ffff_f000n, 0x1000n)).toBe('0xffff_ffff_ffff_f000 – 0xffff_ffff_ffff_ffff, 4 KiB');
    expect(lengthLabel(0xffff_ffff_ffff_f000n, 0x1001n)).toContain('ends above 2^64-1');
  });
});
