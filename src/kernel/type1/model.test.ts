import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import type { Operation } from '../../session/events.ts';
import { decodeType1Info } from '../../uapi/type1-info.ts';
import type { Outcome } from '../model.ts';
import type { Obstacle } from '../shared/refusal.ts';
import { ruleIn } from '../shared/rule.ts';
import { snapshot, verdict } from '../testing/run.ts';
import { kernelRules } from '../version-changes.ts';
import { Type1Model } from './model.ts';
import { TYPE1_RULES } from './rules.ts';

const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;
const TOP_PAGE = IOVA_MAX - PAGE + 1n;
const MSI = [0xfee0_0000n, 0xfeef_ffffn, 'msi'] as const;
const A = (value: bigint): Iova => value as Iova;

type Region = readonly [bigint, bigint, string];

interface GroupOptions {
  readonly iommu?: string;
  readonly aperture?: readonly [bigint, bigint];
  readonly pages?: bigint;
  readonly coherent?: boolean;
  readonly regions?: readonly Region[];
  readonly container?: string;
}

/** Most tests follow the recordings of 6.12; versions.test.ts has the others. */
const fresh = () => new Type1Model({ page: PAGE, hugePage: 0x20_0000n, rules: kernelRules('6.12') });

/** Runs operations on a model with a container `c` that is open. */
class Script {
  readonly model = fresh();
  readonly operations: Operation[] = [];

  constructor(version: 'type1' | 'type1v2' = 'type1v2') {
    this.open('c', version);
  }

  run(operation: Operation): Outcome {
    this.operations.push(operation);
    return this.model.apply(operation, this.operations.length - 1);
  }

  open(container: string, model: 'type1' | 'type1v2' = 'type1v2'): Outcome {
    return this.run({ op: 'container.open', container, model });
  }

  close(container = 'c'): Outcome {
    return this.run({ op: 'container.close', container });
  }

  attach(group = '1', options: GroupOptions = {}): Outcome {
    const [start, last] = options.aperture ?? [0n, 0x7f_ffff_ffffn];
    return this.run({
      op: 'container.attach_group',
      container: options.container ?? 'c',
      group,
      domain: {
        iommu: options.iommu ?? 'vtd',
        aperture: [A(start), A(last)],
        pgsize_bitmap: A(options.pages ?? 0x4020_1000n),
        enforce_cache_coherency: options.coherent ?? false,
      },
      reserved: (options.regions ?? [MSI]).map(([from, to, type]) => ({ start: A(from), last: A(to), type })),
    });
  }

  detach(group = '1', container = 'c'): Outcome {
    return this.run({ op: 'container.detach_group', container, group });
  }

  map(
    iova: bigint,
    size: bigint,
    vaddr = USER,
    flags: readonly string[] = ['read', 'write'],
    backing: { memory?: string; present?: Iova } = {},
  ): Outcome {
    const bounds = { iova: A(iova), size: A(size), vaddr: A(vaddr) };
    return this.run({ op: 'container.map_dma', container: 'c', flags: [...flags], ...bounds, ...backing });
  }

  unmap(iova: bigint, size: bigint, all = false, flags: readonly string[] = []): Outcome {
    return this.run({
      op: 'container.unmap_dma',
      container: 'c',
      flags: all ? ['all'] : [...flags],
      iova: A(iova),
      size: A(size),
    });
  }

  info(argsz = 4096): Outcome {
    return this.run({ op: 'container.get_info', container: 'c', argsz });
  }

  extension(extension: number): unknown {
    const outcome = this.run({ op: 'container.check_extension', container: 'c', extension });
    return outcome.ok ? outcome.answer.ret : outcome;
  }

  get space() {
    const space = this.model.space('c');
    if (!space) throw new Error('the container is gone');
    return space;
  }

  get areas(): [bigint, bigint][] {
    return [...this.space.areas()].map(({ start, last }) => [start, last]);
  }

  get ranges(): [bigint, bigint][] {
    return (this.space.validRanges ?? []).map(({ start, last }) => [start, last]);
  }
}

