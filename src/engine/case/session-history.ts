// What was changed in sessions, to undo and redo it. Apart from changed-session.ts: notes keep it, without changing operations.
import type { SessionEvent } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';

/** Events of a session that take the place of others: `removed` are at `index` before, `added` after. */
export interface Change {
  readonly index: number;
  readonly removed: readonly SessionEvent[];
  readonly added: readonly SessionEvent[];
}

interface History {
  readonly done: Change[];
  readonly undone: Change[];
}

/** By the events of a session, which stay the same array. */
const histories = new WeakMap<readonly SessionEvent[], History>();

export function historyOf({ session: { events } }: EngineDocument): History {
  const known = histories.get(events);
  if (known) return known;
  const made: History = { done: [], undone: [] };
  histories.set(events, made);
  return made;
}

/**
 * Keeps the undo of a session when its events are copied to another array, in which one of them (`removed`, an index) is
 * missing, or others were added behind the last.
 */
export function keepHistory(from: readonly SessionEvent[], to: readonly SessionEvent[], removed?: number): void {
  const history = histories.get(from);
  if (!history) return;
  const moved = (change: Change): Change =>
    removed !== undefined && change.index > removed ? { ...change, index: change.index - 1 } : change;
  histories.set(to, { done: history.done.map(moved), undone: history.undone.map(moved) });
}
