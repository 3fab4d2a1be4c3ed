// The casts in loops over typed arrays: see path.ts.
import { atMost, below, fromWords, highWord, lowWord } from '../address-halves.ts';
import type { Iova } from '../iova.ts';
import { insertSplitting, rebalance } from './balance.ts';
import { buildFromSorted } from './bulk-build.ts';
import { GapCursor } from './gap-cursor.ts';
import { learnedBounds, searchAlignedGaps, searchGaps } from './gap-search.ts';
import { mergedSpans } from './merged-spans.ts';
import { NONE, STRIDE, TreeNodes } from './nodes.ts';
import { firstOverlapIn, overlapsIn, visitOverlapsIn } from './overlaps.ts';
import { TreePath } from './path.ts';
import type { EntryMaker, EntryVisitor, GapVisitor, IntervalEntry, ReadonlyIntervalTree, Span } from './types.ts';
import { verifyNodes } from './verify.ts';

const DEFAULT_CAPACITY = 64;

function toEntry(value: number, startHigh: number, startLow: number, lastHigh: number, lastLow: number): IntervalEntry {
  return { start: fromWords(startHigh, startLow) as Iova, last: fromWords(lastHigh, lastLow) as Iova, value };
}

/**
 * An index of inclusive address ranges, ordered by start: a B+ tree in typed arrays (README.md). Ranges may overlap, also
 * repeat; the tree notices, and is at its fastest as long as they do not. Entries of equal start keep the order in which
 * they were inserted. Changing the tree during a walk is not allowed.
 */
export class IntervalTree implements ReadonlyIntervalTree {
  #nodes: TreeNodes;
  #path: TreePath;
  /** A node with less than this is joined with a neighbour; at least 2, so that no inner node has a lone child. */
  readonly #minFill: number;

  /** `capacity`: entries a leaf and slots a node, at least 4. Only tests need another one than the default. */
  constructor(capacity = DEFAULT_CAPACITY) {
    if (!Number.isInteger(capacity) || capacity < 4) throw new RangeError(`node capacity ${capacity} is below 4`);
    this.#minFill = Math.max(2, capacity >> 2);
    this.#nodes = new TreeNodes(capacity);
    this.#path = new TreePath(this.#nodes);
  }

