import { expect, test } from 'vitest';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { revealOwner } from './tree.ts';

test('the owner of a range is a device or a group of the tree', async () => {
  startApp();
  await openText(
    [
      '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
      'IOMMU Group 2 0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)',
      '',
    ].join('\n'),
  );
  expect(revealOwner('group 1')).toBe(true);
  expect(useApp.getState().revealed).toMatchObject({ groupKey: expect.stringMatching(/1$/) });
  expect(revealOwner('0000:0b:00.0')).toBe(true);
  expect(useApp.getState().revealed).toMatchObject({ device: '0000:0b:00.0' });
  expect(revealOwner('nobody')).toBe(false);
});
