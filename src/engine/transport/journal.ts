// What a new worker must be given so that the same documents are open as in the one before.
import type { Method, Params } from '../protocol/methods.ts';

/** Methods that change what is open. */
type ChangingMethod = 'open' | 'close' | 'seek' | 'run';
const CHANGING: ReadonlySet<Method> = new Set<ChangingMethod>(['open', 'close', 'seek', 'run']);

export interface JournalEntry {
  readonly method: Method;
  readonly params: unknown;
}

interface ChangingEntry {
  readonly method: ChangingMethod;
  readonly params: Params<ChangingMethod>;
}

function isChanging(entry: JournalEntry): entry is ChangingEntry {
  return CHANGING.has(entry.method);
}

/** The successful calls that made each open document what it is. */
export class Journal {
  readonly #entries = new Map<string, JournalEntry[]>();

  /** Records a call that has succeeded; calls that change nothing are ignored. */
  record(entry: JournalEntry): void {
    if (!isChanging(entry)) return;
    const { method, params } = entry;
    if (method === 'close') {
      this.#entries.delete(params.id);
      return;
    }
    // The latest call of each method is enough; opening a document again discards the earlier ones.
    const earlier = method === 'open' ? [] : (this.#entries.get(params.id) ?? []).filter((e) => e.method !== method);
    this.#entries.set(params.id, [...earlier, { method, params }]);
  }

  /** Removes all entries and returns them, document by document, each in order. */
  takeAll(): JournalEntry[] {
    const all = [...this.#entries.values()].flat();
    this.#entries.clear();
    return all;
  }
}
