import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Target } from '../../timeline/scene/mark.ts';
import { testLane, testSpace } from '../../timeline/testing/lanes.ts';
import { extreme, neighbour, nthOfLane, targetAt } from './lane-walk.ts';
import { lanesOf, laneTotal } from './picture.ts';

const r = (start: bigint, last: bigint) => ({ start, last });
/** Two rows; equal starts, and one range inside of another. */
const lane = testLane([[r(0n, 9n), r(20n, 29n), r(40n, 49n)], [r(20n, 24n), r(30n, 39n)], [r(20n, 29n)]]);
const inOrder = ['1:20-24', '0:20-29', '2:20-29'];
const name = (target: Target | undefined) => target && `${target.row}:${target.start}-${target.last}`;

/** Every range from the first, one after the other. */
function walk(of: typeof lane, direction: 'next' | 'previous'): (string | undefined)[] {
  const seen: (string | undefined)[] = [];
  for (let at = extreme(of, direction); at; at = neighbour(of, at, direction)) {
    seen.push(name(at));
    if (seen.length > 500) throw new Error('walks in a circle');
  }
  return seen;
}

describe('walking a lane', () => {
  test('visits every range once, by start, end and row', () => {
    const all = ['0:0-9', ...inOrder, '1:30-39', '0:40-49'];
    expect(walk(lane, 'next')).toEqual(all);
    expect(walk(lane, 'previous')).toEqual(all.toReversed());
  });

  test('goes on from a range that is not in it', () => {
    const from = { laneId: lane.id, row: 0, index: 0, count: 1, start: 10n, last: 12n };
    expect(name(neighbour(lane, from, 'next'))).toBe('1:20-24');
    expect(name(neighbour(lane, from, 'previous'))).toBe('0:0-9');
  });

  test('ends at the ends; an empty lane has none', () => {
    const [first, last] = [extreme(lane, 'next'), extreme(lane, 'previous')];
    expect(first && neighbour(lane, first, 'previous')).toBeUndefined();
    expect(last && neighbour(lane, last, 'next')).toBeUndefined();
    expect(extreme(testLane([[]]), 'next')).toBeUndefined();
    expect(extreme(testLane([[]]), 'previous')).toBeUndefined();
  });

  test('visits everything in any lane of disjoint rows', () => {
    const row = fc
      .uniqueArray(fc.bigInt(0n, 40n), { maxLength: 12 })
      .map((edges) => edges.sort((a, b) => Number(a - b)))
      .map((edges) => edges.flatMap((start, i) => (i % 2 === 0 ? [r(start, (edges[i + 1] ?? start + 1n) - 1n)] : [])));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 4 }), (rows) => {
        const any = testLane(rows);
        const seen = walk(any, 'next');
        expect(seen).toHaveLength(laneTotal(any));
        expect(new Set(seen).size).toBe(seen.length);
        expect(walk(any, 'previous')).toEqual(seen.toReversed());
      }),
    );
  });
});

describe('places in a lane', () => {
  test('the ranges of a lane are counted and numbered row by row', () => {
    expect(laneTotal(lane)).toBe(6);
    expect([0, 2, 3, 4, 5, 6].map((n) => name(nthOfLane(lane, n)))).toEqual([
      '0:0-9',
      '0:40-49',
      '1:20-24',
      '1:30-39',
      '2:20-29',
      undefined,
    ]);
  });

  test('a target has its place and its bounds', () => {
    expect(targetAt(lane, 1, 1)).toEqual({ laneId: lane.id, row: 1, index: 1, count: 1, start: 30n, last: 39n });
    expect([targetAt(lane, 1, 2), targetAt(lane, 3, 0), targetAt(lane, 0, -1)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('the lanes of all spaces, each with its space', () => {
    const [a, b] = [testSpace(lane), testSpace(lane, lane)];
    expect(lanesOf([a, b]).map(({ space }) => space)).toEqual([a, b, b]);
  });
});
