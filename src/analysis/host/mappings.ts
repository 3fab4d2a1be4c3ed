// What traces, page tables and logs say of mappings, as states over time. Facts that name no device and no domain stay
// apart, by source: two domains may map the same address, and a trace of the kernel does not say which of them it was.
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { IovaRange } from '../../iova/range.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { compareNames, type Provenance } from './host.ts';

/** A fact that made, took away or asked for a mapping. */
export type MappingFact = FactOf<'map'> | FactOf<'unmap'> | FactOf<'request'>;

/** Mappings that belong to one domain, or that nobody can tell apart. */
export interface MappingSet {
  /** Unique among the sets of a host. */
  readonly key: string;
  readonly title: string;
  /** Where the set is not one domain for sure: why. */
  readonly note: string;
  /** True if its facts name a device or a domain, or are one program's requests for one container. */
  readonly isOneDomain: boolean;
  /** True for page tables: a state that was read, not a history. */
  readonly isSnapshot: boolean;
  /** In the order in which they happened: by time where all have one, else as in the sources. */
  readonly facts: readonly MappingFact[];
  /** For each fact, how many events of the session there are up to and including it. */
  readonly positions: readonly number[];
}

/** A mapping that is there at some moment. */
export interface LiveMapping extends IovaRange {
  /** Index in the set's facts of the one that made it. */
  readonly fact: number;
}

/** What is strange about an unmap. */
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
  ftrace: 'traced',
  dyndbg: 'logged by the kernel',
  'page-table': 'page table',
  qemu: 'regions of QEMU’s listener',
};

function headOf(fact: MappingFact): Omit<SetDraft, 'facts' | 'positions'> {
  const source = fact.source ?? 'this session';
  if (fact.kind === 'request') {
    const title = fact.api === 'iommufd' ? 'asked of iommufd' : 'asked of VFIO';
    return { key: `request ${fact.api} ${source}`, title, note: source, isOneDomain: true, isSnapshot: false };
  }
  const origin = fact.origin ?? 'told';
  const what = ORIGINS[origin] ?? origin;
  const isSnapshot = origin === 'page-table';
  const { device, domain } = fact;
  if (device !== undefined || domain !== undefined) {
    const title = device ?? `domain ${domain}`;
    const note = domain !== undefined && device !== undefined ? `${what} ${domain}` : what;
    return { key: `${origin} ${device} ${domain}`, title, note, isOneDomain: true, isSnapshot };
  }
  const isOneDomain = origin === 'qemu';
  const note = isOneDomain ? source : `${source}: device and domain not known, may be several`;
  return { key: `${origin} in ${source}`, title: what, note, isOneDomain, isSnapshot };
}

/** Where a mapping fact was read. */
export function provenanceOfFact(fact: MappingFact): Provenance {
  return { source: fact.source ?? 'this session', line: fact.line };
}

/** True if a fact says that something was done, and not only asked for. */
export function tookEffect(fact: MappingFact): boolean {
  return fact.kind !== 'request' || fact.result === 0;
}

/** True if the fact maps (or asks to), false if it unmaps. */
export function isMap(fact: MappingFact): boolean {
  return fact.kind === 'map' || (fact.kind === 'request' && fact.op === 'map');
}

function timeOf(fact: MappingFact): number | undefined {
  return fact.kind === 'request' ? undefined : fact.time;
}

/** Mappings of one address that are kept at once; a trace that lost events would pile up more and more. */
const LAYERS_MAX = 64;

/** Puts mapping facts into sets as they come. */
export class MappingCollector {
  readonly #drafts = new Map<string, SetDraft>();
  #last: { readonly fact: MappingFact; readonly draft: SetDraft } | undefined;

