// The calls that a new worker must replay to open the same case as the previous one.
import type { Method, Params } from '../protocol/methods.ts';

/** Methods that change what is open. Which host a source joins depends on what was open before, so their order matters. */
type ChangingMethod =
  | 'stage'
  | 'open'
  | 'close'
  | 'closeSource'
  | 'moveSource'
  | 'openMember'
  | 'renameHost'
  | 'undo'
  | 'newCase'
  | 'forget'
  | 'setDevice'
  | 'setKernel'
  | 'setNote'
  | 'importCase'
  | 'changeEvents'
  | 'conceal'
  | 'seek'
  | 'run';
const CHANGING: ReadonlySet<Method> = new Set<ChangingMethod>([
  'stage',
  'open',
  'close',
  'closeSource',
  'moveSource',
  'openMember',
  'renameHost',
  'undo',
  'newCase',
  'forget',
  'setDevice',
  'setKernel',
  'setNote',
  'importCase',
  'changeEvents',
  'conceal',
  'seek',
  'run',
]);

export interface JournalEntry {
  readonly method: Method;
  readonly params: unknown;
}

interface EntryOfDocument {
  readonly method: 'conceal' | 'seek' | 'run';
  readonly params: Params<'conceal' | 'seek' | 'run'>;
}

/** Moving through a document, hiding events and running it: only the latest call of each counts. */
function isOfDocument(entry: JournalEntry): entry is EntryOfDocument {
  return entry.method === 'conceal' || entry.method === 'seek' || entry.method === 'run';
}

/** The successful calls that led to the current case, in order. */
export class Journal {
  #entries: JournalEntry[] = [];

  /** Records a call that has succeeded; calls that change nothing are ignored. */
  record({ method, params }: JournalEntry): void {
    if (!CHANGING.has(method)) return;
    const entry = { method, params };
    // Earlier calls no longer matter.
    if (method === 'forget') this.#entries = [];
    else if (method === 'stage' && (params as Params<'stage'>).isFirst) {
      // Files that were handed over for an opening that did not succeed.
      while (this.#entries.at(-1)?.method === 'stage') this.#entries.pop();
      this.#entries.push(entry);
    } else if (isOfDocument(entry)) {
      const { id } = entry.params;
      this.#entries = this.#entries.filter((e) => !(isOfDocument(e) && e.method === method && e.params.id === id));
      this.#entries.push(entry);
    } else this.#entries.push(entry);
  }

  /** Removes all entries and returns them in order. */
  takeAll(): JournalEntry[] {
    const all = this.#entries;
    this.#entries = [];
    return all;
  }
}
