import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { testLane, testSpace } from '../testing/lanes.ts';
import { contentsOf, withContext } from './contents.ts';
import { foldScale, linearScale } from './scale.ts';

describe('the contents', () => {
  test('are from the first to the last range of all spaces, without background', () => {
    const spaces = [
      testSpace(
        testLane([[{ start: 0n, last: IOVA_MAX }]], 'aperture'),
        testLane([[{ start: 0x4000n, last: 0x4fffn }], [{ start: 0x2000n, last: 0x8fffn }]]),
      ),
      testSpace(testLane([[{ start: 0x100000n, last: 0x1fffffn }]])),
    ];
    expect(contentsOf(spaces)).toEqual({ start: 0x2000n, last: 0x1fffffn });
  });

  test('end where the aperture ends', () => {
    const msi = { start: 0xfee00000n, last: 0xfeefffffn };
    const beyond = { start: 1n << 39n, last: IOVA_MAX, style: 'beyond' as const };
    expect(contentsOf([testSpace(testLane([[msi, beyond]]))])).toEqual(msi);
  });

  test('of nothing are nothing', () => {
    expect(contentsOf([])).toBeUndefined();
    expect(contentsOf([testSpace(testLane([[]]))])).toBeUndefined();
  });
});

describe('the surroundings', () => {
  test('on a fold are the neighbouring segments', () => {
    const scale = foldScale({ edges: [0x1000n, 0x2000n, 0x3000n, 0x9000n], isOccupied: () => true });
    expect(withContext(scale, range(0x2000n, 0x2fffn))).toEqual({ start: 0x1000n, last: 0x8fffn });
    expect(withContext(scale, range(0x1800n, 0x1800n))).toEqual({ start: 0n, last: 0x2fffn });
    expect(withContext(scale, range(0x10n, IOVA_MAX))).toEqual({ start: 0n, last: IOVA_MAX });
  });

  test('otherwise the length of the range on both sides, at least 64 KiB, inside the space', () => {
    const scale = linearScale();
    expect(withContext(scale, range(0x100000n, 0x1fffffn))).toEqual({ start: 0n, last: 0x2fffffn });
    expect(withContext(scale, range(0x100000n, 0x100000n))).toEqual({ start: 0xf0000n, last: 0x110000n });
    expect(withContext(scale, range(5n, IOVA_MAX))).toEqual({ start: 0n, last: IOVA_MAX });
  });
});
