// When iommufd pins, what counts as locked memory, and page tables as objects. Recorded on 6.12.117 and 7.3.4.
import { describe, expect, it } from 'vitest';
import type { Iova } from '../../iova/iova.ts';
import type { Outcome } from '../model.ts';
import { answerOf } from '../replay/replay.ts';
import { Script, snapshot, verdict } from '../testing/run.ts';
import { IommufdModel } from './model.ts';

const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;

function fresh(memlock?: bigint): Script {
  const script = new Script(new IommufdModel({ page: PAGE, hugePage: 0x20_0000n, memlock }));
  script.alloc();
  return script;
}

const hole = (present: bigint) => ({ memory: 'tail-hole', present });
const rets = (outcomes: readonly Outcome[]) => outcomes.map((outcome) => answerOf(outcome)?.ret);

describe('pinning', () => {
  it('waits for the first domain, and leaves everything as it was if it fails', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x10000n);
    s.map(USER, 0x2000n, 0x20000n, 'rw', 'a', hole(PAGE));
    const before = snapshot(s.model);
    expect(rets([s.attach('dev', { aperture: [0n, 0xffff_ffffn], regions: [[0n, 0xfffn, 'msi']] })])).toEqual([
      '-EFAULT',
    ]);
    expect(snapshot(s.model)).toEqual(before);
    s.unmap(0x20000n, 0x2000n);
    expect(rets([s.attach('dev')])).toEqual([0]);
  });

  it('finds conflicts before it pins, and pins in the order of IOVAs', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x20000n, 'rw', 'a', { memory: 'hole' });
    expect(rets([s.attach('dev', { regions: [[0x20000n, 0x20fffn, 'msi']] })])).toEqual(['-EADDRINUSE']);
    s.mapFile(0n, PAGE, 0x10000n, { memory: 'other-file' });
    expect(rets([s.attach('dev')])).toEqual(['-EINVAL']);
  });

  it('of a copy looks at its own pages only, and at the permission of the first map', () => {
    const s = fresh();
    s.map(USER, 0x2000n, 0x10000n, 'rw', 'a', hole(PAGE));
    s.map(USER, 0x1000n, 0x12000n, 'rw', 'a', { memory: 'read-only' });
    s.alloc('b');
    s.attach('dev', { ioas: 'b' });
    expect(
      rets([
        s.copy(0x10000n, PAGE, 0x10000n, 'r', 'a', 'b'),
        s.copy(0x11000n, PAGE, 0x11000n, 'r', 'a', 'b'),
        s.copy(0x10000n, 0x2000n, 0x20000n, 'r', 'a', 'b'),
        s.copy(0x12000n, PAGE, 0x12000n, 'r', 'a', 'b'),
      ]),
    ).toEqual([0, '-EFAULT', '-EFAULT', '-EFAULT']);
  });

  it('for an access goes area by area: alignment, permission, pages, then the gap behind them', () => {
    const s = fresh();
    s.access('acc');
    s.map(USER, 0x2000n, 0x10000n, 'rw', 'a', hole(PAGE));
    s.map(USER, PAGE, 0x20000n, 'r', 'a', { memory: 'hole' });
    expect(
      rets([
        s.pin('acc', 'p', 0x10000n, PAGE, true),
        s.pin('acc', 'q', 0x10000n, PAGE + 1n, true),
        s.pin('acc', 'q', 0x10000n, 0x4000n, true),
        s.pin('acc', 'q', 0x20000n, 0x2000n, true),
        s.pin('acc', 'q', 0x20000n, 0x2000n),
      ]),
    ).toEqual([0, '-EFAULT', '-EFAULT', '-EPERM', '-EFAULT']);
  });

  it('is the same whatever is written about RAM, and says nothing about unknown words', () => {
    const s = fresh();
    s.attach('dev');
    expect(
      rets(
        ['hugetlb', 'ram', 'moon-rock'].map((memory, i) => s.map(USER, PAGE, BigInt(i) * PAGE, 'rw', 'a', { memory })),
      ),
    ).toEqual([0, 0, 0]);
  });
});

