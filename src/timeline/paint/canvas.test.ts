import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Mark, Scene } from '../scene/mark.ts';
import { fakeContext } from '../testing/draw-log.ts';
import { paintCanvas } from './canvas.ts';

afterEach(() => vi.unstubAllGlobals());

function sceneOf(...marks: readonly Mark[]): Scene {
  const plot = { x: 0, y: 0, width: 0, height: 0 };
  const pinned = { from: marks.length, top: 0, bottom: 0 };
  return { width: 300, height: 200, plot, marks, pinned, hits: [], heads: [], flags: [], description: '' };
}

/** What is drawn for the marks, after the ground. */
function drawn(...marks: readonly Mark[]): string[] {
  const { context, log } = fakeContext();
  paintCanvas(context, sceneOf(...marks), 'light', 2);
  return log.slice(3);
}

const BAR = { type: 'bar', x: 10, y: 20, width: 30, height: 16, style: 'aperture' } as const;

describe('the canvas painter', () => {
  test('begins with the ground, in the pixels of the device', () => {
    const { context, log } = fakeContext();
    paintCanvas(context, sceneOf(), 'dark', 2);
    expect(log).toEqual(['setTransform(2, 0, 0, 2, 0, 0)', 'fillStyle = #121821', 'fillRect(0, 0, 300, 200)']);
  });

  test('of a scrolled scene moves all but its pinned part, which covers what is below it', () => {
    const { context, log } = fakeContext();
    const fill = { type: 'fill', x: 0, y: 0, width: 5, height: 5, ink: 'ink' } as const;
    const scene = { ...sceneOf(fill, { ...fill, y: 40 }), pinned: { from: 1, top: 30, bottom: 70 } };
    paintCanvas(context, scene, 'light', 2, { scrolled: 100, height: 120 });
    expect(log.filter((line) => !line.startsWith('fillStyle'))).toEqual([
      'setTransform(2, 0, 0, 2, 0, 0)',
      'fillRect(0, 0, 300, 120)',
      'setTransform(2, 0, 0, 2, 0, -200)',
      'fillRect(0, 0, 5, 5)',
      'setTransform(2, 0, 0, 2, 0, -60)',
      'fillRect(0, 30, 300, 40)',
      'fillRect(0, 40, 5, 5)',
    ]);
  });

  test('fills a bar and outlines it inside', () => {
    expect(drawn(BAR)).toEqual([
      'fillStyle = #eaf1f8',
      'fillRect(10, 20, 30, 16)',
      'strokeStyle = #a9bbcf',
      'lineWidth = 1',
      'setLineDash([])',
      'beginPath()',
      'moveTo(10.5, 20.5)',
      'lineTo(39.5, 20.5)',
      'lineTo(39.5, 35.5)',
      'lineTo(10.5, 35.5)',
      'lineTo(10.5, 20.5)',
      'stroke()',
      'setLineDash([])',
    ]);
  });

  test('leaves out the sides that are open', () => {
    const path = (mark: Mark) => drawn(mark).filter((call) => /To\(/.test(call));
    expect(path({ ...BAR, openLeft: true })).toEqual([
      'moveTo(10, 20.5)',
      'lineTo(39.5, 20.5)',
      'lineTo(39.5, 35.5)',
      'lineTo(10, 35.5)',
    ]);
    expect(path({ ...BAR, openRight: true })).toEqual([
      'moveTo(10.5, 20.5)',
      'lineTo(40, 20.5)',
      'moveTo(40, 35.5)',
      'lineTo(10.5, 35.5)',
      'lineTo(10.5, 20.5)',
    ]);
  });

  test('dashes outlines, and fills the thinnest bars with their outline', () => {
    expect(drawn({ ...BAR, style: 'hole' })).toContain('setLineDash([5,3])');
    expect(drawn({ ...BAR, width: 1.9 })).toEqual([
      'fillStyle = #eaf1f8',
      'fillRect(10, 20, 1.9, 16)',
      'fillStyle = #a9bbcf',
      'fillRect(10, 20, 1.9, 16)',
    ]);
    expect(drawn({ ...BAR, width: 2 })).toContain('stroke()');
  });

  test('draws patterns at the density of the screen, once for each style, theme and density', () => {
    const { context, log, tiles } = fakeContext();
    const scene = sceneOf({ ...BAR, style: 'direct' }, { ...BAR, style: 'direct' });
    paintCanvas(context, scene, 'light', 1.5);
    expect(tiles).toEqual([
      [
        'canvas 11 × 11',
        `scale(${Math.round(11_000 / 7) / 1000}, ${Math.round(11_000 / 7) / 1000})`,
        'fillStyle = #ecd9f4',
        'fillRect(0, 0, 7, 7)',
        'strokeStyle = #a565c0',
        'fillStyle = #a565c0',
        'lineWidth = 0.9',
        ...['beginPath()', 'moveTo(0, 0)', 'lineTo(7, 7)', 'stroke()'],
        ...['beginPath()', 'moveTo(7, 0)', 'lineTo(0, 7)', 'stroke()'],
      ],
    ]);
    expect(log.filter((call) => call.startsWith('createPattern'))).toEqual(['createPattern("tile", repeat)']);
    expect(log.filter((call) => call === 'fillStyle = pattern 1')).toHaveLength(2);
    paintCanvas(context, scene, 'light', 1.5);
    expect(tiles).toHaveLength(1);
    paintCanvas(context, scene, 'dark', 1.5);
    paintCanvas(context, scene, 'light', 1);
    expect(tiles).toHaveLength(3);
  });

  test('draws the dots of a pattern', () => {
    const { context, tiles } = fakeContext();
    paintCanvas(context, sceneOf({ ...BAR, style: 'beyond' }), 'light', 3);
    expect(tiles[0]).toContain('arc(2.5, 2.5, 0.8, 0, 6.283)');
  });

  test('fills, washes and outlines rectangles', () => {
    const box = { x: 1, y: 2, width: 3, height: 4 };
    expect(drawn({ type: 'fill', ...box, ink: 'hairline' })).toEqual(['fillStyle = #e8ecf1', 'fillRect(1, 2, 3, 4)']);
    expect(drawn({ type: 'wash', ...box, ink: 'alarm' })).toEqual([
      'globalAlpha = 0.12',
      'fillStyle = #b3261e',
      'fillRect(1, 2, 3, 4)',
      'globalAlpha = 1',
    ]);
    expect(drawn({ type: 'outline', ...box, ink: 'accent' })).toEqual([
      'strokeStyle = #0b62c4',
      'lineWidth = 2',
      'strokeRect(1, 2, 3, 4)',
    ]);
  });

  test('writes text in its font, with a halo below it', () => {
    const mark = {
      type: 'text',
      x: 5,
      y: 9,
      text: 'MSI',
      size: 11,
      font: 'sans',
      ink: 'ink',
      anchor: 'middle',
    } as const;
    expect(drawn(mark)).toEqual([
      'font = 11px system-ui, "DejaVu Sans", sans-serif',
      'textAlign = center',
      'fillStyle = #1b2430',
      'fillText(MSI, 5, 9)',
    ]);
    const calls = drawn({ ...mark, font: 'bold', anchor: 'end', halo: true });
    expect(calls.slice(0, 2)).toEqual(['font = 600 11px system-ui, "DejaVu Sans", sans-serif', 'textAlign = end']);
    expect(calls.indexOf('strokeText(MSI, 5, 9)')).toBeLessThan(calls.indexOf('fillText(MSI, 5, 9)'));
    expect(calls).toContain('strokeStyle = #ffffffd9');
    expect(drawn({ ...mark, font: 'mono' })[0]).toContain('monospace');
  });

  test('draws lines through points', () => {
    const points = [
      [1, 2],
      [3, 4],
      [5, 6],
    ] as const;
    expect(drawn({ type: 'path', points, ink: 'grid', width: 1.5 })).toEqual([
      'strokeStyle = #d9dfe6',
      'lineWidth = 1.5',
      'lineJoin = round',
      'beginPath()',
      'lineTo(1, 2)',
      'lineTo(3, 4)',
      'lineTo(5, 6)',
      'stroke()',
    ]);
  });

  test('badges are round and as wide as their text', () => {
    expect(drawn({ type: 'badge', x: 50, y: 60, text: 'a' })).toEqual([
      'fillStyle = #1b2430',
      'beginPath()',
      'roundRect(43.5, 53.5, 13, 13, 6.5)',
      'fill()',
      'font = 600 10px system-ui, "DejaVu Sans", sans-serif',
      'textAlign = center',
      'fillStyle = #ffffff',
      'fillText(a, 50, 63.5)',
    ]);
    const wide = drawn({ type: 'badge', x: 50, y: 60, text: '12', ink: 'alarm' });
    expect(wide[0]).toBe('fillStyle = #b3261e');
    expect(wide[2]).toBe('roundRect(40, 53.5, 20, 13, 6.5)');
  });
});
