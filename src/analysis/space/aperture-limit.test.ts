import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { apertureLimits, commonAperture } from './aperture-limit.ts';

const aperture = (start: bigint, last: bigint, line = 1) => ({
  ...range(start, last),
  message: 'vtd',
  provenance: [{ source: 'log', line }],
});

describe('what apertures have in common', () => {
  test('the whole only where nothing is known', () => {
    expect(commonAperture([])).toBeUndefined();
    expect(commonAperture([aperture(0n, 0xffffn), aperture(0x1000n, 0x1_ffffn)])).toEqual(range(0x1000n, 0xffffn));
    expect(commonAperture([aperture(0n, 0xfffn), aperture(0x1000n, 0x1fffn)])).toBeUndefined();
  });
});

describe('a range outside of the aperture', () => {
  const width39 = [aperture(0n, 0x7f_ffff_ffffn)];

  test('an aperture of so many bits: the bits that are needed and those that exist', () => {
    expect(apertureLimits(width39, range(0x7f_0000_0000n, 0x80_0000_0fffn))).toEqual([
      {
        outside: range(0x80_0000_0000n, IOVA_MAX),
        cut: range(0x80_0000_0000n, 0x80_0000_0fffn),
        problem: 'needs 40 bits, the IOMMU has 39',
        place: 'below 0x8000000000',
        bits: 39,
        provenance: [{ source: 'log', line: 1 }],
      },
    ]);
    expect(apertureLimits(width39, range(0n, 0x7f_ffff_ffffn))).toEqual([]);
    expect(apertureLimits(width39, range(0n, 0x80_0000_0000n))).toHaveLength(1);
  });

  test('any other aperture: its bounds, and on which side the range is', () => {
    const high = [aperture(0x10_0000n, 0x7f_ffff_ffffn)];
    const bounds = '0x100000-0x7fffffffff';
    const problems = (start: bigint, last: bigint) =>
      apertureLimits(high, range(start, last)).map(({ problem, place, bits }) => [problem, place, bits]);
    const place = 'inside 0x100000-0x7fffffffff';
    expect(problems(0n, 0xf_ffffn)).toEqual([[`is below the aperture ${bounds}`, place, undefined]]);
    expect(problems(0n, 0x10_0000n)).toEqual([[`extends below the aperture ${bounds}`, place, undefined]]);
    expect(problems(0x10_0000n, 0x7f_ffff_ffffn)).toEqual([]);
    expect(problems(0x10_0000n, 0x80_0000_0000n)).toEqual([[`extends above the aperture ${bounds}`, place, undefined]]);
    expect(problems(0x80_0000_0000n, IOVA_MAX)).toEqual([[`is above the aperture ${bounds}`, place, undefined]]);
    expect(problems(0n, IOVA_MAX).map(([problem]) => problem)).toEqual([
      `extends below the aperture ${bounds}`,
      `extends above the aperture ${bounds}`,
    ]);
    // Ends with a power of two, but does not start at 0; starts at 0, but does not end with one.
    expect(apertureLimits([aperture(0n, 0x7f_ffff_fffen)], range(0n, IOVA_MAX))[0]?.bits).toBeUndefined();
  });

  test('apertures that do not overlap: nowhere', () => {
    const apart = [aperture(0n, 0xfffn), aperture(0x1000n, 0x1fffn, 2)];
    expect(apertureLimits(apart, range(0n, 0xfffn))).toEqual([
      {
        outside: range(0n, IOVA_MAX),
        cut: range(0n, 0xfffn),
        problem: 'cannot be mapped: the apertures do not overlap',
        place: undefined,
        bits: undefined,
        provenance: [
          { source: 'log', line: 1 },
          { source: 'log', line: 2 },
        ],
      },
    ]);
  });

  test('no aperture known: no answer', () => {
    expect(apertureLimits([], range(0n, IOVA_MAX))).toEqual([]);
  });
});
