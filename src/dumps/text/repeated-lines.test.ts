// A line that is taken for one like another is judged and cleaned as if there had been no other.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { FORMATS } from '../registry.ts';
import { cleanLine } from './envelope.ts';
import { InterestMatcher } from './interest.ts';
import { hasMarks, PlainLine } from './plain-line.ts';
import { QuotedPrintable } from './quoted-printable.ts';
import { loadForLongTexts } from './shapes.ts';

beforeAll(loadForLongTexts);

const INTERESTS = FORMATS.flatMap((format) => (format.kind === 'lines' ? format.interest : []));
const WORDS = INTERESTS.flatMap(({ words = [], around, inside }) => [
  ...words,
  ...(around?.words ?? []),
  ...(inside?.words ?? []),
]).map((word) => word.replaceAll('\n', ''));
const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));

/** True if the normal way takes the line as it is. */
function isPlain(text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  const plain = new PlainLine();
  if (bytes.length !== text.length || !plain.find(text, 0, text.length, bytes)) return false;
  return plain.start === 0 && plain.end === text.length && !hasMarks(bytes, 0, text.length);
}

/** Notes one line, and answers whether another one is like it. */
function isLike(one: string, other: string, matcher = new InterestMatcher(INTERESTS)): boolean {
  const bytesOf = (text: string) => new TextEncoder().encode(`<${text}>`);
  if (!isPlain(one) || !matcher.isDull(bytesOf(one), 1, 1 + one.length, one)) return false;
  matcher.note(bytesOf(one), 1, 1 + one.length, one);
  // As the reader does: the beginning of each line is judged anew.
  const bytes = bytesOf(other);
  if (bytes.length !== other.length + 2 || !new PlainLine().find(`<${other}>`, 1, 1 + other.length, bytes))
    return false;
  return matcher.isRepeated(bytes, 1, 1 + other.length, `<${other}>`);
}

test('lines of logs that differ in their numbers', () => {
  const usb = 'usb 1-2: new high-speed USB device number 7 using xhci_hcd';
  for (const other of [usb, usb.replace('1-2', '3-14'), usb.replace('7', '127'), usb.replace('7', 'a')]) {
    expect([other, isLike(usb, other)]).toEqual([other, true]);
  }
  for (const other of [usb.replace('xhci', 'ehci'), usb.replace(' 7', ''), `${usb}x`, usb.replace('usb', 'us1')]) {
    expect([other, isLike(usb, other)]).toEqual([other, false]);
  }
});

test('what makes a line interesting, or needs cleaning, is not taken for a number', () => {
  const pairs: [string, string][] = [
    ['acpi region 10: x kv2 done', 'acpi region 10: x kvm done'],
    ['abcd efgh [12] is x', 'abcd efgh [b] is x'],
    ['abcd efgh [b1z] is x', 'abcd efgh [bbz] is x'],
    ['abcd efgh x=1 is x', 'abcd efgh x=12 is x'],
    ['udev seen at 3:7 mapb', 'udev seen at 3:7 map:'],
    ['udev saw ordered 0x12 in 1', 'udev saw ordered 0x12'],
  ];
  for (const [one, other] of pairs) expect([other, isLike(one, other)]).toEqual([other, false]);
});

test('whatever is taken for a line like another is dull and needs no cleaning', () => {
  const fresh = new InterestMatcher(INTERESTS);
  const shared = new InterestMatcher(INTERESTS);
  const digits = fc.array(fc.constantFrom(...'0123456789abcdefABCDEF'), { maxLength: 4 });
  const piece = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom('usb', 'new', 'dev', ': ', ' ', ' ', '=', '[', ']', '.', '-', ':', '0x', '/'),
    },
    { weight: 2, arbitrary: digits.map((some) => some.join('')) },
    { weight: 1, arbitrary: fc.constantFrom(...WORDS).map((word) => word.slice(0, 3)) },
  );
  const made = fc.array(piece, { minLength: 2, maxLength: 12 }).map((pieces) => `usb ${pieces.join('')}.`);
  const recorded = fc.constantFrom(...LINES.filter((line) => line.length < 200)).map((line) => line.trim());
  let count = 0;
  fc.assert(
    fc.property(fc.oneof(made, recorded), fc.array(digits, { minLength: 8, maxLength: 16 }), (one, others) => {
      // Each time with other numbers.
      for (let from = 0; from < others.length; from++) {
        let n = from;
        const other = one.replace(/[0-9a-fA-F]+/g, (run) => {
          const next = others[n++ % others.length]?.join('') ?? '';
          return n % 2 === 0 || next === '' ? run : next;
        });
        if (!isLike(one, other, shared)) continue;
        if (one !== other) count++;
        const bytes = new TextEncoder().encode(other);
        expect([other, fresh.isDull(bytes, 0, bytes.length, other)]).toEqual([other, true]);
        expect([other, hasMarks(bytes, 0, bytes.length)]).toEqual([other, false]);
        expect(cleanLine(other)).toEqual([{ text: other }]);
        expect(new QuotedPrintable().line(other, 1)).toEqual({ raw: other, number: 1 });
      }
    }),
    { numRuns: 1500 },
  );
  expect(count).toBeGreaterThan(50);
});
