import { expect, test, vi } from 'vitest';
import { type EngineResult, failure, success } from '../../engine/protocol/result.ts';
import { settled } from '../testing/app.ts';
import { type LoadPage, PageCache } from './page-cache.ts';

const rowsFrom = (offset: number, limit: number, name = 'row') =>
  success(Array.from({ length: limit }, (_, i) => `${name} ${offset + i}`));

test('loads the pages of the visible rows, each once', async () => {
  const onChange = vi.fn();
  const load = vi.fn<LoadPage<string>>(async (offset, limit) => rowsFrom(offset, limit));
  const cache = new PageCache<string>(onChange);
  cache.setSource(load, 1);
  cache.show(90, 110);
  cache.show(90, 111);
  expect(cache.rowAt(95)).toBeUndefined();
  await settled();
  expect(load.mock.calls).toEqual([
    [0, 100],
    [100, 100],
  ]);
  expect(cache.rowAt(95)).toBe('row 95');
  expect(cache.rowAt(110)).toBe('row 110');
  expect(cache.rowAt(200)).toBeUndefined();
  expect(onChange).toHaveBeenCalledTimes(2);
});

test('a changed list keeps its old rows until the new ones are there, and drops late answers to the old list', async () => {
  const pending: ((result: EngineResult<readonly string[]>) => void)[] = [];
  const load: LoadPage<string> = () => new Promise((resolve) => pending.push(resolve));
  const cache = new PageCache<string>(() => undefined);
  cache.setSource(load, 1);
  cache.show(0, 10);
  pending[0]?.(rowsFrom(0, 100, 'old'));
  await settled();
  cache.setSource(load, 2);
  cache.setSource(load, 3);
  expect(pending).toHaveLength(3);
  expect(cache.rowAt(5)).toBe('old 5');
  pending[2]?.(rowsFrom(0, 100, 'new'));
  await settled();
  pending[1]?.(rowsFrom(0, 100, 'late'));
  await settled();
  expect(cache.rowAt(5)).toBe('new 5');
});

test('pages of an old list that were not visible are loaded again when they are', async () => {
  const cache = new PageCache<string>(() => undefined);
  let name = 'old';
  const load: LoadPage<string> = async (offset, limit) => rowsFrom(offset, limit, name);
  cache.setSource(load, 1);
  cache.show(0, 10);
  await settled();
  cache.show(500, 510);
  await settled();
  name = 'new';
  cache.setSource(load, 2);
  await settled();
  cache.show(0, 10);
  await settled();
  expect(cache.rowAt(3)).toBe('new 3');
  expect(cache.rowAt(505)).toBe('new 505');
});

test('keeps a limited number of pages, those near the visible rows', async () => {
  const cache = new PageCache<string>(() => undefined);
  cache.setSource(async (offset, limit) => rowsFrom(offset, limit));
  for (let page = 0; page < 60; page++) {
    cache.show(page * 100, page * 100 + 50);
    await settled();
  }
  expect(cache.rowAt(0)).toBeUndefined();
  expect(cache.rowAt(5950)).toBe('row 5950');
  expect(cache.rowAt(5850)).toBe('row 5850');
});

test('says why a page could not be loaded, until one can', async () => {
  const results = [failure('unusable', 'no such text'), failure('engine-restarted', 'restarted'), rowsFrom(0, 100)];
  const cache = new PageCache<string>(() => undefined);
  cache.setSource(async () => results.shift() ?? rowsFrom(0, 100), 1);
  cache.show(0, 10);
  await settled();
  expect(cache.error?.message).toBe('no such text');
  cache.setSource(async () => results.shift() ?? rowsFrom(0, 100), 2);
  await settled();
  expect(cache.error).toBeUndefined();
  cache.setSource(async () => results.shift() ?? rowsFrom(0, 100), 3);
  await settled();
  expect(cache.rowAt(0)).toBe('row 0');
});
