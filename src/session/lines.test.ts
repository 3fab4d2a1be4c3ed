import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProperty } from '../iova/testing/arbitraries.ts';
import { LineSplitter } from './lines.ts';

function split(chunks: readonly string[]): string[] {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(chunk));
  return [...lines, ...splitter.end()];
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\n', '\r\n', 'é', '\u{1f600}'), maxLength: 24 });

describe('LineSplitter', () => {
  it('keeps line ends', () => {
    expect(split(['a\nb\r\n\nc'])).toEqual(['a\n', 'b\r\n', '\n', 'c']);
    expect(split([''])).toEqual([]);
    expect(split(['a\n'])).toEqual(['a\n']);
  });

  it('takes no lone carriage return for a line end', () => {
    expect(split(['a\rb\r\nc\r'])).toEqual(['a\rb\r\n', 'c\r']);
  });

  it('gives the same lines wherever the text is cut', () => {
    assertProperty(
      fc.property(text, (whole) => {
        const expected = whole.match(/[^\n]*\n|[^\n]+$/g) ?? [];
        for (let i = 0; i <= whole.length; i++) {
          for (let j = i; j <= whole.length; j++) {
            const chunks = [whole.slice(0, i), whole.slice(i, j), whole.slice(j)];
            expect(split(chunks)).toEqual(expected);
          }
        }
        expect(split([...whole.split('')])).toEqual(expected);
      }),
    );
  });

  it('has the length of the open line, and starts again after the end', () => {
    const splitter = new LineSplitter();
    expect(splitter.push('a\nbcd')).toEqual(['a\n']);
    expect(splitter.openLength).toBe(3);
    expect(splitter.push('ef')).toEqual([]);
    expect(splitter.openLength).toBe(5);
    expect(splitter.end()).toEqual(['bcdef']);
    expect(splitter.openLength).toBe(0);
    expect(splitter.push('x\n')).toEqual(['x\n']);
  });
});
