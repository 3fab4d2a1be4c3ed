import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyIndex, readSourceLines, type TextInput } from './source-lines.ts';

/** A file in memory; `reads` notes from which byte each stream was opened. */
function file(bytes: Uint8Array<ArrayBuffer>, reads: number[] = [], name = 'a.log'): TextInput {
  const blob = new Blob([bytes]);
  return {
    name,
    stream: () => blob.stream(),
    streamFrom: (byte) => {
      reads.push(byte);
      return blob.slice(byte).stream();
    },
  };
}

const encode = (text: string) => new TextEncoder().encode(text);
const LONG = Array.from({ length: 60_000 }, (_, i) => `line ${i + 1} of a long text: ä`).join('\n');

describe('lines of a source', () => {
  test('a page far down does not read what is before it again', async () => {
    const reads: number[] = [];
    const input = file(encode(LONG), reads);
    const index = emptyIndex();
    const page = async (from: number) => (await readSourceLines(input, 'a.log', from, 3, { index }))?.lines;
    expect(await page(55_000)).toEqual([55_000, 55_001, 55_002].map((n) => `line ${n} of a long text: ä`));
    reads.length = 0;
    expect(await page(55_003)).toEqual([55_003, 55_004, 55_005].map((n) => `line ${n} of a long text: ä`));
    expect(reads).toHaveLength(1);
    expect(reads[0]).toBeGreaterThan(1_000_000);
    // And back.
    expect((await page(20_000))?.[0]).toBe('line 20000 of a long text: ä');
    expect(reads[1]).toBeLessThan(800_000);
    expect(await page(1)).toEqual([1, 2, 3].map((n) => `line ${n} of a long text: ä`));
  });

  test('the number of lines is known once the end was read', async () => {
    const input = file(encode(LONG));
    const index = emptyIndex();
    expect((await readSourceLines(input, 'a.log', 1, 3, { index }))?.total).toBeUndefined();
    expect(await readSourceLines(input, 'a.log', 59_999, 10, { index })).toMatchObject({ total: 60_000 });
    expect((await readSourceLines(input, 'a.log', 1, 3, { index }))?.total).toBe(60_000);
  });

  test('whatever the line ends are, a page is the same from any place', async () => {
    const ends = fc.constantFrom('\n', '\r\n', '\r', '\r\r\n', '\n\n', '\r\r');
    const line = fc.tuple(fc.constantFrom('', 'x', 'ä'.repeat(700), 'y'.repeat(5000)), ends);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 200, maxLength: 400 }), fc.nat({ max: 900 }), async (lines, n) => {
        const bytes = encode(lines.map((pair) => pair.join('')).join(''));
        const index = emptyIndex();
        const known = file(bytes);
        await readSourceLines(known, 'a.log', Number.MAX_SAFE_INTEGER / 2, 1, { index });
        const withIndex = await readSourceLines(known, 'a.log', n + 1, 20, { index });
        const { name, stream } = file(bytes);
        const fromStart = await readSourceLines({ name, stream }, 'a.log', n + 1, 20);
        expect(withIndex?.lines).toEqual(fromStart?.lines);
      }),
      { numRuns: 20 },
    );
  });

  test('packed files are read from their start', async () => {
    const input = file(gzipSync(LONG));
    expect((await readSourceLines(input, 'a.log', 70, 1))?.lines).toEqual(['line 70 of a long text: ä']);
  });

  test('what is no text has no lines', async () => {
    expect(await readSourceLines(file(new Uint8Array(5000).fill(1)), 'a.log', 1, 1)).toBeUndefined();
    expect(await readSourceLines(file(encode('x\n')), 'other', 1, 1)).toBeUndefined();
  });

  test('reading can be stopped', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(readSourceLines(file(encode(LONG)), 'a.log', 1, 1, { signal })).rejects.toThrow('stopped');
  });
});