/** What a state shows, with what only containers have. */
function everything(model: Type1Model): unknown {
  const own = model.spaces().map((space) => [space.validRanges, space.mappingsLeft, space.pageSizes, space.version]);
  return [snapshot(model), own];
}

function attached(options: GroupOptions = {}, version: 'type1' | 'type1v2' = 'type1v2'): Script {
  const script = new Script(version);
  script.attach('1', options);
  return script;
}

interface Case {
  readonly name: string;
  readonly rule: keyof typeof TYPE1_RULES;
  readonly run: (s: Script) => readonly Outcome[];
  readonly obstacle?: Partial<Obstacle>;
  /** Without a group to begin with. */
  readonly bare?: boolean;
}

const WHOLE = { aperture: [0n, IOVA_MAX] } as const;

const CASES: readonly Case[] = [
  { name: 'map before a group is there', rule: 'no-backend', bare: true, run: (s) => [s.map(0n, PAGE)] },
  { name: 'unmap after the last group left', rule: 'no-backend', run: (s) => [s.detach(), s.unmap(0n, PAGE)] },
  { name: 'info before a group is there', rule: 'no-backend', bare: true, run: (s) => [s.info(8)] },

  { name: 'a group twice', rule: 'attach-group-in-use', run: (s) => [s.attach('1')] },
  {
    name: 'a group that another container has',
    rule: 'attach-group-in-use',
    run: (s) => [s.open('d'), s.attach('1', { container: 'd' })],
    obstacle: { kind: 'group', owner: '1' },
  },
  {
    name: 'a group with a direct region',
    rule: 'attach-direct-region',
    run: (s) => [s.attach('2', { regions: [MSI, [0x3f00_0000n, 0x3f7f_ffffn, 'direct']] })],
    obstacle: { kind: 'reserved', start: A(0x3f00_0000n), last: A(0x3f7f_ffffn), type: 'direct', owner: '2' },
  },
  {
    name: 'an aperture above all ranges',
    rule: 'attach-aperture-disjoint',
    run: (s) => [s.attach('2', { iommu: 'other', aperture: [0x80_0000_0000n, IOVA_MAX] })],
    obstacle: { kind: 'aperture', start: A(0n), last: A(0x7f_ffff_ffffn) },
  },
  {
    name: 'a mapping below the aperture',
    rule: 'attach-aperture-over-mapping',
    run: (s) => [s.map(0n, PAGE), s.attach('2', { iommu: 'other', aperture: [PAGE, IOVA_MAX] })],
    obstacle: { kind: 'area', start: A(0n), last: A(0xfffn), origin: 2 },
  },
  {
    name: 'a mapping above the aperture, by its last byte',
    rule: 'attach-aperture-over-mapping',
    run: (s) => [s.map(0x7fff_f000n, 0x2000n), s.attach('2', { iommu: 'other', aperture: [0n, 0x8000_0ffen] })],
  },
  {
    name: 'a mapping in a region',
    rule: 'attach-region-over-mapping',
    run: (s) => [s.map(0x800_0000n, PAGE), s.attach('2', { regions: [[0x800_0fffn, 0x80f_ffffn, 'msi']] })],
    obstacle: { kind: 'area', start: A(0x800_0000n), last: A(0x800_0fffn) },
  },
  {
    name: 'regions that fill the aperture',
    rule: 'attach-no-range-left',
    run: (s) => [s.attach('2', { regions: [[0n, IOVA_MAX, 'reserved']] })],
    obstacle: { kind: 'reserved', owner: '2' },
  },
  {
    name: 'an aperture in the hole between two ranges',
    rule: 'attach-no-range-left',
    run: (s) => [s.attach('2', { iommu: 'other', aperture: [0xfee0_0000n, 0xfeef_ffffn], regions: [] })],
    obstacle: { kind: 'aperture', owner: 'other' },
  },
  {
    name: 'detach of a group that has left',
    rule: 'detach-group-not-attached',
    run: (s) => [s.attach('2'), s.detach('2'), s.detach('2')],
  },

  { name: 'no flags come before the size', rule: 'map-no-permission', run: (s) => [s.map(1n, 0n, USER, [])] },
  { name: 'no byte', rule: 'map-size-zero', run: (s) => [s.map(1n, 0n)] },
  {
    name: 'half a page',
    rule: 'map-size-unaligned',
    run: (s) => [s.map(0n, 0x800n)],
    obstacle: { kind: 'alignment', value: PAGE },
  },
  { name: 'an iova inside a page', rule: 'map-iova-unaligned', run: (s) => [s.map(0x800n, PAGE)] },
  { name: 'memory inside a page', rule: 'map-memory-unaligned', run: (s) => [s.map(0n, PAGE, USER + 1n)] },
  { name: 'an iova past the top', rule: 'map-iova-wraps', run: (s) => [s.map(TOP_PAGE, 0x2000n)] },
  { name: 'memory past the top', rule: 'map-memory-wraps', run: (s) => [s.map(0n, 0x2000n, TOP_PAGE)] },
  {
    name: 'over the end of a mapping, though reserved too',
    rule: 'map-over-mapping',
    run: (s) => [s.map(0xfedf_f000n, PAGE), s.map(0xfedf_f000n, 0x2000n)],
    obstacle: { kind: 'area', start: A(0xfedf_f000n), last: A(0xfedf_ffffn), origin: 2 },
  },
  {
    name: 'over the msi window',
    rule: 'map-outside-valid-ranges',
    run: (s) => [s.map(0xfedf_f000n, 0x2000n)],
    obstacle: { kind: 'reserved', start: A(0xfee0_0000n), last: A(0xfeef_ffffn), type: 'msi', owner: '1' },
  },
  {
    name: 'above the aperture',
    rule: 'map-outside-valid-ranges',
    run: (s) => [s.map(0x7f_ffff_f000n, 0x2000n)],
    obstacle: { kind: 'aperture', start: A(0x80_0000_0000n), last: IOVA_MAX, owner: 'vtd' },
  },

  { name: 'a flag that does not exist', rule: 'map-unknown-flag', run: (s) => [s.map(0n, PAGE, USER, ['read', 'x'])] },
  {
    name: 'flag vaddr with a permission',
    rule: 'map-vaddr-with-permission',
    run: (s) => [s.map(0n, PAGE, USER, ['read', 'vaddr'])],
  },
  { name: 'flag vaddr over nothing', rule: 'map-vaddr-nothing', run: (s) => [s.map(0n, PAGE, USER, ['vaddr'])] },
  {
    name: 'flag vaddr over a mapping that is valid',
    rule: 'map-vaddr-valid',
    run: (s) => [s.map(0n, PAGE), s.map(0n, PAGE, USER, ['vaddr'])],
  },
  {
    name: 'memory that does not exist',
    rule: 'memory-hole',
    run: (s) => [s.map(0n, PAGE, USER, ['read'], { memory: 'hole' })],
  },
  {
    name: 'a file that ends before the range does',
    rule: 'memory-past-eof',
    run: (s) => [s.map(0n, 0x2000n, USER, ['read'], { memory: 'past-eof', present: A(PAGE) })],
  },
  {
    name: 'read-only memory for writing',
    rule: 'memory-read-only',
    run: (s) => [
      s.map(0n, PAGE, USER, ['read'], { memory: 'read-only' }),
      s.map(PAGE, PAGE, USER, ['write'], { memory: 'read-only' }),
    ],
  },
  {
    name: 'a file on a disk for writing',
    rule: 'memory-disk-file',
    run: (s) => [
      s.map(0n, PAGE, USER, ['read'], { memory: 'disk-file' }),
      s.map(PAGE, PAGE, USER, ['write'], { memory: 'disk-file' }),
    ],
  },
  {
    name: 'a BAR without memory decoding',
    rule: 'memory-device-off',
    run: (s) => [
      s.map(0n, PAGE, USER, ['write'], { memory: 'pfnmap' }),
      s.map(PAGE, PAGE, USER, ['write'], { memory: 'pfnmap-off' }),
    ],
  },

  {
    name: 'an unmap with a flag that does not exist',
    rule: 'unmap-unknown-flag',
    run: (s) => [s.unmap(0n, PAGE, false, ['x'])],
  },
  { name: 'unmap inside a page', rule: 'unmap-iova-unaligned', run: (s) => [s.unmap(1n, 0n, true)] },
  { name: 'all, with an iova', rule: 'unmap-all-with-range', run: (s) => [s.unmap(PAGE, 0n, true)] },
  { name: 'all, with a size', rule: 'unmap-all-with-range', run: (s) => [s.unmap(0n, 1n, true)] },
  { name: 'unmap of no byte', rule: 'unmap-size-zero', run: (s) => [s.unmap(0n, 0n)] },
  { name: 'unmap of half a page', rule: 'unmap-size-unaligned', run: (s) => [s.unmap(0n, 0x1800n)] },
  { name: 'unmap past the top', rule: 'unmap-wraps', run: (s) => [s.unmap(TOP_PAGE, 0x2000n)] },
  {
    name: 'a cut at the start',
    rule: 'unmap-cuts-mapping',
    run: (s) => [s.map(0n, 0x3000n), s.unmap(PAGE, 0x2000n)],
    obstacle: { kind: 'area', start: A(0n), last: A(0x2fffn) },
  },
  {
    name: 'a cut at the end, behind a mapping that would go',
    rule: 'unmap-cuts-mapping',
    run: (s) => [s.map(0n, PAGE), s.map(0x2000n, 0x2000n), s.unmap(0n, 0x3000n)],
    obstacle: { kind: 'area', start: A(0x2000n), last: A(0x3fffn) },
  },

  {
    name: 'a buffer of 15 bytes',
    rule: 'info-buffer-too-small',
    run: (s) => [s.info(15)],
    obstacle: { kind: 'limit', value: 16n },
  },
];

