// What the allocator keeps of freed ranges, to hand them out again without a search: the rcaches of one CPU.

/** Ranges of at least 2^6 pages are not kept. Source: Linux 6.12, IOVA_RANGE_CACHE_MAX_SIZE. */
export const CACHED_ORDERS = 6;

/** Entries of a magazine. Source: Linux 6.12, IOVA_MAG_SIZE. */
const MAGAZINE_SIZE = 127;

/** The kept ranges of one order: two magazines of the CPU, and full ones in the depot. */
interface Stack {
  loaded: number[];
  previous: number[];
  depot: number[][];
}

/**
 * Freed ranges by order (2^order pages each), newest last. An entry is the node of the allocator that still holds the
 * range. One CPU: real kernels have magazines for each of them.
 */
export class PageCache {
  #stacks: Stack[] = Array.from({ length: CACHED_ORDERS }, () => ({ loaded: [], previous: [], depot: [] }));

  clone(): PageCache {
    const copy = new PageCache();
    copy.#stacks = this.#stacks.map(({ loaded, previous, depot }) => ({
      loaded: loaded.slice(),
      previous: previous.slice(),
      depot: depot.map((magazine) => magazine.slice()),
    }));
    return copy;
  }

  /** Keeps a node. Source: Linux 6.12, __iova_rcache_insert. */
  push(order: number, node: number): void {
    const stack = this.#stackOf(order);
    if (stack.loaded.length === MAGAZINE_SIZE) {
      if (stack.previous.length === MAGAZINE_SIZE) {
        stack.depot.push(stack.loaded);
        stack.loaded = [];
      } else {
        swap(stack);
      }
    }
    stack.loaded.push(node);
  }

  /**
   * Takes the newest node of an order that `fits`, from the first magazine that holds any; `undefined` if none does. The
   * last entry of the magazine fills the gap. Source: Linux 6.12, __iova_rcache_get and iova_magazine_pop.
   */
  pop(order: number, fits: (node: number) => boolean): number | undefined {
    const stack = this.#stackOf(order);
    if (stack.loaded.length === 0) {
      if (stack.previous.length > 0) swap(stack);
      else stack.loaded = stack.depot.pop() ?? stack.loaded;
    }
    const { loaded } = stack;
    const at = loaded.findLastIndex(fits);
    const newest = loaded[at];
    if (newest === undefined) return undefined;
    const end = loaded.pop();
    if (end !== undefined && at < loaded.length) loaded[at] = end;
    return newest;
  }

  /** Empties all stacks; answers the nodes that they held. Source: Linux 6.12, free_cpu_cached_iovas, free_global_cached_iovas. */
  takeAll(): number[] {
    const all = this.#stacks.flatMap(({ loaded, previous, depot }) => [loaded, previous, ...depot].flat());
    this.#stacks = new PageCache().#stacks;
    return all;
  }

  /** Number of nodes that an order keeps. */
  count(order: number): number {
    const { loaded, previous, depot } = this.#stackOf(order);
    return loaded.length + previous.length + depot.length * MAGAZINE_SIZE;
  }

  #stackOf(order: number): Stack {
    const stack = this.#stacks[order];
    if (!stack) throw new RangeError(`ranges of order ${order} are not kept`);
    return stack;
  }
}

function swap(stack: Stack): void {
  const { loaded, previous } = stack;
  stack.loaded = previous;
  stack.previous = loaded;
}
