import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { type Lane, laneRow, type SpaceLanes } from '../lanes/lane.ts';
import { styleAt, styleIndex } from '../scene/style-names.ts';
import { type TestRange, testLane, testSpace } from '../testing/lanes.ts';
import { foldFor } from './fold.ts';
import { linearScale, logScale, toWorld, unitsPerByte } from './scale.ts';
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

  /** The marks of single-byte ranges at the given addresses, as `first+count`, with so many bytes in a pixel. */
  function marksAt(bytesPerPixel: number, addresses: readonly number[], length = 1): string[] {
    const scale = linearScale();
    const unitsPerPixel = unitsPerByte(scale, 0n) * bytesPerPixel;
    const window = { anchor: 0n, anchorPixel: 0, unitsPerPixel, width: 100 };
    const set = addresses.map((a) => ({ start: BigInt(a), last: BigInt(a + length - 1) }));
    const row = cutSlices(space(laneOf(set)), scale, window)[0]?.lanes[0]?.rows[0];
    return Array.from(row?.starts ?? [], (start, i) => `${start}+${row?.counts[i]}`);
  }

  test('a range of a pixel is drawn on its own, a narrower one is merged with those that end within two pixels', () => {
    expect(marksAt(1, [0, 1, 2])).toEqual(['0+1', '1+1', '2+1']);
    expect(marksAt(2, [0, 2, 4, 6, 8])).toEqual(['0+2', '4+2', '8+1']);
    expect(marksAt(2, [0, 3, 4])).toEqual(['0+2', '4+1']);
    expect(marksAt(2, [0, 9])).toEqual(['0+1', '9+1']);
    expect(marksAt(4, [0, 4, 8, 12], 4)).toEqual(['0+1', '4+1', '8+1', '12+1']);
    expect(marksAt(4, [0, 3, 6, 9], 3)).toEqual(['0+2', '6+2']);
  });

  test('only ranges of the window are in a slice', () => {
    expect(marksAt(1, [0, 99, 101, 300])).toEqual(['0+1', '99+1']);
  });

  test('single ranges keep their captions, merged ones have none', () => {
    const scale = linearScale();
    const window = { anchor: 0n, anchorPixel: 0, unitsPerPixel: unitsPerByte(scale, 0n) * 2, width: 100 };
    const set = [0n, 2n, 40n].map((start) => ({ start, last: start, caption: `at ${start}` }));
    const row = cutSlices(space(laneOf(set)), scale, window)[0]?.lanes[0]?.rows[0];
    expect([row?.captions, row?.indices]).toEqual([['', 'at 40'], new Uint32Array([0, 2])]);
  });

  test('the styles of very many merged ranges are not compared: they are several kinds unless known to be equal', () => {
    const n = 258;
    const styleOfMerged = (count: number, uniform?: boolean) => {
      const starts = BigUint64Array.from({ length: count }, (_, i) => BigInt(i) * 2n);
      const styles = new Uint8Array(count).fill(styleIndex('area'));
      const rows = [{ starts, lasts: starts, styles, ...(uniform === undefined ? {} : { uniform }) }];
      const scale = linearScale();
      const row = cutSlices(space({ ...laneOf([]), rows }), scale, fitAll(scale, 100))[0]?.lanes[0]?.rows[0];
      return [row?.counts[0], styleAt(row?.styles[0] ?? 0)];
    };
    expect(styleOfMerged(257)).toEqual([257, 'area']);
    expect(styleOfMerged(n)).toEqual([n, 'several']);
    expect(styleOfMerged(n, true)).toEqual([n, 'area']);
    expect(styleOfMerged(n, false)).toEqual([n, 'several']);
  });

  test('a lane has its head, traits and number of ranges; a row its title and note', () => {
    const lane = { ...testLane([[{ start: 0n, last: 9n }], []]), subtitle: 's', expandable: true };
    const rows = lane.rows.map((row, i) => ({ ...row, ...(i === 0 ? { title: 't', note: 'n' } : {}) }));
    const [slice] = cutSlices([testSpace({ ...lane, rows })], linearScale(), fitAll(linearScale(), 100));
    expect(slice).toMatchObject({
      ...{ id: 's', title: 'space', subtitle: '' },
      lanes: [
        {
          ...{
            id: 's#reserved',
            kind: 'reserved',
            title: 'reserved',
            subtitle: 's',
            expandable: true,
            expanded: false,
          },
          ...{ total: 1, traits: lane.traits, rows: [{ title: 't', note: 'n' }, {}] },
        },
      ],
    });
    expect(slice?.lanes[0]?.rows[1]).not.toHaveProperty('title');
  });

  test('panning by half a window and zooming within a power of two need no new cut', () => {
    const scale = linearScale();
    const view = zoomAt(scale, fitAll(scale, 800), 400, 1000);
    const window = sliceWindow(view);
    expect(covers(window, pan(scale, view, 390))).toBe(true);
    expect(covers(window, pan(scale, view, -390))).toBe(true);
    expect(covers(window, zoomAt(scale, view, 400, 64))).toBe(false);
    expect([covers(window, pan(scale, view, 2400)), covers(window, pan(scale, view, -2400))]).toEqual([false, false]);
  });

  test('an empty row gives an empty slice', () => {
    const lane = { ...laneOf([]), rows: [laneRow([])] };
    const scale = logScale();
    expect(cutSlices(space(lane), scale, fitAll(scale, 500))[0]?.lanes[0]?.rows[0]?.starts).toHaveLength(0);
  });
});

describe('the window to cut', () => {
  test('is of the finest zoom of its power of two, and as wide as three views', () => {
    const view = { anchor: 1n << 70n, anchorPixel: 0, unitsPerPixel: 1.5 * 2 ** 40, width: 800 };
    const window = sliceWindow(view);
    expect([window.unitsPerPixel, window.width]).toEqual([2 ** 40, 3200]);
    const left = pixelOf(window, view.anchor);
    expect(left).toBeGreaterThanOrEqual(800);
    expect(left).toBeLessThan(1200);
    expect(sliceWindow({ ...view, unitsPerPixel: 2 ** 40 }).unitsPerPixel).toBe(2 ** 40);
    expect(sliceWindow({ ...view, unitsPerPixel: 2 ** 41 }).unitsPerPixel).toBe(2 ** 41);
  });

  test('is the same for views of one band that are near each other', () => {
    const view = { anchor: 0n, anchorPixel: 0, unitsPerPixel: 2 ** 40, width: 800 };
    expect(sliceWindow({ ...view, anchorPixel: -10 })).toEqual(sliceWindow({ ...view, anchorPixel: -399 }));
    expect(sliceWindow({ ...view, anchorPixel: -10 })).not.toEqual(sliceWindow({ ...view, anchorPixel: -401 }));
  });
});
