// The undo and redo history of sessions. Separate from changed-session.ts, because notes keep the history without changing
// operations.
import type { ReadonlyEventList } from '../../session/event-list.ts';
import type { SessionEvent } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';

/** Events of a session that replace others: before the change, `removed` are at `index`; after it, `added`. */
export interface Change {
  readonly index: number;
  readonly removed: readonly SessionEvent[];
  readonly added: readonly SessionEvent[];
}

interface History {
  readonly done: Change[];
  readonly undone: Change[];
}

/** Keyed by the list of a session's events, which stays the same object. */
const histories = new WeakMap<ReadonlyEventList, History>();

export function historyOf({ session: { events } }: EngineDocument): History {
  const known = histories.get(events);
  if (known) return known;
  const made: History = { done: [], undone: [] };
  histories.set(events, made);
  return made;
}

/**
 * Keeps the undo history of a session when its events are copied to another list in which one event (`removed`, an index) is
 * missing, or others were appended.
 */
export function keepHistory(from: ReadonlyEventList, to: ReadonlyEventList, removed?: number): void {
  const history = histories.get(from);
  if (!history) return;
  const moved = (change: Change): Change =>
    removed !== undefined && change.index > removed ? { ...change, index: change.index - 1 } : change;
  histories.set(to, { done: history.done.map(moved), undone: history.undone.map(moved) });
}
