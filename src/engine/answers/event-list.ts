// The events of a session that match a filter, their names, and where the failures are. A session may have a million
// events: they are scanned in slices that yield to other calls, and results are cached until the session or its model changes.
import { Pacer } from '../../dumps/input/pacer.ts';
import { parseAddress } from '../../iova/parse.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { EventFilter, EventOverview, EventRow, FailureMark } from '../protocol/sessions.ts';
import { eventLabel, eventName, eventObjects, eventTime } from './event-label.ts';
import { eventRow, isRefusedRequest } from './event-rows.ts';

/** Maximum number of objects that the filter offers. */
const OBJECTS_MAX = 300;
/** Maximum number of marks in the strip: about one per pixel. */
const MARKS_MAX = 400;
/** Events between two checks of the clock. */
const TURN = 256;

/** What is known about the events of a document, up to `covered`. */
interface EventIndex {
  readonly session: EngineDocument['session'];
  readonly states: EngineDocument['states'];
  readonly cuts: EngineDocument['cuts'];
  covered: number;
  readonly names: Map<string, number>;
  readonly objects: Map<string, number>;
  /** Indices of the events that failed, ascending. */
  readonly failed: number[];
  hasTimes: boolean;
  /** The last filter, and the events that match it. */
  listing: Listing | undefined;
}

/** Indices of the events up to `covered` that match a filter, ascending. */
interface Listing {
  readonly filter: EventFilter;
  readonly key: string;
  readonly found: number[];
  covered: number;
}

type Source = Pick<EngineDocument, 'session' | 'states' | 'cuts'>;

const indices = new WeakMap<Source, EventIndex>();
/** Pending work on each document's index, run one after the other. */
const turns = new WeakMap<Source, Promise<unknown>>();

