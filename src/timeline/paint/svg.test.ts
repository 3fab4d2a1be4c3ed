import { describe, expect, test } from 'vitest';
import type { Mark, Scene } from '../scene/mark.ts';
import { paintSvg } from './svg.ts';

function sceneOf(...marks: readonly Mark[]): Scene {
  const plot = { x: 0, y: 0, width: 0, height: 0 };
  const pinned = { from: marks.length, top: 0, bottom: 0 };
  return { width: 300, height: 200, plot, marks, pinned, hits: [], heads: [], flags: [], description: 'a <host>' };
}

/** The lines of the file for the marks. */
function drawn(...marks: readonly Mark[]): string[] {
  return paintSvg(sceneOf(...marks), 'light')
    .split('\n')
    .slice(4, -2);
}

const BAR = { type: 'bar', x: 10.126, y: 20, width: 30, height: 16, style: 'aperture' } as const;
const FRAME = 'x="10.13" y="20" width="30" height="16"';

describe('the SVG painter', () => {
  test('writes a file with size, title and ground', () => {
    expect(paintSvg(sceneOf(), 'dark')).toBe(
      [
        '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200" viewBox="0 0 300 200" role="img">',
        '<title>a &lt;host&gt;</title>',
        '<defs></defs>',
        '<rect width="100%" height="100%" fill="#121821"/>',
        '</svg>\n',
      ].join('\n'),
    );
  });

  test('a bar is a rectangle with a tooltip', () => {
    expect(drawn(BAR)).toEqual([`<rect ${FRAME} fill="#eaf1f8" stroke="#a9bbcf"></rect>`]);
    expect(drawn({ ...BAR, title: 'a & b' })).toEqual([
      `<rect ${FRAME} fill="#eaf1f8" stroke="#a9bbcf"><title>a &amp; b</title></rect>`,
    ]);
    expect(drawn({ ...BAR, style: 'hole' })[0]).toContain('stroke="#8a96a6" stroke-dasharray="5 3"');
  });

  test('a bar that is open on a side has no edge there', () => {
    const sides = (mark: Mark) => /<path d="([^"]*)" fill="none" stroke="#a9bbcf"\/>/.exec(drawn(mark)[0] ?? '')?.[1];
    expect(sides({ ...BAR, x: 10, openLeft: true })).toBe('M10 20H40M10 36H40M40 20V36');
    expect(sides({ ...BAR, x: 10, openRight: true })).toBe('M10 20H40M10 36H40M10 20V36');
    expect(sides({ ...BAR, x: 10, openLeft: true, openRight: true })).toBe('M10 20H40M10 36H40');
  });

  test('defines each pattern once, and only those that are used', () => {
    const svg = paintSvg(
      sceneOf({ ...BAR, style: 'direct' }, { ...BAR, style: 'direct' }, { ...BAR, style: 'beyond' }),
      'light',
    );
    expect(svg.match(/<pattern id="[^"]*"/g)).toEqual(['<pattern id="p-direct"', '<pattern id="p-beyond"']);
    expect(svg.match(/fill="url\(#p-direct\)"/g)).toHaveLength(2);
    expect(svg).toContain(
      '<pattern id="p-beyond" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" fill="#f2f3f5"/><circle cx="2.5" cy="2.5" r="0.8" fill="#a5adb8"/></pattern>',
    );
    expect(svg).toContain('<line x1="0" y1="0" x2="7" y2="7" stroke="#a565c0" stroke-width="0.9"/>');
  });

  test('fills, washes and outlines rectangles', () => {
    const box = { x: 1, y: 2, width: 3, height: 4 };
    const frame = 'x="1" y="2" width="3" height="4"';
    expect(
      drawn(
        { type: 'fill', ...box, ink: 'hairline' },
        { type: 'wash', ...box, ink: 'alarm' },
        { type: 'outline', ...box, ink: 'accent' },
      ),
    ).toEqual([
      `<rect ${frame} fill="#e8ecf1"/>`,
      `<rect ${frame} fill="#b3261e" fill-opacity="0.12"/>`,
      `<rect ${frame} fill="none" stroke="#0b62c4" stroke-width="2"/>`,
    ]);
  });

  test('writes text in its font, with a halo below it', () => {
    const mark = {
      type: 'text',
      x: 5,
      y: 9,
      text: '"a" < b',
      size: 11,
      font: 'sans',
      ink: 'ink',
      anchor: 'start',
    } as const;
    expect(drawn(mark)).toEqual([
      '<text x="5" y="9" font-size="11" font-family="system-ui, &quot;DejaVu Sans&quot;, sans-serif" fill="#1b2430">&quot;a&quot; &lt; b</text>',
    ]);
    const [text = ''] = drawn({ ...mark, font: 'bold', anchor: 'end', halo: true });
    expect(text).toContain(
      ' font-weight="600" text-anchor="end" fill="#1b2430" paint-order="stroke" stroke="#ffffffd9"',
    );
    expect(drawn({ ...mark, font: 'mono' })[0]).toContain('monospace');
  });

  test('leaves out what XML forbids, and what would turn other text around', () => {
    const mark = { type: 'text', x: 0, y: 0, text: '', size: 1, font: 'sans', ink: 'ink', anchor: 'start' } as const;
    const written = (text: string) => />([^<]*)<\/text>/.exec(drawn({ ...mark, text })[0] ?? '')?.[1];
    expect(written('a\u0000b\u001fc\ud800d\ufffee\uffff')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\ufffd');
    expect(written('\u202eff\u2069\u200fx\u061c\u0085')).toBe('\ufffdff\ufffd\ufffdx\ufffd\ufffd');
    expect(written('tab\tand \u{1f600} é')).toBe('tab\tand \u{1f600} é');
  });

  test('draws lines and badges', () => {
    const points = [
      [1, 2],
      [3.456, 4],
    ] as const;
    expect(drawn({ type: 'path', points, ink: 'grid', width: 1.5 })).toEqual([
      '<polyline points="1,2 3.46,4" fill="none" stroke="#d9dfe6" stroke-width="1.5"/>',
    ]);
    const badge = (ink?: 'alarm') => drawn({ type: 'badge', x: 50, y: 60, text: 'a', ...(ink ? { ink } : {}) })[0];
    expect(badge()).toContain('<rect x="43.5" y="53.5" width="13" height="13" rx="6.5" fill="#1b2430"/>');
    expect(badge()).toContain('<text x="50" y="63.5"');
    expect(badge('alarm')).toContain('rx="6.5" fill="#b3261e"/>');
  });
});
