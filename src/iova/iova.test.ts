import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromWords, highWord, lowWord } from './address-halves.ts';
import {
  alignDown,
  alignUp,
  bitLength,
  IOVA_MAX,
  IOVA_SPACE,
  iova,
  isIova,
  lowestSetBit,
  roundUpPowerOfTwo,
} from './iova.ts';
import { anyAddress, assertProperty } from './testing/arbitraries.ts';

const anyPower = fc.nat({ max: 63 }).map((n) => 1n << BigInt(n));

describe('iova', () => {
  it('takes 0 to 2^64−1 and nothing else', () => {
    expect([0n, 1n, IOVA_MAX].map((n) => iova(n))).toEqual([0n, 1n, IOVA_MAX]);
    for (const value of [-1n, IOVA_SPACE]) {
      expect(isIova(value)).toBe(false);
      expect(() => iova(value)).toThrow(RangeError);
    }
  });
});

describe('alignment', () => {
  it('moves to the nearest multiple', () => {
    assertProperty(
      fc.property(anyAddress, anyPower, (value, alignment) => {
        const rest = value % alignment;
        expect(alignDown(value, alignment)).toBe(value - rest);
        expect(alignUp(value, alignment)).toBe(rest === 0n ? value : value - rest + alignment);
      }),
    );
  });

  it('does not wrap at the top', () => {
    expect(alignUp(IOVA_MAX, 0x1000n)).toBe(IOVA_SPACE);
  });

  it('finds bits as digits in base two do', () => {
    assertProperty(
      fc.property(fc.oneof(anyAddress, fc.constant(IOVA_SPACE), fc.constant(IOVA_SPACE * 5n)), (value) => {
        const digits = value.toString(2);
        expect(bitLength(value)).toBe(value === 0n ? 0 : digits.length);
        const trailing = digits.length - 1 - digits.lastIndexOf('1');
        expect(lowestSetBit(value)).toBe(value === 0n ? 0n : 1n << BigInt(trailing));
      }),
    );
  });

  it('rounds up to the next power of two', () => {
    assertProperty(
      fc.property(anyAddress, (value) => {
        const power = roundUpPowerOfTwo(value);
        expect(power & (power - 1n)).toBe(0n);
        expect(power).toBeGreaterThanOrEqual(value);
        if (value > 1n) expect(power / 2n).toBeLessThan(value);
      }),
    );
    expect([0n, 1n, 2n, 3n, IOVA_MAX].map(roundUpPowerOfTwo)).toEqual([1n, 1n, 2n, 4n, IOVA_SPACE]);
  });
});

describe('words', () => {
  it('are the halves of an address', () => {
    assertProperty(
      fc.property(anyAddress, (value) => {
        expect([highWord(value), lowWord(value)]).toEqual([Number(value >> 32n), Number(value & 0xffff_ffffn)]);
        expect(fromWords(highWord(value), lowWord(value))).toBe(value);
      }),
    );
  });
});
