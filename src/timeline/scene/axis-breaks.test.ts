import { describe, expect, test } from 'vitest';
import { foldScale } from '../axis/scale.ts';
import { pixelOf } from '../axis/viewport.ts';
import { testFrame } from '../testing/frames.ts';
import { drawAxisBreaks, findAxisBreaks } from './axis-breaks.ts';
import { textWidth } from './text-metrics.ts';

/** An MSI window between two long empty ranges. */
const scale = foldScale({ edges: [0xfee00000n, 0xfef00000n], isOccupied: (start) => start === 0xfee00000n });
const frame = testFrame(scale);

describe('axis breaks', () => {
  test('are beside the middle of their segments, with their ends and what they leave out', () => {
    const breaks = findAxisBreaks(frame);
    expect(breaks.map(({ label }) => label)).toEqual(['≈ 3.98 GiB', '≈ 15.9 EiB']);
    const [first] = scale.segments;
    const width = pixelOf(frame.view, first?.length ?? 0n);
    expect(breaks[0]?.pixel).toBeCloseTo(width * 0.82, 6);
    expect([breaks[0]?.x0, breaks[0]?.x1]).toEqual([0, expect.closeTo(width, 6)]);
  });

  /** The labels of the breaks where the first segment is `width` pixels wide and its break is at `pixel`. */
  const breaksAt = (pixel: number, width: number) => {
    const [first] = scale.segments;
    const length = first?.length ?? 0n;
    const view = {
      anchor: (length * 82n) / 100n,
      anchorPixel: pixel,
      unitsPerPixel: Number(length) / width,
      width: 1000,
    };
    return findAxisBreaks({ ...frame, view }).map(({ label }) => label);
  };

  test('need 22 pixels', () => {
    expect(breaksAt(500, 22.1)).toContain('≈ 3.98 GiB');
    expect(breaksAt(500, 21.9)).not.toContain('≈ 3.98 GiB');
  });

  test('are not shown where a segment fills the window: inside it the scale is even', () => {
    expect(breaksAt(500, 1000)).toContain('≈ 3.98 GiB');
    expect(breaksAt(500, 1001)).toEqual([]);
  });

  test('are not shown with their middle at a border of the plot', () => {
    for (const pixel of [6.1, 993.9]) expect(breaksAt(pixel, 100)).toContain('≈ 3.98 GiB');
    for (const pixel of [5.9, 994.1]) expect(breaksAt(pixel, 100)).not.toContain('≈ 3.98 GiB');
  });
});

describe('drawing', () => {
  const breaks = [
    { pixel: 100, x0: 60, x1: 130, label: '1 GiB' },
    { pixel: 150, x0: 140, x1: 170, label: '2 GiB' },
    { pixel: 300, x0: 250, x1: 320, label: '3 GiB' },
  ];

  test('is a zigzag through the lanes, on a ground that hides the bars', () => {
    const [ground, line] = drawAxisBreaks(frame, breaks.slice(0, 1), 40, 60, 81);
    const points = [
      [253.5, 58],
      [246.5, 65],
      [253.5, 72],
      [246.5, 79],
    ];
    expect(ground).toEqual({ type: 'path', points, ink: 'ground', width: 7 });
    expect(line).toEqual({ type: 'path', points, ink: 'faint', width: 1 });
  });

  test('labels are in the middle of their range; one that would leave it is left out', () => {
    const texts = drawAxisBreaks(frame, breaks, 40, 60, 80).flatMap((m) =>
      m.type === 'text' ? [[m.text, m.x, m.y]] : [],
    );
    expect(texts).toEqual([
      ['1 GiB', 245, 35],
      ['3 GiB', 435, 35],
    ]);
  });

  test('a label needs three pixels on both sides', () => {
    const width = textWidth('1 GiB', 10) + 6;
    const marks = (x1: number) => drawAxisBreaks(frame, [{ pixel: 20, x0: 10, x1, label: '1 GiB' }], 40, 60, 80).length;
    expect([marks(10 + width + 0.01), marks(10 + width - 0.01)]).toEqual([3, 2]);
  });
});
