import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import type { Outcome } from '../model.ts';
import type { Obstacle } from '../shared/refusal.ts';
import { anyOperation } from '../testing/any-operation.ts';
import { Script, snapshot, verdict } from '../testing/run.ts';
import { IommufdModel } from './model.ts';
import { IOMMUFD_RULES } from './rules.ts';

const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;
const SIZES = { page: PAGE, hugePage: 0x20_0000n };

function fresh(): Script {
  const script = new Script(new IommufdModel(SIZES));
  script.alloc();
  return script;
}

/** Operations of which the last is refused, the rule, and what stands in the way. */
interface Case {
  readonly name: string;
  readonly rule: keyof typeof IOMMUFD_RULES;
  readonly run: (s: Script) => readonly Outcome[];
  readonly obstacle?: Partial<Obstacle>;
}

const MEMORY_RULE = {
  hole: 'memory-hole',
  pfnmap: 'memory-device',
  'pfnmap-off': 'memory-device-off',
  'read-only': 'memory-read-only',
  'disk-file': 'memory-disk-file',
} as const;

const CASES: readonly Case[] = [
  {
    name: 'destroy with a device',
    rule: 'ioas-has-domain',
    run: (s) => [s.attach('dev'), s.destroy()],
    obstacle: { kind: 'device', owner: 'dev' },
  },
  {
    name: 'destroy with an access',
    rule: 'ioas-has-access',
    run: (s) => [s.access('acc'), s.destroy()],
    obstacle: { kind: 'access', owner: 'acc' },
  },
  { name: 'iova 2^64−1', rule: 'map-limit', run: (s) => [s.map(USER, PAGE, IOVA_MAX)] },
  { name: 'length 2^64−1 before anything else', rule: 'map-limit', run: (s) => [s.map(USER, IOVA_MAX, 1n, '')] },
  { name: 'no permission comes before the length', rule: 'map-no-permission', run: (s) => [s.map(USER, 0n, 0n, '')] },
  { name: 'map of nothing', rule: 'map-length-zero', run: (s) => [s.map(USER, 0n)] },
  {
    name: 'all but a page, one too much',
    rule: 'map-length-too-large',
    run: (s) => [s.map(0n, IOVA_MAX - PAGE + 1n, 0n)],
    obstacle: { kind: 'limit', value: IOVA_MAX - PAGE },
  },
  { name: 'memory to 2^64', rule: 'map-memory-wraps', run: (s) => [s.map(IOVA_MAX - PAGE + 1n, PAGE, 0n)] },
  {
    name: 'half a page with an access, before the iova is looked at',
    rule: 'map-length-unaligned',
    run: (s) => [s.access('acc'), s.map(USER, 0x800n, 0x800n)],
    obstacle: { kind: 'alignment', value: PAGE },
  },
  {
    name: 'iova inside a page with an access',
    rule: 'map-iova-unaligned',
    run: (s) => [s.access('acc'), s.map(USER, PAGE, 0x1800n)],
    obstacle: { kind: 'alignment', value: PAGE },
  },
  { name: 'range past the top', rule: 'map-iova-wraps', run: (s) => [s.map(USER, 0x2000n, IOVA_MAX - 0xfffn)] },
  {
    name: 'reserved, and mapped too: reserved is said first',
    rule: 'map-over-reserved',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.reserve(0x11000n, PAGE), s.map(USER, 0x2000n, 0x10000n)],
    obstacle: { kind: 'reserved', start: 0x11000n as Iova, last: 0x11fffn as Iova, type: 'manual' },
  },
  {
    name: 'outside the aperture',
    rule: 'map-over-reserved',
    run: (s) => [s.attach('dev', { aperture: [0x100_0000n, 0x7fff_ffffn] }), s.map(USER, PAGE, 0xff_f000n)],
    obstacle: { kind: 'aperture', start: 0n as Iova, last: 0xff_ffffn as Iova, owner: 'iommu0' },
  },
  {
    name: 'one byte of an area',
    rule: 'map-over-area',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.map(USER, PAGE, 0xf001n)],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x10fffn as Iova, origin: 1 },
  },
  {
    name: 'writable copy of pages mapped read-only',
    rule: 'map-pages-read-only',
    run: (s) => [s.map(USER, PAGE, 0x10000n, 'r'), s.copy(0x10000n, PAGE, 0x20000n, 'rw')],
    obstacle: { kind: 'permission' },
  },
  {
    name: 'memory inside a page with an access',
    rule: 'map-memory-unaligned',
    run: (s) => [s.access('acc'), s.map(USER + 0x800n, PAGE, 0x10000n)],
    obstacle: { kind: 'alignment', value: PAGE },
  },
  { name: 'choice for half the space', rule: 'choose-length-too-large', run: (s) => [s.map(USER, (1n << 63n) - 1n)] },
  {
    name: 'choice for memory inside a page with an access',
    rule: 'choose-alignment-too-small',
    run: (s) => [s.access('acc'), s.map(USER + 0x800n, PAGE)],
    obstacle: { kind: 'alignment', value: PAGE },
  },
  {
    name: 'choice in an allowed range that is too short',
    rule: 'choose-no-space',
    run: (s) => [s.allow([[0x10000n, 0x10fffn]]), s.map(USER, 0x2000n)],
    obstacle: { kind: 'hole' },
  },
  { name: 'copy of 2^64−1 bytes', rule: 'copy-limit', run: (s) => [s.copy(0n, IOVA_MAX, 0n, '')] },
  { name: 'copy to 2^64−1', rule: 'copy-limit', run: (s) => [s.copy(0n, PAGE, IOVA_MAX)] },
  { name: 'copy without permission', rule: 'copy-no-permission', run: (s) => [s.copy(0n, 0n, 0n, '')] },
  { name: 'copy of nothing', rule: 'copy-length-zero', run: (s) => [s.copy(0n, 0n)] },
  { name: 'source past the top', rule: 'copy-source-wraps', run: (s) => [s.copy(IOVA_MAX - 1n, 3n)] },
  { name: 'source 2^64−1 before anything else', rule: 'copy-limit', run: (s) => [s.copy(IOVA_MAX, 0n, 1n, '')] },
  {
    name: 'copy with a flag that does not exist',
    rule: 'copy-unknown-flag',
    run: (s) => [
      s.run({ op: 'ioas.copy', dst: 'a', src: 'a', flags: ['x'], length: 0n as Iova, src_iova: 0n as Iova }),
    ],
  },
  {
    name: 'map with a flag that does not exist',
    rule: 'map-unknown-flag',
    run: (s) => [s.run({ op: 'ioas.map', ioas: 'a', flags: ['x'], user_va: 0n as Iova, length: IOVA_MAX })],
  },
  ...(['hole', 'pfnmap', 'pfnmap-off', 'read-only', 'disk-file'] as const).map((memory) => ({
    name: `memory ${memory}`,
    rule: MEMORY_RULE[memory],
    run: (s: Script) => [s.attach('dev'), s.map(USER, PAGE, 0x10000n, 'rw', 'a', { memory })],
  })),
  {
    name: 'a hole behind the memory',
    rule: 'memory-hole',
    run: (s) => [
      s.attach('dev'),
      s.map(USER, PAGE, 0x10000n, 'r', 'a', { memory: 'tail-hole', present: PAGE }),
      s.map(USER, 0x2000n, 0x20000n, 'r', 'a', { memory: 'tail-hole', present: PAGE }),
    ],
  },
  {
    name: 'the end of a mapped file',
    rule: 'memory-past-eof',
    run: (s) => [s.attach('dev'), s.map(USER, PAGE, 0x10000n, 'r', 'a', { memory: 'past-eof', present: 0n })],
  },
  {
    name: 'a hole, when the first device comes',
    rule: 'memory-hole',
    run: (s) => [s.map(USER, PAGE, 0x10000n, 'r', 'a', { memory: 'hole' }), s.attach('dev')],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x10fffn as Iova, origin: 1 },
  },
  {
    name: 'the end of a file by its size',
    rule: 'file-past-eof',
    run: (s) => [
      s.attach('dev'),
      s.mapFile(0n, 0x2000n, 0x10000n, { file_size: 0x2801n as Iova }),
      s.mapFile(0n, 0x3000n, 0x20000n, { file_size: 0x2801n as Iova }),
    ],
  },
  {
    name: 'a file that is no memfd',
    rule: 'file-not-memfd',
    run: (s) => [s.attach('dev'), s.mapFile(0n, PAGE, 0x10000n, { memory: 'other-file' })],
  },
  {
    name: 'a file that is not open, also without a device',
    rule: 'file-not-open',
    run: (s) => [s.mapFile(0n, IOVA_MAX - 1n, 0n, { memory: 'no-file' })],
  },
  {
    name: 'a file offset past the top, before the file',
    rule: 'file-start-wraps',
    run: (s) => [s.mapFile(IOVA_MAX, PAGE, 0n, { memory: 'no-file' })],
  },
  {
    name: 'destroy with a page table',
    rule: 'ioas-has-page-table',
    run: (s) => [s.attach('dev'), s.pageTable('dev'), s.detach('dev'), s.destroy()],
    obstacle: { kind: 'page-table', owner: 'h' },
  },
  {
    name: 'a page table that tracks dirty pages',
    rule: 'attach-no-dirty-tracking',
    run: (s) => [
      s.attach('dev'),
      s.pageTable('dev', ['dirty-tracking']),
      s.attach('other', { hwpt: 'h', tracksDirty: false }),
    ],
  },
  {
    name: 'replace by a page table that does not exist',
    rule: 'attach-unknown-page-table',
    run: (s) => [s.attach('dev'), s.replace('dev', { hwpt: 'h' })],
  },
  {
    name: 'replace of a device that has left',
    rule: 'replace-not-attached',
    run: (s) => [s.attach('dev'), s.detach('dev'), s.replace('dev', { ioas: 'a' })],
  },
  { name: 'replace of no device', rule: 'unknown-device', run: (s) => [s.replace('dev', { ioas: 'a' })] },
  { name: 'a page table for no device', rule: 'unknown-device', run: (s) => [s.pageTable('dev', ['x'])] },
  { name: 'a flag of no page table', rule: 'hwpt-flags', run: (s) => [s.attach('dev'), s.pageTable('dev', ['x'])] },
  {
    name: 'dirty tracking without the IOMMU',
    rule: 'hwpt-no-dirty-tracking',
    run: (s) => [s.attach('dev', { tracksDirty: false }), s.pageTable('dev', ['nest-parent', 'dirty-tracking'])],
  },
  {
    name: 'destroy of a page table with a device',
    rule: 'hwpt-in-use',
    run: (s) => [s.attach('dev'), s.pageTable('dev'), s.replace('dev', { hwpt: 'h' }), s.destroyPageTable()],
    obstacle: { kind: 'device', owner: 'dev' },
  },
  {
    name: 'an array that is too short',
    rule: 'ranges-capacity',
    run: (s) => [s.reserve(0x1000n, 0x1000n), s.ranges(1)],
    obstacle: { kind: 'limit', value: 1n },
  },
  {
    name: 'source with a gap',
    rule: 'copy-source-not-mapped',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.map(USER, PAGE, 0x12000n), s.copy(0x10000n, 0x3000n)],
    obstacle: { kind: 'hole', start: 0x11000n as Iova, last: 0x11fffn as Iova },
  },
  {
    name: 'source that ends early',
    rule: 'copy-source-not-mapped',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.copy(0x10800n, PAGE)],
    obstacle: { kind: 'hole', start: 0x11000n as Iova, last: 0x117ffn as Iova },
  },
  { name: 'unmap of 2^64−1 bytes from 1', rule: 'unmap-limit', run: (s) => [s.unmap(1n, IOVA_MAX)] },
  { name: 'unmap at 2^64−1', rule: 'unmap-limit', run: (s) => [s.unmap(IOVA_MAX, 1n)] },
  { name: 'unmap of nothing', rule: 'unmap-length-zero', run: (s) => [s.unmap(0x1000n, 0n)] },
  { name: 'unmap past the top', rule: 'unmap-wraps', run: (s) => [s.unmap(IOVA_MAX - 1n, 3n)] },
  {
    name: 'unmap from inside an area',
    rule: 'unmap-cuts-area',
    run: (s) => [s.map(USER, 0x2000n, 0x10000n), s.unmap(0x11000n, PAGE)],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x11fffn as Iova, origin: 1 },
  },
  { name: 'unmap where nothing is', rule: 'unmap-nothing-mapped', run: (s) => [s.unmap(0x1000n, PAGE)] },
  { name: 'one allowed byte', rule: 'allow-range-empty', run: (s) => [s.allow([[5n, 5n]])] },
  { name: 'reversed allowed range', rule: 'allow-range-empty', run: (s) => [s.allow([[6n, 5n]])] },
  {
    name: 'allowed ranges that share a byte',
    rule: 'allow-ranges-overlap',
    run: (s) => [
      s.allow([
        [0x2000n, 0x3000n],
        [0x1000n, 0x2000n],
      ]),
    ],
    obstacle: { kind: 'allowed', start: 0x2000n as Iova, last: 0x3000n as Iova },
  },
  {
    name: 'allowed over reserved',
    rule: 'allow-over-reserved',
    run: (s) => [s.reserve(0x1800n, 1n), s.allow([[0x1000n, 0x2000n]])],
    obstacle: { kind: 'reserved', start: 0x1800n as Iova, last: 0x1800n as Iova },
  },
  { name: 'reserve of nothing', rule: 'reserve-length-zero', run: (s) => [s.reserve(0n, 0n)] },
  { name: 'reserve past the top', rule: 'reserve-wraps', run: (s) => [s.reserve(IOVA_MAX, 2n)] },
  {
    name: 'reserve over an area',
    rule: 'reserve-over-area',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.reserve(0n, 0x10001n)],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x10fffn as Iova },
  },
  {
    name: 'reserve over an allowed range',
    rule: 'reserve-over-allowed',
    run: (s) => [s.allow([[0x10000n, 0x10fffn]]), s.reserve(0x10fffn, 1n)],
    obstacle: { kind: 'allowed', start: 0x10000n as Iova, last: 0x10fffn as Iova },
  },
  {
    name: 'device whose MSI window is mapped',
    rule: 'attach-region-over-area',
    run: (s) => [s.map(USER, PAGE, 0xfee0_0000n), s.attach('dev', { regions: [[0xfee0_0000n, 0xfeef_ffffn, 'msi']] })],
    obstacle: { kind: 'area', start: 0xfee0_0000n as Iova, last: 0xfee0_0fffn as Iova },
  },
  {
    name: 'device whose MSI window is allowed',
    rule: 'attach-region-over-allowed',
    run: (s) => [
      s.allow([[0xfee0_0000n, 0xfee0_0fffn]]),
      s.attach('dev', { regions: [[0xfee0_0000n, 0xfeef_ffffn, 'msi']] }),
    ],
    obstacle: { kind: 'allowed' },
  },
  {
    name: 'IOMMU with 64 KiB pages',
    rule: 'attach-page-size-too-large',
    run: (s) => [s.attach('dev', { pages: 0x1_0000n, aperture: [1n, 2n] })],
    obstacle: { kind: 'alignment', value: 0x1_0000n },
  },
  {
    name: 'area that breaks the page size of the IOMMU, and outside the aperture: the page is said first',
    rule: 'attach-area-unaligned',
    run: (s) => [
      s.map(USER, 0x100n, 0x10000n),
      s.attach('dev', { pages: 0x800n, aperture: [0x100_0000n, 0x200_0000n] }),
    ],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x100ffn as Iova },
  },
  {
    name: 'area below the aperture',
    rule: 'attach-aperture-over-area',
    run: (s) => [s.map(USER, PAGE, 0x10000n), s.attach('dev', { aperture: [0x100_0000n, IOVA_MAX] })],
    obstacle: { kind: 'area', start: 0x10000n as Iova },
  },
  {
    name: 'allowed range above the aperture',
    rule: 'attach-aperture-over-allowed',
    run: (s) => [s.allow([[0x10000n, 0x8000_0000n]]), s.attach('dev', { aperture: [0n, 0x7fff_ffffn] })],
    obstacle: { kind: 'allowed', last: 0x8000_0000n as Iova },
  },
  {
    name: 'access over an area at half a page of memory',
    rule: 'access-area-unaligned',
    run: (s) => [s.map(USER + 0x800n, PAGE, 0x10000n), s.access('acc')],
    obstacle: { kind: 'area', start: 0x10000n as Iova },
  },
  { name: 'pin of nothing', rule: 'pin-length-zero', run: (s) => [s.access('acc'), s.pin('acc', 'p', 0n, 0n)] },
  { name: 'pin past the top', rule: 'pin-wraps', run: (s) => [s.access('acc'), s.pin('acc', 'p', IOVA_MAX, 2n)] },
  {
    name: 'pin from inside a page',
    rule: 'pin-enters-inside-page',
    run: (s) => [s.access('acc'), s.map(USER, PAGE, 0x10000n, 'w'), s.pin('acc', 'p', 0x10008n, 8n)],
    obstacle: { kind: 'area', start: 0x10000n as Iova },
  },
  {
    name: 'pin to write where only reading is mapped',
    rule: 'pin-write-denied',
    run: (s) => [s.access('acc'), s.map(USER, PAGE, 0x10000n, 'r'), s.pin('acc', 'p', 0x10000n, 8n, true)],
    obstacle: { kind: 'area', start: 0x10000n as Iova },
  },
  {
    name: 'pin to read where only writing is mapped',
    rule: 'pin-read-denied',
    run: (s) => [s.access('acc'), s.map(USER, PAGE, 0x10000n, 'w'), s.pin('acc', 'p', 0x10000n, 0x2000n)],
    obstacle: { kind: 'area', start: 0x10000n as Iova },
  },
  {
    name: 'pin over a gap',
    rule: 'pin-not-mapped',
    run: (s) => [
      s.access('acc'),
      s.map(USER, PAGE, 0x10000n),
      s.map(USER, PAGE, 0x13000n),
      s.pin('acc', 'p', 0x10000n, 0x4000n),
    ],
    obstacle: { kind: 'hole', start: 0x11000n as Iova, last: 0x12fffn as Iova },
  },
  {
    name: 'unpin of what an unmap took',
    rule: 'unpin-gone',
    run: (s) => [
      s.access('acc'),
      s.map(USER, PAGE, 0x10000n),
      s.pin('acc', 'p', 0x10000n, PAGE),
      s.unmap(0x10000n, PAGE),
      s.unpin('acc', 'p'),
    ],
  },
  { name: 'huge pages 2', rule: 'huge-pages-value', run: (s) => [s.hugePages(2)] },
  {
    name: 'huge pages off with a device and an area',
    rule: 'huge-pages-in-use',
    run: (s) => [s.attach('dev'), s.map(USER, PAGE), s.hugePages(0)],
    obstacle: { kind: 'device', owner: 'dev' },
  },
  {
    name: 'huge pages off with an area inside a page',
    rule: 'huge-pages-area-unaligned',
    run: (s) => [s.map(USER, 0x10n, 0x10000n), s.hugePages(0)],
    obstacle: { kind: 'area', start: 0x10000n as Iova, last: 0x1000fn as Iova },
  },
];