describe('refusals', () => {
  it.each(CASES.map((c) => [c.rule, c.name, c] as const))('%s: %s', (rule, _name, { run, obstacle, bare }) => {
    const script = bare ? new Script() : attached();
    // Only the last outcome is a refusal; it leaves the state that a run without it has.
    const outcomes = run(script);
    const last = outcomes.at(-1);
    expect(outcomes.slice(0, -1).filter((o) => !o.ok)).toEqual([]);
    expect(last && verdict(last)).toBe(rule);
    const refusal = last?.ok === false ? last.refusal : undefined;
    expect(refusal?.errno).toBe(ruleIn(TYPE1_RULES[rule], { kernel: '6.12' }).errno);
    expect(refusal?.source).toMatch(/^Linux (?:6\.12|before 6\.18), \w+/);
    if (obstacle) expect(refusal?.obstacle).toMatchObject(obstacle);
    const without = fresh();
    for (const [i, operation] of script.operations.slice(0, -1).entries()) without.apply(operation, i);
    expect(everything(without)).toEqual(everything(script.model));
  });

  it('are there for every rule', () => {
    const unlisted = new Set(Object.keys(TYPE1_RULES));
    for (const { rule } of CASES) unlisted.delete(rule);
    // memory-limit is tested in versions.test.ts; the other one is no reason of type1.
    expect([...unlisted]).toEqual(['memory-device', 'memory-limit', 'map-none-left']);
  });

  it('map-none-left: after 65535 mappings, until one goes', () => {
    const s = attached();
    for (let i = 0n; i < 65535n; i++) if (!s.map(i * 0x2000n, PAGE).ok) throw new Error(`mapping ${i} is refused`);
    expect(s.space.mappingsLeft).toBe(0);
    const refused = s.map(0x4000_0000n, PAGE);
    expect(verdict(refused)).toBe('map-none-left');
    expect(refused.ok === false && refused.refusal?.errno).toBe('ENOSPC');
    // Overlap is noticed before the number, and the number before the ranges.
    expect(verdict(s.map(0n, PAGE))).toBe('map-over-mapping');
    expect(verdict(s.map(0xfee0_0000n, PAGE))).toBe('map-none-left');
    expect(verdict(s.unmap(0x2000n, PAGE))).toBe('ok 0x1000');
    expect(verdict(s.map(0x4000_0000n, PAGE))).toBe('ok');
    expect(verdict(s.unmap(0n, 0n, true))).toBe('ok 0xffff000');
    expect(s.space.mappingsLeft).toBe(65535);
  });
});

