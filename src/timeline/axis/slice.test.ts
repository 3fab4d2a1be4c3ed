import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { type Lane, laneRow, type SpaceLanes } from '../lanes/lane.ts';
import { styleAt, styleIndex } from '../scene/styles.ts';
import { type TestRange, testLane, testSpace } from '../testing/lanes.ts';
import { foldFor } from './fold.ts';
import { linearScale, logScale, toWorld } from './scale.ts';
import { covers, cutSlices, sliceWindow } from './slice.ts';
import { fitAll, fitRange, pan, pixelOf, visibleRange, zoomAt } from './viewport.ts';

function space(lane: Lane): SpaceLanes[] {
  return [testSpace(lane)];
}

function laneOf(ranges: readonly TestRange[]): Lane {
  return testLane([ranges]);
}

const address = fc.oneof(
  fc.bigInt(0n, IOVA_MAX),
  fc.bigInt(0xfee00000n, 0xfef00000n),
  fc.bigInt(IOVA_MAX - 100n, IOVA_MAX),
  fc.bigInt(0n, 5000n),
);
const ranges = fc
  .array(fc.tuple(address, fc.bigInt(0n, 70000n)), { maxLength: 60 })
  .map((list) => rangeSet(list.map(([a, n]) => range(a, a + n > IOVA_MAX ? IOVA_MAX : a + n))));

describe('cutSlices', () => {
  test('every range of the window is in exactly one mark, and marks are few', () => {
    fc.assert(
      fc.property(
        ranges,
        address,
        fc.constantFrom('linear', 'log', 'fold'),
        fc.integer({ min: 0, max: 40 }),
        (set, centre, kind, zooms) => {
          const lane = laneOf(set);
          const scale = kind === 'linear' ? linearScale() : kind === 'log' ? logScale() : foldFor(space(lane));
          let view = fitAll(scale, 800);
          const pixel = pixelOf(view, toWorld(scale, centre));
          for (let i = 0; i < zooms; i++) view = zoomAt(scale, view, pixel, 3);
          const window = sliceWindow(view);
          expect(covers(window, view)).toBe(true);
          const row = cutSlices(space(lane), scale, window)[0]?.lanes[0]?.rows[0];
          if (!row) throw new Error('no row');
          const seen = visibleRange(view, scale);
          const covered = new Set<number>();
          for (let i = 0; i < row.starts.length; i++) {
            const first = row.indices[i] as number;
            const count = row.counts[i] as number;
            expect(row.starts[i]).toBe(set[first]?.start);
            expect(row.lasts[i]).toBe(set[first + count - 1]?.last);
            for (let k = first; k < first + count; k++) {
              expect(covered.has(k)).toBe(false);
              covered.add(k);
            }
          }
          for (const [k, r] of set.entries()) {
            if (r.start <= seen.last && r.last >= seen.start) expect(covered.has(k)).toBe(true);
          }
          expect(row.starts.length).toBeLessThanOrEqual(window.width);
        },
      ),
    );
  });

  test('a hundred thousand ranges come out as at most one mark for two pixels', () => {
    const n = 100_000;
    const starts = BigUint64Array.from({ length: n }, (_, i) => 0x100000000n + BigInt(i) * 0x3000n);
    const lasts = starts.map((s) => s + 0x1fffn);
    const lane: Lane = {
      ...laneOf([]),
      rows: [{ starts, lasts, styles: new Uint8Array(n).fill(styleIndex('area')), uniform: true }],
    };
    const scale = linearScale();
    const view = fitRange(scale, range(0x100000000n, 0x100000000n + BigInt(n) * 0x3000n), 1000);
    const row = cutSlices(space(lane), scale, sliceWindow(view))[0]?.lanes[0]?.rows[0];
    expect(row?.starts.length).toBeLessThanOrEqual(2100);
    expect(row?.counts.reduce((a, b) => a + b, 0)).toBe(n);
    expect(row?.styles.every((s) => s === styleIndex('area'))).toBe(true);
  });

  test('ranges of several kinds that merge say so', () => {
    const set = [
      { start: 0x1000n, last: 0x1fffn, style: 'msi' as const },
      { start: 0x2000n, last: 0x2fffn, style: 'direct' as const },
    ];
    const scale = linearScale();
    const row = cutSlices(space(laneOf(set)), scale, sliceWindow(fitAll(scale, 800)))[0]?.lanes[0]?.rows[0];
    expect(row?.counts[0]).toBe(2);
    expect(styleAt(row?.styles[0] ?? 0)).toBe('several');
  });

  test('panning by half a window and zooming within a power of two need no new cut', () => {
    const scale = linearScale();
    const view = zoomAt(scale, fitAll(scale, 800), 400, 1000);
    const window = sliceWindow(view);
    expect(covers(window, pan(scale, view, 390))).toBe(true);
    expect(covers(window, pan(scale, view, -390))).toBe(true);
    expect(covers(window, zoomAt(scale, view, 400, 64))).toBe(false);
  });

  test('an empty row gives an empty slice', () => {
    const lane = { ...laneOf([]), rows: [laneRow([])] };
    const scale = logScale();
    expect(cutSlices(space(lane), scale, fitAll(scale, 500))[0]?.lanes[0]?.rows[0]?.starts).toHaveLength(0);
  });
});
