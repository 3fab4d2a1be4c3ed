import { describe, expect, test } from 'vitest';
import { groupsOf, openText, regionsOf } from '../../testing/read.ts';

async function groups(...lines: string[]): Promise<string[]> {
  return groupsOf(await openText(`${lines.join('\n')}\n`));
}

describe('types', () => {
  const forms: [name: string, lines: string[], expected: string[]][] = [
    [
      'grep, absolute',
      ['/sys/kernel/iommu_groups/7/type:DMA', '/sys/kernel/iommu_groups/8/type:DMA-FQ'],
      ['7 DMA: ', '8 DMA-FQ: '],
    ],
    ['grep, relative', ['7/type:identity', './8/type:DMA'], ['7 identity: ', '8 DMA: ']],
    ['grep -n', ['/sys/kernel/iommu_groups/7/type:1:DMA'], ['7 DMA: ']],
    [
      'head',
      ['==> 7/type <==', 'DMA', '', '==> /sys/kernel/iommu_groups/8/type <==', 'identity'],
      ['7 DMA: ', '8 identity: '],
    ],
    ['cat', ['# cat /sys/kernel/iommu_groups/7/type', 'DMA-FQ'], ['7 DMA-FQ: ']],
    ['cat of many', ['# cat /sys/kernel/iommu_groups/*/type', 'DMA'], []],
    ['a word that no kernel prints yet', ['/sys/kernel/iommu_groups/7/type:nested-hw'], ['7 nested-hw: ']],
    ['a type of something else', ['/sys/class/net/eth0/type:1', 'content/type: text', '7/type is what I mean'], []],
    ['the first one counts', ['7/type:DMA', '7/type:identity'], ['7 DMA: ']],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    expect(await groups(...lines)).toEqual(expected);
  });
});