describe('faults of a session', () => {
  it('are no answers of a kernel', () => {
    const s = attached();
    s.open('d');
    expect(verdict(s.open('c'))).toBe('name-in-use');
    expect(verdict(s.detach('9'))).toBe('unknown-object');
    expect(verdict(s.detach('1', 'd'))).toBe('bad-argument');
    expect(verdict(s.detach('1', 'x'))).toBe('unknown-object');
    expect(verdict(s.attach('2', { aperture: [1n, 0n] }))).toBe('bad-argument');
    expect(verdict(s.attach('2', { pages: 0n }))).toBe('bad-argument');
    expect(verdict(s.attach('2', { iommu: 'other', pages: 0x1_0000n }))).toBe('bad-argument');
    expect(verdict(s.attach('2', { regions: [[1n, 0n, 'msi']] }))).toBe('bad-argument');
    expect(verdict(s.run({ op: 'ioas.alloc', ioas: 'a' }))).toBe('not-in-model');
    expect(verdict(s.close())).toBe('ok');
    expect(verdict(s.map(0n, PAGE))).toBe('unknown-object');
    expect(verdict(s.close())).toBe('unknown-object');
    expect(s.model.spaces().map(({ id }) => id)).toEqual(['d']);
  });

  it('a container that closes lets its groups go', () => {
    const s = attached();
    s.close();
    s.open('d', 'type1');
    expect(verdict(s.attach('1', { container: 'd' }))).toBe('ok');
    expect(s.model.space('d')).toMatchObject({ version: 'type1', mappingsLeft: 65535 });
  });
});

