// The legend, the table of bounds, the minimap, and the tables of styles and themes.
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE } from '../../iova/iova.ts';
import { linearScale } from '../axis/scale.ts';
import { cutSlices } from '../axis/slice.ts';
import { fitAll } from '../axis/viewport.ts';
import type { Lane } from '../lanes/lane.ts';
import { testFrame } from '../testing/frames.ts';
import { testLane, testSpace } from '../testing/lanes.ts';
import { boundsTable } from './bounds-table.ts';
import { frameOf } from './layout.ts';
import { legend } from './legend.ts';
import type { Mark } from './mark.ts';
import { minimapBars } from './minimap.ts';
import { STYLE_NAMES, type StyleName, styleAt, styleIndex } from './style-names.ts';
import { styleOf } from './styles.ts';
import { textWidth } from './text-metrics.ts';
import { forcedTheme, PRINT, THEMES } from './theme.ts';

const frame = testFrame();
const texts = (marks: readonly Mark[]) => marks.flatMap((m) => (m.type === 'text' ? [[m.text, m.x, m.y]] : []));

describe('the legend', () => {
  test('has the used styles in the order of the table', () => {
    const { marks, bottom } = legend(frame, new Set<StyleName>(['usable', 'msi']), 100);
    const second = 14 + 24 + textWidth('MSI window', 11) + 18;
    expect(marks).toEqual([
      { type: 'bar', x: 14, y: 104, width: 18, height: 12, style: 'msi' },
      expect.objectContaining({ text: 'MSI window', x: 38, y: 114 }),
      { type: 'bar', x: second, y: 104, width: 18, height: 12, style: 'usable' },
      expect.objectContaining({ text: 'usable', x: second + 24, y: 114 }),
    ]);
    expect(bottom).toBe(126);
  });

  test('continues on the next line', () => {
    const scale = linearScale();
    const entry = (label: string) => 24 + textWidth(label, 11) + 18;
    const both = 14 + entry('MSI window') + entry('usable');
    const lines = (width: number) =>
      legend(frameOf(width, scale, fitAll(scale, 100)), new Set<StyleName>(['usable', 'msi']), 100).bottom;
    expect([lines(both), lines(both - 0.1), lines(10)]).toEqual([126, 148, 148]);
  });
});

describe('the table of bounds', () => {
  const line = (start: bigint, last: bigint, what = 'reserved: MSI window', source = 'dump.txt:1') => ({
    ...{ what, start, last, source },
  });
  const list = (...lines: ReturnType<typeof line>[]) => ({ lines, total: lines.length });

  test('has what, bounds, size and source of each line', () => {
    const { marks, bottom } = boundsTable(frame, list(line(0xfee00000n, 0xfeefffffn), line(0n, 0xfffn)), 100);
    expect(texts(marks).map(([text, , y]) => [text, y])).toEqual([
      ['reserved: MSI window', 119],
      ['0xfee0_0000 – 0xfeef_ffff', 119],
      ['1 MiB', 119],
      ['dump.txt:1', 119],
      ['reserved: MSI window', 134],
      ['0x0 – 0xfff', 134],
      ['4 KiB', 134],
      ['dump.txt:1', 134],
    ]);
    const [what, bounds, size, source] = texts(marks).map(([, x]) => Number(x));
    expect([what, bounds]).toEqual([14, 14 + textWidth('reserved: MSI window', 11) + 16]);
    expect(size).toBeCloseTo((bounds ?? 0) + textWidth('0xfee0_0000 – 0xfeef_ffff', 11, 'mono') + 16, 6);
    expect(source).toBeCloseTo((size ?? 0) + Math.max(textWidth('1 MiB', 11), textWidth('4 KiB', 11)) + 16, 6);
    expect(bottom).toBe(140);
  });

  test('a long description takes a third of the width at most, and is shortened', () => {
    const { marks } = boundsTable(frame, list(line(0n, 1n, 'x'.repeat(200))), 100);
    const [what, bounds] = texts(marks);
    expect(what?.[0]).toMatch(/x…$/);
    expect(bounds?.[1]).toBeCloseTo(14 + frame.width * 0.3 + 16, 6);
  });

  test('in a narrow picture bounds have a line of their own and are never cut', () => {
    const narrow = { ...frame, width: 300 };
    const { marks, bottom } = boundsTable(narrow, list(line(0n, IOVA_MAX)), 100);
    expect(texts(marks).map(([text, x, y]) => [text, x, y])).toEqual([
      ['reserved: MSI window', 14, 119],
      ['0x0 – 0xffff_ffff_ffff_ffff', 28, 134],
      ['16 EiB', expect.any(Number), 134],
    ]);
    expect(bottom).toBe(140);
    expect(texts(boundsTable({ ...frame, width: 240 }, list(line(0n, IOVA_MAX)), 100).marks)).toHaveLength(2);
  });

  test('has sixty lines at most, and says how many are left', () => {
    const lines = (n: number) => Array.from({ length: n }, () => line(0n, 1n));
    expect(texts(boundsTable(frame, list(...lines(60)), 0).marks)).toHaveLength(240);
    const { marks, bottom } = boundsTable(frame, { lines: lines(62), total: 500 }, 0);
    expect(texts(marks).at(-1)).toEqual(['and 440 more ranges, not listed here', 14, 4 + 15 * 61]);
    expect(bottom).toBe(4 + 15 * 61 + 6);
  });

  test('takes no room without lines', () => {
    expect(boundsTable(frame, list(), 100)).toEqual({ marks: [], bottom: 100 });
  });
});

