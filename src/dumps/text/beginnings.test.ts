// Nothing that a line begins with is ruled out while the line matches.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { beginningOf } from './beginnings.ts';
import { alternatives } from './first-character.ts';

const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));
const SHAPES = FORMATS.flatMap((format) => (format.kind === 'lines' ? format.interest : [])).flatMap(
  ({ shapes = [], around, inside }) => [...shapes, ...(around?.shapes ?? []), ...(inside?.shapes ?? [])],
);
const BOUND = SHAPES.filter(({ source }) => alternatives(source).every((part) => part.startsWith('^')));

/** The beginnings of a line that matches, of those that the line goes on behind, which are ruled out. */
function wronglyRuledOut(shape: RegExp, line: string): string[] {
  if (!shape.test(line)) return [];
  const beginning = beginningOf(shape);
  const all = Array.from({ length: Math.min(line.length, 100) }, (_, end) => line.slice(0, end));
  return all.filter((text) => !beginning.test(text));
}

test.each([
  [/^[a-z]{2,4} \d+: /, ['', 'a', 'ab', 'abcd ', 'ab 1', 'ab 12:', 'ab 12: x'], ['A', 'abcde', 'ab: ', 'a 1']],
  [/^(?:ab|cd)?x$/, ['a', 'ab', 'c'], ['x ', 'abx ', 'ac', 'e']],
  [/^(?!pci )[a-z]{1,9} (?:0x)?\d/, ['pc', 'usb ', 'usb 0x1 a'], ['pci ', 'usb x']],
  [/^(?:\d\d:){2}z|^q/, ['1', '12:', '12:34', '12:34:', 'q '], ['12:3:', '12:345']],
  [/^a(?=b)\w\b/, ['a', 'ab', 'ac '], ['b']],
  [/^\w{2,}=(?:"[^"]*"|\S*)$/, ['ab=', 'ab="a b'], ['ab ', 'ab=a b']],
])('%s may begin with %j, not with %j', (shape, may, not) => {
  const beginning = beginningOf(shape);
  expect(may.filter((text) => !beginning.test(text))).toEqual([]);
  expect(not.filter((text) => beginning.test(text))).toEqual([]);
});

test('for the shapes of all formats and every line of the fixtures', () => {
  let matches = 0;
  for (const shape of BOUND) {
    for (const line of LINES) {
      if (!shape.test(line)) continue;
      matches++;
      expect([shape.source, line, wronglyRuledOut(shape, line)]).toEqual([shape.source, line, []]);
    }
  }
  expect(BOUND.length).toBeGreaterThan(20);
  expect(matches).toBeGreaterThan(1000);
});

test('for lines made to match', () => {
  // Those that fast-check can make texts for, without assertions.
  const makeable = BOUND.filter(({ source, flags }) => !/\(\?[=!<]|\\[bp]/.test(source) && flags !== 'iu').map(
    ({ source, flags }) => new RegExp(source, flags.replace('i', '')),
  );
  expect(makeable.length).toBeGreaterThan(10);
  for (const shape of makeable) {
    fc.assert(
      fc.property(fc.stringMatching(shape), (line) => {
        expect([line, wronglyRuledOut(shape, line)]).toEqual([line, []]);
      }),
      { numRuns: 30 },
    );
  }
});
