import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DETAIL_SIZE, LABEL_SIZE, type LabelRequest, type PlacedLabel, placeLabels } from './labels.ts';
import { shorten, textWidth, wrapText } from './text-metrics.ts';

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

/** Pixels that a label takes: of its widest line. */
function spanOf(label: PlacedLabel): { x0: number; x1: number } | undefined {
  if (label.place === 'letter') return undefined;
  const widths = label.lines.map((line, i) => textWidth(line, i === 0 ? LABEL_SIZE : DETAIL_SIZE));
  const width = Math.max(...widths);
  return width === 0 ? undefined : { x0: label.x - width / 2, x1: label.x + width / 2 };
}

describe('placeLabels', () => {
  test('every text is inside its own bar and clear of axis breaks, so that none overlaps another', () => {
    fc.assert(
      fc.property(bars, axisBreaks, fc.boolean(), (list, axisBreaks, twoLines) => {
        const placed = placeLabels(list, axisBreaks, twoLines);
        expect(placed).toHaveLength(list.length);
        for (const [i, label] of placed.entries()) {
          const span = spanOf(label);
          const bar = list[i];
          if (!span || !bar) continue;
          expect(span.x0).toBeGreaterThanOrEqual(bar.x0);
          expect(span.x1).toBeLessThanOrEqual(bar.x1);
          for (const axisBreak of axisBreaks) expect(axisBreak > span.x0 - 2 && axisBreak < span.x1 + 2).toBe(false);
        }
      }),
    );
  });

  test('prefers name and detail, then the name, then its beginning, then a letter; a detail never stands alone', () => {
    const one = (width: number) =>
      placeLabels([{ x0: 100, x1: 100 + width, title: 'MSI window', detail: '1 MiB' }], [], true)[0];
    expect(one(200)).toEqual({ place: 'text', x: 200, lines: ['MSI window', '1 MiB'] });
    expect(one(50)).toEqual({ place: 'text', x: 125, lines: [expect.stringMatching(/^MSI.*…$/)] });
    expect(one(2)).toEqual({ place: 'letter', x: 101 });
    const tight = { x0: 100, x1: 150, title: '15.9 EiB and more', detail: '' };
    expect(placeLabels([tight], [], false)[0]).toMatchObject({ place: 'text', lines: ['15.9…'] });
    expect(placeLabels([{ ...tight, isNumber: true }], [], false)[0]?.place).toBe('letter');
  });
});

describe('exact labels', () => {
  const width = (text: string) => textWidth(text, LABEL_SIZE);
  const place = (bars: readonly LabelRequest[], breaks: readonly number[] = [], twoLines = false) =>
    placeLabels(bars, breaks, twoLines);
  const bar = (x0: number, x1: number, title = 'MSI', detail = ''): LabelRequest => ({ x0, x1, title, detail });

  test('have five pixels on both sides', () => {
    const needed = width('MSI') + 10;
    expect(place([bar(100, 100 + needed)])[0]).toMatchObject({ lines: ['MSI'] });
    expect(place([bar(100, 100 + needed - 0.1)])[0]?.place).toBe('letter');
  });

  test('in a bar with an axis break are in its widest part', () => {
    const label = place([bar(0, 900)], [300])[0];
    expect(label).toEqual({ place: 'text', x: (309 + 900) / 2, lines: ['MSI'] });
    expect(place([bar(0, 900)], [600])[0]).toMatchObject({ x: 591 / 2 });
    expect(place([bar(0, 900)], [200, 700])[0]).toMatchObject({ x: (209 + 691) / 2 });
    // A break just outside takes its share, too.
    expect(place([bar(0, 900)], [905])[0]).toMatchObject({ x: 896 / 2 });
    expect(place([bar(0, 900)], [910])[0]).toMatchObject({ x: 450 });
  });

  test('a letter is at the middle of its bar, whatever breaks it has', () => {
    expect(place([bar(0, 20, 'MSI window')], [4])[0]).toEqual({ place: 'letter', x: 10 });
  });

  test('on one line have name and detail, or the name', () => {
    const one = width('MSI · 1 MiB') + 10;
    const lines = (x1: number, twoLines = false) => {
      const [label] = place([bar(0, x1, 'MSI', '1 MiB')], [], twoLines);
      return label?.place === 'text' ? label.lines : label?.place;
    };
    expect(lines(one)).toEqual(['MSI · 1 MiB']);
    expect(lines(one - 0.1)).toEqual(['MSI']);
    expect(lines(one, true)).toEqual(['MSI', '1 MiB']);
    const detail = textWidth('1 MiB', DETAIL_SIZE) + 10.001;
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

describe('wrapped text', () => {
  test('keeps every word, and no line is wider than the room', () => {
    const words = fc.array(fc.stringMatching(/^[a-z0-9]{1,12}$/), { maxLength: 40 });
    fc.assert(
      fc.property(words, fc.integer({ min: 120, max: 600 }), (list, width) => {
        const lines = wrapText(list.join(' '), width, 12);
        expect(lines.join(' ')).toBe(list.join(' '));
        for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(width);
      }),
    );
  });

  test('shortens a word that is wider than the room', () => {
    expect(wrapText(`a ${'x'.repeat(100)} b`, 60, 12)).toEqual(['a', expect.stringMatching(/^x+…$/), 'b']);
  });
});
