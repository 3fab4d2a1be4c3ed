// Finding gaps between entries. Each slot knows the largest gap inside its child, so whole subtrees without a gap of the
// length wanted are skipped. For aligned gaps, searches record how much an aligned block could be at most.
import { below, TWO_32 } from '../address-halves.ts';
import { doubleAt, indexAt, wordAt } from '../typed-arrays.ts';
import type { GapCursor } from './gap-cursor.ts';
import { STRIDE, type TreeNodes } from './nodes.ts';

/** Reports the gaps around and inside a node at `level`. True if the visitor ended the search. */
export function searchGaps(nodes: TreeNodes, level: number, node: number, cursor: GapCursor): boolean {
  const words = nodes.wordsAt(level);
  const end = nodes.endOf(level, node);
  for (let i = node * nodes.capacity; i < end; i++) {
    const w = i * STRIDE;
    // What ends before the range does not matter.
    if (below(wordAt(words, w + 2), wordAt(words, w + 3), cursor.nextHigh, cursor.nextLow)) continue;
    if (cursor.before(wordAt(words, w), wordAt(words, w + 1))) return true;
    if (cursor.ended) return false;
    if (level > 0 && doubleAt(nodes.gaps, i) >= cursor.length) {
      if (searchGaps(nodes, level - 1, indexAt(nodes.children, i), cursor)) return true;
    } else {
      cursor.pass(wordAt(words, w + 2), wordAt(words, w + 3));
    }
    if (cursor.ended) return false;
  }
  return false;
}

/** The array of what is known for alignment 2^shift. RangeError if `shift` is not 0 to 31. */
export function alignedBounds(nodes: TreeNodes, shift: number): Float64Array {
  if (!Number.isInteger(shift) || shift < 0 || shift > 31) {
    throw new RangeError(`alignment 2^${shift}: expected an exponent from 0 to 31`);
  }
  let bounds = nodes.aligned[shift];
  if (!bounds) {
    bounds = new Float64Array(nodes.gaps.length).fill(Number.NaN);
    nodes.aligned[shift] = bounds;
  }
  return bounds;
}

/**
 * The same as `searchGaps`, but also skips what is known to hold no aligned block, and records it for what it searched.
 * `bounds` are the `alignedBounds` of `shift`.
 */
export function searchAlignedGaps(
  nodes: TreeNodes,
  level: number,
  node: number,
  cursor: GapCursor,
  shift: number,
  bounds: Float64Array,
): boolean {
  if (level === 0) return searchGaps(nodes, 0, node, cursor);
  const words = nodes.bounds;
  const end = nodes.endOf(level, node);
  for (let i = node * nodes.capacity; i < end; i++) {
    const w = i * STRIDE;
    if (below(wordAt(words, w + 2), wordAt(words, w + 3), cursor.nextHigh, cursor.nextLow)) continue;
    if (cursor.before(wordAt(words, w), wordAt(words, w + 1))) return true;
    if (cursor.ended) return false;
    const child = indexAt(nodes.children, i);
    let mayFit = doubleAt(nodes.gaps, i) >= cursor.length;
    if (mayFit) {
      if (level === 1 && Number.isNaN(bounds[i])) bounds[i] = largestAligned(nodes, 0, child, shift, bounds);
      // NaN, not known yet: look.
      mayFit = !(doubleAt(bounds, i) < cursor.length);
    }
    if (mayFit) {
      if (searchAlignedGaps(nodes, level - 1, child, cursor, shift, bounds)) return true;
      if (cursor.ended) return false;
      if (level > 1) bounds[i] = largestAligned(nodes, level - 1, child, shift, bounds);
    } else {
      cursor.pass(wordAt(words, w + 2), wordAt(words, w + 3));
      if (cursor.ended) return false;
    }
  }
  return false;
}

/**
 * An upper bound of the bytes that a gap inside a node at `level` holds from its first multiple of 2^shift on. Exact for
 * a leaf; for children without a record the largest gap is used.
 */
export function largestAligned(
  nodes: TreeNodes,
  level: number,
  node: number,
  shift: number,
  bounds: Float64Array,
): number {
  const words = nodes.wordsAt(level);
  const base = node * nodes.capacity;
  const end = nodes.endOf(level, node);
  const mask = 2 ** shift - 1;
  let high = wordAt(words, base * STRIDE + 2);
  let low = wordAt(words, base * STRIDE + 3);
  let largest = level === 0 ? 0 : knownAligned(nodes, base, bounds);
  for (let i = base + 1; i < end; i++) {
    const w = i * STRIDE;
    // The first multiple after the last used address, and what remains from there to the next start.
    const sum = low + 1 + mask;
    const place = (sum & ~mask) >>> 0;
    const carried = sum >= TWO_32 ? high + 1 : high;
    const room = (wordAt(words, w) - carried) * TWO_32 + (wordAt(words, w + 1) - place);
    if (room > largest) largest = room;
    if (level > 0) {
      const inside = knownAligned(nodes, i, bounds);
      if (inside > largest) largest = inside;
    }
    if (below(high, low, wordAt(words, w + 2), wordAt(words, w + 3))) {
      high = wordAt(words, w + 2);
      low = wordAt(words, w + 3);
    }
  }
  return largest;
}

function knownAligned(nodes: TreeNodes, slot: number, bounds: Float64Array): number {
  const known = doubleAt(bounds, slot);
  const gap = doubleAt(nodes.gaps, slot);
  return known < gap ? known : gap;
}
