import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildHost } from '../../analysis/host/build-host.ts';
import { commonSpace } from '../../analysis/space/common-space.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { foldFor } from '../axis/fold.ts';
import { linearScale, logScale, type ScaleKind } from '../axis/scale.ts';
import { cutSlices, sliceWindow } from '../axis/slice.ts';
import { fitAll, fitRange } from '../axis/viewport.ts';
import { hostSpace } from '../lanes/spaces.ts';
import { paintSvg } from '../paint/svg.ts';
import type { NumberedBand } from './bands.ts';
import { plotWidth } from './layout.ts';
import type { Mark, Scene } from './mark.ts';
import { buildScene } from './scene.ts';
import { textWidth } from './text-metrics.ts';

function reserved(start: bigint, last: bigint, type: string, group = '1', line = 1): SessionEvent {
  return { kind: 'reserved', ...range(start, last), type, group, origin: 'sysfs', source: 'dump.txt', line };
}

interface Options {
  readonly width?: number;
  readonly scale?: ScaleKind;
  readonly expanded?: readonly string[];
  readonly window?: readonly [bigint, bigint];
  readonly title?: string;
  readonly withBounds?: boolean;
  readonly numbered?: readonly NumberedBand[];
}

function sceneFor(events: readonly SessionEvent[], options: Options = {}): Scene {
  const { width = 1280, scale: kind = 'fold', expanded = [], window, title = 'a host' } = options;
  const host = buildHost('h', title, events);
  const spaces = [
    hostSpace('h', { space: commonSpace(host, host.groups), guests: [], mappings: [] }, new Set(expanded), new Set()),
  ];
  const scale = kind === 'fold' ? foldFor(spaces) : kind === 'log' ? logScale() : linearScale();
  const plot = plotWidth(width);
  const view = window ? fitRange(scale, range(...window), plot) : fitAll(scale, plot);
  const lines = events.flatMap((e) =>
    'start' in e ? [{ what: 'reserved', start: e.start as bigint, last: e.last as bigint, source: 'dump.txt:1' }] : [],
  );
  return buildScene({
    title: spaces[0]?.title ?? '',
    subtitle: 'fold scale · dump.txt',
    scale,
    view,
    spaces: cutSlices(spaces, scale, sliceWindow(view)),
    width,
    numbered: options.numbered,
    bounds: options.withBounds ? { lines, total: lines.length } : undefined,
  });
}

type Text = Extract<Mark, { type: 'text' }>;

function box(mark: Text) {
  const width = textWidth(mark.text, mark.size, mark.font);
  const x = mark.anchor === 'start' ? mark.x : mark.anchor === 'end' ? mark.x - width : mark.x - width / 2;
  return { x0: x, x1: x + width, y0: mark.y - mark.size * 0.72, y1: mark.y + mark.size * 0.1, text: mark.text };
}

function overlapping(scene: Scene): string[] {
  const boxes = scene.marks.flatMap((m) => (m.type === 'text' && m.text !== '' ? [box(m)] : []));
  const found: string[] = [];
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) {
      if (a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1) found.push(`“${a.text}” and “${b.text}”`);
    }
    if (a.x0 < -0.5 || a.x1 > scene.width + 0.5 || a.y1 > scene.height) found.push(`“${a.text}” is cut`);
  }
  return found;
}

const address = fc.oneof(fc.bigInt(0n, IOVA_MAX), fc.bigInt(0xfee00000n, 0xfef00000n), fc.constant(0n));
const facts = fc.array(
  fc
    .tuple(
      address,
      fc.bigInt(0n, 1n << 33n),
      fc.constantFrom('msi', 'direct', 'direct-relaxable', 'reserved', 'odd'),
      fc.nat(3),
    )
    .map(([a, n, type, group]) => reserved(a, a + n > IOVA_MAX ? IOVA_MAX : a + n, type, String(group))),
  { minLength: 1, maxLength: 12 },
);

