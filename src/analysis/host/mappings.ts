// The mappings in traces, page tables and logs, as states over time. Facts without a device or a domain are kept separate by
// source: two domains may map the same address, and a kernel trace does not show which domain it was.
import type { IovaRange } from '../../iova/range.ts';
import { type ReadonlyEventList, unpackedEntries } from '../../session/event-list.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { DeviceEvents } from './device-events.ts';
import { compareNames } from './host.ts';

/** A fact that made, removed or requested a mapping. */
export type MappingFact = FactOf<'map'> | FactOf<'unmap'> | FactOf<'request'>;

/** Mappings of one domain, or of several domains that the facts do not distinguish. */
export interface MappingSet {
  /** Unique among the sets of a host. */
  readonly key: string;
  readonly title: string;
  /** More about the set: its source, or why it may be several domains. */
  readonly note: string;
  /** True if its facts name a device or a domain, or are the requests of one program for one container. */
  readonly isOneDomain: boolean;
  /** True for page tables: a snapshot of a state, not a history. */
  readonly isSnapshot: boolean;
  /** In chronological order if all facts have a time, otherwise in the order of the sources. */
  readonly facts: readonly MappingFact[];
  /** For each fact, how many events of the session there are up to and including it. */
  readonly positions: readonly number[];
  /** What is known about the beginning of a long history, whose facts are not kept one by one (trace-fold.ts). */
  readonly folded?: FoldedHistory | undefined;
}

/** The beginning of a history. Its state is exact, and so is everything that conflicts are found with. */
export interface FoldedHistory {
  /** The first facts of the set are the mappings that exist after this part, each with the bounds that it has then. */
  readonly live: number;
  /** For each of them, its layer (mapping-state.ts). */
  readonly layers: Uint8Array;
  /** Number of layers, including empty ones. */
  readonly layerCount: number;
  /** How many facts there were, including those whose mappings still exist. */
  readonly maps: number;
  readonly unmaps: number;
  /** Bounds of all maps together; undefined if there were none. */
  readonly bounds: IovaRange | undefined;
  /** The last fact of this part. */
  readonly until: MappingFact;
  /** Unmaps that removed less than requested: the first ones, and how many there were. */
  readonly shortUnmaps: { readonly first: readonly MappingFact[]; readonly count: number };
  /** Maps one after the other with small gaps, which may be the parts of a BAR. The last run may go on after this part. */
  readonly runs: readonly (readonly MappingFact[])[];
  /** Where something was mapped: ascending ranges with the number of maps that start in each. */
  readonly density: readonly MapDensity[];
}

/** Maps that start close to each other, with their bounds together. */
export interface MapDensity extends IovaRange {
  readonly maps: number;
}

/** A mapping that exists at a position. */
export interface LiveMapping extends IovaRange {
  /** Index in the set's facts of the fact that created it. */
  readonly fact: number;
}

/** A mapping that another fact cut or overlapped. */
export interface CutMapping {
  /** Index in the set's facts. */
  readonly fact: number;
  readonly mapping: IovaRange;
}

/** A set that grows. */
export interface SetDraft {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  readonly isOneDomain: boolean;
  readonly isSnapshot: boolean;
  readonly facts: MappingFact[];
  readonly positions: number[];
  folded?: FoldedHistory | undefined;
}

const ORIGINS: Readonly<Record<string, string>> = {
  ftrace: 'kernel trace',
  dyndbg: 'kernel log',
  'page-table': 'page table',
  qemu: 'QEMU memory listener',
};

/** What a set is called that contains a fact. */
export function headOf(fact: MappingFact): Omit<SetDraft, 'facts' | 'positions' | 'folded'> {
  const source = fact.source ?? 'this session';
  if (fact.kind === 'request') {
    const title = `requests to ${fact.api === 'iommufd' ? 'iommufd' : 'VFIO'}`;
    return { key: `request ${fact.api} ${source}`, title, note: source, isOneDomain: true, isSnapshot: false };
  }
  const origin = fact.origin ?? 'unknown origin';
  const what = ORIGINS[origin] ?? origin;
  const isSnapshot = origin === 'page-table';
  const { device, domain } = fact;
  if (device !== undefined || domain !== undefined) {
    const title = device ?? `domain ${domain}`;
    const note = domain !== undefined && device !== undefined ? `${what} ${domain}` : what;
    return { key: `${origin} ${device} ${domain}`, title, note, isOneDomain: true, isSnapshot };
  }
  const isOneDomain = origin === 'qemu';
  const note = isOneDomain ? source : `${source}: device and domain unknown, may be several domains`;
  return { key: `${origin} in ${source}`, title: what, note, isOneDomain, isSnapshot };
}

/** True if the fact changed a mapping: a refused request did not. */
export function tookEffect(fact: MappingFact): boolean {
  return fact.kind !== 'request' || fact.result === 0;
}

/** True if the fact maps (or requests it), false if it unmaps. */
export function isMap(fact: MappingFact): boolean {
  return fact.kind === 'map' || (fact.kind === 'request' && fact.op === 'map');
}

function timeOf(fact: MappingFact): number | undefined {
  return fact.kind === 'request' ? undefined : fact.time;
}

/** Maximum number of simultaneous mappings of one address: a trace without its unmaps would add more and more. */
export const LAYERS_MAX = 64;

/** A trace event that names no device. */
interface UnnamedFact {
  readonly fact: FactOf<'map'> | FactOf<'unmap'>;
  readonly position: number;
}

