import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { range } from '../iova/range.ts';
import { rangeSet, subtract } from '../iova/range-set.ts';
import { anyRange, assertProperty, shortRange } from '../iova/testing/arbitraries.ts';
import { decodeBuffer } from './decode-buffer.ts';
import { earlyIovaRanges, encodeEarlyInfo } from './early-info.ts';

describe('the ranges of the proposal of 2017', () => {
  it('leave out the msi window, and what is reserved but may be mapped as well', () => {
    const aperture = range(0n, 0x7f_ffff_ffffn);
    const regions = [range(0xfee0_0000n, 0xfeef_ffffn), range(0n, 0xff_ffffn)];
    expect(earlyIovaRanges(aperture, regions)).toEqual({
      ok: true,
      ranges: [range(0x100_0000n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)],
    });
  });

  it('fail with ENODEV on a region that finds no range left, but not on the one that takes the last', () => {
    const aperture = range(0x1000n, 0x1fffn);
    const all = range(0n, 0xffffn);
    expect(earlyIovaRanges(aperture, [all])).toEqual({ ok: true, ranges: [] });
    const further = range(0x8_0000n, 0x8_ffffn);
    expect(earlyIovaRanges(aperture, [further, all])).toEqual({ ok: false, errno: 'ENODEV', region: further });
  });

  it('are what no region takes, unless the call fails', () => {
    const failures = { yes: 0, no: 0 };
    assertProperty(
      fc.property(anyRange, fc.array(fc.oneof(anyRange, shortRange), { maxLength: 6 }), (aperture, regions) => {
        const result = earlyIovaRanges(aperture, regions);
        const left = subtract([aperture], rangeSet(regions));
        if (result.ok) expect(result.ranges).toEqual(left);
        else expect(left).toEqual([]);
        failures[result.ok ? 'no' : 'yes']++;
      }),
      { numRuns: 2000 },
    );
    expect(failures.yes).toBeGreaterThan(10);
    expect(failures.no).toBeGreaterThan(100);
  });
});

describe('the buffer of the proposals of 2016 and 2017', () => {
  const RANGES = [range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0xffff_ffff_ffffn)];

  it('has a capability of 24 bytes for each range', () => {
    const encoded = encodeEarlyInfo(0x4020_1000n, RANGES, 100);
    expect(encoded?.argsz).toBe(100);
    expect(encoded?.bytes.length).toBe(24 + 2 * 24);
    const result = decodeBuffer(encoded?.bytes ?? new Uint8Array());
    expect(result.ok && result.decoded).toMatchObject({
      structure: 'vfio_iommu_type1_info-2017',
      endian: 'little',
      problems: [],
      others: [{ name: 'vfio_iommu_type1_info-2016', endian: 'little' }],
      ranges: RANGES,
      rangesAre: 'valid',
      pageSizes: 0x4020_1000n,
    });
    const reserved = decodeBuffer(encoded?.bytes ?? new Uint8Array(), { struct: 'vfio_iommu_type1_info-2016' });
    expect(reserved.ok && reserved.decoded).toMatchObject({ problems: [], ranges: RANGES, rangesAre: 'reserved' });
  });

  it('takes 20 bytes at least, and says what it needs', () => {
    expect(encodeEarlyInfo(0x1000n, RANGES, 19)).toBeUndefined();
    expect(encodeEarlyInfo(0x1000n, RANGES, 71)).toMatchObject({ argsz: 72, bytes: { length: 20 } });
    expect(encodeEarlyInfo(0x1000n, RANGES, 72)).toMatchObject({ argsz: 72, bytes: { length: 72 } });
    expect(encodeEarlyInfo(0x1000n, [], 20)).toMatchObject({ argsz: 20, bytes: { length: 20 } });
  });
});
