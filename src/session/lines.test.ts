import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProperty } from '../iova/testing/arbitraries.ts';
import { LineSplitter } from './lines.ts';

function split(chunks: readonly string[], options?: { loneCarriageReturn: boolean }): string[] {
  const splitter = new LineSplitter(options);
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

  it('takes a lone carriage return for a line end only if told', () => {
    expect(split(['a\rb\r\nc\r'])).toEqual(['a\rb\r\n', 'c\r']);
    expect(split(['a\rb\r\nc\r'], { loneCarriageReturn: true })).toEqual(['a\r', 'b\r\n', 'c\r']);
    expect(split(['\r\r\n\r'], { loneCarriageReturn: true })).toEqual(['\r', '\r\n', '\r']);
  });

  it('gives the same lines wherever the text is cut', () => {
    assertProperty(
      fc.property(text, fc.boolean(), (whole, loneCarriageReturn) => {
        const pattern = loneCarriageReturn ? /[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g : /[^\n]*\n|[^\n]+$/g;
        const expected = whole.match(pattern) ?? [];
        for (let i = 0; i <= whole.length; i++) {
          for (let j = i; j <= whole.length; j++) {
            const chunks = [whole.slice(0, i), whole.slice(i, j), whole.slice(j)];
            expect(split(chunks, { loneCarriageReturn })).toEqual(expected);
          }
        }
        expect(split([...whole.split('')], { loneCarriageReturn })).toEqual(expected);
      }),
    );
  });

  it('tells how long the open line is, and starts anew after the end', () => {
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
