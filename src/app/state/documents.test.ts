import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Params } from '../../engine/protocol/methods.ts';
import { failure } from '../../engine/protocol/result.ts';
import { fleetFiles, machines } from '../../engine/testing/fleet.ts';
import { HeldEngine, openText, settled, startApp } from '../testing/app.ts';
import { useApp } from './app-state.ts';
import { newCase } from './case-actions.ts';
import { close, onClose, open, refreshAfterRestart, seek, setModel, setSelectedGroups } from './documents.ts';
import { engine } from './engine.ts';
import { explain } from './explanation.ts';
import { dismissProblem } from './notices.ts';
import { stepEvent } from './sessions.ts';

const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';
/** Of another host: its group has another region. */
const OTHER = '/sys/kernel/iommu_groups/1/reserved_regions:0x0000000008000000 0x00000000080fffff msi\n';
const SESSION = [
  '{"format":"iova-trace","version":1,"model":"iommufd"}',
  '{"op":"ioas.alloc","ioas":"a"}',
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x20000","length":"0x1000","iova":"0x5000"}',
  '',
].join('\n');

const get = useApp.getState;
const positionOf = (id: string) => get().documents.find((d) => d.id === id)?.position;
const areas = () => get().picture?.arrangement.spaces[0]?.lanes.find(({ title }) => title === 'areas')?.total;

