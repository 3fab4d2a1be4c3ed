import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, inputOf, type Opened, openAll } from '../../testing/read.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/acpi-table/synthetic-${name}.dat`, import.meta.url)));
const open = (bytes: Uint8Array) => openAll([inputOf('table', bytes)]);

/** Facts in short: `dmar0 intel 0xfed90000`, `39 bits`, `6a5b0000-6a7f9fff direct rmrr 0000:00:14.0`. */
function factsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    expect(fact.line).toBeUndefined();
    if (fact.kind === 'host' && fact.ivinfo !== undefined) return [`ivinfo ${fact.ivinfo.toString(16)}`];
    if (fact.kind === 'host' && fact.efr !== undefined) return [`efr ${fact.efr.toString(16)}`];
    if (fact.kind === 'host') return [`${fact.address_width} bits`];
    if (fact.kind === 'iommu') return [`${fact.name} ${fact.driver} ${fact.register_base}`];
    if (fact.kind !== 'reserved') return [];
    const about = [fact.type, fact.origin, fact.device, fact.stream].filter((part) => part !== undefined).join(' ');
    return [`${fact.start.toString(16)}-${fact.last.toString(16)} ${about}`];
  });
}

const DMAR = [
  '39 bits',
  'dmar0 intel 0xfed90000',
  'dmar1 intel 0x380ffffc000',
  '6a5b0000-6a7f9fff direct rmrr 0000:00:14.0',
  '6a5b0000-6a7f9fff direct rmrr 0000:00:1c.4/00.1',
  '0-fff direct rmrr',
];

describe('what is in a table', () => {
  test('DMAR', async () => {
    const opened = await open(fixture('dmar'));
    expect(factsOf(opened)).toEqual(DMAR);
    expect(diagnosticsOf(opened)).toEqual(['info empty-range -', 'error start-above-last -']);
  });

  test('IVRS: an IOMMU described twice is one', async () => {
    const opened = await open(fixture('ivrs'));
    expect(factsOf(opened)).toEqual([
      'ivinfo 203042',
      'ivhd0 amd 0xfeb80000',
      'ivhd1 amd 0xfec80000',
      'bc2a1000-bc2b0fff direct ivmd',
      'fffffffffffff000-ffffffffffffffff reserved ivmd 0001:41:1f.2',
      'bc300000-bc4fffff direct ivmd 0000:42:00.0-0000:42:1f.7',
      // The table says that its definitions have no features.
      'efr 0',
    ]);
    expect(diagnosticsOf(opened)).toEqual(['info empty-range -', 'error range-beyond-64-bits -']);
  });

  test('IORT', async () => {
    const opened = await open(fixture('iort'));
    expect(factsOf(opened)).toEqual([
      'smmu3.0 smmu-v3 0x140000000',
      'smmu2.0 smmu-v2 0x2b400000',
      'smmu3.1 smmu-v3 0x160000000',
      'a0000000-a07fffff direct-relaxable rmr 16384',
      'a0000000-a07fffff direct-relaxable rmr 16385',
      'ffffffffffff0000-ffffffffffffffff direct-relaxable rmr 16384',
      'ffffffffffff0000-ffffffffffffffff direct-relaxable rmr 16385',
      '27c00000-27ffffff direct rmr',
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('IORT: the stream ids of a root complex', async () => {
    const bytes = new Uint8Array(48 + 56);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode('IORT'));
    const longs = { 4: bytes.length, 36: 1, 40: 48, 56: 1, 60: 36, 76: 3, 84: 0x100, 88: 0xff, 92: 0x3_0100 };
    for (const [at, value] of Object.entries(longs)) view.setUint32(Number(at), value, true);
    bytes[48] = 2;
    view.setUint16(49, 56, true);
    bytes[9] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
    const opened = await open(bytes);
    expect(opened.facts).toMatchObject([{ kind: 'host', stream_ids: [[3, 0x100, 0x100, 0x3_0100]] }]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });
});

describe('a table that is not whole', () => {
  test('wherever it was cut, what stands before is read and the rest is said to be missing', async () => {
    for (const name of ['dmar', 'ivrs', 'iort']) {
      const whole = fixture(name);
      const all = factsOf(await open(whole));
      for (let length = 37; length < whole.length; length++) {
        const opened = await open(whole.subarray(0, length));
        const facts = factsOf(opened);
        expect([name, length, facts]).toEqual([name, length, all.slice(0, facts.length)]);
        expect(diagnosticsOf(opened)[0]).toBe('warning acpi-truncated -');
      }
    }
  });

  test('changed bytes', async () => {
    const bytes = fixture('dmar');
    bytes[16] = (bytes[16] ?? 0) + 1;
    const opened = await open(bytes);
    expect(diagnosticsOf(opened)[0]).toBe('warning acpi-checksum -');
    expect(factsOf(opened)).toEqual(DMAR);
  });

  test('bytes behind it', async () => {
    const opened = await open(new Uint8Array([...fixture('dmar'), 1, 2, 3]));
    expect(diagnosticsOf(opened)[0]).toBe('info acpi-trailing-bytes -');
    expect(factsOf(opened)).toEqual(DMAR);
  });

  test('a structure of no length does not go round in circles; one that is too short is named', async () => {
    const none = fixture('dmar');
    none[50] = 0;
    expect(diagnosticsOf(await open(none))).toEqual(['warning acpi-checksum -', 'warning acpi-truncated -']);
    const short = fixture('dmar');
    short[50] = 8;
    expect(diagnosticsOf(await open(short))).toContain('warning acpi-short-structure -');
  });

  test('any bytes behind a signature', async () => {
    const body = fc.uint8Array({ minLength: 32, maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('DMAR', 'IVRS', 'IORT'), body, async (signature, rest) => {
        const bytes = new Uint8Array([
          ...new TextEncoder().encode(signature),
          rest.length + 4,
          0,
          0,
          0,
          ...rest.slice(4),
        ]);
        const { facts } = await open(bytes);
        for (const fact of facts) if (fact.kind === 'reserved') expect(fact.start <= fact.last).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test('text that begins like a table is text', async () => {
  const opened = await open(new TextEncoder().encode('DMAR: Host address width 39\n'.repeat(4)));
  expect(opened.facts.filter(({ kind }) => kind === 'host')).toHaveLength(4);
});
