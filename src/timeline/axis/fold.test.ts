import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_SPACE } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { RangeColumns } from '../lanes/columns.ts';
import { testLane, testSpace } from '../testing/lanes.ts';
import { clusters, foldFor } from './fold.ts';

function columns(ranges: readonly (readonly [bigint, bigint])[]): RangeColumns {
  return {
    starts: BigUint64Array.from(ranges, ([start]) => start),
    lasts: BigUint64Array.from(ranges, ([, last]) => last),
  };
}

describe('clusters', () => {
  test('a few ranges stay apart, even if they touch', () => {
    expect(
      clusters(
        columns([
          [0n, 9n],
          [10n, 19n],
          [40n, 49n],
        ]),
      ),
    ).toEqual([
      { start: 0n, end: 10n },
      { start: 10n, end: 20n },
      { start: 40n, end: 50n },
    ]);
    expect(clusters(columns([]))).toEqual([]);
  });

  test('192 stay apart; of more, the smallest gaps are closed', () => {
    const spaced = (n: number) => columns(Array.from({ length: n }, (_, i) => [BigInt(i) * 16n, BigInt(i) * 16n + 7n]));
    expect(clusters(spaced(192))).toHaveLength(192);
    expect(clusters(spaced(193))).toEqual([{ start: 0n, end: 192n * 16n + 8n }]);
  });

  test('a large gap among many small ones survives', () => {
    const near = Array.from({ length: 150 }, (_, i): [bigint, bigint] => [BigInt(i) * 16n, BigInt(i) * 16n + 7n]);
    const far = near.map(([start, last]): [bigint, bigint] => [start + (1n << 40n), last + (1n << 40n)]);
    expect(clusters(columns([...near, ...far]))).toEqual([
      { start: 0n, end: 149n * 16n + 8n },
      { start: 1n << 40n, end: (1n << 40n) + 149n * 16n + 8n },
    ]);
  });

  test('gaps of one size class are closed together, touching ranges first', () => {
    // 100 touching pairs, 4 GiB apart: the pairs are joined, the gaps between them are not.
    const pairs = Array.from({ length: 100 }, (_, i): [bigint, bigint][] => {
      const start = BigInt(i) << 32n;
      return [
        [start, start + 9n],
        [start + 10n, start + 19n],
      ];
    });
    const found = clusters(columns(pairs.flat()));
    expect(found).toHaveLength(100);
    expect(found[1]).toEqual({ start: 1n << 32n, end: (1n << 32n) + 20n });
  });

  test('never more than 192, in order, with the bounds of the first and the last range', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt(0n, 1n << 60n), { minLength: 2, maxLength: 500 }), (edges) => {
        const sorted = edges.toSorted((a, b) => (a < b ? -1 : 1));
        const ranges = sorted.flatMap((start, i): [bigint, bigint][] => {
          const end = sorted[i + 1];
          return i % 2 === 0 && end !== undefined ? [[start, end - 1n]] : [];
        });
        const found = clusters(columns(ranges));
        expect(found.length).toBeLessThanOrEqual(192);
        expect([found[0]?.start, found.at(-1)?.end]).toEqual([ranges[0]?.[0], (ranges.at(-1)?.[1] ?? 0n) + 1n]);
        for (const [i, { start }] of found.slice(1).entries())
          expect(start).toBeGreaterThanOrEqual(found[i]?.end ?? 0n);
      }),
    );
  });
});

describe('the fold scale of lanes', () => {
  const MSI = { start: 0xfee00000n, last: 0xfeefffffn };
  const borders = (scale: ReturnType<typeof foldFor>) => scale.segments.map(({ start }) => start);
  const breaks = (scale: ReturnType<typeof foldFor>) => scale.segments.map(({ isAxisBreak }) => isAxisBreak);

  test('has a border at each edge of each lane, content or not', () => {
    const space = testSpace(testLane([[MSI]]), testLane([[{ start: 0x1000n, last: 0xffffn }]], 'usable'));
    expect(borders(foldFor([space]))).toEqual([0n, 0x1000n, 0x10000n, 0xfee00000n, 0xfef00000n]);
  });

  test('content is wide; background is narrow and may be an axis break', () => {
    const width = (kind: 'reserved' | 'usable') => {
      const scale = foldFor([testSpace(testLane([[MSI]], kind))]);
      return Number(scale.segments[1]?.length) / Number(scale.length);
    };
    expect(width('reserved')).toBeGreaterThan(width('usable'));
    expect(breaks(foldFor([testSpace(testLane([[MSI]]))]))).toEqual([true, false, true]);
    // Nothing to compare with: nothing is left out.
    expect(breaks(foldFor([testSpace(testLane([[MSI]], 'usable'))]))).toEqual([false, false, false]);
  });

  test('every row of every space counts', () => {
    const far = { start: 1n << 40n, last: (1n << 40n) + 0xfffffn };
    const scale = foldFor([testSpace(testLane([[MSI], [far]])), testSpace(testLane([[{ start: 0n, last: 0xfffn }]]))]);
    expect(scale.segments.filter(({ isAxisBreak }) => !isAxisBreak).map(({ start }) => start)).toEqual([
      0n,
      MSI.start,
      far.start,
    ]);
  });

  test('ranges to keep visible have borders, and are content', () => {
    const scale = foldFor([testSpace(testLane([[MSI]]))], [range(0x1000n, 0x1fffn)]);
    expect(borders(scale)).toEqual([0n, 0x1000n, 0x2000n, MSI.start, MSI.last + 1n]);
    expect(breaks(scale)).toEqual([false, false, true, false, true]);
  });

  test('without lanes it is one segment', () => {
    expect(foldFor([]).segments.map(({ start, end }) => [start, end])).toEqual([[0n, IOVA_SPACE]]);
  });
});
