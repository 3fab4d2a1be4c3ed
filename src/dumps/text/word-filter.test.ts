// Whatever the automaton finds step by step, the filter finds too, at any place of the line.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { buildAutomaton } from './interest.ts';
import { WordFilter } from './word-filter.ts';

const OWN = ['\n=', ']=\n', 'ab', 'abc', 'abcd', 'bcd', 'cdab', 'x', 'dd\n', '\nabd', '\ncd\n', 'aaaa'];
const WORDS = FORMATS.flatMap((format) =>
  format.kind === 'lines' ? [...(format.interest.words ?? []), ...(format.interest.inside?.words ?? [])] : [],
);

function statesOf(automaton: ReturnType<typeof buildAutomaton>, text: string): number[] {
  const { columns, next, shift, start, firstFound } = automaton;
  const states: number[] = [];
  let state = start;
  for (const letter of `${text}\n`) {
    state = next[(state << shift) | (columns[letter.charCodeAt(0)] ?? 0)] ?? 0;
    if (state >= firstFound) states.push(state);
  }
  return states;
}

test.each([
  ['of a few short words', OWN, fc.constantFrom('a', 'b', 'c', 'd', '=', ']', 'x', ' ')],
  [
    'of all formats',
    WORDS,
    fc.constantFrom(...WORDS.flatMap((word) => [word, word.slice(0, 3), word.slice(1)]), ' ', '-', 'q'),
  ],
])('words %s', (_, words, pieces) => {
  const automaton = buildAutomaton([words]);
  const filter = WordFilter.of(automaton);
  let found = 0;
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const text = parts.join('').replaceAll('\n', '');
      const bytes = new TextEncoder().encode(`ab\n${text}\ncd`);
      const count = filter?.find(bytes, 3, bytes.length - 3) ?? 0;
      const states = [...(filter?.states.subarray(0, count) ?? [])];
      expect([text, ...states]).toEqual([text, ...statesOf(automaton, text)]);
      found += count;
    }),
    { numRuns: 2000 },
  );
  expect(found).toBeGreaterThan(1000);
});
