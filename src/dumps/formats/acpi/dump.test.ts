import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { diagnosticsOf, inputOf, openAll, openText, regionsOf } from '../../testing/read.ts';

const TABLE = new Uint8Array(
  readFileSync(fileURLToPath(new URL('../../fixtures/acpi-table/synthetic-dmar.dat', import.meta.url))),
);

function dumpOf(bytes: Uint8Array, signature = 'DMAR'): string {
  const rows: string[] = [`${signature} @ 0x000000007AB10000`];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const cells = row.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`    ${at.toString(16).toUpperCase().padStart(4, '0')}: ${cells.padEnd(47)}  ${text}`);
  }
  return `${rows.join('\n')}\n\n`;
}

test('the text of a table says what its bytes say', async () => {
  const binary = await openAll([inputOf('dmar.dat', TABLE)]);
  const text = await openText(dumpOf(TABLE));
  expect(regionsOf(binary).length).toBeGreaterThan(0);
  expect(regionsOf(text)).toEqual(regionsOf(binary));
  expect(text.facts.map(({ kind }) => kind)).toEqual(binary.facts.map(({ kind }) => kind));
  expect(text.sources[0]?.unrecognized).toBe(0);
});

test('other tables are passed, and of two with one signature the first counts', async () => {
  const opened = await openText(dumpOf(Uint8Array.of(1, 2, 3), 'SSDT') + dumpOf(TABLE) + dumpOf(TABLE));
  expect(regionsOf(opened)).toEqual(regionsOf(await openText(dumpOf(TABLE))));
  expect(diagnosticsOf(opened)).toContainEqual(expect.stringMatching(/^warning acpi-second-table \d+$/));
});

test('a missing row is said, and nothing is made of what follows it', async () => {
  const rows = dumpOf(TABLE).split('\n');
  const opened = await openText([...rows.slice(0, 4), ...rows.slice(5)].join('\n'));
  expect(diagnosticsOf(opened)).toContainEqual(expect.stringMatching(/damaged-hex-dump 5$/));
  expect(regionsOf(opened)).toEqual([]);
});
