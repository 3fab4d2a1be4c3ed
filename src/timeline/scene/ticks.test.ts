import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE, lowestSetBit } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
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

describe('exact rulers', () => {
  const marks = (scale: (typeof scales)[number], width: number, start = 0n, last: bigint = IOVA_MAX) =>
    ticks(scale, fitRange(scale, range(start, last), width, 0)).map(({ label, size, align }) => [label, size, align]);

  test('a linear view has round addresses that leave room for their labels', () => {
    const labels = [
      ['0x0', '', 'start'],
      ['0x4000_0000_0000_0000', '4 EiB', 'middle'],
      ['0x8000_0000_0000_0000', '8 EiB', 'middle'],
      ['0xc000_0000_0000_0000', '12 EiB', 'middle'],
      ['2^64', '16 EiB', 'end'],
    ];
    expect(marks(linearScale(), 1100)).toEqual(labels);
    expect(marks(linearScale(), 500)).toEqual([labels[0], labels[2], labels[4]]);
    expect(marks(linearScale(), 120)).toEqual([labels[0], labels[4]]);
  });

  test('sizes are given for round binary sizes only', () => {
    expect(marks(linearScale(), 1000, 0n, 0x1fffn)).toEqual(
      expect.arrayContaining([
        ['0x400', '1 KiB', 'middle'],
        ['0x1000', '4 KiB', 'middle'],
        ['0x1400', '5 KiB', 'middle'],
      ]),
    );
    const bytes = marks(linearScale(), 1000, 0n, 0xffn).map(([, size]) => size);
    expect(new Set(bytes)).toEqual(new Set(['']));
    const odd = marks(linearScale(), 1000, 0x100000n, 0x1003ffn);
    expect(odd).toContainEqual(['0x10_0200', '', 'middle']);
  });

  test('at the deepest zoom every tick is a byte', () => {
    const list = ticks(linearScale(), fitRange(linearScale(), range(0x1000n, 0x100fn), 1024, 0));
    expect(list.length).toBeGreaterThan(8);
    for (const { edge } of list) expect(edge).toBeGreaterThanOrEqual(0x1000n);
  });

  test('in a fold the borders of what is there win over round addresses', () => {
    const labels = marks(scales[2] ?? linearScale(), 420).map(([label]) => label);
    expect(labels).toEqual(['0x0', '0xfee0_0000', '0xfd_0000_0000', '2^64']);
  });

  test('in a log view powers of two with exponents of a multiple of ten win', () => {
    const labels = marks(logScale(), 700).map(([label]) => label);
    expect(labels).toEqual(expect.arrayContaining(['0x100_0000_0000', '0x4000_0000']));
  });
});

describe('exact address widths', () => {
  test('are left out at the borders of the plot', () => {
    const scale = linearScale();
    const bits = (last: bigint) => widthMarks(scale, fitRange(scale, range(0n, last), 800, 0)).map((m) => m.bits);
    expect(bits((1n << 40n) - 1n)).toEqual([36, 39]);
    expect(bits((1n << 39n) - 1n)).toEqual([36]);
    expect(bits((1n << 34n) - 1n)).toEqual([]);
  });

  test('of two that touch the more common is kept', () => {
    const bits = (width: number) => widthMarks(logScale(), fitAll(logScale(), width)).map((m) => m.bits);
    expect(bits(300)).toContain(48);
    expect(bits(300)).toContain(39);
    expect(bits(300)).not.toContain(40);
  });
});
