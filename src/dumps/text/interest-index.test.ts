import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { cleanLine, hasWord, isDecoration, MARKS, plainText, plainTextBehindPrefix } from './envelope.ts';
import { InterestIndex } from './interest-index.ts';

const PATTERNS = FORMATS.flatMap((format) => (format.kind === 'lines' ? format.interest : []));
const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));
const isAscii = (text: string) => new TextEncoder().encode(text).length === text.length;

/** The patterns that match, by their index, as the index of interests finds them. */
function indexed(index: InterestIndex, count: number, line: string, text = line, skipped = 0): number[] {
  const bytes = new TextEncoder().encode(`..${line}..`);
  index.walk(bytes, 2, bytes.length - 2);
  const bits = index.interested(text, skipped);
  return Array.from({ length: count }, (_, i) => i).filter((i) => index.matches(bits, i, text));
}
const tried = (patterns: readonly RegExp[], text: string) =>
  patterns.flatMap((pattern, i) => (pattern.test(text) ? [i] : []));

const piece = fc.oneof(
  fc.constantFrom(...LINES.filter(isAscii)).map((line) => line.slice(0, 60)),
  fc.constantFrom('> ', '| ', '[ 1.5] ', 'Jan  3 12:00:01 maple x: ', 'May 12 ', '# ', '$ ', '<6>', '(XEN) ', '12:34 '),
  fc.constantFrom(' ', '\t', '\v', '=', '"', '//', ' // ', '<<<', '...', '-', '{"log":"x"}', 'msg="x"', '&gt;', 'a> '),
  fc.string({ unit: 'grapheme-ascii', maxLength: 5 }),
);
const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

test('finds for every line what trying all patterns finds', () => {
  const index = new InterestIndex(PATTERNS, MARKS);
  let found = 0;
  for (const text of LINES.filter(isAscii)) {
    const expected = tried(PATTERNS, text);
    found += expected.length;
    expect([text, indexed(index, PATTERNS.length, text)]).toEqual([text, expected]);
  }
  expect(found).toBeGreaterThan(1000);
  fc.assert(
    fc.property(line, (text) => {
      expect(indexed(index, PATTERNS.length, text)).toEqual(tried(PATTERNS, text));
      expect(index.interestedIn(text)).toBe(index.interestedIn(text));
    }),
    { numRuns: 3000 },
  );
});

test('finds for a part of the line what trying all patterns on the part finds', () => {
  const index = new InterestIndex(PATTERNS, MARKS);
  fc.assert(
    fc.property(line, fc.nat(), fc.nat(), (text, a, b) => {
      const from = a % (text.length + 1);
      const part = text.slice(from).slice(0, (b % (text.length + 1)) + 1);
      expect(indexed(index, PATTERNS.length, text, part)).toEqual(tried(PATTERNS, part));
      expect(indexed(index, PATTERNS.length, text, part, from)).toEqual(tried(PATTERNS, part));
    }),
    { numRuns: 3000 },
  );
});

test('strings inside others, in either case, and more patterns than bits', () => {
  const words = ['she', 'he', 'hers', 'his', 's', 'ushers', 'er'];
  const patterns = Array.from({ length: 40 }, (_, i) => new RegExp(words[i % words.length] ?? '', i % 2 ? 'i' : ''));
  const index = new InterestIndex(patterns, MARKS);
  for (const text of ['ushers', 'USHERS', 'hhe', 'shis', 'hishe', '', 'x', 'sheR']) {
    expect([text, indexed(index, patterns.length, text)]).toEqual([text, tried(patterns, text)]);
  }
});

test('the short way to a text gives what the cleaning gives', () => {
  const index = new InterestIndex([], MARKS);
  const short = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const marks = index.walk(bytes, 0, bytes.length);
    const plain = plainText(text, marks);
    if (plain !== undefined) return hasWord(marks) ? plain : undefined;
    const behind = plainTextBehindPrefix(text, marks);
    return behind !== undefined && !isDecoration(behind) ? behind : undefined;
  };
  let plain = 0;
  const check = (text: string) => {
    const found = short(text);
    if (found === undefined) return;
    plain++;
    expect([text, cleanLine(text), isDecoration(found)]).toEqual([text, [{ text: found }], false]);
  };
  const ascii = LINES.filter(isAscii);
  for (const text of ascii) check(text);
  expect(plain).toBeGreaterThan(ascii.length / 2);
  plain = 0;
  fc.assert(fc.property(line, check), { numRuns: 5000 });
  expect(plain).toBeGreaterThan(300);
});
