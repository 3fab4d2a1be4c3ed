// Small files that are read together: the same contents as one by one, few reads, and failures of single files.
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ByteStream } from '../../dumps/input/streams.ts';
import { inputOf } from '../documents/read-document.ts';
import type { InputFile } from '../protocol/documents.ts';
import type { SourceInput } from './opened-source.ts';
import { readTogether } from './small-files.ts';

const sourceInput = (file: InputFile): SourceInput => ({ input: inputOf(file), file });

async function bytesOf(stream: ByteStream): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of stream as AsyncIterable<Uint8Array>) bytes.push(...piece);
  return bytes;
}

/** As openInputs does: at once if that is possible. */
async function contents({ input }: SourceInput): Promise<string> {
  const bytes = input.atOnce?.() ?? (await bytesOf(await input.stream()));
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

async function all(inputs: readonly SourceInput[]): Promise<string[]> {
  const read: string[] = [];
  for (const one of inputs) read.push(await contents(one));
  return read;
}

const named = (texts: readonly string[]): InputFile[] =>
  texts.map((text, i) => ({ name: `fleet/n${i % 10}/f${i}`, data: new Blob([text]) }));

describe('small files', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('have the contents that they have by themselves, with few reads', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => `file ${i} ${'x'.repeat(i % 7)}\n`);
    const stream = vi.spyOn(Blob.prototype, 'stream');
    const whole = vi.spyOn(Blob.prototype, 'arrayBuffer');
    const [inputs = []] = readTogether([named(texts).map(sourceInput)]);
    expect(await all(inputs)).toEqual(texts);
    expect(stream).not.toHaveBeenCalled();
    expect(whole.mock.calls.length).toBeLessThan(10);
  });

  test('can be read again, and in another order', async () => {
    const texts = Array.from({ length: 500 }, (_, i) => `file ${i}\n`);
    const [inputs = []] = readTogether([named(texts).map(sourceInput)]);
    expect(await all(inputs)).toEqual(texts);
    expect(await all(inputs.slice(100, 140))).toEqual(texts.slice(100, 140));
    expect(await all(inputs.toReversed())).toEqual(texts.toReversed());
  });

  test('large and empty files, links, and files beside folders are read by themselves', () => {
    const files: InputFile[] = [
      { name: 'fleet/large', data: new Blob([new Uint8Array(1 << 20)]) },
      { name: 'fleet/empty', data: new Blob([]) },
      { name: 'fleet/link', data: new Blob(['x']), link: 'target' },
      { name: 'alone', data: new Blob(['x']) },
    ];
    const inputs = files.map(sourceInput);
    expect(readTogether([inputs])).toEqual([inputs]);
  });

  test('one that cannot be read fails alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'iovascope-test-'));
    try {
      const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
      for (const path of paths) await writeFile(path, `text of ${path}`);
      const files = await Promise.all(
        paths.map(async (path): Promise<InputFile> => ({ name: path.slice(1), data: await openAsBlob(path) })),
      );
      const [[a, b, c] = []] = readTogether([files.map(sourceInput)]);
      if (!a || !b || !c) throw new Error('three inputs');
      // A blob of a file that has changed cannot be read any more.
      await rm(paths[1] ?? '');
      expect(await contents(a)).toBe(`text of ${paths[0]}`);
      await expect(contents(b)).rejects.toThrow();
      expect(await contents(c)).toBe(`text of ${paths[2]}`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
