// Mappings of one address space, or of several that are not distinguished, as layers of disjoint ranges. In words of 32 bits:
// traces have millions of events.
import { fromWords } from '../../iova/address-halves.ts';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { IntervalEntry } from '../../iova/interval-tree/types.ts';
import { LAYERS_MAX } from './mappings.ts';

/** Gets the mapping that is to be changed or covered. */
export type OnMapping = (mapping: IntervalEntry) => void;

/**
 * A mapping that overlaps an existing one goes to another layer. An unmap removes the mapping with exactly its range from the
 * lowest layer that has it; otherwise it removes the covered part from every layer.
 */
export class MappingLayers {
  /** Each disjoint. */
  readonly trees: IntervalTree[] = [];

  /** Makes layers until there are as many. */
  extend(count: number): void {
    while (this.trees.length < count) this.trees.push(new IntervalTree());
  }

  /** `onOverlap` gets the first mapping in the lowest layer that the new one overlaps. */
  map(
    startHigh: number,
    startLow: number,
    lastHigh: number,
    lastLow: number,
    value: number,
    onOverlap?: OnMapping,
  ): void {
    const { trees } = this;
    for (let layer = 0; layer < trees.length; layer++) {
      const tree = trees[layer] as IntervalTree;
      if (tree.insertFree(startHigh, startLow, lastHigh, lastLow, value)) return;
      if (layer > 0 || !onOverlap) continue;
      const there = tree.firstOverlap(fromWords(startHigh, startLow), fromWords(lastHigh, lastLow));
      if (there) onOverlap(there);
    }
    const [lowest] = trees;
    if (lowest && trees.length >= LAYERS_MAX) {
      // This many overlapping mappings mean that the trace lost their unmaps: the oldest are dropped.
      const start = fromWords(startHigh, startLow);
      const last = fromWords(lastHigh, lastLow);
      for (const entry of [...lowest.overlaps(start, last)]) lowest.remove(entry.start, entry.last, entry.value);
      lowest.insert(start, last, value);
      return;
    }
    const layer = new IntervalTree();
    trees.push(layer);
    layer.insertFree(startHigh, startLow, lastHigh, lastLow, value);
  }

  /** `onCut` gets each mapping that was split, or of which a part was removed. */
  unmap(startHigh: number, startLow: number, lastHigh: number, lastLow: number, onCut?: OnMapping): void {
    for (const tree of this.trees) if (tree.removeWords(startHigh, startLow, lastHigh, lastLow) >= 0) return;
    const start = fromWords(startHigh, startLow);
    const last = fromWords(lastHigh, lastLow);
    for (const tree of this.trees) {
      for (const entry of [...tree.overlaps(start, last)]) {
        tree.remove(entry.start, entry.last, entry.value);
        if (entry.start < start) tree.insert(entry.start, start - 1n, entry.value);
        if (entry.last > last) tree.insert(last + 1n, entry.last, entry.value);
        if (entry.start < start || entry.last > last) onCut?.(entry);
      }
    }
  }
}