describe('opening and closing', () => {
  beforeEach(() => {
    startApp();
  });

  test('what is opened is selected and announced; a second source joins the host unless it contradicts', async () => {
    await openText(MSI, 'one.txt');
    expect(get().notice).toBe('one.txt opened as Host A');
    await openText(MSI, 'two.txt');
    expect(get().notice).toBe('two.txt joined Host A');
    expect(get().documents.map(({ title }) => title)).toEqual(['Host A']);
    expect(get().selectedGroups).toHaveLength(1);
    await openText(OTHER, 'three.txt');
    expect(get().documents.map(({ title }) => title)).toEqual(['Host A', 'Host B']);
    expect(get().selectedGroups).toHaveLength(2);
    expect(get().busy).toBeUndefined();
  });

  test('many files are handed over in small parts, and opened together', async () => {
    const held = new HeldEngine(['open', 'stage']);
    startApp(held);
    const files = fleetFiles(machines(25));
    const opening = open('fleet', files);
    const parts: number[] = [];
    for (let i = 0; ; i++) {
      await expect.poll(() => held.held.length).toBe(i + 1);
      const { method, params } = held.at(i);
      const { files: part } = params as Params<'open'>;
      await held.at(i).release();
      if (method === 'open') break;
      parts.push(part.length);
    }
    await opening;
    expect(parts.reduce((sum, n) => sum + n, 0)).toBe(files.length);
    expect(Math.max(...parts)).toBeLessThan(50);
    expect(get().documents.map(({ title }) => title)).toEqual(['n00 (25 hosts alike)']);
    expect(get().notice).toBe('25 hosts of 1 kind opened');
  });

  test('an opening that was cancelled while its files were handed over opens nothing, then or later', async () => {
    const held = new HeldEngine(['stage']);
    startApp(held);
    const opening = open('fleet', fleetFiles(machines(25)));
    await expect.poll(() => held.held.length).toBe(1);
    await held.at(0).release();
    get().busy?.cancel();
    await held.at(1).answer(failure('cancelled', 'cancelled'));
    expect(await opening).toEqual([]);
    await openText(MSI, 'one.txt');
    expect(get().documents.map(({ title }) => title)).toEqual(['Host A']);
  });

  test('the first file replaces the sample, and nothing else', async () => {
    await open('sample', [{ name: 's', data: new Blob([MSI]) }], { isSample: true });
    expect(get().notice).toBe('');
    await openText(MSI, 'one.txt');
    await openText(OTHER, 'two.txt');
    expect(get().documents.map(({ title }) => title)).toEqual(['Host A', 'Host B']);
    expect(get().sampleIds).toEqual([]);
  });

  test('what cannot be read is an error with its first lines, and nothing changes', async () => {
    await openText(MSI, 'one.txt');
    await open('notes', [{ name: 'notes', data: new Blob(['shopping list\nmilk\n']) }]);
    expect(get().problem).toMatchObject({ title: 'notes was not opened' });
    expect(get().problem?.lines[0]).toContain("line 1: 'shopping list'");
    expect(get().documents).toHaveLength(1);
    dismissProblem();
    expect(get().problem).toBeUndefined();
  });

  test('closing deselects and ends what belongs to the document', async () => {
    const id = await openText(MSI, 'one.txt');
    await openText(OTHER, 'two.txt');
    const end = vi.fn();
    onClose(id, end);
    await close(id);
    await close(id);
    expect(end).toHaveBeenCalledTimes(1);
    expect(get().documents.flatMap(({ sources }) => sources.map(({ name }) => name))).toEqual(['two.txt']);
    expect(get().selectedGroups).toHaveLength(1);
  });

  test('reading shows its progress and can be cancelled', async () => {
    const held = new HeldEngine(['open']);
    startApp(held);
    const opening = open('big', [{ name: 'big', data: new Blob([MSI]) }]);
    const { options } = held.at(0);
    options?.onProgress?.({ done: 5, total: 10, what: 'big' });
    expect(get().busy).toMatchObject({ title: 'big', progress: { done: 5, total: 10 } });
    get().busy?.cancel();
    expect(options?.signal?.aborted).toBe(true);
    await held.at(0).answer(failure('cancelled', 'cancelled'));
    await opening;
    expect(get().notice).toBe('Cancelled; nothing changed.');
    expect(get().problem).toBeUndefined();
    expect(get().busy).toBeUndefined();
  });

  test('what is opened meanwhile waits for its turn, and nothing of it is lost', async () => {
    const held = new HeldEngine(['open']);
    startApp(held);
    const names = ['first', 'second', 'list', 'third'];
    const texts = [MSI, OTHER, 'shopping list', MSI];
    const all = names.map((name, i) => open(name, [{ name, data: new Blob([texts[i] ?? '']) }]));
    expect([held.held.length, get().busy?.title]).toEqual([1, 'first']);
    // The one that is under way can be cancelled alone.
    get().busy?.cancel();
    await held.at(0).answer(failure('cancelled', 'cancelled'));
    expect([held.held.length, get().busy?.title]).toEqual([2, 'second']);
    expect(held.at(1).options?.signal?.aborted).toBe(false);
    await held.at(1).release();
    await held.at(2).release();
    // What could not be read is said for as long as the others take.
    expect(get().problem?.title).toBe('list was not opened');
    await held.at(3).release();
    expect((await Promise.all(all)).map((placements) => placements.length)).toEqual([0, 1, 0, 1]);
    expect(get().documents.flatMap(({ sources }) => sources.map(({ name }) => name))).toEqual(['second', 'third']);
    expect(get().problem?.title).toBe('list was not opened');
    expect(get().busy).toBeUndefined();
    const next = open('next', [{ name: 'next', data: new Blob([OTHER]) }]);
    expect(get().problem).toBeUndefined();
    await held.at(4).release();
    await next;
  });

  test('a new case begins without what is being opened, and without what waits', async () => {
    const held = new HeldEngine(['open']);
    startApp(held);
    const all = ['first', 'second'].map((name) => open(name, [{ name, data: new Blob([MSI]) }]));
    const emptied = newCase();
    expect(held.at(0).options?.signal?.aborted).toBe(true);
    await held.at(0).answer(failure('cancelled', 'cancelled'));
    await emptied;
    expect(await Promise.all(all)).toEqual([[], []]);
    expect(held.held).toHaveLength(1);
    const next = open('next', [{ name: 'next', data: new Blob([OTHER]) }]);
    await held.at(1).release();
    expect(await next).toHaveLength(1);
    expect(get().documents).toHaveLength(1);
  });
});

