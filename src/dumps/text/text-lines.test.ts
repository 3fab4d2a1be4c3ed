import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextLines } from './text-lines.ts';

/** The lines of a text that arrives in these pieces: number, text, and a mark if the line was cut. */
function linesOf(pieces: readonly string[], maxLength = 1000): { lines: string[]; count: number } {
  const lines: string[] = [];
  const reader = new TextLines(maxLength, (text, from, to, number, isCut) =>
    lines.push(`${number} ${text.slice(from, to)}${isCut ? '…' : ''}`),
  );
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { lines, count: reader.count };
}

test('every kind of line end', () => {
  expect(linesOf(['a\nb\r\nc\rd\r\r\ne\n\nf']).lines).toEqual(['1 a', '2 b', '3 c', '4 d', '5 e', '6 ', '7 f']);
  expect(linesOf(['a\n']).lines).toEqual(['1 a']);
  expect(linesOf(['a\r']).lines).toEqual(['1 a']);
  expect(linesOf(['a\r\r\r\n']).lines).toEqual(['1 a', '2 ']);
  expect(linesOf(['']).lines).toEqual([]);
});

test('the same lines wherever the text is cut', () => {
  const unit = fc.constantFrom('a', 'b', '\r', '\n', '\r\n', '\r\r\n', '\u00e9', '\u{1f600}', 'xxxxxxxxxxxx');
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 16 }), (text) => {
      const whole = linesOf([text], 10);
      // The line that is longer than 10 is cut, the others are those between the line ends.
      const parts = text.split(/\r\r\n|\r\n|\n|\r/);
      if (parts.at(-1) === '') parts.pop();
      const expected = parts.map((part, i) => `${i + 1} ${part.slice(0, 10)}${part.length > 10 ? '…' : ''}`);
      expect(whole).toEqual({ lines: expected, count: parts.length });
      for (let i = 0; i <= text.length; i++) {
        for (let j = i; j <= text.length; j++) {
          expect(linesOf([text.slice(0, i), text.slice(i, j), text.slice(j)], 10)).toEqual(whole);
        }
      }
      expect(linesOf([...text.split('')], 10)).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});

test('a long line is cut once, and its rest takes no memory and no number', () => {
  const pieces = ['a\n', ...Array.from({ length: 100 }, () => 'x'.repeat(50)), '\nb'];
  expect(linesOf(pieces, 120)).toEqual({ lines: ['1 a', `2 ${'x'.repeat(120)}…`, '3 b'], count: 3 });
  expect(linesOf(pieces.slice(0, -1), 120)).toEqual({ lines: ['1 a', `2 ${'x'.repeat(120)}…`], count: 2 });
});
