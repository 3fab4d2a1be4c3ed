// When iommufd pins, what counts as locked memory, and page tables as objects. Recorded on 6.12.117 and 7.3.4.
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { Outcome } from '../model.ts';
import { answerOf } from '../replay/replay.ts';
import { Script, snapshot, verdict } from '../testing/run.ts';
import { kernelRules } from '../version-changes.ts';
import { IommufdModel } from './model.ts';

const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;

function fresh(memlock?: bigint, version?: string): Script {
  const rules = kernelRules(version);
  const script = new Script(new IommufdModel({ page: PAGE, hugePage: 0x20_0000n, memlock, rules }));
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

describe('row by row, in the versions that were run', () => {
  const HOLE = { memory: 'hole' };
  const attached = (s: Script) =>
    s.attach('dev', { aperture: [0n, 0xffff_ffffn], regions: [[0x8000n, 0x8fffn, 'msi']] });
  const mapHole = (s: Script, iova: bigint, flags = 'rw', length = PAGE) => s.map(USER, length, iova, flags, 'a', HOLE);
  const file = (memory: string, present = 0n) => ({ memory, present: present as Iova });

  it.each<[string, (s: Script) => Outcome, string | number]>([
    // Pinning comes last: every other refusal wins.
    ['a hole over a reserved range', (s) => [attached(s), mapHole(s, 0x8000n)][1] as Outcome, '-EINVAL'],
    ['a hole above the aperture', (s) => [attached(s), mapHole(s, 1n << 32n)][1] as Outcome, '-EINVAL'],
    ['a hole over an area', (s) => [attached(s), s.map(USER, PAGE, 0n), mapHole(s, 0n)][2] as Outcome, '-EEXIST'],
    ['a hole off the alignment', (s) => [attached(s), mapHole(s, 0x800n)][1] as Outcome, '-EINVAL'],
    ['a hole without permissions', (s) => [attached(s), mapHole(s, 0n, '')][1] as Outcome, '-EINVAL'],
    [
      'a hole whose IOVA wraps',
      (s) => [attached(s), mapHole(s, -PAGE & IOVA_MAX, 'rw', 2n * PAGE)][1] as Outcome,
      '-EOVERFLOW',
    ],
    ['a hole, once nothing else is wrong', (s) => [attached(s), mapHole(s, 0n)][1] as Outcome, '-EFAULT'],
    ['kernel addresses, without a domain', (s) => s.map(0xffff_8880_0000_0000n, PAGE, 0n, 'rw', 'a', HOLE), 0],
    // What a failure leaves.
    [
      'a chosen IOVA after a failure',
      (s) => [attached(s), s.map(USER, PAGE, undefined, 'rw', 'a', HOLE), s.map(USER, PAGE)][2] as Outcome,
      0,
    ],
    // Areas are pinned by ascending IOVA: the lowest one's errno is the answer.
    [
      'two failures, the hole lower',
      (s) => [mapHole(s, 0x1000n), s.map(USER, 0x40000n, 0x10000n), attached(s)][2] as Outcome,
      '-EFAULT',
    ],
    [
      'two failures, the limit lower',
      (s) => [s.map(USER, 0x40000n, 0x10000n), mapHole(s, 0x80000n), attached(s)][2] as Outcome,
      '-ENOMEM',
    ],
    // A further domain takes the pages from the first.
    [
      'a second device with the same domain',
      (s) => [attached(s), s.map(USER, 0x10000n, 0x10000n), s.attach('two')][2] as Outcome,
      0,
    ],
    [
      'a second domain',
      (s) => [attached(s), s.map(USER, 0x10000n, 0x10000n), s.attach('two', { iommu: 'iommu1' })][2] as Outcome,
      0,
    ],
    [
      'a hwpt beside a domain',
      (s) => [attached(s), s.map(USER, 0x10000n, 0x10000n), s.pageTable('dev')][2] as Outcome,
      0,
    ],
    // hwpt objects.
    [
      'a hwpt of no IOAS that is left',
      (s) => [attached(s), s.pageTable('dev'), s.detach('dev'), s.destroy()][3] as Outcome,
      '-EBUSY',
    ],
    [
      'a hwpt with both flags',
      (s) => [attached(s), s.pageTable('dev', ['nest-parent', 'dirty-tracking'])][1] as Outcome,
      0,
    ],
    ['a hwpt with an unknown flag', (s) => [attached(s), s.pageTable('dev', ['fault'])][1] as Outcome, '-EOPNOTSUPP'],
    [
      'dirty tracking of a device without it, over a hole',
      (s) =>
        [
          mapHole(s, 0n),
          s.alloc('b'),
          s.attach('dev', { ioas: 'b', tracksDirty: false }),
          s.pageTable('dev', ['dirty-tracking']),
        ][3] as Outcome,
      '-EOPNOTSUPP',
    ],
    [
      'a replace to dirty tracking without it',
      (s) =>
        [
          s.attach('one'),
          s.pageTable('one', ['dirty-tracking']),
          s.attach('two', { iommu: 'iommu1', tracksDirty: false }),
          s.replace('two', { hwpt: 'h' }),
        ][3] as Outcome,
      '-EINVAL',
    ],
    ['an unknown page table', (s) => [attached(s), s.replace('dev', { hwpt: 'x' })][1] as Outcome, '-EINVAL'],
    ['an unknown device', (s) => s.pageTable('dev'), '-ENOENT'],
    ['a replace to where it is', (s) => [attached(s), s.replace('dev', { ioas: 'a' })][1] as Outcome, 0],
    [
      'a page table that a device has left',
      (s) =>
        [
          attached(s),
          s.pageTable('dev'),
          s.replace('dev', { hwpt: 'h' }),
          s.detach('dev'),
          s.destroyPageTable(),
        ][4] as Outcome,
      0,
    ],
    // Pins.
    [
      'a pin of the good part',
      (s) => [s.access('x'), s.map(USER, 0x2000n, 0n, 'rw', 'a', hole(PAGE)), s.pin('x', 'p', 0n, PAGE)][2] as Outcome,
      0,
    ],
    [
      'a pin of one byte more',
      (s) =>
        [s.access('x'), s.map(USER, 0x2000n, 0n, 'rw', 'a', hole(PAGE)), s.pin('x', 'p', 0n, PAGE + 1n)][2] as Outcome,
      '-EFAULT',
    ],
    [
      'a read pin of a writable map of read-only memory',
      (s) =>
        [
          s.access('x'),
          s.map(USER, PAGE, 0n, 'rw', 'a', { memory: 'read-only' }),
          s.pin('x', 'p', 0n, PAGE),
        ][2] as Outcome,
      '-EFAULT',
    ],
    [
      'a write pin of a read-only map',
      (s) => [s.access('x'), s.map(USER, PAGE, 0n, 'r', 'a', HOLE), s.pin('x', 'p', 0n, PAGE, true)][2] as Outcome,
      '-EPERM',
    ],
    [
      'a copy for writing of a read-only map',
      (s) => [attached(s), s.map(USER, PAGE, 0n, 'r'), s.copy(0n, PAGE, 0x1000n)][2] as Outcome,
      '-EPERM',
    ],
    [
      'a copy of two areas, the second bad',
      (s) =>
        [
          s.alloc('b'),
          s.attach('dev', { ioas: 'b' }),
          s.map(USER, PAGE, 0n),
          mapHole(s, PAGE),
          s.copy(0n, 0x2000n, 0n, 'rw', 'a', 'b'),
        ][4] as Outcome,
      '-EFAULT',
    ],
  ])('%s', (_name, run, answer) => {
    for (const version of ['6.12', '7.3']) {
      const s = fresh(0x20000n, version);
      expect([version, answerOf(run(s))?.ret]).toEqual([version, answer]);
    }
  });

  it.each<[string, (s: Script) => Outcome, string | number]>([
    ['past the last whole page', (s) => s.mapFile(0n, 0x3000n, 0n, { file_size: 0x2801n as Iova }), '-EINVAL'],
    ['up to the last whole page', (s) => s.mapFile(0n, 0x2000n, 0n, { file_size: 0x2801n as Iova }), 0],
    ['past the end, as the session says', (s) => s.mapFile(0n, 0x3000n, 0n, file('past-eof', 0x2000n)), '-EINVAL'],
    ['no memfd', (s) => s.mapFile(0n, PAGE, 0n, file('other-file')), '-EINVAL'],
    ['a file on a disk', (s) => s.mapFile(0n, PAGE, 0n, file('disk-file')), '-EINVAL'],
    ['a memfd that is open for reading', (s) => s.mapFile(0n, PAGE, 0n, file('read-only')), 0],
    ['not open', (s) => s.mapFile(0n, PAGE, 0n, file('no-file')), '-EBADF'],
    ['not open, and too long', (s) => s.mapFile(0n, IOVA_MAX - 1n, 0n, file('no-file')), '-EBADF'],
    ['not open, and past 2^64', (s) => s.mapFile(IOVA_MAX, PAGE, 0n, file('no-file')), '-EOVERFLOW'],
    [
      'a pin past the end',
      (s) =>
        [
          s.access('x'),
          s.detach('dev'),
          s.mapFile(0n, 0x3000n, 0n, file('past-eof', 0x2000n)),
          s.pin('x', 'p', 0x1000n, 0x1001n),
        ][3] as Outcome,
      '-EINVAL',
    ],
  ])('a file: %s', (_name, run, answer) => {
    const s = fresh(undefined, '7.3');
    s.attach('dev');
    expect(answerOf(run(s))?.ret).toBe(answer);
  });

  it('what an attach that fails has reserved is gone, and the lowest area decides', () => {
    const s = fresh(0x20000n, '7.3');
    s.mapFile(0n, PAGE, 0x1000n, { memory: 'other-file' });
    s.map(USER, PAGE, 0x2000n, 'rw', 'a', HOLE);
    expect(rets([attached(s), s.unmap(0x1000n, PAGE), attached(s), s.unmap(0x2000n, PAGE), attached(s)])).toEqual([
      '-EINVAL',
      0,
      '-EFAULT',
      0,
      0,
    ]);
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
