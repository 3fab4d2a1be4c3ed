// The casts: every index comes from the nodes' own structure. Here and in nodes.ts they are written out, because this is
// the way of every operation, and one more call for each read made inserting 15 % slower.
import { NONE, STRIDE, type TreeNodes } from './nodes.ts';

/** A tree of capacity 4 and 2^32 entries is lower than this. */
const MAX_HEIGHT = 40;

/** A path in a tree that is one leaf. */
const NO_SLOTS = new Int32Array(0);

/**
 * The path from the root to the leaf of the current operation: a slot for each level, from 1, just above the leaves, to
 * `nodes.height`, the root. Kept after a lookup, so that a lookup before a change goes down once.
 */
export class TreePath {
  readonly #nodes: TreeNodes;
  /** By level: the slot as an index of the arrays. */
  #slots = NO_SLOTS;
  // The start that the path was made for, and the leaf at its end; NONE if the path may be stale.
  #high = 0;
  #low = 0;
  #leaf = NONE;

  constructor(nodes: TreeNodes) {
    this.#nodes = nodes;
  }

  /** Goes to the leaf where an entry of this start belongs, after entries of equal start, and keeps the path. */
  descend(high: number, low: number): number {
    if (this.#leaf !== NONE && this.#high === high && this.#low === low) return this.#leaf;
    const { capacity, bounds, innerFill, children, root, height } = this.#nodes;
    if (height > 0 && this.#slots === NO_SLOTS) this.#slots = new Int32Array(MAX_HEIGHT);
    const slots = this.#slots;
    let node = root;
    for (let level = height; level > 0; level--) {
      const base = node * capacity;
      let from = base;
      let to = base + (innerFill[node] as number) - 1;
      // The last slot whose lowest start is at most the one looked for; the first slot if there is none.
      while (from < to) {
        const middle = (from + to + 1) >>> 1;
        const b = middle * STRIDE;
        const startHigh = bounds[b] as number;
        if (startHigh < high || (startHigh === high && (bounds[b + 1] as number) <= low)) from = middle;
        else to = middle - 1;
      }
      slots[level] = from;
      node = children[from] as number;
    }
    this.#high = high;
    this.#low = low;
    this.#leaf = node;
    return node;
  }

  /** The nodes are about to change: the next `descend` starts at the root again. */
  forget(): void {
    this.#leaf = NONE;
  }

  /** Moves the path to the leaf before and returns it; NONE at the first leaf. */
  previousLeaf(): number {
    const { capacity, children, innerFill, height } = this.#nodes;
    const slots = this.#slots;
    this.#leaf = NONE;
    let level = 1;
    while (level <= height && (slots[level] as number) % capacity === 0) level++;
    if (level > height) return NONE;
    slots[level] = (slots[level] as number) - 1;
    let node = children[slots[level] as number] as number;
    for (level--; level > 0; level--) {
      slots[level] = node * capacity + (innerFill[node] as number) - 1;
      node = children[slots[level] as number] as number;
    }
    return node;
  }

  /** The slot of the path at `level`, as an index of the arrays. */
  slotAt(level: number): number {
    return this.#slots[level] as number;
  }

  /** Number of entries whose start is at most this address. */
  rank(high: number, low: number): number {
    const { capacity, counts, height } = this.#nodes;
    const leaf = this.descend(high, low);
    let rank = this.#nodes.countUpTo(leaf, high, low);
    for (let level = height; level > 0; level--) {
      const slot = this.#slots[level] as number;
      for (let i = slot - (slot % capacity); i < slot; i++) rank += counts[i] as number;
    }
    return rank;
  }

  /** Adds to the number of entries below each slot of the path. */
  addToCounts(difference: number): void {
    const { counts, height } = this.#nodes;
    const slots = this.#slots;
    for (let level = 1; level <= height; level++) {
      const slot = slots[level] as number;
      counts[slot] = (counts[slot] as number) + difference;
    }
  }

  /** Updates the summaries on the path, from level `from` up, until one does not change. */
  refresh(from = 1): void {
    const nodes = this.#nodes;
    for (let level = from; level <= nodes.height; level++) {
      if (!nodes.summarise(level, this.slotAt(level))) return;
    }
  }

  /**
   * Updates the summaries after an entry was added at the end of the leaf, `gap` bytes behind the one before it; no two
   * entries overlap. As far up as the path goes along the ends of nodes, only the new gap and the new last count.
   */
  refreshAfterAppend(gap: number, lastHigh: number, lastLow: number): void {
    const nodes = this.#nodes;
    const { bounds, gaps, capacity, innerFill, height } = nodes;
    for (let level = 1; level <= height; level++) {
      const slot = this.#slots[level] as number;
      bounds[slot * STRIDE + 2] = lastHigh;
      bounds[slot * STRIDE + 3] = lastLow;
      if (gap > (gaps[slot] as number)) gaps[slot] = gap;
      if ((slot % capacity) + 1 === innerFill[Math.floor(slot / capacity)]) continue;
      // The gap behind this slot is shorter now: it is one of those of the node above.
      this.refresh(level + 1);
      return;
    }
  }

  /**
   * Updates the summaries after an entry was added below all others, `gap` bytes before the lowest of them; no two entries
   * overlap. The path goes along the beginnings of nodes: only the new gap and the new start count.
   */
  refreshAfterPrepend(gap: number, startHigh: number, startLow: number): void {
    const { bounds, gaps, height } = this.#nodes;
    for (let level = 1; level <= height; level++) {
      const slot = this.#slots[level] as number;
      bounds[slot * STRIDE] = startHigh;
      bounds[slot * STRIDE + 1] = startLow;
      if (gap > (gaps[slot] as number)) gaps[slot] = gap;
    }
  }

  /**
   * Updates the summaries after a gap of length `split` inside the leaf became two: one that a larger gap decided is
   * still right, and so are all above it.
   */
  refreshAfterSplit(split: number): void {
    const nodes = this.#nodes;
    let before = split;
    for (let level = 1; level <= nodes.height; level++) {
      const slot = this.#slots[level] as number;
      const gap = nodes.gaps[slot] as number;
      if (before < gap) return;
      nodes.summarise(level, slot);
      before = gap;
    }
  }

  /** Updates the summaries after two gaps inside the leaf became one of length `joined`. */
  refreshAfterJoin(joined: number): void {
    const { gaps, height } = this.#nodes;
    for (let level = 1; level <= height; level++) {
      const slot = this.#slots[level] as number;
      if (joined <= (gaps[slot] as number)) return;
      gaps[slot] = joined;
    }
  }

  /** What searches have learned about aligned gaps in the nodes of the path no longer holds. */
  forgetAligned(): void {
    const { learned, height } = this.#nodes;
    for (const { bounds } of learned) {
      for (let level = 1; level <= height; level++) bounds[this.#slots[level] as number] = Number.NaN;
    }
  }
}
