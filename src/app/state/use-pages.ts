import { useEffect, useReducer, useState } from 'react';
import { useApp } from './app-state.ts';
import { type LoadPage, PageCache } from './page-cache.ts';

/**
 * The rows of a long list, by pages (see `PageCache`). The list is loaded again when one of `since` changes, and after a
 * restart of the engine.
 */
export function usePages<T>(load: LoadPage<T>, ...since: readonly unknown[]): PageCache<T> {
  const restarts = useApp((s) => s.engineRestarts);
  const [, rerender] = useReducer((n: number) => n + 1, 0);
  const [cache] = useState(() => new PageCache<T>(rerender));
  // At each rendering: `setSource` compares what the list depends on itself.
  useEffect(() => cache.setSource(load, restarts, ...since));
  return cache;
}
