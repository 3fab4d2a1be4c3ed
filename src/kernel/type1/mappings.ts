// How kernels look up the mappings of a container. Linux 6.18 compares last addresses. Older ones compare with
// iova + size, which wraps to 0 for a mapping that ends at 2^64−1 (mapping-tree.ts).
import type { IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { Area, AreaStore, Mapping } from '../shared/area-store.ts';
import { asRange } from '../shared/obstacles.ts';
import type { PreparedMap, WordRange, Words } from '../shared/prepared.ts';
import type { KernelRules } from '../version-changes.ts';
import { MappingTree } from './mapping-tree.ts';

/** Mappings that an unmap removed: how many, and their bytes. */
export interface Removed {
  readonly count: number;
  readonly bytes: bigint;
}

/** The mappings of a container, as lookups of its kernel find them. Ranges are start … start + size − 1, up to 2^64−1. */
export interface Type1Mappings {
  add(start: bigint, last: bigint, mapping: Mapping): void;
  /** Puts a mapping in and takes it out again: what remains of one whose memory cannot be pinned. */
  addAndRemove(start: bigint, last: bigint, mapping: Mapping): void;
  /** A mapping that a map of the range would hit; `size` is at least 1. */
  find(start: bigint, size: bigint): Area | undefined;
  /** The mapping that an end of the range cuts in two, if there is one. */
  cutBy(start: bigint, size: bigint): Area | undefined;
  /**
   * Removes what an unmap of the range removes: mappings that start inside of it, whole. With `stopsAtCut`, the rule of
   * version 1, one that starts before it ends the walk.
   */
  remove(start: bigint, size: bigint, stopsAtCut: boolean, onRemove: (area: Area) => void): Removed;
  removeAll(onRemove: (area: Area) => void): Removed;
  clear(): void;
  /**
   * Adds the mapping of a prepared map whose range, which ends below 2^64−1, is known. False, and nothing is changed, if a
   * lookup may find a mapping there.
   */
  addPrepared(map: PreparedMap, words: Words, range: WordRange, pages: number, origin: number): boolean;
  /** Removes the mapping that is exactly this range. False, and nothing is changed, if an unmap may do anything else. */
  removeExactly(range: WordRange): boolean;
  /** An independent copy for a copy of its store. */
  clone(store: AreaStore): Type1Mappings;
}

export function type1Mappings(store: AreaStore, rules: KernelRules): Type1Mappings {
  if (rules.has('type1-top')) return new MappingsByLast(store);
  return new MappingsByEnd(store, new MappingTree(), rules.has('type1-unmap-in-order'));
}

/** Source: Linux 6.18, vfio_find_dma. */
class MappingsByLast implements Type1Mappings {
  readonly #store: AreaStore;

  constructor(store: AreaStore) {
    this.#store = store;
  }

  clone(store: AreaStore): Type1Mappings {
    return new MappingsByLast(store);
  }

  add(start: bigint, last: bigint, mapping: Mapping): void {
    this.#store.add(start, last, mapping);
  }

  addAndRemove(): void {
    // Nothing remains.
  }

  find(start: bigint, size: bigint): Area | undefined {
    return this.#store.firstOverlapping(start, start + size - 1n);
  }

  cutBy(start: bigint, size: bigint): Area | undefined {
    return cutIn(this.#store, start, size);
  }

  remove(start: bigint, size: bigint, stopsAtCut: boolean, onRemove: (area: Area) => void): Removed {
    return removeIn(this.#store, start, size, stopsAtCut, onRemove);
  }

  removeAll(onRemove: (area: Area) => void): Removed {
    const count = this.#store.size;
    let bytes = 0n;
    for (const area of this.#store.overlapping()) {
      bytes += area.last - area.start + 1n;
      onRemove(area);
    }
    this.#store.clear();
    return { count, bytes };
  }

  clear(): void {
    this.#store.clear();
  }

  addPrepared(map: PreparedMap, words: Words, range: WordRange, pages: number, origin: number): boolean {
    return this.#store.addPrepared(map, words, range, pages, origin) >= 0;
  }

  removeExactly(range: WordRange): boolean {
    return this.#store.removeExactly(range) >= 0;
  }
}

function entryOf({ start, last, handle }: Area): IntervalEntry {
  return { start, last, value: handle };
}

/** Mappings that do not overlap: the one that an end of the range cuts in two. */
function cutIn(store: AreaStore, start: bigint, size: bigint): Area | undefined {
  const last = start + size - 1n;
  // The lowest mapping in the range is the one at its start, if there is one.
  const first = store.tree.firstOverlap(start, last);
  if (!first) return undefined;
  if (first.start < start) return store.areaOf(first.value, first);
  if (first.last === last) return undefined;
  const above = first.last > last ? first : store.tree.firstOverlap(last, last);
  return above && above.last !== last ? store.areaOf(above.value, above) : undefined;
}

/** Removes mappings that do not overlap, by ascending start. */
function removeIn(
  store: AreaStore,
  start: bigint,
  size: bigint,
  stopsAtCut: boolean,
  onRemove: (area: Area) => void,
): Removed {
  const last = start + size - 1n;
  let count = 0;
  let bytes = 0n;
  for (let next = start; next <= last; ) {
    const area = store.firstOverlapping(next, last);
    if (!area || (stopsAtCut && area.start < start)) break;
    store.remove(entryOf(area));
    onRemove(area);
    count++;
    next = area.last + 1n;
    bytes += next - area.start;
  }
  return { count, bytes };
}

/** Source: Linux 6.12, vfio_find_dma, vfio_find_dma_first_node and vfio_dma_do_unmap. */
class MappingsByEnd implements Type1Mappings {
  readonly #store: AreaStore;
  readonly #tree: MappingTree;
  /** False in Linux 5.10: an unmap looks up any mapping in the range, again and again. */
  readonly #walksInOrder: boolean;
  /**
   * True as long as nothing was mapped up to 2^64−1 since the last time that nothing was mapped at all: then no mappings
   * overlap, and lookups find what any index finds. The tree is kept all the same, for its shape.
   */
  #isPlain = true;

  constructor(store: AreaStore, tree: MappingTree, walksInOrder: boolean) {
    this.#store = store;
    this.#tree = tree;
    this.#walksInOrder = walksInOrder;
  }

  clone(store: AreaStore): Type1Mappings {
    const copy = new MappingsByEnd(store, this.#tree.clone(), this.#walksInOrder);
    copy.#isPlain = this.#isPlain;
    return copy;
  }

  add(start: bigint, last: bigint, mapping: Mapping): void {
    if (this.#store.size === 0) this.#isPlain = true;
    if (last === IOVA_MAX) this.#isPlain = false;
    this.#tree.insert(this.#store.add(start, last, mapping), start, last);
  }

  /** True if a lookup of the range finds what any index finds. */
  #findsPlainly(start: bigint, size: bigint): boolean {
    return this.#isPlain && start + size <= IOVA_MAX;
  }

  addAndRemove(start: bigint, last: bigint, mapping: Mapping): void {
    const handle = this.#store.add(start, last, mapping);
    this.#tree.insert(handle, start, last);
    this.#tree.remove(handle);
    this.#store.remove({ ...asRange(start, last), value: handle });
  }

  find(start: bigint, size: bigint): Area | undefined {
    if (this.#findsPlainly(start, size)) return this.#store.firstOverlapping(start, start + size - 1n);
    const handle = this.#tree.find(start, size);
    return handle === undefined ? undefined : this.#areaOf(handle);
  }

  #areaOf(handle: number): Area {
    return this.#store.areaOf(handle, this.#tree.rangeOf(handle));
  }

  cutBy(start: bigint, size: bigint): Area | undefined {
    if (this.#findsPlainly(start, size)) return cutIn(this.#store, start, size);
    const below = this.find(start, 1n);
    if (below && below.start !== start) return below;
    const last = start + size - 1n;
    const above = this.find(last, 1n);
    return above && above.last !== last ? above : undefined;
  }

  remove(start: bigint, size: bigint, stopsAtCut: boolean, onRemove: (area: Area) => void): Removed {
    const walksInOrder = this.#walksInOrder;
    if (walksInOrder && this.#findsPlainly(start, size)) {
      return removeIn(this.#store, start, size, stopsAtCut, (area) => {
        this.#tree.remove(area.handle);
        onRemove(area);
      });
    }
    const end = BigInt.asUintN(64, start + size);
    let count = 0;
    let bytes = 0n;
    let handle = walksInOrder ? this.#tree.first(start, size) : this.#tree.find(start, size);
    while (handle !== undefined) {
      const area = this.#areaOf(handle);
      if ((walksInOrder && area.start >= end) || (stopsAtCut && area.start < start)) break;
      const next = walksInOrder ? this.#tree.next(handle) : undefined;
      this.#tree.remove(handle);
      this.#store.remove(entryOf(area));
      onRemove(area);
      count++;
      bytes += area.last - area.start + 1n;
      handle = walksInOrder ? next : this.#tree.find(start, size);
    }
    return { count, bytes };
  }

  /** The kernel asks for 0 … 2^64−2. */
  removeAll(onRemove: (area: Area) => void): Removed {
    return this.remove(0n, IOVA_MAX, false, onRemove);
  }

  clear(): void {
    this.#tree.clear();
    this.#store.clear();
  }

  addPrepared(map: PreparedMap, words: Words, range: WordRange, pages: number, origin: number): boolean {
    if (this.#store.size === 0) this.#isPlain = true;
    if (!this.#isPlain) return false;
    const handle = this.#store.addPrepared(map, words, range, pages, origin);
    if (handle < 0) return false;
    const { startHigh, startLow, lastHigh, lastLow } = range;
    const wraps = lastLow === 0xffff_ffff;
    this.#tree.insertWords(handle, startHigh, startLow, wraps ? lastHigh + 1 : lastHigh, wraps ? 0 : lastLow + 1);
    return true;
  }

  removeExactly(range: WordRange): boolean {
    const handle = this.#isPlain ? this.#store.removeExactly(range) : -1;
    if (handle < 0) return false;
    this.#tree.remove(handle);
    return true;
  }
}
