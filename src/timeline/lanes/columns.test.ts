import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementAt, firstEndingAtOrAfter, rangeAt } from './columns.ts';

const columns = {
  starts: new BigUint64Array([0x1000n, 0x3000n, 0xffff_ffff_ffff_f000n]),
  lasts: new BigUint64Array([0x1fffn, 0x3fffn, 0xffff_ffff_ffff_ffffn]),
};

describe('columns', () => {
  test('a range has both bounds; there is none past the end or before the start', () => {
    expect(rangeAt(columns, 1)).toEqual({ start: 0x3000n, last: 0x3fffn });
    expect(rangeAt(columns, 3)).toBeUndefined();
    expect(rangeAt(columns, -1)).toBeUndefined();
  });

  test('an element past the end is an error, a zero is not', () => {
    expect(elementAt(new Uint8Array([0]), 0)).toBe(0);
    expect(() => elementAt(new Uint8Array([0]), 1)).toThrow(RangeError);
  });

  test('the first range that ends at or after an address', () => {
    expect([0n, 0x1fffn, 0x2000n, 0x3fffn, 0x4000n].map((a) => firstEndingAtOrAfter(columns, a))).toEqual([
      0, 0, 1, 1, 2,
    ]);
    expect(firstEndingAtOrAfter({ lasts: columns.lasts.subarray(0, 2) }, 0x4000n)).toBe(2);
    expect(firstEndingAtOrAfter({ lasts: new BigUint64Array() }, 0n)).toBe(0);
  });

  test('equals a linear search', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt(0n, 50n), { maxLength: 20 }), fc.bigInt(0n, 60n), (values, address) => {
        const lasts = BigUint64Array.from(values.sort((a, b) => Number(a - b)));
        const index = lasts.findIndex((last) => last >= address);
        expect(firstEndingAtOrAfter({ lasts }, address)).toBe(index < 0 ? lasts.length : index);
      }),
    );
  });
});
