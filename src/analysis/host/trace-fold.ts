// Keeps the mapping facts of a long trace in bounded memory: the last ones one by one; of the earlier ones the mappings that
// still exist, and what conflicts are found with. Loaded when a source has more mapping facts than are kept.
import { type IovaRange, range, sizeOf } from '../../iova/range.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { DensityTable } from './map-density.ts';
import { holeBetween, partOf } from './map-runs.ts';
import { MappingState } from './mapping-state.ts';
import { MappingCollector, type MappingFact, type MappingSet, type SetDraft } from './mappings.ts';

/** Unmaps that removed too little and are kept; conflicts list no more of them (conflicts/requests.ts). */
const SHORT_UNMAPS_MAX = 50;
/** Maps in runs that are kept of a set. */
const RUN_PARTS_MAX = 4096;

type TraceFact = FactOf<'map'> | FactOf<'unmap'>;

/** True for the facts that may be folded: not those of page tables, which are a state, and not requests. */
export function isFoldable(event: SessionEvent): event is TraceFact {
  return isFact(event) && (event.kind === 'map' || event.kind === 'unmap') && event.origin !== 'page-table';
}

/** What is left of a mapping, as a map of its own. */
function remainderOf(fact: MappingFact, { start, last }: IovaRange): MappingFact {
  const bounds = range(start, last);
  const moved = start - fact.start;
  if (fact.kind !== 'map') return { ...fact, ...bounds };
  return {
    ...fact,
    ...bounds,
    ...(fact.paddr === undefined ? {} : { paddr: (fact.paddr + moved) as typeof fact.paddr }),
    ...(fact.vaddr === undefined ? {} : { vaddr: (fact.vaddr + moved) as typeof fact.vaddr }),
  };
}

/** Maps in their order, as runs; only runs of several maps are kept, and the last one, which may go on. */
class RunCollector {
  readonly #runs: TraceFact[][] = [];
  #open: TraceFact[] = [];
  #parts = 0;

  add(fact: TraceFact): void {
    const before = this.#open.at(-1);
    if (before && !holeBetween(partOf(before), partOf(fact))) this.#close();
    // A run that is too long for the limit is kept as its last map: no BAR has so many parts.
    if (this.#parts + this.#open.length >= RUN_PARTS_MAX) this.#open = [];
    this.#open.push(fact);
  }

  #close(): void {
    if (this.#open.length > 1) {
      this.#runs.push(this.#open);
      this.#parts += this.#open.length;
      this.#open = [];
    } else this.#open.length = 0;
  }

  get runs(): TraceFact[][] {
    return this.#open.length > 0 ? [...this.#runs, [...this.#open]] : [...this.#runs];
  }
}

/** What is known about the folded part of a set. */
class Folding {
  /** After the folded part. */
  state: MappingState;
  readonly #density = new DensityTable();
  readonly #runs = new RunCollector();
  readonly #short: MappingFact[] = [];
  #shortCount = 0;
  #maps = 0;
  #unmaps = 0;
  #low: bigint | undefined;
  #high = 0n;
  #until: MappingFact | undefined;

  constructor(draft: SetDraft) {
    this.state = new MappingState(draft);
  }

  count(fact: MappingFact): void {
    this.#until = fact;
    if (fact.kind === 'request') return;
    if (fact.kind === 'unmap') {
      this.#unmaps++;
      if (fact.unmapped === undefined || fact.unmapped >= sizeOf(fact)) return;
      if (++this.#shortCount <= SHORT_UNMAPS_MAX) this.#short.push(fact);
      return;
    }
    this.#maps++;
    if (this.#low === undefined || fact.start < this.#low) this.#low = fact.start;
    if (fact.last > this.#high) this.#high = fact.last;
    this.#density.add(fact);
    this.#runs.add(fact);
  }

  /** Describes the part; undefined if nothing was folded. */
  describe(layers: Uint8Array, layerCount: number): SetDraft['folded'] {
    const until = this.#until;
    return (
      until && {
        live: layers.length,
        layers,
        layerCount,
        maps: this.#maps,
        unmaps: this.#unmaps,
        bounds: this.#low === undefined ? undefined : range(this.#low, this.#high),
        until,
        shortUnmaps: { first: this.#short, count: this.#shortCount },
        runs: this.#runs.runs,
        density: this.#density.ranges(),
      }
    );
  }
}

/** Replaces the first `length` elements of an array, which may be long. */
function replaceFirst<T>(array: T[], length: number, by: readonly T[]): void {
  const rest = array.slice(length);
  array.length = 0;
  for (const one of by) array.push(one);
  for (const one of rest) array.push(one);
}

/** The mapping facts of one source, in its order. */
export class TraceFold {
  readonly #collector = new MappingCollector();
  readonly #foldings = new Map<SetDraft, Folding>();

  /** Takes the next event of the source; `position` is its number among all events, counted from 1. */
  add(event: SessionEvent, position: number): void {
    this.#collector.add(event, position);
  }

  /**
   * Folds all facts up to a position. Returns what is left of them: each fact whose mapping exists then, with what replaces
   * it, more than one if its mapping was split. The others can be forgotten.
   */
  fold(position: number): ReadonlyMap<SessionEvent, readonly MappingFact[]> {
    const left = new Map<SessionEvent, readonly MappingFact[]>();
    for (const fact of this.#collector.waiting()) left.set(fact, [fact]);
    for (const draft of this.#collector.drafts) this.#foldSet(draft, position, left);
    return left;
  }

  #foldSet(draft: SetDraft, position: number, left: Map<SessionEvent, readonly MappingFact[]>): void {
    const folding = this.#foldings.get(draft) ?? new Folding(draft);
    this.#foldings.set(draft, folding);
    const { facts, positions, folded } = draft;
    const from = folded?.live ?? 0;
    let end = from;
    for (; end < facts.length && (positions[end] ?? 0) <= position; end++) {
      const fact = facts[end];
      if (!fact) break;
      folding.count(fact);
      folding.state.step();
    }
    if (end === from) {
      for (const fact of facts.slice(0, from)) left.set(fact, [fact]);
      return;
    }
    const layers = folding.state.allLayers();
    const live = layers
      .flatMap((layer, index) => layer.map((mapping) => ({ mapping, layer: index })))
      .sort((a, b) => a.mapping.fact - b.mapping.fact || (a.mapping.start < b.mapping.start ? -1 : 1));
    const kept: MappingFact[] = [];
    const keptPositions: number[] = [];
    for (const { mapping } of live) {
      const fact = facts[mapping.fact];
      if (!fact) continue;
      const isWhole = fact.start === mapping.start && fact.last === mapping.last;
      const now = isWhole ? fact : remainderOf(fact, mapping);
      kept.push(now);
      keptPositions.push(positions[mapping.fact] ?? 0);
      left.set(fact, [...(left.get(fact) ?? []), now]);
    }
    replaceFirst(facts, end, kept);
    replaceFirst(positions, end, keptPositions);
    draft.folded = folding.describe(
      Uint8Array.from(live, ({ layer }) => layer),
      layers.length,
    );
    folding.state = new MappingState(draft);
    for (let i = 0; i < kept.length; i++) folding.state.step();
  }

  /** Ends the source: no more events follow, and those that waited for their device are in a set. */
  end(): void {
    this.#collector.all();
  }

  /** All sets. The positions of their facts are those that were passed to `add`. */
  get sets(): readonly MappingSet[] {
    return [...this.#collector.drafts];
  }
}
