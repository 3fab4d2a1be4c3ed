// The case as one session file. Several hosts follow one another: each begins with a fact of kind `host` with `part`, which is
// used to split the file when it is opened. The operations of one session come last.
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { newSession, type Session } from '../../session/session.ts';
import type { EngineDocument } from '../documents/document.ts';

export interface CaseSession {
  readonly session: Session;
  /** The documents that it contains, in the order in which opening it creates them. */
  readonly documents: readonly EngineDocument[];
  /** Number of applied events in the document with a history, after opening; undefined if all are applied. */
  readonly at: number | undefined;
  /** The events that `at` counts. */
  readonly counted: readonly SessionEvent[];
  /** What is not included, one sentence each. */
  readonly remarks: readonly string[];
}

/** Appends events. */
class Collector {
  readonly events: SessionEvent[] = [];
  readonly verbatim = new Map<number, string>();

  /** The new index of each event of the session; undefined for events that are not wanted. */
  add(session: Session, wanted: (event: SessionEvent) => boolean): (number | undefined)[] {
    const places: (number | undefined)[] = [];
    for (const [i, event] of session.events.entries()) {
      const isWanted = wanted(event);
      places.push(isWanted ? this.events.length : undefined);
      if (!isWanted) continue;
      // Unknown lines exist only as their original text.
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
  /** Title given by the user. */
  readonly title?: string | undefined;
}

/** The title of a host without a name: when opened again, it gets a letter again. */
const LETTER_NAME = /^Host [A-Z]+$/;

/** True if the facts of a host state its name. */
function statesName({ session }: EngineDocument, name: string): boolean {
  return session.events.some(
    (event) => isFact(event) && event.kind === 'host' && event.name === name && !isPartMark(event),
  );
}

/** True for the separator between hosts, which is written again; a fact with `part` and other fields is kept. */
function isPartMark(event: SessionEvent): boolean {
  if (!isFact(event) || event.kind !== 'host' || event.part === undefined) return false;
  const { kind: _kind, part: _part, name: _name, source: _source, line: _line, ...more } = event;
  return Object.keys(more).length === 0;
}

/** True for operations, unknown events between them, and notes on their address spaces. */
function isOfOperations(event: SessionEvent): boolean {
  return !isFact(event) || (event.kind === 'note' && event.space !== undefined);
}

/** The whole case as one session. Events stay in order, and unknown ones are kept. */
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
    const name = host.alike?.shown ?? host.title;
    const isStated = statesName(host, name);
    const isNamed = isStated || !LETTER_NAME.test(name);
    if (hasParts) collected.events.push({ kind: 'host', part: i + 1, ...(isNamed ? { name } : {}) });
    else if (isNamed && !isStated) collected.events.push({ kind: 'host', name });
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
      // When a file of several hosts is opened, the hosts' events are removed from the session with the operations.
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