/** An access keeps every area on whole pages, so no area can end inside one while somebody pins. */
const UNREACHABLE = new Set(['pin-leaves-inside-page']);
/** Rules of older kernels and of a limit: versions.test.ts, memory.test.ts and those of iommufd-vfio have them. */
const ELSEWHERE = new Set(['map-file-missing', 'memory-limit', 'map-without-access', 'unmap-cut-unaligned']);

describe('refusals', () => {
  it.each(CASES)('$rule: $name', ({ rule, run, obstacle }) => {
    const outcomes = run(fresh());
    expect(outcomes.slice(0, -1).every((outcome) => outcome.ok)).toBe(true);
    const outcome = outcomes.at(-1);
    const refusal = outcome && !outcome.ok ? outcome.refusal : undefined;
    expect(outcome && verdict(outcome)).toBe(rule);
    if (!refusal) return;
    expect(refusal.errno).toBe(IOMMUFD_RULES[rule].errno);
    // Without a version, the newest one that is known.
    expect(refusal.source).toBe(`Linux 7.3, ${IOMMUFD_RULES[rule].where}`);
    expect(refusal.message.startsWith(IOMMUFD_RULES[rule].message)).toBe(true);
    expect(refusal.message.endsWith('.')).toBe(true);
    if (obstacle) expect(refusal.obstacle).toMatchObject(obstacle);
  });

  it('has a case for every rule', () => {
    const tested = new Set(CASES.map(({ rule }) => rule));
    const missing = Object.keys(IOMMUFD_RULES).filter(
      (rule) => !tested.has(rule as never) && !UNREACHABLE.has(rule) && !ELSEWHERE.has(rule),
    );
    expect(missing).toEqual([]);
  });

  it('leaves the state as it was', () => {
    for (const { run, name } of CASES) {
      const s = fresh();
      let before: unknown;
      const apply = s.model.apply.bind(s.model);
      s.model.apply = (operation, origin) => {
        before = snapshot(s.model);
        return apply(operation, origin);
      };
      run(s);
      expect(snapshot(s.model), name).toEqual(before);
    }
  });
});

