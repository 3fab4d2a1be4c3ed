import { describe, expect, test } from 'vitest';
import { IOVA_SPACE } from '../../iova/iova.ts';
import type { SpaceSlice } from '../axis/slice.ts';
import { laneSlice, testFrame, WIDTH } from '../testing/frames.ts';
import { testLane } from '../testing/lanes.ts';
import { drawLanes, type LanesDrawing, type LanesInput } from './lanes.ts';
import type { Mark } from './mark.ts';
import { Notes } from './notes.ts';

const frame = testFrame();
const at = (pixel: number) => (IOVA_SPACE * BigInt(pixel)) / 1000n;
const RANGE = { start: at(100), last: at(300) - 1n, caption: 'MSI window' };

function draw(spaces: readonly SpaceSlice[], more: Partial<LanesInput> = {}) {
  const drawing: LanesDrawing = { marks: [], topMarks: [], hits: [], heads: [], styles: new Set() };
  const input = { spaces, axisBreaks: [], selected: undefined, hasTwisties: true, ...more };
  return { ...drawing, bottom: drawLanes(frame, input, new Notes(), drawing, 100) };
}

const spaceOf = (lanes: SpaceSlice['lanes'], title = 'space'): SpaceSlice => ({
  id: title,
  title,
  subtitle: 's',
  lanes,
});
const reserved = (rows = [[RANGE]]) => laneSlice(frame, testLane(rows));
const texts = (marks: readonly Mark[]) => marks.flatMap((m) => (m.type === 'text' ? [[m.text, m.x, m.y]] : []));

describe('a lane', () => {
  test('has its name at the left, its rows at its height, and a line below', () => {
    const { marks, heads, bottom, hits, styles } = draw([spaceOf([{ ...reserved(), subtitle: 'group 1' }])]);
    expect(texts(marks)).toEqual([
      ['MSI window', expect.closeTo(350, 6), 122],
      [expect.stringContaining('EiB'), expect.closeTo(350, 6), 135],
      ['reserved', 14, 119],
      ['group 1', 14, 133],
    ]);
    // Padding of 9 above and below a row of 32.
    expect(bottom).toBe(150);
    expect(heads).toEqual([{ laneId: 's#reserved', y: 100, height: 50, expandable: false, expanded: false }]);
    expect(marks.at(-1)).toEqual({
      type: 'path',
      points: [
        [14, 150],
        [1150, 150],
      ],
      ink: 'hairline',
      width: 1,
    });
    expect(hits[0]).toMatchObject({ y: 109, height: 32, target: { laneId: 's#reserved', row: 0 } });
    expect([...styles]).toEqual(['msi']);
  });

  test('has room for its name, and the height of a row if it is empty', () => {
    const low = laneSlice(frame, testLane([[RANGE]], 'holes'));
    expect(draw([spaceOf([low])]).bottom).toBe(140);
    expect(draw([spaceOf([{ ...reserved([]), rows: [] }])]).bottom).toBe(150);
  });

  test('rows are four pixels apart', () => {
    const { hits, bottom } = draw([spaceOf([reserved([[RANGE], [RANGE]])])]);
    expect(hits.map(({ y, target }) => [y, target.row])).toEqual([
      [109, 0],
      [145, 1],
    ]);
    expect(bottom).toBe(186);
  });

  test('that can be expanded has a twisty, except in a file', () => {
    const lane = { ...reserved(), expandable: true };
    const twisty = (marks: readonly Mark[]) => marks.filter((m) => m.type === 'path' && m.width === 1.5);
    const closed = draw([spaceOf([lane])]);
    expect(twisty(closed.marks)).toEqual([
      {
        type: 'path',
        points: [
          [16, 111],
          [20, 115],
          [16, 119],
        ],
        ink: 'muted',
        width: 1.5,
      },
    ]);
    expect(texts(closed.marks)).toContainEqual(['reserved', 27, 119]);
    const file = draw([spaceOf([lane])], { hasTwisties: false });
    expect(twisty(file.marks)).toEqual([]);
    expect(texts(file.marks)).toContainEqual(['reserved', 14, 119]);
  });

  test('expanded has its title above the rows, and names at the rows', () => {
    const row = {
      ...reserved().rows[0],
      title: 'group 1',
      note: 'a device',
    } as SpaceSlice['lanes'][number]['rows'][number];
    const lane = { ...reserved(), subtitle: 'groups 1, 2', expandable: true, expanded: true, rows: [row] };
    const { marks, hits, heads, bottom } = draw([spaceOf([lane])]);
    expect(hits[0]?.y).toBe(127);
    expect(texts(marks)).toContainEqual(['group 1', 26, 142]);
    expect(texts(marks)).toContainEqual(['a device', 26, 154]);
    expect(texts(marks).some(([text]) => text === 'groups 1, 2')).toBe(false);
    expect(marks).toContainEqual({
      type: 'path',
      points: [
        [14, 113],
        [18, 117],
        [22, 113],
      ],
      ink: 'muted',
      width: 1.5,
    });
    expect([heads[0]?.expanded, bottom]).toEqual([true, 168]);
    const { note: _, ...untitled } = row;
    const plain = draw([spaceOf([{ ...lane, rows: [untitled] }])]);
    expect(texts(plain.marks)).toContainEqual(['group 1', 26, 147]);
  });

  test('outlines the selected range in its own lane only', () => {
    const outlines = (laneId: string) =>
      draw([spaceOf([reserved()])], { selected: { laneId, start: RANGE.start, last: RANGE.last } }).marks.filter(
        ({ type }) => type === 'outline',
      );
    expect(outlines('s#reserved')).toHaveLength(1);
    expect(outlines('s#other')).toEqual([]);
  });

  test('narrow ranges get letters if the kind has them; merged ones do not', () => {
    const narrow = [
      { start: at(100), last: at(102) - 1n, caption: 'a long caption' },
      { start: at(103), last: at(300) - 1n, caption: 'b' },
    ];
    const letters = (kind: 'reserved' | 'mappings', ranges = narrow) =>
      draw([spaceOf([laneSlice(frame, testLane([ranges], kind))])]).topMarks.map((m) => m.type === 'badge' && m.text);
    expect(letters('reserved')).toEqual(['a']);
    expect(letters('mappings')).toEqual([]);
    const merged = [1n, 3n, 5n].map((i) => ({ start: at(100) + i, last: at(100) + i, caption: 'x' }));
    expect(letters('reserved', [...merged, { start: at(103), last: at(300), caption: 'b' }])).toEqual([]);
  });
});

