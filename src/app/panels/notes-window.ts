// The second window of the presenter's view: the notes are drawn into it by the page, which opens and closes it.
import { notify } from '../state/notices.ts';

/** Opens it with the styles of the page; undefined if the browser does not allow it. */
export function openNotesWindow(onKey: (event: KeyboardEvent) => void, onClosed: () => void): Window | undefined {
  const opened = window.open('', 'iovascope-notes', 'popup,width=560,height=760');
  if (!opened) {
    notify('The browser did not open a window: allow pop-ups for this page');
    return undefined;
  }
  const { document: notes } = opened;
  notes.title = 'Notes: iovascope';
  notes.documentElement.lang = 'en';
  notes.head.replaceChildren();
  for (const style of document.querySelectorAll('link[rel=stylesheet], style')) {
    notes.head.append(notes.importNode(style, true));
  }
  notes.body.replaceChildren();
  opened.addEventListener('keydown', onKey);
  opened.addEventListener('pagehide', onClosed);
  return opened;
}