describe('groups', () => {
  it('of one kind of IOMMU share a domain, if they agree on coherency', () => {
    const s = attached({ coherent: true });
    s.attach('2', { coherent: true });
    s.attach('3', { coherent: false });
    s.attach('4', { iommu: 'other', coherent: true, aperture: [0n, IOVA_MAX], pages: 0x3000n });
    expect(s.space.domains.map(({ iommu, groups, enforcesCoherency }) => [iommu, groups, enforcesCoherency])).toEqual([
      ['vtd', ['1', '2'], true],
      ['vtd', ['3'], false],
      ['other', ['4'], true],
    ]);
    expect(s.space.pageSizes).toBe(PAGE);
    expect(s.extension(4)).toBe(0);
    s.detach('3');
    expect(s.extension(4)).toBe(1);
    s.detach('4');
    expect(s.space.pageSizes).toBe(0x4020_1000n);
  });

  it('narrow the ranges, and widen them when they leave', () => {
    const s = attached({ aperture: [0n, IOVA_MAX] });
    const whole = s.ranges;
    expect(whole).toEqual([
      [0n, 0xfedf_ffffn],
      [0xfef0_0000n, IOVA_MAX],
    ]);
    s.attach('2', {
      iommu: 'other',
      aperture: [0x1000n, 0xffff_ffffn],
      regions: [
        [0x800_0000n, 0x80f_ffffn, 'msi'],
        [0n, 0xff_ffffn, 'direct-relaxable'],
      ],
    });
    expect(s.ranges).toEqual([
      [0x1000n, 0x7ff_ffffn],
      [0x810_0000n, 0xfedf_ffffn],
      [0xfef0_0000n, 0xffff_ffffn],
    ]);
    expect(s.space.reserved.map(({ start, type, owner }) => [start, type, owner?.kind, owner?.name])).toEqual([
      [0n, 'aperture', 'domain', 'other'],
      [0x800_0000n, 'msi', 'group', '2'],
      [0xfee0_0000n, 'msi', 'group', '1'],
      [0x1_0000_0000n, 'aperture', 'domain', 'other'],
    ]);
    s.detach('2');
    expect(s.ranges).toEqual(whole);
  });

  it('take everything with them, the last one', () => {
    const s = attached();
    s.map(0n, PAGE);
    s.attach('2');
    s.detach('1');
    expect(s.areas).toEqual([[0n, 0xfffn]]);
    s.detach('2');
    expect(s.areas).toEqual([]);
    expect([s.ranges, s.space.reserved, s.space.domains]).toEqual([[], [], []]);
    expect([1, 3, 4, 6, 9, 10].map((n) => s.extension(n))).toEqual([1, 1, 0, 1, 1, 0]);
    s.attach('1');
    expect(verdict(s.map(0n, PAGE))).toBe('ok');
    expect(s.space.mappingsLeft).toBe(65534);
  });

  it('leave page sizes below the CPU page size as one page', () => {
    const s = attached({ pages: 0x4020_0e00n });
    expect(s.space.pageSizes).toBe(0x4020_1000n);
    expect(s.space.alignment).toBe(PAGE);
    expect(attached({ pages: 0x20_0000n }).space.alignment).toBe(0x20_0000n);
  });

  it('answer for extensions by number', () => {
    const s = attached();
    const answers = Array.from({ length: 12 }, (_, n) => s.extension(n));
    expect(answers).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0]);
  });

  const SMALL = 24;
  /** Pages first … last of a space of 24 pages. */
  const pages = fc
    .tuple(fc.integer({ min: 0, max: SMALL - 1 }), fc.integer({ min: 0, max: SMALL - 1 }))
    .map(([a, b]): readonly [number, number] => (a <= b ? [a, b] : [b, a]));
  const group = fc.record({
    iommu: fc.constantFrom('a', 'b'),
    regions: fc.array(fc.tuple(pages, fc.constantFrom('msi', 'reserved', 'direct-relaxable')), { maxLength: 3 }),
  });

  it('leave as valid what every aperture reaches and no region takes', () => {
    const apertures = fc.record({ a: pages, b: pages });
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean()), { maxLength: 14 });
    const groups = fc.array(group, { minLength: 4, maxLength: 4 });
    let attaches = 0;
    assertProperty(
      fc.property(apertures, groups, steps, (reach, described, list) => {
        const s = new Script();
        const present = new Set<number>();
        const isValid = (page: number, members: Iterable<number>) =>
          [...members].every((i) => {
            const { iommu = 'a', regions = [] } = described[i] ?? {};
            const [first, last] = reach[iommu as 'a'];
            const taken = regions.some(([[from, to], type]) => {
              return type !== 'direct-relaxable' && from <= page && page <= to;
            });
            return first <= page && page <= last && !taken;
          });
        for (const [i, attach] of list) {
          const { iommu = 'a', regions = [] } = described[i] ?? {};
          if (attach === present.has(i)) continue;
          if (!attach) {
            s.detach(String(i));
            present.delete(i);
          } else {
            const [first, last] = reach[iommu as 'a'];
            const outcome = s.attach(String(i), {
              iommu,
              aperture: [BigInt(first) * PAGE, BigInt(last + 1) * PAGE - 1n],
              regions: regions.map(([[from, to], type]) => [BigInt(from) * PAGE, BigInt(to + 1) * PAGE - 1n, type]),
            });
            const members = new Set([...present, i]);
            const anything = Array.from({ length: SMALL }, (_, page) => page).some((page) => isValid(page, members));
            expect(outcome.ok).toBe(anything);
            if (!outcome.ok) continue;
            present.add(i);
            attaches++;
          }
          for (let page = 0; page < SMALL; page++) {
            const at = BigInt(page) * PAGE;
            const held = s.ranges.some(([start, end]) => start <= at && at + PAGE - 1n <= end);
            expect(held).toBe(present.size > 0 && isValid(page, present));
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(attaches).toBeGreaterThan(300);
  });
});

describe('mappings', () => {
  it('are areas with address, permissions and origin, and are never merged', () => {
    const s = attached();
    s.map(0n, PAGE, USER, ['read']);
    s.map(PAGE, PAGE, USER + PAGE, ['write']);
    expect([...s.space.areas()]).toMatchObject([
      { start: 0n, last: 0xfffn, userVa: USER, read: true, write: false, origin: 2 },
      { start: 0x1000n, last: 0x1fffn, userVa: USER + PAGE, read: false, write: true, origin: 3 },
    ]);
    expect(s.space.countAreas(1n, IOVA_MAX)).toBe(1);
  });

  it('of a state do not change with its clone', () => {
    const s = attached();
    s.map(0n, PAGE);
    const before = snapshot(s.model);
    const copy = s.model.clone();
    expect(snapshot(copy)).toEqual(before);
    const whole = { container: 'c', flags: ['all' as const], iova: A(0n), size: A(0n) };
    expect(verdict(copy.apply({ op: 'container.unmap_dma', ...whole }, 9))).toBe('ok 0x1000');
    expect(copy.space('c')?.areaCount).toBe(0);
    expect(copy.space('c')?.mappingsLeft).toBe(65535);
    expect(snapshot(s.model)).toEqual(before);
    expect(verdict(copy.apply({ op: 'container.detach_group', container: 'c', group: '1' }, 10))).toBe('ok');
    expect(verdict(s.attach('1'))).toBe('attach-group-in-use');
    expect(s.ranges.length).toBe(2);
  });

  interface Naive extends IovaRange {}

  /** The rules for an unmap in words: what goes, or undefined for a refusal. Nothing here ends at the top. */
  function naiveUnmap(mapped: readonly Naive[], version: 'type1' | 'type1v2', start: bigint, last: bigint) {
    const sorted = mapped.toSorted((a, b) => (a.start < b.start ? -1 : 1));
    const touched = sorted.filter((m) => m.start <= last && start <= m.last);
    if (version === 'type1v2') {
      return touched.some((m) => m.start < start || m.last > last) ? undefined : touched;
    }
    return touched.some((m) => m.start < start) ? [] : touched;
  }

  it.each(['type1', 'type1v2'] as const)('of %s go as a simple search says', (version) => {
    const place = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 6 }));
    const step = fc.tuple(fc.constantFrom('map', 'map', 'map', 'unmap', 'all'), place);
    const removed = new Set<number>();
    assertProperty(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const s = attached({}, version);
        let mapped: Naive[] = [];
        for (const [what, [page, count]] of steps) {
          const start = A(BigInt(page) * PAGE);
          const size = BigInt(count) * PAGE;
          const last = A(start + size - 1n);
          if (what === 'map') {
            const free = mapped.every((m) => m.last < start || m.start > last);
            expect(verdict(s.map(start, size))).toBe(free ? 'ok' : 'map-over-mapping');
            if (free) mapped.push({ start, last });
          } else {
            const goes = what === 'all' ? mapped : naiveUnmap(mapped, version, start, last);
            const bytes = goes?.reduce((sum, m) => sum + (m.last - m.start + 1n), 0n);
            const outcome = what === 'all' ? s.unmap(0n, 0n, true) : s.unmap(start, size);
            expect(verdict(outcome)).toBe(bytes === undefined ? 'unmap-cuts-mapping' : `ok 0x${bytes.toString(16)}`);
            mapped = mapped.filter((m) => !goes?.includes(m));
            removed.add(goes?.length ?? -1);
          }
          const sorted = mapped.toSorted((a, b) => (a.start < b.start ? -1 : 1));
          expect(s.areas).toEqual(sorted.map((m) => [m.start, m.last]));
          expect(s.space.mappingsLeft).toBe(65535 - mapped.length);
        }
      }),
      { numRuns: 300 },
    );
    // The search met nothing, one, several, and with version 2 a cut.
    expect([0, 1, 2, 3].every((n) => removed.has(n))).toBe(true);
    expect(removed.has(-1)).toBe(version === 'type1v2');
  });
});

