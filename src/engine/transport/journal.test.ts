import { expect, test } from 'vitest';
import { Journal } from './journal.ts';

const open = (id: string, title = id) => ({ method: 'open' as const, params: { id, title, files: [] } });
const seek = (id: string, position: number) => ({ method: 'seek' as const, params: { id, position } });
const run = (id: string, model: string) => ({ method: 'run' as const, params: { id, model } });

test('calls are repeated in their order, of those that move through a document only the latest', () => {
  const journal = new Journal();
  for (const entry of [open('a'), open('b'), seek('a', 1), run('a', 'type1'), seek('a', 2), seek('b', 5)])
    journal.record(entry);
  expect(journal.takeAll()).toEqual([open('a'), open('b'), run('a', 'type1'), seek('a', 2), seek('b', 5)]);
});

test('closing and undoing are repeated too: they decide where later sources go; forgetting makes all void', () => {
  const journal = new Journal();
  const close = { method: 'closeSource' as const, params: { sourceId: 'source 1' } };
  const undo = { method: 'undo' as const, params: null };
  for (const entry of [open('a'), close, undo, open('b')]) journal.record(entry);
  expect(journal.takeAll()).toEqual([open('a'), close, undo, open('b')]);
  for (const entry of [open('a'), { method: 'forget' as const, params: null }, open('b')]) journal.record(entry);
  expect(journal.takeAll()).toEqual([open('b')]);
});

test('files are handed over again before they are opened, without those of an opening that failed', () => {
  const journal = new Journal();
  const stage = (name: string, isFirst: boolean) => ({
    method: 'stage' as const,
    params: { files: [{ name, data: new Blob() }], isFirst },
  });
  for (const entry of [open('a'), stage('lost', true), stage('lost too', false)]) journal.record(entry);
  const later = [stage('b', true), stage('c', false), open('b')];
  for (const entry of later) journal.record(entry);
  expect(journal.takeAll()).toEqual([open('a'), ...later]);
});

test('calls that change nothing are not kept', () => {
  const journal = new Journal();
  journal.record(open('a'));
  for (const method of ['describe', 'arrange', 'live', 'documents', 'save'] as const)
    journal.record({ method, params: { id: 'a' } });
  expect(journal.takeAll()).toEqual([open('a')]);
});

test('what was taken is no longer in it', () => {
  const journal = new Journal();
  journal.record(open('a'));
  journal.takeAll();
  expect(journal.takeAll()).toEqual([]);
});
