import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { Lane } from '../../timeline/lanes/lane.ts';
import { testLane } from '../../timeline/testing/lanes.ts';
import { sessionDocument } from '../testing/documents.ts';
import { Picture } from './picture.ts';
import { boundsIn, describeRange, locate, rangeTable, stepFrom } from './ranges.ts';
import type { PictureSpace } from './spaces.ts';

const r = (start: bigint, last: bigint, caption = 'c') => ({ start, last, caption });
const RESERVED = testLane([[r(0x1000n, 0x1fffn, 'a'), r(0x3000n, 0x3fffn, 'b')]], 'reserved', 'd#reserved');
const EMPTY = testLane([[]], 'doorbells', 'd#doorbells');
const USABLE = testLane([[r(0n, 0xffffn, 'u')]], 'usable', 'd#usable');

const spaceOf = (lanes: readonly Lane[], more: Partial<PictureSpace> = {}): PictureSpace => ({
  ...{ id: 'd', title: 'space', subtitle: '', kind: 'host', answers: undefined, lanes },
  ...more,
});
const pictureOf = (spaces: readonly PictureSpace[]) => new Picture(3, spaces, { scale: 'linear' }, []);
const picture = pictureOf([spaceOf([RESERVED, EMPTY, USABLE])]);
const target = (laneId: string, index: number) => ({ laneId, row: 0, index, count: 1, start: 0n, last: 0n });
const caption = (found: { readonly laneId: string; readonly start: bigint } | null) =>
  found && `${found.laneId} ${found.start}`;

describe('an arrangement', () => {
  test('has the lanes of each space with their numbers of ranges', () => {
    expect(picture.arrangement).toMatchObject({
      revision: 3,
      total: 3,
      spaces: [
        {
          id: 'd',
          title: 'space',
          lanes: [
            { id: 'd#reserved', title: 'reserved', total: 2 },
            { id: 'd#doorbells', total: 0 },
            { id: 'd#usable', total: 1 },
          ],
        },
      ],
    });
  });

  test('is titled after its space, or after how many there are', () => {
    const title = (...spaces: readonly PictureSpace[]) => pictureOf(spaces).arrangement.title;
    expect(title()).toBe('nothing selected');
    expect(title(spaceOf([]))).toBe('space');
    expect(title(spaceOf([], { subtitle: 'shared' }))).toBe('space, shared');
    expect(title(spaceOf([]), spaceOf([]))).toBe('2 address spaces');
  });

  test('names the sources that gave something', async () => {
    const document = await sessionDocument('d', [{ kind: 'host', name: 'x' }]);
    const silent = await sessionDocument('e', [{ kind: 'diagnostic', severity: 'info', code: 'x', message: 'y' }]);
    const operations = await sessionDocument('f', [{ op: 'ioas.alloc', ioas: 'a' }]);
    const { sources } = new Picture(1, [], { scale: 'log' }, [document, silent, operations]).arrangement;
    expect(sources).toEqual(['d.jsonl', 'f.jsonl']);
  });

  test('has the scale that was asked for; the fold keeps ranges visible', () => {
    const scale = (kind: 'fold' | 'log' | 'linear') =>
      new Picture(
        1,
        [spaceOf([RESERVED])],
        { scale: kind, keepVisible: [{ start: 0x9000n, last: 0x9fffn } as never] },
        [],
      ).arrangement.scale;
    expect([scale('log').kind, scale('linear').kind]).toEqual(['log', 'linear']);
    expect(scale('fold').segments.map(({ start }) => start)).toContain(0x9000n);
  });
});

describe('ranges', () => {
  test('are described with their neighbors and the bytes between', () => {
    expect(describeRange(picture, target('d#reserved', 0))).toMatchObject({
      laneTitle: 'reserved',
      spaceTitle: 'space',
      style: 'msi',
      title: 'title a',
      values: {},
      before: undefined,
      after: { caption: 'title b', distance: 0x1000n, target: { start: 0x3000n } },
    });
    expect(describeRange(picture, target('d#reserved', 1))).toMatchObject({
      before: { caption: 'title a', distance: 0x1000n },
    });
    const touching = pictureOf([spaceOf([testLane([[r(0n, 9n), r(10n, 19n)], [r(5n, 12n)]], 'reserved', 'x')])]);
    expect(describeRange(touching, target('x', 0))?.after?.distance).toBe(0n);
  });

  test('that are not in the picture have no description', () => {
    expect(describeRange(picture, target('d#reserved', 2))).toBeUndefined();
    expect(describeRange(picture, target('gone', 0))).toBeUndefined();
  });

  test('are in a table, page by page', () => {
    const rows = (offset: number, limit: number) =>
      rangeTable(picture, { offset, limit }).rows.map(({ caption }) => caption);
    expect([rows(0, 10), rows(1, 1), rows(2, 5), rows(3, 5)]).toEqual([
      ['title a', 'title b', 'title u'],
      ['title b'],
      ['title u'],
      [],
    ]);
    expect(rangeTable(picture, { offset: 0, limit: 0 }).total).toBe(3);
    expect(rangeTable(picture, { offset: 0, limit: 1 }).rows[0]).toMatchObject({
      space: 'space',
      lane: 'reserved',
      source: '',
    });
  });

  test('name where they were read: the first place, and how many more', () => {
    const lane = (provenance: readonly { source: string; line?: number }[]): Lane => ({
      ...RESERVED,
      describe: () => ({
        title: 't',
        sentence: '',
        parts: [{ owner: 'o', range: { start: 0n, last: 0n } as never, provenance }],
      }),
    });
    const source = (...places: readonly { source: string; line?: number }[]) =>
      rangeTable(pictureOf([spaceOf([lane(places)])]), { offset: 0, limit: 1 }).rows[0]?.source;
    expect(source({ source: 'x', line: 3 })).toBe('x:3');
    expect(source({ source: 'x' })).toBe('x');
    expect(source({ source: 'x', line: 3 }, { source: 'y' }, { source: 'z' })).toBe('x:3 and 2 more');
  });
});

