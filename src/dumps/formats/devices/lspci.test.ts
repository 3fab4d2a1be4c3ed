import { describe, expect, test } from 'vitest';
import { diagnosticsOf, groupsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** BARs, windows and messages in short. */
function devicesOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind === 'bar') {
      const kind = fact.prefetchable === undefined ? '' : fact.prefetchable ? ' prefetchable' : ' plain';
      const range = `${fact.start.toString(16)}-${fact.last.toString(16)}`;
      return [`${fact.device} ${fact.index}: ${range}${kind}${fact.bits === undefined ? '' : ` ${fact.bits}`}`];
    }
    if (fact.kind === 'window') {
      return [`${fact.name}: ${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.type} ${fact.depth}`];
    }
    if (fact.kind === 'msi_message') {
      const state = fact.enabled === undefined ? '' : fact.enabled ? ' on' : ' off';
      return [`${fact.device}: ${fact.address.toString(16)} <- ${fact.data?.toString(16)}${state}`];
    }
    return [];
  });
}

const DEVICE = '03:00.0 Ethernet controller: Example Corporation NIC (rev 01)';

const forms: [name: string, lines: string[], expected: string[]][] = [
  [
    'numbered regions',
    [
      DEVICE,
      '\tRegion 0: Memory at fa000000 (64-bit, non-prefetchable) [size=16M]',
      '\tRegion 2: I/O ports at e000 [size=256]',
      '\tRegion 3: Memory at fb000000 (32-bit, prefetchable) [disabled] [size=512]',
      '\tRegion 4: Memory at 8fffe100000 (64-bit, prefetchable) [virtual] [size=1T]',
      '\tRegion 5: [virtual] Memory at c0000000 (low-1M, non-prefetchable) [size=8G]',
      '\tExpansion ROM at f7d00000 [disabled] [size=64K]',
    ],
    [
      '0000:03:00.0 0: fa000000-faffffff plain 64',
      '0000:03:00.0 3: fb000000-fb0001ff prefetchable 32',
      '0000:03:00.0 4: 8fffe100000-9fffe0fffff prefetchable 64',
      '0000:03:00.0 5: c0000000-2bfffffff plain 32',
      '0000:03:00.0 6: f7d00000-f7d0ffff',
    ],
  ],
  [
    'regions that are counted',
    [
      `0001:${DEVICE}`,
      '\tMemory at f6000000 (32-bit, non-prefetchable) [size=16M]',
      '\tMemory at e0000000 (64-bit, prefetchable) [size=256M]',
      '\tMemory at f0000000 (64-bit, prefetchable) [size=32M]',
      '\tI/O ports at e000 [size=128]',
      `0002:${DEVICE}`,
      '\tI/O ports at e000 [size=128]',
      '\tMemory at f7000000 (32-bit, non-prefetchable) [size=4K]',
    ],
    [
      '0001:03:00.0 0: f6000000-f6ffffff plain 32',
      '0001:03:00.0 1: e0000000-efffffff prefetchable 64',
      '0001:03:00.0 3: f0000000-f1ffffff prefetchable 64',
      '0002:03:00.0 1: f7000000-f7000fff plain 32',
    ],
  ],
  [
    'regions without an address',
    [
      DEVICE,
      '\tRegion 0: Memory at <unassigned> (64-bit, prefetchable) [disabled] [size=1M]',
      '\tRegion 2: Memory at <ignored> (32-bit, non-prefetchable) [size=256K]',
      '\tRegion 4: Memory at 00000000 (32-bit, non-prefetchable) [disabled]',
      '\tExpansion ROM at <unassigned> [disabled] [size=64K]',
    ],
    [],
  ],
  [
    'regions of virtual functions',
    [
      DEVICE,
      '\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)',
      '\t\tRegion 0: Memory at 00000000c0800000 (64-bit, prefetchable)',
      '\tCapabilities: [1a0 v1] Transaction Processing Hints',
    ],
    [],
  ],
  [
    'a bridge',
    [
      '00:1c.0 PCI bridge: Example Corporation Root Port (prog-if 00 [Normal decode])',
      '\tI/O behind bridge: 00004000-00007fff',
      '\tMemory behind bridge: f4000000-f5ffffff [size=32M]',
      '\tPrefetchable memory behind bridge: 00000000f0000000-00000000f1ffffff',
      '00:1c.1 PCI bridge: Example Corporation Root Port (prog-if 00 [Normal decode])',
      '\tMemory behind bridge: fff00000-000fffff [disabled]',
      '\tPrefetchable memory behind bridge: 00000000fff00000-00000000000fffff',
      '00:1c.2 PCI bridge: Example Corporation Root Port (prog-if 00 [Normal decode])',
      '\tMemory behind bridge: None',
      '\tPrefetchable memory behind bridge: [disabled] [64-bit]',
    ],
    ['bridge 0000:00:1c.0: f4000000-f5ffffff pci 0', 'bridge 0000:00:1c.0, prefetchable: f0000000-f1ffffff pci 0'],
  ],
  [
    'messages',
    [
      DEVICE,
      '\tCapabilities: [50] MSI: Enable+ Count=1/32 Maskable+ 64bit+',
      '\t\tAddress: 00000000fee003b8  Data: 0021',
      '\t\tMasking: 0000fffe  Pending: 00000000',
      '\tCapabilities: [60] Message Signalled Interrupts: Mask- 64bit- Count=1/1 Enable-',
      '\t\tAddress: fee00000  Data: 4021',
      '\tCapabilities: [a0] Express (v2) Root Port (Slot+), MSI 00',
    ],
    ['0000:03:00.0: fee003b8 <- 21 on', '0000:03:00.0: fee00000 <- 4021 off'],
  ],
  [
    'the table of MSI-X, where its BAR is known',
    [
      DEVICE,
      '\tRegion 0: Memory at 630040010000 (64-bit, non-prefetchable) [size=16K]',
      '\tCapabilities: [b0] MSI-X: Enable- Count=136 Masked-',
      '\t\tVector table: BAR=0 offset=00002000',
      '\t\tPBA: BAR=0 offset=00003000',
      '\tCapabilities: [c0] MSI-X: Enable- Mask- TabSize=5',
      '\t\tVector table: BAR=4 offset=00000000',
    ],
    [
      '0000:03:00.0 0: 630040010000-630040013fff plain 64',
      'MSI-X table of 0000:03:00.0: 630040012000-63004001287f mmio 1',
    ],
  ],
  [
    'no header: the device of the command, or none',
    [
      '\tRegion 0: Memory at f0000000 (32-bit, non-prefetchable) [size=4K]',
      'lspci -s 84:00.00 -vvv',
      '\tRegion 0: Memory at f1000000 (32-bit, non-prefetchable) [size=4K]',
      '# lspci -nnvvs 1:2:1f.7 | grep Region',
      '\tRegion 0: Memory at f2000000 (32-bit, non-prefetchable) [size=4K]',
      '$ lspci -vs 01:00.0; lspci -vs 02:00.0',
      '\tMemory at f3000000 (32-bit, non-prefetchable) [size=4K]',
    ],
    [
      'unknown device 0: f0000000-f0000fff plain 32',
      '0000:84:00.0 0: f1000000-f1000fff plain 32',
      '0001:02:1f.7 0: f2000000-f2000fff plain 32',
      'unknown device 0: f3000000-f3000fff plain 32',
    ],
  ],
  [
    'broken by a mail program',
    [
      `> ${DEVICE}`,
      '> \tRegion 0: Memory at fa000000 (64-bit,',
      '> non-prefetchable) [size=16M]',
      '> \tRegion 2: Memory at fb000000 (32-bit, non-prefetchable)',
      '> [size=4K]',
    ],
    ['0000:03:00.0 0: fa000000-faffffff plain 64', '0000:03:00.0 2: fb000000-fb000fff plain 32'],
  ],
  [
    'lists and trees hold nothing of the kind',
    [
      '$ lspci -nn',
      '00:00.0 Host bridge [0600]: Example Corporation Host [8086:29c0] (rev 02)',
      '$ lspci -n',
      '00:00.0 0600: 8086:29c0 (rev 02)',
      '0000:00:01.0 Class 0300: 1234:1111',
    ],
    [],
  ],
];

