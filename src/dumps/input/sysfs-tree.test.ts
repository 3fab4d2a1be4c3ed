import { describe, expect, test } from 'vitest';
import { groupsOf, inputOf, openAll, regionsOf } from '../testing/read.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const ISA = '0x0000000000000000 0x0000000000ffffff direct\n';

describe('folders', () => {
  test('a folder whose links were followed or lost', async () => {
    const opened = await openAll([
      { ...inputOf('lab/iommu_groups/7/devices/0000:00:1f.0/vendor', '0x8086\n'), tree: 'lab' },
      { ...inputOf('lab/iommu_groups/7/reserved_regions', ISA), tree: 'lab' },
      { ...inputOf('lab/devices/0000:00:02.0/iommu_group/reserved_regions', MSI), tree: 'lab' },
    ]);
    expect(regionsOf(opened)).toEqual(['7: 0-ffffff direct', '0000:00:02.0: fee00000-feefffff msi']);
    expect(groupsOf(opened)).toEqual(['7: 0000:00:1f.0']);
  });

  test('the groups alone, in a folder of another name', async () => {
    const tree = 'lab';
    const opened = await openAll([
      { ...inputOf('lab/7/devices/0000:00:02.0', ''), tree, link: '../../../../devices/pci0000:00/0000:00:02.0' },
      { ...inputOf('lab/7/reserved_regions', ISA), tree },
      { ...inputOf('lab/7/type', 'DMA\n'), tree },
      { ...inputOf('lab/8/type', 'something\n'), tree },
      { ...inputOf('lab/9/devices/config', ''), tree, link: '../../etc/config' },
    ]);
    expect(groupsOf(opened)).toEqual(['7 DMA: 0000:00:02.0']);
    expect(regionsOf(opened)).toEqual(['7: 0-ffffff direct']);
  });

  test('trees and dumps of several machines stay apart', async () => {
    const opened = await openAll([
      { ...inputOf('all/a/sys/kernel/iommu_groups/7/type', 'DMA\n'), tree: 'all' },
      {
        ...inputOf('all/a/sys/devices/0000:00:02.0/iommu_group', ''),
        tree: 'all',
        link: '../../kernel/iommu_groups/7',
      },
      { ...inputOf('all/b/sys/kernel/iommu_groups/7/type', 'identity\n'), tree: 'all' },
      { ...inputOf('all/c.txt', 'group 7 device 00:03.0\ngroup 7 device 00:04.0\n'), tree: 'all' },
      { ...inputOf('all/d.txt', 'group 7 device 00:05.0\n'), tree: 'all' },
    ]);
    expect(groupsOf(opened)).toEqual([
      '7 DMA: 0000:00:02.0',
      '7 identity: ',
      '7: 0000:00:03.0 0000:00:04.0',
      '7: 0000:00:05.0',
    ]);
  });
});
