// Makes a session small enough for a link. The least important data is dropped first, and everything dropped is reported.
import type { ReadonlyEventList } from '../event-list.ts';
import type { SessionEvent } from '../events.ts';
import { isFact, isOperation } from '../events.ts';
import { newSession, type Session } from '../session.ts';
import { writeEvent, writeSession } from '../write.ts';

/** What was dropped, in the order in which it is tried. */
export interface Shrunk {
  readonly text: string;
  /** Facts that differ from an earlier one only in their source and line. */
  readonly duplicates: number;
  /** True if the sources and lines of facts were dropped. */
  readonly sources: boolean;
  /** Operations whose expected answers were dropped. */
  readonly expectations: number;
}

function withoutSource(event: SessionEvent): SessionEvent {
  if (!isFact(event)) return event;
  const { source: _source, line: _line, ...rest } = event;
  return rest as SessionEvent;
}

function withoutExpectation(event: SessionEvent): SessionEvent {
  if (!isOperation(event)) return event;
  const { expect: _expect, ...rest } = event;
  return rest as SessionEvent;
}

/**
 * Events for which the order or the number of equal facts matters, because they have times, or because `gone` counts positions.
 * Mappings, requests and faults are events in time even without a time.
 */
const KEPT_REPEATED = new Set(['map', 'unmap', 'request', 'fault', 'gone', 'diagnostic']);

/** Removes facts that repeat earlier ones. A session with `gone` is not changed. */
function withoutDuplicates(events: ReadonlyEventList): SessionEvent[] {
  if (events.some((event) => isFact(event) && event.kind === 'gone')) return events.slice();
  const seen = new Set<string>();
  return events.filter((event) => {
    if (!isFact(event) || KEPT_REPEATED.has(event.kind)) return true;
    const key = writeEvent(withoutSource(event));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * The session's text with as little dropped as possible so that `fits` accepts it: nothing, then duplicates, then sources, then
 * expectations as well. If even that does not fit, the smallest text.
 */
export function shrinkSession(session: Session, fits: (text: string) => boolean): Shrunk {
  let current = { text: writeSession(session), duplicates: 0, sources: false, expectations: 0 };
  if (fits(current.text)) return current;
  let events: readonly SessionEvent[] = withoutDuplicates(session.events);
  const textOf = () => writeSession({ ...newSession(), header: session.header, events: [...events] });
  // Unknown lines exist only as their original text.
  if (session.verbatim.events.size > 0 && session.events.some((event) => 'unknown' in event)) return current;
  current = { ...current, text: textOf(), duplicates: session.events.length - events.length };
  if (fits(current.text)) return current;
  events = events.map(withoutSource);
  current = { ...current, text: textOf(), sources: true };
  if (fits(current.text)) return current;
  const expectations = events.filter((event) => isOperation(event) && event.expect !== undefined).length;
  events = events.map(withoutExpectation);
  return { ...current, text: textOf(), expectations };
}
