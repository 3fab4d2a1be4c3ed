// Manual changes of a session: operations are added, replaced and removed at any position, and later operations run again.
import { answerOf, differingFields, type ReplayStep } from '../../kernel/replay/replay.ts';
import { isOperation, type Operation } from '../../session/events.ts';
import { spliceEvents } from '../../session/splice.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { OpenedSource } from './opened-source.ts';
import { type Change, historyOf } from './session-history.ts';

/** Maximum number of changes of a session that can be undone. */
const UNDO_MAX = 200;
/** Maximum number of operations after a change whose answers are compared with the earlier ones. */
const COMPARED_MAX = 2000;

/** The result of a change. */
export interface ChangedSession {
  readonly source: OpenedSource;
  readonly document: EngineDocument;
  /** Position of the first later operation whose answer changed, and how many of the compared ones changed. */
  readonly changedLater: { readonly first: number; readonly count: number } | undefined;
}

/** Replaces `count` events at an index (0 to the number of events) by others. The position is then after them. */
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

/** Undoes the last change of a session, or redoes the one that was undone last; undefined if there is none. */
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

/** The steps of the operations after a change, by their distance from it. */
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
    // The session no longer matches the text that it was read from.
    files: [],
    texts: [],
  };
  // Caches of a document's events may grow with them; any other change invalidates them.
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
