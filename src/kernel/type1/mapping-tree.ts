// The red-black tree in which Linux up to 6.17 keeps the mappings of a container, with the same shape. Lookups in these
// versions compare with iova + size, which is 0 for a mapping that ends at 2^64−1, so the result depends on which nodes
// they visit. Nodes are ordered by iova only; insertion and removal rebalance as usual (Cormen et al., chapter 13).

import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import type { IovaRange } from '../../iova/range.ts';
import { grown } from '../../iova/typed-arrays.ts';
import { asRange } from '../shared/obstacles.ts';

const NIL = 0;
const RED = 1;
const BLACK = 0;
const INITIAL_CAPACITY = 16;

/** Mappings by handle, a small number. Ends are iova + size modulo 2^64. */
export class MappingTree {
  // Columns by node; a node's index is its handle + 1, and 0 means no node. An address is two 32-bit words: comparing
  // bigints would allocate two of them for each node on the way down.
  #startHigh = new Uint32Array(INITIAL_CAPACITY);
  #startLow = new Uint32Array(INITIAL_CAPACITY);
  #endHigh = new Uint32Array(INITIAL_CAPACITY);
  #endLow = new Uint32Array(INITIAL_CAPACITY);
  #left = new Int32Array(INITIAL_CAPACITY);
  #right = new Int32Array(INITIAL_CAPACITY);
  #parent = new Int32Array(INITIAL_CAPACITY);
  #color = new Uint8Array(INITIAL_CAPACITY);
  #root = NIL;

  clone(): MappingTree {
    const copy = new MappingTree();
    copy.#startHigh = this.#startHigh.slice();
    copy.#startLow = this.#startLow.slice();
    copy.#endHigh = this.#endHigh.slice();
    copy.#endLow = this.#endLow.slice();
    copy.#left = this.#left.slice();
    copy.#right = this.#right.slice();
    copy.#parent = this.#parent.slice();
    copy.#color = this.#color.slice();
    copy.#root = this.#root;
    return copy;
  }

  clear(): void {
    this.#root = NIL;
  }

  /** Links a mapping of start … last (inclusive). Source: Linux 6.12, vfio_link_dma. */
  insert(handle: number, start: bigint, last: bigint): void {
    // Modulo 2^64.
    const end = last + 1n;
    this.insertWords(handle, highWord(start), lowWord(start), highWord(end), lowWord(end));
  }

