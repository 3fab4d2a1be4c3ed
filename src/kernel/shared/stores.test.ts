import { describe, expect, it } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { AreaStore } from './area-store.ts';
import { describeObstacle, type Obstacle, refuser } from './refusal.ts';
import { ReservedStore } from './reserved-store.ts';
import { defineRules } from './rule.ts';

const mapping = { userVa: 0x7f12_3456_7000n, pages: 9, read: true, write: false, pagesWritable: true, origin: 4 };

describe('an area store', () => {
  it('gives back what was mapped, whatever the flags', () => {
    const store = new AreaStore();
    const kinds = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({
      ...mapping,
      read: (n & 1) !== 0,
      write: (n & 2) !== 0,
      pagesWritable: (n & 4) !== 0,
      pages: n,
      origin: n - 1,
    }));
    for (const [i, kind] of kinds.entries()) store.add(BigInt(i) << 12n, (BigInt(i) << 12n) + 0xfffn, kind);
    expect([...store.overlapping()].map(({ start: _, last: __, handle: ___, ...rest }) => rest)).toEqual(kinds);
    expect(store.firstOverlapping(0x1fffn, 0x2000n)).toMatchObject({ start: 0x1000n, last: 0x1fffn, pages: 1 });
    expect(store.firstOverlapping(0x8000n, IOVA_MAX)).toBeUndefined();
  });

  it('keeps addresses of 64 bits', () => {
    const store = new AreaStore();
    store.add(IOVA_MAX - 1n, IOVA_MAX, { ...mapping, userVa: IOVA_MAX, pages: 0xffff_ffff });
    expect(store.firstOverlapping(IOVA_MAX, IOVA_MAX)).toMatchObject({
      start: IOVA_MAX - 1n,
      last: IOVA_MAX,
      userVa: IOVA_MAX,
      pages: 0xffff_ffff,
    });
  });

  it('grows, and uses the handles of removed areas again', () => {
    const store = new AreaStore();
    for (let i = 0n; i < 100n; i++) store.add(i, i, { ...mapping, userVa: i, origin: Number(i) });
    expect([...store.overlapping(50n, 51n)].map(({ userVa, origin }) => [userVa, origin])).toEqual([
      [50n, 50],
      [51n, 51],
    ]);
    const area = store.firstOverlapping(50n, 50n);
    if (!area) throw new Error('an area');
    store.remove({ start: area.start, last: area.last, value: area.handle });
    expect(store.size).toBe(99);
    store.add(1000n, 1000n, { ...mapping, userVa: 1n });
    expect(store.firstOverlapping(1000n, 1000n)).toMatchObject({ handle: area.handle, userVa: 1n });
    expect(() => store.remove({ start: area.start, last: area.last, value: area.handle })).toThrow('does not exist');
    store.clear();
    store.add(5n, 5n, mapping);
    expect([store.size, store.firstOverlapping(5n, 5n)?.handle]).toEqual([1, 0]);
  });

  it('has clones that do not change with it', () => {
    const store = new AreaStore();
    for (let i = 0n; i < 40n; i++) store.add(i, i, { ...mapping, userVa: i, origin: Number(i) });
    const removed = store.firstOverlapping(3n, 3n);
    if (!removed) throw new Error('an area');
    store.remove({ start: removed.start, last: removed.last, value: removed.handle });
    const copy = store.clone();
    copy.add(100n, 100n, { ...mapping, userVa: 7n });
    store.add(200n, 200n, { ...mapping, userVa: 8n });
    expect(copy.firstOverlapping(100n, 100n)).toMatchObject({ userVa: 7n, handle: removed.handle });
    expect(store.firstOverlapping(200n, 200n)).toMatchObject({ userVa: 8n, handle: removed.handle });
    expect([copy.size, store.size]).toEqual([40, 40]);
    expect(copy.firstOverlapping(200n, 200n)).toBeUndefined();
    expect([...copy.overlapping(38n, 39n)].map(({ origin }) => origin)).toEqual([38, 39]);
  });

  it('finds the first area that is not aligned: by start, by end, by memory', () => {
    const unaligned = (start: bigint, last: bigint, userVa: bigint, memory: boolean) => {
      const store = new AreaStore();
      store.add(0x10_0000n, 0x10_0fffn, { ...mapping, userVa: 0n });
      store.add(start, last, { ...mapping, userVa });
      return store.firstUnaligned(0x1000n, memory)?.start;
    };
    expect(unaligned(0x1000n, 0x1fffn, 0x5000n, true)).toBeUndefined();
    expect(unaligned(0x1800n, 0x1fffn, 0x5000n, true)).toBe(0x1800n);
    expect(unaligned(0x1000n, 0x17ffn, 0x5000n, true)).toBe(0x1000n);
    expect(unaligned(0x1000n, 0x1fffn, 0x5001n, true)).toBe(0x1000n);
    expect(unaligned(0x1000n, 0x1fffn, 0x5001n, false)).toBeUndefined();
    const store = new AreaStore();
    store.add(1n, 1n, mapping);
    expect(store.firstUnaligned(1n, true)).toBeUndefined();
    store.add(IOVA_MAX - 0xfffn, IOVA_MAX, { ...mapping, userVa: 0n });
    expect(store.firstUnaligned(2n, false)).toMatchObject({ start: 1n });
  });
});