describe('mapping', () => {
  it('answers the iova, and shows the area', () => {
    const s = fresh();
    expect(verdict(s.map(USER + 0x123n, 0x2000n, 0x10000n, 'r'))).toBe('ok 0x10000');
    expect([...(s.model.space('a')?.areas() ?? [])]).toMatchObject([
      { start: 0x10000n, last: 0x11fffn, userVa: USER + 0x123n, read: true, write: false, origin: 1 },
    ]);
  });

  it('reaches the top of the space', () => {
    const s = fresh();
    expect(verdict(s.map(USER, PAGE, IOVA_MAX - 0xfffn))).toBe('ok 0xfffffffffffff000');
    expect(verdict(s.map(USER, 1n, 0n))).toBe('ok 0x0');
    expect(verdict(s.unmap(IOVA_MAX - 0xfffn, PAGE))).toBe('ok 0x1000');
  });

  it('fixed, is not restricted by allowed ranges', () => {
    const s = fresh();
    s.allow([[0x10000n, 0x1ffffn]]);
    expect(verdict(s.map(USER, PAGE, 0x50000n))).toBe('ok 0x50000');
    expect(verdict(s.map(USER, PAGE))).toBe('ok 0x10000');
    s.allow([]);
    expect(verdict(s.map(USER, PAGE))).toBe('ok 0x1000');
  });

  it('takes an iova that is not fixed for a limit only', () => {
    const s = fresh();
    const map = { op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: USER as Iova, length: PAGE as Iova } as const;
    expect(verdict(s.run({ ...map, flags: ['read'], iova: 0x123n as Iova }))).toBe('ok 0x1000');
    expect(verdict(s.run({ ...map, flags: ['read'], iova: IOVA_MAX }))).toBe('map-limit');
    expect(verdict(s.run({ ...map, flags: ['fixed', 'read'] }))).toBe('ok 0x0');
  });
});