/** Sorts mapping facts into sets as they arrive. If a mapping has two trace events, the one that names the device is kept. */
export class MappingCollector {
  readonly #drafts = new Map<string, SetDraft>();
  /** By source. */
  readonly #traces = new Map<string, DeviceEvents<UnnamedFact>>();
  #last: { readonly fact: MappingFact; readonly draft: SetDraft } | undefined;

  /** Takes an event if it is a mapping fact; `position` is its number in the session, counted from 1. */
  add(event: SessionEvent, position: number): void {
    if (!isFact(event) || (event.kind !== 'map' && event.kind !== 'unmap' && event.kind !== 'request')) return;
    if (event.kind !== 'request' && event.origin === 'ftrace') {
      const isNamed = event.device !== undefined;
      if (!isNamed && event.domain === undefined) {
        this.#traceOf(event.source).addUnnamed({ fact: event, position }, event);
        return;
      }
      if (isNamed) this.#traceOf(event.source).addNamed(event);
    }
    this.#append(event, position);
  }

  #traceOf(source = ''): DeviceEvents<UnnamedFact> {
    const known = this.#traces.get(source);
    if (known) return known;
    const trace = new DeviceEvents<UnnamedFact>({
      factOf: ({ fact }) => fact,
      onUnnamed: ({ fact, position }) => this.#append(fact, position),
    });
    this.#traces.set(source, trace);
    return trace;
  }

  #append(fact: MappingFact, position: number): void {
    // A trace has millions of facts of one set in a row: their key is computed once.
    const isSame = this.#last !== undefined && sameHead(this.#last.fact, fact);
    const draft = isSame && this.#last ? this.#last.draft : this.#draftOf(fact);
    if (!isSame) this.#last = { fact, draft };
    draft.facts.push(fact);
    draft.positions.push(position);
  }

  #draftOf(fact: MappingFact): SetDraft {
    const head = headOf(fact);
    const draft = this.#drafts.get(head.key) ?? { ...head, facts: [], positions: [] };
    this.#drafts.set(head.key, draft);
    return draft;
  }

  /** The sets so far, by title. They grow as more is added. */
  #sets(): MappingSet[] {
    return [...this.#drafts.values()].sort((a, b) => compareNames(a.title, b.title));
  }

  /**
   * The sets of a growing session. Trace events without a device that were added since the last call are not included yet,
   * because the event with their device may follow. `isWaiting` tells whether there are any.
   */
  growing(): MappingSet[] {
    for (const trace of this.#traces.values()) trace.releaseOld();
    return this.#sets();
  }

  /** True if `growing` would have more at its next call. */
  get isWaiting(): boolean {
    return [...this.#traces.values()].some(({ waiting }) => waiting > 0);
  }

  /** The sets so far, with all events. */
  all(): MappingSet[] {
    for (const trace of this.#traces.values()) trace.releaseAll();
    return this.#sets();
  }

  /** The sets with their facts in chronological order, if all facts of a set have a time. For a complete session. */
  sorted(): MappingSet[] {
    for (const trace of this.#traces.values()) trace.releaseAll();
    this.#joinRequests();
    for (const draft of this.#drafts.values()) sortByTime(draft);
    return this.#sets();
  }

  /**
   * Only requests that fail are printed with the ioctl that tells iommufd from VFIO. Where a log has requests to both, and
   * those to VFIO are only successes, they are of one address space.
   */
  #joinRequests(): void {
    for (const [key, draft] of this.#drafts) {
      const other = this.#drafts.get(key.replace(/^request iommufd /, 'request vfio '));
      if (!other || other === draft || draft.facts.every(tookEffect) || !other.facts.every(tookEffect)) continue;
      for (const fact of other.facts) draft.facts.push(fact);
      for (const position of other.positions) draft.positions.push(position);
      reorder(draft, ({ position }) => position);
      this.#drafts.delete(other.key);
    }
  }
}

function sortByTime(draft: SetDraft): void {
  let before = Number.NEGATIVE_INFINITY;
  let isOrdered = true;
  for (const fact of draft.facts) {
    const time = timeOf(fact);
    if (time === undefined) return;
    if (time < before) isOrdered = false;
    before = time;
  }
  if (isOrdered) return;
  reorder(draft, ({ fact }) => timeOf(fact) ?? 0);
}

interface Placed {
  readonly fact: MappingFact;
  readonly position: number;
}

/** Sorts the facts of a set by a key. One that is earlier in the source than by the key counts only after those before it. */
function reorder(draft: SetDraft, key: (placed: Placed) => number): void {
  const order = draft.facts.map((fact, i) => ({ fact, position: draft.positions[i] ?? 0 }));
  order.sort((a, b) => key(a) - key(b));
  let reached = 0;
  for (const [i, { fact, position }] of order.entries()) {
    reached = Math.max(reached, position);
    draft.facts[i] = fact;
    draft.positions[i] = reached;
  }
}

/** Collects the mapping facts of a session into sets, each in the order in which its facts happened. */
export function mappingSets(events: ReadonlyEventList): MappingSet[] {
  const collector = new MappingCollector();
  for (const [index, event] of unpackedEntries(events)) collector.add(event, index + 1);
  return collector.sorted();
}

function sameHead(a: MappingFact, b: MappingFact): boolean {
  if (a.kind === 'request' || b.kind === 'request') {
    return a.kind === 'request' && b.kind === 'request' && a.api === b.api && a.source === b.source;
  }
  return a.origin === b.origin && a.source === b.source && a.device === b.device && a.domain === b.domain;
}

/** The fact at an index of a set. RangeError if there is none. */
export function factAt({ key, facts }: MappingSet, index: number): MappingFact {
  const fact = facts[index];
  if (!fact) throw new RangeError(`mapping set ${key} has ${facts.length} facts, none at ${index}`);
  return fact;
}
