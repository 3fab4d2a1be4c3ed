import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { expect, test } from 'vitest';
import { describeBinary } from './binary-kind.ts';
import { isPlainText, isTar, packingOf, utf16 } from './file-kind.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new TextEncoder().encode(value);

test('gzip and tar are known by their bytes', async () => {
  const body = 'x';
  const archive = await packTar([{ header: { name: 'a', size: 1, type: 'file' }, body }]);
  expect([packingOf(gzipSync('x')), packingOf(text('x')), packingOf(bytes())]).toEqual(['gzip', undefined, undefined]);
  expect([isTar(archive), isTar(archive.subarray(0, 511)), isTar(new Uint8Array(512))]).toEqual([true, false, false]);
  const damaged = archive.slice();
  damaged[0] = 0x62;
  expect(isTar(damaged)).toBe(false);
});

test('what is not text is described, with its first bytes', () => {
  expect(describeBinary(bytes(0x50, 0x4b, 3, 4))).toMatch(/^a zip archive .* \(starts with 50 4b 03 04\)$/);
  expect(describeBinary(bytes(0x28, 0xb5, 0x2f, 0xfd))).toContain('zstd');
  expect(describeBinary(bytes(1, 2, 3, 4))).toBe('binary data (starts with 01 02 03 04)');
  expect(describeBinary(bytes(0xc0, 0xc1, 0xf5, 0x41))).toContain('binary data');
  expect(describeBinary(new Uint8Array(8))).toBe('only NUL bytes');
});

test('text passes: escapes, other scripts, padding, UTF-16', () => {
  for (const value of ['', 'plain\r\n\ttext', '\u001b[31mred\u001b[0m', 'фев 28', `DMA${'\0'.repeat(4000)}`]) {
    expect([value, describeBinary(text(value))]).toEqual([value, undefined]);
  }
  const wide = bytes(0xff, 0xfe, 0x41, 0);
  expect([utf16(wide), describeBinary(wide)]).toEqual(['utf-16le', undefined]);
  expect([utf16(bytes(0xfe, 0xff)), utf16(text('x'))]).toEqual(['utf-16be', undefined]);
});

test('nothing is plain text that is described as something else', () => {
  for (const value of [
    'BZh91AY',
    'LZIP\u0001',
    '%PDF-1.7',
    '\u0089PNG',
    'a\0b',
    '\u0001\u0002',
    'é',
    '\u001b[31mred',
  ]) {
    expect([value, isPlainText(text(value))]).toEqual([value, false]);
  }
  for (const value of ['', 'plain\r\n\ttext\n', '~ } {']) {
    expect([value, isPlainText(text(value)), describeBinary(text(value))]).toEqual([value, true, undefined]);
  }
});
