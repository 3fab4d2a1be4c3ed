import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { partsOf } from './required-literals.ts';

/** In short: literals, or ?, and the end behind a $. */
const required = (pattern: RegExp) =>
  partsOf(pattern).map(({ literals, suffix }) => `${literals?.join(',') ?? '?'}${suffix && `$${suffix}`}`);

const known: [pattern: RegExp, required: string[]][] = [
  [/RMRR|reg_base_addr/, ['rmrr', 'reg_base_addr']],
  [/a longer|short one thing: \d/, ['a longer', 'short one thing: ']],
  [/received:$/, ['received:$received:']],
  [/0[xX][0-9a-f]{1,16}$/, ['0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f'.replace(/\w/g, '0x$&')]],
  [/0[xX][g-z0-9]{1,16}$/, ['0x']],
  [/[0-7][0-7]-|x[ab][ab]/, ['0-,1-,2-,3-,4-,5-,6-,7-', 'xaa,xab,xba,xbb']],
  [/[0-9a-f]\.[0-7]:$/, ['0:,1:,2:,3:,4:,5:,6:,7:$:']],
  [/(?:AMD-Vi|IOMMU): /, ['amd-vi,iommu']],
  [/(?:AMD-Vi|\d): /, [': ']],
  [/colou?r/, ['colo']],
  [/ab+c/, ['ab']],
  [/\t0x/, ['\t0x']],
  [/ab{0,3}cd/, ['cd']],
  [/(?:abc)?de/, ['de']],
  [/(?:abc){2}d/, ['abc']],
  [/\bcat\b \/sys\//, ['cat /sys/']],
  [/(?<=x{8})-y/, ['-y']],
  [/foo(?!bar)baz/, ['foobaz']],
  [/(?<name>word)=/, ['word']],
  [/[)\]|(]x|y[^|]z/, ['(x,)x,]x,|x', 'y']],
  [/ab{2,}c/, ['ab']],
  [/Dispatch$|: PCI$/, ['dispatch$Dispatch', ': pci$: PCI']],
  [/\(prio|\$\{|\x41b\u0042cd/, ['(prio', '${', 'cd']],
  [/^\s{0,4}\w+$/, ['?']],
  [/\p{L}\p{N}key/u, ['key']],
  [/Kelvin\d/i, ['kelvin']],
  [/end$/i, ['end']],
  [/.|/, ['?', '?']],
];
test.each(known)('%s', (pattern, expected) => {
  expect(required(pattern)).toEqual(expected);
});

const ends: [pattern: RegExp, tail: number | undefined, longest: number | undefined][] = [
  [/0x[0-9a-f]{1,16}$/, 19, undefined],
  [/\bvf?i?$/, 4, undefined],
  [/^\s{0,24}\[\d{1,9}\]$/, undefined, 35],
  [/(?:ab|c{3}){2}\d?$/, 8, undefined],
  [/ab*$/, undefined, undefined],
  [/^ab*$/, undefined, undefined],
  [/ab/, undefined, undefined],
  [/^ab/, undefined, undefined],
  [/(?:^|x)b$/, undefined, undefined],
  [/(?<=abc)b$/, undefined, undefined],
  [/a(?:b|$)c?$/, undefined, undefined],
  [/a$b$/, undefined, undefined],
  [/a^b$/, undefined, undefined],
];
test.each(ends)('where %s can match', (pattern, tail, longest) => {
  const part = partsOf(pattern)[0];
  expect([part?.tail, part?.longest]).toEqual([tail, longest]);
});

/** The characters of a table, in short. */
const charactersOf = (table: Uint8Array | undefined) =>
  table &&
  [...table.keys()]
    .filter((code) => table[code] === 1)
    .map((code) => String.fromCharCode(code))
    .join('');

const heads: [pattern: RegExp, begins: string | undefined, firstWord: string | undefined][] = [
  [/^abc/, 'a', 'a'],
  [/^[a-c]?d/, 'abcd', 'abcd'],
  [/^ {0,4}\[(?:x|y\d)/, ' [', 'xy'],
  [/^ab/i, 'Aa', 'Aa'],
  [/^[. ]{0,4}(?:0x)?7/, ' .07', '07'],
  [/^=+>/, '=', undefined],
  [/^\W{0,2}$/, undefined, undefined],
  [/^(?:a|)b?[c ]/, ' abc', undefined],
  [/^(?=x)y/, 'y', 'y'],
  [/abc/, undefined, undefined],
  [/(?:^a)b/, undefined, undefined],
];
test.each(heads)('what %s can begin with', (pattern, begins, firstWord) => {
  const part = partsOf(pattern)[0];
  expect([charactersOf(part?.begins), charactersOf(part?.firstWord)]).toEqual([begins, firstWord]);
});

const lasts: [pattern: RegExp, ends: string | undefined][] = [
  [/ab$/, 'b'],
  [/ab$/i, 'Bb'],
  [/:0?x?$/, '0:x'],
  [/\bvf?i?$/, 'fiv'],
  [/\]\s{0,4}=[ \t]{0,4}\{?$/, '\t ={'],
  [/is(?: not)?$/, 'st'],
  [/a(?:b|c?)$/, 'abc'],
  [/a(?=b)$/, 'a'],
  [/^a{0,2}$/, undefined],
  [/ab/, undefined],
  [/a$b/, undefined],
  [/a(?:b$|c)/, undefined],
  [/a(?:b$)/, undefined],
];
test.each(lasts)('what %s can end with', (pattern, expected) => {
  expect(charactersOf(partsOf(pattern)[0]?.ends)).toEqual(expected);
});

test('what is not understood is left whole and requires nothing', () => {
  for (const pattern of [/a(b)\1|c/, /abc|d/g, /abc|d/y, /^abc|d$/m, /(?<n>a)\k<n>|b/]) {
    expect(partsOf(pattern)).toEqual([{ pattern, suffix: '' }]);
  }
});

describe('the parts match what the whole matches, and only texts with what they require', () => {
  const patterns = [
    ...[...known, ...ends, ...heads, ...lasts].map(([pattern]) => pattern),
    ...FORMATS.flatMap((f) => (f.kind === 'lines' ? f.interest : [])),
  ];
  const words = patterns.flatMap((pattern) => pattern.source.match(/[A-Za-z0-9_: /-]{2,20}/g) ?? []);
  const piece = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    fc.constantFrom(' ', '-', '0x', ':', '.', '0000:00:1f.0', '00000000fee00000', '(', '[', '#', '=', '/', '7', 'fe'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
  );
  const line = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

  const parts = new Map(patterns.map((pattern) => [pattern, partsOf(pattern)]));

  test('for lines made of their words', () => {
    let matched = 0;
    fc.assert(
      fc.property(line, (text) => {
        for (const pattern of patterns) {
          const matching = (parts.get(pattern) ?? []).filter((part) => part.pattern.test(text));
          expect([pattern.source, matching.length > 0]).toEqual([pattern.source, pattern.test(text)]);
          for (const { pattern: part, literals, suffix, tail, longest, begins, firstWord, ends: last } of matching) {
            matched++;
            expect([text, begins?.[text.charCodeAt(0)] ?? 1]).toEqual([text, 1]);
            expect([text, last?.[text.charCodeAt(text.length - 1)] ?? 1]).toEqual([text, 1]);
            const word = /[A-Za-z0-9]/.exec(text)?.[0].charCodeAt(0) ?? 0;
            expect([text, firstWord?.[word] ?? 1]).toEqual([text, 1]);
            expect([text, text.length <= (longest ?? text.length)]).toEqual([text, true]);
            if (tail !== undefined) expect([text, part.test(text.slice(-tail))]).toEqual([text, true]);
            const low = text.toLowerCase();
            expect([text, literals?.some((literal) => low.includes(literal)) ?? true]).toEqual([text, true]);
            expect([text, text.endsWith(suffix)]).toEqual([text, true]);
          }
        }
      }),
      { numRuns: 2000 },
    );
    expect(matched).toBeGreaterThan(2000);
  });
});