  /** Takes an event if it is a mapping fact; `position` is its number in the session, counted from 1. */
  add(event: SessionEvent, position: number): void {
    if (!isFact(event) || (event.kind !== 'map' && event.kind !== 'unmap' && event.kind !== 'request')) return;
    // A trace has millions of facts of one set in a row: their head is worked out once.
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

  /** The sets so far, by title. They grow with what is added later. */
  sets(): MappingSet[] {
    return [...this.#drafts.values()].sort((a, b) => compareNames(a.title, b.title));
  }

  /** The sets with their facts in the order of time, where all of a set have one. For a session that is whole. */
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
  // A fact that happened later but stands earlier counts only once those before it are there.
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

/**
 * The mappings of a set at a moment. Where a set is not one domain for sure, a mapping over another that is still there
 * goes to a further layer: it must belong to another domain. An unmap takes from the lowest layer that holds all of its
 * range, else from every layer what it covers.
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

  /** Brings the state to the moment after the first `position` events of the session. */
  seek(position: number): void {
    const { facts, positions } = this.set;
    if (this.#applied > 0 && (positions[this.#applied - 1] ?? 0) > position) this.#reset();
    while (this.#applied < facts.length && (positions[this.#applied] as number) <= position) {
      this.#apply(facts[this.#applied] as MappingFact, this.#applied);
      this.#applied++;
    }
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
    let layer = this.#layers.find((tree) => !tree.overlapsAny(start, last));
    if (this.set.isOneDomain) {
      const [first] = this.#layers;
      const there = first?.firstOverlap(start, last);
      if (there) this.overlaps.push({ fact: index, mapping: { start: there.start, last: there.last } as IovaRange });
    }
    if (!layer && this.#layers.length >= LAYERS_MAX) {
      // The unmaps of so many were never seen: the oldest gives way.
      layer = this.#layers[0] as IntervalTree;
      for (const { start: from, last: to, value } of [...layer.overlaps(start, last)]) layer.remove(from, to, value);
    }
    if (!layer) {
      layer = new IntervalTree();
      this.#layers.push(layer);
    }
    layer.insert(start, last, index);
  }

  #unmap({ start, last }: MappingFact, index: number): void {
    const whole = this.#layers.find((tree) => tree.find(start, last) !== undefined);
    for (const tree of whole ? [whole] : this.#layers) {
      for (const entry of [...tree.overlaps(start, last)]) {
        tree.remove(entry.start, entry.last, entry.value);
        if (entry.start < start) tree.insert(entry.start, start - 1n, entry.value);
        if (entry.last > last) tree.insert(last + 1n, entry.last, entry.value);
        if (entry.start < start || entry.last > last) {
          this.cuts.push({ fact: index, mapping: { start: entry.start, last: entry.last } as IovaRange });
        }
      }
    }
  }

  /** Number of mappings that are there. */
  get size(): number {
    return this.#layers.reduce((sum, tree) => sum + tree.size, 0);
  }

  /** The layers, each disjoint and ascending by start. */
  layers(): LiveMapping[][] {
    return this.#layers
      .filter((tree) => tree.size > 0)
      .map((tree) =>
        [...tree.overlaps(0n, 0xffff_ffff_ffff_ffffn)].map(
          ({ start, last, value }) => ({ start, last, fact: value }) as LiveMapping,
        ),
      );
  }

  /** The mappings that share an address with start…last (inclusive). */
  overlapping(start: bigint, last: bigint): LiveMapping[] {
    return this.#layers.flatMap((tree) =>
      [...tree.overlaps(start, last)].map(
        ({ start: from, last: to, value }) => ({ start: from, last: to, fact: value }) as LiveMapping,
      ),
    );
  }

  /** The mapping that ends nearest below `address`, and the one that starts nearest above it; those that hold it aside. */
  nearest(address: bigint): { readonly below?: LiveMapping; readonly above?: LiveMapping } {
    let below: LiveMapping | undefined;
    let above: LiveMapping | undefined;
    for (const tree of this.#layers) {
      const after =
        address < 0xffff_ffff_ffff_ffffn ? tree.firstOverlap(address + 1n, 0xffff_ffff_ffff_ffffn) : undefined;
      if (after && after.start > address && (!above || after.start < above.start)) {
        above = { start: after.start, last: after.last, fact: after.value } as LiveMapping;
      }
      const before = address > 0n ? lastBelow(tree, address) : undefined;
      if (before && (!below || before.last > below.last)) below = before;
    }
    return { ...(below ? { below } : {}), ...(above ? { above } : {}) };
  }
}

/** The entry of a disjoint tree that ends nearest below `address`. O(log² n): by halving the range that is looked at. */
function lastBelow(tree: IntervalTree, address: bigint): LiveMapping | undefined {
  let low = 0n;
  let high = address - 1n;
  let found: LiveMapping | undefined;
  // Invariant: an entry that is wanted, if there is any, starts in low…high.
  while (low <= high) {
    const count = tree.countStartingIn(low, high);
    if (count === 0) break;
    if (count === 1) {
      for (const entry of tree.overlaps(low, high)) {
        if (entry.start >= low && entry.last < address) {
          found = { start: entry.start, last: entry.last, fact: entry.value } as LiveMapping;
        }
      }
      break;
    }
    const middle = (low + high + 1n) >> 1n;
    if (tree.countStartingIn(middle, high) > 0) low = middle;
    else high = middle - 1n;
  }
  return found;
}
