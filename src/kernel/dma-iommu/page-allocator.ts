// How the kernel's DMA API chooses addresses: from the top down, next-fit, with caches of freed ranges. Source: Linux
// 6.12, drivers/iommu/iova.c. Everything here is in pages of the domain's granule; bounds are inclusive.
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { AllocatorEvent } from './events.ts';
import { CACHED_ORDERS, PageCache } from './page-cache.ts';
import { ANCHOR, NO_NODE, type NodeState, PageNodes } from './page-nodes.ts';

const FOUR_GIB = 2 ** 32;

/** Receives what happens during an allocation or a free, in order. */
export type AllocatorListener = (event: AllocatorEvent) => void;

/** The smallest n with 2^n ≥ pages. */
export function orderOf(pages: number): number {
  let order = 0;
  for (let size = 1; size < pages; size *= 2) order++;
  return order;
}

/** One domain's allocator. It answers and takes nodes of `nodes`, whose bounds are page numbers. */
export class PageAllocator {
  readonly nodes: PageNodes;
  /** The nodes without the anchor, by address, each with its handle. */
  readonly tree: IntervalTree;
  readonly granule: bigint;
  /** The lowest page that is ever given out. */
  readonly start: number;
  /** The first page at 4 GiB. */
  readonly dma32: number;
  #cache: PageCache;
  /** The node below which the next search starts: for limits up to 4 GiB, and above. */
  #cursor32: number;
  #cursor64: number;
  /** Pages of the smallest request below 4 GiB that is known to fail; `dma32` if none is. */
  #failing32: number;
  listener: AllocatorListener | undefined;

  /** `granule`: bytes of a page, a power of two of at least 2 KiB, so that page numbers are exact. */
  constructor(granule: bigint, apertureStart: bigint, copied?: PageAllocator) {
    this.granule = granule;
    this.start = Math.max(1, Number(apertureStart / granule));
    this.dma32 = Math.floor(FOUR_GIB / Number(granule));
    this.#failing32 = copied ? copied.#failing32 : this.dma32;
    this.#cursor32 = copied ? copied.#cursor32 : ANCHOR;
    this.#cursor64 = copied ? copied.#cursor64 : ANCHOR;
    this.nodes = copied ? copied.nodes.clone() : new PageNodes();
    this.tree = copied ? copied.tree.clone() : new IntervalTree();
    this.#cache = copied ? copied.#cache.clone() : new PageCache();
  }

  clone(): PageAllocator {
    return new PageAllocator(this.granule, BigInt(this.start) * this.granule, this);
  }

  /** Reserves ranges of bytes that are disjoint and ascending, before anything is allocated. */
  reserve(ranges: readonly IovaRange[]): void {
    for (const { start, last } of ranges.toReversed()) {
      const lowest = this.nodes.below(ANCHOR) === NO_NODE ? ANCHOR : this.#lowest();
      this.#insert(lowest, Number(start / this.granule), Number(last / this.granule), 'reserved');
    }
  }

