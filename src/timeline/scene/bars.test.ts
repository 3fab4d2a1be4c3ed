import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { rowSlice, testFrame } from '../testing/frames.ts';
import { type TestRange, testLane } from '../testing/lanes.ts';
import { arrowMarks, barLabels, barMark, barsIn, labelMarks, selectionOutlines, shapesOf } from './bars.ts';

const frame = testFrame();
/** The first address of a pixel of the plot. */
const at = (pixel: number) => (IOVA_SPACE * BigInt(Math.round(pixel * 100))) / 100_000n;
const bars = (ranges: readonly TestRange[], shown = frame) => barsIn(shown, rowSlice(shown, testLane([ranges])));
const box = (from: number, to: number, more: Partial<TestRange> = {}): TestRange => ({
  ...{ start: at(from), last: at(to) - 1n, ...more },
});

describe('bars', () => {
  test('have the pixels, style and caption of their range', () => {
    expect(bars([box(100, 200, { style: 'direct', caption: 'RMRR' })])).toEqual([
      {
        x0: expect.closeTo(100, 6),
        x1: expect.closeTo(200, 6),
        range: { start: at(100), last: at(200) - 1n },
        style: 'direct',
        count: 1,
        index: 0,
        caption: 'RMRR',
      },
    ]);
  });

  test('ranges outside of the window have none; indices are those of the row', () => {
    const zoomed = testFrame(frame.scale, range(at(400), at(600)));
    expect(bars([box(0, 10), box(420, 430), box(900, 910)], zoomed).map(({ index }) => index)).toEqual([1]);
  });

  test('a merged bar covers all of its ranges and has no caption', () => {
    const tiny = [0.1, 0.3, 0.5].map((x) => box(500 + x, 500.1 + x));
    const [bar] = bars(tiny);
    expect(bar).toMatchObject({ count: 3, index: 0, caption: '', range: { start: at(500.1), last: at(500.6) - 1n } });
  });
});

describe('labels', () => {
  const labels = (ranges: readonly TestRange[], height = 32) =>
    barLabels(bars(ranges), [], height).map((label) => (label.place === 'text' ? label.lines : label.place));

  test('are caption and size; in a low row on one line', () => {
    expect(labels([box(0, 500, { caption: 'MSI window' })])).toEqual([['MSI window', '8 EiB']]);
    expect(labels([box(0, 500, { caption: 'MSI window' })], 29)).toEqual([['MSI window · 8 EiB']]);
    expect(labels([box(0, 500, { caption: 'MSI window' })], 30)).toEqual([['MSI window', '8 EiB']]);
  });

  test('without a caption the size alone; of an unknown range no size', () => {
    expect(labels([box(0, 500, { caption: '' })])).toEqual([['8 EiB']]);
    expect(labels([box(0, 1000, { caption: 'unknown', style: 'unknown' })])).toEqual([['unknown']]);
  });

  test('a merged bar is too narrow for a label', () => {
    const tiny = (x: number) => [box(x + 0.1, x + 0.2), box(x + 0.3, x + 0.4)];
    expect(labels(tiny(500))).toEqual(['letter']);
    expect(labels([box(100, 498, { caption: 'MSI' }), ...tiny(500)])[1]).toBe('letter');
    expect(labels([box(100, 300, { caption: 'MSI' }), ...tiny(500)])[0]).toEqual(['MSI', expect.any(String)]);
  });

  test('a single bar keeps its label among others', () => {
    const two = labels([box(100, 300, { caption: 'A' }), box(300, 500, { caption: 'B' })]);
    expect(two.map((lines) => lines[0])).toEqual(['A', 'B']);
  });

  test('a number is never shortened', () => {
    // No room for "3.68 PiB" or beside it: a letter.
    expect(labels([box(500, 510, { caption: '' }), box(510, 1000)])[0]).toBe('letter');
  });
});