describe('copy', () => {
  it('over several areas makes as many, which share their pages', () => {
    const s = fresh();
    s.alloc('b');
    s.map(USER, 0x2000n, 0x10000n);
    s.map(USER + 0x100_0000n, 0x2000n, 0x12000n);
    expect(verdict(s.copy(0x11000n, 0x2000n, 0x8000n, 'r', 'a', 'b'))).toBe('ok 0x8000');
    const [first, second] = [...(s.model.space('a')?.areas() ?? [])];
    expect([...(s.model.space('b')?.areas() ?? [])]).toMatchObject([
      { start: 0x8000n, last: 0x8fffn, userVa: USER + 0x1000n, pages: first?.pages, write: false },
      { start: 0x9000n, last: 0x9fffn, userVa: USER + 0x100_0000n, pages: second?.pages, write: false },
    ]);
    expect(first?.pages).not.toBe(second?.pages);
  });

  it('chooses by the first piece', () => {
    const s = fresh();
    s.map(0x10_0000_8000n, PAGE, 0x10000n);
    s.map(0x10_0020_0000n, 0x7000n, 0x11000n);
    // 32 KiB would like to be aligned to themselves, and the memory of the first piece is.
    expect(verdict(s.copy(0x10000n, 0x8000n))).toBe('ok 0x8000');
  });

  it('may give write permission again that a copy in between had not', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x10000n, 'rw');
    s.copy(0x10000n, PAGE, 0x20000n, 'r');
    expect(verdict(s.copy(0x20000n, PAGE, 0x30000n, 'w'))).toBe('ok 0x30000');
  });

  it('onto its own source is refused', () => {
    const s = fresh();
    s.map(USER, 0x2000n, 0x10000n);
    expect(verdict(s.copy(0x10000n, 0x2000n, 0x11000n))).toBe('map-over-area');
  });
});

