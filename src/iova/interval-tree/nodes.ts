// The casts: see path.ts.
import { below, TWO_32 } from '../address-halves.ts';
import { grown } from '../typed-arrays.ts';

/** Words of a range: start high, start low, last high, last low. */
export const STRIDE = 4;
// The arrays of an empty tree. Nothing is ever written there but what they hold: there may be thousands of empty and small
// trees, and an array costs more than a few elements.
const NO_WORDS = new Uint32Array(0);
const NO_INDICES = new Int32Array(0);
const NO_GAPS = new Float64Array(0);
const EMPTY_FILL = Int32Array.of(0);
const NO_NEIGHBOUR = Int32Array.of(-1);

/** Entries that the first leaf has room for at first. */
const FIRST_ROOM = 4;

/** No node, no entry. */
export const NONE = -1;

/** What searches for one placement have learned: blocks that begin at a multiple of 2^shift with the bits of `offset` added. */
export interface LearnedBounds {
  readonly shift: number;
  readonly offset: number;
  /**
   * Beside `gaps`: an upper bound of the bytes that any gap inside the child holds from the first place of such a block
   * on, or NaN if unknown. Filled by searches that found nothing there.
   */
  bounds: Float64Array;
}

/** Addresses strictly between `last` and `start`, rounded to a double; 0 or less if they touch or overlap. */
export function gapBetween(lastHigh: number, lastLow: number, startHigh: number, startLow: number): number {
  return (startHigh - lastHigh) * TWO_32 + (startLow - lastLow - 1);
}

/**
 * The nodes of an interval tree in typed arrays (README.md has a drawing). Keeps the layout, the summaries, and the free
 * nodes; knows nothing of searching or balancing. Leaves are level 0, the root is at level `height`.
 */
export class TreeNodes {
  /** Entries a leaf and slots an inner node. */
  readonly capacity: number;
  /** Number of entries. */
  size = 0;
  /** Levels above the leaves: 0 when the root is a leaf. */
  height = 0;
  root = 0;
  /** False as long as no two entries overlap: then lasts ascend as starts do. */
  overlapping = false;

  // Leaves: node n has the entries from n * capacity. A first leaf without others has room for the entries in it alone.
  keys: Uint32Array;
  values: Uint32Array;
  leafFill: Int32Array;
  next: Int32Array;
  previous: Int32Array;
  #leaves = 0;
  #freeLeaves: number[] = [];

  // Inner nodes: node n has the slots from n * capacity, each the summary of a child.
  bounds: Uint32Array;
  gaps: Float64Array;
  children: Int32Array;
  counts: Uint32Array;
  innerFill: Int32Array;
  #inners = 0;
  #freeInners: number[] = [];
  /** What searches have learned, for each placement in use; the latest of those with an offset last. */
  readonly learned: LearnedBounds[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.keys = NO_WORDS;
    this.values = NO_WORDS;
    this.leafFill = EMPTY_FILL;
    this.next = NO_NEIGHBOUR;
    this.previous = NO_NEIGHBOUR;
    this.bounds = NO_WORDS;
    this.gaps = NO_GAPS;
    this.children = NO_INDICES;
    this.counts = NO_WORDS;
    this.innerFill = NO_INDICES;
    this.root = this.newLeaf();
  }

