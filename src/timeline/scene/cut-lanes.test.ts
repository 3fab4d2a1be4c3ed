import { describe, expect, test } from 'vitest';
import type { LaneSlice } from '../axis/slice.ts';
import { laneSlice, testFrame } from '../testing/frames.ts';
import { testLane } from '../testing/lanes.ts';
import { cutLanes } from './cut-lanes.ts';

const frame = testFrame();
const RANGE = { start: 0xfee00000n, last: 0xfeefffffn };
const lane = (id: string, rows = 1): LaneSlice => ({
  ...laneSlice(
    frame,
    testLane(
      Array.from({ length: rows }, () => [RANGE]),
      'reserved',
      id,
    ),
  ),
  title: id,
  ...(rows > 1 ? { expandable: true, expanded: true } : {}),
});
const space = (id: string, ...lanes: readonly LaneSlice[]) => ({ id, title: id, subtitle: '', lanes });

describe('lanes for a file', () => {
  test('are all of them if nothing else is asked for', () => {
    const spaces = [space('a', lane('one'), lane('two', 30))];
    expect(cutLanes(spaces, 100, undefined)).toEqual({ spaces, leftOut: [] });
  });

  test('of a very long lane are the first rows, and it is said how many are missing', () => {
    const { spaces, leftOut } = cutLanes([space('a', lane('reserved', 400))], 100, undefined, 120);
    expect(spaces[0]?.lanes[0]?.rows).toHaveLength(120);
    expect(leftOut).toEqual(['reserved: 280 of 400 rows']);
  });

  test('that are not seen are left out by name, with the rows of those that are seen in part', () => {
    // The first lane is 50 high and begins at 100, the rows of the second at 177, each 24 apart.
    const { spaces, leftOut } = cutLanes([space('a', lane('first'), lane('second', 30), lane('third'))], 100, {
      top: 200,
      bottom: 300,
    });
    expect(spaces[0]?.lanes.map(({ id, rows }) => [id, rows.length])).toEqual([['second', 5]]);
    expect(leftOut).toEqual(['first', 'second: 25 of 30 rows', 'third']);
  });

  test('of several spaces are named with their space', () => {
    const spaces = [space('a', lane('one')), space('b', lane('two'))];
    const { spaces: kept, leftOut } = cutLanes(spaces, 0, { top: 0, bottom: 80 });
    expect([kept.map(({ id }) => id), leftOut]).toEqual([['a'], ['b: two']]);
  });
});
