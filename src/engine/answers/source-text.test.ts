import { describe, expect, test } from 'vitest';
import { documentFrom, sessionText } from '../testing/documents.ts';
import { sourceText } from './source-text.ts';

const msi = (group: number) => `/sys/kernel/iommu_groups/${group}/reserved_regions:0xfee00000 0xfeefffff msi`;
const MSI = msi(4);
const { signal } = new AbortController();

describe('the text of a source', () => {
  test('has its lines with the facts that begin there, and those that no format recognized', async () => {
    const document = await documentFrom('d', { 'a.txt': `hello\n${MSI}\n${msi(5)}\nworld\n` });
    const text = await sourceText(document, { id: 'd', source: 'a.txt', from: 1, limit: 10 }, signal);
    if (!text.ok) throw new Error(text.error.message);
    expect(
      text.value.lines.map(({ number, text, isUnrecognized, facts }) => [number, text, isUnrecognized, facts]),
    ).toEqual([
      [1, 'hello', true, []],
      [2, MSI, false, [{ kind: 'reserved', position: 1 }]],
      [3, msi(5), false, [{ kind: 'reserved', position: 2 }]],
      [4, 'world', true, []],
    ]);
    expect(text.value).toMatchObject({ source: 'a.txt', total: 4 });
  });

  test('starts where asked, and is not longer', async () => {
    const document = await documentFrom('d', { 'a.txt': Array.from({ length: 9 }, (_, i) => `${msi(i)}\n`).join('') });
    const lines = async (from: number, limit: number) => {
      const text = await sourceText(document, { id: 'd', source: 'a.txt', from, limit }, signal);
      return text.ok && text.value.lines.map(({ number, facts }) => [number, facts[0]?.position]);
    };
    expect(await lines(3, 2)).toEqual([
      [3, 3],
      [4, 4],
    ]);
    expect(await lines(9, 5)).toEqual([[9, 9]]);
  });

  test('a line shows twenty facts at most', async () => {
    const facts = Array.from({ length: 30 }, (_, i) => ({
      kind: 'group',
      group: `${i}`,
      devices: [],
      source: 'a',
      line: 1,
    }));
    const document = await documentFrom('d', { a: sessionText(facts) });
    const text = await sourceText(document, { id: 'd', source: 'a', from: 1, limit: 1 }, signal);
    expect(text.ok && text.value.lines[0]?.facts.map(({ position }) => position)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  test('is asked for by the whole name of a file, or of what is packed in it', async () => {
    const document = await documentFrom('d', { 'a.txt': `${MSI}\n` });
    for (const source of ['b.txt', 'a.txtx', 'a.tx']) {
      expect(await sourceText(document, { id: 'd', source, from: 1, limit: 1 }, signal)).toMatchObject({
        ok: false,
        error: { code: 'unusable', message: `the text of "${source}" is not available` },
      });
    }
    expect(await sourceText(document, { id: 'd', source: 'a.txt/b', from: 1, limit: 1 }, signal)).toMatchObject({
      ok: false,
      error: { message: '"a.txt/b" is not text' },
    });
  });
});
