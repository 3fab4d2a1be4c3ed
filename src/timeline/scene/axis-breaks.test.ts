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
  test('are in the middle of their segments, with what they leave out', () => {
    const breaks = findAxisBreaks(frame);
    expect(breaks.map(({ label }) => label)).toEqual(['≈ 3.98 GiB', '≈ 15.9 EiB']);
    const [first] = scale.segments;
    expect(breaks[0]?.pixel).toBeCloseTo(pixelOf(frame.view, first?.length ?? 0n) / 2, 6);
  });

  /** The labels of the breaks where the first one is `width` pixels wide and has its middle at `pixel`. */
  const breaksAt = (pixel: number, width: number) => {
    const [first] = scale.segments;
    const length = first?.length ?? 0n;
    const view = { anchor: length / 2n, anchorPixel: pixel, unitsPerPixel: Number(length) / width, width: 1000 };
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
    { pixel: 100, label: '1 GiB' },
    { pixel: 120, label: '2 GiB' },
    { pixel: 300, label: '3 GiB' },
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

  test('labels that would touch the one before are left out', () => {
    const texts = drawAxisBreaks(frame, breaks, 40, 60, 80).flatMap((m) =>
      m.type === 'text' ? [[m.text, m.x, m.y]] : [],
    );
    expect(texts).toEqual([
      ['1 GiB', 250, 35],
      ['3 GiB', 450, 35],
    ]);
  });

  test('a label that would leave the picture is left out', () => {
    const texts = (pixel: number) => drawAxisBreaks(frame, [{ pixel, label: '1 GiB' }], 40, 60, 80).length;
    const last = 1014 - textWidth('1 GiB', 10) / 2;
    expect([texts(last - 0.1), texts(last + 0.1)]).toEqual([3, 2]);
  });
});