describe('unmap', () => {
  it('takes all whole areas of a range, gaps or not', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x10000n);
    s.map(USER, 0x3000n, 0x14000n);
    expect(verdict(s.unmap(0xf000n, 0x10000n))).toBe('ok 0x4000');
    expect(s.model.space('a')?.areaCount).toBe(0);
  });

  it('keeps removed what it removed before an area that sticks out', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x10000n);
    s.map(USER, 0x2000n, 0x12000n);
    const outcome = s.unmap(0x10000n, 0x3000n);
    expect(verdict(outcome)).toBe('unmap-cuts-area');
    expect(outcome.ok ? undefined : outcome.refusal?.unmapped).toBe(0x1000n);
    expect([...(s.model.space('a')?.areas() ?? [])].map(({ start }) => start)).toEqual([0x12000n]);
  });

  it('of everything never fails, and counts', () => {
    const s = fresh();
    expect(verdict(s.unmap(0n, IOVA_MAX))).toBe('ok 0x0');
    s.map(USER, PAGE, 0n);
    s.map(USER, PAGE, IOVA_MAX - 0xfffn);
    expect(verdict(s.unmap(0n, IOVA_MAX))).toBe('ok 0x2000');
    expect(verdict(s.map(USER, PAGE, 0n))).toBe('ok 0x0');
  });

  it('takes every pin that touches the area, of all accesses, and no other', () => {
    const s = fresh();
    s.access('x');
    s.access('y');
    s.map(USER, PAGE, 0x10000n);
    s.map(USER, PAGE, 0x11000n);
    s.pin('x', 'both', 0x10000n, 0x2000n);
    s.pin('y', 'first', 0x10000n, 1n);
    s.pin('y', 'second', 0x11000n, 1n);
    expect(verdict(s.unmap(0x10000n, PAGE))).toBe('ok 0x1000');
    expect(['both', 'first', 'second'].map((pin) => verdict(s.unpin(pin === 'both' ? 'x' : 'y', pin)))).toEqual([
      'unpin-gone',
      'unpin-gone',
      'ok',
    ]);
  });

  it('that is refused leaves the pins', () => {
    const s = fresh();
    s.access('x');
    s.map(USER, 0x2000n, 0x10000n);
    s.pin('x', 'p', 0x10000n, 1n);
    s.unmap(0x10000n, PAGE);
    expect(verdict(s.unpin('x', 'p'))).toBe('ok');
  });
});

