// Interval trees from npm that a user would otherwise take, with bigint addresses: with numbers they would lose bits
// above 2^53. None of them can search for a hole: their choice of a place walks all areas in order.
import { IntervalTree as FlattenTree, Interval } from '@flatten-js/interval-tree';
import { IntervalTree as NodeTree } from 'node-interval-tree';
import * as sortedBtree from 'sorted-btree';
import { type Contender, RESERVED_FIRST, RESERVED_LAST, type Subject } from './workload.ts';

// What a CommonJS module's default is depends on who bundles it.
const found = sortedBtree.default as typeof sortedBtree.default | { readonly default: typeof sortedBtree.default };
const BTree = 'default' in found ? found.default : found;

const PAGE = 0x1000n;
const HUGE = 0x20_0000n;
const rounds = (n: number): number => (n > 300_000 ? 1 : Math.min(20, Math.ceil(30_000 / n) + 1));

/** The lowest place from the first page on between areas that come by ascending start. */
function placeBetween(areas: Iterable<readonly [bigint, bigint]>, length: bigint): bigint {
  const up = (address: bigint): bigint => ((address + HUGE - 1n) / HUGE) * HUGE;
  const roomIn = (from: bigint, until: bigint): bigint | undefined => {
    const place = up(from);
    return place + length <= until ? place : undefined;
  };
  let next = PAGE;
  for (const [start, last] of areas) {
    const low = roomIn(next, start < RESERVED_FIRST ? start : RESERVED_FIRST < next ? start : RESERVED_FIRST);
    if (low !== undefined) return low;
    if (next <= RESERVED_LAST && start > RESERVED_LAST) {
      const high = roomIn(RESERVED_LAST + 1n, start);
      if (high !== undefined) return high;
    }
    next = last + 1n;
  }
  return up(next > RESERVED_LAST ? next : RESERVED_LAST + 1n);
}

function isReserved(start: bigint, last: bigint): boolean {
  return start <= RESERVED_LAST && last >= RESERVED_FIRST;
}

class Flatten implements Subject {
  readonly #tree = new FlattenTree<number>();

  map(start: bigint, last: bigint): void {
    if (isReserved(start, last) || this.#tree.intersect_any(new Interval(start, last))) throw new Error('taken');
    this.#tree.insert(new Interval(start, last), 0);
  }

  query(first: bigint, last: bigint): number {
    let hits = 0;
    for (const value of this.#tree.search(new Interval(first, last))) if (value === 0) hits++;
    return hits;
  }

  *#areas(): Generator<readonly [bigint, bigint]> {
    for (const { low, high } of this.#tree.iterate(undefined, (_value, key) => key)) {
      yield [low as bigint, high as bigint];
    }
  }

  choose(length: bigint): bigint {
    const place = placeBetween(this.#areas(), length);
    this.#tree.insert(new Interval(place, place + length - 1n), 0);
    return place;
  }

  unmap(start: bigint, last: bigint): void {
    if (!this.#tree.remove(new Interval(start, last), 0)) throw new Error('not mapped');
  }
}

interface BigRange {
  readonly low: bigint;
  readonly high: bigint;
}

class NodeInterval implements Subject {
  readonly #tree = new NodeTree<BigRange, bigint>();

  map(start: bigint, last: bigint): void {
    if (isReserved(start, last) || this.#tree.search(start, last).length > 0) throw new Error('taken');
    this.#tree.insert({ low: start, high: last });
  }

  query(first: bigint, last: bigint): number {
    let hits = 0;
    for (const { high } of this.#tree.search(first, last)) if (high >= first) hits++;
    return hits;
  }

  *#areas(): Generator<readonly [bigint, bigint]> {
    for (const { low, high } of this.#tree.inOrder()) yield [low, high];
  }

  choose(length: bigint): bigint {
    const place = placeBetween(this.#areas(), length);
    this.#tree.insert({ low: place, high: place + length - 1n });
    return place;
  }

  unmap(start: bigint, last: bigint): void {
    if (!this.#tree.remove({ low: start, high: last })) throw new Error('not mapped');
  }
}

/** A sorted map from start to last: it knows no intervals, but areas never overlap, so a neighbour tells. */
class Sorted implements Subject {
  readonly #tree = new BTree<bigint, bigint>(undefined, (a, b) => (a < b ? -1 : a > b ? 1 : 0));

  map(start: bigint, last: bigint): void {
    const before = this.#tree.nextLowerPair(last + 1n);
    if (isReserved(start, last) || (before && before[1] >= start)) throw new Error('taken');
    this.#tree.set(start, last);
  }

  query(first: bigint, last: bigint): number {
    let hits = 0;
    const before = this.#tree.nextLowerPair(first);
    if (before && before[1] >= first) hits++;
    this.#tree.forRange(first, last, true, () => {
      hits++;
    });
    return hits;
  }

  choose(length: bigint): bigint {
    const place = placeBetween(this.#tree.entries(), length);
    this.#tree.set(place, place + length - 1n);
    return place;
  }

  unmap(start: bigint, last: bigint): void {
    if (this.#tree.get(start) !== last || !this.#tree.delete(start)) throw new Error('not mapped');
  }
}

export const PEERS: readonly Contender[] = [
  { name: '@flatten-js/interval-tree', rounds, create: () => new Flatten() },
  { name: 'node-interval-tree', rounds, create: () => new NodeInterval() },
  { name: 'sorted-btree', rounds, create: () => new Sorted() },
];
