import { expect, test } from 'vitest';
import { linearScale } from '../axis/scale.ts';
import { fitAll } from '../axis/viewport.ts';
import { frameOf, plotLeft, plotWidth } from './layout.ts';

test('the names of the lanes take less of a narrow picture', () => {
  expect([360, 479, 480, 639, 640, 899, 900, 2000].map(plotLeft)).toEqual([92, 92, 106, 106, 130, 130, 150, 150]);
});

test('the plot is what is left, at least 80 pixels', () => {
  expect(plotWidth(1000)).toBe(1000 - 150 - 14);
  expect(plotWidth(186)).toBe(80);
  expect(plotWidth(187)).toBe(81);
  expect(plotWidth(100)).toBe(80);
});

test('a frame ends a margin after the plot', () => {
  const scale = linearScale();
  expect(frameOf(1000, scale, fitAll(scale, 836))).toMatchObject({ width: 1000, left: 150, right: 1000 });
});