describe('devices', () => {
  const ARROW = '-> ../../../../devices/pci0000:00/0000:00:1f.0';
  const forms: [name: string, lines: string[], expected: string[]][] = [
    [
      'find',
      [
        '/sys/kernel/iommu_groups/7/devices/0000:00:1f.0',
        '/sys/kernel/iommu_groups/7/devices/0000:00:1F.2',
        '/sys/kernel/iommu_groups/8/devices/10000:e1:00.0',
      ],
      ['7: 0000:00:1f.0 0000:00:1f.2', '8: 10000:e1:00.0'],
    ],
    ['find, relative', ['./7/devices/0000:00:1f.0', '8/devices/ABCD0001:00'], ['7: 0000:00:1f.0', '8: ABCD0001:00']],
    [
      'ls -l of paths',
      [`lrwxrwxrwx 1 root root 0 Feb 30 10:00 /sys/kernel/iommu_groups/7/devices/0000:00:1f.0 ${ARROW}`],
      ['7: 0000:00:1f.0'],
    ],
    [
      'ls -l of paths, wrapped',
      ['lrwxrwxrwx 1 root root 0 Feb 30 10:00', '/sys/kernel/iommu_groups/7/devices/0000:00:1f.0 ->', ARROW.slice(3)],
      ['7: 0000:00:1f.0'],
    ],
    [
      'a path broken inside',
      ['lrwxrwxrwx 1 root root 0 Feb 30 10:00 /sys/kernel/iommu_groups/7/devices/0000:0', `0:1f.0 ${ARROW}`],
      ['7: 0000:00:1f.0'],
    ],
    [
      'ls of one directory',
      ['$ ls /sys/kernel/iommu_groups/9/devices', '0000:00:1f.0  0000:00:1f.2', '0000:00:1f.3', '$ ls', '0000:ff:1f.0'],
      ['9: 0000:00:1f.0 0000:00:1f.2 0000:00:1f.3'],
    ],
    [
      'ls -l of one directory',
      [
        'ls -l /sys/kernel/iommu_groups/9/devices/',
        'total 0',
        `lrwxrwxrwx. 1 root root 0 Jan  1 00:00 0000:00:1f.0 ${ARROW}`,
        'lrwxrwxrwx. 1 root root 0 Jan  1 00:00 arm-smmu.0 -> ../../x',
      ],
      ['9: 0000:00:1f.0 arm-smmu.0'],
    ],
    [
      'ls of many directories',
      [
        '/sys/kernel/iommu_groups/0/devices:',
        '0000:00:00.0',
        '',
        '/sys/kernel/iommu_groups/1/devices:',
        '0000:00:01.0  0000:01:00.0',
        '',
        '0000:02:00.0',
      ],
      ['0: 0000:00:00.0', '1: 0000:00:01.0 0000:01:00.0'],
    ],
    ['an ls of nothing', ['$ ls /sys/kernel/iommu_groups/9/devices', 'and then I rebooted'], []],
    [
      'a loop, one line a device',
      [
        'IOMMU Group 7 00:1f.0 ISA bridge [0601]: Example Corp. LPC [8086:0000]',
        'IOMMU Group 7 00:1f.2 SATA controller [0106]: Example',
        'IOMMU Group 10 01:00.0 VGA',
      ],
      ['7: 0000:00:1f.0 0000:00:1f.2', '10: 0000:01:00.0'],
    ],
    [
      'a loop with titles',
      [
        'IOMMU Group 7:',
        '\t00:1f.0 ISA bridge [0601]: Example',
        '\t00:1f.2 SATA',
        'IOMMU Group 8:',
        '\t0001:01:00.0 VGA',
      ],
      ['7: 0000:00:1f.0 0000:00:1f.2', '8: 0001:01:00.0'],
    ],
    [
      'a loop with titles, wrapped',
      [
        'IOMMU Group 7:',
        '  00:1f.0 ISA bridge [0601]: Example Corporation',
        'LPC Controller (rev 05)',
        '  00:1f.2 SATA',
      ],
      ['7: 0000:00:1f.0 0000:00:1f.2'],
    ],
    [
      'a loop with ids first',
      [
        'Group 0:\t[1022:1480]     00:00.0  Host bridge',
        'Group 1:\t[1022:1482] [R] 00:01.0  PCI bridge',
        '\t\t[1022:1483] [R] 00:01.1  PCI bridge',
      ],
      ['0: 0000:00:00.0', '1: 0000:00:01.0 0000:00:01.1'],
    ],
    [
      'group and device',
      ['group 0 device 0000:00:01.0', 'group 0 device 0000:00:02.0', 'group 3 device arm-smmu-v3.0.auto'],
      ['0: 0000:00:01.0 0000:00:02.0', '3: arm-smmu-v3.0.auto'],
    ],
    [
      'several devices on a line',
      ['IOMMU group 5: 0000:00:01.0, 0000:01:00.0 0000:01:00.1'],
      ['5: 0000:00:01.0 0000:01:00.0 0000:01:00.1'],
    ],
    ['a device twice', ['group 0 device 0000:00:01.0', 'group 0 device 00:01.0'], ['0: 0000:00:01.0']],
    ['quoted', ['> IOMMU Group 7 00:1f.0 ISA bridge'], ['7: 0000:00:1f.0']],
    [
      'a group below its device, as lspci prints it',
      ['00:1f.0 ISA bridge', '\tIOMMU group: 7', '00:1f.2 SATA controller', '\tIOMMU group: 8'],
      ['7: 0000:00:1f.0', '8: 0000:00:1f.2'],
    ],
    [
      'a command only asks',
      ['# ls -l /sys/kernel/iommu_groups/7/devices/0000:00:1f.0/driver', 'ls: cannot access'],
      [],
    ],
    ['sentences', ['The group 7 has 3 devices.', 'group 12 is missing', 'we are a group of 5'], []],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    expect(await groups(...lines)).toEqual(expected);
  });
});

test('relative paths, in the directory that prompts and cd tell', async () => {
  expect(
    await groups(
      'root@box:/sys/kernel/iommu_groups/10# ls devices',
      '0000:00:1f.0  0000:00:1f.3',
      'root@box:/sys/kernel/iommu_groups/10# cat type',
      'DMA',
      'root@box:/sys/kernel/iommu_groups/10# cd ../11/devices && true',
      '# ls -1',
      '0000:00:1f.4',
      '# ls',
      '# cat ../type',
      'identity',
    ),
  ).toEqual(['10 DMA: 0000:00:1f.0 0000:00:1f.3', '11 identity: 0000:00:1f.4']);
});

test('what several places of a source say of a group is one fact, where the group was first seen', async () => {
  const opened = await openText(
    [
      '==> 7/type <==',
      'DMA',
      '# cat /sys/kernel/iommu_groups/7/reserved_regions',
      '0x0000000000000000 0x0000000000ffffff direct',
      '# ls /sys/kernel/iommu_groups/7/devices',
      '0000:00:1f.0',
      'group 7 device 0000:00:1f.2',
    ].join('\n'),
  );
  expect(opened.facts.map((fact) => [fact.kind, fact.line])).toEqual([
    ['group', 1],
    ['reserved', 4],
  ]);
  expect(groupsOf(opened)).toEqual(['7 DMA: 0000:00:1f.0 0000:00:1f.2']);
  expect(regionsOf(opened)).toEqual(['7: 0-ffffff direct']);
});
