import { expect, test } from 'vitest';
import { expandVariables, shellWords } from './shell-words.ts';

test.each<[string, readonly string[]]>([
  ['a  b\tc', ['a', 'b', 'c']],
  [`'a b' "c d" e\\ f`, ['a b', 'c d', 'e f']],
  [`a'b'"c"d`, ['abcd']],
  [`"a\\"b" 'a\\b' "a\\b"`, ['a"b', 'a\\b', 'a\\b']],
  [`'' ""`, ['', '']],
  ['a | b', ['a']],
  ['a > b', ['a']],
  ['a # b', ['a']],
  ['a#b &', ['a#b']],
  ['-object \'{"a":"b c"}\'', ['-object', '{"a":"b c"}']],
  ['$(cmd | x) b', ['$(cmd', '|', 'x)', 'b'].slice(0, 1)],
])('%s', (text, words) => {
  expect(shellWords(text)).toEqual({ words, isOpen: false });
});

test.each<[string, readonly string[]]>([
  ['a {"b":"c d","e":{"f":"}"}} g', ['a', '{"b":"c d","e":{"f":"}"}}', 'g']],
  ['{"a":"\\"b c"} d', ['{"a":"\\"b c"}', 'd']],
  ['a {"b":"c', ['a', '{"b":"c']],
  ['a{"b"} c', ['a{b}', 'c']],
])('JSON that no quotation marks protect: %s', (text, words) => {
  expect(shellWords(text)).toEqual({ words, isOpen: false });
});

test('a quotation that stays open is told', () => {
  expect(shellWords("a 'b c")).toEqual({ words: ['a', 'b c'], isOpen: true });
});

test('variables, in braces or not; unknown ones stay', () => {
  const values = new Map([
    ['A', '1'],
    ['AB', '2'],
  ]);
  expect(expandVariables(`$A-$AB-$${'{A}'}-$C-$$`, values)).toBe('1-2-1-$C-$$');
});

test('defaults, starts and ends', () => {
  const values = new Map([
    ['A', '0000:01:00.0'],
    ['E', ''],
  ]);
  const cases: readonly (readonly [string, string])[] = [
    ['{A%.0}.1', '0000:01:00.1'],
    ['{A#0000:}', '01:00.0'],
    ['{A%x}', '0000:01:00.0'],
    ['{A:-d}', '0000:01:00.0'],
    ['{E:-d}', 'd'],
    ['{E-d}', ''],
    ['{X-d}', 'd'],
    ['{A%.*}', `$${'{A%.*}'}`],
  ];
  for (const [text, expected] of cases) expect(expandVariables(`$${text}`, values)).toBe(expected);
});
