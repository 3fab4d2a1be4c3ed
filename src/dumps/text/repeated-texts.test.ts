import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packTar } from 'modern-tar';
import { expect, test } from 'vitest';
import { writeEvent } from '../../session/write.ts';
import type { DumpEvent } from '../input/event-queue.ts';
import { openInputs } from '../input/open.ts';
import { FORMATS } from '../registry.ts';
import { inputOf, type Opened, openAll } from '../testing/read.ts';
import { tellingPath } from './repeated-texts.ts';

const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort();

/** What was read of a folder, with `T` in place of its name. */
function readOf({ facts, sources }: Opened, tree: string) {
  const plain = (text: string) => text.replaceAll(`${tree}/`, 'T/');
  return {
    facts: facts.map((fact) => plain(writeEvent(fact))),
    sources: sources.map(({ name: _, leftover, samples, diagnostics, ...more }) => ({
      ...more,
      leftover: [...leftover].map(([source, lines]) => [plain(source), lines]),
      samples: samples.map((sample) => ({ ...sample, source: plain(sample.source) })),
      diagnostics: diagnostics.map((diagnostic) => plain(writeEvent(diagnostic))),
    })),
  };
}

test('a text that comes again says the same: every fixture, in folder after folder', async () => {
  const files = FIXTURES.map((name) => ({
    name: `sys/kernel/iommu_groups/4/${name}`,
    bytes: new Uint8Array(readFileSync(join(ROOT, name))),
  }));
  const shared = [...FORMATS];
  const inputsOf = (tree: string) => files.map(({ name, bytes }) => ({ ...inputOf(`${tree}/${name}`, bytes), tree }));
  const first = readOf(await openAll(inputsOf('one'), shared), 'one');
  expect(first.facts.length).toBeGreaterThan(1000);
  // Read, noted, and from then on put there.
  for (const tree of ['two', 'three', 'four']) {
    expect(readOf(await openAll(inputsOf(tree), shared), tree)).toEqual(first);
  }
});

test('the same in archives, whose small files are at hand as a whole', async () => {
  const files = FIXTURES.map((name) => ({
    name: `sys/kernel/iommu_groups/4/${name}`,
    bytes: new Uint8Array(readFileSync(join(ROOT, name))),
  }));
  const shared = [...FORMATS];
  const inputsOf = (tree: string) => files.map(({ name, bytes }) => ({ ...inputOf(`${tree}/${name}`, bytes), tree }));
  const first = readOf(await openAll(inputsOf('one'), [...FORMATS]), 'one');
  for (const archive of ['two', 'three', 'four']) {
    const tar = await packTar(
      files.map(({ name, bytes }) => ({ header: { name, type: 'file' as const, size: bytes.length }, body: bytes })),
    );
    const { facts, sources } = readOf(await openAll([inputOf(archive, tar)], shared), archive);
    expect(facts).toEqual(first.facts);
    expect(sources.map(({ size: _, ...more }) => more)).toEqual(first.sources.map(({ size: _, ...more }) => more));
  }
});

const encoded = (text: string) => new TextEncoder().encode(text);

test.each([
  ['in UTF-16', (text: string) => new Uint8Array(Buffer.from(`\uFEFF${text}`, 'utf16le'))],
  ['with a byte order mark', (text: string) => encoded(`\uFEFF${text}`)],
])('a text %s is not confused with the file of its characters', async (_, written) => {
  const shared = [...FORMATS];
  const path = 'sys/kernel/iommu_groups/4/reserved_regions';
  const text = '%PDF\n0x00000000fee00000 0x00000000feefffff msi\n';
  const read = async (tree: string, bytes: Uint8Array) => {
    const input = { ...inputOf(`${tree}/${path}`, bytes), tree, atOnce: () => bytes };
    return (await openAll([input], shared)).facts.map(({ kind }) => kind);
  };
  // The characters alone are a document, which is not read.
  expect(await read('plain', encoded(text))).toEqual(['diagnostic']);
  for (const tree of ['one', 'two', 'three']) expect(await read(tree, written(text))).toContain('reserved');
  expect(await read('again', encoded(text))).toEqual(['diagnostic']);
});

test('a file that is known is read at once; one that cannot be read says so', async () => {
  const shared = [...FORMATS];
  const path = 'sys/kernel/iommu_groups/4/reserved_regions';
  const bytes = encoded('0x00000000fee00000 0x00000000feefffff msi\n');
  const stream = () => {
    throw new Error('not to be called');
  };
  const texts: string[] = [];
  for (const tree of ['one', 'two', 'three', 'four']) {
    const facts: DumpEvent[] = [];
    const { sources } = await openInputs([{ name: `${tree}/${path}`, tree, stream, atOnce: () => bytes }], {
      formats: shared,
      onEvents: (batch) => facts.push(...batch),
      onText: (source, piece) => texts.push(`${source}: ${piece}`),
    });
    expect(facts).toMatchObject([{ kind: 'reserved', group: '4', source: `${tree}/${path}`, line: 1 }]);
    expect(sources).toMatchObject([{ size: bytes.length, files: 1, lines: 1 }]);
  }
  expect(texts.filter((text) => text.includes('fee00000'))).toHaveLength(4);
  const atOnce = () => {
    throw new Error('permission denied');
  };
  const { facts } = await openAll([{ name: `five/${path}`, tree: 'five', stream, atOnce }], shared);
  expect(facts).toMatchObject([
    { kind: 'diagnostic', code: 'unreadable', message: expect.stringContaining('permission denied') },
  ]);
});

test('what the path says is kept apart: the same text of other groups, devices and IOMMUs', async () => {
  const shared = [...FORMATS];
  const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
  for (let n = 0; n < 4; n++) {
    const files: (readonly [string, string])[] = [
      [`h${n}/sys/kernel/iommu_groups/${n}/reserved_regions`, MSI],
      [`h${n}/sys/kernel/iommu_groups/9/reserved_regions`, MSI],
      [`h${n}/sys/kernel/iommu_groups/${n}/type`, 'DMA-FQ\n'],
      // Groups alone, without the folders around them.
      [`h${n}/groups/${n + 20}/type`, 'identity\n'],
      [`h${n}/sys/class/iommu/dmar${n}/intel-iommu/cap`, '8d2078c106f0466\n'],
    ];
    const { facts } = await openAll(
      files.map(([name, text]) => ({ ...inputOf(name, text), tree: `h${n}` })),
      shared,
    );
    const said = facts.map((fact) => [fact.kind, 'group' in fact ? fact.group : 'name' in fact ? fact.name : '']);
    expect(said).toEqual(
      expect.arrayContaining([
        ['reserved', `${n}`],
        ['reserved', '9'],
        ['group', `${n}`],
        ['group', `${n + 20}`],
        ['iommu', `dmar${n}`],
      ]),
    );
  }
});

test.each([
  [['lab', 'sys', 'kernel', 'iommu_groups', '7', 'type'], 'sys/kernel/iommu_groups/7/type'],
  [['fleet.tar', 'r1', 'dmesg.txt'], 'dmesg.txt'],
  [['lab', '7', 'type'], undefined],
  [['iommu_groups', '7', 'sys', 'x'], undefined],
  [['0000:00:1f.0', 'iommu_group', 'type'], undefined],
])('%j: %s', (components, path) => {
  expect(tellingPath(components)).toBe(path);
});
