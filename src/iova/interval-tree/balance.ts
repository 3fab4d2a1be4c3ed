// Keeps the nodes between almost empty and full: splitting a full leaf, and joining or sharing after a removal.
import { indexAt } from '../typed-arrays.ts';
import { NONE, STRIDE, type TreeNodes } from './nodes.ts';
import type { TreePath } from './path.ts';

/**
 * Inserts an entry at `position` of a full leaf, the one at the end of the path: splits it and carries the new node up.
 * The path is stale afterwards.
 */
export function insertSplitting(
  nodes: TreeNodes,
  path: TreePath,
  leaf: number,
  position: number,
  startHigh: number,
  startLow: number,
  lastHigh: number,
  lastLow: number,
  value: number,
): void {
  const capacity = nodes.capacity;
  const right = nodes.newLeaf();
  // Sorted input appends at the very end: leave full leaves behind.
  const isAppend = nodes.next[leaf] === NONE && position === capacity;
  const cut = isAppend ? capacity - 1 : capacity >> 1;
  nodes.linkLeaf(right, leaf);
  nodes.moveEntries(leaf, cut, right, 0, capacity - cut);
  nodes.leafFill[leaf] = cut;
  nodes.leafFill[right] = capacity - cut;
  const target = position > cut ? right : leaf;
  const within = position > cut ? position - cut : position;
  const at = target * capacity + within;
  const end = nodes.endOf(0, target);
  nodes.keys.copyWithin((at + 1) * STRIDE, at * STRIDE, end * STRIDE);
  nodes.values.copyWithin(at + 1, at, end);
  nodes.writeEntry(at, startHigh, startLow, lastHigh, lastLow, value);
  nodes.leafFill[target] = indexAt(nodes.leafFill, target) + 1;

  let carried = right;
  for (let level = 1; level <= nodes.height; level++) {
    nodes.renew(level, path.slotAt(level));
    if (carried !== NONE) carried = insertSlot(nodes, path, level, carried);
  }
  if (carried === NONE) return;
  const left = nodes.root;
  const root = nodes.newInner();
  nodes.height++;
  nodes.root = root;
  nodes.innerFill[root] = 2;
  nodes.children[root * capacity] = left;
  nodes.children[root * capacity + 1] = carried;
  nodes.renew(nodes.height, root * capacity);
  nodes.renew(nodes.height, root * capacity + 1);
}

/** Puts `child` after the slot of the path at `level`. Returns the new node if this one had to be split, else NONE. */
function insertSlot(nodes: TreeNodes, path: TreePath, level: number, child: number): number {
  const capacity = nodes.capacity;
  const slot = path.slotAt(level);
  let node = Math.floor(slot / capacity);
  let position = (slot % capacity) + 1;
  let right = NONE;
  if (nodes.innerFill[node] === capacity) {
    right = nodes.newInner();
    const cut = position === capacity ? capacity - 1 : capacity >> 1;
    nodes.moveSlots(node, cut, right, 0, capacity - cut);
    nodes.innerFill[node] = cut;
    nodes.innerFill[right] = capacity - cut;
    if (position > cut) {
      node = right;
      position -= cut;
    }
  }
  const fill = indexAt(nodes.innerFill, node);
  nodes.moveSlots(node, position, node, position + 1, fill - position);
  nodes.innerFill[node] = fill + 1;
  nodes.children[node * capacity + position] = child;
  nodes.renew(level, node * capacity + position);
  return right;
}

/**
 * After a removal left the leaf of the path with fewer than `minFill` entries: joins it with a neighbour or shares the
 * entries of both, and does the same with each node above. The path is stale afterwards.
 */
export function rebalance(nodes: TreeNodes, path: TreePath, minFill: number): void {
  const capacity = nodes.capacity;
  for (let level = 1; level <= nodes.height; level++) {
    const slot = path.slotAt(level);
    const parent = Math.floor(slot / capacity);
    const position = slot % capacity;
    const siblings = indexAt(nodes.innerFill, parent);
    const fills = level === 1 ? nodes.leafFill : nodes.innerFill;
    const child = indexAt(nodes.children, slot);
    if (indexAt(fills, child) >= minFill || siblings === 1) {
      nodes.renew(level, slot);
      continue;
    }
    const leftPosition = position + 1 < siblings ? position : position - 1;
    const left = indexAt(nodes.children, parent * capacity + leftPosition);
    const right = indexAt(nodes.children, parent * capacity + leftPosition + 1);
    const leftFill = indexAt(fills, left);
    const rightFill = indexAt(fills, right);
    const total = leftFill + rightFill;
    const newLeftFill = total <= capacity - (capacity >> 2) ? total : total >> 1;
    share(nodes, level - 1, left, leftFill, right, rightFill, newLeftFill);
    fills[left] = newLeftFill;
    fills[right] = total - newLeftFill;
    nodes.renew(level, parent * capacity + leftPosition);
    if (total > newLeftFill) {
      nodes.renew(level, parent * capacity + leftPosition + 1);
    } else {
      if (level === 1) nodes.releaseLeaf(right, left);
      else nodes.releaseInner(right);
      nodes.moveSlots(parent, leftPosition + 2, parent, leftPosition + 1, siblings - leftPosition - 2);
      nodes.innerFill[parent] = siblings - 1;
    }
  }
  while (nodes.height > 0 && nodes.innerFill[nodes.root] === 1) {
    const old = nodes.root;
    nodes.root = indexAt(nodes.children, old * capacity);
    nodes.releaseInner(old);
    nodes.height--;
  }
}

/** Moves entries or slots between two neighbours at `level` until the left one has `newLeftFill`. */
function share(
  nodes: TreeNodes,
  level: number,
  left: number,
  leftFill: number,
  right: number,
  rightFill: number,
  newLeftFill: number,
): void {
  const toLeft = newLeftFill - leftFill;
  if (toLeft > 0) {
    moveItems(nodes, level, right, 0, left, leftFill, toLeft);
    moveItems(nodes, level, right, toLeft, right, 0, rightFill - toLeft);
  } else if (toLeft < 0) {
    moveItems(nodes, level, right, 0, right, -toLeft, rightFill);
    moveItems(nodes, level, left, newLeftFill, right, 0, -toLeft);
  }
}

function moveItems(
  nodes: TreeNodes,
  level: number,
  from: number,
  position: number,
  to: number,
  target: number,
  count: number,
): void {
  if (level === 0) nodes.moveEntries(from, position, to, target, count);
  else nodes.moveSlots(from, position, to, target, count);
}
