// Splits a session file of several hosts (engine/share/case-session.ts): a source for each host, and one for the operations.
import { profileOf } from '../../analysis/case/profile.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { newSession, type Session } from '../../session/session.ts';
import { statesOf } from '../documents/model-states.ts';
import type { OpenedSource } from './opened-source.ts';

/** The number of the host that begins with an event; undefined if none does. */
function partOf(event: SessionEvent): number | undefined {
  return isFact(event) && event.kind === 'host' ? event.part : undefined;
}

interface Part {
  readonly events: SessionEvent[];
  readonly verbatim: Map<number, string>;
  /** The original index of each event in the file. */
  readonly indices: Map<number, number>;
}

const newPart = (): Part => ({ events: [], verbatim: new Map(), indices: new Map() });

function add(part: Part, event: SessionEvent, index: number, { verbatim }: Session): void {
  if (isUnknownEvent(event)) part.verbatim.set(part.events.length, verbatim.events.get(index) ?? '\n');
  part.indices.set(index, part.events.length);
  part.events.push(event);
}

/** The facts of one host, renumbered: `gone` counts only its own events. */
function renumbered({ events, indices }: Part): SessionEvent[] {
  return events.map((event) =>
    isFact(event) && event.kind === 'gone' ? { ...event, event: (indices.get(event.event - 1) ?? -1) + 1 } : event,
  );
}

/** Number of facts by kind. */
function kindsOf(events: readonly SessionEvent[]): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const event of events) if (isFact(event)) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
  return kinds;
}

/** Functions of source.ts that make sources. */
interface PartTools {
  /** The operations as a document; undefined if there are none. */
  sessionOf(read: OpenedSource['read']): OpenedSource['session'];
  /** Names of all texts that the facts refer to, the source's own first. */
  textNames(name: string, read: Pick<OpenedSource['read'], 'session'>): string[];
}

/** The sources that a source consists of: itself, unless it is a session file of several hosts. */
export async function partsOf(source: OpenedSource, { sessionOf, textNames }: PartTools): Promise<OpenedSource[]> {
  const { read } = source;
  const { session } = read;
  const count = session.events.filter((event) => partOf(event) !== undefined).length;
  if (count < 2) return [source];
  const hosts: Part[] = [];
  const rest = newPart();
  for (const [index, event] of session.events.entries()) {
    if (partOf(event) !== undefined) hosts.push(newPart());
    const host = hosts.at(-1);
    // Unknown events stay with the facts around them; before the first host and after operations, with the operations.
    const isOfOperations = isFact(event) && event.kind === 'note' && event.space !== undefined;
    if ((isFact(event) && !isOfOperations) || (isUnknownEvent(event) && host && rest.events.length === 0)) {
      add(host ?? rest, event, index, session);
    } else add(rest, event, index, session);
  }
  const group = Symbol(source.name);
  const sources = hosts.map((part): OpenedSource => {
    // Copies: a source relabels its own facts in place.
    const events = renumbered(part).map((event) => ({ ...event }));
    const kinds = kindsOf(events);
    const diagnostics = read.diagnostics.filter(({ source: name, line }) =>
      events.some((e) => isFact(e) && e.kind === 'diagnostic' && e.source === name && e.line === line),
    );
    const own = { ...newSession({ title: read.title }), events, verbatim: { events: part.verbatim } };
    return {
      ...source,
      textNames: textNames(source.name, { session: own }),
      files: [],
      fileParts: group,
      read: {
        ...read,
        session: own,
        sources: read.sources.map((summary) => ({ ...summary, kinds, operations: 0, lines: events.length })),
        operations: 0,
        states: undefined,
        model: undefined,
        diagnostics,
        diagnosticsMore: 0,
        texts: [],
      },
      profile: profileOf(events),
      labels: new Map(),
      session: undefined,
    };
  });
  if (rest.events.length === 0) return sources;
  const own: Session = {
    ...newSession(),
    header: session.header,
    events: rest.events,
    verbatim: { events: rest.verbatim },
  };
  const { states, model } = await statesOf(own);
  const kept = {
    ...read,
    session: own,
    states,
    model,
    sources: read.sources.map((summary) => ({ ...summary, kinds: kindsOf(rest.events), lines: rest.events.length })),
  };
  return [
    ...sources,
    {
      ...source,
      textNames: [source.name],
      files: [],
      fileParts: group,
      read: kept,
      profile: profileOf(rest.events),
      session: sessionOf(kept),
    },
  ];
}