  /**
   * Builds a tree at once. `starts` must not descend (RangeError if it does, or if a start is above its last); `values`
   * are 0, 1, 2 … if left out. O(n).
   */
  static fromSorted(
    starts: BigUint64Array,
    lasts: BigUint64Array,
    values?: Uint32Array,
    capacity = DEFAULT_CAPACITY,
  ): IntervalTree {
    const tree = new IntervalTree(capacity);
    buildFromSorted(tree.#nodes, starts, lasts, values);
    return tree;
  }

  /** Number of entries. */
  get size(): number {
    return this.#nodes.size;
  }

  /** True if no two entries overlap: known as long as none ever did since the tree was empty. */
  get isDisjoint(): boolean {
    return !this.#nodes.overlapping;
  }

  /** Memory held by the arrays, in bytes, unused room included. */
  get bytes(): number {
    return this.#nodes.bytes;
  }

  /** An independent copy: the arrays are copied, nothing is rebuilt. */
  clone(): IntervalTree {
    const copy = new IntervalTree(this.#nodes.capacity);
    copy.#nodes = this.#nodes.clone();
    copy.#path = new TreePath(copy.#nodes);
    return copy;
  }

  /** Removes all entries; the memory is kept for the next ones. */
  clear(): void {
    this.#path.forget();
    this.#nodes.clear();
  }

  /**
   * Adds the inclusive range start…last of 64-bit addresses. `value` is kept modulo 2^32. RangeError if start is above
   * last.
   */
  insert(start: bigint, last: bigint, value: number): void {
    this.insertWords(highWord(start), lowWord(start), highWord(last), lowWord(last), value);
  }

  /** The same with addresses in words. */
  insertWords(startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): void {
    if (below(lastHigh, lastLow, startHigh, startLow)) {
      const [start, last] = [fromWords(startHigh, startLow), fromWords(lastHigh, lastLow)];
      throw new RangeError(`start 0x${start.toString(16)} is above last 0x${last.toString(16)}`);
    }
    const leaf = this.#path.descend(startHigh, startLow);
    const position = this.#nodes.countUpTo(leaf, startHigh, startLow);
    if (!this.#nodes.overlapping && !this.#isFree(leaf, position, startHigh, startLow, lastHigh, lastLow)) {
      this.#nodes.overlapping = true;
    }
    this.#insertAt(leaf, position, startHigh, startLow, lastHigh, lastLow, value);
  }

  /**
   * Adds the inclusive range, given as words, if no entry shares an address with it; otherwise changes nothing and returns
   * false. The start must not be above the last.
   */
  insertFree(startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): boolean {
    const nodes = this.#nodes;
    if (nodes.overlapping && this.#firstOverlap(startHigh, startLow, lastHigh, lastLow) !== NONE) return false;
    const leaf = this.#path.descend(startHigh, startLow);
    const position = nodes.countUpTo(leaf, startHigh, startLow);
    if (!nodes.overlapping && !this.#isFree(leaf, position, startHigh, startLow, lastHigh, lastLow)) return false;
    this.#insertAt(leaf, position, startHigh, startLow, lastHigh, lastLow, value);
    return true;
  }

  /** Adds an entry in a leaf, to which the path must lead, as its `position`th. */
  #insertAt(
    leaf: number,
    position: number,
    startHigh: number,
    startLow: number,
    lastHigh: number,
    lastLow: number,
    value: number,
  ): void {
    const nodes = this.#nodes;
    const path = this.#path;
    nodes.size++;

    const fill = nodes.leafFill[leaf] as number;
    if (fill === nodes.capacity) {
      insertSplitting(nodes, path, leaf, position, startHigh, startLow, lastHigh, lastLow, value);
      path.forget();
      return;
    }
    const at = leaf * nodes.capacity + position;
    nodes.makeRoom(at - position + fill);
    if (position < fill) nodes.moveEntries(leaf, position, leaf, position + 1, fill - position);
    nodes.writeEntry(at, startHigh, startLow, lastHigh, lastLow, value);
    nodes.leafFill[leaf] = fill + 1;
    if (nodes.height === 0) return;

    path.addToCounts(1);
    // Without overlaps an entry between two others only splits their gap, and that matters if it was the largest.
    if (!nodes.overlapping && position > 0 && position < fill) {
      path.refreshAfterSplit(nodes.gapBetweenEntries(at - 1, at + 1));
      return;
    }
    // An entry at an end makes a gap inside the leaf of what was one outside.
    if (position === 0 || position === fill) path.forgetAligned();
    if (nodes.overlapping) path.refresh();
    else if (position === fill) path.refreshAfterAppend(nodes.gapBetweenEntries(at - 1, at), lastHigh, lastLow);
    // The way down ends at the first entry of a leaf only if it is the lowest of all.
    else path.refreshAfterPrepend(nodes.gapBetweenEntries(at, at + 1), startHigh, startLow);
  }

  /** Removes one entry that is exactly start…last with `value`. False if there is none. */
  remove(start: bigint, last: bigint, value: number): boolean {
    const at = this.#locate(highWord(start), lowWord(start), highWord(last), lowWord(last), value >>> 0);
    if (at === NONE) return false;
    this.#removeAt(at);
    return true;
  }

  /** Removes an entry that is exactly this range, the latest of equals; returns its value, −1 if there is none. */
  removeWords(startHigh: number, startLow: number, lastHigh: number, lastLow: number): number {
    const at = this.#locate(startHigh, startLow, lastHigh, lastLow, NONE);
    if (at === NONE) return NONE;
    const value = this.#nodes.values[at] as number;
    this.#removeAt(at);
    return value;
  }

  /** Removes the entry with this index, to whose leaf the path must lead. */
  #removeAt(at: number): void {
    const nodes = this.#nodes;
    const path = this.#path;
    path.forget();
    const leaf = Math.floor(at / nodes.capacity);
    const position = at - leaf * nodes.capacity;
    const fill = (nodes.leafFill[leaf] as number) - 1;
    if (position < fill) nodes.moveEntries(leaf, position + 1, leaf, position, fill - position);
    nodes.leafFill[leaf] = fill;
    nodes.size--;
    if (nodes.size === 0) {
      this.clear();
      return;
    }
    if (nodes.height === 0) return;

    path.addToCounts(-1);
    if (fill < this.#minFill) {
      rebalance(nodes, path, this.#minFill);
      return;
    }
    path.forgetAligned();
    // Without overlaps removing an inner entry joins two gaps into one that is larger than both.
    if (!nodes.overlapping && position > 0 && position < fill) {
      path.refreshAfterJoin(nodes.gapBetweenEntries(at - 1, at));
    } else {
      path.refresh();
    }
  }

  /** True if the tree holds exactly this entry. */
  has(start: bigint, last: bigint, value: number): boolean {
    return this.#locate(highWord(start), lowWord(start), highWord(last), lowWord(last), value >>> 0) !== NONE;
  }

  /** The value of the entry that is exactly start…last, the latest of equals; `undefined` if there is none. */
  find(start: bigint, last: bigint): number | undefined {
    const at = this.#locate(highWord(start), lowWord(start), highWord(last), lowWord(last), NONE);
    return at === NONE ? undefined : this.#nodes.values[at];
  }

  /** True if an entry shares an address with first…last (inclusive). */
  overlapsAny(first: bigint, last: bigint): boolean {
    return this.overlapsAnyWords(highWord(first), lowWord(first), highWord(last), lowWord(last));
  }

  /** The same with addresses in words. */
  overlapsAnyWords(firstHigh: number, firstLow: number, lastHigh: number, lastLow: number): boolean {
    return this.#firstOverlap(firstHigh, firstLow, lastHigh, lastLow) !== NONE;
  }

  /** The entry of lowest start among those that share an address with first…last (inclusive). */
  firstOverlap(first: bigint, last: bigint): IntervalEntry | undefined {
    const at = this.#firstOverlap(highWord(first), lowWord(first), highWord(last), lowWord(last));
    return at === NONE ? undefined : this.#entryAs(at, toEntry);
  }

  /** The entries that share an address with first…last (inclusive), by ascending start. */
  *overlaps(first: bigint, last: bigint): Generator<IntervalEntry> {
    yield* this.overlapsAs(first, last, toEntry);
  }

  /** The same, each entry as `make` makes it from its value and its words. */
  *overlapsAs<T>(first: bigint, last: bigint, make: EntryMaker<T>): Generator<T> {
    const firstHigh = highWord(first);
    const firstLow = lowWord(first);
    const lastHigh = highWord(last);
    const lastLow = lowWord(last);
    const nodes = this.#nodes;
    if (nodes.overlapping) {
      for (const at of overlapsIn(nodes, nodes.height, nodes.root, firstHigh, firstLow, lastHigh, lastLow)) {
        yield this.#entryAs(at, make);
      }
      return;
    }
    const keys = nodes.keys;
    let at = this.#firstOverlap(firstHigh, firstLow, lastHigh, lastLow);
    while (at !== NONE) {
      const leaf = Math.floor(at / nodes.capacity);
      const end = nodes.endOf(0, leaf);
      for (; at < end; at++) {
        if (below(lastHigh, lastLow, keys[at * STRIDE] as number, keys[at * STRIDE + 1] as number)) return;
        yield this.#entryAs(at, make);
      }
      at = nodes.firstOfNextLeaf(leaf);
    }
  }

  /**
   * Calls `visit` for each entry that shares an address with first…last (inclusive), by ascending start, without
   * allocating. True if the visitor ended it.
   */
  visitOverlaps(first: bigint, last: bigint, visit: EntryVisitor): boolean {
    const firstHigh = highWord(first);
    const firstLow = lowWord(first);
    const lastHigh = highWord(last);
    const lastLow = lowWord(last);
    const nodes = this.#nodes;
    if (nodes.overlapping) {
      return visitOverlapsIn(nodes, nodes.height, nodes.root, firstHigh, firstLow, lastHigh, lastLow, visit);
    }
    const keys = nodes.keys;
    const values = nodes.values;
    let at = this.#firstOverlap(firstHigh, firstLow, lastHigh, lastLow);
    while (at !== NONE) {
      const leaf = Math.floor(at / nodes.capacity);
      const end = nodes.endOf(0, leaf);
      for (; at < end; at++) {
        const k = at * STRIDE;
        const startHigh = keys[k] as number;
        const startLow = keys[k + 1] as number;
        if (below(lastHigh, lastLow, startHigh, startLow)) return false;
        if (visit(values[at] as number, startHigh, startLow, keys[k + 2] as number, keys[k + 3] as number)) return true;
      }
      at = nodes.firstOfNextLeaf(leaf);
    }
    return false;
  }

  /**
   * Calls `visit`, by ascending address, for each gap of at least `length` bytes (1 or more) between entries inside
   * first…last (inclusive), the gaps cut to that range. Parts of the tree that hold no such gap are skipped; with
   * `shift` (0 to 31) also parts where no gap holds `length` bytes from a multiple of 2^shift on, with the bits of
   * `offset` (below 2^31) set in it, though the visitor may still get such gaps. What a search learns about alignment is
   * kept for the next one; of several offsets, for the latest eight. True if the visitor ended it.
   */
  visitGaps(first: bigint, last: bigint, length: bigint, visit: GapVisitor, shift?: number, offset = 0): boolean {
    if (last < first || last - first < length - 1n) return false;
    const nodes = this.#nodes;
    const cursor = new GapCursor(first, last, length, visit);
    const ended =
      shift === undefined
        ? searchGaps(nodes, nodes.height, nodes.root, cursor)
        : searchAlignedGaps(nodes, nodes.height, nodes.root, cursor, learnedBounds(nodes, shift, offset));
    return ended || cursor.finish();
  }

  /** The alternating used and free ranges of first…last (inclusive), by ascending address, cut to that range. */
  *spans(first: bigint, last: bigint): Generator<Span> {
    yield* mergedSpans([this], first, last);
  }

  /** Number of entries whose start is inside first…last (inclusive). O(log n). */
  countStartingIn(first: bigint, last: bigint): number {
    if (last < first) return 0;
    const before = first === 0n ? 0 : this.#path.rank(highWord(first - 1n), lowWord(first - 1n));
    return this.#path.rank(highWord(last), lowWord(last)) - before;
  }

  /** Throws if a rule of the structure is broken: for tests. */
  verify(): void {
    verifyNodes(this.#nodes);
  }

  /** Index of the entry that is exactly this (with NONE: of any value), the path set to it; NONE if there is none. */
  #locate(startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): number {
    const nodes = this.#nodes;
    const keys = nodes.keys;
    const capacity = nodes.capacity;
    let leaf = this.#path.descend(startHigh, startLow);
    let position = nodes.countUpTo(leaf, startHigh, startLow) - 1;
    // Equal starts are side by side, perhaps over several leaves; walk back through them.
    for (;;) {
      for (; position >= 0; position--) {
        const at = leaf * capacity + position;
        const k = at * STRIDE;
        if (keys[k] !== startHigh || keys[k + 1] !== startLow) return NONE;
        if (keys[k + 2] !== lastHigh || keys[k + 3] !== lastLow) continue;
        if (value === NONE || nodes.values[at] === value) return at;
      }
      leaf = this.#path.previousLeaf();
      if (leaf === NONE) return NONE;
      position = (nodes.leafFill[leaf] as number) - 1;
    }
  }

  /** Index of the first entry, by start, that shares an address with the range; NONE if there is none. */
  #firstOverlap(firstHigh: number, firstLow: number, lastHigh: number, lastLow: number): number {
    const nodes = this.#nodes;
    if (nodes.overlapping) {
      return firstOverlapIn(nodes, nodes.height, nodes.root, firstHigh, firstLow, lastHigh, lastLow);
    }
    const keys = nodes.keys;
    const leaf = this.#path.descend(firstHigh, firstLow);
    const position = nodes.countUpTo(leaf, firstHigh, firstLow);
    let at = leaf * nodes.capacity + position;
    if (position > 0) {
      const k = (at - 1) * STRIDE;
      if (atMost(firstHigh, firstLow, keys[k + 2] as number, keys[k + 3] as number)) return at - 1;
    }
    if (position === nodes.leafFill[leaf]) {
      at = nodes.firstOfNextLeaf(leaf);
      if (at === NONE) return NONE;
    }
    return atMost(keys[at * STRIDE] as number, keys[at * STRIDE + 1] as number, lastHigh, lastLow) ? at : NONE;
  }

  #entryAs<T>(at: number, make: EntryMaker<T>): T {
    const { keys, values } = this.#nodes;
    const k = at * STRIDE;
    return make(
      values[at] as number,
      keys[k] as number,
      keys[k + 1] as number,
      keys[k + 2] as number,
      keys[k + 3] as number,
    );
  }

  /** Of a tree without overlaps: true if a new entry at this place overlaps none. If it overlaps neither neighbour it does not. */
  #isFree(
    leaf: number,
    position: number,
    startHigh: number,
    startLow: number,
    lastHigh: number,
    lastLow: number,
  ): boolean {
    const nodes = this.#nodes;
    const keys = nodes.keys;
    const at = leaf * nodes.capacity + position;
    // At position 0 nothing is before it: the way down leads to the last leaf that starts at or below it.
    if (position > 0) {
      const k = (at - 1) * STRIDE;
      if (atMost(startHigh, startLow, keys[k + 2] as number, keys[k + 3] as number)) return false;
    }
    const after = position === nodes.leafFill[leaf] ? nodes.firstOfNextLeaf(leaf) : at;
    if (after === NONE) return true;
    const k = after * STRIDE;
    return !atMost(keys[k] as number, keys[k + 1] as number, lastHigh, lastLow);
  }
}