describe('stepping', () => {
  const step = (from: string | undefined, index: number, direction: 'next' | 'previous', of = picture) => {
    const at = from === undefined ? undefined : describeRange(of, target(from, index))?.target;
    return caption(stepFrom(of, { ...(at ? { from: at } : {}), direction }));
  };

  test('goes from range to range, over empty lanes, and around', () => {
    expect(step(undefined, 0, 'next')).toBe('d#reserved 4096');
    expect(step('d#reserved', 0, 'next')).toBe('d#reserved 12288');
    expect(step('d#reserved', 1, 'next')).toBe('d#usable 0');
    expect(step('d#usable', 0, 'next')).toBe('d#reserved 4096');
    expect(step(undefined, 0, 'previous')).toBe('d#usable 0');
    expect(step('d#usable', 0, 'previous')).toBe('d#reserved 12288');
    expect(step('d#reserved', 0, 'previous')).toBe('d#usable 0');
  });

  test('of a single range leads back to it; of nothing to nothing', () => {
    const one = pictureOf([spaceOf([USABLE])]);
    expect(step('d#usable', 0, 'next', one)).toBe('d#usable 0');
    expect(step('d#usable', 0, 'previous', one)).toBe('d#usable 0');
    expect(stepFrom(pictureOf([]), { direction: 'next' })).toBeNull();
    expect(stepFrom(pictureOf([spaceOf([EMPTY])]), { direction: 'previous' })).toBeNull();
  });
});

describe('facts', () => {
  const lines = [
    { kind: 'reserved', start: '0x1000', last: '0x1fff', type: 'msi', group: '1' },
    { kind: 'msi_message', device: 'x', address: '0x3010' },
    { kind: 'reserved', start: '0x9000', last: '0x9fff', type: 'msi', group: '1' },
    { kind: 'host', name: 'x' },
    { op: 'ioas.alloc', ioas: 'a' },
    { kind: 'reserved', start: '0x1800', last: '0x2000', type: 'msi', group: '1' },
    { kind: 'reserved', start: '0x3000', last: '0x3ffe', type: 'msi', group: '1' },
  ];

  test('are shown by the very same range, else by the first that holds them and is no background', async () => {
    const document = await sessionDocument('d', lines);
    const at = (position: number, of = picture) => caption(locate(of, document, position));
    expect([1, 2, 3, 4, 5, 6, 7, 8, 0].map((position) => at(position))).toEqual([
      'd#reserved 4096',
      'd#reserved 12288',
      null,
      null,
      null,
      null,
      'd#reserved 12288',
      null,
      null,
    ]);
    const exact = testLane([[r(0x3000n, 0x3ffen)]], 'usable', 'd#usable');
    expect(at(7, pictureOf([spaceOf([RESERVED, exact])]))).toBe('d#usable 12288');
    expect(at(1, pictureOf([spaceOf([RESERVED], { id: 'other' })]))).toBeNull();
  });
});

describe('bounds', () => {
  const bounds = (start: bigint, last: bigint, limit = 10) =>
    boundsIn(picture, { start, last, limit }).lines.map(({ what, start }) => [what, start]);

  test('are those of all ranges in the window', () => {
    expect(bounds(0x1fffn, 0x3000n)).toEqual([
      ['reserved: title a', 0x1000n],
      ['reserved: title b', 0x3000n],
      ['usable: title u', 0n],
    ]);
    expect(bounds(0x2000n, 0x2fffn)).toEqual([['usable: title u', 0n]]);
    expect(bounds(0x10000n, 0x20000n)).toEqual([]);
  });

  test('are not more than asked for', () => {
    expect(bounds(0n, 0xffffn, 1)).toHaveLength(1);
    expect(bounds(0n, 0xffffn, 0)).toEqual([]);
  });

  test('are counted, also those that are not listed', () => {
    const whole = boundsIn(picture, { start: 0n, last: IOVA_MAX, limit: 1 });
    expect(whole.total).toBe(bounds(0n, IOVA_MAX, 100).length);
    expect(boundsIn(picture, { start: 0x1fffn, last: 0x3000n, limit: 0 }).total).toBe(3);
    expect(boundsIn(picture, { start: 0x1fffn, last: 0x2fffn, limit: 0 }).total).toBe(2);
  });

  test('do not repeat the title of a lane', () => {
    const lane: Lane = { ...USABLE, describe: () => ({ title: 'usable', sentence: '', parts: [] }) };
    expect(boundsIn(pictureOf([spaceOf([lane])]), { start: 0n, last: 9n, limit: 1 }).lines[0]?.what).toBe('usable');
  });
});
