import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failure, success } from '../../engine/protocol/result.ts';
import { HeldEngine, openText, settled, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { type CaseStore, restoreCase, saveCase, startAutosave } from './autosave.ts';
import { newCase } from './case-actions.ts';
import { setGuest } from './conflicts.ts';
import { open, setSelectedGroups } from './documents.ts';
// What is loaded on demand is there at once.
import './saved-view.ts';

const get = useApp.getState;
const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

class MemoryStore implements CaseStore {
  kept: unknown;
  saves = 0;
  load(): Promise<unknown> {
    return Promise.resolve(this.kept);
  }
  save(data: Blob): Promise<void> {
    this.kept = data;
    this.saves++;
    return Promise.resolve();
  }
  remove(): Promise<void> {
    this.kept = undefined;
    return Promise.resolve();
  }
}

const BLOCKED: CaseStore = {
  load: () => Promise.reject(new Error('blocked')),
  save: () => Promise.reject(new Error('blocked')),
  remove: () => Promise.reject(new Error('blocked')),
};

describe('keeping the case', () => {
  let store: MemoryStore;
  let stop: () => void = () => undefined;
  beforeEach(() => {
    startApp();
    store = new MemoryStore();
  });
  afterEach(() => {
    stop();
  });

  test('sources and view come back', async () => {
    await openText(MSI, 'one.txt');
    await openText(MSI.replace('groups/1', 'groups/2'), 'two.txt');
    await setGuest({ kind: 'machine', machine: 'q35', ram: 1n << 33n });
    await setSelectedGroups(get().selectedGroups.slice(1));
    useApp.setState({ scale: 'log', tab: 'hosts' });
    const before = get();
    await saveCase(store);
    startApp();
    expect(await restoreCase(store)).toBe(true);
    const { documents, selectedGroups, guest, scale, tab, conflicts } = get();
    expect(documents.map(({ title, sources }) => [title, sources.map(({ name }) => name)])).toEqual(
      before.documents.map(({ title, sources }) => [title, sources.map(({ name }) => name)]),
    );
    expect({ selectedGroups, guest, scale, tab }).toEqual({
      selectedGroups: before.selectedGroups,
      guest: before.guest,
      scale: 'log',
      tab: 'hosts',
    });
    expect(conflicts?.answer.text).toBe(before.conflicts?.answer.text);
  });

  test('a sample alone is not kept, and does not remove what is; a new case does', async () => {
    await openText(MSI, 'one.txt');
    await saveCase(store);
    startApp();
    await open('sample', [{ name: 's', data: new Blob([MSI]) }], { isSample: true });
    await saveCase(store);
    expect(store.saves).toBe(1);
    expect(store.kept).toBeInstanceOf(Blob);
    await newCase();
    await saveCase(store);
    expect(store.kept).toBeUndefined();
    expect(await restoreCase(store)).toBe(false);
  });

  test('what is no saved case is removed', async () => {
    store.kept = new Blob(['{}\n']);
    expect(await restoreCase(store)).toBe(false);
    expect(store.kept).toBeUndefined();
    expect(get().documents).toEqual([]);
  });

  test('a case that is too large is said, with the names of its files', async () => {
    const engine = new HeldEngine(['exportCase', 'importCase']);
    startApp(engine);
    await openText(MSI, 'one.txt');
    const saving = saveCase(store);
    await settled();
    await engine.at(0).answer(success({ data: new Blob(['names']), isComplete: false, names: ['one.txt'] }));
    await saving;
    expect(get().notice).toContain('larger than 64 MB');
    const restoring = restoreCase(store);
    await settled();
    const node = get().caseNode;
    await engine.at(1).answer(success({ case: node, view: '', missing: ['one.txt'], disconnected: [] }));
    expect(await restoring).toBe(false);
    expect(get().problem?.message).toContain('one.txt');
    const failing = saveCase(store);
    await settled();
    await engine.at(2).answer(failure('bug', 'broken'));
    await failing;
    expect(store.saves).toBe(1);
  });

  test('each change is saved after a moment; blocked storage is said once', async () => {
    stop = startAutosave(store);
    await openText(MSI, 'one.txt');
    await expect.poll(() => store.saves).toBe(1);
    stop();
    stop = startAutosave(BLOCKED);
    expect(await restoreCase(BLOCKED)).toBe(false);
    useApp.setState({ tab: 'hosts' });
    await expect.poll(() => get().notice).toContain('does not allow storage');
  });
});
