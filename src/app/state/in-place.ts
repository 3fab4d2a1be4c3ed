// Replaces what is open by something else.
import { type AppState, useApp } from './app-state.ts';
import { BROWSER_STORE, saveCase } from './autosave.ts';
import { newCase, undo } from './case-actions.ts';

const { getState: get, setState: set } = useApp;

/** The address bar's name for what is open; empty for the user's own case. */
export function openAddress({ documents, addressed }: Pick<AppState, 'documents' | 'addressed'>): string {
  const isAll = documents.length > 0 && documents.every(({ id }) => addressed?.ids.includes(id));
  return isAll ? (addressed?.part ?? '') : '';
}

/** Closes what is open and opens something else; restores the former if that fails. */
export async function inPlace(action: () => Promise<boolean>): Promise<boolean> {
  const hadDocuments = get().documents.length > 0;
  // Saved, so that the user can return to it.
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
