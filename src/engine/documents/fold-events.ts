// Folds the mapping events of a long source while it is read (analysis/host/trace-fold.ts). Loaded when there are more of them
// than are kept one by one.
import { headOf, type MappingSet } from '../../analysis/host/mappings.ts';
import { isFoldable, TraceFold } from '../../analysis/host/trace-fold.ts';
import { diagnosticFact } from '../../dumps/diagnostics.ts';
import { groupedDecimal } from '../../iova/format.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';

/** A source of which only the last mapping events are kept one by one. */
export interface FoldedEvents {
  /** Reported where the events begin that are kept one by one. */
  readonly diagnostic: FactOf<'diagnostic'>;
  /** True for an event whose mapping is in one of the sets. */
  covers(event: SessionEvent): boolean;
  /** The sets, for a session in which the source's events are those from index `from` to `to`, exclusive. */
  setsIn(events: ReadonlyEventList, from: number, to: number): MappingSet[];
  /** Changes the names of sources in facts that are not among the events. `change`: undefined to keep a name. */
  rename(change: (source: string) => string | undefined): void;
}

export class EventFolding {
  readonly #fold = new TraceFold();
  readonly #events: SessionEvent[];
  readonly #kept: number;
  /** The original positions of the first events, after which all are kept. */
  #positions: number[] = [];
  /** Number of events so far. */
  #count = 0;
  /** Number of mapping events so far, and how many of them are gone. */
  #mappings = 0;
  #gone = 0;
  /** The last event that is gone. */
  #last: FactOf<'map'> | FactOf<'unmap'> | undefined;
  /** Number of events in memory at which they are folded. */
  #due = 0;

  /** Takes over `events`, which it shortens from now on; the last `kept` mapping events in them stay. */
  constructor(events: SessionEvent[], kept: number) {
    this.#events = events;
    this.#kept = kept;
    this.#due = 2 * events.length;
    for (const event of events) this.#register(event);
  }

  #register(event: SessionEvent): void {
    this.#count++;
    if (!isFoldable(event)) return;
    this.#mappings++;
    this.#fold.add(event, this.#count);
  }

  /** Takes an event that was appended. */
  take(event: SessionEvent): void {
    this.#register(event);
    if (this.#events.length < this.#due) return;
    this.#shorten();
    this.#due = Math.max(2 * this.#events.length, 2 * this.#kept);
  }

  /** The original position of an event, counted from 1. */
  #positionOf(index: number): number {
    return this.#positions[index] ?? this.#count - this.#events.length + index + 1;
  }

  #shorten(): void {
    const events = this.#events;
    let end = events.length;
    for (let found = 0; end > 0 && found < this.#kept; end--) {
      const event = events[end - 1];
      if (event && isFoldable(event)) found++;
    }
    const left = this.#fold.fold(end === 0 ? 0 : this.#positionOf(end - 1));
    const kept: SessionEvent[] = [];
    const positions: number[] = [];
    for (const [index, event] of events.slice(0, end).entries()) {
      const replaced = isFoldable(event) ? left.get(event) : [event];
      if (replaced === undefined && isFoldable(event)) {
        this.#gone++;
        this.#last = event;
      }
      for (const one of replaced ?? []) {
        kept.push(one);
        positions.push(this.#positionOf(index));
      }
    }
    const rest = events.slice(end);
    this.#positions = positions;
    events.length = 0;
    for (const event of kept) events.push(event);
    for (const event of rest) events.push(event);
  }

  /** Ends the source. */
  end(): FoldedEvents {
    this.#fold.end();
    this.#shorten();
    const { source, line } = this.#last ?? {};
    const [gone, count] = [this.#gone, this.#mappings].map((n) => groupedDecimal(BigInt(n)));
    const message = `${gone} of ${count} mapping events${line === undefined ? '' : ` up to line ${line}`} are not listed one by one: they are counted, and the mappings that remain are listed. Mappings and conflicts take all of them into account. To see them one by one, open a part of the trace.`;
    const diagnostic = { ...diagnosticFact('events-folded', { message }), source, line };
    const events = this.#events;
    const boundary = this.#positions.length;
    const originals = this.#positions;
    const before = this.#count - events.length;
    // Facts that end others name them by their numbers.
    for (const [index, event] of events.entries()) {
      if (!isFact(event) || event.kind !== 'gone') continue;
      const found = originals.indexOf(event.event);
      events[index] = { ...event, event: found >= 0 ? found + 1 : event.event - before + 1 };
    }
    events.splice(boundary, 0, diagnostic);
    return new FoldedSource(diagnostic, this.#fold.sets);
  }
}

class FoldedSource implements FoldedEvents {
  readonly diagnostic: FactOf<'diagnostic'>;
  readonly covers = isFoldable;
  readonly #sets: readonly MappingSet[];

  constructor(diagnostic: FactOf<'diagnostic'>, sets: readonly MappingSet[]) {
    this.diagnostic = diagnostic;
    this.#sets = sets;
  }

  setsIn(events: ReadonlyEventList, from: number, to: number): MappingSet[] {
    const places = new Map<SessionEvent, number>();
    for (let index = from; index < to; index++) {
      const event = events.at(index);
      if (event && isFoldable(event)) places.set(event, index + 1);
    }
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
        positions: set.facts.map((one) => places.get(one) ?? to),
      };
    });
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
