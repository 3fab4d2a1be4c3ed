import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRange, formatSize, groupedDecimal, groupedHex, hex, isExactSize, paddedHex } from './format.ts';
import { IOVA_MAX, IOVA_SPACE } from './iova.ts';
import { type ParseResult, parseAddress, parseRange, parseSize } from './parse.ts';
import { anyAddress, anyRange, assertProperty } from './testing/arbitraries.ts';

/** The value, or `code@position` of the error. */
function read<T>(result: ParseResult<T>): T | string {
  return result.ok ? result.value : `${result.error.code}@${result.error.position}`;
}

describe('parseAddress', () => {
  it.each<[string, bigint]>([
    ['0', 0n],
    ['0x0', 0n],
    ['4096', 4096n],
    ['00004096', 0x4096n],
    ['0004096', 4096n],
    ['fee00000', 0xfee0_0000n],
    ['FEE00000', 0xfee0_0000n],
    ['0XFEE00000', 0xfee0_0000n],
    ['  0xfee0_0000\t', 0xfee0_0000n],
    ['00000000`fee00000', 0xfee0_0000n],
    ['1_000_000', 1_000_000n],
    ['0xffffffffffffffff', IOVA_MAX],
    ['0x0000000000ffffffffffffffff', IOVA_MAX],
    ['18446744073709551615', IOVA_MAX],
    ['4,276,092,928', 0xfee0_0000n],
    ['4G', 1n << 32n],
    [' 1.5 TiB', 3n << 39n],
    // Hex wins where a text is both.
    ['4E', 0x4en],
    ['1_B', 0x1bn],
  ])('reads %j', (text, value) => {
    expect(read(parseAddress(text))).toBe(value);
  });

  it.each<[string, string]>([
    ['', 'empty@0'],
    ['   ', 'empty@0'],
    ['0x', 'not-a-number@2'],
    ['  0xfeg0', 'not-a-number@6'],
    ['12z', 'not-a-number@2'],
    ['-1', 'not-a-number@0'],
    ['_1', 'not-a-number@0'],
    ['1_', 'not-a-number@1'],
    ['1__0', 'not-a-number@2'],
    ['1 0', 'not-a-number@1'],
    ['1.5', 'not-a-number@1'],
    ['0x10000000000000000', 'too-large@0'],
    ['1.1K', 'not-whole-bytes@0'],
    ['16777216T', 'too-large@0'],
    ['4,27', 'not-a-number@1'],
    [' 18446744073709551616', 'too-large@1'],
  ])('refuses %j with %s', (text, error) => {
    expect(read(parseAddress(text))).toBe(error);
  });

  it('counts the digits of what is too large', () => {
    const result = parseAddress('0x00fffffffffffffffff');
    expect(result.ok ? '' : result.error.message).toContain('17 hexadecimal digits');
  });

  it('reads back every form in which addresses are printed', () => {
    assertProperty(
      fc.property(anyAddress, (address) => {
        for (const form of [hex, groupedHex, paddedHex, String, (n: bigint) => hex(n).toUpperCase()]) {
          expect(read(parseAddress(form(address))), form(address)).toBe(address);
        }
        // Without 0x only a letter or padding tells hex from decimal.
        const bare = paddedHex(address).slice(2);
        if (/^0|[a-f]/.test(bare)) expect(read(parseAddress(bare)), bare).toBe(address);
      }),
    );
  });

  it('never throws, and points into the text', () => {
    assertProperty(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789abfx_`. -+@KMB') })),
        (text) => {
          for (const result of [parseAddress(text), parseSize(text), parseRange(text)]) {
            if (result.ok) continue;
            expect(result.error.position).toBeGreaterThanOrEqual(0);
            expect(result.error.position).toBeLessThanOrEqual(text.length);
            expect(result.error.message).not.toBe('');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('parseSize', () => {
  it.each<[string, bigint]>([
    ['0', 0n],
    ['4096', 4096n],
    ['0x1000', 4096n],
    ['4K', 4096n],
    ['4k', 4096n],
    ['4 KiB', 4096n],
    ['4kB', 4096n],
    ['2M', 2n << 20n],
    ['1.5GiB', 3n << 29n],
    ['0.5 KiB', 512n],
    ['1_024 bytes', 1024n],
    ['1 byte', 1n],
    ['12 B', 12n],
    ['128TB', 1n << 47n],
    ['3P', 3n << 50n],
    ['16 EiB', IOVA_SPACE],
    ['18446744073709551616', IOVA_SPACE],
    ['18446744073709551616 bytes', IOVA_SPACE],
    ['0x1_0000_0000_0000_0000', IOVA_SPACE],
    ['0x10000000000000000', IOVA_SPACE],
    ['0xffffffffffffffff', IOVA_MAX],
    ['4,294,967,296', 1n << 32n],
    ['2Gi', 2n << 30n],
    // What is left of a byte is dropped.
    ['1.2T', 1_319_413_953_331n],
    ['2.98 GiB', 3_199_750_635n],
    ['1.0001 KiB', 1024n],
  ])('reads %j', (text, value) => {
    expect(read(parseSize(text))).toBe(value);
  });

  it.each<[string, string]>([
    ['', 'empty@0'],
    ['0.0001 KiB', 'not-whole-bytes@0'],
    ['abc', 'not-a-number@0'],
    [' c0000000', 'not-a-number@1'],
    ['0000000080000000', 'not-a-number@0'],
    ['0x10M', 'not-a-number@4'],
    ['0.5 bytes', 'not-a-number@4'],
    [' 0.5', 'not-a-number@4'],
    ['.5K', 'not-a-number@0'],
    ['12 parsecs', 'not-a-number@3'],
    ['1__0K', 'not-a-number@4'],
    ['KiB', 'not-a-number@0'],
    ['17E', 'too-large@0'],
    ['18446744073709551617', 'too-large@0'],
    ['0x10000000000000001', 'too-large@0'],
  ])('refuses %j with %s', (text, error) => {
    expect(read(parseSize(text))).toBe(error);
  });

  it('says what hexadecimal sizes need', () => {
    for (const text of ['abc', '00001000']) {
      const result = parseSize(text);
      expect(result.ok ? '' : result.error.message).toContain(`0x${text}`);
    }
  });

  it('reads back every size that is printed exactly, and prints less than 1 % too little otherwise', () => {
    const size = fc.oneof(
      anyAddress.map((n): bigint => n),
      fc.tuple(fc.nat({ max: 4096 }), fc.nat({ max: 52 })).map(([n, shift]) => BigInt(n) << BigInt(shift)),
      fc.constant(IOVA_SPACE),
    );
    assertProperty(
      fc.property(size, (bytes) => {
        fc.pre(bytes <= IOVA_SPACE);
        const text = formatSize(bytes);
        expect(isExactSize(bytes)).toBe(!text.startsWith('≈'));
        if (isExactSize(bytes)) {
          expect(read(parseSize(text)), text).toBe(bytes);
          return;
        }
        // In hundredths, for `15.9 EiB` is no whole number of bytes.
        const [, number = '', unit = ''] = /^≈ ([\d.]+) (\w+)$/.exec(text) ?? [];
        const [whole = '', fraction = ''] = number.split('.');
        const shown = BigInt(whole + fraction.padEnd(2, '0')) * (read(parseSize(`1 ${unit}`)) as bigint);
        expect(shown).toBeLessThan(bytes * 100n);
        // Three figures: less than 1 % is cut off.
        expect(bytes * 100n - shown).toBeLessThanOrEqual(bytes);
      }),
    );
  });
});

describe('parseRange', () => {
  it.each<[string, bigint, bigint]>([
    ['0xfee00000-0xfeefffff', 0xfee0_0000n, 0xfeef_ffffn],
    ['0xfee00000 – 0xfeefffff', 0xfee0_0000n, 0xfeef_ffffn],
    ['0x1000..0x1fff', 0x1000n, 0x1fffn],
    ['4096 - 8191', 4096n, 8191n],
    ['00001000-0009ffff', 0x1000n, 0x9_ffffn],
    // With 0x on one side each side is read by itself.
    ['0x10-32', 16n, 32n],
    ['  0x10-32', 16n, 32n],
    ['10-0x20', 10n, 32n],
    ['10 -  0x20', 10n, 32n],
    ['10000000-1fffffff', 0x1000_0000n, 0x1fff_ffffn],
    ['1a000000-20000000', 0x1a00_0000n, 0x2000_0000n],
    ['100-0x200', 100n, 0x200n],
    ['0xfee00000+0x100000', 0xfee0_0000n, 0xfeef_ffffn],
    ['0xfee00000+1M', 0xfee0_0000n, 0xfeef_ffffn],
    ['1 MiB @ 0xfee00000', 0xfee0_0000n, 0xfeef_ffffn],
    ['1@0', 0n, 0n],
    ['0-0', 0n, 0n],
    ['0+16EiB', 0n, IOVA_MAX],
    ['0xffffffffffffffff+1', IOVA_MAX, IOVA_MAX],
    ['0x0-0xffffffffffffffff', 0n, IOVA_MAX],
    ['1G@4G', 4n << 30n, (5n << 30n) - 1n],
    ['4G-0x1ffffffff', 4n << 30n, 0x1_ffff_ffffn],
    ['0x0000000000000000 0x00000000000fffff', 0n, 0xf_ffffn],
    ['  0x0  2G ', 0n, (2n << 30n) - 1n],
    ['0x1000 2 MiB', 0x1000n, 0x20_0fffn],
    ['00001000 0009ffff', 0x1000n, 0x9_ffffn],
  ])('reads %j', (text, start, last) => {
    expect(read(parseRange(text))).toEqual({ start, last });
  });

  it.each<[string, string]>([
    ['', 'empty@0'],
    ['0x1000', 'not-a-range@6'],
    ['-0x1000', 'not-a-range@7'],
    ['0x2000-0x1000', 'start-above-last@7'],
    ['0x1000-', 'empty@7'],
    ['0x1000-0xzz', 'not-a-number@9'],
    ['zz-0x1000', 'not-a-number@0'],
    ['0x1000+0', 'not-a-range@7'],
    ['0x0-2G', 'not-a-range@4'],
    ['1G-2G', 'not-a-range@3'],
    ['0x0+abc', 'not-a-number@4'],
    ['0x2000 0x1000', 'start-above-last@7'],
    ['0x1000 lots', 'not-a-number@7'],
    ['0xffffffffffffffff+2', 'too-large@19'],
    ['2@0xffffffffffffffff', 'too-large@0'],
    ['1.5K@zz', 'not-a-number@5'],
    ['x@0', 'not-a-number@0'],
    ['0x0-0x10000000000000000', 'too-large@4'],
  ])('refuses %j with %s', (text, error) => {
    expect(read(parseRange(text))).toBe(error);
  });

  it('reads back every form in which ranges are printed', () => {
    assertProperty(
      fc.property(anyRange, (r) => {
        const size = r.last - r.start + 1n;
        for (const text of [
          formatRange(r),
          `${hex(r.start)}-${hex(r.last)}`,
          `${r.start}..${r.last}`,
          `${hex(r.start)}+${hex(size)}`,
          `${size}@${hex(r.start)}`,
          `${paddedHex(r.start).slice(2)}-${paddedHex(r.last).slice(2)}`,
          `${r.start.toString(16).padStart(8, '0')}-${r.last.toString(16).padStart(8, '0')}`,
        ]) {
          // Eight digits without a leading zero or a letter are decimal: nothing says otherwise.
          if (!/^\d{8,}-\d{8,}$/.test(text) || text.startsWith('0')) expect(read(parseRange(text)), text).toEqual(r);
        }
      }),
    );
  });
});

describe('groupedDecimal', () => {
  it.each<[bigint, string]>([
    [0n, '0'],
    [999n, '999'],
    [1000n, '1,000'],
    [4_276_092_928n, '4,276,092,928'],
    [IOVA_SPACE, '18,446,744,073,709,551,616'],
  ])('groups %s', (value, text) => {
    expect(groupedDecimal(value)).toBe(text);
  });
});
