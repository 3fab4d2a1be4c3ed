// Finding gaps between entries. Each slot knows the largest gap inside its child, so whole subtrees without a gap of the
// length wanted are skipped. For aligned blocks, searches record how many bytes such a block could have at most.
import { below, TWO_32 } from '../address-halves.ts';
import { doubleAt, indexAt, wordAt } from '../typed-arrays.ts';
import type { GapCursor } from './gap-cursor.ts';
import { type LearnedBounds, STRIDE, type TreeNodes } from './nodes.ts';

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

/**
 * Placements with an offset that are remembered: each costs 8 bytes per inner slot, and some time in each change of the
 * tree.
 */
const OFFSETS_MAX = 8;

/** What is known for a placement. RangeError if `shift` or `offset` is not 0 to 31, or 0 to 2^31-1. */
export function learnedBounds(nodes: TreeNodes, shift: number, offset: number): LearnedBounds {
  if (!Number.isInteger(shift) || shift < 0 || shift > 31) {
    throw new RangeError(`alignment 2^${shift}: expected an exponent from 0 to 31`);
  }
  if (!Number.isInteger(offset) || offset < 0 || offset > 0x7fff_ffff) {
    throw new RangeError(`offset ${offset}: expected an integer from 0 to 2^31-1`);
  }
  const { learned } = nodes;
  const at = learned.findIndex((one) => one.shift === shift && one.offset === offset);
  let found = learned[at];
  if (found && (offset === 0 || at === learned.length - 1)) return found;
  if (found) learned.splice(at, 1);
  else if (offset !== 0 && learned.filter((one) => one.offset !== 0).length >= OFFSETS_MAX) {
    // The one that was not in use for the longest time.
    learned.splice(
      learned.findIndex((one) => one.offset !== 0),
      1,
    );
  }
  found ??= { shift, offset, bounds: new Float64Array(nodes.gaps.length).fill(Number.NaN) };
  learned.push(found);
  return found;
}

/** The same as `searchGaps`, but also skips what is known to hold no such block, and records it for what it searched. */
export function searchAlignedGaps(
  nodes: TreeNodes,
  level: number,
  node: number,
  cursor: GapCursor,
  learned: LearnedBounds,
): boolean {
  if (level === 0) return searchGaps(nodes, 0, node, cursor);
  const { bounds } = learned;
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
      if (level === 1 && Number.isNaN(bounds[i])) bounds[i] = largestAligned(nodes, 0, child, learned);
      // NaN, not known yet: look.
      mayFit = !(doubleAt(bounds, i) < cursor.length);
    }
    if (mayFit) {
      if (searchAlignedGaps(nodes, level - 1, child, cursor, learned)) return true;
      if (cursor.ended) return false;
      if (level > 1) bounds[i] = largestAligned(nodes, level - 1, child, learned);
    } else {
      cursor.pass(wordAt(words, w + 2), wordAt(words, w + 3));
      if (cursor.ended) return false;
    }
  }
  return false;
}

/**
 * The lowest number from `multiple` on, a multiple of the alignment, that has all bits of `offset`; both in one word. Bits
 * may be added to a higher multiple with a lower result (4 | 5 is below 2 | 5), so this bounds what any later start gives.
 */
function lowestWith(multiple: number, offset: number): number {
  const missing = offset & ~multiple;
  if (missing === 0) return multiple;
  // Set the highest missing bit: then the bits below it need be no more than those of the offset.
  const bit = 2 ** (31 - Math.clz32(missing));
  return ((multiple & ~(2 * bit - 1)) | bit | (offset & (bit - 1))) >>> 0;
}

/**
 * An upper bound of the bytes that a gap inside a node at `level` holds from the first place of a block on. Exact for a
 * leaf, if blocks may begin anywhere in a gap; for children without a record the largest gap is used.
 */
export function largestAligned(
  nodes: TreeNodes,
  level: number,
  node: number,
  { shift, offset, bounds }: LearnedBounds,
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
    // The first place after the last used address, and what remains from there to the next start.
    const sum = low + 1 + mask;
    const multiple = (sum & ~mask) >>> 0;
    const place = offset === 0 ? multiple : lowestWith(multiple, offset);
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
