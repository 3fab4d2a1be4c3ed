import { expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

/** Windows in short: `80000000-afffffff pci PCI Bus 0000:00`. */
function windowsOf({ facts }: Opened): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'window' ? [`${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.type} ${fact.name}`] : [],
  );
}

function barsOf({ facts }: Opened): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'bar' ? [`${fact.device} ${fact.index} ${fact.start.toString(16)}-${fact.last.toString(16)}`] : [],
  );
}

test('the memory map of new and old kernels: the end of the latter is exclusive', async () => {
  const opened = await openText(
    [
      'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable',
      ' BIOS-e820: 00000000fec00000 - 00000000fec01000 (reserved)',
      'efi: mem3: [Runtime Data       |RUN|  |  |  |  |  |  |  |   |WB|WT|WC|UC] range=[0x0000000079200000-0x0000000079200fff] (0MB)',
      'efi: mem02: type=7, attr=0xf, range=[0x0000000001000000-0x0000000002000000) (16MB)',
    ].join('\n'),
  );
  expect(windowsOf(opened)).toEqual([
    '100000-7fffffff ram e820: usable',
    'fec00000-fec00fff reserved e820: reserved',
    '79200000-79200fff other EFI: Runtime Data',
    '1000000-1ffffff ram EFI: Conventional Memory',
  ]);
});

test('windows of host bridges, with their addresses on the bus where those differ', async () => {
  const opened = await openText(
    [
      'pci_bus 0000:00: root bus resource [mem 0x600000000-0x63fffffff window] (bus address [0xc0000000-0xffffffff])',
      'pci-host-generic 4010000000.pcie:      MEM 0x8000400000..0x80bfffffff -> 0x0000400000',
      'pci_bus 0000:00: root bus resource [io  0x0000-0x0cf7 window]',
    ].join('\n'),
  );
  expect(windowsOf(opened)).toEqual([
    '600000000-63fffffff pci PCI Bus 0000:00',
    'c0000000-ffffffff pci PCI Bus 0000:00, addresses on the bus',
    '8000400000-80bfffffff pci PCI host bridge',
    '400000-bfffffff pci PCI host bridge, addresses on the bus',
  ]);
});

test('a window whose addresses on the bus are cut or broken over two lines', async () => {
  const window = 'pci_bus 0000:00: root bus resource [mem 0x600000000-0x63fffffff window]';
  for (const rest of [
    ' (bus address [0xc000',
    ' (bus address [0xc0000000-0xffff',
    ' (bus address [0xc0000000-0xffffffff',
    ' (bus',
  ]) {
    const opened = await openText(window + rest);
    expect(windowsOf(opened)).toEqual(['600000000-63fffffff pci PCI Bus 0000:00']);
    expect(diagnosticsOf(opened), rest).toEqual(['warning damaged-number 1']);
  }
  const broken = await openText(`${window} (bus address [0xc0000000-0xff\nffffff])`);
  expect(windowsOf(broken)).toContain('c0000000-ffffffff pci PCI Bus 0000:00, addresses on the bus');
  expect(diagnosticsOf(broken)).toEqual([]);
});

test('a BAR is where it was put last, and is missed only if it was put nowhere', async () => {
  const opened = await openText(
    [
      'pci 0000:01:00.0: reg 0x14: [mem 0xc0000000-0xcfffffff 64bit pref]',
      'pci 0000:01:00.0: BAR 1: no space for [mem size 0x10000000 64bit pref]',
      'pci 0000:01:00.0: BAR 1: assigned [mem 0x4000000000-0x400fffffff 64bit pref]',
      'pci 0000:02:00.0: BAR 0 [mem 0xf0000000-0xf0003fff 64bit]',
      'pci 0000:02:00.0: BAR 2 [mem size 0x400000000 64bit pref]: failed to assign',
      'pci 0000:02:00.0: reg 0x164: [mem 0xf1000000-0xf1003fff 64bit]',
      'pci 0000:03:00.0: reg 0x10: [mem 0x00000000-0x000fffff]',
      'pci 0000:00:01.0: BAR 14: assigned [mem 0xf8000000-0xf9ffffff]',
    ].join('\n'),
  );
  expect(barsOf(opened)).toEqual(['0000:01:00.0 1 4000000000-400fffffff', '0000:02:00.0 0 f0000000-f0003fff']);
  expect(diagnosticsOf(opened)).toEqual(['warning bar-without-address 5']);
});

test('a BAR that is whole is not joined with the line of another device', async () => {
  for (const stamp of ['', '[    0.510000] ']) {
    const lines = [
      'pci 0000:02:00.0: BAR 0 [mem 0x84200000-0x84203fff 64bit]: assigned',
      'pci 0000:03:00.0: BAR 2 [mem size 0x10000000 64bit pref]: failed to assign',
    ];
    const opened = await openText(lines.map((line) => stamp + line).join('\n'));
    expect(barsOf(opened)).toEqual(['0000:02:00.0 0 84200000-84203fff']);
    expect(diagnosticsOf(opened)).toEqual(['warning bar-without-address 2']);
  }
});

test.each([
  '0x0010c00000..0x003efeffff -> 0x0',
  '0x8000400000..0xffffbfffff -> 0x00804',
  '0x10c00000..0x3efeffff -> 0x10c0',
])('a window of a device tree that is cut: %s', async (ends) => {
  const opened = await openText(`pci-host-generic 40000000.pcie:      MEM ${ends}`);
  expect(windowsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual(['warning damaged-number 1']);
});

test.each(['[mem 0x842000', '[mem 0x84200000-0x842'])('a BAR whose range is cut: %s', async (range) => {
  const opened = await openText(`pci 0000:02:00.0: BAR 0 ${range}`);
  expect(barsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual(['warning damaged-number 1']);
});

test.each(['0', '1', '00c0'])('a window of a device tree that is whole, above a line with %s', async (below) => {
  const opened = await openText(
    `brcm-pcie fd500000.pcie:      MEM 0x0600000000..0x063fffffff -> 0x00c0000000\n${below}`,
  );
  expect(windowsOf(opened)).toContain('c0000000-ffffffff pci PCI host bridge, addresses on the bus');
  expect(diagnosticsOf(opened)).toEqual([]);
});

test('a window of a device tree that is broken in its last number', async () => {
  const opened = await openText(
    'pci-host-generic 40000000.pcie:      MEM 0x8000400000..0x80bfffffff -> 0x000\n0400000',
  );
  expect(windowsOf(opened)).toContain('400000-bfffffff pci PCI host bridge, addresses on the bus');
});

test('lines with addresses of other kinds are counted, not swallowed', async () => {
  const opened = await openText(
    'BIOS-e820: [mem 0x0000000000100000-0x000000007fffffff] usable\ne820: [mem 0xc0000000-0xfed1bfff] available for PCI devices\n',
  );
  expect(windowsOf(opened)).toHaveLength(1);
  expect(opened.sources[0]?.unrecognized).toBe(1);
});
