// The tabs below the timeline, and jumps to the text of a source.
import { type TabName, type TextPlace, useApp } from './app-state.ts';
import { foldPanel } from './frame.ts';

const { getState: get, setState: set } = useApp;

export function showTab(tab: TabName): void {
  set({ tab });
  foldPanel('details', false);
}

/** Opens the text of a source at a line. */
export function showText(text: TextPlace): void {
  set({ text, tab: 'text' });
  foldPanel('details', false);
}

/** True if `source` is a file of the document, or a member of one of its archives. */
export function hasSource({ sources }: { readonly sources: readonly { readonly name: string }[] }, source: string) {
  return sources.some(({ name }) => source === name || source.startsWith(`${name}/`));
}

/** Opens the text of a source at a line, counted from 1, in the first document that has the source. */
export function showPlace(source: string, line: number | undefined): void {
  const owner = get().documents.find((document) => hasSource(document, source));
  if (owner) showText({ id: owner.id, source, line: line ?? 1 });
}
