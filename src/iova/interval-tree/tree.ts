// An index of inclusive address ranges: a B+ tree in typed arrays, ordered by start.
//
//            ┌ slot: lowest start, highest last, largest gap inside, entries below ┐
//   inner    [ slot | slot | slot | … ]            one row of `capacity` slots a node
//               │      │
//   leaf     [start last value | start last value | …] ⇄ next leaf
//
// Addresses are two Uint32 words (high, low). A gap is held as a double: rounding is monotonic, so a gap of at least
// `length` bytes never rounds below `length` rounded, and skipping by it never skips a gap that would have fitted.

import { atMost, below, fromWords, highWord, lowWord, TWO_32 } from '../address-halves.ts';
import type { Iova } from '../iova.ts';
import { GapCursor } from './gap-cursor.ts';
import { mergedSpans } from './merged-spans.ts';
import type { EntryMaker, EntryVisitor, GapVisitor, IntervalEntry, ReadonlyIntervalTree, Span } from './types.ts';

const DEFAULT_CAPACITY = 64;
/** Words of a range: start high, start low, last high, last low. */
const STRIDE = 4;
const NONE = -1;
/** A tree of capacity 4 and 2^32 entries is lower than this. */
const MAX_HEIGHT = 40;

function toEntry(value: number, startHigh: number, startLow: number, lastHigh: number, lastLow: number): IntervalEntry {
  return { start: fromWords(startHigh, startLow) as Iova, last: fromWords(lastHigh, lastLow) as Iova, value };
}

/** Addresses strictly between `last` and `start`, rounded to a double; 0 or less if they touch or overlap. */
function gapBetween(lastHigh: number, lastLow: number, startHigh: number, startLow: number): number {
  return (startHigh - lastHigh) * TWO_32 + (startLow - lastLow - 1);
}

function grown<T extends Uint32Array | Int32Array | Float64Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (n: number) => T)(length);
  larger.set(array);
  return larger;
}

/**
 * Ranges may overlap, also repeat; the tree notices, and is at its fastest as long as they do not. Entries of equal
 * start keep the order in which they came. Changing the tree while it is being walked is not allowed.
 */
export class IntervalTree implements ReadonlyIntervalTree {
  readonly #capacity: number;
  /** A node that falls below this joins or shares with a neighbour; at least 2, so that no inner node has a lone child. */
  readonly #lowWater: number;
  #size = 0;
  /** Levels above the leaves: 0 when the root is a leaf. */
  #height = 0;
  #root = 0;
  /** False as long as no two entries overlap: then lasts ascend as starts do. */
  #overlapping = false;

  // Leaves: node n has entries n·capacity and on.
  #keys: Uint32Array;
  #values: Uint32Array;
  #leafFill: Int32Array;
  #next: Int32Array;
  #previous: Int32Array;
  #leaves = 0;
  #freeLeaves: number[] = [];

  // Inner nodes: node n has slots n·capacity and on, each the summary of a child.
  #bounds: Uint32Array;
  #gaps: Float64Array;
  #children: Int32Array;
  #counts: Uint32Array;
  #innerFill: Int32Array;
  #inners = 0;
  #freeInners: number[] = [];
  /**
   * By alignment 2^n, beside the gaps: a slot has at least the most that any gap inside holds from its first multiple of
   * 2^n on, or NaN for not known. Filled by searches that find nothing, so that the next one need not look there.
   */
  readonly #aligned: (Float64Array | undefined)[] = [];

  // The way from the root to the leaf of the operation at hand, by level (1 is just above the leaves).
  readonly #pathNode = new Int32Array(MAX_HEIGHT);
  readonly #pathSlot = new Int32Array(MAX_HEIGHT);
  // The start that the way was for, and the leaf it led to, or NONE if the tree has changed: who looks before changing
  // something goes down once.
  #pathHigh = 0;
  #pathLow = 0;
  #pathLeaf = NONE;

  /** `capacity`: entries a leaf and slots a node, at least 4. Only tests want another than the default. */
  constructor(capacity = DEFAULT_CAPACITY) {
    if (!Number.isInteger(capacity) || capacity < 4) throw new RangeError(`node capacity ${capacity} is below 4`);
    this.#capacity = capacity;
    this.#lowWater = Math.max(2, capacity >> 2);
    this.#keys = new Uint32Array(capacity * STRIDE);
    this.#values = new Uint32Array(capacity);
    this.#leafFill = new Int32Array(1);
    this.#next = new Int32Array(1);
    this.#previous = new Int32Array(1);
    this.#bounds = new Uint32Array(0);
    this.#gaps = new Float64Array(0);
    this.#children = new Int32Array(0);
    this.#counts = new Uint32Array(0);
    this.#innerFill = new Int32Array(0);
    this.#root = this.#newLeaf();
  }

  /**
   * Builds a tree in one go. `starts` must not descend (RangeError if it does, or if a start is above its last);
   * `values` are 0, 1, 2 … if left out. O(n).
   */
  static fromSorted(
    starts: BigUint64Array,
    lasts: BigUint64Array,
    values?: Uint32Array,
    capacity = DEFAULT_CAPACITY,
  ): IntervalTree {
    const tree = new IntervalTree(capacity);
    tree.#build(starts, lasts, values);
    return tree;
  }

  /** Number of entries. */
  get size(): number {
    return this.#size;
  }

