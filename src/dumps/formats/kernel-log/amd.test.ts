import { describe, expect, test } from 'vitest';
import { diagnosticsOf, faultsOf, openText, regionsOf } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

const forms: [name: string, lines: string[], expected: string[]][] = [
  [
    'the device in the prefix',
    [
      '[  22.4] nvme 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x000c address=0xfffffe0000 flags=0x0020]',
    ],
    ['0000:23:00.0 write fffffe0000 (IO_PAGE_FAULT flags=0x0020)'],
  ],
  [
    'the device as a field',
    ['AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x005e address=0xfffffffff8030000 flags=0x0000]'],
    ['0000:23:00.0 read fffffffff8030000 (IO_PAGE_FAULT flags=0x0000)'],
  ],
  [
    'a segment, the first kernels',
    [
      'AMD IOMMU: Event logged [IO_PAGE_FAULT device=0001:23:00.0 domain=0x0000 address=0x0000000000000040 flags=0x0010]',
    ],
    ['0001:23:00.0 read 40 (IO_PAGE_FAULT flags=0x0010)'],
  ],
  [
    'nothing that names the IOMMU',
    [
      'Jan  3 12:00:01 maple kernel: [  1.9] nvme 0000:23:00.0: Event logged [IO_PAGE_FAULT domain=0x0000 address=0xfe80b000 flags=0x0070]',
    ],
    ['0000:23:00.0 write fe80b000 (IO_PAGE_FAULT flags=0x0070)'],
  ],
  [
    'no device at all',
    ['AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0001 address=0x1000 flags=0x0000]'],
    ['? read 1000 (IO_PAGE_FAULT flags=0x0000)'],
  ],
  [
    'the event on a line of its own',
    ['[ 1.0] AMD-Vi: Event logged [', '[ 1.0] IO_PAGE_FAULT device=23:00.0 domain=0x0001 address=0x1000 flags=0x0000]'],
    ['0000:23:00.0 read 1000 (IO_PAGE_FAULT flags=0x0000)'],
  ],
  [
    'events of other names: what was wanted is not known',
    [
      'AMD-Vi: Event logged [ILLEGAL_DEV_TABLE_ENTRY device=0000:23:00.0 pasid=0x00003 address=0xfffe8000 flags=0x0a00]',
      'AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:23:00.0 pasid=0x00000 address=0xfffe9000 flags=0x0000]',
    ],
    [
      '0000:23:00.0 ? fffe8000 (ILLEGAL_DEV_TABLE_ENTRY flags=0x0a00) pasid 3',
      '0000:23:00.0 ? fffe9000 (INVALID_DEVICE_REQUEST flags=0x0000) pasid 0',
    ],
  ],
  [
    "Xen's, old and new",
    [
      '(XEN) AMD-Vi: IO_PAGE_FAULT: domain = 3, device id = 0x23a9, fault address = 0xfdf8020500, flags = 0x20',
      '(XEN) AMD-Vi: IO_PAGE_FAULT: 0000:23:00.0 d0 addr 00000000bf7e3000 flags 0x20 RW',
    ],
    [
      '0000:23:15.1 write fdf8020500 (IO_PAGE_FAULT flags=0x20)',
      '0000:23:00.0 write bf7e3000 (IO_PAGE_FAULT flags=0x20)',
    ],
  ],
  [
    'cut off behind the address, which has all its digits',
    [
      'nvme 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0x000000ffffec0000',
      'usb 1-1: reset',
    ],
    ['0000:23:00.0 ? ffffec0000 (IO_PAGE_FAULT)'],
  ],
];

