import type { SessionEvent } from './events.ts';

/**
 * What there is of an array to read the events of a session: an array, or a list that keeps a million operations in columns
 * and makes each event when it is read (packed-list.ts). Facts keep their identity, operations may not. Do not modify events.
 */
export interface ReadonlyEventList extends Iterable<SessionEvent> {
  readonly length: number;
  at(index: number): SessionEvent | undefined;
  entries(): IterableIterator<[number, SessionEvent]>;
  slice(start?: number, end?: number): SessionEvent[];
  some(test: (event: SessionEvent, index: number) => boolean): boolean;
  every(test: (event: SessionEvent, index: number) => boolean): boolean;
  find<S extends SessionEvent>(test: (event: SessionEvent, index: number) => event is S): S | undefined;
  find(test: (event: SessionEvent, index: number) => boolean): SessionEvent | undefined;
  findIndex(test: (event: SessionEvent, index: number) => boolean): number;
  filter<S extends SessionEvent>(test: (event: SessionEvent, index: number) => event is S): S[];
  filter(test: (event: SessionEvent, index: number) => boolean): SessionEvent[];
  map<U>(make: (event: SessionEvent, index: number) => U): U[];
  flatMap<U>(make: (event: SessionEvent, index: number) => U | readonly U[]): U[];
  /** Of an operation perhaps −1, even if there is an equal one. */
  indexOf(event: SessionEvent): number;
  /** The events that keep their identity, with their indices: all facts are among them. Arrays do not have it. */
  unpacked?(): IterableIterator<[number, SessionEvent]>;
}

export interface EventList extends ReadonlyEventList {
  push(...events: SessionEvent[]): number;
  splice(start: number, deleteCount?: number): SessionEvent[];
  splice(start: number, deleteCount: number, ...events: SessionEvent[]): SessionEvent[];
  /** An independent list of the same events. Arrays do not have it. */
  copy?(): EventList;
  /** Frees the room for more events. Arrays do not have it. */
  trim?(): void;
}

/** The event at an index; undefined if there is none there, also below 0. */
export function eventAt(events: ReadonlyEventList, index: number): SessionEvent | undefined {
  return index < 0 ? undefined : events.at(index);
}

/** The events without operations that are kept in columns, with their indices: for callers that look for facts only. */
export function unpackedEntries(events: ReadonlyEventList): IterableIterator<[number, SessionEvent]> {
  return events.unpacked?.() ?? events.entries();
}

/** The same without the indices. */
export function unpackedEvents(events: ReadonlyEventList): Iterable<SessionEvent> {
  return events.unpacked ? withoutIndices(events.unpacked()) : events;
}

function* withoutIndices(entries: Iterable<[number, SessionEvent]>): Generator<SessionEvent, undefined> {
  for (const [, event] of entries) yield event;
}

/** An independent list of the same events. */
export function copyOf(events: EventList): EventList {
  return events.copy?.() ?? events.slice();
}
