import { describe, expect, test } from 'vitest';
import { foldScale, linearScale, logScale } from '../axis/scale.ts';
import { testFrame } from '../testing/frames.ts';
import { gridLines, ruler } from './ruler.ts';

const linear = testFrame(linearScale());

describe('the ruler', () => {
  test('has a label, a tick and a size at each tick', () => {
    const { marks, ticks } = ruler(linear, 34, false);
    const half = ticks.find(({ edge }) => edge === 1n << 63n);
    expect(half?.pixel).toBeCloseTo(500, 6);
    const at = marks.filter((mark) => mark.type === 'text' && Math.abs(mark.x - 650) < 1e-6);
    expect(at).toEqual([
      expect.objectContaining({ text: '0x8000_0000_0000_0000', y: 50, font: 'mono', anchor: 'middle' }),
      expect.objectContaining({ text: '8 EiB', y: 62, ink: 'muted' }),
    ]);
    expect(marks).toContainEqual({
      type: 'path',
      points: [
        [150, 66],
        [150, 70],
      ],
      ink: 'muted',
      width: 1,
    });
  });

  test('has a line as long as the plot', () => {
    const { marks } = ruler(linear, 34, false);
    expect(marks).toContainEqual({
      type: 'path',
      points: [
        [150, 70],
        [1150, 70],
      ],
      ink: 'muted',
      width: 1,
    });
  });

  test('leaves room below for address widths or the sizes of axis breaks', () => {
    const fold = testFrame(foldScale({ edges: [0x1000n], isOccupied: () => true }));
    expect([ruler(linear, 34, false).bottom, ruler(fold, 34, true).bottom, ruler(fold, 34, false).bottom]).toEqual([
      86, 86, 74,
    ]);
  });

  test('marks where address widths end', () => {
    const { marks } = ruler(testFrame(logScale()), 0, false);
    const texts = marks.flatMap((mark) => (mark.type === 'text' && mark.y === 48 ? [mark.text] : []));
    expect(texts).toEqual(['bits', '36', '39', '40', '46', '48', '52', '57']);
    const line48 = marks.find((mark) => mark.type === 'text' && mark.text === '48');
    const x = line48?.type === 'text' ? line48.x : 0;
    expect(marks).toContainEqual({
      type: 'path',
      points: [
        [x, 36],
        [x, 39],
      ],
      ink: 'muted',
      width: 1,
    });
  });
});

test('grid lines go through the lanes at the ticks', () => {
  const { ticks } = ruler(linear, 34, false);
  const lines = gridLines(linear, ticks, 100, 300);
  expect(lines).toHaveLength(ticks.length);
  expect(lines[0]).toEqual({
    type: 'path',
    points: [
      [150, 96],
      [150, 300],
    ],
    ink: 'grid',
    width: 1,
  });
});
