// What traces, page tables and logs show of mappings, as states over time. Facts without a device or a domain are kept
// apart by source: two domains may map the same address, and a kernel trace does not show which domain it was.
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { compareNames } from './host.ts';

/** A fact that made, removed or requested a mapping. */
export type MappingFact = FactOf<'map'> | FactOf<'unmap'> | FactOf<'request'>;

/** Mappings of one domain, or of domains that the facts do not tell apart. */
export interface MappingSet {
  /** Unique among the sets of a host. */
  readonly key: string;
  readonly title: string;
  /** More about the set: its source, or why it may be several domains. */
  readonly note: string;
  /** True if its facts name a device or a domain, or are the requests of one program for one container. */
  readonly isOneDomain: boolean;
  /** True for page tables: a state that was read, not a history. */
  readonly isSnapshot: boolean;
  /** In the order in which they happened: by time where all have one, else as in the sources. */
  readonly facts: readonly MappingFact[];
  /** For each fact, how many events of the session there are up to and including it. */
  readonly positions: readonly number[];
}

/** A mapping that exists at some moment. */
export interface LiveMapping extends IovaRange {
  /** Index in the set's facts of the one that made it. */
  readonly fact: number;
}

/** A mapping that another fact cut or overlapped. */
export interface CutMapping {
  /** Index in the set's facts. */
  readonly fact: number;
  readonly mapping: IovaRange;
}

interface SetDraft {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  readonly isOneDomain: boolean;
  readonly isSnapshot: boolean;
  readonly facts: MappingFact[];
  readonly positions: number[];
}

const ORIGINS: Readonly<Record<string, string>> = {
  ftrace: 'kernel trace',
  dyndbg: 'kernel log',
  'page-table': 'page table',
  qemu: 'QEMU memory listener',
};

