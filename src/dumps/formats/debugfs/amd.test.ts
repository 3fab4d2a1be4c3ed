import { expect, test } from 'vitest';
import { openText } from '../../testing/read.ts';

const TITLE = 'DeviceId             QWORD[3]         QWORD[2]         QWORD[1]         QWORD[0] iommu';

test('devices with their IOMMU, and their domain if they have page tables', async () => {
  const { facts, sources } = await openText(
    [
      TITLE,
      '0000:01:00.0 0000000000000000 20000000333b8003 000000000004000e 6000000103f41613 iommu3',
      '0000:02:00.0 0000000000000000 0000000000000000 0000000000000000 0000000000000003 iommu0',
      'DeviceId 0000:01:00.0',
      'IRT[0000] 00000000000000200001e00000000241',
    ].join('\n'),
  );
  expect(facts).toMatchObject([
    { kind: 'device', device: '0000:01:00.0', iommu: 'ivhd3', domain: '0xe', levels: 3 },
    { kind: 'device', device: '0000:02:00.0', iommu: 'ivhd0' },
  ]);
  expect(facts[1]).not.toHaveProperty('domain');
  expect(sources[0]?.unrecognized).toBe(0);
});

test('a row with a number that is not whole is damaged', async () => {
  const { facts } = await openText(
    `${TITLE}\n0000:01:00.0 0000000000000000 2000… 000000000004000e 6000000103f41613 iommu3`,
  );
  expect(facts).toMatchObject([{ kind: 'diagnostic', code: 'damaged-root-table', line: 2 }]);
});