describe('devices', () => {
  const ranges = (s: Script) => {
    const outcome = s.run({ op: 'ioas.iova_ranges', ioas: 'a' });
    return outcome.ok ? outcome.answer : undefined;
  };

  it('reserve their regions, except direct-relaxable, and what is outside the aperture', () => {
    const s = fresh();
    s.attach('dev', {
      aperture: [0x1000n, 0x7f_ffff_ffffn],
      pages: 0x20_1000n,
      regions: [
        [0n, 0xff_ffffn, 'direct-relaxable'],
        [0xfee0_0000n, 0xfeef_ffffn, 'msi'],
      ],
    });
    expect(ranges(s)).toEqual({
      ret: 0,
      alignment: 0x1000n,
      ranges: [
        [0x1000n, 0xfedf_ffffn],
        [0xfef0_0000n, 0x7f_ffff_ffffn],
      ],
    });
    expect(s.model.space('a')?.reserved).toMatchObject([
      { start: 0n, type: 'aperture', owner: { kind: 'domain', name: 'iommu0' } },
      { start: 0xfee0_0000n, type: 'msi', owner: { kind: 'device', name: 'dev' } },
      { start: 0x80_0000_0000n, last: IOVA_MAX, type: 'aperture' },
    ]);
  });

  it('behind one IOMMU share a domain, until the last of them leaves', () => {
    const s = fresh();
    const aperture = [0n, 0x7fff_ffffn] as const;
    s.attach('one', { aperture, pages: 0x800n });
    s.attach('two', { aperture, pages: 0x800n, regions: [[0x1000n, 0x1fffn, 'reserved']] });
    s.attach('other', { iommu: 'iommu1', aperture: [0n, 0xffff_ffffn] });
    expect(s.model.space('a')?.domains.map(({ iommu, devices }) => [iommu, ...devices])).toEqual([
      ['iommu0', 'one', 'two'],
      ['iommu1', 'other'],
    ]);
    s.detach('two');
    expect(ranges(s)?.ranges).toEqual([[0n, 0x7fff_ffffn]]);
    s.detach('one');
    expect(ranges(s)).toEqual({ ret: 0, alignment: 0x1000n, ranges: [[0n, 0xffff_ffffn]] });
    s.detach('other');
    expect(ranges(s)).toEqual({ ret: 0, alignment: 1n, ranges: [[0n, IOVA_MAX]] });
    expect(verdict(s.destroy())).toBe('ok');
  });

  it('leave no reservation behind when the domain refuses them', () => {
    const s = fresh();
    s.map(USER, PAGE, 0x10000n);
    const outcome = s.attach('dev', {
      aperture: [0x10_0000n, IOVA_MAX],
      regions: [[0xfee0_0000n, 0xfeef_ffffn, 'msi']],
    });
    expect(verdict(outcome)).toBe('attach-aperture-over-area');
    expect(s.model.space('a')?.reserved).toEqual([]);
    s.unmap(0n, IOVA_MAX);
    expect(verdict(s.attach('dev', { aperture: [0x10_0000n, IOVA_MAX] }))).toBe('ok');
  });
});

