import { beforeEach, describe, expect, test } from 'vitest';
import { openText, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { makeAnotherHost, newCase, setDevice, setKernel, undo } from './case-actions.ts';
import { dismissPlaced } from './notices.ts';

const get = useApp.getState;
const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';
const DEVICES = [1, 2]
  .map(
    (group) =>
      `/sys/kernel/iommu_groups/${group}/devices/0000:00:0${group}.0\n${MSI.replace('groups/1', `groups/${group}`)}`,
  )
  .join('');
const titles = () => get().documents.map(({ title }) => title);
const sources = () => get().documents.map((document) => document.sources.map(({ name }) => name));

describe('changes of the case', () => {
  beforeEach(() => {
    startApp();
  });

  test('an opening says where it went and can be undone', async () => {
    await openText(MSI, 'one.txt');
    await openText(MSI, 'two.txt');
    expect(get().placed?.text).toBe('two.txt joined Host A');
    await undo();
    expect(get().placed).toBeUndefined();
    expect(sources()).toEqual([['one.txt']]);
    expect(get().notice).toBe('Undone: Open two.txt');
    await undo();
    expect(get().documents).toEqual([]);
    await undo();
    expect(get().problem?.title).toBe('Nothing was undone');
  });

  test('what joined can be made another host', async () => {
    await openText(MSI, 'one.txt');
    await openText(MSI, 'two.txt');
    await makeAnotherHost(get().placed?.placements ?? []);
    expect(titles()).toEqual(['Host A', 'Host B']);
    expect(sources()).toEqual([['one.txt'], ['two.txt']]);
    expect(get().selectedGroups).toHaveLength(2);
    expect(get().notice).toBe('Host B is now a separate host');
    await makeAnotherHost([]);
    expect(titles()).toHaveLength(2);
  });

  test('the notice of an opening can be closed', async () => {
    await openText(MSI, 'one.txt');
    dismissPlaced();
    expect(get().placed).toBeUndefined();
  });

  test('the device to assign selects its group; none selects all again', async () => {
    await openText(DEVICES);
    expect(get().selectedGroups).toHaveLength(2);
    expect(await setDevice('0000:00:02.0')).toBe(true);
    expect(get().caseNode?.device).toMatchObject({ device: '0000:00:02.0', origin: 'chosen' });
    expect(get().selectedGroups).toHaveLength(1);
    expect(await setDevice(null)).toBe(true);
    expect(get().selectedGroups).toHaveLength(2);
    expect(await setDevice('0000:00:1f.0')).toBe(false);
    expect(get().problem?.title).toBe('The device was not chosen');
  });

  test('the kernel whose rules answer', async () => {
    await openText(MSI);
    expect(await setKernel('6.1')).toBe(true);
    expect(get().caseNode?.kernel).toEqual({ version: '6.1', isChosen: true });
    expect(await setKernel('six')).toBe(false);
    expect(await setKernel(null)).toBe(true);
    expect(get().caseNode?.kernel).toBeUndefined();
  });

  test('a new case is empty and can be undone', async () => {
    await openText(MSI);
    await newCase();
    expect(get().documents).toEqual([]);
    expect(get().selectedGroups).toEqual([]);
    await undo();
    expect(titles()).toEqual(['Host A']);
  });
});
