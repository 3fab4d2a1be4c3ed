import { describe, expect, test } from 'vitest';
import { IOVA_SPACE } from '../../iova/iova.ts';
import { testFrame } from '../testing/frames.ts';
import { type Band, flags, labelledBands, listBands, type NumberedBand, placeBands, washes } from './bands.ts';
import { textWidth } from './text-metrics.ts';

const frame = testFrame();
/** The first address of a pixel of the plot. */
const at = (pixel: number) => (IOVA_SPACE * BigInt(pixel)) / 1000n;
const band = (number: number, from: number, to: number, ink: NumberedBand['ink'] = 'caution'): NumberedBand => ({
  ...{ number, start: at(from), last: at(to) - 1n, ink, message: `conflict ${number}` },
});
const placed = (...bands: readonly NumberedBand[]) => placeBands(frame, bands);

describe('numbered bands in the window', () => {
  test('have their pixels, from left to right by their middle, then by number', () => {
    const list = placed(band(1, 500, 600), band(2, 100, 200), band(4, 0, 300), band(3, 140, 160));
    expect(list.map(({ number }) => number)).toEqual([2, 3, 4, 1]);
    expect(list[3]?.x0).toBeCloseTo(500, 6);
    expect(list[3]?.x1).toBeCloseTo(600, 6);
  });

  test('those outside are left out', () => {
    const zoomed = testFrame(frame.scale, { start: at(0), last: at(500) } as never);
    expect(placeBands(zoomed, [band(1, 600, 700)])).toEqual([]);
  });
});

describe('washes', () => {
  test('go through the lanes with an edge on both sides; of a narrow band only one', () => {
    const marks = washes(frame, placed(band(1, 100, 200), band(2, 300, 302)), 50, 250);
    expect(marks.map(({ type }) => type)).toEqual(['wash', 'path', 'path', 'wash', 'path']);
    expect(marks[0]).toMatchObject({ y: 46, height: 204, ink: 'caution' });
    expect(marks[0]?.type === 'wash' && [marks[0].x, marks[0].width].map(Math.round)).toEqual([250, 100]);
    const edges = marks.flatMap((mark) =>
      mark.type === 'path' ? [mark.points.map(([x, y]) => [Math.round(x), y])] : [],
    );
    expect(edges).toEqual([
      [
        [250, 46],
        [250, 250],
      ],
      [
        [350, 46],
        [350, 250],
      ],
      [
        [450, 46],
        [450, 250],
      ],
    ]);
  });

  test('a note has edges only: grey over a range reads as unavailable', () => {
    const marks = washes(frame, placed(band(1, 100, 200, 'muted')), 50, 250);
    expect(marks.map(({ type }) => type)).toEqual(['path', 'path']);
  });

  test('a band of three pixels has two edges', () => {
    expect(washes(frame, placed(band(1, 300, 303)), 0, 9).filter(({ type }) => type === 'path')).toHaveLength(2);
  });

  test('equal ranges are washed once; of more than twelve, the rest has edges only', () => {
    expect(washes(frame, placed(band(1, 100, 200), band(2, 100, 200)), 0, 9)).toHaveLength(3);
    const many = Array.from({ length: 14 }, (_, i) => band(i + 1, i * 50, i * 50 + 10));
    const marks = washes(frame, placed(...many), 0, 9);
    expect([marks.filter(({ type }) => type === 'wash').length, marks.length]).toEqual([12, 12 + 28]);
  });
});

describe('flags', () => {
  const labels = (...bands: readonly NumberedBand[]) =>
    flags(frame, placed(...bands), 100).marks.map((mark) => (mark.type === 'badge' ? [mark.text, mark.ink] : []));

  test('are above the middle of their bands', () => {
    const { marks, flags: areas } = flags(frame, placed(band(3, 100, 200)), 100);
    expect(marks).toEqual([{ type: 'badge', x: expect.closeTo(300, 6), y: 109, text: '3', ink: 'caution' }]);
    const width = Math.max(13, textWidth('3', 10, 'bold') + 6);
    expect(areas).toEqual([{ x: expect.closeTo(300 - width / 2, 6), y: 101, width, height: 16, numbers: [3] }]);
  });

  test('those that would touch share one: runs as ranges, many with the last one', () => {
    expect(labels(band(1, 100, 110), band(2, 102, 112))).toEqual([['1–2', 'caution']]);
    expect(labels(band(1, 100, 110), band(3, 102, 112))).toEqual([['1, 3', 'caution']]);
    expect(labels(band(1, 100, 110), band(2, 101, 111), band(7, 104, 114))).toEqual([['1–2, 7', 'caution']]);
    expect(labels(band(1, 100, 110), band(3, 102, 112), band(7, 104, 114))).toEqual([['1, 3 … 7', 'caution']]);
    expect(labels(band(4, 100, 110), band(5, 102, 112), band(6, 104, 114))).toEqual([['4–6', 'caution']]);
  });

  test('three pixels between them are enough', () => {
    const width = Math.max(13, textWidth('1', 10, 'bold') + 6);
    const two = (distance: number) => {
      const list = placed(band(1, 100, 110), band(2, 102, 112));
      const [first, second] = list;
      if (!first || !second) throw new Error('no bands');
      return flags(frame, [first, { ...second, x0: first.x0 + distance, x1: first.x1 + distance }], 0).flags.length;
    };
    expect([two(width + 2.9), two(width + 3.1)]).toEqual([1, 2]);
  });

  test('a flag that has grown may meet the one before it', () => {
    // 1 has room beside 2, but not beside a flag "2–4" that stands further to the left.
    const list = [band(1, 100, 101), band(2, 119, 120), band(3, 121, 122), band(4, 123, 124)];
    expect(labels(...list)).toEqual([['1–4', 'caution']]);
  });

  test('a shared flag has the ink of the most important', () => {
    expect(labels(band(1, 100, 110, 'muted'), band(2, 102, 112, 'alarm'))).toEqual([['1–2', 'alarm']]);
    expect(labels(band(1, 100, 110, 'muted'), band(2, 102, 112, 'caution'))).toEqual([['1–2', 'caution']]);
    expect(labels(band(1, 100, 110, 'muted'), band(2, 102, 112, 'muted'))).toEqual([['1–2', 'muted']]);
  });

  test('several bands of one number are one number', () => {
    expect(flags(frame, placed(band(1, 100, 110), band(1, 102, 112)), 0).flags[0]?.numbers).toEqual([1]);
  });

  test('stay inside the plot', () => {
    const [left, right] = flags(frame, placed(band(1, 0, 1), band(2, 999, 1000)), 0).flags;
    expect(left?.x).toBe(150);
    expect((right?.x ?? 0) + (right?.width ?? 0)).toBeCloseTo(1150, 6);
  });
});

