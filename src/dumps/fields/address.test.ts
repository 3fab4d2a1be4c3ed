import { expect, test } from 'vitest';
import { parseHexAddress, parsePointer } from './address.ts';

test.each([
  ['0', 0n],
  ['0x0', 0n],
  ['fee00000', 0xfee0_0000n],
  ['0XFee00000', 0xfee0_0000n],
  ['ffffffffffffffff', 0xffff_ffff_ffff_ffffn],
  ['0x00000000ffffffffffffffff', 0xffff_ffff_ffff_ffffn],
])('%s is an address', (text, address) => {
  expect(parseHexAddress(text)).toBe(address);
  expect(parsePointer(text)).toBe(address);
});

test.each([undefined, '', '0x', '10000000000000000', 'xyz', '0x12g', ' 12', '-1'])('%s is none', (text) => {
  expect(parseHexAddress(text)).toBeUndefined();
  expect(parsePointer(text)).toBeUndefined();
});

test('(nil) is a pointer only', () => {
  expect(parsePointer('(nil)')).toBe(0n);
  expect(parseHexAddress('(nil)')).toBeUndefined();
});