describe('several spaces', () => {
  test('have a heading each, drawn on top', () => {
    const { topMarks, heads, bottom } = draw([spaceOf([reserved()], 'first'), spaceOf([reserved()], 'second')]);
    expect(topMarks.filter(({ type }) => type === 'fill')).toEqual([
      { type: 'fill', x: 0, y: 108, width: WIDTH, height: 22, ink: 'strip' },
      { type: 'fill', x: 0, y: 192, width: WIDTH, height: 22, ink: 'strip' },
    ]);
    expect(texts(topMarks).map(([text, , y]) => [text, y])).toEqual([
      ['first', 123],
      ['s', 123],
      ['second', 207],
      ['s', 207],
    ]);
    expect(heads.map(({ y }) => y)).toEqual([134, 218]);
    expect(bottom).toBe(268);
  });

  test('a single one has none, and a heading without subtitle has only its title', () => {
    expect(draw([spaceOf([reserved()])]).topMarks).toEqual([]);
    const two = [{ ...spaceOf([]), subtitle: '' }, spaceOf([])];
    expect(texts(draw(two).topMarks).map(([text]) => text)).toEqual(['space', 'space', 's']);
  });
});

describe('a long lane', () => {
  const rows = Array.from({ length: 400 }, () => [RANGE]);
  const long = { ...reserved(rows), expandable: true, expanded: true };

  test('has low rows, and is drawn only where it is seen', () => {
    const { hits, heads, bottom } = draw([spaceOf([long])], { seen: { top: 2000, bottom: 2480 } });
    expect(hits.map(({ target }) => target.row)).toEqual(Array.from({ length: 21 }, (_, i) => 78 + i));
    expect(new Set(hits.map(({ height }) => height))).toEqual(new Set([20]));
    for (const { y, height } of hits) expect(y + height > 2000 && y < 2480).toBe(true);
    expect(bottom).toBe(100 + 9 + 18 + 400 * 24 - 4 + 9);
    expect(heads[0]?.height).toBe(bottom - 100);
  });

  test('has the same legend and height wherever it is scrolled to', () => {
    const special = [...rows.slice(1), [{ ...RANGE, style: 'direct' as const }]];
    const lane = { ...reserved(special), expandable: true, expanded: true };
    const at = (top: number) => draw([spaceOf([lane])], { seen: { top, bottom: top + 300 } });
    expect([...at(0).styles].toSorted()).toEqual(['direct', 'msi']);
    expect([...at(9000).styles].toSorted()).toEqual(['direct', 'msi']);
    expect(at(0).bottom).toBe(at(9000).bottom);
  });
});