describe('locked memory', () => {
  it('counts a page of a map once, whoever holds it', () => {
    const s = fresh(0x4fffn);
    s.attach('dev');
    s.alloc('b');
    s.attach('other', { ioas: 'b' });
    expect(
      rets([
        s.map(USER, 0x3000n, 0x10000n),
        s.copy(0x10000n, 0x3000n, 0x20000n),
        s.copy(0x10000n, 0x3000n, 0x20000n, 'rw', 'a', 'b'),
        s.map(USER, 0x2000n, 0x30000n),
        s.map(USER, PAGE, 0x30000n),
        s.unmap(0x10000n, 0x3000n),
        s.map(USER, PAGE, 0x40000n),
        s.unmap(0x20000n, 0x3000n),
        s.unmap(0x20000n, 0x3000n, 'b'),
        s.map(USER, 0x3000n, 0x40000n),
      ]),
    ).toEqual([0, 0, 0, '-ENOMEM', 0, 0, '-ENOMEM', 0, 0, 0]);
  });

  it('says EFAULT before the limit', () => {
    const s = fresh(PAGE);
    s.attach('dev');
    expect(rets([s.map(USER, 0x8000n, 0n, 'r', 'a', hole(0x4000n)), s.map(USER, 0x2000n, 0n)])).toEqual([
      '-EFAULT',
      '-ENOMEM',
    ]);
  });

  it('is spent when the first domain comes, and given back with the last', () => {
    const s = fresh(0x2000n);
    s.map(USER, 0x2000n, 0x10000n);
    s.map(USER, PAGE, 0x20000n);
    const refused = s.attach('dev');
    expect(verdict(refused)).toBe('memory-limit');
    s.unmap(0x20000n, PAGE);
    s.alloc('b');
    s.attach('other', { ioas: 'b' });
    const more = () => s.map(USER, PAGE, 0n, 'rw', 'b');
    expect(rets([s.attach('dev'), more(), s.detach('dev'), more()])).toEqual([0, '-ENOMEM', 0, 0]);
  });

  it('counts a page that an access holds, until it lets go', () => {
    const s = fresh(PAGE);
    s.access('acc');
    s.map(USER, 0x2000n, 0x10000n);
    s.map(USER, PAGE, 0x20000n);
    expect(
      rets([
        s.pin('acc', 'p', 0x10000n, 5n),
        s.pin('acc', 'q', 0x10000n, 9n),
        s.pin('acc', 'r', 0x10000n, 0x1001n),
        s.pin('acc', 'r', 0x20000n, 1n),
        s.unpin('acc', 'p'),
        s.pin('acc', 'r', 0x20000n, 1n),
        s.unmap(0x10000n, 0x2000n),
        s.pin('acc', 'r', 0x20000n, 1n),
      ]),
    ).toEqual([0, 0, '-ENOMEM', '-ENOMEM', 0, '-ENOMEM', 0, 0]);
    const copy = s.model.clone();
    s.run({ op: 'access.destroy', access: 'acc' });
    s.access('acc');
    s.map(USER, PAGE, 0x30000n);
    expect(rets([s.pin('acc', 'p', 0x30000n, 1n)])).toEqual([0]);
    // The copy still has its pin.
    copy.apply({ op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: USER as Iova, length: PAGE as Iova }, 9);
    const pin = {
      op: 'access.pin',
      access: 'acc',
      pin: 'z',
      iova: 0x20000n as Iova,
      length: 1n as Iova,
      write: false,
    } as const;
    expect(answerOf(copy.apply(pin, 10))?.ret).toBe(0);
  });
});

