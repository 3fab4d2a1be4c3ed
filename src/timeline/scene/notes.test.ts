import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { testFrame } from '../testing/frames.ts';
import { Notes } from './notes.ts';

const frame = testFrame();
const at = (x: number, caption = 'MSI window') => ({ x, caption, range: range(0xfee00000n, 0xfeefffffn) });
const badges = (notes: Notes, xs: readonly number[], y = 100) =>
  notes
    .addRow(
      frame,
      'reserved',
      xs.map((x) => at(x)),
      y,
    )
    .flatMap((m) => (m.type === 'badge' ? [[m.text, m.x, m.y]] : []));

describe('letters', () => {
  test('are above their ranges, and go on from row to row', () => {
    const notes = new Notes();
    expect(badges(notes, [10, 100])).toEqual([
      ['a', 160, 98],
      ['b', 250, 98],
    ]);
    expect(badges(notes, [50], 200)).toEqual([['c', 200, 198]]);
  });

  test('that would touch share a badge in their middle', () => {
    expect(badges(new Notes(), [10, 20, 100])).toEqual([
      ['a–b', 165, 98],
      ['c', 250, 98],
    ]);
    expect(badges(new Notes(), [10, 27.9])).toEqual([['a–b', 150 + 18.95, 98]]);
    expect(badges(new Notes(), [10, 28])).toHaveLength(2);
  });

  test('three may share one; it is as wide as its text', () => {
    const [first, ...rest] = badges(new Notes(), [10, 20, 30, 58]);
    expect(first).toEqual(['a–c', 150 + 22.5, 98]);
    expect(rest).toEqual([['d', 208, 98]]);
  });

  test('help no more when there are too many: a row that would exceed 24 has none', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => i * 40);
    expect(badges(new Notes(), many(24))).toHaveLength(24);
    expect(badges(new Notes(), many(25))).toEqual([]);
    const notes = new Notes();
    badges(notes, many(20));
    expect(badges(notes, many(5))).toEqual([]);
    expect(badges(notes, many(4)).map(([text]) => text)).toEqual(['u', 'v', 'w', 'x']);
  });
});

describe('the list', () => {
  test('has a line for each letter', () => {
    const notes = new Notes();
    notes.addRow(frame, 'reserved', [at(10), at(100, '')], 100);
    const { marks, bottom } = notes.list(frame, 200);
    expect(marks).toEqual([
      { type: 'badge', x: 22, y: 213, text: 'a' },
      expect.objectContaining({ x: 38, y: 217, text: 'reserved: MSI window 0xfee0_0000 – 0xfeef_ffff, 1 MiB' }),
      { type: 'badge', x: 22, y: 230, text: 'b' },
      expect.objectContaining({ x: 38, y: 234, text: 'reserved: range 0xfee0_0000 – 0xfeef_ffff, 1 MiB' }),
    ]);
    expect(bottom).toBe(240);
  });

  test('takes no room if it is empty', () => {
    expect(new Notes().list(frame, 200)).toEqual({ marks: [], bottom: 200 });
  });
});
