// When addresses were mapped and unmapped, for faults: one pass over each history, regardless of the number of faults.
import type { FactOf } from '../../session/events.ts';
import { isMap, type MappingFact, type MappingSet, tookEffect } from '../host/mappings.ts';

/** How many of the last events per address are kept. */
const KEPT_MAX = 16;

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

/** The maps and unmaps of some addresses, in order; snapshots have none. */
export class MappingHistory {
  readonly #events = new Map<bigint, AddressEvent[]>();

  constructor(sets: readonly MappingSet[], addresses: Iterable<bigint>) {
    const sorted = [...new Set(addresses)].sort((a, b) => (a < b ? -1 : 1));
    if (sorted.length === 0) return;
    for (const set of sets) {
      if (set.isSnapshot) continue;
      for (const fact of set.facts) {
        if (!tookEffect(fact)) continue;
        for (let i = firstAtLeast(sorted, fact.start); i < sorted.length; i++) {
          const address = sorted[i];
          if (address === undefined || address > fact.last) break;
          this.#add(address, { set, fact });
        }
      }
    }
  }

  #add(address: bigint, event: AddressEvent): void {
    const events = this.#events.get(address) ?? [];
    this.#events.set(address, events);
    events.push(event);
    if (events.length > KEPT_MAX) events.shift();
  }

  /** The events at an address before and after a fault; without times, all events count as earlier. */
  at(address: bigint, time: number | undefined, sets: ReadonlySet<MappingSet>): AddressPast | undefined {
    const events = (this.#events.get(address) ?? []).filter(({ set }) => sets.has(set));
    if (events.length === 0) return undefined;
    const isTimed = time !== undefined && events.every(({ fact }) => timeOf(fact) !== undefined);
    const before = isTimed ? events.filter(({ fact }) => (timeOf(fact) ?? 0) <= time) : events;
    const last = before.at(-1);
    const mapped = before.findLast(({ fact }) => isMap(fact));
    const unmapped = last && !isMap(last.fact) ? last : undefined;
    // Where a history is only counted, an earlier map may be missing.
    const isCounted = [...sets].some(({ folded }) => folded && (time ?? 0) <= (timeOf(folded.until) ?? Infinity));
    const next = isCounted ? undefined : events.slice(before.length).find(({ fact }) => isMap(fact));
    return { mapped, unmapped, next, isTimed };
  }
}

/** When a map or an unmap happened, in seconds. */
export function timeOf(fact: MappingFact): number | undefined {
  return fact.kind === 'request' ? undefined : (fact satisfies FactOf<'map'> | FactOf<'unmap'>).time;
}

/** The index of the first value that is not below `low`; the length if there is none. */
function firstAtLeast(sorted: readonly bigint[], low: bigint): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] ?? low) < low) from = middle + 1;
    else to = middle;
  }
  return from;
}