  /** Memory held by the arrays, in bytes, unused room included. */
  get bytes(): number {
    const arrays = [
      this.keys,
      this.values,
      this.leafFill,
      this.next,
      this.previous,
      this.bounds,
      this.gaps,
      this.children,
      this.counts,
      this.innerFill,
      ...this.learned.map(({ bounds }) => bounds),
    ];
    return arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** An independent copy without the unused room. */
  clone(): TreeNodes {
    const copy = new TreeNodes(this.capacity);
    if (this.size === 0) return copy;
    const leaves = this.#leaves;
    const inners = this.#inners;
    const capacity = this.capacity;
    copy.size = this.size;
    copy.height = this.height;
    copy.root = this.root;
    copy.overlapping = this.overlapping;
    copy.keys = this.keys.slice(0, leaves * capacity * STRIDE);
    copy.values = this.values.slice(0, leaves * capacity);
    copy.leafFill = this.leafFill.slice(0, leaves);
    copy.next = this.next.slice(0, leaves);
    copy.previous = this.previous.slice(0, leaves);
    copy.#leaves = leaves;
    copy.#freeLeaves = this.#freeLeaves.slice();
    if (inners === 0) return copy;
    copy.bounds = this.bounds.slice(0, inners * capacity * STRIDE);
    copy.gaps = this.gaps.slice(0, inners * capacity);
    copy.children = this.children.slice(0, inners * capacity);
    copy.counts = this.counts.slice(0, inners * capacity);
    copy.innerFill = this.innerFill.slice(0, inners);
    copy.#inners = inners;
    copy.#freeInners = this.#freeInners.slice();
    for (const { shift, offset, bounds } of this.learned) {
      copy.learned.push({ shift, offset, bounds: bounds.slice(0, inners * capacity) });
    }
    return copy;
  }

  /** Removes all entries and keeps the memory for the next ones. */
  clear(): void {
    this.size = 0;
    this.height = 0;
    this.overlapping = false;
    this.#leaves = 0;
    this.#inners = 0;
    this.#freeLeaves = [];
    this.#freeInners = [];
    this.root = this.newLeaf();
  }

  /** Makes room for the entry at `at`: a tree of few entries has one leaf, and that is not as large as others. */
  makeRoom(at: number): void {
    if (at < this.values.length) return;
    if (this.leafFill === EMPTY_FILL) {
      this.leafFill = EMPTY_FILL.slice();
      this.next = NO_NEIGHBOUR.slice();
      this.previous = NO_NEIGHBOUR.slice();
    }
    const room = Math.min(this.capacity, Math.max(FIRST_ROOM, at * 2));
    this.keys = grown(this.keys, room * STRIDE);
    this.values = grown(this.values, room);
  }

  /** An empty leaf, linked to no other. */
  newLeaf(): number {
    let leaf = this.#freeLeaves.pop();
    if (leaf === undefined) {
      leaf = this.#leaves++;
      if (leaf >= this.leafFill.length) {
        const room = Math.ceil(leaf * 1.5) + 4;
        this.keys = grown(this.keys, room * this.capacity * STRIDE);
        this.values = grown(this.values, room * this.capacity);
        this.leafFill = grown(this.leafFill, room);
        this.next = grown(this.next, room);
        this.previous = grown(this.previous, room);
      }
    }
    this.leafFill[leaf] = 0;
    this.next[leaf] = NONE;
    this.previous[leaf] = NONE;
    return leaf;
  }

  /** An empty inner node. */
  newInner(): number {
    let inner = this.#freeInners.pop();
    if (inner === undefined) {
      inner = this.#inners++;
      if (inner >= this.innerFill.length) {
        const room = Math.ceil(inner * 1.5) + 4;
        this.bounds = grown(this.bounds, room * this.capacity * STRIDE);
        this.gaps = grown(this.gaps, room * this.capacity);
        this.children = grown(this.children, room * this.capacity);
        this.counts = grown(this.counts, room * this.capacity);
        for (const learned of this.learned) learned.bounds = grown(learned.bounds, room * this.capacity);
        this.innerFill = grown(this.innerFill, room);
      }
    }
    this.innerFill[inner] = 0;
    return inner;
  }

  releaseInner(inner: number): void {
    this.#freeInners.push(inner);
  }

  /** Takes an emptied leaf out of the chain of leaves; `left` is the one before it. */
  releaseLeaf(leaf: number, left: number): void {
    const next = this.next[leaf] as number;
    this.next[left] = next;
    if (next !== NONE) this.previous[next] = left;
    this.#freeLeaves.push(leaf);
  }

  /** Links a new leaf into the chain, after `left`. */
  linkLeaf(leaf: number, left: number): void {
    const next = this.next[left] as number;
    this.next[leaf] = next;
    this.previous[leaf] = left;
    if (next !== NONE) this.previous[next] = leaf;
    this.next[left] = leaf;
  }

  /** Start and last of what a node at `level` holds, in words: its entries, or the summaries of its children. */
  wordsAt(level: number): Uint32Array {
    return level === 0 ? this.keys : this.bounds;
  }

  /** Index after the last entry or slot of a node at `level`. */
  endOf(level: number, node: number): number {
    return node * this.capacity + ((level === 0 ? this.leafFill : this.innerFill)[node] as number);
  }

  /** Index of the first entry of the next leaf; NONE after the last leaf. */
  firstOfNextLeaf(leaf: number): number {
    const next = this.next[leaf] as number;
    return next === NONE ? NONE : next * this.capacity;
  }

  /** Number of entries of a leaf whose start is at most this one. */
  countUpTo(leaf: number, high: number, low: number): number {
    const keys = this.keys;
    const base = leaf * this.capacity;
    let from = 0;
    let to = this.leafFill[leaf] as number;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const k = (base + middle) * STRIDE;
      const startHigh = keys[k] as number;
      if (startHigh < high || (startHigh === high && (keys[k + 1] as number) <= low)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Bytes between the entries with the indices `left` and `right`, rounded to a double. */
  gapBetweenEntries(left: number, right: number): number {
    const keys = this.keys;
    const b = left * STRIDE;
    const a = right * STRIDE;
    return gapBetween(keys[b + 2] as number, keys[b + 3] as number, keys[a] as number, keys[a + 1] as number);
  }

  writeEntry(at: number, startHigh: number, startLow: number, lastHigh: number, lastLow: number, value: number): void {
    const keys = this.keys;
    const k = at * STRIDE;
    keys[k] = startHigh;
    keys[k + 1] = startLow;
    keys[k + 2] = lastHigh;
    keys[k + 3] = lastLow;
    this.values[at] = value;
  }

  /** Copies entries from one leaf and position to another, also within one leaf. */
  moveEntries(from: number, position: number, to: number, target: number, count: number): void {
    const source = from * this.capacity + position;
    const goal = to * this.capacity + target;
    this.keys.copyWithin(goal * STRIDE, source * STRIDE, (source + count) * STRIDE);
    this.values.copyWithin(goal, source, source + count);
  }

  /** Copies slots from one inner node and position to another, also within one node. */
  moveSlots(from: number, position: number, to: number, target: number, count: number): void {
    const source = from * this.capacity + position;
    const goal = to * this.capacity + target;
    this.bounds.copyWithin(goal * STRIDE, source * STRIDE, (source + count) * STRIDE);
    this.gaps.copyWithin(goal, source, source + count);
    this.children.copyWithin(goal, source, source + count);
    this.counts.copyWithin(goal, source, source + count);
    for (const { bounds } of this.learned) bounds.copyWithin(goal, source, source + count);
  }

  /** Computes the summary of a slot whose child is another than before, or has exchanged entries with a neighbour. */
  renew(level: number, slot: number): void {
    for (const { bounds } of this.learned) bounds[slot] = Number.NaN;
    this.summarise(level, slot);
  }

  /** Computes the summary in `slot` of a node at `level` from its child. True if the bounds or the gap changed. */
  summarise(level: number, slot: number): boolean {
    const child = this.children[slot] as number;
    const words = this.wordsAt(level - 1);
    const base = child * this.capacity;
    const end = this.endOf(level - 1, child);
    let highestHigh = words[base * STRIDE + 2] as number;
    let highestLow = words[base * STRIDE + 3] as number;
    let gap = level === 1 ? 0 : (this.gaps[base] as number);
    let count = level === 1 ? end - base : (this.counts[base] as number);
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
        const inside = this.gaps[i] as number;
        if (inside > gap) gap = inside;
        count += this.counts[i] as number;
      }
    }
    const bounds = this.bounds;
    const b = slot * STRIDE;
    const startHigh = words[base * STRIDE] as number;
    const startLow = words[base * STRIDE + 1] as number;
    const changed =
      this.gaps[slot] !== gap ||
      bounds[b] !== startHigh ||
      bounds[b + 1] !== startLow ||
      bounds[b + 2] !== highestHigh ||
      bounds[b + 3] !== highestLow;
    bounds[b] = startHigh;
    bounds[b + 1] = startLow;
    bounds[b + 2] = highestHigh;
    bounds[b + 3] = highestLow;
    this.gaps[slot] = gap;
    this.counts[slot] = count;
    return changed;
  }
}
