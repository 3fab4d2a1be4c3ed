// The ranges that an allocator has given out or reserved: disjoint nodes, linked by ascending address, in columns.

import { grown } from '../../iova/typed-arrays.ts';

/** No node: beyond the lowest or the highest one. */
export const NO_NODE = -1;

/** The node at the very top, above every address: it is never given out, and never removed. */
export const ANCHOR = 0;

/** What a node is: `kept` ranges are freed, but still taken until they are handed out again or flushed. */
export const NODE_STATES = ['anchor', 'reserved', 'mapped', 'kept'] as const;
export type NodeState = (typeof NODE_STATES)[number];

const INITIAL_CAPACITY = 64;

/** Handles come from this store, so every one of them has an entry. */
function entry(column: Float64Array | Int32Array | Uint8Array, at: number): number {
  return column[at] ?? 0;
}

/** Bounds are page numbers, inclusive; they are exact up to 2^53. */
export class PageNodes {
  #low = new Float64Array(INITIAL_CAPACITY);
  #high = new Float64Array(INITIAL_CAPACITY);
  #below = new Int32Array(INITIAL_CAPACITY);
  #above = new Int32Array(INITIAL_CAPACITY);
  #state = new Uint8Array(INITIAL_CAPACITY);
  /** Number of handles ever used; the anchor is the first. */
  #used = 1;
  #free: number[] = [];

  constructor() {
    this.#low[ANCHOR] = Number.POSITIVE_INFINITY;
    this.#high[ANCHOR] = Number.POSITIVE_INFINITY;
    this.#below[ANCHOR] = NO_NODE;
    this.#above[ANCHOR] = NO_NODE;
  }

  clone(): PageNodes {
    const copy = new PageNodes();
    copy.#low = this.#low.slice();
    copy.#high = this.#high.slice();
    copy.#below = this.#below.slice();
    copy.#above = this.#above.slice();
    copy.#state = this.#state.slice();
    copy.#used = this.#used;
    copy.#free = this.#free.slice();
    return copy;
  }

  low(node: number): number {
    return entry(this.#low, node);
  }

  high(node: number): number {
    return entry(this.#high, node);
  }

  /** The next node at lower addresses, or `NO_NODE`. */
  below(node: number): number {
    return entry(this.#below, node);
  }

  /** The next node at higher addresses, or `NO_NODE`. */
  above(node: number): number {
    return entry(this.#above, node);
  }

  stateOf(node: number): NodeState {
    return NODE_STATES[entry(this.#state, node)] ?? 'anchor';
  }

  setState(node: number, state: NodeState): void {
    this.#state[node] = NODE_STATES.indexOf(state);
  }

  /** Adds low … high directly below the node `above`; the caller knows that it belongs there. Returns its handle. */
  insertBelow(above: number, low: number, high: number, state: NodeState): number {
    const node = this.#free.pop() ?? this.#used++;
    if (node >= this.#low.length) this.#grow();
    const below = this.below(above);
    this.#low[node] = low;
    this.#high[node] = high;
    this.#above[node] = above;
    this.#below[node] = below;
    this.#below[above] = node;
    if (below !== NO_NODE) this.#above[below] = node;
    this.setState(node, state);
    return node;
  }

  remove(node: number): void {
    const below = this.below(node);
    const above = this.above(node);
    if (below !== NO_NODE) this.#above[below] = above;
    if (above !== NO_NODE) this.#below[above] = below;
    this.#free.push(node);
  }

  #grow(): void {
    const capacity = this.#low.length * 2;
    this.#low = grown(this.#low, capacity);
    this.#high = grown(this.#high, capacity);
    this.#below = grown(this.#below, capacity);
    this.#above = grown(this.#above, capacity);
    this.#state = grown(this.#state, capacity);
  }
}