describe('a reserved store', () => {
  const owned = (start: bigint, last: bigint, name: string, kind: 'device' | 'domain' = 'device') => ({
    ...range(start, last),
    type: 'msi',
    owner: { kind, name },
  });

  it('lists, finds, removes by handle and by owner', () => {
    const store = new ReservedStore();
    const handle = store.add(owned(0x5000n, 0x5fffn, 'a'));
    store.add(owned(0x1000n, 0x1fffn, 'b'));
    store.add(owned(0x1800n, 0x2fffn, 'a', 'domain'));
    store.add({ ...range(0n, 0n), type: 'manual', owner: undefined });
    expect(store.list().map(({ start }) => start)).toEqual([0n, 0x1000n, 0x1800n, 0x5000n]);
    expect(store.firstOverlapping(0x1fffn, 0x1fffn)?.owner?.name).toBe('b');
    store.remove(handle);
    expect(() => store.remove(handle)).toThrow('without its description');
    store.removeOwnedBy({ kind: 'device', name: 'a' });
    expect(store.list()).toHaveLength(3);
    store.removeOwnedBy({ kind: 'domain', name: 'a' });
    store.removeOwnedBy({ kind: 'device', name: 'b' });
    expect(store.list().map(({ type }) => type)).toEqual(['manual']);
  });

  it('has the holes between them, and clones that do not change with it', () => {
    const store = new ReservedStore();
    expect(store.holes()).toEqual([range(0n, IOVA_MAX)]);
    store.add(owned(0x1000n, 0x1fffn, 'a'));
    const copy = store.clone();
    const handle = store.add(owned(0x1800n, 0x2fffn, 'b'));
    expect(copy.add(owned(0n, 0xfffn, 'c'))).toBe(handle);
    expect(store.holes()).toEqual([range(0n, 0xfffn), range(0x3000n, IOVA_MAX)]);
    expect(copy.holes()).toEqual([range(0x2000n, IOVA_MAX)]);
  });
});

describe('an obstacle as text', () => {
  it.each<[Obstacle, string]>([
    [
      { kind: 'reserved', ...range(0xfee0_0000n, 0xfeef_ffffn), type: 'msi', owner: 'nic' },
      'reserved range 0xfee0_0000 – 0xfeef_ffff (msi) of nic',
    ],
    [{ kind: 'area', ...range(0x1000n, 0x1fffn) }, 'area 0x1000 – 0x1fff'],
    [
      { kind: 'aperture', ...range(0x1000n, 0x1fffn), owner: 'vtd' },
      'range outside the aperture 0x1000 – 0x1fff of vtd',
    ],
    [{ kind: 'alignment', value: range(0x1000n, 0x1000n).start }, 'alignment 0x1000'],
    [{ kind: 'device', owner: 'nic' }, 'device nic'],
    [{ kind: 'group', owner: '7' }, 'group 7'],
    [{ kind: 'access', owner: 'x' }, 'access x'],
    [{ kind: 'hole', ...range(0n, 0xfffn) }, 'hole 0x0 – 0xfff'],
    [{ kind: 'not-valid', ...range(0n, 0xfffn) }, 'range outside the valid ranges 0x0 – 0xfff'],
    [{ kind: 'permission' }, 'pages'],
  ])('%o', (obstacle, text) => {
    expect(describeObstacle(obstacle)).toBe(text);
  });

  it('is added to the sentence of the rule', () => {
    const no = refuser(defineRules('Linux 6.12', { over: { errno: 'EINVAL', message: 'It is taken', where: 'f' } }));
    expect(no('over').refusal).toEqual({
      errno: 'EINVAL',
      rule: 'over',
      message: 'It is taken.',
      source: 'Linux 6.12, f',
    });
    expect(no('over', { obstacle: { kind: 'device', owner: 'd' }, unmapped: 5n }).refusal).toMatchObject({
      message: 'It is taken: device d.',
      obstacle: { kind: 'device', owner: 'd' },
      unmapped: 5n,
    });
  });
});
