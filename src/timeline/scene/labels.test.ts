import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DETAIL_SIZE, LABEL_SIZE, type LabelRequest, placeLabels } from './labels.ts';
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

describe('exact labels', () => {
  const width = (text: string) => textWidth(text, LABEL_SIZE);
  const place = (bars: readonly LabelRequest[], breaks: readonly number[] = [], twoLines = false) =>
    placeLabels(bars, breaks, WIDTH, twoLines);
  const bar = (x0: number, x1: number, title = 'MSI', detail = ''): LabelRequest => ({ x0, x1, title, detail });

  test('are inside with five pixels on both sides', () => {
    const needed = width('MSI') + 10;
    const full = bar(100 + needed, 600, 'x'.repeat(300));
    expect(place([bar(100, 100 + needed), full])[0]).toMatchObject({ lines: ['MSI'], anchor: 'middle' });
    const narrow = bar(100, 100 + needed - 0.1);
    expect(place([narrow, { ...full, x0: narrow.x1 }])[0]?.place).toBe('number');
  });

  test('beside their bar keep five pixels from it and from the next', () => {
    const needed = width('MSI') + 10;
    const at = (next: number) => place([bar(100, 102), bar(next, WIDTH, '')])[0];
    expect(at(102 + needed)).toEqual({ place: 'text', x: 107, anchor: 'start', lines: ['MSI'] });
    expect(at(102 + needed - 0.1)?.place).toBe('number');
  });

  test('beside their bar end before an axis break and the end of the plot', () => {
    const needed = width('MSI') + 5;
    expect(place([bar(100, 102)], [102 + needed + 9])[0]).toMatchObject({ place: 'text', x: 107 });
    expect(place([bar(100, 102)], [102 + needed + 8.9])[0]?.place).toBe('number');
    expect(place([bar(WIDTH - needed - 7, WIDTH - needed - 5)])[0]).toMatchObject({ anchor: 'start' });
    expect(place([bar(WIDTH - needed - 6.9, WIDTH - needed - 4.9)])[0]?.place).toBe('number');
  });

  test('beside their bar do not overlap the one before', () => {
    // The second bar is so close that a label beside it would begin inside of the first label.
    const [first, second] = place([bar(100, 102), bar(103, 104)]);
    expect(first?.place).toBe('number');
    expect(second).toMatchObject({ anchor: 'start', x: 109 });
  });

  test('in a bar with an axis break are in its widest part', () => {
    const label = place([bar(0, 900)], [300])[0];
    expect(label).toEqual({ place: 'text', x: (309 + 900) / 2, anchor: 'middle', lines: ['MSI'] });
    expect(place([bar(0, 900)], [600])[0]).toMatchObject({ x: 591 / 2 });
    expect(place([bar(0, 900)], [200, 700])[0]).toMatchObject({ x: (209 + 691) / 2 });
    // A break just outside takes its share, too.
    expect(place([bar(0, 900)], [905])[0]).toMatchObject({ x: 896 / 2 });
    expect(place([bar(0, 900)], [910])[0]).toMatchObject({ x: 450 });
  });

  test('on one line have title and detail, or what of them fits', () => {
    const one = width('MSI · 1 MiB') + 10;
    const lines = (x1: number, twoLines = false) => {
      const [label] = place([bar(0, x1, 'MSI', '1 MiB'), bar(x1, WIDTH, '')], [], twoLines);
      return label?.place === 'text' ? label.lines : label?.place;
    };
    expect(lines(one)).toEqual(['MSI · 1 MiB']);
    expect(lines(one - 0.1)).toEqual(['MSI']);
    expect(lines(one, true)).toEqual(['MSI', '1 MiB']);
    const detail = textWidth('1 MiB', DETAIL_SIZE) + 10;
    expect(lines(detail, true)).toEqual(['MSI', '1 MiB']);
    expect(lines(detail - 0.1, true)).toEqual(['MSI']);
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

  test('is the longest beginning that fits, without a blank before the ellipsis, of four characters at least', () => {
    expect(shorten('MSI window', 1000, 11)).toBe('MSI window');
    const exact = textWidth('MSI window', 11);
    expect(shorten('MSI window', exact, 11)).toBe('MSI window');
    expect(shorten('MSI window', exact - 0.1, 11)).toMatch(/^MSI win(do?)?…$/);
    expect(shorten('MSIX windows', textWidth('MSIX…', 11), 11)).toBe('MSIX…');
    expect(shorten('MSIX windows', textWidth('MSIX…', 11) - 0.1, 11)).toBe('');
    expect(shorten('MSIX windows', textWidth('MS…', 11), 11, 'sans', 2)).toBe('MS…');
    expect(shorten('MSIX windows', textWidth('MS…', 11), 11, 'sans', 3)).toBe('');
  });
});

describe('widths of text', () => {
  test('are those of the font, and of the font’s size', () => {
    expect([textWidth('i', 100), textWidth('i', 100, 'bold'), textWidth('i', 100, 'mono')]).toEqual([28, 34, 61]);
    expect(textWidth('iM', 10)).toBeCloseTo(11.4, 6);
    expect([textWidth(' ', 100), textWidth('~', 100), textWidth('–', 100)]).toEqual([32, 84, 52]);
  });

  test('of characters outside ASCII are at least as wide as the font is high', () => {
    expect([textWidth('漢', 100), textWidth('漢', 100, 'mono'), textWidth('\u{1f600}', 100)]).toEqual([100, 100, 100]);
    expect(textWidth('\u007f', 100, 'mono')).toBe(100);
    expect(textWidth('~', 100, 'mono')).toBe(61);
  });
});
