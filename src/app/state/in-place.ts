// Opening something in place of what is open.
import { type AppState, useApp } from './app-state.ts';
import { BROWSER_STORE, saveCase } from './autosave.ts';
import { newCase, undo } from './case-actions.ts';

const { getState: get, setState: set } = useApp;

/** What is open, as the address bar names it; empty for a person's own case. */
export function openAddress({ documents, addressed }: Pick<AppState, 'documents' | 'addressed'>): string {
  const isAll = documents.length > 0 && documents.every(({ id }) => addressed?.ids.includes(id));
  return isAll ? (addressed?.part ?? '') : '';
}

/** Closes what is open, opens something else, and brings the first back if that fails. */
export async function inPlace(action: () => Promise<boolean>): Promise<boolean> {
  const hadDocuments = get().documents.length > 0;
  // To come back to it.
  if (hadDocuments && openAddress(get()) === '') await saveCase(BROWSER_STORE).catch(() => undefined);
  if (hadDocuments) await newCase();
  const isOpen = await action();
  if (!isOpen && hadDocuments) {
    const { problem } = get();
    await undo();
    set({ problem });
  }
  return isOpen;
}
