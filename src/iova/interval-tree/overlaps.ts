// Finding the entries that share an address with a range, in a tree whose entries may overlap: a summary's highest last
// tells whether anything below reaches the range. A tree without overlaps needs none of this (see tree.ts).
import { below } from '../address-halves.ts';
import { indexAt, wordAt } from '../typed-arrays.ts';
import { NONE, STRIDE, type TreeNodes } from './nodes.ts';
import type { EntryVisitor } from './types.ts';

/** Index of the first entry, by start, in a node at `level` that shares an address with the range; NONE if none does. */
export function firstOverlapIn(
  nodes: TreeNodes,
  level: number,
  node: number,
  firstHigh: number,
  firstLow: number,
  lastHigh: number,
  lastLow: number,
): number {
  // The first entry that reaches `first` decides: if it starts beyond the range, so do all that follow.
  const words = nodes.wordsAt(level);
  const end = nodes.endOf(level, node);
  for (let i = node * nodes.capacity; i < end; i++) {
    const w = i * STRIDE;
    if (below(wordAt(words, w + 2), wordAt(words, w + 3), firstHigh, firstLow)) continue;
    if (below(lastHigh, lastLow, wordAt(words, w), wordAt(words, w + 1))) return NONE;
    if (level === 0) return i;
    return firstOverlapIn(nodes, level - 1, indexAt(nodes.children, i), firstHigh, firstLow, lastHigh, lastLow);
  }
  return NONE;
}

/** Visits the entries in a node at `level` that share an address with the range. True if the visitor ended it. */
export function visitOverlapsIn(
  nodes: TreeNodes,
  level: number,
  node: number,
  firstHigh: number,
  firstLow: number,
  lastHigh: number,
  lastLow: number,
  visit: EntryVisitor,
): boolean {
  const words = nodes.wordsAt(level);
  const end = nodes.endOf(level, node);
  for (let i = node * nodes.capacity; i < end; i++) {
    const w = i * STRIDE;
    const startHigh = wordAt(words, w);
    const startLow = wordAt(words, w + 1);
    if (below(lastHigh, lastLow, startHigh, startLow)) return false;
    const endHigh = wordAt(words, w + 2);
    const endLow = wordAt(words, w + 3);
    if (below(endHigh, endLow, firstHigh, firstLow)) continue;
    const ended =
      level === 0
        ? visit(wordAt(nodes.values, i), startHigh, startLow, endHigh, endLow)
        : visitOverlapsIn(nodes, level - 1, indexAt(nodes.children, i), firstHigh, firstLow, lastHigh, lastLow, visit);
    if (ended) return true;
  }
  return false;
}

/** Indices of the entries in a node at `level` that share an address with the range. */
export function* overlapsIn(
  nodes: TreeNodes,
  level: number,
  node: number,
  firstHigh: number,
  firstLow: number,
  lastHigh: number,
  lastLow: number,
): Generator<number> {
  const words = nodes.wordsAt(level);
  const end = nodes.endOf(level, node);
  for (let i = node * nodes.capacity; i < end; i++) {
    const w = i * STRIDE;
    if (below(lastHigh, lastLow, wordAt(words, w), wordAt(words, w + 1))) return;
    if (below(wordAt(words, w + 2), wordAt(words, w + 3), firstHigh, firstLow)) continue;
    if (level === 0) yield i;
    else yield* overlapsIn(nodes, level - 1, indexAt(nodes.children, i), firstHigh, firstLow, lastHigh, lastLow);
  }
}
