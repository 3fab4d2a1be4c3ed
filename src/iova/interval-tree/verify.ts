// Checks the rules of the structure, for tests: order, links, fill, and that every summary is what its child gives.
import { fromWords } from '../address-halves.ts';
import { doubleAt, indexAt, wordAt } from '../typed-arrays.ts';
import { largestAligned } from './gap-search.ts';
import { type LearnedBounds, NONE, STRIDE, type TreeNodes } from './nodes.ts';

/** What has been seen on the way from the first entry. */
interface Seen {
  entries: number;
  leaf: number;
  start: bigint;
}

/** Throws if a rule of the structure is broken. */
export function verifyNodes(nodes: TreeNodes): void {
  const seen: Seen = { entries: 0, leaf: NONE, start: 0n };
  verifyNode(nodes, nodes.height, nodes.root, seen);
  if (seen.entries !== nodes.size) throw new Error(`size ${nodes.size}, but ${seen.entries} entries`);
  if (seen.leaf !== NONE && nodes.next[seen.leaf] !== NONE) throw new Error('the last leaf has a next one');
}

function verifyNode(nodes: TreeNodes, level: number, node: number, seen: Seen): void {
  const base = node * nodes.capacity;
  const end = nodes.endOf(level, node);
  const fill = end - base;
  if (fill > nodes.capacity || (fill < 1 && nodes.size > 0)) throw new Error(`node of ${fill} at level ${level}`);
  if (level === 0) {
    if (nodes.previous[node] !== seen.leaf) throw new Error('leaves are not linked backwards');
    if (seen.leaf !== NONE && nodes.next[seen.leaf] !== node) throw new Error('leaves are not linked forwards');
    seen.leaf = node;
  }
  for (let i = base; i < end; i++) {
    if (level === 0) verifyEntry(nodes, i, seen);
    else verifySlot(nodes, level, i, seen);
  }
}

function verifyEntry({ keys }: TreeNodes, at: number, seen: Seen): void {
  const k = at * STRIDE;
  const start = fromWords(wordAt(keys, k), wordAt(keys, k + 1));
  const last = fromWords(wordAt(keys, k + 2), wordAt(keys, k + 3));
  if (start > last) throw new Error('an entry starts above its last');
  if (start < seen.start) throw new Error('starts descend');
  seen.start = start;
  seen.entries++;
}

function verifySlot(nodes: TreeNodes, level: number, slot: number, seen: Seen): void {
  if (nodes.summarise(level, slot)) throw new Error(`stale summary at level ${level}`);
  verifyAligned(nodes, level, slot);
  const before = seen.entries;
  verifyNode(nodes, level - 1, indexAt(nodes.children, slot), seen);
  if (seen.entries - before !== nodes.counts[slot]) throw new Error(`stale count at level ${level}`);
}

/** What searches have recorded in a slot must not be below what its child really holds. */
function verifyAligned(nodes: TreeNodes, level: number, slot: number): void {
  const exactBounds = new Float64Array(nodes.gaps.length).fill(Number.NaN);
  const exact = (l: number, node: number, placement: Pick<LearnedBounds, 'shift' | 'offset'>): number => {
    if (l > 0) {
      const end = nodes.endOf(l, node);
      for (let i = node * nodes.capacity; i < end; i++) {
        exactBounds[i] = exact(l - 1, indexAt(nodes.children, i), placement);
      }
    }
    return largestAligned(nodes, l, node, { ...placement, bounds: exactBounds });
  };
  for (const { shift, offset, bounds } of nodes.learned) {
    if (doubleAt(bounds, slot) < exact(level - 1, indexAt(nodes.children, slot), { shift, offset })) {
      throw new Error(`a gap at level ${level} is larger than recorded for 2^${shift} with ${offset}`);
    }
  }
}
