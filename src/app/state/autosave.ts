// Saves the case in the browser shortly after each change, and opens it again with the page.
import { useApp } from './app-state.ts';
import { applyCase } from './documents.ts';
import { engine } from './engine.ts';
import { notify, showError } from './notices.ts';
import { arrange } from './picture.ts';

const { getState: get, setState: set } = useApp;

/** Storage for the case. Any operation may fail: browsers can block storage. */
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

/** The case is saved after this many milliseconds without a change. */
const SAVE_DELAY = 800;

/** The parts of the state that are saved with the case. */
const KEPT = ['caseNode', 'documents', 'selectedGroups', 'expanded', 'scale', 'tab', 'guest', 'pageSize'] as const;

/** Whether the last case was too large to save: reported once. */
let isTooLarge = false;

/** Saves the case once. An empty case, or one with only samples, is not saved. */
export async function saveCase(store: CaseStore): Promise<void> {
  const { documents, sampleIds, addressed, busy } = get();
  if (documents.every(({ id }) => sampleIds.includes(id) || addressed?.ids.includes(id))) {
    // The initial sample, or a link that replaces the case, must not remove the saved case.
    if (documents.length === 0 && !busy) {
      await store.remove();
      set({ kept: undefined });
    }
    return;
  }
  const { viewText } = await import('./saved-view.ts');
  const exported = await engine().call('exportCase', { view: viewText(get()) });
  if (!exported.ok) return;
  const { data, isComplete } = exported.value;
  await store.save(data);
  set({ kept: { bytes: data.size, isComplete } });
  const wasTooLarge = isTooLarge;
  isTooLarge = !isComplete;
  if (isTooLarge && !wasTooLarge) {
    notify('The case is larger than 64 MB: only the names of its files are saved in this browser.');
  }
}

/** Opens the saved case. False if there is none, or if it cannot be opened; then it is removed. */
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
  const { case: node, view: text, missing, disconnected } = imported.value;
  if (missing.length > 0) {
    showError('The last case was too large to save', `Open its files again: ${missing.join(', ')}.`);
    return false;
  }
  applyCase(node);
  set({ kept: { bytes: data.size, isComplete: true } });
  const { parseView } = await import('./saved-view.ts');
  const view = parseView(text);
  if (view) {
    const { selectedGroups, expanded, scale, tab, guest, pageSize } = view;
    set({ selectedGroups, expanded, scale, tab, guest, pageSize });
  }
  await arrange('all');
  const live = disconnected.length === 0 ? '' : ` Not connected, as last reported: ${disconnected.join(', ')}.`;
  notify(`The last case was opened again.${live}`);
  return true;
}

/** Saves the case after each change from now on. If storage is blocked, nothing is saved, which is reported once. */
export function startAutosave(store: CaseStore): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBlocked = false;
  const save = async () => {
    try {
      await saveCase(store);
    } catch {
      isBlocked = true;
      notify('This case is not saved: the browser does not allow storage.');
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