describe('alignment', () => {
  const alignment = (s: Script) => s.model.space('a')?.alignment;

  it('is what domains, accesses and options need together', () => {
    const s = fresh();
    expect(alignment(s)).toBe(1n);
    s.attach('dev', { pages: 0x800n });
    expect(alignment(s)).toBe(0x800n);
    s.access('acc');
    expect(alignment(s)).toBe(0x1000n);
    s.run({ op: 'access.destroy', access: 'acc' });
    expect(alignment(s)).toBe(0x800n);
    s.hugePages(0);
    s.detach('dev');
    expect(alignment(s)).toBe(0x1000n);
    s.hugePages(1);
    expect(alignment(s)).toBe(1n);
  });

  it('stays when huge pages are turned off twice, even in use', () => {
    const s = fresh();
    s.hugePages(0);
    s.attach('dev');
    s.map(USER, PAGE);
    expect(verdict(s.hugePages(0))).toBe('ok');
    expect(verdict(s.hugePages(1))).toBe('ok');
    expect(verdict(s.hugePages(0))).toBe('huge-pages-in-use');
  });
});

describe('accesses', () => {
  it('pin across areas of different memory', () => {
    const s = fresh();
    s.access('acc');
    s.map(USER, PAGE, 0x10000n);
    s.map(USER + 0x8000n, PAGE, 0x11000n);
    expect(verdict(s.pin('acc', 'p', 0x10000n, 0x1fffn, true))).toBe('ok');
    expect(s.model.space('a')?.accesses).toEqual([
      { name: 'acc', pins: [{ name: 'p', start: 0x10000n, last: 0x11ffen }] },
    ]);
  });

  it('let a pin go once', () => {
    const s = fresh();
    s.access('acc');
    s.map(USER, PAGE, 0x10000n);
    s.pin('acc', 'p', 0x10000n, 1n);
    expect(verdict(s.unpin('acc', 'p'))).toBe('ok');
    expect(verdict(s.unpin('acc', 'p'))).toBe('unpin-gone');
    expect(verdict(s.pin('acc', 'p', 0x10000n, 1n))).toBe('ok');
  });
});