describe('the top of the space', () => {
  const below = TOP_PAGE - PAGE;

  it('can be mapped, and an unmap that ends there removes nothing', () => {
    for (const version of ['type1', 'type1v2'] as const) {
      const s = attached(WHOLE, version);
      expect(verdict(s.map(below, PAGE))).toBe('ok');
      expect(verdict(s.map(TOP_PAGE, PAGE))).toBe('ok');
      expect(verdict(s.unmap(TOP_PAGE, PAGE))).toBe('ok 0x0');
      expect(verdict(s.unmap(below, 0x2000n))).toBe('ok 0x0');
      expect(verdict(s.unmap(below, PAGE))).toBe('ok 0x1000');
      expect(s.areas).toEqual([[TOP_PAGE, IOVA_MAX]]);
    }
  });

  it('is taken with everything else, but is not found alone', () => {
    const s = attached(WHOLE);
    s.map(0n, PAGE);
    s.map(TOP_PAGE, PAGE);
    expect(verdict(s.unmap(0n, 0n, true))).toBe('ok 0x2000');
    s.map(TOP_PAGE, PAGE);
    expect(verdict(s.unmap(0n, 0n, true))).toBe('ok 0x0');
    expect(s.areas).toEqual([[TOP_PAGE, IOVA_MAX]]);
  });

  it('hides what is behind it in the tree', () => {
    const s = attached(WHOLE);
    s.map(TOP_PAGE, PAGE);
    s.map(0n, PAGE);
    // The mapping at the top is the root, and an unmap turns away from the other one there. A map does not.
    expect(verdict(s.unmap(0n, PAGE))).toBe('ok 0x0');
    expect(verdict(s.unmap(0n, 0n, true))).toBe('ok 0x0');
    expect(verdict(s.map(0n, PAGE))).toBe('map-over-mapping');
    s.map(PAGE, PAGE);
    expect(verdict(s.unmap(0n, PAGE))).toBe('ok 0x1000');
  });

  it('is mapped without a look at what is there', () => {
    const s = attached(WHOLE);
    expect(verdict(s.map(below, PAGE))).toBe('ok');
    expect(verdict(s.map(below, 0x2000n))).toBe('ok');
    expect(s.space.areaCount).toBe(2);
    expect(verdict(s.map(below, PAGE))).toBe('map-over-mapping');
  });
});

