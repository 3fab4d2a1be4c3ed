import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);
const unrecognized = ({ sources }: Opened) => sources[0]?.unrecognized;

/** Facts in short: `4: dmar0 intel 0xfed90000`, `1: 39 bits`, `9: 6a5b0000-6a7f9fff direct rmrr 0000:00:14.0`. */
function factsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind === 'host' && fact.ivinfo !== undefined) return [`${fact.line}: ivinfo ${fact.ivinfo.toString(16)}`];
    if (fact.kind === 'host' && fact.efr !== undefined) return [`${fact.line}: efr ${fact.efr.toString(16)}`];
    if (fact.kind === 'host') return [`${fact.line}: ${fact.address_width} bits`];
    if (fact.kind === 'iommu') return [`${fact.line}: ${fact.name} ${fact.driver} ${fact.register_base}`];
    if (fact.kind !== 'reserved') return [];
    const about = [fact.type, fact.origin, fact.device, fact.stream].filter((part) => part !== undefined).join(' ');
    return [`${fact.line}: ${fact.start.toString(16)}-${fact.last.toString(16)} ${about}`];
  });
}

/** Places before the fields, as versions of iasl write them. */
const PLACES: [name: string, place: (at: number, size: number) => string][] = [
  ['old', (at, size) => `[${hex3(at)}h ${String(at).padStart(4, '0')}  ${String(size).padStart(2)}] `],
  ['new', (at, size) => `[${hex3(at)}h ${String(at).padStart(4, '0')} ${String(size).padStart(3, '0')}h] `],
  ['of a template', (_, size) => `[${String(size).padStart(4, '0')}] `],
  ['none', () => ''],
];
const hex3 = (value: number) => value.toString(16).toUpperCase().padStart(3, '0');

const REGION = [
  ['Subtable Type', '0001 [Reserved Memory Region]'],
  ['Length', '0020'],
  ['Reserved', '0000'],
  ['PCI Segment Number', '0000'],
  ['Base Address', '000000006A5B0000'],
  ['End Address (limit)', '000000006A7F9FFF'],
  ['Device Scope Type', '01 [PCI Endpoint Device]'],
  ['Entry Length', '08'],
  ['Reserved', '0000'],
  ['Enumeration ID', '00'],
  ['PCI Bus Number', '00'],
  ['PCI Path', '14,00'],
] as const;
const written = (fields: readonly (readonly [string, string])[], place: (at: number, size: number) => string) =>
  fields.map(([name, value], i) => `${place(36 + i * 4, 4)}${name.padStart(28)} : ${value}`);
const NONE = () => '';

describe('places before the fields', () => {
  test.each(PLACES)('%s', async (_, place) => {
    const opened = await open(...written(REGION, place));
    expect(factsOf(opened)).toEqual(['1: 6a5b0000-6a7f9fff direct rmrr 0000:00:14.0']);
    expect(unrecognized(opened)).toBe(0);
    expect(diagnosticsOf(opened)).toEqual([]);
  });
});