  /** Memory held by the arrays, in bytes, unused room included. */
  get bytes(): number {
    const arrays = [
      this.#keys,
      this.#values,
      this.#leafFill,
      this.#next,
      this.#previous,
      this.#bounds,
      this.#gaps,
      this.#children,
      this.#counts,
      this.#innerFill,
      ...this.#aligned.filter((bounds) => bounds !== undefined),
    ];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** An independent copy: the arrays are copied, nothing is rebuilt. */
  clone(): IntervalTree {
    const copy = new IntervalTree(this.#capacity);
    const leaves = this.#leaves;
    const inners = this.#inners;
    const capacity = this.#capacity;
    copy.#size = this.#size;
    copy.#height = this.#height;
    copy.#root = this.#root;
    copy.#overlapping = this.#overlapping;
    copy.#keys = this.#keys.slice(0, leaves * capacity * STRIDE);
    copy.#values = this.#values.slice(0, leaves * capacity);
    copy.#leafFill = this.#leafFill.slice(0, leaves);
    copy.#next = this.#next.slice(0, leaves);
    copy.#previous = this.#previous.slice(0, leaves);
    copy.#leaves = leaves;
    copy.#freeLeaves = this.#freeLeaves.slice();
    copy.#bounds = this.#bounds.slice(0, inners * capacity * STRIDE);
    copy.#gaps = this.#gaps.slice(0, inners * capacity);
    copy.#children = this.#children.slice(0, inners * capacity);
    copy.#counts = this.#counts.slice(0, inners * capacity);
    copy.#innerFill = this.#innerFill.slice(0, inners);
    copy.#inners = inners;
    copy.#freeInners = this.#freeInners.slice();
    for (const [shift, bounds] of this.#aligned.entries()) {
      copy.#aligned[shift] = bounds?.slice(0, inners * capacity);
    }
    return copy;
  }

  /** Takes all entries away; the memory is kept for the next ones. */
  clear(): void {
    this.#size = 0;
    this.#height = 0;
    this.#overlapping = false;
    this.#leaves = 0;
    this.#inners = 0;
    this.#freeLeaves = [];
    this.#freeInners = [];
    this.#pathLeaf = NONE;
    this.#root = this.#newLeaf();
  }

  /**
   * Adds the inclusive range start…last of 64-bit addresses. `value` is kept modulo 2^32. RangeError if start is above
   * last.
   */
  insert(start: bigint, last: bigint, value: number): void {
    const startHigh = highWord(start);
    const startLow = lowWord(start);
    const lastHigh = highWord(last);
    const lastLow = lowWord(last);
    if (below(lastHigh, lastLow, startHigh, startLow)) {
      throw new RangeError(`start 0x${start.toString(16)} is above last 0x${last.toString(16)}`);
    }
    const leaf = this.#descend(startHigh, startLow);
    const capacity = this.#capacity;
    const keys = this.#keys;
    const base = leaf * capacity;
    const fill = this.#leafFill[leaf] as number;
    const position = this.#upperBound(leaf, startHigh, startLow);
    if (!this.#overlapping) this.#watchForOverlap(leaf, position, startHigh, startLow, lastHigh, lastLow);
    this.#size++;

    if (fill === capacity) {
      this.#pathLeaf = NONE;
      this.#insertSplitting(leaf, position, startHigh, startLow, lastHigh, lastLow, value);
      return;
    }
    const at = base + position;
    if (position < fill) {
      keys.copyWithin((at + 1) * STRIDE, at * STRIDE, (base + fill) * STRIDE);
      this.#values.copyWithin(at + 1, at, base + fill);
    }
    this.#writeEntry(at, startHigh, startLow, lastHigh, lastLow, value);
    this.#leafFill[leaf] = fill + 1;
    if (this.#height === 0) return;

    const counts = this.#counts;
    for (let level = 1; level <= this.#height; level++) {
      (counts[this.#slotAt(level)] as number)++;
    }
    // Without overlaps an entry between two others only splits their gap, and that matters if it was the largest.
    if (!this.#overlapping && position > 0 && position < fill) {
      const b = (at - 1) * STRIDE;
      const a = (at + 1) * STRIDE;
      const split = gapBetween(keys[b + 2] as number, keys[b + 3] as number, keys[a] as number, keys[a + 1] as number);
      this.#refreshGaps(split);
      return;
    }
    // An entry at an end makes a gap inside the leaf of what was one outside.
    if (position === 0 || position === fill) this.#forgetAligned();
    this.#refreshPath(1);
  }

  /** Removes one entry that is exactly start…last with `value`. False if there is none. */
  remove(start: bigint, last: bigint, value: number): boolean {
    const startHigh = highWord(start);
    const startLow = lowWord(start);
    const lastHigh = highWord(last);
    const lastLow = lowWord(last);
    const at = this.#locate(startHigh, startLow, lastHigh, lastLow, value >>> 0);
    if (at === NONE) return false;
    this.#pathLeaf = NONE;
    const capacity = this.#capacity;
    const leaf = Math.floor(at / capacity);
    const base = leaf * capacity;
    const position = at - base;
    const fill = (this.#leafFill[leaf] as number) - 1;
    const keys = this.#keys;
    if (position < fill) {
      keys.copyWithin(at * STRIDE, (at + 1) * STRIDE, (base + fill + 1) * STRIDE);
      this.#values.copyWithin(at, at + 1, base + fill + 1);
    }
    this.#leafFill[leaf] = fill;
    this.#size--;
    if (this.#size === 0) {
      this.clear();
      return true;
    }
    if (this.#height === 0) return true;

    const counts = this.#counts;
    for (let level = 1; level <= this.#height; level++) {
      (counts[this.#slotAt(level)] as number)--;
    }
    if (fill < this.#lowWater) {
      this.#mend();
      return true;
    }
    this.#forgetAligned();
    // Without overlaps taking an inner entry joins two gaps into one that is larger than both.
    if (!this.#overlapping && position > 0 && position < fill) {
      const b = (at - 1) * STRIDE;
      const a = at * STRIDE;
      const joined = gapBetween(keys[b + 2] as number, keys[b + 3] as number, keys[a] as number, keys[a + 1] as number);
      const gaps = this.#gaps;
      for (let level = 1; level <= this.#height; level++) {
        const slot = this.#slotAt(level);
        if (joined <= (gaps[slot] as number)) return true;
        gaps[slot] = joined;
      }
      return true;
    }
    this.#refreshPath(1);
    return true;
  }

  /** True if the tree holds exactly this entry. */
  has(start: bigint, last: bigint, value: number): boolean {
    return this.#locate(highWord(start), lowWord(start), highWord(last), lowWord(last), value >>> 0) !== NONE;
  }

  /** The value of the entry that is exactly start…last, the latest of equals; `undefined` if there is none. */
  find(start: bigint, last: bigint): number | undefined {
    const at = this.#locate(highWord(start), lowWord(start), highWord(last), lowWord(last), NONE);
    return at === NONE ? undefined : this.#values[at];
  }

  /** True if an entry shares an address with first…last (inclusive). */
  overlapsAny(first: bigint, last: bigint): boolean {
    return this.#firstOverlap(highWord(first), lowWord(first), highWord(last), lowWord(last)) !== NONE;
  }

  /** The entry of lowest start among those that share an address with first…last (inclusive). */
  firstOverlap(first: bigint, last: bigint): IntervalEntry | undefined {
    const at = this.#firstOverlap(highWord(first), lowWord(first), highWord(last), lowWord(last));
    return at === NONE ? undefined : this.#entry(at);
  }

  /** The entries that share an address with first…last (inclusive), by ascending start. */
  *overlaps(first: bigint, last: bigint): Generator<IntervalEntry> {
    yield* this.overlapsAs(first, last, toEntry);
  }

  /** The same, each entry as `make` makes it of its value and its words. */
  *overlapsAs<T>(first: bigint, last: bigint, make: EntryMaker<T>): Generator<T> {
    const firstHigh = highWord(first);
    const firstLow = lowWord(first);
    const lastHigh = highWord(last);
    const lastLow = lowWord(last);
    if (this.#overlapping) {
      for (const at of this.#walk(this.#height, this.#root, firstHigh, firstLow, lastHigh, lastLow)) {
        yield this.#entryAs(at, make);
      }
      return;
    }
    const keys = this.#keys;
    const capacity = this.#capacity;
    let at = this.#firstOverlap(firstHigh, firstLow, lastHigh, lastLow);
    while (at !== NONE) {
      const leaf = Math.floor(at / capacity);
      const end = leaf * capacity + (this.#leafFill[leaf] as number);
      for (; at < end; at++) {
        if (below(lastHigh, lastLow, keys[at * STRIDE] as number, keys[at * STRIDE + 1] as number)) return;
        yield this.#entryAs(at, make);
      }
      const next = this.#next[leaf] as number;
      at = next === NONE ? NONE : next * capacity;
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
    if (this.#overlapping) {
      return this.#visit(this.#height, this.#root, firstHigh, firstLow, lastHigh, lastLow, visit);
    }
    const keys = this.#keys;
    const values = this.#values;
    const capacity = this.#capacity;
    let at = this.#firstOverlap(firstHigh, firstLow, lastHigh, lastLow);
    while (at !== NONE) {
      const leaf = Math.floor(at / capacity);
      const end = leaf * capacity + (this.#leafFill[leaf] as number);
      for (; at < end; at++) {
        const k = at * STRIDE;
        const startHigh = keys[k] as number;
        const startLow = keys[k + 1] as number;
        if (below(lastHigh, lastLow, startHigh, startLow)) return false;
        if (visit(values[at] as number, startHigh, startLow, keys[k + 2] as number, keys[k + 3] as number)) return true;
      }
      const next = this.#next[leaf] as number;
      at = next === NONE ? NONE : next * capacity;
    }
    return false;
  }

  /**
   * Calls `visit`, by ascending address, for each gap of at least `length` bytes (1 or more) between entries inside
   * first…last (inclusive), the gaps cut to that range. Parts of the tree that hold no such gap are skipped; with
   * `shift` (0 to 31) also parts where no gap holds `length` bytes from a multiple of 2^shift on, though the visitor may
   * still get such gaps. What a search learns of alignment is kept for the next one. True if the visitor ended it.
   */
  visitGaps(first: bigint, last: bigint, length: bigint, visit: GapVisitor, shift?: number): boolean {
    if (last < first || last - first < length - 1n) return false;
    const search = new GapCursor(first, last, length, visit);
    const found =
      shift === undefined
        ? this.#searchGaps(this.#height, this.#root, search)
        : this.#searchAligned(this.#height, this.#root, search, shift, this.#alignedBounds(shift));
    return found || search.finish();
  }

  /** The alternating used and free stretches of first…last (inclusive), by ascending address, cut to that range. */
  *spans(first: bigint, last: bigint): Generator<Span> {
    yield* mergedSpans([this], first, last);
  }

  /** Number of entries whose start lies in first…last (inclusive). O(log n). */
  countStartingIn(first: bigint, last: bigint): number {
    if (last < first) return 0;
    const before = first === 0n ? 0 : this.#rank(highWord(first - 1n), lowWord(first - 1n));
    return this.#rank(highWord(last), lowWord(last)) - before;
  }

  /** Throws if a rule of the structure is broken: for tests. */
  verify(): void {
    const seen = { entries: 0, leaf: NONE, lastHigh: 0, lastLow: 0, any: false };
    this.#verifyNode(this.#height, this.#root, seen);
    if (seen.entries !== this.#size) throw new Error(`size ${this.#size}, but ${seen.entries} entries`);
    if (seen.leaf !== NONE && this.#next[seen.leaf] !== NONE) throw new Error('the last leaf has a next one');
  }

  // ---- finding -------------------------------------------------------------------------------------------------

  /** Goes to the leaf where an entry of this start belongs, behind its equals, and keeps the path. */
  #descend(high: number, low: number): number {
    if (this.#pathLeaf !== NONE && this.#pathHigh === high && this.#pathLow === low) return this.#pathLeaf;
    const capacity = this.#capacity;
    const bounds = this.#bounds;
    const fills = this.#innerFill;
    const children = this.#children;
    let node = this.#root;
    for (let level = this.#height; level > 0; level--) {
      const base = node * capacity;
      let from = 0;
      let to = (fills[node] as number) - 1;
      // The last slot whose lowest start is at most the one looked for; slot 0 if none is.
      while (from < to) {
        const middle = (from + to + 1) >>> 1;
        const b = (base + middle) * STRIDE;
        const startHigh = bounds[b] as number;
        if (startHigh < high || (startHigh === high && (bounds[b + 1] as number) <= low)) from = middle;
        else to = middle - 1;
      }
      this.#pathNode[level] = node;
      this.#pathSlot[level] = from;
      node = children[base + from] as number;
    }
    this.#pathHigh = high;
    this.#pathLow = low;
    this.#pathLeaf = node;
    return node;
  }

  /** Number of entries of a leaf whose start is at most this one. */
  #upperBound(leaf: number, high: number, low: number): number {
    const keys = this.#keys;
    const base = leaf * this.#capacity;
    let from = 0;
    let to = this.#leafFill[leaf] as number;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const k = (base + middle) * STRIDE;
      const startHigh = keys[k] as number;
      if (startHigh < high || (startHigh === high && (keys[k + 1] as number) <= low)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Index of the entry that is exactly this (of any value with NONE), its path kept; NONE if there is none. */
  #locate(startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): number {
    const keys = this.#keys;
    const capacity = this.#capacity;
    let leaf = this.#descend(startHigh, startLow);
    let position = this.#upperBound(leaf, startHigh, startLow) - 1;
    // Equal starts stand side by side, perhaps over several leaves; walk back through them.
    for (;;) {
      for (; position >= 0; position--) {
        const at = leaf * capacity + position;
        const k = at * STRIDE;
        if (keys[k] !== startHigh || keys[k + 1] !== startLow) return NONE;
        if (keys[k + 2] !== lastHigh || keys[k + 3] !== lastLow) continue;
        if (value === NONE || this.#values[at] === value) return at;
      }
      leaf = this.#previousLeafOnPath();
      if (leaf === NONE) return NONE;
      position = (this.#leafFill[leaf] as number) - 1;
    }
  }

  /** Moves the path to the leaf before; NONE at the first one. */
  #previousLeafOnPath(): number {
    this.#pathLeaf = NONE;
    let level = 1;
    while (level <= this.#height && this.#pathSlot[level] === 0) level++;
    if (level > this.#height) return NONE;
    (this.#pathSlot[level] as number)--;
    let node = this.#children[this.#slotAt(level)] as number;
    for (level--; level > 0; level--) {
      this.#pathNode[level] = node;
      this.#pathSlot[level] = (this.#innerFill[node] as number) - 1;
      node = this.#children[this.#slotAt(level)] as number;
    }
    return node;
  }

  /** Index of the first entry, by start, that shares an address with the range; NONE if there is none. */
  #firstOverlap(firstHigh: number, firstLow: number, lastHigh: number, lastLow: number): number {
    const keys = this.#keys;
    const capacity = this.#capacity;
    if (this.#overlapping) {
      return this.#firstOverlapBelow(this.#height, this.#root, firstHigh, firstLow, lastHigh, lastLow);
    }
    const leaf = this.#descend(firstHigh, firstLow);
    const position = this.#upperBound(leaf, firstHigh, firstLow);
    let at = leaf * capacity + position;
    if (position > 0) {
      const k = (at - 1) * STRIDE;
      if (atMost(firstHigh, firstLow, keys[k + 2] as number, keys[k + 3] as number)) return at - 1;
    }
    if (position === (this.#leafFill[leaf] as number)) {
      const next = this.#next[leaf] as number;
      if (next === NONE) return NONE;
      at = next * capacity;
    }
    return atMost(keys[at * STRIDE] as number, keys[at * STRIDE + 1] as number, lastHigh, lastLow) ? at : NONE;
  }

  #firstOverlapBelow(
    level: number,
    node: number,
    firstHigh: number,
    firstLow: number,
    lastHigh: number,
    lastLow: number,
  ): number {
    // The first entry that reaches `first` decides: if it starts beyond the range, so do all that follow.
    const words = level === 0 ? this.#keys : this.#bounds;
    const base = node * this.#capacity;
    const end = base + ((level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number);
    for (let i = base; i < end; i++) {
      const w = i * STRIDE;
      if (below(words[w + 2] as number, words[w + 3] as number, firstHigh, firstLow)) continue;
      if (below(lastHigh, lastLow, words[w] as number, words[w + 1] as number)) return NONE;
      if (level === 0) return i;
      return this.#firstOverlapBelow(level - 1, this.#children[i] as number, firstHigh, firstLow, lastHigh, lastLow);
    }
    return NONE;
  }

  #visit(
    level: number,
    node: number,
    firstHigh: number,
    firstLow: number,
    lastHigh: number,
    lastLow: number,
    visit: EntryVisitor,
  ): boolean {
    const words = level === 0 ? this.#keys : this.#bounds;
    const base = node * this.#capacity;
    const end = base + ((level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number);
    for (let i = base; i < end; i++) {
      const w = i * STRIDE;
      const startHigh = words[w] as number;
      const startLow = words[w + 1] as number;
      if (below(lastHigh, lastLow, startHigh, startLow)) return false;
      const endHigh = words[w + 2] as number;
      const endLow = words[w + 3] as number;
      if (below(endHigh, endLow, firstHigh, firstLow)) continue;
      const done =
        level === 0
          ? visit(this.#values[i] as number, startHigh, startLow, endHigh, endLow)
          : this.#visit(level - 1, this.#children[i] as number, firstHigh, firstLow, lastHigh, lastLow, visit);
      if (done) return true;
    }
    return false;
  }

  *#walk(
    level: number,
    node: number,
    firstHigh: number,
    firstLow: number,
    lastHigh: number,
    lastLow: number,
  ): Generator<number> {
    const words = level === 0 ? this.#keys : this.#bounds;
    const base = node * this.#capacity;
    const end = base + ((level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number);
    for (let i = base; i < end; i++) {
      const w = i * STRIDE;
      if (below(lastHigh, lastLow, words[w] as number, words[w + 1] as number)) return;
      if (below(words[w + 2] as number, words[w + 3] as number, firstHigh, firstLow)) continue;
      if (level === 0) yield i;
      else yield* this.#walk(level - 1, this.#children[i] as number, firstHigh, firstLow, lastHigh, lastLow);
    }
  }

  #searchGaps(level: number, node: number, search: GapCursor): boolean {
    const words = level === 0 ? this.#keys : this.#bounds;
    const base = node * this.#capacity;
    const end = base + ((level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number);
    for (let i = base; i < end; i++) {
      const w = i * STRIDE;
      // Nothing of what ends before the range matters.
      if (below(words[w + 2] as number, words[w + 3] as number, search.nextHigh, search.nextLow)) continue;
      if (search.before(words[w] as number, words[w + 1] as number)) return true;
      if (search.ended) return false;
      if (level > 0 && (this.#gaps[i] as number) >= search.length) {
        if (this.#searchGaps(level - 1, this.#children[i] as number, search)) return true;
        if (search.ended) return false;
      } else {
        search.pass(words[w + 2] as number, words[w + 3] as number);
        if (search.ended) return false;
      }
    }
    return false;
  }

  #alignedBounds(shift: number): Float64Array {
    if (!Number.isInteger(shift) || shift < 0 || shift > 31) throw new RangeError(`no alignment of 2^${shift}`);
    let bounds = this.#aligned[shift];
    if (!bounds) {
      bounds = new Float64Array(this.#gaps.length).fill(Number.NaN);
      this.#aligned[shift] = bounds;
    }
    return bounds;
  }

  /** The same search, passing over what is known to hold no aligned gap, and learning it of what it looked at. */
  #searchAligned(level: number, node: number, search: GapCursor, shift: number, bounds: Float64Array): boolean {
    if (level === 0) return this.#searchGaps(0, node, search);
    const words = this.#bounds;
    const base = node * this.#capacity;
    const end = base + (this.#innerFill[node] as number);
    for (let i = base; i < end; i++) {
      const w = i * STRIDE;
      if (below(words[w + 2] as number, words[w + 3] as number, search.nextHigh, search.nextLow)) continue;
      if (search.before(words[w] as number, words[w + 1] as number)) return true;
      if (search.ended) return false;
      const child = this.#children[i] as number;
      let hopeless = (this.#gaps[i] as number) < search.length;
      if (!hopeless) {
        if (level === 1 && Number.isNaN(bounds[i])) bounds[i] = this.#mostAligned(0, child, shift, bounds);
        hopeless = (bounds[i] as number) < search.length;
      }
      if (!hopeless) {
        if (this.#searchAligned(level - 1, child, search, shift, bounds)) return true;
        if (search.ended) return false;
        if (level > 1) bounds[i] = this.#mostAligned(level - 1, child, shift, bounds);
      } else {
        search.pass(words[w + 2] as number, words[w + 3] as number);
        if (search.ended) return false;
      }
    }
    return false;
  }

  /**
   * At least the most bytes that a gap inside a node at `level` holds from its first multiple of 2^shift on. Exact for a
   * leaf; of children that are not known the largest gap is taken.
   */
  #mostAligned(level: number, node: number, shift: number, bounds: Float64Array): number {
    const words = level === 0 ? this.#keys : this.#bounds;
    const base = node * this.#capacity;
    const end = base + ((level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number);
    const mask = 2 ** shift - 1;
    let high = words[base * STRIDE + 2] as number;
    let low = words[base * STRIDE + 3] as number;
    let most = level === 0 ? 0 : this.#knownAligned(base, bounds);
    for (let i = base + 1; i < end; i++) {
      const w = i * STRIDE;
      // The first multiple behind the last used address, and what is left from there to the next start.
      const sum = low + 1 + mask;
      const place = (sum & ~mask) >>> 0;
      const carried = sum >= TWO_32 ? high + 1 : high;
      const room = ((words[w] as number) - carried) * TWO_32 + ((words[w + 1] as number) - place);
      if (room > most) most = room;
      if (level > 0) {
        const inside = this.#knownAligned(i, bounds);
        if (inside > most) most = inside;
      }
      if (below(high, low, words[w + 2] as number, words[w + 3] as number)) {
        high = words[w + 2] as number;
        low = words[w + 3] as number;
      }
    }
    return most;
  }

  #knownAligned(slot: number, bounds: Float64Array): number {
    const known = bounds[slot] as number;
    const gap = this.#gaps[slot] as number;
    return known < gap ? known : gap;
  }

  /** What was learned of the nodes on the path no longer holds. */
  #forgetAligned(): void {
    for (const bounds of this.#aligned) {
      if (!bounds) continue;
      for (let level = 1; level <= this.#height; level++) bounds[this.#slotAt(level)] = Number.NaN;
    }
  }

  /** Works out the summary of a slot whose child is another than before, or has exchanged entries with a neighbour. */
  #renew(level: number, slot: number): void {
    for (const bounds of this.#aligned) if (bounds) bounds[slot] = Number.NaN;
    this.#summarise(level, slot);
  }

  /** Number of entries whose start is at most this address. */
  #rank(high: number, low: number): number {
    const leaf = this.#descend(high, low);
    let rank = this.#upperBound(leaf, high, low);
    for (let level = this.#height; level > 0; level--) {
      const slot = this.#slotAt(level);
      const base = (this.#pathNode[level] as number) * this.#capacity;
      for (let i = base; i < slot; i++) rank += this.#counts[i] as number;
    }
    return rank;
  }

  // ---- changing ------------------------------------------------------------------------------------------------

  #slotAt(level: number): number {
    return (this.#pathNode[level] as number) * this.#capacity + (this.#pathSlot[level] as number);
  }

  #entry(at: number): IntervalEntry {
    return this.#entryAs(at, toEntry);
  }

  #entryAs<T>(at: number, make: EntryMaker<T>): T {
    const k = at * STRIDE;
    const keys = this.#keys;
    return make(
      this.#values[at] as number,
      keys[k] as number,
      keys[k + 1] as number,
      keys[k + 2] as number,
      keys[k + 3] as number,
    );
  }

  #writeEntry(at: number, startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): void {
    const keys = this.#keys;
    const k = at * STRIDE;
    keys[k] = startHigh;
    keys[k + 1] = startLow;
    keys[k + 2] = lastHigh;
    keys[k + 3] = lastLow;
    this.#values[at] = value;
  }

  /** Compares a new entry with its two neighbours: if it overlaps none of them it overlaps none at all. */
  #watchForOverlap(
    leaf: number,
    position: number,
    startHigh: number,
    startLow: number,
    lastHigh: number,
    lastLow: number,
  ): void {
    const keys = this.#keys;
    const capacity = this.#capacity;
    // At position 0 nothing is before it: the way down leads to the last leaf that starts at or below it.
    if (position > 0) {
      const k = (leaf * capacity + position - 1) * STRIDE;
      if (atMost(startHigh, startLow, keys[k + 2] as number, keys[k + 3] as number)) this.#overlapping = true;
    }
    let after = leaf * capacity + position;
    if (position === (this.#leafFill[leaf] as number)) {
      const next = this.#next[leaf] as number;
      after = next === NONE ? NONE : next * capacity;
    }
    if (after !== NONE) {
      const k = after * STRIDE;
      if (atMost(keys[k] as number, keys[k + 1] as number, lastHigh, lastLow)) this.#overlapping = true;
    }
  }

  #newLeaf(): number {
    let leaf = this.#freeLeaves.pop();
    if (leaf === undefined) {
      leaf = this.#leaves++;
      if (leaf >= this.#leafFill.length) {
        const room = Math.ceil(leaf * 1.5) + 4;
        this.#keys = grown(this.#keys, room * this.#capacity * STRIDE);
        this.#values = grown(this.#values, room * this.#capacity);
        this.#leafFill = grown(this.#leafFill, room);
        this.#next = grown(this.#next, room);
        this.#previous = grown(this.#previous, room);
      }
    }
    this.#leafFill[leaf] = 0;
    this.#next[leaf] = NONE;
    this.#previous[leaf] = NONE;
    return leaf;
  }

  #newInner(): number {
    let inner = this.#freeInners.pop();
    if (inner === undefined) {
      inner = this.#inners++;
      if (inner >= this.#innerFill.length) {
        const room = Math.ceil(inner * 1.5) + 4;
        this.#bounds = grown(this.#bounds, room * this.#capacity * STRIDE);
        this.#gaps = grown(this.#gaps, room * this.#capacity);
        this.#children = grown(this.#children, room * this.#capacity);
        this.#counts = grown(this.#counts, room * this.#capacity);
        for (const [shift, bounds] of this.#aligned.entries()) {
          if (bounds) this.#aligned[shift] = grown(bounds, room * this.#capacity);
        }
        this.#innerFill = grown(this.#innerFill, room);
      }
    }
    this.#innerFill[inner] = 0;
    return inner;
  }

  /** Inserts into a full leaf: cuts it in two and carries the new node up. */
  #insertSplitting(
    leaf: number,
    position: number,
    startHigh: number,
    startLow: number,
    lastHigh: number,
    lastLow: number,
    value: number,
  ): void {
    const capacity = this.#capacity;
    const right = this.#newLeaf();
    const next = this.#next[leaf] as number;
    // Appending at the very end is the usual case of sorted input: leave full leaves behind.
    const cut = next === NONE && position === capacity ? capacity - 1 : capacity >> 1;
    this.#next[right] = next;
    this.#previous[right] = leaf;
    if (next !== NONE) this.#previous[next] = right;
    this.#next[leaf] = right;
    this.#moveEntries(leaf, cut, right, 0, capacity - cut);
    this.#leafFill[leaf] = cut;
    this.#leafFill[right] = capacity - cut;
    const target = position > cut ? right : leaf;
    const within = position > cut ? position - cut : position;
    const at = target * capacity + within;
    const end = target * capacity + (this.#leafFill[target] as number);
    this.#keys.copyWithin((at + 1) * STRIDE, at * STRIDE, end * STRIDE);
    this.#values.copyWithin(at + 1, at, end);
    this.#writeEntry(at, startHigh, startLow, lastHigh, lastLow, value);
    (this.#leafFill[target] as number)++;

    let carried = right;
    for (let level = 1; level <= this.#height; level++) {
      this.#renew(level, this.#slotAt(level));
      if (carried !== NONE) carried = this.#insertSlot(level, carried);
    }
    if (carried !== NONE) {
      const left = this.#root;
      const root = this.#newInner();
      this.#height++;
      this.#root = root;
      this.#innerFill[root] = 2;
      this.#children[root * capacity] = left;
      this.#children[root * capacity + 1] = carried;
      this.#renew(this.#height, root * capacity);
      this.#renew(this.#height, root * capacity + 1);
    }
  }

  /** Puts `child` behind the slot of the path at `level`. Returns the new node if this one had to be cut, else NONE. */
  #insertSlot(level: number, child: number): number {
    const capacity = this.#capacity;
    let node = this.#pathNode[level] as number;
    let position = (this.#pathSlot[level] as number) + 1;
    let right = NONE;
    if (this.#innerFill[node] === capacity) {
      right = this.#newInner();
      const cut = position === capacity ? capacity - 1 : capacity >> 1;
      this.#moveSlots(node, cut, right, 0, capacity - cut);
      this.#innerFill[node] = cut;
      this.#innerFill[right] = capacity - cut;
      if (position > cut) {
        node = right;
        position -= cut;
      }
    }
    const fill = this.#innerFill[node] as number;
    this.#moveSlots(node, position, node, position + 1, fill - position);
    this.#innerFill[node] = fill + 1;
    this.#children[node * capacity + position] = child;
    this.#renew(level, node * capacity + position);
    return right;
  }

  #moveEntries(from: number, position: number, to: number, target: number, count: number): void {
    const source = from * this.#capacity + position;
    const goal = to * this.#capacity + target;
    this.#keys.copyWithin(goal * STRIDE, source * STRIDE, (source + count) * STRIDE);
    this.#values.copyWithin(goal, source, source + count);
  }

  #moveSlots(from: number, position: number, to: number, target: number, count: number): void {
    const source = from * this.#capacity + position;
    const goal = to * this.#capacity + target;
    this.#bounds.copyWithin(goal * STRIDE, source * STRIDE, (source + count) * STRIDE);
    this.#gaps.copyWithin(goal, source, source + count);
    this.#children.copyWithin(goal, source, source + count);
    this.#counts.copyWithin(goal, source, source + count);
    for (const bounds of this.#aligned) bounds?.copyWithin(goal, source, source + count);
  }

  /** Works out the summary in `slot` of a node at `level` from the child that it points to. True if bounds or gap changed. */
  #summarise(level: number, slot: number): boolean {
    const child = this.#children[slot] as number;
    const words = level === 1 ? this.#keys : this.#bounds;
    const base = child * this.#capacity;
    const end = base + ((level === 1 ? this.#leafFill[child] : this.#innerFill[child]) as number);
    let highestHigh = words[base * STRIDE + 2] as number;
    let highestLow = words[base * STRIDE + 3] as number;
    let gap = level === 1 ? 0 : (this.#gaps[base] as number);
    let count = level === 1 ? end - base : (this.#counts[base] as number);
    for (let i = base + 1; i < end; i++) {
      const w = i * STRIDE;
      const between = gapBetween(highestHigh, highestLow, words[w] as number, words[w + 1] as number);
      if (between > gap) gap = between;
      const lastHigh = words[w + 2] as number;
      const lastLow = words[w + 3] as number;
      if (below(highestHigh, highestLow, lastHigh, lastLow)) {
        highestHigh = lastHigh;
        highestLow = lastLow;
      }
      if (level > 1) {
        const inside = this.#gaps[i] as number;
        if (inside > gap) gap = inside;
        count += this.#counts[i] as number;
      }
    }
    const bounds = this.#bounds;
    const b = slot * STRIDE;
    const startHigh = words[base * STRIDE] as number;
    const startLow = words[base * STRIDE + 1] as number;
    const changed =
      this.#gaps[slot] !== gap ||
      bounds[b] !== startHigh ||
      bounds[b + 1] !== startLow ||
      bounds[b + 2] !== highestHigh ||
      bounds[b + 3] !== highestLow;
    bounds[b] = startHigh;
    bounds[b + 1] = startLow;
    bounds[b + 2] = highestHigh;
    bounds[b + 3] = highestLow;
    this.#gaps[slot] = gap;
    this.#counts[slot] = count;
    return changed;
  }

  /**
   * The same after a gap of length `split` inside the leaf of the path became two: a summary that a larger gap decided
   * stays, and so do all above it.
   */
  #refreshGaps(split: number): void {
    let before = split;
    for (let level = 1; level <= this.#height; level++) {
      const slot = this.#slotAt(level);
      const gap = this.#gaps[slot] as number;
      if (before < gap) return;
      this.#summarise(level, slot);
      before = gap;
    }
  }

  /** Brings the summaries on the path up to date, from `level` up, as far as something changes. */
  #refreshPath(level: number): void {
    for (let l = level; l <= this.#height; l++) {
      if (!this.#summarise(l, this.#slotAt(l))) return;
    }
  }

  /** After a removal left the leaf of the path too empty: joins it with a neighbour, or shares out evenly; upwards. */
  #mend(): void {
    const capacity = this.#capacity;
    for (let level = 1; level <= this.#height; level++) {
      const parent = this.#pathNode[level] as number;
      const slot = this.#pathSlot[level] as number;
      const siblings = this.#innerFill[parent] as number;
      const fills = level === 1 ? this.#leafFill : this.#innerFill;
      const child = this.#children[parent * capacity + slot] as number;
      if ((fills[child] as number) >= this.#lowWater || siblings === 1) {
        this.#renew(level, parent * capacity + slot);
        continue;
      }
      const leftSlot = slot + 1 < siblings ? slot : slot - 1;
      const left = this.#children[parent * capacity + leftSlot] as number;
      const right = this.#children[parent * capacity + leftSlot + 1] as number;
      const leftFill = fills[left] as number;
      const rightFill = fills[right] as number;
      const total = leftFill + rightFill;
      const wanted = total <= capacity - (capacity >> 2) ? total : total >> 1;
      this.#shift(level, left, leftFill, right, rightFill, wanted);
      fills[left] = wanted;
      fills[right] = total - wanted;
      this.#renew(level, parent * capacity + leftSlot);
      if (total > wanted) {
        this.#renew(level, parent * capacity + leftSlot + 1);
      } else {
        this.#release(level, left, right);
        this.#moveSlots(parent, leftSlot + 2, parent, leftSlot + 1, siblings - leftSlot - 2);
        this.#innerFill[parent] = siblings - 1;
      }
    }
    while (this.#height > 0 && this.#innerFill[this.#root] === 1) {
      const old = this.#root;
      this.#root = this.#children[old * capacity] as number;
      this.#freeInners.push(old);
      this.#height--;
    }
  }

  /** Moves entries or slots between two neighbours until the left one has `wanted`. */
  #shift(level: number, left: number, leftFill: number, right: number, rightFill: number, wanted: number): void {
    const leaf = level === 1;
    const more = wanted - leftFill;
    if (more > 0) {
      if (leaf) {
        this.#moveEntries(right, 0, left, leftFill, more);
        this.#moveEntries(right, more, right, 0, rightFill - more);
      } else {
        this.#moveSlots(right, 0, left, leftFill, more);
        this.#moveSlots(right, more, right, 0, rightFill - more);
      }
    } else if (more < 0) {
      if (leaf) {
        this.#moveEntries(right, 0, right, -more, rightFill);
        this.#moveEntries(left, wanted, right, 0, -more);
      } else {
        this.#moveSlots(right, 0, right, -more, rightFill);
        this.#moveSlots(left, wanted, right, 0, -more);
      }
    }
  }

  #release(level: number, left: number, emptied: number): void {
    if (level > 1) {
      this.#freeInners.push(emptied);
      return;
    }
    const next = this.#next[emptied] as number;
    this.#next[left] = next;
    if (next !== NONE) this.#previous[next] = left;
    this.#freeLeaves.push(emptied);
  }

  // ---- building and checking -------------------------------------------------------------------------------------

  #build(starts: BigUint64Array, lasts: BigUint64Array, values: Uint32Array | undefined): void {
    const count = starts.length;
    if (lasts.length !== count || (values && values.length !== count)) throw new RangeError('arrays differ in length');
    if (count === 0) return;
    const capacity = this.#capacity;
    // A little room in each node, so that the first insertions do not split everything; shared out evenly.
    const comfortable = capacity - (capacity >> 3);
    const leaves = Math.ceil(count / comfortable);
    let highest = 0n;
    let leaf = this.#root;
    let nodes: number[] = [leaf];
    for (let n = 0, i = 0; n < leaves; n++) {
      if (n > 0) {
        const right = this.#newLeaf();
        this.#next[leaf] = right;
        this.#previous[right] = leaf;
        leaf = right;
        nodes.push(leaf);
      }
      const until = Math.floor(((n + 1) * count) / leaves);
      const base = leaf * capacity;
      this.#leafFill[leaf] = until - i;
      for (let position = 0; i < until; i++, position++) {
        const start = starts[i] as bigint;
        const last = lasts[i] as bigint;
        if (start > last) throw new RangeError(`entry ${i}: start is above last`);
        if (i > 0) {
          if (start < (starts[i - 1] as bigint)) throw new RangeError(`entry ${i}: starts descend`);
          if (start <= highest) this.#overlapping = true;
        }
        if (last > highest) highest = last;
        this.#writeEntry(
          base + position,
          highWord(start),
          lowWord(start),
          highWord(last),
          lowWord(last),
          values ? (values[i] as number) : i,
        );
      }
    }
    while (nodes.length > 1) {
      this.#height++;
      const parents: number[] = [];
      const wanted = Math.ceil(nodes.length / comfortable);
      for (let n = 0, i = 0; n < wanted; n++) {
        const inner = this.#newInner();
        parents.push(inner);
        const until = Math.floor(((n + 1) * nodes.length) / wanted);
        this.#innerFill[inner] = until - i;
        for (let slot = inner * capacity; i < until; i++, slot++) {
          this.#children[slot] = nodes[i] as number;
          this.#renew(this.#height, slot);
        }
      }
      nodes = parents;
    }
    this.#root = nodes[0] as number;
    this.#size = count;
  }

  #verifyAligned(level: number, slot: number): void {
    const unknown = new Float64Array(this.#gaps.length).fill(Number.NaN);
    const exact = (l: number, node: number, shift: number): number => {
      if (l > 0) {
        const base = node * this.#capacity;
        for (let i = base; i < base + (this.#innerFill[node] as number); i++) {
          unknown[i] = exact(l - 1, this.#children[i] as number, shift);
        }
      }
      return this.#mostAligned(l, node, shift, unknown);
    };
    for (const [shift, bounds] of this.#aligned.entries()) {
      if (bounds && (bounds[slot] as number) < exact(level - 1, this.#children[slot] as number, shift)) {
        throw new Error(`a gap at level ${level} is larger than is known at 2^${shift}`);
      }
    }
  }

  #verifyNode(
    level: number,
    node: number,
    seen: { entries: number; leaf: number; lastHigh: number; lastLow: number; any: boolean },
  ): void {
    const capacity = this.#capacity;
    const fill = (level === 0 ? this.#leafFill[node] : this.#innerFill[node]) as number;
    if (fill > capacity || (fill < 1 && this.#size > 0)) throw new Error(`node of ${fill} at level ${level}`);
    if (level === 0) {
      if (this.#previous[node] !== seen.leaf) throw new Error('leaves are not linked backwards');
      if (seen.leaf !== NONE && this.#next[seen.leaf] !== node) throw new Error('leaves are not linked forwards');
      seen.leaf = node;
    }
    const words = level === 0 ? this.#keys : this.#bounds;
    for (let i = node * capacity; i < node * capacity + fill; i++) {
      if (level > 0) {
        if (this.#summarise(level, i)) throw new Error(`stale summary at level ${level}`);
        this.#verifyAligned(level, i);
        const before = seen.entries;
        this.#verifyNode(level - 1, this.#children[i] as number, seen);
        if (seen.entries - before !== this.#counts[i]) throw new Error(`stale count at level ${level}`);
        continue;
      }
      const w = i * STRIDE;
      const start = fromWords(words[w] as number, words[w + 1] as number);
      const last = fromWords(words[w + 2] as number, words[w + 3] as number);
      if (start > last) throw new Error('an entry starts above its last');
      if (seen.any && start < fromWords(seen.lastHigh, seen.lastLow)) throw new Error('starts descend');
      seen.lastHigh = words[w] as number;
      seen.lastLow = words[w + 1] as number;
      seen.any = true;
      seen.entries++;
    }
  }
}
