import { expect, test } from 'vitest';
import { groupsOf, openText } from '../../testing/read.ts';

const forms: [name: string, text: string, expected: string[]][] = [
  ['a driver before the device', 'pci 0000:00:1f.2: Adding to iommu group 7', ['7: 0000:00:1f.2']],
  ['a device that is not PCI', '[    0.4] platform MSFT0201:00: Adding to iommu group 0', ['0: MSFT0201:00']],
  [
    'an address in its name',
    'arm-smmu 15000000.iommu: probing\nufshcd 1d84000.ufshc: Adding to iommu group 4',
    ['4: 1d84000.ufshc'],
  ],
  ['a domain of its own', 'pci 10000:e1:00.0: Adding to iommu group 21', ['21: 10000:e1:00.0']],
  ['old kernels', 'iommu: Adding device 0000:00:02.0 to group 1', ['1: 0000:00:02.0']],
  ['old kernels, a name', 'iommu: Adding device ff650000.vpu to group 1', ['1: ff650000.vpu']],
  [
    'several of one group',
    'pci 0000:00:1f.0: Adding to iommu group 7\npci 0000:00:01.0: Adding to iommu group 8\npci 0000:00:1f.3: Adding to iommu group 7',
    ['7: 0000:00:1f.0 0000:00:1f.3', '8: 0000:00:01.0'],
  ],
  ['broken between words', '> vfio-pci 0000:00:05.0: Adding to\n> iommu group 12', ['12: 0000:00:05.0']],
  ['broken behind the device', 'vfio-pci 0000:00:05.0:\nAdding to iommu group 12', ['12: 0000:00:05.0']],
  ['broken in the number', 'vfio-pci 0000:00:05.0: Adding to iommu group 1\n2\n', ['12: 0000:00:05.0']],
  [
    'a time that hides the device',
    '2024-01-03T12:00:01,000001+01:00 fsl dprc.1: Adding to iommu group 3',
    ['3: dprc.1'],
  ],
  ['no device, no number', 'Adding to iommu group 3\npci 0000:00:05.0: Adding to iommu group', []],
  ['taken out', 'pci 0000:00:05.0: Removing from iommu group 3', []],
];

test.each(forms)('%s', async (_, text, expected) => {
  expect(groupsOf(await openText(`${text}\n`))).toEqual(expected);
});

test('the default type of domains is told, without a fact', async () => {
  const { facts, sources } = await openText(
    'iommu: Default domain type: Passthrough (set via kernel command line)\niommu: DMA domain TLB invalidation policy: lazy mode\n',
  );
  expect(facts).toMatchObject([{ code: 'default-domain-type', message: 'the default domain type is Passthrough' }]);
  expect(sources[0]).toMatchObject({ unrecognized: 0, formats: [{ name: 'kernel-log-groups', facts: 0 }] });
});
