// The current session: the one whose events are listed, stepped through and explained. The picture may show others as well.
// Loaded when it is used.
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventFilter, EventRow } from '../../engine/protocol/sessions.ts';
import { useApp } from './app-state.ts';
import { seek, updateDocument } from './documents.ts';
import { engine } from './engine.ts';
import { explain } from './explanation.ts';
import { announce, notify } from './notices.ts';
import { selectEvent } from './selection.ts';
import { shownSession } from './shown-session.ts';

export { shownSession };

const { getState: get, setState: set } = useApp;

export function showSession(id: string): void {
  set({ session: id, eventFilter: {} });
}

/** Replaces parts of the filter of the list of events. */
export function setEventFilter(change: EventFilter): void {
  set({ eventFilter: { ...get().eventFilter, ...change } });
}

/** The session that can be stepped through; shows a notice if the shown one cannot. */
function steppable(): DocumentNode | undefined {
  const document = shownSession(get());
  if (!document) return undefined;
  if (document.hasHistory) return document;
  notify(`${document.title} has no events over time`);
  return undefined;
}

/** An event as text for screen readers. */
function sentenceOf({ title, events }: DocumentNode, { position, object, text, answer, refused }: EventRow): string {
  const subject = object === undefined || text.includes(object) ? text : `${object}: ${text}`;
  const result = refused ? `, refused: ${answer ?? ''} ${refused.message}` : answer === undefined ? '' : `, ${answer}`;
  return `${title}, event ${position} of ${events}: ${subject}${result}`;
}

/** Hides the events of a session after the first `from`, until they are stepped to; null: shows all. */
export async function hideEvents(id: string, from: number | null): Promise<void> {
  const hidden = await engine().call('conceal', { id, from });
  if (hidden.ok) await updateDocument(hidden.value, true);
  set({ explained: undefined });
}

/** One event back or forward in the shown session. */
export async function stepEvent(direction: 1 | -1): Promise<void> {
  const document = steppable();
  if (!document) return;
  const { id, title } = document;
  let { events } = document;
  if (direction > 0 && document.position === events && document.isConcealed) {
    if (get().reader?.session === id) {
      notify('The lesson shows later events step by step: press Space');
      return;
    }
    await hideEvents(id, events + 1);
    events++;
  }
  const position = Math.min(events, Math.max(0, document.position + direction));
  if (position !== document.position) await seek(id, position);
  if (position === 0) {
    announce(`${title}, before event 1 of ${events}`);
    return;
  }
  const rows = await engine().call('events', { id, offset: position - 1, limit: 1 });
  const [row] = rows.ok ? rows.value : [];
  // If another step was made in the meantime, only that one is announced.
  if (row && shownSession(get())?.position === position) announce(sentenceOf(document, row));
}

/** Shows an event: goes to its position, and shows why it was refused, or the range that a fact is drawn as. */
export async function showEvent(document: DocumentNode, row: EventRow): Promise<void> {
  const { id, hasHistory } = document;
  const { position, refused } = row;
  if (refused) await explain(id, row);
  else if (hasHistory) await seek(id, position);
  if (row.source !== undefined || !hasHistory) await selectEvent(id, position, { isQuiet: hasHistory });
}

/** Goes to the next or previous failed event of the shown session, from its current position. */
export async function stepFailure(direction: 'next' | 'previous'): Promise<void> {
  const document = shownSession(get());
  if (!document) return;
  await goToFailure(document, document.position, direction);
}

/** The first failure after a position, or the last one before it. */
export async function goToFailure(
  document: DocumentNode,
  position: number,
  direction: 'next' | 'previous',
): Promise<void> {
  const found = await engine().call('failure', { id: document.id, position, direction });
  if (!found.ok) return;
  if (found.value === null) {
    notify(`No ${direction === 'next' ? 'later' : 'earlier'} failed event in ${document.title}`);
    return;
  }
  await showEvent(document, found.value);
  announce(sentenceOf(document, found.value));
}