describe('the minimap', () => {
  const scale = linearScale();
  const half = { start: IOVA_SPACE / 4n, last: IOVA_SPACE / 2n - 1n };
  const bars = (...lanes: readonly Lane[]) =>
    minimapBars(cutSlices([testSpace(...lanes)], scale, fitAll(scale, 400)), scale, 400, 26);

  test('has the ranges of the lanes that are in it, a row each', () => {
    const lanes = [
      testLane([[half]], 'aperture'),
      testLane([[half], [{ ...half, style: 'direct' as const }]], 'reserved'),
      testLane([[half]], 'usable'),
    ];
    expect(bars(...lanes)).toEqual([
      { x: 100, y: 3, width: 100, height: 7, style: 'msi' },
      { x: 100, y: 11, width: 100, height: 7, style: 'direct' },
    ]);
  });

  test('the rows of an expanded lane share one', () => {
    const lane = { ...testLane([[half], [half], [half]], 'reserved'), expanded: true };
    expect(bars(lane).map(({ y }) => y)).toEqual([3, 3, 3]);
  });

  test('rows share the height, at least a pixel each', () => {
    const rows = (n: number) =>
      bars(
        testLane(
          Array.from({ length: n }, () => [half]),
          'reserved',
        ),
      );
    expect(rows(5).map(({ y, height }) => [y, height])).toEqual([3, 7, 11, 15, 19].map((y) => [y, 3]));
    expect(rows(40)[39]).toMatchObject({ y: 42, height: 1 });
    expect(bars()).toEqual([]);
  });
});

describe('styles', () => {
  test('have an index each, and no other index has a style', () => {
    for (const [i, name] of STYLE_NAMES.entries()) expect([styleIndex(name), styleAt(i)]).toEqual([i, name]);
    expect(() => styleAt(STYLE_NAMES.length)).toThrow(RangeError);
    expect(() => styleAt(-1)).toThrow(RangeError);
  });

  test('have labels that differ', () => {
    expect(new Set(STYLE_NAMES.map((name) => styleOf(name).label)).size).toBe(STYLE_NAMES.length);
  });

  test('are painted in both themes', () => {
    expect(THEMES.light.paint.msi).toEqual({
      fill: '#fff3c4',
      stroke: '#a87900',
      pattern: '#e6ad14',
      tile: expect.objectContaining({ size: 8, lineWidth: 2.6 }),
    });
    expect(THEMES.dark.paint.hole).toEqual({ fill: '#121821', stroke: '#79879a', pattern: '#79879a', dash: [5, 3] });
  });

  test('differ without color: no two have the same pattern and outline', () => {
    const looks = STYLE_NAMES.map((name) => {
      const { tile, dash } = styleOf(name);
      return JSON.stringify([tile, dash]);
    });
    for (const [i, look] of looks.entries()) {
      expect(`${STYLE_NAMES[i]} like ${STYLE_NAMES[looks.indexOf(look)]}`).toBe(
        `${STYLE_NAMES[i]} like ${STYLE_NAMES[i]}`,
      );
    }
  });

  test('on paper are white with black text; in prescribed colors nothing else is used', () => {
    for (const name of STYLE_NAMES) expect(PRINT.paint[name].fill).toBe('#ffffff');
    expect(PRINT.ink.ink).toBe('#000000');
    const forced = forcedTheme({ ground: 'g', text: 't', dimmed: 'd', highlight: 'h' });
    const used = [
      ...Object.values(forced.ink),
      ...STYLE_NAMES.flatMap((name) => {
        const { fill, stroke, pattern } = forced.paint[name];
        return [fill, stroke, pattern];
      }),
    ];
    expect(new Set(used)).toEqual(new Set(['g', 't', 'd', 'h']));
    // Headings are written on it.
    expect(forced.ink.strip).toBe('g');
    expect(forced.paint.msi.tile).toEqual(styleOf('msi').tile);
    // A line of the pattern looks like a stroke of a letter: none may be seen between letters.
    expect(forced.haloWidth).toBeGreaterThan(THEMES.light.haloWidth);
  });

  test('the lines of a pattern continue on the next tile', () => {
    for (const name of STYLE_NAMES) {
      const { tile } = styleOf(name);
      for (const [x1, y1, x2, y2] of tile?.lines ?? []) {
        const size = tile?.size ?? 0;
        const isStraight = x1 === x2 || y1 === y2;
        expect(isStraight ? Math.hypot(x2 - x1, y2 - y1) : Math.abs(x2 - x1) - Math.abs(y2 - y1)).toBe(
          isStraight ? size : 0,
        );
      }
    }
  });
});
