import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { modelSpaceOf, rowsOf } from '../testing/sources.ts';
import { differencesLane } from './differences.ts';

const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const map = (iova: string, length: string, user = '0x70000') => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read', 'write'], user_va: user, length, iova },
});
const attach = (last: string, reserved: readonly object[] = []) => ({
  ...{ op: 'device.attach', device: 'nic', ioas: 'a', reserved },
  domain: { iommu: 'vtd', aperture: ['0x0', last], pgsize_bitmap: '0x1000' },
});
const MSI = { start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const TOP = '0xffffffffffffffff';

const state = (name: string, operations: readonly object[]) => ({ name, space: modelSpaceOf('iommufd', operations) });

describe('what differs', () => {
  test('says of each range what it is under which model, those alike together', () => {
    const lane = differencesLane('k', [
      state('old', [ALLOC, map('0x1000', '0x1000'), map('0x8000', '0x1000')]),
      state('new', [ALLOC, attach(TOP, [MSI]), map('0x8000', '0x1000')]),
      state('newer', [ALLOC, attach(TOP, [MSI]), map('0x8000', '0x1000', '0x90000')]),
      { name: 'dma-iommu', space: undefined },
    ]);
    expect(lane).toMatchObject({ id: 'k#differences', title: 'what differs', subtitle: '3 ranges, not in dma-iommu' });
    expect(rowsOf(lane)).toEqual([
      [
        '0x1000-0x1fff differs mapped, read and write: old · free: new, newer',
        '0x8000-0x8fff differs mapped to 0x9_0000: newer · mapped to 0x7_0000: old, new',
        '0xfee00000-0xfeefffff differs free: old · reserved (msi): new, newer',
      ],
    ]);
    expect(lane.describe(0, 0)).toEqual({
      title: 'differs',
      sentence: 'Mapped, read and write under old. Free under new, newer.',
      parts: [{ owner: 'old, event 2', range: expect.objectContaining(range(0x1000n, 0x1fffn)), provenance: [] }],
      values: { old: 'mapped, read and write', new: 'free', newer: 'free' },
    });
  });

  test('knows what is outside of an aperture, and of the allowed ranges', () => {
    const allow = { op: 'ioas.allow_iovas', ioas: 'a', ranges: [['0x0', '0xffff']] };
    const lane = differencesLane('k', [
      state('narrow', [ALLOC, attach('0xfffff'), allow]),
      state('wide', [ALLOC, attach('0x1fffff')]),
    ]);
    expect(rowsOf(lane)).toEqual([
      [
        '0x10000-0xfffff differs free, outside the allowed ranges: narrow · free: wide',
        '0x100000-0x1fffff differs outside the aperture, outside the allowed ranges: narrow · free: wide',
        `0x200000-${TOP} differs outside the aperture, outside the allowed ranges: narrow · outside the aperture: wide`,
      ],
    ]);
  });

  test('has the ranges of the last operation, with the answers and why', () => {
    const same = state('6.2', [ALLOC]);
    const lane = differencesLane('k', [same, { ...same, name: '6.12' }, { ...same, name: '7.3' }], {
      position: 7,
      answers: [
        { name: '6.2', ...range(0x1000n, 0x1fffn), answer: '0' },
        { name: '6.12', ...range(0x1000n, 0x1fffn), answer: '-EINVAL', reason: 'No.' },
        { name: '7.3', ...range(0x0n, 0x1fffn), answer: '0' },
      ],
    });
    expect(rowsOf(lane)).toEqual([
      [],
      ['event 7:', '0x0-0x1fff differs 0: 7.3'],
      ['event 7:', '0x1000-0x1fff differs 0: 6.2 · -EINVAL: 6.12'],
    ]);
    expect(lane.subtitle).toBe('0 ranges');
    expect(lane.describe(2, 0)).toMatchObject({
      title: 'event 7, answered differently',
      sentence: 'The answers to event 7 differ. 6.12: No.',
      values: { '6.2': '0', '6.12': '-EINVAL', '7.3': '0' },
    });
  });
});