test.each(forms)('%s', async (_, lines, expected) => {
  const opened = await open(...lines);
  expect(devicesOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual([]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('groups', async () => {
  const opened = await open(DEVICE, '\tIOMMU group: 425', '03:00.1 Audio device: Example', '\tIOMMU group: 425');
  expect(groupsOf(opened)).toEqual(['425: 0000:03:00.0 0000:03:00.1']);
});

describe('no range is made up', () => {
  test.each(['000c00', '00_0c0_000 [disabled] [size=128K]'])('of an expansion ROM at %s', async (rest) => {
    const opened = await openText(`${DEVICE}\n\tExpansion ROM at ${rest}\n`);
    expect(opened.facts.filter(({ kind }) => kind === 'bar')).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-number 2']);
  });

  test.each(['0000380000000000-000038ffffffff', '00380000000000-000038ffffffffff', 'f4000000-f5ffff'])(
    'behind a bridge, with a number that lost digits: %s',
    async (ends) => {
      const opened = await openText(
        `00:1c.0 PCI bridge: Example Corporation Root Port\n\tMemory behind bridge: ${ends}\n`,
      );
      expect(opened.facts.some(({ kind }) => kind === 'window')).toBe(false);
      expect(diagnosticsOf(opened)).toEqual(['warning damaged-number 2']);
    },
  );

  test('without a size, above 64 bits', async () => {
    const opened = await open(
      DEVICE,
      '\tRegion 0: Memory at f0000000 (32-bit, non-prefetchable)',
      '\tRegion 1: Memory at ffffffffffff0000 (64-bit, prefetchable) [size=128K]',
      '\tRegion 3: Memory at 1ffffffffffff0000 (64-bit, prefetchable) [size=4K]',
      '\tRegion 5: Memory at f1000000 (32-bit, non-prefetchable) [size=0]',
    );
    expect(devicesOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual([
      'info bar-without-size 2',
      'warning range-beyond-64-bits 3',
      'error too-many-digits 4',
      'warning empty-range 5',
    ]);
  });

  test('the very top is in range', async () => {
    const opened = await open(DEVICE, '\tRegion 0: Memory at ffffffffffff0000 (64-bit, prefetchable) [size=64K]');
    expect(devicesOf(opened)).toEqual(['0000:03:00.0 0: ffffffffffff0000-ffffffffffffffff prefetchable 64']);
  });
});
