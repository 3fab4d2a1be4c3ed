import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { MappingTree } from './mapping-tree.ts';

const page = (n: number): [bigint, bigint] => [BigInt(n) * 0x1000n, BigInt(n) * 0x1000n + 0xfffn];

/** All handles in the order of the tree. */
function walk(tree: MappingTree): number[] {
  const out: number[] = [];
  for (let at = tree.first(0n, IOVA_MAX); at !== undefined; at = tree.next(at)) out.push(at);
  return out;
}

describe('a tree of mappings', () => {
  it('stays balanced and in order, whatever is linked and removed', () => {
    assertProperty(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 60 }), fc.boolean()), { maxLength: 200, size: 'max' }), (steps) => {
        let tree = new MappingTree();
        const present = new Map<number, number>();
        for (const [n, cloned] of steps) {
          if (present.has(n)) {
            tree.remove(n);
            present.delete(n);
          } else {
            tree.insert(n, ...page(n));
            present.set(n, n);
          }
          if (cloned) tree = tree.clone();
          tree.verify();
          expect(walk(tree)).toEqual([...present.keys()].sort((a, b) => a - b));
          expect(tree.find(...([page(n)[0], 1n] as const))).toBe(present.get(n));
        }
      }),
    );
  });

  it('puts a mapping that starts where another does before it', () => {
    const tree = new MappingTree();
    tree.insert(0, 0x1000n, 0x1fffn);
    tree.insert(1, 0x1000n, 0x2fffn);
    expect(walk(tree)).toEqual([1, 0]);
  });

  it('turns right at a mapping that ends at the top', () => {
    const tree = new MappingTree();
    tree.insert(0, IOVA_MAX - 0xfffn, IOVA_MAX);
    tree.insert(1, 0n, 0xfffn);
    expect(tree.rangeOf(0)).toEqual({ start: IOVA_MAX - 0xfffn, last: IOVA_MAX });
    expect([tree.find(0n, 1n), tree.first(0n, 0x1000n)]).toEqual([1, undefined]);
    tree.insert(2, 0x1000n, 0x1fffn);
    // A rotation makes the third one the root.
    expect([tree.find(0n, 1n), tree.first(0n, 0x1000n)]).toEqual([1, 1]);
  });

  it('is empty again after clear', () => {
    const tree = new MappingTree();
    for (let n = 0; n < 40; n++) tree.insert(n, ...page(n));
    tree.clear();
    expect(walk(tree)).toEqual([]);
    tree.insert(0, ...page(3));
    expect(walk(tree)).toEqual([0]);
  });
});