describe('labelled bands', () => {
  const labelled = (from: number, to: number, message = 'measured'): Band => ({
    ...{ start: at(from), last: at(to) - 1n, message, ink: 'alarm' },
  });

  test('are an outline without a tint, with the size below in their middle', () => {
    const { marks, bottom } = labelledBands(frame, [labelled(250, 500)], 50, 250);
    expect(marks.map(({ type }) => type)).toEqual(['outline', 'text']);
    const box = { x: expect.closeTo(398.5, 6), y: 48.5, width: expect.closeTo(253, 6), height: 203, ink: 'alarm' };
    expect(marks[0]).toEqual({ type: 'outline', ...box });
    const width = textWidth('measured · 4 EiB', 11, 'bold');
    expect(marks[1]).toMatchObject({
      ...{ size: 11, font: 'bold', ink: 'alarm', halo: true },
      text: 'measured · 4 EiB',
      y: 265,
      x: expect.closeTo(150 + 375 - width / 2, 6),
    });
    expect(bottom).toBe(265);
  });

  test('labels that would touch are on further lines; a free line is used again', () => {
    const { marks, bottom } = labelledBands(
      frame,
      [labelled(500, 520), labelled(510, 530), labelled(800, 820)],
      0,
      100,
    );
    expect(marks.flatMap((mark) => (mark.type === 'text' ? [mark.y] : []))).toEqual([115, 130, 115]);
    expect(bottom).toBe(130);
  });

  test('eight pixels between labels are enough', () => {
    const width = textWidth('measured · 32 PiB', 11, 'bold');
    const lines = (distance: number) => {
      const shift = BigInt(Math.round((distance / 1000) * 2 ** 20)) * (IOVA_SPACE >> 20n);
      const first = { start: at(300), last: at(300) + (1n << 55n) - 1n, message: 'measured', ink: 'alarm' } as const;
      const second = { ...first, start: first.start + shift, last: first.last + shift };
      return labelledBands(frame, [first, second], 0, 100).bottom;
    };
    expect([lines(width + 7.9), lines(width + 8.1)]).toEqual([130, 115]);
  });

  test('labels stay inside the plot', () => {
    const { marks } = labelledBands(frame, [labelled(0, 2), labelled(998, 1000)], 0, 100);
    const [left, right] = marks.flatMap((mark) => (mark.type === 'text' ? [mark] : []));
    expect(left?.x).toBe(150);
    expect((right?.x ?? 0) + textWidth(right?.text ?? '', 11, 'bold')).toBeCloseTo(1150, 6);
  });

  test('outside of the window they take no room', () => {
    const zoomed = testFrame(frame.scale, { start: at(0), last: at(500) } as never);
    expect(labelledBands(zoomed, [labelled(600, 700)], 0, 100)).toEqual({ marks: [], bottom: 100 });
  });
});

describe('the list of numbered bands', () => {
  test('has a line for each', () => {
    const { marks, bottom } = listBands(frame, [band(1, 0, 1, 'alarm'), band(2, 0, 1)], 100);
    expect(marks).toEqual([
      { type: 'badge', x: 22, y: 113, text: '1', ink: 'alarm' },
      expect.objectContaining({ x: 38, y: 117, text: 'conflict 1' }),
      { type: 'badge', x: 22, y: 130, text: '2', ink: 'caution' },
      expect.objectContaining({ x: 38, y: 134, text: 'conflict 2' }),
    ]);
    expect(bottom).toBe(140);
    expect(listBands(frame, [], 100)).toEqual({ marks: [], bottom: 100 });
  });
});

describe('the list of a file', () => {
  const listed = (width: number, detail: string) =>
    listBands({ ...frame, width }, [{ number: 1, ink: 'alarm', message: 'fatal: refused', detail }], 0).marks.flatMap(
      (mark) => (mark.type === 'text' ? [mark] : []),
    );

  test('a detail is beside its message, and below it where there is no room', () => {
    const [message, beside] = listed(800, 'EINVAL');
    expect([beside?.text, beside?.y]).toEqual(['EINVAL', message?.y]);
    expect(beside?.x).toBeGreaterThan((message?.x ?? 0) + textWidth('fatal: refused', 11));
    const [first, below] = listed(200, 'a detail that is as long as the picture is wide');
    expect(below?.x).toBe(first?.x);
    expect(below?.y).toBeGreaterThan(first?.y ?? 0);
  });

  test('what it does not have is counted', () => {
    const { marks, bottom } = listBands(frame, [], 100, 3);
    expect(marks).toMatchObject([{ type: 'text', text: 'and 3 more conflicts, not listed here' }]);
    expect(bottom).toBeGreaterThan(100);
  });
});
