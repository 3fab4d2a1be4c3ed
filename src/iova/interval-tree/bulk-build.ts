import { highWord, lowWord } from '../address-halves.ts';
import type { TreeNodes } from './nodes.ts';

/**
 * Fills empty nodes from sorted arrays, leaf after leaf and then level by level. O(n). RangeError if the arrays differ in
 * length, a start is above its last, or starts descend.
 */
export function buildFromSorted(
  nodes: TreeNodes,
  starts: BigUint64Array,
  lasts: BigUint64Array,
  values: Uint32Array | undefined,
): void {
  const count = starts.length;
  if (lasts.length !== count || (values && values.length !== count)) throw new RangeError('arrays differ in length');
  if (count === 0) return;
  let level = fillLeaves(nodes, starts, lasts, values);
  while (level.length > 1) level = addLevel(nodes, level);
  nodes.root = level[0] ?? nodes.root;
  nodes.size = count;
}

/** A little room in each node, so that the first insertions do not split all of them. */
const initialFill = (capacity: number) => capacity - (capacity >> 3);

/** Writes the entries, shared evenly among leaves. Returns the leaves in order. */
function fillLeaves(
  nodes: TreeNodes,
  starts: BigUint64Array,
  lasts: BigUint64Array,
  values: Uint32Array | undefined,
): number[] {
  const count = starts.length;
  const leafCount = Math.ceil(count / initialFill(nodes.capacity));
  const leaves: number[] = [];
  let leaf = nodes.root;
  let at = 0;
  let until = 0;
  let before = 0n;
  let highest = -1n;
  for (const [i, start] of starts.entries()) {
    if (i === until) {
      if (i > 0) {
        const right = nodes.newLeaf();
        nodes.linkLeaf(right, leaf);
        leaf = right;
      }
      leaves.push(leaf);
      until = Math.floor((leaves.length * count) / leafCount);
      at = leaf * nodes.capacity;
      nodes.makeRoom(at + until - i - 1);
      nodes.leafFill[leaf] = until - i;
    }
    const last = lasts[i] ?? 0n;
    if (start > last) throw new RangeError(`entry ${i}: start is above last`);
    if (start < before) throw new RangeError(`entry ${i}: starts descend`);
    if (start <= highest) nodes.overlapping = true;
    if (last > highest) highest = last;
    before = start;
    nodes.writeEntry(at, highWord(start), lowWord(start), highWord(last), lowWord(last), values?.[i] ?? i);
    at++;
  }
  return leaves;
}

/** Puts one level of inner nodes above `children`. Returns its nodes in order. */
function addLevel(nodes: TreeNodes, children: readonly number[]): number[] {
  nodes.height++;
  const parentCount = Math.ceil(children.length / initialFill(nodes.capacity));
  const parents: number[] = [];
  let slot = 0;
  let until = 0;
  for (const [i, child] of children.entries()) {
    if (i === until) {
      const inner = nodes.newInner();
      parents.push(inner);
      until = Math.floor((parents.length * children.length) / parentCount);
      nodes.innerFill[inner] = until - i;
      slot = inner * nodes.capacity;
    }
    nodes.children[slot] = child;
    nodes.renew(nodes.height, slot);
    slot++;
  }
  return parents;
}
