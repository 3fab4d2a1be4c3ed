// Parsers are loaded when a text needs them: what is found must not depend on which are there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { BinaryFormat, DumpFormat, LineFormat } from '../format.ts';
import { FORMATS } from '../registry.ts';
import { diagnosticsOf, FUZZ_TIMEOUT, groupsOf, inputOf, openAll } from '../testing/read.ts';

const ROOT = fileURLToPath(new URL('../fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort();
/** So long that everything is loaded. */
const LONG = 'nothing of interest\n'.repeat(4000);

/** The formats of the registry, of which none is loaded, and the names of those that were since. */
function unloaded(fails = false): { formats: DumpFormat[]; loaded: string[] } {
  const loaded: string[] = [];
  const tracked = <T>(name: string, load: () => Promise<T>) => {
    loaded.push(name);
    return fails ? Promise.reject(new TypeError('Failed to fetch')) : load();
  };
  const formats = FORMATS.map((format): DumpFormat => {
    if (format.kind === 'lines') {
      const lines: LineFormat = { ...format, load: () => tracked(format.name, () => format.load()) };
      return lines;
    }
    const binary: BinaryFormat = { ...format, load: () => tracked(format.name, () => format.load()) };
    return binary;
  });
  return { formats, loaded };
}

const GROUPS = 'group 7 device 0000:00:1f.0\n';

test(
  'what is found in a fixture is the same whether all parsers are loaded or those that it needs',
  async () => {
    const all = unloaded();
    await openAll([inputOf('long', LONG)], all.formats);
    const lines = FORMATS.filter(({ kind }) => kind === 'lines').map(({ name }) => name);
    expect(all.loaded).toEqual(lines);
    let count = 0;
    for (const fixture of FIXTURES) {
      const bytes = new Uint8Array(readFileSync(join(ROOT, fixture)));
      const some = unloaded();
      const { facts, sources } = await openAll([inputOf('x', bytes)], some.formats);
      expect([fixture, { facts, sources }]).toEqual([
        fixture,
        await openAll([inputOf('x', bytes)], all.formats).then((opened) => ({
          facts: opened.facts,
          sources: opened.sources,
        })),
      ]);
      count += some.loaded.length;
    }
    expect(count / FIXTURES.length).toBeLessThan(FORMATS.length / 2);
  },
  FUZZ_TIMEOUT,
);

test('of a short text only the parsers are loaded that find something, once', async () => {
  const { formats, loaded } = unloaded();
  expect(groupsOf(await openAll([inputOf('x', GROUPS)], formats))).toEqual(['7: 0000:00:1f.0']);
  expect(loaded.sort()).toEqual(['iommu-groups', 'reserved-regions']);
  await openAll([inputOf('x', GROUPS)], formats);
  expect(loaded).toHaveLength(2);
});

test('a prompt or an elision may mean something to any format', async () => {
  for (const text of ['$ driverctl list-devices\n', '...\n']) {
    const { formats, loaded } = unloaded();
    await openAll([inputOf('x', text)], formats);
    expect(loaded).toHaveLength(FORMATS.length - 1);
  }
});

test('a parser that cannot be loaded is reported, the others read on, and the next text tries it again', async () => {
  const { formats } = unloaded();
  const lacking = formats.map((format): DumpFormat => {
    if (format.kind !== 'lines' || format.name !== 'lspci') return format;
    const failing: LineFormat = { ...format, load: () => Promise.reject(new TypeError('Failed to fetch')) };
    return failing;
  });
  const bar = '00:02.0 VGA compatible controller: Maple\n\tMemory at f0000000 (64-bit, prefetchable) [size=16M]\n';
  const opened = await openAll([inputOf('x', `${bar}${GROUPS}`)], lacking);
  expect(groupsOf(opened)).toEqual(['7: 0000:00:1f.0']);
  expect(diagnosticsOf(opened)).toEqual(['error format-not-loaded -']);
  expect(opened.facts.some((fact) => fact.kind === 'diagnostic' && fact.message.includes('lspci'))).toBe(true);
  expect(diagnosticsOf(await openAll([inputOf('x', bar)], lacking))).toEqual(['error format-not-loaded -']);
});

test('a whole-file format that cannot be loaded is reported', async () => {
  const { formats } = unloaded(true);
  const table = FIXTURES.find((name) => name.startsWith('acpi-table/') && !name.endsWith('.txt'));
  expect(table).toBeDefined();
  const bytes = new Uint8Array(readFileSync(join(ROOT, table ?? '')));
  expect(diagnosticsOf(await openAll([inputOf('x', bytes)], formats))).toEqual(['error format-not-loaded -']);
});
