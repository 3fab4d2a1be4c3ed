import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LABEL_SIZE, type LabelRequest, placeLabels } from './labels.ts';
import { shorten, textWidth } from './text-metrics.ts';

const WIDTH = 1000;

const bars: fc.Arbitrary<LabelRequest[]> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 300 }), fc.string({ maxLength: 24 })), {
    maxLength: 14,
  })
  .map((parts) => {
    let x = 0;
    const out: LabelRequest[] = [];
    for (const [gap, width, title] of parts) {
      const x0 = x + gap;
      const x1 = Math.min(WIDTH, x0 + width);
      if (x0 >= WIDTH) break;
      out.push({ x0, x1, title, detail: '1 MiB' });
      x = x1;
    }
    return out;
  });
const axisBreaks = fc
  .uniqueArray(fc.integer({ min: 5, max: WIDTH - 5 }), { maxLength: 5 })
  .map((list) => list.sort((a, b) => a - b));

describe('placeLabels', () => {
  test('no label overlaps another, a foreign bar or an axis break, nor leaves the plot', () => {
    fc.assert(
      fc.property(bars, axisBreaks, fc.boolean(), (list, axisBreaks, twoLines) => {
        const placed = placeLabels(list, axisBreaks, WIDTH, twoLines);
        expect(placed).toHaveLength(list.length);
        const boxes = placed.flatMap((label, i) => {
          if (label.place === 'number') return [];
          const width = Math.max(...label.lines.map((line) => textWidth(line, LABEL_SIZE)));
          const x0 = label.anchor === 'start' ? label.x : label.x - width / 2;
          return [{ i, x0, x1: x0 + width }];
        });
        for (const box of boxes) {
          if (box.x0 === box.x1) continue;
          expect(box.x0).toBeGreaterThanOrEqual(0);
          expect(box.x1).toBeLessThanOrEqual(WIDTH);
          for (const axisBreak of axisBreaks) expect(axisBreak > box.x0 - 2 && axisBreak < box.x1 + 2).toBe(false);
          for (const [k, bar] of list.entries()) {
            if (k !== box.i) expect(box.x0 < bar.x1 && bar.x0 < box.x1).toBe(false);
          }
          for (const other of boxes) {
            if (other.i !== box.i) expect(box.x0 < other.x1 && other.x0 < box.x1).toBe(false);
          }
        }
      }),
    );
  });

  test('prefers both lines inside, then less, then beside, then a number', () => {
    const one = (x0: number, x1: number, next?: number) => {
      const rest = next === undefined ? [] : [{ x0: next, x1: WIDTH, title: '', detail: '' }];
      return placeLabels([{ x0, x1, title: 'MSI window', detail: '1 MiB' }, ...rest], [], WIDTH, true)[0];
    };
    expect(one(100, 300)).toEqual({ place: 'text', x: 200, anchor: 'middle', lines: ['MSI window', '1 MiB'] });
    expect(one(100, 150, 150)).toEqual({ place: 'text', x: 125, anchor: 'middle', lines: ['1 MiB'] });
    expect(one(100, 102)).toEqual({ place: 'text', x: 107, anchor: 'start', lines: ['MSI window · 1 MiB'] });
    expect(one(100, 102, 110)).toEqual({ place: 'number', x: 101 });
    const tight = { x0: 100, x1: 150, title: '15.9 EiB and more', detail: '' };
    const next = { x0: 150, x1: WIDTH, title: '', detail: '' };
    expect(placeLabels([tight, next], [], WIDTH, false)[0]).toMatchObject({ place: 'text', lines: ['15.9…'] });
    expect(placeLabels([{ ...tight, isNumber: true }, next], [], WIDTH, false)[0]?.place).toBe('number');
  });
});

describe('shorten', () => {
  test('never exceeds the width and keeps a beginning of the text', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 300 }), (text, width) => {
        const short = shorten(text, width, 11);
        if (short !== '') expect(textWidth(short, 11)).toBeLessThanOrEqual(width);
        if (short !== '' && short !== text) expect(text.startsWith(short.slice(0, -1))).toBe(true);
      }),
    );
  });
});
