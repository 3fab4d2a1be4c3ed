import { describe, expect, test } from 'vitest';
import { diagnosticsOf, openText } from '../testing/read.ts';

async function read(...lines: string[]) {
  const opened = await openText(`${lines.join('\n')}\n`);
  const windows = opened.facts.flatMap((fact) =>
    fact.kind === 'window'
      ? [`${fact.depth} ${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.type}: ${fact.name}`]
      : [],
  );
  return { ...opened, windows };
}

describe('depth', () => {
  const dump = [
    'd0000000-febfffff : PCI Bus 0000:00',
    '  f1000000-f10fffff : PCI Bus 0000:03',
    '    f1000000-f1001fff : 0000:03:00.0',
  ];
  const windows = [
    '0 d0000000-febfffff pci: PCI Bus 0000:00',
    '1 f1000000-f10fffff pci: PCI Bus 0000:03',
    '2 f1000000-f1001fff mmio: 0000:03:00.0',
  ];

  test('two blanks a level', async () => {
    expect((await read(...dump)).windows).toEqual(windows);
  });

  test.each(['> ', '>> ', '[  +0,000014] ', '    ', '\t', '        '])('behind %j as a whole', async (before) => {
    expect((await read(...dump.map((line) => before + line))).windows).toEqual(windows);
  });

  test('an excerpt that begins within', async () => {
    const { windows: found } = await read(
      '> $ grep IOAPIC /proc/iomem',
      '>   fec20000-fec203ff : IOAPIC 5',
      '> fed00000-fed003ff : HPET 0',
    );
    expect(found).toEqual(['1 fec20000-fec203ff mmio: IOAPIC 5', '0 fed00000-fed003ff mmio: HPET 0']);
  });

  test('it stays behind an elision', async () => {
    const { windows: found } = await read(
      '    40000000-bfffffff : System RAM',
      '    ...',
      '      fe000000-fe003fff : virtio-pci-modern',
    );
    expect(found).toEqual(['0 40000000-bfffffff ram: System RAM', '1 fe000000-fe003fff mmio: virtio-pci-modern']);
  });

  test('the name of the file before each line', async () => {
    const { windows: found } = await read(
      '/proc/iomem:40000000-bfffffff : System RAM',
      '/proc/iomem:  40200000-41efffff : Kernel code',
    );
    expect(found).toEqual(['0 40000000-bfffffff ram: System RAM', '1 40200000-41efffff other: Kernel code']);
  });
});

describe('type', () => {
  test.each([
    ['System RAM', 'ram'],
    ['System RAM (kmem)', 'ram'],
    ['Reserved', 'reserved'],
    ['reserved', 'reserved'],
    ['PCI Bus 0000:00', 'pci'],
    ['pcie@10000000', 'pci'],
    ['PCI ECAM 0000 [bus 00-ff]', 'ecam'],
    ['PCI MMCONFIG 0000 [bus 00-3f]', 'ecam'],
    ['a40000000.pcie config', 'ecam'],
    ['0000:00:1f.6', 'mmio'],
    ['Local APIC', 'mmio'],
    ['dmar0', 'mmio'],
    ['9050000.smmuv3', 'mmio'],
    ['ACPI Tables', 'other'],
    ['Persistent Memory', 'other'],
    ['Video ROM', 'other'],
  ])('%s: %s', async (name, type) => {
    expect((await read(`fec00000-fec003ff : ${name}`)).windows).toEqual([`0 fec00000-fec003ff ${type}: ${name}`]);
  });

  test('what lies within memory is no device; what follows may be one', async () => {
    const { windows } = await read(
      '4080000000-487fffffff : Persistent Memory',
      '  4080000000-487fffffff : btt0.0',
      '    4080000000-40800fffff : reserved',
      '4880000000-48800fffff : btt0.0',
    );
    expect(windows.map((window) => window.split(' ')[2])).toEqual(['other:', 'other:', 'reserved:', 'mmio:']);
  });
});

describe('trouble', () => {
  test('read without privilege: said once, and no windows', async () => {
    const opened = await read(
      '$ cat /proc/iomem',
      '00000000-00000000 : Reserved',
      '00000000-00000000 : System RAM',
      '  00000000-00000000 : Kernel code',
    );
    expect(opened.windows).toEqual([]);
    expect(diagnosticsOf(opened).filter((text) => text.includes('hidden'))).toEqual(['warning addresses-hidden 2']);
  });

  test('a first page that begins at zero is one', async () => {
    const opened = await read('00000000-00000fff : Reserved');
    expect(opened.windows).toEqual(['0 0-fff reserved: Reserved']);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('ports, flat views and ranges in a sentence are not of this kind', async () => {
    const opened = await read(
      '0000-0cf7 : PCI Bus 0000:00',
      '00000000fee00000-00000000feefffff (prio 0, i/o): apic',
      'see fee00000-feefffff: the window',
    );
    expect(opened.windows).toEqual([]);
  });

  test('the wrong way round, and too long', async () => {
    const opened = await read(
      '00001000-00000fff : Reserved',
      '10000000000000000-1ffffffffffffffff : Reserved',
      '00000000-00000fff : Reserved',
    );
    expect(opened.windows).toEqual(['0 0-fff reserved: Reserved']);
    expect(diagnosticsOf(opened)).toEqual(['error start-above-last 1', 'error too-many-digits 2']);
  });

  test('broken by a mail program', async () => {
    const opened = await read('fed00000-fed003ff :', 'HPET 0', '  fed00000-', 'fed003ff : PNP0103:00');
    expect(opened.windows).toEqual(['0 fed00000-fed003ff mmio: HPET 0', '1 fed00000-fed003ff mmio: PNP0103:00']);
  });
});
