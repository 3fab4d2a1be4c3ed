// The mappings of a container, and how Linux 6.12 looks them up. The kernel compares with iova + size, which wraps to 0
// for a mapping that ends at 2^64−1: lookups do not find such a mapping, and a range that ends there finds none.
import type { IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { Area, AreaStore } from '../shared/area-store.ts';

/** iova + size as the kernel has it: modulo 2^64. */
function endOf(start: bigint, size: bigint): bigint {
  return BigInt.asUintN(64, start + size);
}

/** The mappings of `store`, as the kernel's lookups find them. */
export class Type1Mappings {
  readonly store: AreaStore;

  constructor(store: AreaStore) {
    this.store = store;
  }

  /**
   * The first mapping that shares an address with start … start + size − 1 (at least one byte, not beyond 2^64).
   * Source: Linux 6.12, vfio_find_dma.
   */
  find(start: bigint, size: bigint): Area | undefined {
    const end = endOf(start, size);
    if (end === 0n) return undefined;
    for (const area of this.store.overlapping(start, end - 1n)) if (area.last !== IOVA_MAX) return area;
    return undefined;
  }

  /**
   * The mapping that an end of start … start + size − 1 cuts in two, if there is one.
   * Source: Linux 6.12, vfio_dma_do_unmap, version 2.
   */
  cutBy(start: bigint, size: bigint): Area | undefined {
    const below = this.find(start, 1n);
    if (below && below.start !== start) return below;
    const last = start + size - 1n;
    const above = this.find(last, 1n);
    return above && above.last !== last ? above : undefined;
  }

  /**
   * The mappings that an unmap of start … start + size − 1 removes, by ascending start. Mappings that start inside the
   * range are removed whole. With `stopsAtCut`, the rule of version 1, one that starts before it ends the walk.
   * Source: Linux 6.12, vfio_find_dma_first_node and vfio_dma_do_unmap.
   */
  removedBy(start: bigint, size: bigint, stopsAtCut: boolean): IntervalEntry[] {
    const end = endOf(start, size);
    const taken: IntervalEntry[] = [];
    let walking = false;
    for (const entry of this.store.tree.overlaps(start, IOVA_MAX)) {
      // The walk starts at a mapping that the lookup finds; from there on it includes those that end at 2^64−1.
      if (!walking && entry.last === IOVA_MAX) continue;
      walking = true;
      if (entry.start >= end || (stopsAtCut && entry.start < start)) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Removes mappings that `removedBy` returned; returns their bytes. */
  remove(entries: readonly IntervalEntry[]): bigint {
    let bytes = 0n;
    for (const { start, last } of entries) bytes += last - start + 1n;
    if (entries.length === this.store.size) this.store.clear();
    else for (const entry of entries) this.store.remove(entry);
    return bytes;
  }
}