describe('a page table as an object', () => {
  const reserved = (s: Script) => s.model.space('a')?.reserved.map(({ start, owner }) => [start, owner?.name]);

  it('does without a device what a first attach does', () => {
    const s = fresh();
    s.attach('dev', { aperture: [0n, 0xffff_ffffn], pages: 0x800n });
    s.pageTable('dev', ['nest-parent']);
    s.detach('dev');
    expect(reserved(s)).toEqual([[0x1_0000_0000n, 'h']]);
    expect(s.model.space('a')?.alignment).toBe(0x800n);
    expect(verdict(s.map(USER, PAGE, 0x10000n, 'rw', 'a', { memory: 'hole' }))).toBe('memory-hole');
    expect(verdict(s.destroyPageTable())).toBe('ok');
    expect(reserved(s)).toEqual([]);
    expect(s.model.space('a')?.alignment).toBe(1n);
    expect(verdict(s.destroy())).toBe('ok');
  });

  it('is refused as the attach would be, and leaves nothing', () => {
    const s = fresh();
    s.attach('dev', { aperture: [0n, 0xffff_ffffn] });
    s.alloc('b');
    s.map(USER, PAGE, 0x1_0000_0000n, 'rw', 'b');
    expect(verdict(s.pageTable('dev', [], 'b'))).toBe('attach-aperture-over-area');
    s.unmap(0x1_0000_0000n, PAGE, 'b');
    s.map(USER, PAGE, 0x10000n, 'rw', 'b', { memory: 'hole' });
    expect(verdict(s.pageTable('dev', [], 'b'))).toBe('memory-hole');
    expect(verdict(s.destroy('b'))).toBe('ok');
  });

  it('reserves for itself, and is never the one that an attach to the IOAS takes', () => {
    const s = fresh();
    s.attach('dev', { aperture: [0n, 0xffff_ffffn] });
    s.pageTable('dev');
    s.replace('dev', { hwpt: 'h' });
    expect(reserved(s)).toEqual([[0x1_0000_0000n, 'h']]);
    s.attach('other', { aperture: [0n, 0xffff_ffffn], regions: [[0n, 0xfffn, 'msi']] });
    expect(reserved(s)).toEqual([
      [0n, 'other'],
      [0x1_0000_0000n, 'h'],
      [0x1_0000_0000n, 'iommu0'],
    ]);
    s.replace('other', { hwpt: 'h' });
    expect(reserved(s)).toEqual([
      [0n, 'other'],
      [0x1_0000_0000n, 'h'],
    ]);
    expect(s.model.space('a')?.domains).toMatchObject([{ hwpt: 'h', devices: ['dev', 'other'] }]);
  });

  it('a replace that is refused leaves the device where it was', () => {
    const s = fresh();
    s.attach('dev', { aperture: [0n, 0xffff_ffffn] });
    s.alloc('b');
    s.map(USER, PAGE, 0x10000n, 'rw', 'b', { memory: 'hole' });
    const before = snapshot(s.model);
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('memory-hole');
    expect(snapshot(s.model)).toEqual(before);
    s.unmap(0x10000n, PAGE, 'b');
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('ok');
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('ok');
    expect(reserved(s)).toEqual([]);
    expect(verdict(s.destroy())).toBe('ok');
    expect(verdict(s.detach('dev'))).toBe('ok');
  });

  it('a replace makes the new page table, with all its checks, before it looks at regions', () => {
    const s = fresh();
    s.attach('dev', { pages: 0x1000n, regions: [[0x10000n, 0x10fffn, 'msi']] });
    s.alloc('b');
    s.map(USER, PAGE, 0x10000n, 'rw', 'b', { memory: 'hole' });
    const before = s.model.spaces().map(({ domains, reserved, alignment }) => ({ domains, reserved, alignment }));
    // An attach to b would be refused because of the region.
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('memory-hole');
    s.unmap(0x10000n, PAGE, 'b');
    s.map(USER, PAGE, 0x10000n, 'rw', 'b');
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('attach-region-over-area');
    s.unmap(0x10000n, PAGE, 'b');
    // Neither page table nor region was left in b.
    s.map(USER, PAGE, 0x10000n, 'rw', 'b', { memory: 'hole' });
    expect(s.model.spaces().map(({ domains, reserved, alignment }) => ({ domains, reserved, alignment }))).toEqual(
      before,
    );
    s.unmap(0x10000n, PAGE, 'b');
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('ok');
  });

  it('needs exactly one target', () => {
    const s = fresh();
    s.attach('dev');
    expect(verdict(s.replace('dev', {}))).toBe('bad-argument');
    expect(verdict(s.replace('dev', { ioas: 'a', hwpt: 'h' }))).toBe('bad-argument');
    expect(verdict(s.replace('dev', { ioas: 'b' }))).toBe('unknown-object');
    expect(verdict(s.destroyPageTable('x'))).toBe('unknown-object');
  });
});