describe('faults of a session', () => {
  it.each<[string, string, (s: Script) => readonly Outcome[]]>([
    ['an IOAS that is not there', 'unknown-object', (s) => [s.map(USER, PAGE, 0n, 'rw', 'b')]],
    ['a source that is not there', 'unknown-object', (s) => [s.copy(0n, PAGE, 0n, 'rw', 'b')]],
    ['an IOAS twice', 'name-in-use', (s) => [s.alloc()]],
    ['an IOAS after its end', 'unknown-object', (s) => [s.destroy(), s.unmap(0n, IOVA_MAX)]],
    ['a device attached twice', 'name-in-use', (s) => [s.attach('dev'), s.attach('dev')]],
    ['a device that is not attached', 'unknown-object', (s) => [s.detach('dev')]],
    ['an access twice', 'name-in-use', (s) => [s.access('acc'), s.access('acc')]],
    ['an access that is not there', 'unknown-object', (s) => [s.pin('acc', 'p', 0n, 1n)]],
    ['a pin that never was', 'unknown-object', (s) => [s.access('acc'), s.unpin('acc', 'p')]],
    [
      'a pin held under that name',
      'name-in-use',
      (s) => [s.access('acc'), s.map(USER, PAGE, 0n), s.pin('acc', 'p', 0n, 1n), s.pin('acc', 'p', 0n, 1n)],
    ],
    ['a reversed aperture', 'bad-argument', (s) => [s.attach('dev', { aperture: [2n, 1n] })]],
    ['no page size at all', 'bad-argument', (s) => [s.attach('dev', { pages: 0n })]],
    ['a reversed region', 'bad-argument', (s) => [s.attach('dev', { regions: [[2n, 1n, 'msi']] })]],
    ['an operation of VFIO', 'not-in-model', (s) => [s.run({ op: 'container.close', container: 'c' })]],
  ])('%s: %s', (_name, code, run) => {
    const outcome = run(fresh()).at(-1);
    expect(outcome && verdict(outcome)).toBe(code);
    expect(outcome).toMatchObject({ ok: false, invalid: { message: expect.stringMatching(/\w/) } });
  });
});

describe('any sequence of operations', () => {
  it('keeps the rules of the page table, and refusals change nothing', () => {
    assertProperty(
      fc.property(fc.array(anyOperation, { maxLength: 120, size: 'max' }), (operations) => {
        const model = new IommufdModel(SIZES);
        for (const [i, op] of [{ op: 'ioas.alloc', ioas: 'a' } as const, ...operations].entries()) {
          const before = snapshot(model);
          const copy = model.clone();
          const outcome = model.apply(op, i);
          const after = snapshot(model);
          // A clone is independent, and answers the same.
          expect(snapshot(copy)).toEqual(before);
          expect(copy.apply(op, i)).toEqual(outcome);
          expect(snapshot(copy)).toEqual(after);
          const partial = !outcome.ok && outcome.refusal?.unmapped !== undefined;
          if (!outcome.ok && !partial) expect(after).toEqual(before);
          for (const space of model.spaces()) {
            let end = -1n;
            for (const area of space.areas()) {
              expect(area.start).toBeGreaterThan(end);
              end = area.last;
              const size = area.last - area.start + 1n;
              expect([area.start, size, area.userVa % PAGE].every((n) => n % space.alignment === 0n)).toBe(true);
              expect(area.read || area.write).toBe(true);
              expect(space.reserved.some((r) => r.start <= area.last && area.start <= r.last)).toBe(false);
            }
            for (const a of space.allowed) {
              expect(space.reserved.some((r) => r.start <= a.last && a.start <= r.last)).toBe(false);
            }
            for (const pin of space.accesses.flatMap(({ pins }) => pins)) {
              let holes = 0;
              space.visitHoles(pin.start, pin.last, 1n, () => ++holes > 0);
              expect(holes).toBe(0);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
