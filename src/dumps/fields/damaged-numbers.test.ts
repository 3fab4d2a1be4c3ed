import { describe, expect, test } from 'vitest';
import { checkNumbers, restore } from './damaged-numbers.ts';

describe('damaged', () => {
  test.each([
    ['fault addr 0xXXXXXXXX [x', '0xXXXXXXXX'],
    ['at 0x7cd8...', '0x7cd8...'],
    ['0x9f…', '0x9f…'],
    ['8c0… x', '8c0…'],
    ['0xfee_0000', '0xfee_0000'],
    ["0xfee0'0000 x", "0xfee0'0000"],
    ['size=16,777,216 unm', '16,777,216'],
    ['size=16 777 216', '16 777 216'],
    ['16.777.216 bytes', '16.777.216'],
    ['size=16\u202f777', '16\u202f777'],
    ['00000000-0009f… : Reserved', '0009f…'],
    ['0009f…-000fffff : Reserved', '0009f…'],
    ['fee0XXXX', 'fee0XXXX'],
    ['fault addr 7cd8x000', '7cd8x000'],
    ['0x55…,0x1000,0x2000', '0x55…'],
    ['0x<redacted>', '0x<redacted>'],
    ['0x[REDACTED]', '0x[REDACTED]'],
    ['addr ********', '********'],
    ['0xfee????', '0xfee????'],
    ['0xfee0,0000', '0xfee0,0000'],
    ['fault addr 0x7cd8 0000', '0x7cd8 0000'],
    ['ecap f0.20df', 'f0.20df'],
    ['occurred at 0x20f0 d800', '0x20f0 d800'],
    ['offset=00_002_000', '00_002_000'],
  ])('%j', (text, number) => {
    const checked = checkNumbers(text);
    expect(checked?.damaged).toEqual([number]);
    expect(checked?.text).not.toContain(number);
    expect(restore(checked?.text ?? '')).toBe(text);
  });
});

test.each([
  '0x1000 0x10UL 0x06h',
  'pa 0x0x000002000 size 0x1000',
  '80x25 and 1024x768, PCIe x16',
  'E3-1200 v5/E3-1500...',
  'version 5.15.0-123-generic of 10.0.0.100',
  '0x1000..0x2000',
  'PCI Path : 1F,00',
  '00000010: 8800 0000 0300 0000 00f0 ffff ffff ffff  ................',
  'ver 1:0 cap d2008c40660462 ecap f050da',
  'vfio_dma_map(0x1,0x1000,0x2000,0x3000)',
  'is it 0xfee00000? or 0xfee00000.',
  'added... bad...',
  '0000:ff:1f.6 ...',
  '(prio 0, ram): fb_001',
  'id=dc_100,x and dec_add cb_fed -> x',
  'failed for 0x10 4096 bytes',
  'ED25519 SHA256:0xjeYvLe6GvbN96nsSiOck/0xw22qWgO',
])('whole: %s', (text) => {
  expect(checkNumbers(text)).toBeUndefined();
});

test('a multiplication sign is repaired', () => {
  expect(checkNumbers('addr 0×7cd80000, 3×4')).toMatchObject({
    text: 'addr 0x7cd80000, 3×4',
    damaged: [],
    repaired: ['0×7cd80000'],
  });
});

test('the text with whole numbers in their places', () => {
  expect(checkNumbers('0xfee… - 12… msi')?.filled).toBe('0x0000000000000000 - 00000000 msi');
});
