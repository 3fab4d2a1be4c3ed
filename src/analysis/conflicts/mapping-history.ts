// When addresses were mapped and unmapped, for faults: one pass over each history, regardless of the number of faults.
import type { FactOf } from '../../session/events.ts';
import { isMap, type MappingFact, type MappingSet, tookEffect } from '../host/mappings.ts';

/** A map or an unmap that contained an address. */
export interface AddressEvent {
  readonly set: MappingSet;
  readonly fact: MappingFact;
}

/** The events around the time of a fault. */
export interface AddressPast {
  /** The last map before the fault. */
  readonly mapped: AddressEvent | undefined;
  /** The unmap after that map and before the fault; undefined if it was still mapped. */
  readonly unmapped: AddressEvent | undefined;
  /** The first map after the fault. */
  readonly next: AddressEvent | undefined;
  /** True if the fault and the events have times, so that their order is known. */
  readonly isTimed: boolean;
}

/** An address, and a time in seconds at which its history is asked for. */
export interface Moment {
  readonly address: bigint;
  readonly time: number | undefined;
}

/** An event with its place: the index of its set, and its index in that set. */
interface Placed extends AddressEvent {
  readonly setIndex: number;
  readonly index: number;
}

/** What is kept of the events of one set between two moments. */
interface Interval {
  firstMap?: Placed;
  lastMap?: Placed;
  last?: Placed;
}

/** The events of one set at one address. */
interface SetPast {
  isTimed: boolean;
  /** By the number of moments that are earlier than the event: as many as there are moments, and one more. */
  readonly intervals: Interval[];
}

interface AddressEvents {
  /** Times of the moments at this address, ascending, each once. */
  readonly times: readonly number[];
  readonly bySet: Map<MappingSet, SetPast>;
}

/**
 * The maps and unmaps of some addresses around some moments; snapshots have none. It keeps at most three events of each set
 * between two moments, however often an address was mapped.
 */
export class MappingHistory {
  readonly #byAddress = new Map<bigint, AddressEvents>();

  constructor(sets: readonly MappingSet[], moments: Iterable<Moment>) {
    const times = new Map<bigint, Set<number>>();
    for (const { address, time } of moments) {
      const known = times.get(address) ?? new Set();
      times.set(address, known);
      if (time !== undefined) known.add(time);
    }
    const sorted = [...times.keys()].sort((a, b) => (a < b ? -1 : 1));
    if (sorted.length === 0) return;
    for (const [address, known] of times) {
      this.#byAddress.set(address, { times: [...known].sort((a, b) => a - b), bySet: new Map() });
    }
    for (const [setIndex, set] of sets.entries()) {
      if (set.isSnapshot) continue;
      for (const [index, fact] of set.facts.entries()) {
        if (!tookEffect(fact)) continue;
        for (let i = firstAtLeast(sorted, fact.start); i < sorted.length; i++) {
          const address = sorted[i];
          if (address === undefined || address > fact.last) break;
          this.#add(address, { set, fact, setIndex, index });
        }
      }
    }
  }

  #add(address: bigint, event: Placed): void {
    const events = this.#byAddress.get(address);
    if (!events) return;
    const past = events.bySet.get(event.set) ?? { isTimed: true, intervals: [] };
    events.bySet.set(event.set, past);
    const time = timeOf(event.fact);
    if (time === undefined) past.isTimed = false;
    const i = time === undefined ? 0 : firstAtLeast(events.times, time);
    const interval = past.intervals[i] ?? {};
    past.intervals[i] = interval;
    interval.last = event;
    if (!isMap(event.fact)) return;
    interval.firstMap ??= event;
    interval.lastMap = event;
  }

  /**
   * The events at an address before and after one of the moments; without times, all events count as earlier. Undefined if
   * the sets have none there.
   */
  at({ address, time }: Moment, sets: ReadonlySet<MappingSet>): AddressPast | undefined {
    const events = this.#byAddress.get(address);
    const pasts = [...(events?.bySet ?? [])].flatMap(([set, past]) => (sets.has(set) ? [past] : []));
    if (!events || pasts.length === 0) return undefined;
    const isTimed = time !== undefined && pasts.every((past) => past.isTimed);
    const end = isTimed ? firstAtLeast(events.times, time) + 1 : Number.POSITIVE_INFINITY;
    const inOrder = (found: readonly (Placed | undefined)[]) =>
      found.filter((event) => event !== undefined).sort((a, b) => compareOrder(a, b, isTimed));
    const intervals = pasts.flatMap((past) => Object.entries(past.intervals));
    const before = inOrder(intervals.flatMap(([i, { lastMap, last }]) => (Number(i) < end ? [lastMap, last] : [])));
    const after = inOrder(intervals.flatMap(([i, { firstMap }]) => (Number(i) < end ? [] : [firstMap])));
    const last = before.at(-1);
    // Where a history is only counted, an earlier map may be missing.
    const isCounted = [...sets].some(({ folded }) => folded && (time ?? 0) <= (timeOf(folded.until) ?? Infinity));
    return {
      mapped: before.findLast(({ fact }) => isMap(fact)),
      unmapped: last && !isMap(last.fact) ? last : undefined,
      next: isCounted ? undefined : after[0],
      isTimed,
    };
  }
}

/** By the order in which they happened. Events of two sets at the same time, or without times, are in the order of the sets. */
function compareOrder(a: Placed, b: Placed, isTimed: boolean): number {
  if (a.setIndex === b.setIndex) return a.index - b.index;
  const difference = isTimed ? (timeOf(a.fact) ?? 0) - (timeOf(b.fact) ?? 0) : 0;
  return difference === 0 ? a.setIndex - b.setIndex : difference;
}

/** When a map or an unmap happened, in seconds. */
export function timeOf(fact: MappingFact): number | undefined {
  return fact.kind === 'request' ? undefined : (fact satisfies FactOf<'map'> | FactOf<'unmap'>).time;
}

/** The index of the first value that is not below `low`; the length if there is none. */
function firstAtLeast<T extends bigint | number>(sorted: readonly T[], low: T): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? low) < low) from = middle + 1;
    else to = middle;
  }
  return from;
}
