// Changes of a session by hand: operations are added, replaced and removed at any place, and what follows is run again.
import { answerOf, differingFields, type ReplayStep } from '../../kernel/replay/replay.ts';
import { isOperation, type Operation } from '../../session/events.ts';
import { spliceEvents } from '../../session/splice.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { OpenedSource } from './opened-source.ts';
import { type Change, historyOf } from './session-history.ts';

/** Changes of a session that can be undone. */
const UNDO_MAX = 200;
/** Operations behind a change whose answers are compared with those before it. */
const COMPARED_MAX = 2000;

/** What came of a change. */
export interface ChangedSession {
  readonly source: OpenedSource;
  readonly document: EngineDocument;
  /** Positions of the first later operations whose answers changed, and how many of those that were compared. */
  readonly changedLater: { readonly first: number; readonly count: number } | undefined;
}

/** Puts events at an index (0 to the number of events) in place of `count` others. The position is then behind them. */
export function changeSession(
  source: OpenedSource,
  index: number,
  count: number,
  added: readonly Operation[],
): ChangedSession | undefined {
  const document = source.session;
  if (!document) return undefined;
  const removed = document.session.events.slice(index, index + count);
  const change = { index, removed, added };
  const { done, undone } = historyOf(document);
  done.push(change);
  if (done.length > UNDO_MAX) done.shift();
  undone.length = 0;
  return apply(source, document, change);
}

/** Undoes the last change of a session, or makes the one again that was undone last; undefined if there is none. */
export function repeatChange(source: OpenedSource, direction: 'undo' | 'redo'): ChangedSession | undefined {
  const document = source.session;
  if (!document) return undefined;
  const { done, undone } = historyOf(document);
  const change = (direction === 'undo' ? done : undone).pop();
  if (!change) return undefined;
  (direction === 'undo' ? undone : done).push(change);
  const { index, removed, added } = change;
  return apply(source, document, direction === 'redo' ? change : { index, removed: added, added: removed });
}

function changesOf(document: EngineDocument): EngineDocument['changes'] {
  const { done, undone } = historyOf(document);
  return { made: (document.changes?.made ?? 0) + 1, undo: done.length, redo: undone.length };
}

/** The steps of the operations behind a change, by their distance from it. */
function stepsBehind({ session, states }: EngineDocument, index: number): (ReplayStep | undefined)[] {
  const end = Math.min(session.events.length, index + COMPARED_MAX);
  return Array.from({ length: Math.max(0, end - index) }, (_, i) => states?.stepAt(index + i));
}

function isSameAnswer(a: ReplayStep | undefined, b: ReplayStep | undefined): boolean {
  if (!a || !b) return a === b;
  const [before, after] = [answerOf(a.outcome), answerOf(b.outcome)];
  if (!before || !after) return before === after;
  return Object.keys(before).length === Object.keys(after).length && differingFields(before, after).length === 0;
}

function apply(source: OpenedSource, document: EngineDocument, change: Change): ChangedSession {
  const { index, removed, added } = change;
  const { session, states } = document;
  const { events, lines } = session;
  const isAppended = index === events.length;
  const before = isAppended ? [] : stepsBehind(document, index + removed.length);
  spliceEvents(session, { index, removed: removed.length, added }, document.hasGone);
  states?.truncate(index);
  const operations = document.operations + added.filter(isOperation).length - removed.filter(isOperation).length;
  const about = {
    operations,
    sources: document.sources.map((summary, i) => (i === 0 ? { ...summary, operations } : summary)),
    position: index + added.length,
    changes: changesOf(document),
    // The text that it was read from says something else now.
    files: [],
    texts: [],
  };
  // What is kept about a document's events may grow with them; any other change makes it void.
  const changed = isAppended
    ? Object.assign(document, about)
    : { ...document, ...about, session: { ...session, events, lines } };
  const after = stepsBehind(changed, index + added.length);
  const differing = before.flatMap((step, i) => (isSameAnswer(step, after[i]) ? [] : [index + added.length + i + 1]));
  const [first] = differing;
  return {
    source: {
      ...source,
      files: [],
      read: { ...source.read, session: changed.session, sources: about.sources, operations, texts: [] },
      session: changed,
    },
    document: changed,
    changedLater: first === undefined ? undefined : { first, count: differing.length },
  };
}
