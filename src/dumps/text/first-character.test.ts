import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { ANY_FIRST, alternatives, firstCharacters, literalStart } from './first-character.ts';

const shown = (pattern: RegExp) => {
  const found = firstCharacters(pattern);
  if (found === ANY_FIRST) return found;
  return [...found]
    .map((code) => (code === 128 ? '…' : String.fromCharCode(code)))
    .sort()
    .join('');
};

test.each([
  [/^abc/, 'a'],
  [/^(?:a|b?c)d/, 'abc'],
  [/^a?b*c{0,2}d/, 'abcd'],
  [/^a{1,2}b/, 'a'],
  [/^[a-c\]-]x/, '-]abc'],
  [/^\s{0,4}#/, '\t\n\v\f\r #…'],
  [/^(?!x)(?=y)z/, 'z'],
  [/^(?<name>q)/, 'q'],
  [/^\d+/, '0123456789'],
  [/^é/, '…'],
  [/^a/i, 'Aa…'],
  [/^a*/, 'any'],
  [/^(?:a|)/, 'any'],
  [/^./, 'any'],
  [/^\p{L}/u, 'any'],
  [/^\(\/(x)/, '('],
])('%s', (pattern, first) => {
  expect(shown(pattern)).toBe(first);
});

test('all but a class', () => {
  const found = firstCharacters(/^[^\p{L}\p{N}/]x/u);
  expect(found).not.toBe(ANY_FIRST);
  if (found === ANY_FIRST) return;
  expect([...'aZ9/'].filter((letter) => found.has(letter.charCodeAt(0)))).toEqual([]);
  expect([...' #-('].filter((letter) => !found.has(letter.charCodeAt(0)))).toEqual([]);
});

test('alternatives and literals', () => {
  expect(alternatives('a|(b|c)|[|]|\\|')).toEqual(['a', '(b|c)', '[|]', '\\|']);
  expect(['0x[0-9]', '\\bFault \\d', 'ab?c', 'kvm(?!-)', '\\d:'].map(literalStart)).toEqual([
    '0x',
    'Fault ',
    'a',
    'kvm',
    '',
  ]);
});

describe('no shape of the registry matches a text that begins with something else', () => {
  const shapes = FORMATS.flatMap((format) => {
    if (format.kind !== 'lines') return [];
    const { shapes = [], around, inside } = format.interest;
    return [...shapes, ...(around?.shapes ?? []), ...(inside?.shapes ?? [])].filter(({ source }) =>
      source.startsWith('^'),
    );
  });
  test.each(shapes.map((shape) => [shape]))('%s', (shape) => {
    const first = firstCharacters(shape);
    const source = shape.source.replace(/\(\?<?[!=](?:[^()]|\([^()]*\))*\)|\\b/g, '');
    const text = fc.stringMatching(new RegExp(source, shape.flags.replace('i', '')));
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (one) => {
        const match = shape.test(one);
        if (match && first !== ANY_FIRST) expect(first.has(Math.min(one.charCodeAt(0), 128))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
