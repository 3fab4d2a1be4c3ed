// The mappings of a set at a position. Separate from mappings.ts, because only code that shows or checks mappings needs the
// tree.
import { highWord, lowWord } from '../../iova/address-halves.ts';
import type { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { MappingLayers } from './mapping-layers.ts';
import {
  type CutMapping,
  type FoldedHistory,
  isMap,
  type LiveMapping,
  type MappingFact,
  type MappingSet,
  tookEffect,
} from './mappings.ts';

/** The facts of a set in order, each with the state after it. The state is one object that the next step changes. */
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
 * The mappings of a set at a position (mapping-layers.ts). Only in a set that may contain several domains do mappings overlap:
 * they must belong to different domains.
 */
export class MappingState {
  readonly set: MappingSet;
  /** How many of the set's mapping facts are applied. */
  #applied = 0;
  #layers = new MappingLayers();
  /** Unmaps that split a mapping or removed part of it. */
  readonly cuts: CutMapping[] = [];
  /** Maps over an existing mapping, in a set that is one domain. */
  readonly overlaps: CutMapping[] = [];

  constructor(set: MappingSet) {
    this.set = set;
  }

  /** Moves the state to the position after the first `position` events of the session. */
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
    this.#layers = new MappingLayers();
    this.cuts.length = 0;
    this.overlaps.length = 0;
  }

  #apply(fact: MappingFact, index: number): void {
    const { folded } = this.set;
    if (folded && index < folded.live) {
      this.#restore(fact, index, folded);
      return;
    }
    if (!tookEffect(fact)) return;
    if (isMap(fact)) this.#map(fact, index);
    else this.#unmap(fact, index);
  }

  /** A mapping that exists after the folded part of the history: it goes to the layer that it had there. */
  #restore({ start, last }: MappingFact, index: number, { layers, layerCount }: FoldedHistory): void {
    this.#layers.extend(layerCount);
    this.#layers.trees[layers[index] ?? 0]?.insert(start, last, index);
  }

  #map({ start, last }: MappingFact, index: number): void {
    const onOverlap = this.set.isOneDomain
      ? (there: IntervalEntry) => this.overlaps.push({ fact: index, mapping: boundsOf(there) })
      : undefined;
    this.#layers.map(highWord(start), lowWord(start), highWord(last), lowWord(last), index, onOverlap);
  }

  #unmap({ start, last }: MappingFact, index: number): void {
    this.#layers.unmap(highWord(start), lowWord(start), highWord(last), lowWord(last), (cut) =>
      this.cuts.push({ fact: index, mapping: boundsOf(cut) }),
    );
  }

  /** Number of mappings that exist. */
  get size(): number {
    return this.#layers.trees.reduce((sum, tree) => sum + tree.size, 0);
  }

  /** The non-empty layers, each disjoint and ascending by start. */
  layers(): LiveMapping[][] {
    return this.#layers.trees
      .filter((tree) => tree.size > 0)
      .map((tree) => [...tree.overlaps(0n, IOVA_MAX)].map(liveMapping));
  }

  /** The mappings that share an address with start…last (inclusive). */
  overlapping(start: bigint, last: bigint): LiveMapping[] {
    return this.#layers.trees.flatMap((tree) => [...tree.overlaps(start, last)].map(liveMapping));
  }

  /** The mapping that ends nearest below `address`, and the one that starts nearest above it; not one that contains it. */
  nearest(address: bigint): { readonly below?: LiveMapping; readonly above?: LiveMapping } {
    let below: LiveMapping | undefined;
    let above: LiveMapping | undefined;
    for (const tree of this.#layers.trees) {
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
  // In a disjoint tree, at most one entry that overlaps the range above the address starts at or below the address.
  for (const entry of tree.overlaps(address + 1n, IOVA_MAX)) if (entry.start > address) return liveMapping(entry);
  return undefined;
}

/** The entry of a disjoint tree that ends nearest below `address`. */
function lastBelow(tree: IntervalTree, address: bigint): LiveMapping | undefined {
  const entry = lastStartingUpTo(tree, address - 1n);
  if (!entry || entry.last < address) return entry && liveMapping(entry);
  // The entry contains the address. In a disjoint tree, the previous one ends below the address.
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
