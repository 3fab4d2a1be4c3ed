import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE, iova } from '../../iova/iova.ts';
import { type MeasureEnd, measuredRange, nearestBound, roundestAddress } from './measure.ts';

const edge = (value: bigint): MeasureEnd => ({ edge: value });
const address = (value: bigint): MeasureEnd => ({ address: iova(value) });

describe('bounds', () => {
  test('the nearest within seven pixels is taken', () => {
    const bounds = [
      { pixel: 100, edge: 1n },
      { pixel: 110, edge: 2n },
    ];
    expect(nearestBound(bounds, 104)?.edge).toBe(1n);
    expect(nearestBound(bounds, 106)?.edge).toBe(2n);
    expect([nearestBound(bounds, 93)?.edge, nearestBound(bounds, 92.9)]).toEqual([1n, undefined]);
    expect([nearestBound(bounds, 117)?.edge, nearestBound(bounds, 117.1)]).toEqual([2n, undefined]);
    expect(nearestBound([], 0)).toBeUndefined();
  });
});

describe('a measurement', () => {
  test('between two bounds is exactly what is between them', () => {
    expect(measuredRange(edge(0xfee00000n), edge(0xfef00000n))).toEqual({ start: 0xfee00000n, last: 0xfeefffffn });
    expect(measuredRange(edge(0n), edge(IOVA_SPACE))).toEqual({ start: 0n, last: IOVA_MAX });
    expect(measuredRange(edge(5n), edge(5n))).toBeUndefined();
  });

  test('with a free end includes the address below the pointer', () => {
    expect(measuredRange(address(3n), address(9n))).toEqual({ start: 3n, last: 9n });
    expect(measuredRange(address(3n), address(3n))).toEqual({ start: 3n, last: 3n });
    expect(measuredRange(address(IOVA_MAX), edge(0n))).toEqual({ start: 0n, last: IOVA_MAX });
  });

  test('is the same in both directions', () => {
    const ends = fc.oneof(fc.bigInt(0n, IOVA_SPACE).map(edge), fc.bigInt(0n, IOVA_MAX).map(address));
    fc.assert(
      fc.property(ends, ends, (a, b) => {
        expect(measuredRange(a, b)).toEqual(measuredRange(b, a));
      }),
    );
  });
});

test('the roundest address of a few is the multiple of the largest power of two', () => {
  const top = (1n << 64n) - 1n;
  expect(roundestAddress(0x1234n, 0x1300n)).toBe(0x1300n);
  expect(roundestAddress(0x0n, 0x10n)).toBe(0x0n);
  expect(roundestAddress(0x7fffn, 0x9001n)).toBe(0x8000n);
  expect(roundestAddress(5n, 5n)).toBe(5n);
  expect(roundestAddress(top - 1n, top)).toBe(top - 1n);
  expect(roundestAddress((1n << 63n) - 9n, (1n << 63n) + 9n)).toBe(1n << 63n);
});