function indexOf(document: Source): EventIndex {
  const { session, states, cuts } = document;
  const known = indices.get(document);
  const isSame = known?.session === session && known.states === states && known.cuts === cuts;
  if (known && isSame && known.covered <= session.events.length) return known;
  const index: EventIndex = {
    session,
    states,
    cuts,
    covered: 0,
    names: new Map(),
    objects: new Map(),
    failed: [],
    hasTimes: false,
    listing: undefined,
  };
  indices.set(document, index);
  return index;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function hasFailed({ states }: Source, event: SessionEvent, index: number): boolean {
  if (isFact(event)) return event.kind === 'fault' || isRefusedRequest(event);
  return states?.exceptionAt(index)?.outcome.ok === false;
}

function addToIndex(index: EventIndex, event: SessionEvent, at: number): void {
  count(index.names, eventName(event));
  for (const object of eventObjects(event)) count(index.objects, object);
  if (hasFailed(index, event, at)) index.failed.push(at);
  index.hasTimes ||= eventTime(event) !== undefined;
}

/** Runs `visit` for the indices from `from` to `end` (exclusive) in slices. Throws if the signal is aborted. */
async function inTurns(from: number, end: number, pacer: Pacer, visit: (index: number) => void): Promise<void> {
  for (let begin = from; begin < end; begin += TURN) {
    await pacer.pause();
    for (let index = begin; index < Math.min(end, begin + TURN); index++) visit(index);
  }
}

async function covered(document: Source, pacer: Pacer): Promise<EventIndex> {
  const index = indexOf(document);
  const { events } = index.session;
  await inTurns(index.covered, events.length, pacer, (at) => {
    const event = events.at(at);
    if (event) addToIndex(index, event, at);
    index.covered = at + 1;
  });
  return index;
}

/** True if a field of the event is the address, or a range of it contains the address. */
function holdsAddress(event: SessionEvent, address: bigint): boolean {
  const fields: Readonly<Record<string, unknown>> = { ...event };
  for (const value of Object.values(fields)) if (value === address) return true;
  const start = fields.start ?? fields.iova ?? fields.src_iova;
  if (typeof start !== 'bigint' || address < start) return false;
  const length = fields.length ?? fields.size;
  const last = typeof fields.last === 'bigint' ? fields.last : typeof length === 'bigint' ? start + length - 1n : start;
  return address <= last;
}

/** The address to search for, if the text is clearly one: with `0x`, or at least four hex digits. */
function addressIn(text: string): bigint | undefined {
  if (!/^(?:0x[\da-f_]+|(?=.*\d)[\da-f_]{4,})$/i.test(text)) return undefined;
  const parsed = parseAddress(/^0x/i.test(text) ? text : `0x${text}`);
  return parsed.ok ? parsed.value : undefined;
}

/** Compiles a filter into a predicate for events. */
function predicate(source: Source, filter: EventFilter): (event: SessionEvent, index: number) => boolean {
  const { failed = false, name, object } = filter;
  const text = filter.text?.trim().toLowerCase() ?? '';
  const address = addressIn(text);
  const hasText = (event: SessionEvent, index: number) => {
    if (address !== undefined && holdsAddress(event, address)) return true;
    if (`${eventName(event)} ${eventLabel(event)} ${eventObjects(event).join(' ')}`.toLowerCase().includes(text))
      return true;
    const { answer = '', refused } = isFact(event) && event.kind !== 'request' ? {} : (eventRow(source, index) ?? {});
    return `${answer} ${refused?.rule ?? ''} ${refused?.message ?? ''}`.toLowerCase().includes(text);
  };
  return (event, index) =>
    (name === undefined || eventName(event) === name) &&
    (object === undefined || eventObjects(event).includes(object)) &&
    (!failed || hasFailed(source, event, index)) &&
    (text === '' || hasText(event, index));
}

function keyOf({ failed, name, object, text }: EventFilter): string {
  return JSON.stringify([failed ?? false, name ?? null, object ?? null, text?.trim().toLowerCase() ?? '']);
}

const EVERYTHING = keyOf({});

/**
 * True if everything that matches `narrow` also matches `wide`: while a word is typed, each filter narrows the previous
 * one.
 */
function narrows(narrow: EventFilter, wide: EventFilter): boolean {
  return (
    (wide.failed !== true || narrow.failed === true) &&
    (wide.name === undefined || wide.name === narrow.name) &&
    (wide.object === undefined || wide.object === narrow.object) &&
    narrowsText(narrow.text?.trim().toLowerCase() ?? '', wide.text?.trim().toLowerCase() ?? '')
  );
}

function narrowsText(narrow: string, wide: string): boolean {
  if (wide === '' || narrow === wide) return true;
  // An address is matched by its value, not by its text.
  return narrow.includes(wide) && addressIn(narrow) === undefined;
}

/** The indices of the events that match a filter; undefined: all. */
async function listing(index: EventIndex, filter: EventFilter, pacer: Pacer): Promise<readonly number[] | undefined> {
  const key = keyOf(filter);
  if (key === EVERYTHING) return undefined;
  const { events } = index.session;
  const known = index.listing;
  const leaves = predicate(index, filter);
  let list: Listing;
  if (known?.key === key) list = known;
  else {
    list = { filter, key, found: [], covered: 0 };
    // If the matches must be a subset of the previous ones, only those are searched.
    const within =
      filter.failed === true ? index.failed : known && narrows(filter, known.filter) ? known.found : undefined;
    if (within) {
      const end = filter.failed === true ? index.covered : (known?.covered ?? 0);
      await inTurns(0, within.length, pacer, (i) => {
        const at = within[i] ?? 0;
        const event = events.at(at);
        if (event && at < end && leaves(event, at)) list.found.push(at);
      });
      list.covered = end;
    }
  }
  await inTurns(list.covered, events.length, pacer, (at) => {
    const event = events.at(at);
    if (event && leaves(event, at)) list.found.push(at);
    list.covered = at + 1;
  });
  index.listing = list;
  return list.found;
}

/** Runs calls one after the other: two at a time would search the same events twice. */
function afterOthers<T>(
  document: Source,
  work: (pacer: Pacer) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const pacer = new Pacer(signal);
  const before = turns.get(document) ?? Promise.resolve();
  const now = before
    .catch(() => undefined)
    .then(() => work(pacer))
    .finally(() => pacer.close());
  turns.set(
    document,
    now.catch(() => undefined),
  );
  return now;
}

/** The events that match a filter: `limit` of them from `offset` on. */
export function eventRows(
  document: Source,
  {
    offset,
    limit,
    filter = {},
  }: { readonly offset: number; readonly limit: number; readonly filter?: EventFilter | undefined },
  signal?: AbortSignal,
): Promise<EventRow[]> {
  const rows = (found: readonly number[] | undefined) => {
    const first = Math.max(0, offset);
    const end = Math.min(found?.length ?? document.session.events.length, offset + limit);
    return Array.from({ length: Math.max(0, end - first) }, (_, i) => found?.[first + i] ?? first + i).flatMap(
      (index) => eventRow(document, index) ?? [],
    );
  };
  if (keyOf(filter) === EVERYTHING) return Promise.resolve(rows(undefined));
  return afterOthers(
    document,
    async (pacer) => rows(await listing(await covered(document, pacer), filter, pacer)),
    signal,
  );
}

function byCount(counts: ReadonlyMap<string, number>, max: number): { name: string; count: number }[] {
  return [...counts]
    .map(([name, n]) => ({ name, count: n }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, max);
}

/** Marks for failures by position in the session; failures in the same slot of the strip are merged. */
function marksOf(failed: readonly number[], events: number): FailureMark[] {
  const marks: { position: number; count: number }[] = [];
  let slot = -1;
  for (const index of failed) {
    const at = Math.floor((index / Math.max(1, events)) * MARKS_MAX);
    const mark = marks.at(-1);
    if (mark && at === slot) mark.count++;
    else marks.push({ position: index + 1, count: 1 });
    slot = at;
  }
  return marks;
}

/** What kinds of events there are, and how many match the filter. */
export function eventOverview(document: Source, filter: EventFilter, signal?: AbortSignal): Promise<EventOverview> {
  return afterOthers(
    document,
    async (pacer) => {
      const index = await covered(document, pacer);
      const found = await listing(index, filter, pacer);
      const total = found?.length ?? index.covered;
      return {
        filter,
        total,
        names: byCount(index.names, Number.POSITIVE_INFINITY),
        objects: byCount(index.objects, OBJECTS_MAX),
        failed: index.failed.length,
        marks: marksOf(index.failed, index.covered),
        hasTimes: index.hasTimes,
      };
    },
    signal,
  );
}

/** The next or previous event that failed, from the moment after `position` events; null if there is none. */
export function failureFrom(
  document: Source,
  position: number,
  direction: 'next' | 'previous',
  signal?: AbortSignal,
): Promise<EventRow | null> {
  return afterOthers(
    document,
    async (pacer) => {
      const { failed } = await covered(document, pacer);
      // The event at index i is shown at position i + 1.
      const index =
        direction === 'next' ? failed.find((i) => i + 1 > position) : failed.findLast((i) => i + 1 < position);
      return index === undefined ? null : (eventRow(document, index) ?? null);
    },
    signal,
  );
}

/** Index in the filtered list of the last event at or before a position, counted from 0; -1 if there is none. */
export function eventIndex(
  document: Source,
  filter: EventFilter,
  position: number,
  signal?: AbortSignal,
): Promise<number> {
  return afterOthers(
    document,
    async (pacer) => {
      const index = await covered(document, pacer);
      const found = await listing(index, filter, pacer);
      return found ? found.findLastIndex((i) => i < position) : Math.min(position, index.covered) - 1;
    },
    signal,
  );
}
