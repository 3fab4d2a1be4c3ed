import type { EngineError, EngineResult } from '../../engine/protocol/result.ts';

/** Loads rows `offset` to `offset + limit - 1` of a list, counted from 0; fewer at its end. */
export type LoadPage<T> = (offset: number, limit: number) => Promise<EngineResult<readonly T[]>>;

interface Page<T> {
  readonly rows: readonly T[];
  /** The version of the list that the rows are from. */
  readonly version: number;
}

/** Rows of a page: enough for a screen, few enough to answer at once. */
const PAGE_SIZE = 100;
/** Maximum number of cached pages; those farthest from the visible rows are dropped first. */
const PAGES_MAX = 20;

function sameValues(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/**
 * The rows of a long list, fetched by pages when they become visible. When the list changes, old rows stay until the new ones
 * arrive, so that nothing flickers.
 */
export class PageCache<T> {
  readonly #onChange: () => void;
  readonly #pages = new Map<number, Page<T>>();
  /** Pending pages, with the version for which they were requested. */
  readonly #pending = new Map<number, number>();
  #load: LoadPage<T> | undefined;
  #since: readonly unknown[] = [];
  #version = 0;
  #visible: readonly [first: number, last: number] = [0, -1];
  #error: EngineError | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Why the last page could not be loaded. */
  get error(): EngineError | undefined {
    return this.#error;
  }

  /** The row at `index`, counted from 0; undefined until its page is loaded. */
  rowAt(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.rows[index % PAGE_SIZE];
  }

  /** Sets where the rows come from. If one of `since` differs from before, the list has changed: it is loaded again. */
  setSource(load: LoadPage<T>, ...since: readonly unknown[]): void {
    this.#load = load;
    if (this.#version > 0 && sameValues(since, this.#since)) return;
    this.#since = since;
    this.#version++;
    this.#error = undefined;
    this.#loadVisible();
  }

  /** Loads the missing rows among `first` to `last`, both inclusive. */
  show(first: number, last: number): void {
    if (this.#visible[0] === first && this.#visible[1] === last) return;
    this.#visible = [first, last];
    this.#loadVisible();
  }

  #loadVisible(): void {
    const load = this.#load;
    const [first, last] = this.#visible;
    if (!load) return;
    for (let page = Math.floor(first / PAGE_SIZE); page * PAGE_SIZE <= last; page++) {
      const version = this.#version;
      if (this.#pages.get(page)?.version === version || this.#pending.get(page) === version) continue;
      this.#pending.set(page, version);
      void load(page * PAGE_SIZE, PAGE_SIZE).then((result) => this.#receive(page, version, result));
    }
  }

  #receive(page: number, version: number, result: EngineResult<readonly T[]>): void {
    if (this.#pending.get(page) === version) this.#pending.delete(page);
    // The list has changed since; its new rows are pending or will be requested when they become visible.
    if (version !== this.#version) return;
    if (result.ok) {
      this.#pages.set(page, { rows: result.value, version });
      this.#error = undefined;
    } else if (result.error.code !== 'engine-restarted') this.#error = result.error;
    this.#dropFarPages();
    this.#onChange();
  }

  #dropFarPages(): void {
    const middle = (this.#visible[0] + this.#visible[1]) / 2 / PAGE_SIZE;
    const distance = (page: number) => Math.abs(page + 0.5 - middle);
    const byDistance = [...this.#pages.keys()].sort((a, b) => distance(a) - distance(b));
    for (const page of byDistance.slice(PAGES_MAX)) this.#pages.delete(page);
  }
}