describe('DMAR', () => {
  const region = (changes: Readonly<Record<string, string>>) =>
    written(
      REGION.map(([name, value]) => [name, changes[name] ?? value] as const).filter(([, value]) => value !== '-'),
      NONE,
    );

  test('the older name of a scope; several devices; bridges', async () => {
    const fields = written(REGION, NONE).map((line) => line.replace('Device Scope Type', 'Device Scope Entry Type'));
    const scope = written(REGION.slice(6), NONE);
    const opened = await open(...fields, ...scope, '                    PCI Path : 1f,7', '    PCI Path : 00,01', '');
    expect(factsOf(opened)).toEqual([
      '1: 6a5b0000-6a7f9fff direct rmrr 0000:00:14.0',
      '1: 6a5b0000-6a7f9fff direct rmrr 0000:00:14.0/1f.7/00.1',
    ]);
  });

  const devices: [name: string, changes: Readonly<Record<string, string>>, expected: string[]][] = [
    ['a segment', { 'PCI Segment Number': '000A' }, ['1: 6a5b0000-6a7f9fff direct rmrr 000a:00:14.0']],
    ['no path', { 'PCI Path': '-' }, ['1: 6a5b0000-6a7f9fff direct rmrr']],
    ['no bus', { 'PCI Bus Number': '-' }, ['1: 6a5b0000-6a7f9fff direct rmrr']],
    ['no scope', { 'Device Scope Type': '-', 'PCI Path': '-' }, ['1: 6a5b0000-6a7f9fff direct rmrr']],
    [
      'all of 64 bits',
      { 'Base Address': '0', 'End Address (limit)': 'FFFFFFFFFFFFFFFF' },
      ['1: 0-ffffffffffffffff direct rmrr 0000:00:14.0'],
    ],
    ['one byte', { 'End Address (limit)': '6A5B0000' }, ['1: 6a5b0000-6a5b0000 direct rmrr 0000:00:14.0']],
  ];
  test.each(devices)('%s', async (_, changes, expected) => {
    const opened = await open(...region(changes));
    expect(factsOf(opened)).toEqual(expected);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  const wrong: [name: string, changes: Readonly<Record<string, string>>, expected: string[]][] = [
    ['backwards', { 'End Address (limit)': '000000006A5AFFFF' }, ['error start-above-last 1']],
    ['not filled in', { 'Base Address': '0', 'End Address (limit)': '0' }, ['info empty-range 1']],
    ['no limit', { 'End Address (limit)': '-' }, ['warning acpi-incomplete 1']],
    [
      'more than 64 bits',
      { 'Base Address': '10000000000000000' },
      ['warning damaged-acpi-field 5', 'warning acpi-incomplete 1'],
    ],
  ];
  test.each(wrong)('%s', async (_, changes, expected) => {
    const opened = await open(...region(changes));
    expect(factsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened).slice(0, expected.length)).toEqual(expected);
  });

  test('the width is stored less one; units are counted from 0 in each table', async () => {
    const table = [
      'Signature : "DMAR"    [DMA Remapping table]',
      'Host Address Width : 26',
      'Subtable Type : 0000 [Hardware Unit Definition]',
      'Register Base Address : 00000000FED90000',
      'Subtable Type : 0004 [ACPI Namespace Device Declaration]',
      'Device Number : 01',
      'Subtable Type : 0000 [Hardware Unit Definition]',
      'Register Base Address : 00000000FED91000',
    ];
    const opened = await open(...table, ...table);
    expect(factsOf(opened)).toEqual([
      '2: 39 bits',
      '3: dmar0 intel 0xfed90000',
      '7: dmar1 intel 0xfed91000',
      '10: 39 bits',
      '11: dmar0 intel 0xfed90000',
      '15: dmar1 intel 0xfed91000',
    ]);
    expect(diagnosticsOf(await open('[024h 0036   1]  Host Address Width : 80'))).toContain(
      'warning bad-address-width 1',
    );
  });
});

describe('IVRS', () => {
  const memory = (type: string, flags: string, more: Readonly<Record<string, string>> = {}) => [
    `Subtable Type : ${type} [Memory Definition Block (IVMD)]`,
    `Flags (decoded below) : ${flags}`,
    'Length : 0020',
    'DeviceId : 41FA',
    'Auxiliary Data : 42FF',
    `Reserved : ${more.segment ?? '0000000000000000'}`,
    'Start Address : 00000000BC2A1000',
    `Memory Length : ${more.length ?? '0000000000010000'}`,
  ];
  const forms: [lines: string[], expected: string][] = [
    [memory('20', '07'), '1: bc2a1000-bc2b0fff direct ivmd'],
    [memory('21', '08'), '1: bc2a1000-bc2b0fff reserved ivmd 0000:41:1f.2'],
    [memory('21', '01', { segment: '0000000000000003' }), '1: bc2a1000-bc2b0fff direct ivmd 0003:41:1f.2'],
    [memory('22', '0F'), '1: bc2a1000-bc2b0fff reserved ivmd 0000:41:1f.2-0000:42:1f.7'],
  ];
  test.each(forms)('%j', async (lines, expected) => {
    const opened = await open(...lines);
    expect(factsOf(opened)).toEqual([expected]);
    expect(unrecognized(opened)).toBe(0);
  });

  test('no bytes', async () => {
    const opened = await open(...memory('21', '08', { length: '0' }));
    expect(factsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['info empty-range 1']);
  });

  test('entries of the hardware are not the hardware; the same one described twice is one', async () => {
    const hardware = (type: string, base: string) => [
      `Subtable Type : ${type} [Hardware Definition Block]`,
      'Flags : B0',
      'DeviceId : 0002',
      `Base Address : ${base}`,
      'PCI Segment Group : 0000',
      'Subtable Type : 03 [Device Entry: Start of Range]',
      'Base Address : 1234',
      'Entry Type : 04',
      'Device ID : FFFE',
    ];
    const opened = await open(
      ...hardware('10', 'FEB80000'),
      ...hardware('11', 'FEB80000'),
      ...hardware('40', 'FEC80000'),
    );
    expect(factsOf(opened)).toEqual(['1: ivhd0 amd 0xfeb80000', '19: ivhd1 amd 0xfec80000']);
    expect(unrecognized(opened)).toBe(0);
  });
});

describe('IORT', () => {
  const node = (type: string, ...fields: string[]) => [
    `Type : ${type}`,
    'Length : 0058',
    'Revision : 01',
    'Reserved : 00000000',
    'Mapping Count : 00000001',
    'Mapping Offset : 00000044',
    ...fields,
  ];
  const rmr = (...lines: string[]) => [
    'Base Address of RMR : 00000000A0000000',
    'Length of RMR : 0000000000800000',
    ...lines,
  ];

  test('SMMUs are counted by their kind', async () => {
    const opened = await open(
      ...node('04', 'Base Address : 0000000009050000'),
      ...node('01', 'Base Address : 0000000001000000', 'Output Base : 00000007'),
      ...node('03', 'Base Address : 000000002B400000'),
      ...node('04', 'Base Address : 148000000', 'Proximity Domain Valid: 1'),
    );
    expect(factsOf(opened)).toEqual([
      '1: smmu3.0 smmu-v3 0x9050000',
      '16: smmu2.0 smmu-v2 0x2b400000',
      '23: smmu3.1 smmu-v3 0x148000000',
    ]);
    expect(unrecognized(opened)).toBe(0);
  });

  const kinds: [name: string, lines: string[], expected: string[]][] = [
    ['permitted', ['Remapping Permitted : 1', ...rmr()], ['8: a0000000-a07fffff direct-relaxable rmr']],
    ['not permitted', ['Remapping Permitted : 0', ...rmr()], ['8: a0000000-a07fffff direct rmr']],
    ['by its flags', ['Flags (decoded below) : 00000001', ...rmr()], ['8: a0000000-a07fffff direct-relaxable rmr']],
    [
      'for two streams',
      rmr('Input base : 0', 'Output Base : 4000', 'Output Reference : 48', 'Output Base : 00004001'),
      ['7: a0000000-a07fffff direct rmr 16384', '7: a0000000-a07fffff direct rmr 16385'],
    ],
    ['two ranges', [...rmr(), ...rmr()], ['7: a0000000-a07fffff direct rmr', '9: a0000000-a07fffff direct rmr']],
  ];
  test.each(kinds)('reserved memory, %s', async (_, lines, expected) => {
    expect(factsOf(await open(...node('06', ...lines)))).toEqual(expected);
  });

  test('reserved memory whose beginning is missing, twice', async () => {
    const opened = await open(
      ...rmr('Output Base : 3'),
      ...rmr('Output Base : 4'),
      'Number of RMR Descriptors : 1',
      ...rmr(),
    );
    expect(factsOf(opened)).toEqual([
      '1: a0000000-a07fffff direct rmr 3',
      '4: a0000000-a07fffff direct rmr 4',
      '8: a0000000-a07fffff direct rmr',
    ]);
    const ended = await open(...rmr().slice(0, 1));
    expect(diagnosticsOf(ended)).toContain('warning acpi-incomplete 1');
  });
});

describe('around the tables', () => {
  test('other tables are none of it, until the next one of ours', async () => {
    const opened = await open(
      'Signature : "APIC"    [Multiple APIC Description Table]',
      'Subtable Type : 00 [Processor Local APIC]',
      'Length : 08',
      'Raw Table Data: Length 8',
      '    0000: 41 50 49 43 00 00 00 00',
      'Signature : "IVRS"',
      'Raw Table Data: Length 8',
      '    0000: 49 56 52 53 00 00 00 00  // IVRS....',
    );
    expect(factsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.samples.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
  });

  test('text with colons is text', async () => {
    const opened = await open('Length : 20', 'Type : 06', 'Base Address : 1000', 'Reserved : 08', 'Device Name : 12');
    expect(opened.facts.map((fact) => fact.kind === 'diagnostic' && fact.code)).toEqual(['nothing-recognized']);
    expect(unrecognized(opened)).toBe(5);
  });

  test('facts stand in the order of their lines', async () => {
    const opened = await open(
      ...written(REGION, NONE),
      '',
      'And then:',
      '[ 1.5] iommu: map: iova 0x1000 pa 0x5000 size 0x1000',
    );
    expect(opened.facts.map(({ line }) => line)).toEqual([1, 15]);
  });

  test('values and words that a mail program broke off', async () => {
    const lines = written(REGION, PLACES[0]?.[1] ?? NONE).flatMap((line) => {
      const [start = '', end = ''] = line.includes('[PCI')
        ? line.split(/ (?=Endpoint)/)
        : line.split(/ (?=[0-9A-F]{16}$)/);
      return end === '' ? [start] : [start, end];
    });
    expect(lines).toHaveLength(15);
    const opened = await open(...lines.map((line) => `> ${line}`));
    expect(factsOf(opened)).toEqual(['1: 6a5b0000-6a7f9fff direct rmrr 0000:00:14.0']);
    expect(unrecognized(opened)).toBe(0);
  });
});
