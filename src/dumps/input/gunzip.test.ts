import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, inputOf, openAll, openText, regionsOf } from '../testing/read.ts';

describe('packed files', () => {
  const text = Array.from(
    { length: 500 },
    (_, i) => `${i}/reserved_regions:0x${(i * 0x5000).toString(16)} 0xffffffffff msi\n`,
  ).join('');

  test('plain, and in several members', async () => {
    const plain = regionsOf(await openText(text));
    expect(plain).toHaveLength(500);
    expect(regionsOf(await openAll([inputOf('a.gz', gzipSync(text))]))).toEqual(plain);
    const half = text.indexOf('\n', 9000) + 1;
    const members = new Uint8Array([...gzipSync(text.slice(0, half)), ...gzipSync(text.slice(half))]);
    expect(regionsOf(await openAll([inputOf('a', members)]))).toEqual(plain);
  });

  test('cut off: everything up to there, and a word about it', async () => {
    const packed = gzipSync(text);
    const opened = await openAll([inputOf('a.gz', packed.subarray(0, packed.length >> 1))]);
    const found = regionsOf(opened).length;
    expect(found).toBeGreaterThan(100);
    expect(found).toBeLessThan(500);
    expect(diagnosticsOf(opened)).toContain('warning gzip-truncated -');
    const trailer = await openAll([inputOf('a.gz', packed.subarray(0, packed.length - 3))]);
    expect(diagnosticsOf(trailer)).toEqual(['warning gzip-truncated -']);
    expect(regionsOf(trailer)).toHaveLength(500);
  });

  test('damaged', async () => {
    const packed = new Uint8Array(gzipSync(text));
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 1;
    const opened = await openAll([inputOf('a.gz', packed)]);
    expect(diagnosticsOf(opened)).toEqual(['warning gzip-damaged -']);
    const garbage = new Uint8Array([...gzipSync(text), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const behind = await openAll([inputOf('a.gz', garbage)]);
    expect(regionsOf(behind)).toHaveLength(500);
    expect(diagnosticsOf(behind)).toHaveLength(1);
  });
});
