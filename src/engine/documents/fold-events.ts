// Folds the mapping events of a long source while it is read (analysis/host/trace-fold.ts). Loaded when there are many of them.
import { headOf, type MappingSet } from '../../analysis/host/mappings.ts';
import { spanOf } from '../../analysis/host/time-density.ts';
import { type FoldedTrace, isFoldable, TraceFold } from '../../analysis/host/trace-fold.ts';
import { diagnosticFact } from '../../dumps/diagnostics.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import type { EventDensity } from '../protocol/sessions.ts';

/** A source of which only the last mapping events are kept one by one. */
export interface FoldedEvents {
  /** Reported where the events begin that are kept one by one. */
  readonly diagnostics: readonly FactOf<'diagnostic'>[];
  /** True for an event whose mapping is in one of the sets. */
  covers(event: SessionEvent): boolean;
  /** The sets, for a session in which the source's events are those from index `from` to `to`, exclusive. */
  setsIn(events: ReadonlyEventList, from: number, to: number): MappingSet[];
  /** When the mapping events happened, for a session in which the source's events begin after `from`; undefined without times. */
  densityIn(from: number): EventDensity | undefined;
  /** Changes the names of sources in facts that are not among the events. `change`: undefined to keep a name. */
  rename(change: (source: string) => string | undefined): void;
}

/** An event that is not folded, and the number of mapping events before it. */
interface OtherEvent {
  readonly event: SessionEvent;
  readonly before: number;
}

export class EventFolding {
  readonly #fold: TraceFold;
  readonly #others: OtherEvent[] = [];
  /** Number of mapping events so far. */
  #mappings = 0;

  /** Begins with `events`; the last `kept` mapping events are kept one by one if there are more than twice as many. */
  constructor(events: Iterable<SessionEvent>, kept: number) {
    this.#fold = new TraceFold(kept);
    for (const event of events) this.take(event);
  }

  /** Takes the next event. */
  take(event: SessionEvent): void {
    if (isFoldable(event)) {
      this.#mappings++;
      this.#fold.add(event);
    } else this.#others.push({ event, before: this.#mappings });
  }

  /** From now on all mapping events are kept one by one. */
  keepAll(): void {
    this.#fold.keepAll();
  }

  /** Ends the source. Returns the events that are left, and what is known about the others; nothing if there are none. */
  end(): { readonly events: SessionEvent[]; readonly folded: FoldedEvents | undefined } {
    const trace = this.#fold.end();
    const { facts, left, folded } = trace;
    const diagnostics = folded > 0 ? this.#diagnosticsOf(trace) : [];
    const events: SessionEvent[] = [];
    /** The original position of each event, and the positions of the facts, counted from 1. */
    const originals: number[] = [];
    const places = new Uint32Array(facts.length);
    let other = 0;
    const takeOthers = (before: number) => {
      for (let next = this.#others[other]; next && next.before <= before; next = this.#others[other]) {
        events.push(next.event);
        originals.push(next.before + ++other);
      }
    };
    const takeDiagnostics = (index: number) => {
      if (index !== left) return;
      for (const diagnostic of diagnostics) {
        events.push(diagnostic);
        originals.push(0);
      }
    };
    for (const [index, { number, fact }] of facts.entries()) {
      takeOthers(number);
      takeDiagnostics(index);
      places[index] = events.push(fact);
      originals.push(number + other + 1);
    }
    takeOthers(this.#mappings);
    takeDiagnostics(facts.length);
    if (folded === 0) return { events, folded: undefined };
    return { events: withNewPositions(events, originals), folded: new FoldedSource(diagnostics, trace, places) };
  }

  #diagnosticsOf({ facts, left, folded, until, unordered }: FoldedTrace): FactOf<'diagnostic'>[] {
    const gone = folded - new Set(facts.slice(0, left).map(({ number }) => number)).size;
    const { source, line } = until ?? {};
    const [goneText, countText] = [gone, this.#mappings].map((n) => groupedDecimal(BigInt(n)));
    const message = `${goneText} of ${countText} mapping events${line === undefined ? '' : ` up to line ${line}`} are not listed one by one: they are counted, and the mappings that remain are listed. Mappings and conflicts take all of them into account. To see them one by one, open a part of the trace.`;
    const about = { ...diagnosticFact('events-folded', { message }), source, line };
    const { count, first } = unordered;
    if (!first) return [about];
    const order = `${counted(count, 'mapping event')} of a long trace ${count === 1 ? 'has an earlier time' : 'have earlier times'} than events before: this line is the first. They are applied in the order of the file, so the mappings may be wrong. To fix this, sort the lines by time.`;
    return [
      about,
      { ...diagnosticFact('events-unordered', { message: order }), source: first.source, line: first.line },
    ];
  }
}

/** Facts that end others name them by their numbers: 0 if that one is gone. */
function withNewPositions(events: SessionEvent[], originals: readonly number[]): SessionEvent[] {
  if (!events.some((event) => isFact(event) && event.kind === 'gone')) return events;
  // The first of those that a mapping was split into.
  const positions = new Map<number, number>();
  for (const [index, original] of originals.entries()) if (!positions.has(original)) positions.set(original, index + 1);
  return events.map((event) =>
    isFact(event) && event.kind === 'gone' ? { ...event, event: positions.get(event.event) ?? 0 } : event,
  );
}

class FoldedSource implements FoldedEvents {
  readonly diagnostics: readonly FactOf<'diagnostic'>[];
  readonly covers = isFoldable;
  readonly #sets: readonly MappingSet[];
  readonly #trace: FoldedTrace;
  readonly #places: Uint32Array;

