import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LineInterest, LineMarks } from '../format.ts';
import { FORMATS } from '../registry.ts';
import { firstLines, fuzzRuns } from '../testing/read.ts';
import { containsWord, InterestMatcher } from './interest.ts';
import { loadForLongTexts } from './shapes.ts';

const INTERESTS = FORMATS.flatMap((format) => (format.kind === 'lines' ? format.interest : []));
const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const LINES = [
  ...new Set(
    readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.txt'))
      .flatMap((name) => firstLines(readFileSync(join(ROOT, name), 'utf8'), 100).split('\n')),
  ),
];

beforeAll(loadForLongTexts);

/** The indexes of the interests that the line matches, by the matcher. */
function found(matcher: InterestMatcher, count: number, text: string): number[] {
  const every = matcher.everyFormat();
  const any = matcher.look(text, every);
  const indexes = Array.from({ length: count }, (_, i) => i).filter((i) => matcher.matches(i, every));
  expect([text, any]).toEqual([text, indexes.length > 0]);
  return indexes;
}

/** The same by trying every word and shape. */
function tried(interests: readonly LineInterest[], text: string): number[] {
  return interests.flatMap((interest, i) => {
    const marks = [interest, interest.around ?? {}, interest.inside ?? {}];
    const shapesOf = ({ shapes = [], tails = [] }: LineMarks) => [...shapes, ...tails.map(({ shape }) => shape)];
    const shapes = [...marks.flatMap(shapesOf), ...(interest.broken ?? [])];
    const matches = marks.some((one) => containsWord(text, one)) || shapes.some((shape) => shape.test(text));
    return matches ? [i] : [];
  });
}

describe('what the matcher finds is what trying every word and shape finds', () => {
  const matcher = new InterestMatcher(INTERESTS);
  const words = INTERESTS.flatMap(({ words = [], around, inside }) =>
    [...words, ...(around?.words ?? []), ...(inside?.words ?? [])].map((word) => word.replaceAll('\n', '')),
  );
  const piece = fc.oneof(
    fc.constantFrom(...LINES).map((line) => line.slice(0, 60)),
    fc.constantFrom(...words),
    fc.constantFrom(...words).map((word) => word.slice(0, -1)),
    fc.constantFrom(...words).map((word) => word.toUpperCase()),
    fc.string({ maxLength: 5 }).map((text) => text.replaceAll('\n', '')),
  );
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));

  test('a line is dull if nothing but shapes inside of formats match it', () => {
    const bytesOf = (text: string) => Uint8Array.from(text, (_, i) => Math.min(text.charCodeAt(i), 255));
    const isDull = (text: string) => matcher.isDull(bytesOf(`<${text}>`), 1, 1 + text.length, text);
    const wordsOnly = INTERESTS.map(({ inside, ...interest }) => ({
      ...interest,
      inside: { words: inside?.words ?? [] },
    }));
    const check = (text: string): void => {
      expect([text, isDull(text)]).toEqual([text, tried(wordsOnly, text).length === 0]);
    };
    for (const text of LINES) check(text);
    fc.assert(fc.property(line, check), fuzzRuns(300));
  });

  test('for every line of the fixtures', () => {
    let count = 0;
    for (const text of LINES) {
      const expected = tried(INTERESTS, text);
      count += expected.length;
      expect([text, found(matcher, INTERESTS.length, text)]).toEqual([text, expected]);
    }
    expect(count).toBeGreaterThan(1000);
  });

  test('for lines made of their words', () => {
    fc.assert(
      fc.property(line, (text) => {
        expect(found(matcher, INTERESTS.length, text)).toEqual(tried(INTERESTS, text));
      }),
      fuzzRuns(1000),
    );
  });
});

test('words inside others, in either case, and any number of interests', () => {
  const words = ['she', 'he', 'hers', 'his', 's', 'ushers', 'er'];
  const interests = Array.from({ length: 80 }, (_, i) => ({ words: [words[i % words.length] ?? ''] }));
  const matcher = new InterestMatcher(interests);
  for (const text of ['ushers', 'USHERS', 'hhe', 'shis', 'hishe', '', 'x', 'sheR', 'sh\u00e9he', 'she\u0131']) {
    expect([text, found(matcher, interests.length, text)]).toEqual([text, tried(interests, text)]);
  }
});

test('a line break in a word is the beginning or the end of the line', () => {
  const interests = [{ words: ['\nfrom'] }, { words: ['to\n'] }, { words: ['\nall\n'] }, {}];
  const matcher = new InterestMatcher(interests);
  const expected: [text: string, indexes: number[]][] = [
    ['from here', [0]],
    ['not from here to', [1]],
    ['from a to', [0, 1]],
    ['all', [2]],
    ['all of it', []],
    ['to there', []],
    ['', []],
  ];
  for (const [text, indexes] of expected) expect([text, found(matcher, 4, text)]).toEqual([text, indexes]);
});

test('a word that is not ASCII is refused', () => {
  expect(() => new InterestMatcher([{ words: ['caf\u00e9'] }])).toThrow('not ASCII');
});