test.each(forms)('%s', async (_, lines, expected) => {
  const opened = await open(...lines);
  expect(faultsOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual([]);
});

test('wherever a mail program breaks the line, it is the same one', async () => {
  const whole =
    'nvme 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0xffffffffffec0000 flags=0x0020]';
  for (let cut = whole.indexOf('AMD-Vi'); cut < whole.length; cut++) {
    const opened = await open(whole.slice(0, cut), whole.slice(cut));
    expect([cut, faultsOf(opened)]).toEqual([
      cut,
      ['0000:23:00.0 write ffffffffffec0000 (IO_PAGE_FAULT flags=0x0020)'],
    ]);
  }
});

describe('no fault of memory', () => {
  test('interrupts that were refused say so', async () => {
    const opened = await open(
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x005e address=0xfffffffdf8030000 flags=0x0008]',
      '(XEN) AMD-Vi: IO_PAGE_FAULT: 0000:23:00.0 d0 addr fffffffdf8000000 flags 0x8 I',
    );
    expect(faultsOf(opened)).toEqual([
      '0000:23:00.0 ? fffffffdf8030000 (IO_PAGE_FAULT flags=0x0008 (interrupt))',
      '0000:23:00.0 ? fffffffdf8000000 (IO_PAGE_FAULT flags=0x8 (interrupt))',
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('addresses of commands and tables are not those of a device', async () => {
    const opened = await open(
      'AMD-Vi: Event logged [ILLEGAL_COMMAND_ERROR address=0x000000010a2c0000]',
      'AMD-Vi: Event logged [IOTLB_INV_TIMEOUT device=23:00.0 address=0x0000000105f8a6f0]',
    );
    expect(faultsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning iommu-hardware-error 1', 'warning device-invalidation-timeout 2']);
  });

  test('a damaged one is told', async () => {
    const opened = await open(
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0000',
      '',
      'AMD-Vi: Event logged [IO_PAGE_FAULT device=23:00.0 domain=0x0000 address=0x1ffffffffffffffff flags=0x0000]',
      'nvme 0000:23:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0000 address=0xffffec0000',
    );
    expect(faultsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual([
      'warning damaged-fault 1',
      'warning damaged-fault 3',
      'warning damaged-fault 4',
    ]);
  });
});

describe('IVMD', () => {
  test('one device, several, all; the end is the address behind the last', async () => {
    const opened = await open(
      '[    0.2] AMD-Vi: IVMD_TYPE\t\t\t devid_start: 0000:65:00.0 devid_end: 0000:65:00.0 range_start: 00000000de000000 range_end: 00000000de002000 flags: 7',
      '[    0.2] AMD-Vi: IVMD_TYPEi\t\t\t devid_start: 65:00.1 devid_end: 65:00.1 range_start: 00000000de002000 range_end: 00000000de003000 flags: 8',
      'AMD-Vi: IVMD_TYPE_RANGE\t\t devid_start: 0001:65:00.0 devid_end: 0001:66:1f.7 range_start: 0000000010000000 range_end: 0000000010010000 flags: f',
      'AMD-Vi: IVMD_TYPE_ALL\t\t devid_start: 00:00.0 devid_end: ff:1f.7 range_start: 0000000000000000 range_end: 0000000000001000 flags: 1',
    );
    expect(regionsOf(opened)).toEqual([
      '0000:65:00.0: de000000-de001fff direct',
      '0000:65:00.1: de002000-de002fff reserved',
      '0001:65:00.0-0001:66:1f.7: 10000000-1000ffff reserved',
      '?: 0-fff direct',
    ]);
    expect(opened.facts.map((fact) => fact.kind === 'reserved' && fact.origin)).toEqual(Array(4).fill('ivmd'));
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('broken by a mail program; damaged; empty', async () => {
    const opened = await open(
      '> AMD-Vi: IVMD_TYPE\t\t\t devid_start: 0000:65:00.0 devid_end: 0000:65:00.0',
      '> range_start: 00000000de000000 range_end: 00000000de002000 flags: 7',
      'AMD-Vi: IVMD_TYPE\t\t\t devid_start: 0000:65:00.0 devid_end: 0000',
      '',
      'AMD-Vi: IVMD_TYPE\t\t\t devid_start: 65:00.0 devid_end: 65:00.0 range_start: 00000000de000000 range_end: 00000000de000000 flags: 7',
    );
    expect(regionsOf(opened)).toEqual(['0000:65:00.0: de000000-de001fff direct']);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-ivmd 3', 'error start-above-last 5']);
  });
});

test.each([
  ['AMD-Vi: Using global IVHD EFR:0x246577efa2254afa, EFR2:0x10', { efr: 0x246577efa2254afan, efr2: 0x10n }],
  ['[    0.38] pci 0000:00:00.2: AMD-Vi: Using global IVHD EFR:0x0, EFR2:0x0', { efr: 0n, efr2: 0n }],
  ['AMD-Vi: Using global IVHD EFR:0x246577efa2254afa, EFR2:0x0\n1', { efr: 0x246577efa2254afan, efr2: 0n }],
  ['AMD-Vi: Using global IVHD EFR:0x246577e\nfa2254afa, EFR2:0x10', { efr: 0x246577efa2254afan, efr2: 0x10n }],
])('the features of the IVRS table: %s', async (line, expected) => {
  const { facts } = await open(line);
  expect(facts.filter(({ kind }) => kind === 'host')).toMatchObject([expected]);
});

test('features of the IVRS table that are cut', async () => {
  for (const features of ['EFR:0x246577e', 'EFR:0x246577efa2254afa, EFR2:0x']) {
    const opened = await open(`AMD-Vi: Using global IVHD ${features}`);
    expect(opened.facts.filter(({ kind }) => kind === 'host')).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-number 1']);
  }
  const broken = await open('AMD-Vi: Using global IVHD EFR:0x246577efa2254afa, EFR2:0x1\n0');
  expect(broken.facts.filter(({ kind }) => kind === 'host')).toMatchObject([{ efr: 0x246577efa2254afan }]);
  expect(broken.facts.some((fact) => fact.kind === 'host' && fact.efr2 !== undefined)).toBe(false);
  expect(diagnosticsOf(broken)).toEqual(['warning damaged-number 1']);
});