  /** The positions of the sets are indexes of `places`, which are positions in the source, counted from 1. */
  constructor(diagnostics: readonly FactOf<'diagnostic'>[], trace: FoldedTrace, places: Uint32Array) {
    this.diagnostics = diagnostics;
    this.#sets = trace.sets;
    this.#trace = trace;
    this.#places = places;
  }

  densityIn(from: number): EventDensity | undefined {
    const { times, facts, left, until } = this.#trace;
    if (!times || !until) return undefined;
    const listed = times.counts.map(() => 0);
    const positions = times.counts.map(() => 0);
    for (const [index, { fact }] of facts.entries()) {
      const span = fact.time === undefined ? -1 : spanOf(times, fact.time);
      if (span < 0 || span >= listed.length) continue;
      if (index >= left) listed[span] = (listed[span] ?? 0) + 1;
      positions[span] = Math.max(positions[span] ?? 0, from + (this.#places[index] ?? 0));
    }
    // A span without events has the position of the one before it.
    for (let span = 1; span < positions.length; span++) {
      positions[span] = Math.max(positions[span] ?? 0, positions[span - 1] ?? 0);
    }
    return { source: until.source ?? '', ...times, listed, positions };
  }

  setsIn(events: ReadonlyEventList, from: number, to: number): MappingSet[] {
    const positionOf = this.#positionsIn(events, from, to);
    return this.#sets.map((set) => {
      const fact = set.facts[0] ?? set.folded?.until;
      const { source } = fact ?? {};
      const head = fact ? headOf(fact) : set;
      const isNamed = source === undefined || head.key.includes(source);
      return {
        ...set,
        ...head,
        // Its beginning is not known fact by fact, so that it cannot be joined with those of other sources.
        ...(isNamed ? {} : { key: `${head.key} in ${source}`, note: `${head.note}, ${source}` }),
        positions: set.facts.map((fact, index) => positionOf(fact, set.positions[index] ?? 0)),
      };
    });
  }

  /** The position of a fact with a place. */
  #positionsIn(events: ReadonlyEventList, from: number, to: number): (fact: SessionEvent, place: number) => number {
    const places = this.#places;
    const isAsRead = this.#sets.every(({ facts, positions }) =>
      facts.every((fact, index) => events.at(from + (places[positions[index] ?? 0] ?? 0) - 1) === fact),
    );
    if (isAsRead) return (_, place) => from + (places[place] ?? 0);
    // Some events of the source are elsewhere.
    const found = new Map<SessionEvent, number>();
    for (let index = from; index < to; index++) {
      const event = events.at(index);
      if (event && isFoldable(event)) found.set(event, index + 1);
    }
    return (fact) => found.get(fact) ?? to;
  }

  rename(change: (source: string) => string | undefined): void {
    for (const { folded } of this.#sets) {
      if (!folded) continue;
      for (const fact of [folded.until, ...folded.shortUnmaps.first, ...folded.runs.flat()]) {
        const name = fact.source === undefined ? undefined : change(fact.source);
        if (name !== undefined) fact.source = name;
      }
    }
  }
}
