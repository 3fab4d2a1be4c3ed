import { describe, expect, it } from 'vitest';
import { formatRange, formatSize, groupedHex, hex, isExactSize, paddedHex, shortSizeOrHex } from './format.ts';
import { IOVA_MAX, IOVA_SPACE, type Iova } from './iova.ts';
import { parseSize } from './parse.ts';

describe('hex', () => {
  it.each<[bigint, string, string, string]>([
    [0n, '0x0', '0x0', '0x0000000000000000'],
    [0xabcdn, '0xabcd', '0xabcd', '0x000000000000abcd'],
    [0xfee0_0000n, '0xfee00000', '0xfee0_0000', '0x00000000fee00000'],
    [0x1_0000_0000n, '0x100000000', '0x1_0000_0000', '0x0000000100000000'],
    [IOVA_MAX, '0xffffffffffffffff', '0xffff_ffff_ffff_ffff', '0xffffffffffffffff'],
  ])('prints %s', (value, plain, grouped, padded) => {
    expect([hex(value), groupedHex(value), paddedHex(value)]).toEqual([plain, grouped, padded]);
  });
});

describe('formatRange', () => {
  it('prints both inclusive ends', () => {
    expect(formatRange({ start: 0n as Iova, last: IOVA_MAX })).toBe('0x0 – 0xffff_ffff_ffff_ffff');
  });
});

describe('shortSizeOrHex', () => {
  it.each<[bigint, string]>([
    [0n, '0x0'],
    [1n, '0x1'],
    [1023n, '0x3ff'],
    [1024n, '1K'],
    [1536n, '0x600'],
    [3n << 20n, '3M'],
    [IOVA_MAX, '0xffffffffffffffff'],
    [IOVA_SPACE, '16E'],
  ])('prints %s, which parseSize gives back', (bytes, text) => {
    expect(shortSizeOrHex(bytes)).toBe(text);
    expect(parseSize(text)).toMatchObject({ ok: true, value: bytes });
  });
});

describe('formatSize', () => {
  it.each<[bigint, string]>([
    [0n, '0 bytes'],
    [1n, '1 byte'],
    [1023n, '1023 bytes'],
    [1024n, '1 KiB'],
    [1536n, '1.5 KiB'],
    [1537n, '≈ 1.5 KiB'],
    [0x1f00_0000n, '496 MiB'],
    [(1n << 20n) - 1n, '≈ 1023 KiB'],
    [(1n << 20n) + 1n, '≈ 1 MiB'],
    [11n << 30n, '11 GiB'],
    [0xbebc_2000n, '≈ 2.98 GiB'],
    [1n << 47n, '128 TiB'],
    [(1n << 48n) + (1n << 45n), '288 TiB'],
    [1n << 63n, '8 EiB'],
    [IOVA_MAX, '≈ 15.9 EiB'],
    [IOVA_SPACE, '16 EiB'],
  ])('prints %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
    expect(isExactSize(bytes)).toBe(!text.startsWith('≈'));
  });
});