  /** The same by words; the end is the address behind the last one, modulo 2^64. */
  insertWords(handle: number, high: number, low: number, endHigh: number, endLow: number): void {
    const node = handle + 1;
    if (node >= this.#color.length) this.#grow(node);
    let parent = NIL;
    let isLeft = false;
    for (let at = this.#root; at !== NIL; at = isLeft ? this.#leftOf(at) : this.#rightOf(at)) {
      parent = at;
      isLeft = !this.#startsBelow(at, high, low);
    }
    this.#startHigh[node] = high;
    this.#startLow[node] = low;
    this.#endHigh[node] = endHigh;
    this.#endLow[node] = endLow;
    this.#left[node] = NIL;
    this.#right[node] = NIL;
    this.#parent[node] = parent;
    this.#color[node] = RED;
    if (parent === NIL) this.#root = node;
    else if (isLeft) this.#left[parent] = node;
    else this.#right[parent] = node;
    this.#balanceInserted(node);
  }

  /**
   * The first mapping on the way down that is neither below nor above start … start + size − 1, as the kernel compares.
   * Source: Linux 6.12, vfio_find_dma.
   */
  find(start: bigint, size: bigint): number | undefined {
    const end = start + size;
    const [startHigh, startLow] = [highWord(start), lowWord(start)];
    const [endHigh, endLow] = [highWord(end), lowWord(end)];
    let at = this.#root;
    while (at !== NIL) {
      if (!this.#startsBelow(at, endHigh, endLow)) at = this.#leftOf(at);
      else if (!this.#endsAbove(at, startHigh, startLow)) at = this.#rightOf(at);
      else return at - 1;
    }
    return undefined;
  }

  /** The range of a mapping that is in the tree. */
  rangeOf(handle: number): IovaRange {
    const node = handle + 1;
    return asRange(this.#startOf(node), BigInt.asUintN(64, this.#endOf(node) - 1n));
  }

  /** Where an unmap of start … start + size − 1 begins to walk. Source: Linux 6.12, vfio_find_dma_first_node. */
  first(start: bigint, size: bigint): number | undefined {
    const end = start + size;
    const [high, low] = [highWord(start), lowWord(start)];
    let found = NIL;
    let at = this.#root;
    while (at !== NIL) {
      if (!this.#endsAbove(at, high, low)) {
        at = this.#rightOf(at);
        continue;
      }
      found = at;
      if (!this.#startsAbove(at, high, low)) break;
      at = this.#leftOf(at);
    }
    return found !== NIL && this.#startsBelow(found, highWord(end), lowWord(end)) ? found - 1 : undefined;
  }

  /** The mapping behind `handle` in the order of the tree. */
  next(handle: number): number | undefined {
    let node = handle + 1;
    if (this.#rightOf(node) !== NIL) {
      node = this.#lowest(this.#rightOf(node));
      return node - 1;
    }
    let parent = this.#parentOf(node);
    while (parent !== NIL && node === this.#rightOf(parent)) {
      node = parent;
      parent = this.#parentOf(node);
    }
    return parent === NIL ? undefined : parent - 1;
  }

  /** Takes out a mapping that is in the tree. */
  remove(handle: number): void {
    const node = handle + 1;
    const left = this.#leftOf(node);
    const right = this.#rightOf(node);
    // What takes the place of a removed black node has one black node less above its leaves; it may be no node, so its
    // parent is kept beside it.
    let heir: number;
    let parent: number;
    let removedColor = this.#colorOf(node);
    if (left === NIL || right === NIL) {
      heir = left === NIL ? right : left;
      parent = this.#parentOf(node);
      this.#replace(node, heir);
    } else {
      const successor = this.#lowest(right);
      removedColor = this.#colorOf(successor);
      heir = this.#rightOf(successor);
      if (this.#parentOf(successor) === node) {
        parent = successor;
      } else {
        parent = this.#parentOf(successor);
        this.#replace(successor, heir);
        this.#right[successor] = right;
        this.#parent[right] = successor;
      }
      this.#replace(node, successor);
      this.#left[successor] = left;
      this.#parent[left] = successor;
      this.#color[successor] = this.#colorOf(node);
    }
    if (removedColor === BLACK) this.#balanceRemoved(heir, parent);
  }

  // ---- columns ---------------------------------------------------------------------------------------------------
  // Every node that is reachable has its entries.

  #startOf(node: number): bigint {
    return fromWords(this.#startHigh[node] ?? 0, this.#startLow[node] ?? 0);
  }

  #endOf(node: number): bigint {
    return fromWords(this.#endHigh[node] ?? 0, this.#endLow[node] ?? 0);
  }

  #startsBelow(node: number, high: number, low: number): boolean {
    const own = this.#startHigh[node] ?? 0;
    return own < high || (own === high && (this.#startLow[node] ?? 0) < low);
  }

  #startsAbove(node: number, high: number, low: number): boolean {
    const own = this.#startHigh[node] ?? 0;
    return own > high || (own === high && (this.#startLow[node] ?? 0) > low);
  }

  #endsAbove(node: number, high: number, low: number): boolean {
    const own = this.#endHigh[node] ?? 0;
    return own > high || (own === high && (this.#endLow[node] ?? 0) > low);
  }

  #leftOf(node: number): number {
    return this.#left[node] ?? NIL;
  }

  #rightOf(node: number): number {
    return this.#right[node] ?? NIL;
  }

  #parentOf(node: number): number {
    return this.#parent[node] ?? NIL;
  }

  /** No node is black. */
  #colorOf(node: number): number {
    return node === NIL ? BLACK : (this.#color[node] ?? BLACK);
  }

  #grow(node: number): void {
    let capacity = this.#color.length;
    while (capacity <= node) capacity *= 2;
    this.#startHigh = grown(this.#startHigh, capacity);
    this.#startLow = grown(this.#startLow, capacity);
    this.#endHigh = grown(this.#endHigh, capacity);
    this.#endLow = grown(this.#endLow, capacity);
    this.#left = grown(this.#left, capacity);
    this.#right = grown(this.#right, capacity);
    this.#parent = grown(this.#parent, capacity);
    this.#color = grown(this.#color, capacity);
  }

  #lowest(from: number): number {
    let node = from;
    while (this.#leftOf(node) !== NIL) node = this.#leftOf(node);
    return node;
  }

  // ---- balance ---------------------------------------------------------------------------------------------------

  /** Puts `heir`, which may be no node, where `node` is. */
  #replace(node: number, heir: number): void {
    const parent = this.#parentOf(node);
    if (parent === NIL) this.#root = heir;
    else if (this.#leftOf(parent) === node) this.#left[parent] = heir;
    else this.#right[parent] = heir;
    if (heir !== NIL) this.#parent[heir] = parent;
  }

  /** Rotates `node` down, to the left or to the right; its child on the other side takes its place. */
  #rotate(node: number, toLeft: boolean): void {
    const child = toLeft ? this.#rightOf(node) : this.#leftOf(node);
    const inner = toLeft ? this.#leftOf(child) : this.#rightOf(child);
    this.#replace(node, child);
    if (toLeft) {
      this.#right[node] = inner;
      this.#left[child] = node;
    } else {
      this.#left[node] = inner;
      this.#right[child] = node;
    }
    if (inner !== NIL) this.#parent[inner] = node;
    this.#parent[node] = child;
  }

  #balanceInserted(inserted: number): void {
    let node = inserted;
    for (;;) {
      let parent = this.#parentOf(node);
      if (parent === NIL || this.#colorOf(parent) === BLACK) break;
      const grandparent = this.#parentOf(parent);
      const isLeft = this.#leftOf(grandparent) === parent;
      const uncle = isLeft ? this.#rightOf(grandparent) : this.#leftOf(grandparent);
      if (this.#colorOf(uncle) === RED) {
        this.#color[parent] = BLACK;
        this.#color[uncle] = BLACK;
        this.#color[grandparent] = RED;
        node = grandparent;
        continue;
      }
      if (node === (isLeft ? this.#rightOf(parent) : this.#leftOf(parent))) {
        this.#rotate(parent, isLeft);
        parent = node;
      }
      this.#color[parent] = BLACK;
      this.#color[grandparent] = RED;
      this.#rotate(grandparent, !isLeft);
      break;
    }
    this.#color[this.#root] = BLACK;
  }

  #balanceRemoved(heir: number, heirParent: number): void {
    let node = heir;
    let parent = heirParent;
    while (node !== this.#root && this.#colorOf(node) === BLACK) {
      const isLeft = this.#leftOf(parent) === node;
      const siblingOf = () => (isLeft ? this.#rightOf(parent) : this.#leftOf(parent));
      let sibling = siblingOf();
      if (this.#colorOf(sibling) === RED) {
        this.#color[sibling] = BLACK;
        this.#color[parent] = RED;
        this.#rotate(parent, isLeft);
        sibling = siblingOf();
      }
      const near = isLeft ? this.#leftOf(sibling) : this.#rightOf(sibling);
      const far = isLeft ? this.#rightOf(sibling) : this.#leftOf(sibling);
      if (this.#colorOf(near) === BLACK && this.#colorOf(far) === BLACK) {
        this.#color[sibling] = RED;
        node = parent;
        parent = this.#parentOf(node);
        continue;
      }
      if (this.#colorOf(far) === BLACK) {
        this.#color[near] = BLACK;
        this.#color[sibling] = RED;
        this.#rotate(sibling, !isLeft);
        sibling = siblingOf();
      }
      this.#color[sibling] = this.#colorOf(parent);
      this.#color[parent] = BLACK;
      this.#color[isLeft ? this.#rightOf(sibling) : this.#leftOf(sibling)] = BLACK;
      this.#rotate(parent, isLeft);
      node = this.#root;
    }
    if (node !== NIL) this.#color[node] = BLACK;
  }

  /** Throws if the tree breaks a rule of red-black trees or of its order. For tests. */
  verify(): void {
    const blackHeight = (node: number, parent: number): number => {
      if (node === NIL) return 1;
      if (this.#parentOf(node) !== parent) throw new Error(`node ${node} has a wrong parent`);
      const [left, right] = [this.#leftOf(node), this.#rightOf(node)];
      if (this.#colorOf(node) === RED && (this.#colorOf(left) === RED || this.#colorOf(right) === RED)) {
        throw new Error(`red node ${node} has a red child`);
      }
      const height = blackHeight(left, node);
      if (height !== blackHeight(right, node)) throw new Error(`black heights differ below node ${node}`);
      return height + (this.#colorOf(node) === BLACK ? 1 : 0);
    };
    if (this.#colorOf(this.#root) === RED) throw new Error('the root is red');
    blackHeight(this.#root, NIL);
  }
}
