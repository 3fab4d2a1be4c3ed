// The case as one session file. Several hosts follow each other: each begins with a fact of kind `host` that has `part`,
// by which the file is taken apart when it is opened. The operations of one session come last.
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { newSession, type Session } from '../../session/session.ts';
import type { EngineDocument } from '../documents/document.ts';

export interface CaseSession {
  readonly session: Session;
  /** The documents that are in it, in the order in which opening it makes them. */
  readonly documents: readonly EngineDocument[];
  /** Events that are applied in the document with a history, as it is after opening; undefined if all are. */
  readonly at: number | undefined;
  /** The events that `at` counts. */
  readonly counted: readonly SessionEvent[];
  /** What is not in it, one sentence each. */
  readonly remarks: readonly string[];
}

/** Appends events. */
class Collector {
  readonly events: SessionEvent[] = [];
  readonly verbatim = new Map<number, string>();

  /** Where each event of the session went: undefined for those that are not wanted. */
  add(session: Session, wanted: (event: SessionEvent) => boolean): (number | undefined)[] {
    const places: (number | undefined)[] = [];
    for (const [i, event] of session.events.entries()) {
      const isWanted = wanted(event);
      places.push(isWanted ? this.events.length : undefined);
      if (!isWanted) continue;
      // A line that is not understood exists only as it was read.
      if (isUnknownEvent(event)) this.verbatim.set(this.events.length, session.verbatim.events.get(i) ?? '\n');
      if (isFact(event) && event.kind === 'gone') {
        this.events.push({ ...event, event: (places[event.event - 1] ?? event.event - 1) + 1 });
      } else this.events.push(event);
    }
    return places;
  }
}

export interface CaseSessionOptions {
  /** Id of the session whose operations are kept if there are several; the last one by default. */
  readonly sessionId?: string | undefined;
  /** What a person called it. */
  readonly title?: string | undefined;
}

/** Of a host that nothing names: opened again, it gets a letter again. */
const LETTER_NAME = /^Host [A-Z]+$/;

/** True if the facts of a host state its name. */
function statesName({ session, title }: EngineDocument): boolean {
  return session.events.some(
    (event) => isFact(event) && event.kind === 'host' && event.name === title && !isPartMark(event),
  );
}

/** True for the mark between hosts, which is made again; a fact with `part` that says more is kept. */
function isPartMark(event: SessionEvent): boolean {
  if (!isFact(event) || event.kind !== 'host' || event.part === undefined) return false;
  const { kind: _kind, part: _part, name: _name, source: _source, line: _line, ...more } = event;
  return Object.keys(more).length === 0;
}

/** True for operations and what is unknown beside them, and for notes on an address space of theirs. */
function isOfOperations(event: SessionEvent): boolean {
  return !isFact(event) || (event.kind === 'note' && event.space !== undefined);
}

/** The whole case as one session. Events stay in order, and what is not understood is kept. */
export function caseSession(all: Iterable<EngineDocument>, options: CaseSessionOptions = {}): CaseSession {
  const documents = [...all];
  const hosts = documents.filter(({ kind }) => kind === 'host');
  const sessions = documents.filter(({ kind }) => kind === 'session');
  const session = sessions.find(({ id }) => id === options.sessionId) ?? sessions.at(-1);
  const collected = new Collector();
  const shown = hosts.filter((host) => host.session.events.length > 0);
  const places = new Map<EngineDocument, (number | undefined)[]>();
  const hasParts = shown.length > 1;
  for (const [i, host] of shown.entries()) {
    const isStated = statesName(host);
    const isNamed = isStated || !LETTER_NAME.test(host.title);
    if (hasParts) collected.events.push({ kind: 'host', part: i + 1, ...(isNamed ? { name: host.title } : {}) });
    else if (isNamed && !isStated) collected.events.push({ kind: 'host', name: host.title });
    places.set(
      host,
      collected.add(
        host.session,
        (event) => !isPartMark(event) && !(session && isFact(event) && isOfOperations(event)),
      ),
    );
  }
  let at: number | undefined;
  if (session) {
    const own = shown.length === 0 ? () => true : isOfOperations;
    const offset = collected.events.length;
    collected.add(session.session, own);
    if (session.position < session.session.events.length) {
      const applied = session.session.events.slice(0, session.position).filter(own).length;
      // The hosts of a file of several are taken out of the session that has the operations.
      at = hasParts ? applied : offset + applied;
    }
  } else {
    const moment = shown.findLast(({ position, session: { events } }) => position < events.length);
    if (moment && !hasParts) {
      const before = places.get(moment)?.slice(0, moment.position) ?? [];
      at = (before.findLast((place) => place !== undefined) ?? -1) + 1;
    }
  }
  const others = sessions.filter((other) => other !== session);
  const only = documents.length === 1 ? documents[0] : undefined;
  const { title: _title, ...base } = (session ?? only)?.session.header ?? newSession().header;
  const title = options.title ?? (session ? session.session.header.title : undefined);
  return {
    session: {
      ...newSession(),
      header: { ...base, ...(title === undefined ? {} : { title }) },
      events: collected.events,
      verbatim: { events: collected.verbatim },
    },
    documents: [...shown, ...(session ? [session] : [])],
    at,
    counted: hasParts ? collected.events.filter(isOfOperations) : collected.events,
    remarks: others.map(
      ({ title: name }) => `The session ${name} is not included: a file has the operations of one session.`,
    ),
  };
}