describe('get_info', () => {
  const bytesOf = (outcome: Outcome) =>
    Uint8Array.from((outcome.ok ? (outcome.answer.hex ?? '') : '').match(/../g) ?? [], (byte) =>
      Number.parseInt(byte, 16),
    );

  it('tells page sizes, mappings left and ranges', () => {
    const s = attached();
    s.map(0n, PAGE);
    const decoded = decodeType1Info(bytesOf(s.info()));
    expect(decoded).toMatchObject({ argsz: 4096, truncated: false, problems: [] });
    expect(decoded?.info).toEqual({
      pageSizes: 0x4020_1000n,
      capabilities: [
        { kind: 'migration', flags: 0, pageSizes: PAGE, maxBitmapSize: 0x1000_0000n },
        { kind: 'dma-avail', avail: 65534 },
        { kind: 'iova-range', ranges: s.space.validRanges },
      ],
    });
  });

  it('fills small buffers as far as they go, and says what it needs', () => {
    const s = attached();
    const answers = [16, 20, 24, 119, 120, 121].map((argsz) => {
      const outcome = s.info(argsz);
      return outcome.ok && [outcome.answer.argsz, bytesOf(outcome).length];
    });
    expect(answers).toEqual([
      [120, 16],
      [120, 20],
      [120, 24],
      [120, 24],
      [120, 120],
      [121, 120],
    ]);
  });
});