describe('moments', () => {
  beforeEach(() => {
    startApp();
  });

  test('seeking changes the state that is drawn; steps stop at the ends', async () => {
    const id = await openText(SESSION, 's.iova.jsonl');
    expect(areas()).toBe(1);
    await seek(id, 1);
    expect(areas()).toBe(0);
    await stepEvent(1);
    expect(positionOf(id)).toBe(2);
    expect(areas()).toBe(1);
    await stepEvent(-1);
    await stepEvent(-1);
    await stepEvent(-1);
    expect(positionOf(id)).toBe(0);
  });

  test('fast seeks skip positions, and the last one is shown', async () => {
    const held = new HeldEngine(['seek']);
    startApp(held);
    const id = await openText(SESSION, 's.iova.jsonl');
    const first = seek(id, 1);
    void seek(id, 2);
    void seek(id, 0);
    expect(held.held).toHaveLength(1);
    expect(positionOf(id)).toBe(0);
    await held.at(0).release();
    // The answer for position 1 does not move the scrubber back.
    expect(positionOf(id)).toBe(0);
    await held.at(1).release();
    await first;
    expect(held.held).toHaveLength(2);
    expect(held.at(1).params).toMatchObject({ position: 0 });
    expect(positionOf(id)).toBe(0);
  });

  test('what was deselected stays deselected when the state changes', async () => {
    const id = await openText(SESSION, 's.iova.jsonl');
    void setSelectedGroups([]);
    await seek(id, 2);
    expect(get().selectedGroups).toEqual([]);
    await seek(id, 0);
    await seek(id, 3);
    // The address space was gone and is new again.
    expect(get().selectedGroups).toHaveLength(1);
  });

  test('another model answers for the same moment; an unknown one is an error', async () => {
    const id = await openText(SESSION, 's.iova.jsonl');
    await setModel(id, 'iommufd-rfc');
    expect(get().documents[0]).toMatchObject({ model: 'iommufd-rfc', position: 3 });
    await setModel(id, 'nonsense');
    expect(get().problem?.title).toBe('The operations cannot be run under nonsense');
    expect(get().documents[0]?.model).toBe('iommufd-rfc');
  });

  test('a refused operation is explained at its moment, until another is shown', async () => {
    const id = await openText(SESSION, 's.iova.jsonl');
    const events = await engine().call('events', { id, offset: 2, limit: 1 });
    const [row] = events.ok ? events.value : [];
    if (!row) throw new Error('no event');
    await explain(id, row);
    expect(get().explained?.bands.map(({ start, last, ink }) => [start, last, ink])).toEqual([
      [0x4000n, 0x5fffn, 'accent'],
      [0x5000n, 0x5fffn, 'alarm'],
    ]);
    expect(get().explained?.bands[1]?.message).toBe('requested, -EEXIST');
    await seek(id, 1);
    expect(get().explained).toBeUndefined();
  });
});

describe('a restart of the engine', () => {
  test('keeps the documents, and everything is requested again', async () => {
    startApp();
    await openText(MSI, 'one.txt');
    await refreshAfterRestart('crashed');
    expect(get().notice).toBe('The engine was restarted (crashed). Your documents are still open.');
    expect(get().engineRestarts).toBe(1);
    expect(get().problem).toBeUndefined();
  });

  test('says which documents were lost', async () => {
    startApp();
    const id = await openText(MSI, 'one.txt');
    await engine().call('close', { id });
    await refreshAfterRestart('crashed');
    await settled();
    expect(get().documents).toEqual([]);
    expect(get().problem).toMatchObject({ title: 'Some documents were lost' });
    expect(get().problem?.message).toContain('Host A');
  });
});