describe('marks', () => {
  const [bar] = bars([box(100, 200, { caption: 'MSI window' })]);
  if (!bar) throw new Error('no bar');

  test('a bar has a title with its bounds', () => {
    expect(barMark(frame, bar, 60, 32)).toEqual({
      type: 'bar',
      x: expect.closeTo(250, 6),
      y: 60,
      width: expect.closeTo(100, 6),
      height: 32,
      style: 'msi',
      title: expect.stringMatching(/^MSI window: 0x\S+ – 0x\S+, ≈ 1\.6 EiB$/),
      openLeft: false,
      openRight: false,
    });
  });

  test('the title of a bar without a caption is its style, of a merged one its number', () => {
    const title = (more: Partial<typeof bar>) => {
      const mark = barMark(frame, { ...bar, ...more }, 0, 9);
      return mark.type === 'bar' && mark.title?.split(':')[0];
    };
    expect([title({ caption: '' }), title({ count: 3 })]).toEqual(['MSI window', '3 ranges']);
  });

  test('a bar is open on the sides where it goes on', () => {
    const zoomed = testFrame(frame.scale, range(at(400), at(600) - 1n));
    const open = (from: number, to: number) => {
      const [found] = bars([box(from, to)], zoomed);
      const mark = found && barMark(zoomed, found, 0, 9);
      return mark?.type === 'bar' && [mark.openLeft, mark.openRight];
    };
    expect(open(300, 500)).toEqual([true, false]);
    expect(open(500, 700)).toEqual([false, true]);
    expect(open(400, 600)).toEqual([false, false]);
    expect(open(0, 1000)).toEqual([true, true]);
  });

  test('an arrow points up at the middle', () => {
    const inks = arrowMarks(frame, { x0: 99, x1: 101 }, 60, 26, 'cursor').map((mark) => 'ink' in mark && mark.ink);
    expect(inks).toEqual(['accent', 'accent']);
    expect(arrowMarks(frame, { x0: 99, x1: 101 }, 60, 26)).toEqual([
      {
        type: 'path',
        points: [
          [250, 66],
          [250, 86],
        ],
        ink: 'alarm',
        width: 2,
      },
      {
        type: 'path',
        points: [
          [246, 73],
          [250, 66],
          [254, 73],
        ],
        ink: 'alarm',
        width: 2,
      },
    ]);
  });

  test('every bar can be hit, as what it is', () => {
    const where = { laneId: 's#reserved', row: 2 };
    const { marks, hits } = shapesOf(frame, [bar], where, { shape: 'bar', height: 32 }, 60);
    expect(marks).toEqual([barMark(frame, bar, 60, 32)]);
    expect(hits).toEqual([
      {
        x: expect.closeTo(250, 6),
        y: 60,
        width: expect.closeTo(100, 6),
        height: 32,
        style: 'msi',
        target: { laneId: 's#reserved', row: 2, index: 0, count: 1, start: bar.range.start, last: bar.range.last },
      },
    ]);
    const arrows = shapesOf(frame, [bar], where, { shape: 'arrow', height: 32 }, 60);
    expect(arrows.marks.map(({ type }) => type)).toEqual(['path', 'path']);
    expect(arrows.hits).toEqual(hits);
  });

  test('labels are in the middle of the row, or on two lines around it', () => {
    const text = (lines: readonly string[]) =>
      labelMarks(
        frame,
        [
          { place: 'text', x: 20, lines },
          { place: 'letter', x: 9 },
        ],
        60,
        32,
      );
    expect(text(['one'])).toEqual([
      expect.objectContaining({ x: 170, y: 80, text: 'one', size: 12, anchor: 'middle', halo: true, ink: 'ink' }),
    ]);
    expect(text(['one', 'two'])).toEqual([
      expect.objectContaining({ y: 73, text: 'one', size: 12 }),
      expect.objectContaining({ y: 86, text: 'two', size: 11, ink: 'muted' }),
    ]);
  });

  test('the selected range is outlined, no other', () => {
    const outline = (start: bigint, last: bigint) => selectionOutlines(frame, [bar], { start, last }, 60, 32);
    expect(outline(at(100), at(200) - 1n)).toEqual([
      { type: 'outline', x: expect.closeTo(248, 6), y: 58, width: expect.closeTo(104, 6), height: 36, ink: 'accent' },
    ]);
    expect(outline(at(100), at(200))).toEqual([]);
    expect(outline(at(101), at(200) - 1n)).toEqual([]);
    expect(bars([{ start: 0n, last: IOVA_MAX }])).toHaveLength(1);
  });
});
