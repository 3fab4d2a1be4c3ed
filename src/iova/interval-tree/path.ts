import { doubleAt, indexAt, wordAt } from '../typed-arrays.ts';
import { NONE, STRIDE, type TreeNodes } from './nodes.ts';

/** A tree of capacity 4 and 2^32 entries is lower than this. */
const MAX_HEIGHT = 40;

/**
 * The path from the root to the leaf of the current operation, by level: level 1 is just above the leaves, level
 * `nodes.height` is the root. Kept after a lookup, so that a lookup before a change goes down once.
 */
export class TreePath {
  readonly #nodes: TreeNodes;
  readonly #node = new Int32Array(MAX_HEIGHT);
  readonly #slot = new Int32Array(MAX_HEIGHT);
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
    let node = root;
    for (let level = height; level > 0; level--) {
      const base = node * capacity;
      let from = 0;
      let to = indexAt(innerFill, node) - 1;
      // The last slot whose lowest start is at most the one looked for; slot 0 if there is none.
      while (from < to) {
        const middle = (from + to + 1) >>> 1;
        const b = (base + middle) * STRIDE;
        const startHigh = wordAt(bounds, b);
        if (startHigh < high || (startHigh === high && wordAt(bounds, b + 1) <= low)) from = middle;
        else to = middle - 1;
      }
      this.#node[level] = node;
      this.#slot[level] = from;
      node = indexAt(children, base + from);
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
    const { children, innerFill, height } = this.#nodes;
    this.#leaf = NONE;
    let level = 1;
    while (level <= height && this.#slot[level] === 0) level++;
    if (level > height) return NONE;
    this.#slot[level] = indexAt(this.#slot, level) - 1;
    let node = indexAt(children, this.slotAt(level));
    for (level--; level > 0; level--) {
      this.#node[level] = node;
      this.#slot[level] = indexAt(innerFill, node) - 1;
      node = indexAt(children, this.slotAt(level));
    }
    return node;
  }

  /** The inner node of the path at `level`. */
  nodeAt(level: number): number {
    return indexAt(this.#node, level);
  }

  /** The slot of the path at `level`, counted from the start of its node. */
  positionAt(level: number): number {
    return indexAt(this.#slot, level);
  }

  /** The slot of the path at `level`, as an index of the arrays. */
  slotAt(level: number): number {
    return indexAt(this.#node, level) * this.#nodes.capacity + indexAt(this.#slot, level);
  }

  /** Number of entries whose start is at most this address. */
  rank(high: number, low: number): number {
    const nodes = this.#nodes;
    const leaf = this.descend(high, low);
    let rank = nodes.countUpTo(leaf, high, low);
    for (let level = nodes.height; level > 0; level--) {
      const slot = this.slotAt(level);
      for (let i = slot - this.positionAt(level); i < slot; i++) rank += wordAt(nodes.counts, i);
    }
    return rank;
  }

  /** Adds to the number of entries below each slot of the path. */
  addToCounts(difference: number): void {
    const { counts, height } = this.#nodes;
    for (let level = 1; level <= height; level++) {
      const slot = this.slotAt(level);
      counts[slot] = wordAt(counts, slot) + difference;
    }
  }

  /** Updates the summaries on the path, from the leaf up, until one does not change. */
  refresh(): void {
    const nodes = this.#nodes;
    for (let level = 1; level <= nodes.height; level++) {
      if (!nodes.summarise(level, this.slotAt(level))) return;
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
      const slot = this.slotAt(level);
      const gap = doubleAt(nodes.gaps, slot);
      if (before < gap) return;
      nodes.summarise(level, slot);
      before = gap;
    }
  }

  /** Updates the summaries after two gaps inside the leaf became one of length `joined`. */
  refreshAfterJoin(joined: number): void {
    const { gaps, height } = this.#nodes;
    for (let level = 1; level <= height; level++) {
      const slot = this.slotAt(level);
      if (joined <= doubleAt(gaps, slot)) return;
      gaps[slot] = joined;
    }
  }

  /** What searches have learned about aligned gaps in the nodes of the path no longer holds. */
  forgetAligned(): void {
    const { aligned, height } = this.#nodes;
    for (const bounds of aligned) {
      if (!bounds) continue;
      for (let level = 1; level <= height; level++) bounds[this.slotAt(level)] = Number.NaN;
    }
  }
}