function headOf(fact: MappingFact): Omit<SetDraft, 'facts' | 'positions'> {
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

/** True if the fact maps (or requests to), false if it unmaps. */
export function isMap(fact: MappingFact): boolean {
  return fact.kind === 'map' || (fact.kind === 'request' && fact.op === 'map');
}

function timeOf(fact: MappingFact): number | undefined {
  return fact.kind === 'request' ? undefined : fact.time;
}

/** Mappings of one address that are kept at once: a trace that lost its unmaps would add more and more. */
const LAYERS_MAX = 64;

/** Puts mapping facts into sets as they come. */
export class MappingCollector {
  readonly #drafts = new Map<string, SetDraft>();
  #last: { readonly fact: MappingFact; readonly draft: SetDraft } | undefined;

  /** Takes an event if it is a mapping fact; `position` is its number in the session, counted from 1. */
  add(event: SessionEvent, position: number): void {
    if (!isFact(event) || (event.kind !== 'map' && event.kind !== 'unmap' && event.kind !== 'request')) return;
    // A trace has millions of facts of one set in a row: their key is computed once.
    const isSame = this.#last !== undefined && sameHead(this.#last.fact, event);
    const draft = isSame && this.#last ? this.#last.draft : this.#draftOf(event);
    if (!isSame) this.#last = { fact: event, draft };
    draft.facts.push(event);
    draft.positions.push(position);
  }

  #draftOf(fact: MappingFact): SetDraft {
    const head = headOf(fact);
    const draft = this.#drafts.get(head.key) ?? { ...head, facts: [], positions: [] };
    this.#drafts.set(head.key, draft);
    return draft;
  }

  /** The sets so far, by title. They grow as more is added. */
  sets(): MappingSet[] {
    return [...this.#drafts.values()].sort((a, b) => compareNames(a.title, b.title));
  }

  /** The sets with their facts in the order of time, where all of a set have one. For a complete session. */
  sorted(): MappingSet[] {
    for (const draft of this.#drafts.values()) sortByTime(draft);
    return this.sets();
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
  const order = draft.facts.map((fact, i) => ({ fact, time: timeOf(fact) ?? 0, position: draft.positions[i] ?? 0 }));
  order.sort((a, b) => a.time - b.time);
  // A fact that is earlier in the source than in time counts only after the facts before it in time.
  let reached = 0;
  for (const [i, { fact, position }] of order.entries()) {
    reached = Math.max(reached, position);
    draft.facts[i] = fact;
    draft.positions[i] = reached;
  }
}

/** Collects the mapping facts of a session into sets, each in the order in which its facts happened. */
export function mappingSets(events: readonly SessionEvent[]): MappingSet[] {
  const collector = new MappingCollector();
  for (const [index, event] of events.entries()) collector.add(event, index + 1);
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

/** The facts of a set in order, each with the state after it: one object, which the next step changes. */
export function* walkMappings(
  set: MappingSet,
): Generator<{ readonly fact: MappingFact; readonly state: MappingState }> {
  const state = new MappingState(set);
  for (let fact = state.step(); fact; fact = state.step()) yield { fact, state };
}

function liveMapping({ start, last, value }: IntervalEntry): LiveMapping {
  return { start, last, fact: value };
}

/**
 * The mappings of a set at a moment. Where a set may be several domains, a mapping that overlaps an existing one goes to
 * another layer: it must belong to another domain. An unmap removes the mapping that is exactly its range, from the
 * lowest layer that has it; else it removes what it covers from every layer.
 */
export class MappingState {
  readonly set: MappingSet;
  /** Mapping facts of the set that are in the state: the first `applied`. */
  #applied = 0;
  #layers: IntervalTree[] = [];
  /** Unmaps that cut a mapping in two or took a part of it. */
  readonly cuts: CutMapping[] = [];
  /** Maps over a mapping that was still there, in a set that is one domain. */
  readonly overlaps: CutMapping[] = [];

  constructor(set: MappingSet) {
    this.set = set;
  }

  /** Moves the state to the moment after the first `position` events of the session. */
  seek(position: number): void {
    const { positions } = this.set;
    if (this.#applied > 0 && (positions[this.#applied - 1] ?? 0) > position) this.#reset();
    for (let next = positions[this.#applied]; next !== undefined && next <= position; next = positions[this.#applied]) {
      this.step();
    }
  }

  /** Applies the next fact and returns it; `undefined` after the last one. */
  step(): MappingFact | undefined {
    const fact = this.set.facts[this.#applied];
    if (fact) this.#apply(fact, this.#applied++);
    return fact;
  }

  #reset(): void {
    this.#applied = 0;
    this.#layers = [];
    this.cuts.length = 0;
    this.overlaps.length = 0;
  }

  #apply(fact: MappingFact, index: number): void {
    if (!tookEffect(fact)) return;
    if (isMap(fact)) this.#map(fact, index);
    else this.#unmap(fact, index);
  }

  #map({ start, last }: MappingFact, index: number): void {
    const [lowest] = this.#layers;
    const there = this.set.isOneDomain ? lowest?.firstOverlap(start, last) : undefined;
    if (there) this.overlaps.push({ fact: index, mapping: boundsOf(there) });
    const layer =
      this.#layers.find((tree) => !tree.overlapsAny(start, last)) ?? this.#anotherLayer(lowest, start, last);
    layer.insert(start, last, index);
  }

  /** An empty layer; once there are too many, the lowest one without what overlaps the range. */
  #anotherLayer(lowest: IntervalTree | undefined, start: bigint, last: bigint): IntervalTree {
    if (lowest && this.#layers.length >= LAYERS_MAX) {
      // The unmaps of so many mappings are missing from the trace: the oldest are dropped.
      for (const entry of [...lowest.overlaps(start, last)]) lowest.remove(entry.start, entry.last, entry.value);
      return lowest;
    }
    const layer = new IntervalTree();
    this.#layers.push(layer);
    return layer;
  }

  #unmap({ start, last }: MappingFact, index: number): void {
    const whole = this.#layers.find((tree) => tree.find(start, last) !== undefined);
    for (const tree of whole ? [whole] : this.#layers) {
      for (const entry of [...tree.overlaps(start, last)]) {
        tree.remove(entry.start, entry.last, entry.value);
        if (entry.start < start) tree.insert(entry.start, start - 1n, entry.value);
        if (entry.last > last) tree.insert(last + 1n, entry.last, entry.value);
        if (entry.start < start || entry.last > last) {
          this.cuts.push({ fact: index, mapping: boundsOf(entry) });
        }
      }
    }
  }

  /** Number of mappings that exist. */
  get size(): number {
    return this.#layers.reduce((sum, tree) => sum + tree.size, 0);
  }

  /** The layers that hold anything, each disjoint and ascending by start. */
  layers(): LiveMapping[][] {
    return this.#layers
      .filter((tree) => tree.size > 0)
      .map((tree) => [...tree.overlaps(0n, IOVA_MAX)].map(liveMapping));
  }

  /** The mappings that share an address with start…last (inclusive). */
  overlapping(start: bigint, last: bigint): LiveMapping[] {
    return this.#layers.flatMap((tree) => [...tree.overlaps(start, last)].map(liveMapping));
  }

  /** The mapping that ends nearest below `address`, and the one that starts nearest above it; none that contains it. */
  nearest(address: bigint): { readonly below?: LiveMapping; readonly above?: LiveMapping } {
    let below: LiveMapping | undefined;
    let above: LiveMapping | undefined;
    for (const tree of this.#layers) {
      const after = firstAbove(tree, address);
      if (after && (!above || after.start < above.start)) above = after;
      const before = lastBelow(tree, address);
      if (before && (!below || before.last > below.last)) below = before;
    }
    return { ...(below ? { below } : {}), ...(above ? { above } : {}) };
  }
}

function boundsOf({ start, last }: IntervalEntry): IovaRange {
  return { start, last };
}

/** The first entry of a disjoint tree that starts above `address`. */
function firstAbove(tree: IntervalTree, address: bigint): LiveMapping | undefined {
  if (address >= IOVA_MAX) return undefined;
  // Of a disjoint tree at most one entry that overlaps what is above the address starts at or below it.
  for (const entry of tree.overlaps(address + 1n, IOVA_MAX)) if (entry.start > address) return liveMapping(entry);
  return undefined;
}

/** The entry of a disjoint tree that ends nearest below `address`. */
function lastBelow(tree: IntervalTree, address: bigint): LiveMapping | undefined {
  const entry = lastStartingUpTo(tree, address - 1n);
  if (!entry || entry.last < address) return entry && liveMapping(entry);
  // It contains the address: of a disjoint tree the one before it ends below.
  const before = lastStartingUpTo(tree, entry.start - 1n);
  return before && liveMapping(before);
}

/** The entry of a disjoint tree that starts last in 0…`high`. O(log² n), by bisecting the starts. */
function lastStartingUpTo(tree: IntervalTree, high: bigint): IntervalEntry | undefined {
  let low = 0n;
  let top = high;
  if (high < 0n || tree.countStartingIn(low, top) === 0) return undefined;
  // Invariant: the entry starts in low…top.
  while (low < top) {
    const middle = (low + top + 1n) >> 1n;
    if (tree.countStartingIn(middle, top) > 0) low = middle;
    else top = middle - 1n;
  }
  return tree.firstOverlap(low, low);
}