describe('buildScene', () => {
  test('no text overlaps another or is cut, at any width, scale, window and with lanes opened', () => {
    fc.assert(
      fc.property(
        facts,
        fc.integer({ min: 360, max: 2200 }),
        fc.constantFrom<ScaleKind>('fold', 'linear', 'log'),
        fc.boolean(),
        fc.option(fc.tuple(address, fc.bigInt(0n, 1n << 40n)), { nil: undefined }),
        (events, width, scale, opened, at) => {
          const window = at && ([at[0], at[0] + at[1] > IOVA_MAX ? IOVA_MAX : at[0] + at[1]] as const);
          const expanded = opened ? ['h#reserved'] : [];
          expect(overlapping(sceneFor(events, { width, scale, expanded, ...(window ? { window } : {}) }))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('every label of a lane is inside the block that it names, at any width, scale, window and with lanes opened', () => {
    fc.assert(
      fc.property(
        facts,
        fc.integer({ min: 360, max: 2600 }),
        fc.constantFrom<ScaleKind>('fold', 'linear', 'log'),
        fc.boolean(),
        fc.option(fc.tuple(address, fc.bigInt(0n, 1n << 40n)), { nil: undefined }),
        (events, width, scale, opened, at) => {
          const window = at && ([at[0], at[0] + at[1] > IOVA_MAX ? IOVA_MAX : at[0] + at[1]] as const);
          const expanded = opened ? ['h#reserved'] : [];
          const scene = sceneFor(events, { width, scale, expanded, ...(window ? { window } : {}) });
          const { x, y, height } = scene.plot;
          const labels = scene.marks
            .slice(0, scene.pinned.from)
            .flatMap((m) => (m.type === 'text' && m.x > x && m.y > y && m.y < y + height ? [box(m)] : []));
          const outside = labels.filter(
            ({ x0, x1, y0, y1 }) =>
              !scene.hits.some((h) => x0 >= h.x && x1 <= h.x + h.width && y0 >= h.y && y1 <= h.y + h.height),
          );
          expect(outside).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('flags of numbered bands stand apart, inside the picture, and stand for every band in the window', () => {
    const bands = fc.array(
      fc.tuple(address, fc.bigInt(0n, 1n << 45n), fc.constantFrom<NumberedBand['ink']>('alarm', 'caution', 'muted')),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(
        facts,
        bands,
        fc.integer({ min: 360, max: 2200 }),
        fc.constantFrom<ScaleKind>('fold', 'linear', 'log'),
        fc.option(fc.tuple(address, fc.bigInt(0n, 1n << 40n)), { nil: undefined }),
        (events, spans, width, scale, at) => {
          const last = (start: bigint, length: bigint) => (start + length > IOVA_MAX ? IOVA_MAX : start + length);
          const numbered = spans.map(([start, length, ink], i) => ({
            number: i + 1,
            start,
            last: last(start, length),
            ink,
            message: `conflict ${i + 1}: ${'some words and then more of them '.repeat(i % 6)}`,
          }));
          const window = at && ([at[0], last(at[0], at[1])] as const);
          const scene = sceneFor(events, { width, scale, numbered, withBounds: true, ...(window ? { window } : {}) });
          const flags = scene.flags.toSorted((a, b) => a.x - b.x);
          for (const [i, flag] of flags.entries()) {
            expect(flag.x).toBeGreaterThanOrEqual(0);
            expect(flag.x + flag.width).toBeLessThanOrEqual(width);
            const next = flags[i + 1];
            if (next) expect(flag.x + flag.width).toBeLessThan(next.x);
          }
          const flagged = flags.flatMap((flag) => flag.numbers).toSorted((a, b) => a - b);
          if (!window) expect(flagged).toEqual(numbered.map(({ number }) => number));
          expect(new Set(flagged).size).toBe(flagged.length);
          expect(overlapping(scene)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('what is there is drawn and can be hit, with its exact bounds', () => {
    const scene = sceneFor([reserved(0xfee00000n, 0xfeefffffn, 'msi')]);
    const hit = scene.hits.find((h) => h.target.laneId === 'h#reserved');
    expect(hit?.target).toMatchObject({ start: 0xfee00000n, last: 0xfeefffffn, count: 1 });
    expect(hit?.width).toBeGreaterThan(60);
    expect(scene.marks.filter((m) => m.type === 'bar').map((m) => m.type === 'bar' && m.style)).toEqual(
      expect.arrayContaining(['msi', 'unknown', 'usable']),
    );
  });

  test('a fold keeps a megabyte and sixteen exbibytes legible side by side; a line keeps the megabyte visible', () => {
    const events = [reserved(0xfee00000n, 0xfeefffffn, 'msi')];
    const width = (scale: ScaleKind) => {
      const hits = sceneFor(events, { scale }).hits.filter((h) => h.target.laneId === 'h#reserved');
      return hits[0]?.width ?? 0;
    };
    expect(width('fold')).toBeGreaterThan(100);
    expect(width('linear')).toBeCloseTo(1, 3);
  });

  test('the aperture of unknown reach is drawn as unknown, a known one with what lies beyond', () => {
    const styles = (events: readonly SessionEvent[]) =>
      sceneFor(events).marks.flatMap((m) => (m.type === 'bar' ? [m.style] : []));
    const msi = reserved(0xfee00000n, 0xfeefffffn, 'msi');
    expect(styles([msi])).toContain('unknown');
    expect(styles([msi])).not.toContain('beyond');
    const known = styles([msi, { kind: 'host', address_width: 39 }]);
    expect(known).toContain('beyond');
    expect(known).not.toContain('unknown');
  });

  test('doorbell pages stand in the MSI window, and outside of it they are marked', () => {
    const scene = sceneFor([
      reserved(0x8000000n, 0x80fffffn, 'msi'),
      { kind: 'group', group: '1', devices: ['0000:01:00.0', '0000:02:00.0', '0000:03:00.0'] },
      { kind: 'msi_message', device: '0000:01:00.0', address: 0x8000040n as Iova },
      { kind: 'msi_message', device: '0000:02:00.0', address: 0x8000040n as Iova },
      { kind: 'msi_message', device: '0000:03:00.0', address: 0xfee00000n as Iova },
      { kind: 'msi_message', device: '0000:03:00.0', address: 0x40n as Iova, enabled: false },
    ]);
    const pages = scene.hits.filter((h) => h.target.laneId === 'h#doorbells').map((h) => h.target);
    expect(pages.map((t) => [t.start, t.last])).toEqual([
      [0x8000000n, 0x8000fffn],
      [0xfee00000n, 0xfee00fffn],
    ]);
    const styles = scene.marks.flatMap((m) => (m.type === 'bar' ? [m.style] : []));
    expect(styles).toContain('doorbell');
    expect(styles).toContain('doorbell-outside');
    expect(overlapping(scene)).toEqual([]);
  });

  test('the ruler has both bounds of a reserved region, and address 0 if it is in view', () => {
    const events = [
      reserved(0n, 0xffffffn, 'direct-relaxable'),
      reserved(0x3e2e0000n, 0x3e2fffffn, 'direct'),
      reserved(0xfee00000n, 0xfeefffffn, 'msi'),
      { kind: 'host', address_width: 39 } as const,
    ];
    for (const width of [700, 960, 1280, 1920, 2560]) {
      const { marks, pinned } = sceneFor(events, { width });
      const texts = marks.slice(pinned.from).flatMap((m) => (m.type === 'text' ? [m.text] : []));
      expect(texts).toEqual(
        expect.arrayContaining(['0x0', '0x3e2e_0000', '0x3e30_0000', '0xfee0_0000', '0xfef0_0000']),
      );
    }
  });

  test('the pinned part is the ruler with the flags; the lanes begin below it', () => {
    const numbered = [{ number: 1, start: 0xfee00000n, last: 0xfeefffffn, ink: 'alarm', message: 'm' } as const];
    const { marks, pinned, plot } = sceneFor([reserved(0xfee00000n, 0xfeefffffn, 'msi')], { numbered });
    expect(pinned.bottom).toBe(plot.y);
    const own = marks.slice(pinned.from);
    expect(own.filter(({ type }) => type === 'badge')).toHaveLength(1);
    for (const mark of own) {
      const ys = mark.type === 'path' ? mark.points.map(([, y]) => y) : [mark.y];
      for (const y of ys) expect(y >= pinned.top && y <= pinned.bottom).toBe(true);
    }
  });

  test('an exported picture carries the exact bounds and where they were read', () => {
    const scene = sceneFor([reserved(0xfee00000n, 0xfeefffffn, 'msi')], { withBounds: true });
    const texts = scene.marks.flatMap((m) => (m.type === 'text' ? [m.text] : []));
    expect(texts).toContain('0xfee0_0000 – 0xfeef_ffff');
    expect(texts).toContain('dump.txt:1');
    expect(overlapping(scene)).toEqual([]);
  });

  test('SVG is well formed whatever the names are', () => {
    const title = 'a <b> & "c" \u0007 \ud800';
    const svg = paintSvg(sceneFor([reserved(0n, 0xfffn, 'a&b<c>')], { title }), 'dark');
    for (const bad of ['<b>', '\u0007', '\ud800']) expect(svg).not.toContain(bad);
    expect(svg).toContain('a&amp;b&lt;c&gt;');
    const opened = svg.match(/<(?!\/)[a-z]+/g)?.length ?? 0;
    const closed = (svg.match(/<\/[a-z]+>/g)?.length ?? 0) + (svg.match(/\/>/g)?.length ?? 0);
    expect(opened).toBe(closed);
  });
});