  #lowest(): number {
    const entry = this.tree.firstOverlap(0n, 0xffff_ffff_ffff_ffffn);
    return entry ? entry.value : ANCHOR;
  }

  /** The node below which the next search starts. `ANCHOR`: at the limit of the request. */
  cursor(limit: '32-bit' | '64-bit'): number {
    return limit === '32-bit' ? this.#cursor32 : this.#cursor64;
  }

  /** Requests below 4 GiB of this many pages or more are refused without a search; `undefined` if none is. */
  get failing32(): number | undefined {
    return this.#failing32 < this.dma32 ? this.#failing32 : undefined;
  }

  /** Number of freed ranges of 2^order pages that are kept. */
  keptCount(order: number): number {
    return this.#cache.count(order);
  }

  /** Bytes from the first of a page to the last of another. */
  bytesOf(low: number, high: number): IovaRange {
    const start = BigInt(low) * this.granule;
    const last = (BigInt(high) + 1n) * this.granule - 1n;
    return { start, last } as IovaRange;
  }

  /**
   * Takes `pages` pages up to page `limit`. `flush`: if none is found, empties the caches and searches once more.
   * Returns the node, or `undefined`. Source: alloc_iova_fast.
   */
  allocate(pages: number, limit: number, flush: boolean): number | undefined {
    const order = orderOf(pages);
    // So that they can be kept later.
    const size = order < CACHED_ORDERS ? 2 ** order : pages;
    if (order < CACHED_ORDERS) {
      const kept = this.#cache.count(order);
      // Unsigned in the kernel: with a limit below the size every kept range fits.
      const highest = limit + 1 - size;
      const node = this.#cache.pop(order, (candidate) => highest < 0 || this.nodes.low(candidate) <= highest);
      if (node !== undefined) {
        this.nodes.setState(node, 'mapped');
        this.listener?.({ event: 'cache-hit', order, kept, range: this.#rangeOf(node) });
        return node;
      }
      this.listener?.({ event: 'cache-miss', order, kept });
    }
    const found = this.#search(size, order, limit + 1);
    if (found !== undefined || !flush) return found;
    const kept = this.#cache.takeAll();
    for (const node of kept) this.#release(node);
    this.listener?.({ event: 'flush', ranges: kept.length });
    return this.#search(size, order, limit + 1);
  }

  /** Gives a node of `pages` pages back, or keeps it. Source: free_iova_fast. */
  free(node: number, pages: number): void {
    const order = orderOf(pages);
    if (order < CACHED_ORDERS) {
      this.nodes.setState(node, 'kept');
      this.#cache.push(order, node);
      this.listener?.({ event: 'kept', order, kept: this.#cache.count(order), range: this.#rangeOf(node) });
      return;
    }
    const range = this.#rangeOf(node);
    this.#release(node);
    this.listener?.({ event: 'freed', range });
  }

  /** Below `end` (exclusive), from the cursor down. Source: __alloc_and_insert_iova_range. */
  #search(pages: number, order: number, end: number): number | undefined {
    const { nodes } = this;
    const below4G = end <= this.dma32;
    if (below4G && pages >= this.#failing32) {
      this.listener?.({ event: 'known-full', pages: this.#failing32 });
      return undefined;
    }
    const cursor = below4G ? this.#cursor32 : this.#cursor64;
    const passed = nodes.high(cursor);
    this.listener?.({
      event: 'search',
      cursor: below4G ? '32-bit' : '64-bit',
      from: this.#addressOf(Math.min(nodes.low(cursor), end)),
    });
    let found = this.#walk(cursor, pages, order, end, this.start);
    if (found === undefined && passed < end) {
      this.listener?.({ event: 'retry', from: this.#addressOf(end), above: this.#addressOf(passed + 1) });
      found = this.#walk(this.#lowestReaching(end), pages, order, end, passed + 1);
    }
    if (found === undefined) {
      this.#failing32 = pages;
      this.listener?.({ event: 'full' });
      return undefined;
    }
    const low = found.low;
    const high = low + pages - 1;
    const node = this.#insert(found.above, low, high, 'mapped');
    if (high < this.dma32) this.#cursor32 = node;
    else this.#cursor64 = node;
    this.listener?.({ event: 'found', range: this.bytesOf(low, high), skipped: found.skipped });
    return node;
  }

  /** The first aligned place between nodes, from node `from` down to page `lowest`. */
  #walk(
    from: number,
    pages: number,
    order: number,
    end: number,
    lowest: number,
  ): { readonly low: number; readonly above: number; readonly skipped: number } | undefined {
    const { nodes } = this;
    const alignment = 2 ** order;
    let high = end;
    let above = from;
    for (let skipped = 0; ; skipped++) {
      high = Math.min(high, nodes.low(above));
      // Less than nothing is left: the kernel's difference wraps, and ends the walk.
      if (high < pages) return undefined;
      const low = Math.floor((high - pages) / alignment) * alignment;
      if (low < lowest) return undefined;
      const below = nodes.below(above);
      if (below === NO_NODE || low > nodes.high(below)) return { low, above, skipped };
      above = below;
    }
  }

  /** Where a search starts again: the lowest node that ends at `page` or above. Source: iova_find_limit. */
  #lowestReaching(page: number): number {
    if (page > this.dma32) return ANCHOR;
    return this.tree.firstOverlap(BigInt(page) * this.granule, 0xffff_ffff_ffff_ffffn)?.value ?? ANCHOR;
  }

  /** Removes a node; the cursors may move up. Source: __cached_rbnode_delete_update. */
  #release(node: number): void {
    const { nodes } = this;
    const low = nodes.low(node);
    const high = nodes.high(node);
    const above = nodes.above(node);
    if (node === this.#cursor32 || (high < this.dma32 && low >= nodes.low(this.#cursor32))) this.#cursor32 = above;
    if (low < this.dma32) this.#failing32 = this.dma32;
    if (low >= nodes.low(this.#cursor64)) this.#cursor64 = above;
    const { start, last } = this.bytesOf(low, high);
    if (!this.tree.remove(start, last, node)) throw new Error('the node to remove does not exist');
    nodes.remove(node);
  }

  #insert(above: number, low: number, high: number, state: NodeState): number {
    const node = this.nodes.insertBelow(above, low, high, state);
    const { start, last } = this.bytesOf(low, high);
    this.tree.insert(start, last, node);
    return node;
  }

  #rangeOf(node: number): IovaRange {
    return this.bytesOf(this.nodes.low(node), this.nodes.high(node));
  }

  #addressOf(page: number): bigint {
    return BigInt(page) * this.granule;
  }
}
