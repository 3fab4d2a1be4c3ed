import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../../iova/range.ts';
import { type FlatRegion, flatten, type Region } from './mtree-flatten.ts';

type Given = Partial<Omit<Region, 'start' | 'last'>>;

function region(start: bigint, last: bigint, given: Given = {}): Region {
  return { ...range(start, last), priority: 0, type: 'ram', name: 'r', enabled: true, line: 1, children: [], ...given };
}

const short = (ranges: readonly FlatRegion[]) =>
  ranges.map(({ start, last, name }) => `${start.toString(16)}-${last.toString(16)} ${name}`);
const flat = (roots: readonly Region[], targets: readonly Region[] = []) => {
  const byName = new Map<string, Region[]>();
  for (const target of targets) byName.set(target.name, [...(byName.get(target.name) ?? []), target]);
  return flatten(roots, byName);
};

describe('children', () => {
  test('come before their parent, cut to it; what they leave is its own', () => {
    const child = region(0x10n, 0x1ffn, { name: 'child' });
    const root = region(0n, 0xffn, { name: 'parent', children: [child] });
    expect(short(flat([root]).ranges)).toEqual(['0-f parent', '10-ff child']);
  });

  test('of higher priority come before those of lower', () => {
    const children = [
      region(0n, 0xffn, { name: 'low', priority: -1 }),
      region(0x10n, 0x2fn, { name: 'middle' }),
      region(0x20n, 0x3fn, { name: 'high', priority: 4096 }),
    ];
    const root = region(0n, 0xffn, { type: 'i/o', children });
    expect(short(flat([root]).ranges)).toEqual(['0-f low', '10-1f middle', '20-3f high', '40-ff low']);
  });

  test('of the same priority: the one listed first', () => {
    const children = [region(0n, 0x1fn, { name: 'a' }), region(0x10n, 0x2fn, { name: 'b' })];
    expect(short(flat([region(0n, 0xffn, { type: 'i/o', children })]).ranges)).toEqual(['0-1f a', '20-2f b']);
  });

  test('that are disabled hide nothing', () => {
    const children = [region(0n, 0xfn, { name: 'off', enabled: false, priority: 9 })];
    expect(short(flat([region(0n, 0xffn, { name: 'rom', children })]).ranges)).toEqual(['0-ff rom']);
  });
});

test('a container has nothing of its own; an empty device has', () => {
  const device = region(0x10n, 0x1fn, { name: 'device', type: 'i/o' });
  const container = region(0n, 0xffn, { name: 'container', type: 'i/o', children: [device] });
  expect(short(flat([container]).ranges)).toEqual(['10-1f device']);
  expect(flat([region(0n, 0xffffffffffffffffn, { type: 'i/o' })]).ranges).toEqual([]);
});

describe('an alias', () => {
  test('shows a part of its target, wherever that begins', () => {
    const ram = region(0x1000n, 0x1fffn, {
      name: 'ram',
      children: [region(0x1800n, 0x18ffn, { name: 'hole', priority: 1 })],
    });
    const alias = region(0x100000n, 0x1007ffn, { name: 'high', alias: { target: 'ram', offset: 0x600n } });
    expect(short(flat([alias], [ram]).ranges)).toEqual([
      '100000-1001ff ram',
      '100200-1002ff hole',
      '100300-1007ff ram',
    ]);
  });

  test('of something that is not there is taken as it is, under the name of that', () => {
    const alias = region(0n, 0xffn, { name: 'low', type: 'rom', alias: { target: 'flash', offset: 0n } });
    const { ranges, complete } = flat([alias], [region(0n, 0x7fn, { name: 'flash' })]);
    expect(ranges).toEqual([{ ...range(0n, 0xffn), type: 'rom', name: 'flash', line: 1 }]);
    expect(complete).toBe(false);
  });

  test('of several targets with one name: the one that is large enough', () => {
    const alias = region(0n, 0xffn, { alias: { target: 'flash', offset: 0x10n } });
    const { ranges } = flat(
      [alias],
      [region(0n, 0xffn, { name: 'flash', line: 7 }), region(0n, 0x10fn, { name: 'flash', line: 8 })],
    );
    expect(ranges.map(({ line }) => line)).toEqual([8]);
  });

  test('that leads back to itself ends', () => {
    const a = region(0n, 0xffn, { name: 'a', alias: { target: 'b', offset: 0n } });
    const b = region(0n, 0xffn, { name: 'b', alias: { target: 'a', offset: 0n } });
    const { ranges, complete } = flat([a], [a, b]);
    expect(ranges.length).toBe(1);
    expect(complete).toBe(false);
  });

  test('that multiplies without end is cut', () => {
    const children = [0n, 1n].map((start) => region(start, 0xffn, { alias: { target: 'a', offset: 0n } }));
    const a = region(0n, 0x1ffn, { name: 'a', type: 'i/o', children: [...children, ...children, ...children] });
    expect(flat([a], [a]).complete).toBe(false);
  });
});

test('every address belongs to the first that the search comes to', () => {
  const TOP = 63n;
  const leafOf = fc.record({
    start: fc.bigInt(0n, TOP),
    size: fc.bigInt(1n, 40n),
    priority: fc.integer({ min: -2, max: 2 }),
    type: fc.constantFrom('ram', 'i/o'),
    enabled: fc.boolean(),
  });
  const tree: fc.Memo<Region> = fc.memo((depth) =>
    fc
      .tuple(leafOf, depth > 1 ? fc.array(tree(), { maxLength: 3 }) : fc.constant<Region[]>([]))
      .map(([given, children]) => region(given.start, given.start + given.size - 1n, { ...given, children })),
  );
  const name = (root: Region): Region => {
    let n = 0;
    const walk = (r: Region): Region => ({ ...r, name: `n${n++}`, children: r.children.map(walk) });
    return walk(root);
  };
  /** Who answers at an address, asked top-down. */
  const owner = (r: Region, address: bigint): string | undefined => {
    if (!r.enabled || address < r.start || address > r.last) return undefined;
    for (const priority of [2, 1, 0, -1, -2]) {
      const equal = r.children.filter((c) => c.priority === priority).sort((a, b) => Number(a.start - b.start));
      for (const child of equal) {
        const found = owner(child, address);
        if (found !== undefined) return found;
      }
    }
    return r.type === 'i/o' && r.children.length > 0 ? undefined : r.name;
  };
  fc.assert(
    fc.property(tree(3).map(name), (root) => {
      const { ranges } = flat([root]);
      for (let address = 0n; address <= TOP + 40n; address++) {
        const found = ranges.filter(({ start, last }) => start <= address && address <= last).map((r) => r.name);
        const expected = owner(root, address);
        expect([address, found]).toEqual([address, expected === undefined ? [] : [expected]]);
      }
    }),
    { numRuns: 300 },
  );
});
