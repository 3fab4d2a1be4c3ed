import { expect, test } from 'vitest';
import { Journal } from './journal.ts';

const open = (id: string, title = id) => ({ method: 'open' as const, params: { id, title, files: [] } });
const seek = (id: string, position: number) => ({ method: 'seek' as const, params: { id, position } });
const run = (id: string, model: string) => ({ method: 'run' as const, params: { id, model } });

test('documents are opened again in the order of their first opening, each with the latest of its other calls', () => {
  const journal = new Journal();
  for (const entry of [open('a'), open('b'), seek('a', 1), run('a', 'type1'), seek('a', 2), seek('b', 5)])
    journal.record(entry);
  expect(journal.takeAll()).toEqual([open('a'), run('a', 'type1'), seek('a', 2), open('b'), seek('b', 5)]);
});

test('opening a document again makes earlier calls void; closing it makes all void', () => {
  const journal = new Journal();
  for (const entry of [open('a'), seek('a', 1), open('a', 'again'), open('b'), seek('b', 1)]) journal.record(entry);
  journal.record({ method: 'close', params: { id: 'b' } });
  expect(journal.takeAll()).toEqual([open('a', 'again')]);
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
