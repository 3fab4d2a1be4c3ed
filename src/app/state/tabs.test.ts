import { beforeEach, expect, test } from 'vitest';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { showPlace, showTab } from './tabs.ts';

const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

beforeEach(() => {
  startApp();
});

test('a place opens the text of its source, also of a member of an archive', async () => {
  await openText(MSI, 'first.txt');
  const id = await openText(MSI, 'host.tar');
  showPlace('host.tar/sys/type', 7);
  expect(useApp.getState()).toMatchObject({ tab: 'text', text: { id, source: 'host.tar/sys/type', line: 7 } });
  showPlace('host.tar', undefined);
  expect(useApp.getState().text).toEqual({ id, source: 'host.tar', line: 1 });
});

test('a place in a source that is not open changes nothing', async () => {
  await openText(MSI, 'first.txt');
  showTab('events');
  showPlace('first.txt.old', 3);
  expect(useApp.getState()).toMatchObject({ tab: 'events', text: undefined });
});
