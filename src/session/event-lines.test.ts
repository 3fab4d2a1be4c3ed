import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromWords } from '../iova/address-halves.ts';
import { anyAddress, assertProperty } from '../iova/testing/arbitraries.ts';
import { addressesIn } from './addresses.ts';
import { parseEventLine } from './event-line.ts';
import { AsciiEncoder, type AsciiText, EventLines } from './event-lines.ts';
import { writeEvent } from './write.ts';

const FOLDER = new URL('../kernel/fixtures/', import.meta.url);
const operations = readdirSync(FOLDER).flatMap((name) =>
  readFileSync(new URL(name, FOLDER), 'utf8').trimEnd().split('\n').slice(1),
);

const OTHERS = [
  '{"kind":"map","start":"0x1000","last":"0x1fff","time":12,"line":7}',
  '{"kind":"map","start":"0x1000","last":"0x1fff","time":0.25,"device":"0x10"}',
  '{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","source":"0x5","line":3}',
  '{"kind":"mapping","start":"0x0","last":"0xfff"}',
  '{"kind":"note","text":"say \\"0x10\\" and \\"line\\":5,"}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1","iova":"0x2","length":"0x1"}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1","length":"0x1","0x3":1}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1","length":"0x1","__proto__":{"x":"0x2"}}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1","length":"0x1","line":4096,"deep":{"line":4096}}',
  '{"op":"ioas.unmap","ioas":\u0001,"iova":"0x1","length":"0x1"}',
  '{ "op": "ioas.unmap", "ioas": "a", "iova": "0x1", "length": "0x1" }',
  '{"op":"ioas.frob","x":"0x1"}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1"}',
  // Addresses that are always spelled like this.
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x1","length":"0xA000","iova":"0x2"}',
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x1","length":"\\u0030xA000","iova":"0x2"}',
  '["0x1"]',
];

/** What field by field gives. */
function plainly(text: string) {
  const parsed = parseEventLine(text);
  return { ...parsed, isCanonical: parsed.problem === undefined && writeEvent(parsed.event) === text };
}

/** The line with other numbers, in the spelling of `write`; the same text gets the same number in one line. */
function renumbered(line: string, numbers: readonly bigint[], write: (number: bigint) => string): string {
  let next = 0;
  return line.replaceAll(/0x[\da-f]+/g, () => write(numbers[next++ % numbers.length] ?? 0n));
}

/** The event of the bytes of a line, and the index after its line end. */
function readBytes(lines: EventLines, ascii: AsciiText, from: number) {
  const end = lines.readAscii(ascii, from);
  const event = end < 0 ? undefined : lines.event;
  return event && { event, end };
}

describe('EventLines', () => {
  it('reads every line as field by field, with any numbers, in any order', () => {
    const line = fc.oneof(fc.constantFrom(...operations), fc.constantFrom(...OTHERS));
    const spelling = fc.constantFrom(
      (n: bigint) => `0x${n.toString(16)}`,
      (n: bigint) => `0x${n.toString(16).toUpperCase()}`,
      (n: bigint) => `0x0${n.toString(16)}`,
      (n: bigint) => `0x1${n.toString(16).padStart(16, '0')}`,
    );
    const numbers = fc.array(anyAddress, { minLength: 1, maxLength: 4 });
    const few = fc.array(line, { minLength: 1, maxLength: 4 });
    const uses = fc.array(fc.tuple(fc.nat(), numbers, spelling), { minLength: 8, maxLength: 24 });
    assertProperty(
      fc.property(few, uses, (lines, used) => {
        const reader = new EventLines();
        const encoder = new AsciiEncoder();
        for (const [i, values, write] of used) {
          const text = renumbered(lines[i % lines.length] ?? '', values, write);
          const { isCanonical: expected, ...plain } = plainly(text);
          const ascii = encoder.encode(`x${text}\n{`);
          const read = ascii && readBytes(reader, ascii, 1);
          if (read) {
            expect({ event: read.event }).toEqual(plain);
            expect(Object.keys(read.event)).toEqual(Object.keys(plain.event));
            expect(read.end).toBe(text.length + 2);
            const { alike, words } = reader;
            if (alike) {
              const made = alike.make(words);
              expect({ event: made }).toEqual(plain);
              expect(Object.keys(made)).toEqual(Object.keys(plain.event));
              const inFields = alike.order.map((at) => fromWords(words[at * 2] ?? 0, words[at * 2 + 1] ?? 0));
              expect(inFields).toEqual(addressesIn(plain.event));
            }
          }
          const { isCanonical, ...parsed } = reader.parse(text);
          expect(parsed).toEqual(plain);
          expect(Object.keys(parsed.event)).toEqual(Object.keys(plain.event));
          if (isCanonical !== undefined) expect(isCanonical).toBe(expected);
        }
      }),
    );
  });

  it('reads a spelling field by field until it has seen it twice, then no more', () => {
    const lines = new EventLines();
    const text = (n: number) => `{"op":"ioas.unmap","ioas":"a","iova":"0x${n.toString(16)}000","length":"0x1000"}`;
    expect([1, 2, 3, 4].map((n) => lines.parse(text(n)).isCanonical)).toEqual([undefined, undefined, true, true]);
    // Many other spellings in between: those before are forgotten, and seen anew.
    for (let i = 0; i < 2000; i++) lines.parse(text(1).replace('"a"', `"a${i}"`));
    expect([1, 2, 3].map((n) => lines.parse(text(n)).isCanonical)).toEqual([undefined, undefined, true]);
  });

  it('reads bytes of spellings that it knows, wherever the line is, and only whole lines', () => {
    const lines = new EventLines();
    const text = (n: number, more = '') =>
      `{"op":"ioas.unmap","ioas":"a","iova":"0x${n.toString(16)}","length":"0x0"}${more}`;
    const bytes = (line: string, from = 0) => {
      const ascii = new AsciiEncoder().encode(line);
      return ascii && readBytes(lines, ascii, from);
    };
    expect(bytes(text(1, '\n'))).toBeUndefined();
    for (const n of [1, 2, 3]) lines.parse(text(n));
    const event = { op: 'ioas.unmap', ioas: 'a', iova: 0xfffffn, length: 0n };
    expect(bytes(text(0xfffff, '\n'))).toEqual({ event, end: text(0xfffff).length + 1 });
    expect(bytes(`${text(7, '\n')}${text(0xfffff, '\n')}`, text(7).length + 1)).toMatchObject({ event });
    for (const end of ['', ' ', '\r\n', '}\n', ' \n']) expect(bytes(text(7, end))).toBeUndefined();
    for (let length = 0; length <= text(7).length; length++) {
      expect(bytes(text(7).slice(0, length))).toBeUndefined();
      expect(bytes(`${text(7).slice(0, length)}\n`) !== undefined).toBe(length === text(7).length);
    }
    for (const wrong of ['0x', '0x01', '0X1', '0xA', '0x10000000000000000', '1', '0xg']) {
      expect(bytes(text(7, '\n').replace('0x7', wrong))).toBeUndefined();
    }
    expect(bytes(text(7, '\n').replace('"a"', '"ä"'))).toBeUndefined();
  });

  it('says what is wrong with a range that ends before it begins, as ever', () => {
    const lines = new EventLines();
    const range = (start: string) => lines.parse(`{"kind":"aperture","start":"${start}","last":"0x1fff"}`);
    for (const start of ['0x0', '0x1', '0x2']) expect(range(start).problem).toBeUndefined();
    expect(range('0x2000').problem?.message).toBe('aperture: start is above last');
    expect(range('0x1fff').problem).toBeUndefined();
  });
});
