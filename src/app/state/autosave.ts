// The case is kept in the browser: saved a moment after each change, and opened again with the page.
import * as v from 'valibot';
import type { GuestChoice } from '../../engine/protocol/answers.ts';
import { isFact } from '../../session/events.ts';
import { parseEventLine } from '../../session/read.ts';
import { writeEvent } from '../../session/write.ts';
import { type AppState, useApp } from './app-state.ts';
import { applyCase } from './documents.ts';
import { engine } from './engine.ts';
import { notify, showError } from './notices.ts';
import { arrange } from './picture.ts';

const { getState: get, setState: set } = useApp;

/** Where the case is kept. All of it may fail: browsers can block storage. */
export interface CaseStore {
  load(): Promise<unknown>;
  save(data: Blob): Promise<void>;
  remove(): Promise<void>;
}

const KEY = 'case';

/** IndexedDB. */
export const BROWSER_STORE: CaseStore = {
  load: async () => (await import('idb-keyval')).get(KEY),
  save: async (data) => (await import('idb-keyval')).set(KEY, data),
  remove: async () => (await import('idb-keyval')).del(KEY),
};

/** Milliseconds without a change after which the case is saved. */
const SAVE_DELAY = 800;

const TABS = ['table', 'events', 'questions', 'hosts', 'models', 'buffer', 'text', 'diagnostics'] as const;

const SIZE = v.pipe(
  v.string(),
  v.regex(/^\d{1,20}$/),
  v.transform((text) => BigInt(text)),
);
const GUEST = v.variant('kind', [
  v.object({ kind: v.literal('machine'), machine: v.string(), ram: SIZE }),
  // As a fact of a session file.
  v.object({ kind: v.literal('definition'), fact: v.string() }),
  v.object({ kind: v.literal('document'), id: v.string(), guest: v.string() }),
  v.object({ kind: v.literal('ranges'), text: v.string() }),
]);
const VIEW = v.object({
  selectedGroups: v.array(v.string()),
  expanded: v.array(v.string()),
  scale: v.picklist(['fold', 'linear', 'log']),
  tab: v.picklist(TABS),
  guest: v.optional(GUEST),
  pageSize: v.optional(SIZE),
});

/** What of the page is kept with the case. */
const KEPT = ['caseNode', 'documents', 'selectedGroups', 'expanded', 'scale', 'tab', 'guest', 'pageSize'] as const;

type KeptGuest = v.InferOutput<typeof GUEST>;

function keptGuest(guest: GuestChoice | undefined): KeptGuest | undefined {
  if (guest?.kind !== 'definition') return guest;
  return { kind: 'definition', fact: writeEvent({ kind: 'machine', ...guest.definition }) };
}

function guestOf(kept: KeptGuest | undefined): GuestChoice | undefined {
  if (kept?.kind !== 'definition') return kept;
  const { event } = parseEventLine(kept.fact);
  if (!event || !isFact(event) || event.kind !== 'machine') return undefined;
  const { kind: _kind, ...definition } = event;
  return { kind: 'definition', definition };
}

/** The view as text, to be kept with the case. */
function viewText({ selectedGroups, expanded, scale, tab, guest, pageSize }: AppState): string {
  const view = { selectedGroups, expanded, scale, tab, guest: keptGuest(guest), pageSize };
  return JSON.stringify(view, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

function parseView(text: string): v.InferOutput<typeof VIEW> | undefined {
  try {
    const parsed = v.safeParse(VIEW, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the last case was too large to keep: said once. */
let isTooLarge = false;

/** Saves the case once. A case of samples only is not kept, nor is an empty one. */
export async function saveCase(store: CaseStore): Promise<void> {
  const { documents, sampleIds } = get();
  if (documents.every(({ id }) => sampleIds.includes(id))) {
    // The sample that the page begins with must not remove what was kept.
    if (documents.length === 0) {
      await store.remove();
      set({ kept: undefined });
    }
    return;
  }
  const exported = await engine().call('exportCase', { view: viewText(get()) });
  if (!exported.ok) return;
  const { data, isComplete } = exported.value;
  await store.save(data);
  set({ kept: { bytes: data.size, isComplete } });
  const wasTooLarge = isTooLarge;
  isTooLarge = !isComplete;
  if (isTooLarge && !wasTooLarge) {
    notify('The case is larger than 64 MB: only the names of its files are kept in this browser.');
  }
}

/** Opens the case that was kept. False if there is none, or if it cannot be opened: then it is removed. */
export async function restoreCase(store: CaseStore): Promise<boolean> {
  let data: unknown;
  try {
    data = await store.load();
  } catch {
    return false;
  }
  if (!(data instanceof Blob)) return false;
  const imported = await engine().call('importCase', { data });
  if (!imported.ok) {
    await store.remove().catch(() => undefined);
    return false;
  }
  const { case: node, view: text, missing } = imported.value;
  if (missing.length > 0) {
    showError('The last case was too large to keep', `Open its files again: ${missing.join(', ')}.`);
    return false;
  }
  applyCase(node);
  set({ kept: { bytes: data.size, isComplete: true } });
  const view = parseView(text);
  if (view) {
    const { selectedGroups, expanded, scale, tab, guest, pageSize } = view;
    set({ selectedGroups, expanded, scale, tab, guest: guestOf(guest), pageSize });
  }
  await arrange('all');
  notify('The last case was opened again.');
  return true;
}

/** Saves the case after each change from now on. Without storage nothing is kept, which is said once. */
export function startAutosave(store: CaseStore): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBlocked = false;
  const save = async () => {
    try {
      await saveCase(store);
    } catch {
      isBlocked = true;
      notify('This case is not kept: the browser does not allow storage.');
    }
  };
  const stop = useApp.subscribe((now, before) => {
    if (isBlocked || KEPT.every((key) => now[key] === before[key])) return;
    clearTimeout(timer);
    timer = setTimeout(() => void save(), SAVE_DELAY);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
