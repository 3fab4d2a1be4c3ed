import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE, lowestSetBit } from '../../iova/iova.ts';
import { foldScale, linearScale, logScale } from '../axis/scale.ts';
import { fitAll, fitRange, pixelOfEdge } from '../axis/viewport.ts';
import { textWidth } from './text-metrics.ts';
import { TICK_FONT_SIZE, TICK_SUB_SIZE, ticks, widthMarks } from './ticks.ts';

const scales = [
  linearScale(),
  logScale(),
  foldScale({ edges: [0xfee00000n, 0xfef00000n, 0xfd00000000n], isOccupied: (s) => s === 0xfee00000n }),
];

/** Any window of any scale. */
const views = fc
  .tuple(fc.constantFrom(...scales), fc.bigInt(0n, IOVA_MAX), fc.bigInt(0n, 64n), fc.integer({ min: 120, max: 2400 }))
  .map(([scale, start, bits, width]) => {
    const last = start + (1n << bits) - 1n;
    return { scale, view: fitRange(scale, { start, last: last > IOVA_MAX ? IOVA_MAX : last } as never, width) };
  });

describe('ticks', () => {
  test('labels do not overlap, stand where their address is, and are round', () => {
    fc.assert(
      fc.property(views, ({ scale, view }) => {
        const list = ticks(scale, view);
        let end = Number.NEGATIVE_INFINITY;
        const steps = list.slice(1).map((t, i) => t.edge - (list[i]?.edge ?? 0n));
        for (const step of steps) expect(step).toBeGreaterThan(0n);
        for (const tick of list) {
          expect(tick.pixel).toBeCloseTo(pixelOfEdge(view, scale, tick.edge), 6);
          const w = Math.max(
            textWidth(tick.label, TICK_FONT_SIZE, 'mono'),
            textWidth(tick.size, TICK_SUB_SIZE, 'sans'),
          );
          const from = tick.align === 'start' ? tick.pixel : tick.align === 'end' ? tick.pixel - w : tick.pixel - w / 2;
          expect(from).toBeGreaterThanOrEqual(end);
          end = from + w;
        }
      }),
    );
  });

  test('a linear view of everything has the ends and powers of two', () => {
    const scale = linearScale();
    const list = ticks(scale, fitAll(scale, 1100));
    expect(list[0]?.label).toBe('0x0');
    expect(list.at(-1)).toMatchObject({ edge: IOVA_SPACE, label: '2^64', size: '16 EiB', align: 'end' });
    for (const tick of list.slice(1, -1)) expect(lowestSetBit(tick.edge)).toBeGreaterThanOrEqual(1n << 60n);
  });

  test('a fold labels the border of what is there', () => {
    const scale = scales[2] ?? linearScale();
    const labels = ticks(scale, fitAll(scale, 1100)).map((t) => t.label);
    expect(labels).toContain('0xfee0_0000');
    expect(labels).toContain('0xfef0_0000');
  });
});

describe('address widths', () => {
  test('stand where their addresses end, apart from each other and inside', () => {
    fc.assert(
      fc.property(views, ({ scale, view }) => {
        let end = 0;
        for (const { bits, pixel } of widthMarks(scale, view)) {
          expect(pixel).toBeCloseTo(pixelOfEdge(view, scale, 1n << BigInt(bits)), 6);
          const half = textWidth(String(bits), TICK_SUB_SIZE) / 2;
          expect(pixel - half).toBeGreaterThanOrEqual(end);
          expect(pixel + half).toBeLessThanOrEqual(view.width);
          end = pixel + half;
        }
      }),
    );
  });

  test('all of them in a wide logarithmic view, the usual ones in a narrow one, none in a fold', () => {
    const widths = (scale: (typeof scales)[number], width: number) =>
      widthMarks(scale, fitAll(scale, width)).map(({ bits }) => bits);
    expect(widths(logScale(), 1600)).toEqual([36, 39, 40, 46, 48, 52, 57]);
    expect(widths(logScale(), 400)).toEqual(expect.arrayContaining([39, 48, 57]));
    expect(widths(scales[2] ?? linearScale(), 1600)).toEqual([]);
  });
});
