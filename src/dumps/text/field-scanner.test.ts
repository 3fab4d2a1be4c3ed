import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FieldScanner } from './field-scanner.ts';

function at(text: string, from = 0): FieldScanner {
  const scanner = new FieldScanner();
  scanner.start(text, from);
  return scanner;
}

test('hex digits of every value are read exactly, whatever their case and padding', () => {
  const value = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
  fc.assert(
    fc.property(value, fc.boolean(), fc.nat(30), (expected, upper, zeros) => {
      const digits = '0'.repeat(zeros) + expected.toString(16);
      const scanner = at(`x=${upper ? digits.toUpperCase() : digits} `, 2);
      expect(scanner.hex()).toBe(expected);
      expect(scanner.at).toBe(2 + digits.length);
    }),
  );
  for (const edge of [0n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    expect(at(edge.toString(16)).hex()).toBe(edge);
    expect(at(edge.toString()).decimal()).toBe(edge);
  }
});

test('decimal digits of every value are read exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), (expected) => {
      expect(at(`${expected}\n`).decimal()).toBe(expected);
    }),
  );
});

test('a number above 64 bits is none, and that is remembered', () => {
  const scanner = at('10000000000000000 z');
  expect(scanner.hex()).toBeUndefined();
  expect([scanner.at, scanner.tooLarge]).toEqual([0, true]);
  const decimal = at('18446744073709551616');
  expect(decimal.decimal()).toBeUndefined();
  expect(decimal.tooLarge).toBe(true);
  expect(at('9'.repeat(500)).decimal()).toBeUndefined();
});

test('what is not there leaves the place alone', () => {
  const scanner = at('ghi');
  expect([scanner.hex(), scanner.decimal(), scanner.literal('h'), scanner.at]).toEqual([
    undefined,
    undefined,
    false,
    0,
  ]);
  expect(scanner.word()).toBe('ghi');
  expect([scanner.word(), scanner.atEnd]).toEqual([undefined, true]);
});

test('a number ends where neither digit nor letter follows', () => {
  const ends = (text: string) => at(text).atBoundary;
  expect(['', ' 1', ',', ')', '\t'].map(ends)).toEqual([true, true, true, true, true]);
  expect(['1', 'f', 'x', 'g', '_', 'F'].map(ends)).toEqual([false, false, false, false, false, false]);
});
