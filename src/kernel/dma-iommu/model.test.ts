import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hex } from '../../iova/format.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { overlaps } from '../../iova/range.ts';
import { anyAddress, assertProperty } from '../../iova/testing/arbitraries.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import type { AllocatorView, Outcome } from '../model.ts';
import { snapshot } from '../testing/run.ts';
import { kernelRules } from '../version-changes.ts';
import type { AllocatorEvent } from './events.ts';
import { DmaIommuModel } from './model.ts';

const A = (value: bigint): Iova => value as Iova;
const MASK_32 = 0xffff_ffffn;

interface Attach {
  readonly device?: string;
  readonly domain?: string;
  readonly aperture?: readonly [bigint, bigint];
  readonly forced?: boolean;
  readonly pages?: bigint;
  readonly pci?: boolean;
  readonly forcedac?: boolean;
  readonly busLimit?: bigint;
  readonly windows?: readonly (readonly [bigint, bigint])[];
  readonly regions?: readonly (readonly [bigint, bigint, string])[];
}

/** Runs operations in the order of the calls. */
class Script {
  readonly model: DmaIommuModel;
  #origin = 0;

  constructor(kernel?: string) {
    this.model = new DmaIommuModel(kernelRules(kernel));
  }

  run(operation: Operation): Outcome {
    return this.model.apply(operation, this.#origin++);
  }

  attach(options: Attach = {}): Outcome {
    const { aperture = [0n, IOVA_MAX], windows = [], regions = [] } = options;
    return this.run({
      op: 'dma.attach',
      device: options.device ?? 'nic',
      domain: options.domain ?? 'dom',
      aperture: [A(aperture[0]), A(aperture[1])],
      force_aperture: options.forced ?? true,
      pgsize_bitmap: A(options.pages ?? 0x1000n),
      pci: options.pci ?? true,
      forcedac: options.forcedac ?? false,
      ...(options.busLimit === undefined ? {} : { bus_dma_limit: A(options.busLimit) }),
      windows: windows.map(([start, last]) => [A(start), A(last)] as const),
      reserved: regions.map(([start, last, type]) => ({ start: A(start), last: A(last), type })),
    });
  }

  mapping(size: bigint, mask: bigint = MASK_32, phys = 0x1000_0000n, device = 'nic'): OperationOf<'dma.map'> {
    return { op: 'dma.map', device, phys: A(phys), size: A(size), dma_mask: A(mask) };
  }

  /** The address, or why there is none. */
  map(size: bigint, mask?: bigint, phys?: bigint, device?: string): string {
    return verdict(this.run(this.mapping(size, mask, phys, device)));
  }

  unmap(address: bigint, size: bigint, device = 'nic'): string {
    return verdict(this.run({ op: 'dma.unmap', device, dma_addr: A(address), size: A(size) }));
  }

  /** What a mapping would do, in the names of its events. */
  stepsOf(size: bigint, mask?: bigint, phys?: bigint): string[] {
    return this.model.stepsOf(this.mapping(size, mask, phys)).map(({ event }) => event);
  }

  get allocator(): AllocatorView {
    const allocator = this.model.space('dom')?.allocator;
    if (!allocator) throw new Error('no domain');
    return allocator;
  }
}

function verdict(outcome: Outcome): string {
  if (!outcome.ok) return outcome.refusal?.errno ?? outcome.invalid?.code ?? '';
  return outcome.answer.dma_addr === undefined ? 'ok' : hex(outcome.answer.dma_addr);
}

function attached(options: Attach = {}, kernel?: string): Script {
  const script = new Script(kernel);
  expect(verdict(script.attach(options))).toBe('ok');
  return script;
}

describe('a mapping', () => {
  it('comes from the top down, aligned to its size, with the offset of the memory', () => {
    const s = attached();
    expect(s.map(1n)).toBe('0xfffff000');
    expect(s.map(0x10n, MASK_32, 0x2040n)).toBe('0xffffe040');
    // Two pages because of the offset.
    expect(s.map(0x1000n, MASK_32, 0x2040n)).toBe('0xffffc040');
    // Three pages take four.
    expect(s.map(0x3000n)).toBe('0xffff8000');
    // 33 pages are not rounded, but aligned to 64.
    expect(s.map(0x21000n)).toBe('0xfffc0000');
    expect(s.map(0x1000n)).toBe('0xfffbf000');
  });

  it('spares reserved regions and the windows of the bridge, and hands out the software MSI window', () => {
    const s = attached({
      aperture: [0n, 0x80f_ffffn],
      regions: [
        [0x80f_8000n, 0x80f_ffffn, 'msi'],
        [0x800_0000n, 0x80f_ffffn, 'sw-msi'],
        [0x80f_6800n, 0x80f_6fffn, 'direct'],
      ],
      windows: [[0x80f_4000n, 0x80f_4fffn]],
    });
    expect(s.map(0x1000n)).toBe('0x80f7000');
    expect(s.map(0x1000n)).toBe('0x80f5000');
    expect(s.map(0x1000n)).toBe('0x80f3000');
    expect(s.model.space('dom')?.reserved.map(({ start, type }) => [hex(start), type])).toEqual([
      ['0x80f4000', 'pci-window'],
      ['0x80f6000', 'direct'],
      ['0x80f8000', 'msi'],
    ]);
  });

  it('leaves the windows of the bridge to devices that are not PCI, and later devices add nothing', () => {
    const s = attached({ pci: false, windows: [[0xffff_0000n, 0xffff_ffffn]] });
    s.attach({ device: 'gpu', regions: [[0xffff_0000n, MASK_32, 'direct']] });
    expect(s.map(0x1000n, MASK_32, 0n, 'gpu')).toBe('0xfffff000');
  });

  it.each<[string, Attach, bigint, string]>([
    ['the mask', {}, 0xfff_ffffn, '0xffff000'],
    ['the bus', { busLimit: 0xff_ffffn }, MASK_32, '0xfff000'],
    ['no limit of the bus', { busLimit: 0n }, MASK_32, '0xfffff000'],
    ['the aperture', { aperture: [0n, 0xf_ffffn] }, MASK_32, '0xff000'],
    [
      'the mask alone, if the aperture is not forced',
      { aperture: [0n, 0xf_ffffn], forced: false },
      MASK_32,
      '0xfffff000',
    ],
    ['the mask, for a device that is not PCI', { pci: false }, 0xff_ffff_ffffn, '0xfffffff000'],
    ['the mask, with forcedac', { forcedac: true }, 0xff_ffff_ffffn, '0xfffffff000'],
    ['4 GiB first, for a PCI device', {}, IOVA_MAX, '0xfffff000'],
    ['the whole space', { forcedac: true }, IOVA_MAX, '0xfffffffffffff000'],
    ['pages of 64 KiB', { pages: 0x1_0000n }, MASK_32, '0xffff0000'],
  ])('is limited by %s', (_name, options, mask, expected) => {
    expect(attached(options).map(0x1000n, mask)).toBe(expected);
  });

  it('never gives page 0 or what is below the aperture', () => {
    const s = attached({ aperture: [0n, 0x1fffn] });
    expect([s.map(1n), s.map(1n)]).toEqual(['0x1000', 'ENOMEM']);
    const high = attached({ aperture: [0x10000n, 0x11fffn] });
    expect([high.map(1n), high.map(1n), high.map(1n)]).toEqual(['0x11000', '0x10000', 'ENOMEM']);
  });

  it('says what limits it', () => {
    const s = attached({ aperture: [0n, 0x1fffn] });
    const outcome = s.run(s.mapping(0x100_0000n));
    expect(outcome).toMatchObject({
      ok: false,
      refusal: {
        errno: 'ENOMEM',
        rule: 'dma-no-space',
        requested: { length: 0x100_0000n },
        obstacle: { kind: 'limit', value: 0x1fffn },
      },
    });
  });

  it('of nearly 2^64 bytes is refused, not wrapped', () => {
    const s = attached({ forcedac: true });
    expect(s.map(IOVA_MAX, IOVA_MAX, 0xfffn)).toBe('ENOMEM');
    expect(s.map(IOVA_MAX, IOVA_MAX, IOVA_MAX)).toBe('ENOMEM');
    expect(s.map(0x1000n, IOVA_MAX)).toBe('0xfffffffffffff000');
  });
});

describe('32 bits that run out', () => {
  // Only 15 pages below 4 GiB: one is never given out.
  const tight: Attach = { regions: [[0x1_0000n, 0xffff_ffffn, 'reserved']] };
  const exhaust = (s: Script): void => {
    for (let i = 0; i < 15; i++) s.map(0x1000n, IOVA_MAX);
  };

  it('send a PCI device above 4 GiB, for good since Linux 6.5', () => {
    const s = attached(tight);
    exhaust(s);
    const steps = s.model.stepsOf(s.mapping(0x1000n, 0xff_ffff_ffffn));
    expect(steps.map(({ event }) => event)).toContain('wide');
    expect(steps).toContainEqual({ event: 'wide', bits: 40 });
    expect(s.allocator.devices).toEqual([{ name: 'nic', pci: true, triesLow: true }]);
    expect(s.map(0x1000n, 0xff_ffff_ffffn)).toBe('0xfffffff000');
    expect(s.allocator.devices).toEqual([{ name: 'nic', pci: true, triesLow: false }]);
    s.unmap(0x1000n, 0x1000n);
    // The kept page fits the whole limit too, and is the newest: it is handed out without a search.
    expect(s.map(0x1000n, 0xff_ffff_ffffn)).toBe('0x1000');
    s.unmap(0x2000n, 0x1000n);
    expect(s.map(0x2000n, 0xff_ffff_ffffn)).toBe('0xffffffc000');
  });

  it('are tried by every mapping before', () => {
    const s = attached(tight, '6.1');
    exhaust(s);
    expect(s.map(0x1000n, IOVA_MAX)).toBe('0xfffffffffffff000');
    expect(s.allocator.devices[0]?.triesLow).toBe(true);
    expect(s.stepsOf(0x1000n, IOVA_MAX).filter((event) => event === 'try')).toHaveLength(2);
    expect(attached({}, '6.5').allocator.devices[0]?.triesLow).toBe(true);
  });

  it('are refused without a search once they are known to be full, until something is freed there', () => {
    const s = attached({ ...tight, pci: false });
    exhaustLow(s);
    expect(s.map(0x1000n)).toBe('ENOMEM');
    expect(s.allocator.failingPages).toBe(1);
    expect(s.stepsOf(0x1000n)).toEqual(['try', 'cache-miss', 'known-full', 'flush', 'known-full']);
    s.unmap(0x1000n, 0x1000n);
    // Flushing frees the kept page, and so the search is made again.
    expect(s.stepsOf(0x1000n)).toEqual(['try', 'cache-hit']);
    expect(s.stepsOf(0x2000n)).toEqual(['try', 'cache-miss', 'known-full', 'flush', 'search', 'retry', 'full']);
  });
});

/** Takes the 15 pages with 32 bits. */
function exhaustLow(s: Script): void {
  for (let i = 0; i < 15; i++) expect(s.map(0x1000n)).not.toBe('ENOMEM');
}

describe('the caches', () => {
  it('keep what is freed, and hand out the newest that fits', () => {
    const s = attached();
    for (let i = 0; i < 3; i++) s.map(0x1000n);
    s.unmap(0xffff_f000n, 0x1000n);
    s.unmap(0xffff_d000n, 0x1000n);
    s.unmap(0xffff_e000n, 0x1000n);
    expect(s.allocator.keptCount).toBe(3);
    expect([...s.allocator.kept()].map(({ start, order }) => [hex(start), order])).toEqual([
      ['0xffffd000', 0],
      ['0xffffe000', 0],
      ['0xfffff000', 0],
    ]);
    expect(s.model.space('dom')?.areaCount).toBe(0);
    // Another order is not touched: it is searched below.
    expect(s.map(0x2000n)).toBe('0xffffa000');
    // Nothing that fits is a search below the mask.
    expect(s.map(0x1000n, 0xffff_dfffn)).toBe('0xffffd000');
    expect([s.map(0x1000n), s.map(0x1000n)]).toEqual(['0xffffe000', '0xfffff000']);
  });

  it('fill the gap of what they hand out with the newest', () => {
    const s = attached();
    for (let i = 0; i < 3; i++) s.map(0x1000n);
    s.unmap(0xffff_d000n, 0x1000n);
    s.unmap(0xffff_e000n, 0x1000n);
    s.unmap(0xffff_f000n, 0x1000n);
    expect(s.map(0x1000n, 0xffff_dfffn)).toBe('0xffffd000');
    // Now the newest is below the older one.
    expect(s.map(0x1000n)).toBe('0xffffe000');
  });

  it('look only into the loaded magazine', () => {
    const s = attached();
    // Freed from the lowest up: the magazine in use holds the highest ones.
    for (let i = 0; i < 128; i++) s.map(0x1000n);
    for (let i = 127n; i >= 0n; i--) s.unmap(0xffff_f000n - i * 0x1000n, 0x1000n);
    expect(s.allocator.keptCount).toBe(128);
    // The one page in the loaded magazine is above the limit; the other 127 are in the previous one.
    expect(s.map(0x1000n, 0xffff_efffn)).toBe('0xfff7f000');
    expect(s.map(0x1000n)).toBe('0xfffff000');
    expect(s.map(0x1000n)).toBe('0xffffe000');
  });

  it('use the depot for full magazines, the newest first', () => {
    const s = attached();
    const n = 127 * 4;
    const at = (i: number): bigint => 0xffff_f000n - BigInt(i) * 0x1000n;
    for (let i = 0; i < n; i++) s.map(0x1000n);
    for (let i = 0; i < n; i++) s.unmap(at(i), 0x1000n);
    expect(s.allocator.keptCount).toBe(n);
    const given = Array.from({ length: n }, () => s.map(0x1000n));
    expect(new Set(given).size).toBe(n);
    expect(given[0]).toBe(hex(at(n - 1)));
    expect(s.allocator.keptCount).toBe(0);
    expect(s.map(0x1000n)).toBe(hex(at(n)));
  });

  it('do not keep more than 32 pages', () => {
    const s = attached();
    s.map(0x2_0000n);
    s.map(0x2_1000n);
    s.unmap(0xfffe_0000n, 0x2_0000n);
    s.unmap(0xfffa_0000n, 0x2_1000n);
    expect(s.allocator.keptCount).toBe(1);
  });

  it('are emptied when nothing is found in the whole limit', () => {
    const s = attached({ aperture: [0n, 0x4fffn] });
    for (let i = 0; i < 4; i++) s.map(0x1000n);
    for (let i = 1n; i <= 3n; i++) s.unmap(i * 0x1000n, 0x1000n);
    expect(s.stepsOf(0x2000n)).toEqual(
      ['try', 'cache-miss', 'search', 'retry', 'full', 'flush', 'search', 'found'].filter(
        (step) => step !== 'retry' || s.allocator.cursor32 !== undefined,
      ),
    );
    expect(s.map(0x2000n)).toBe('0x2000');
    expect(s.allocator.keptCount).toBe(0);
  });

  it('give a page above the limit if the limit is smaller than the request (unsigned arithmetic of the kernel)', () => {
    const s = attached();
    s.map(0x4000n);
    s.unmap(0xffff_c000n, 0x4000n);
    expect(s.map(0x4000n, 0x1fffn)).toBe('0xffffc000');
  });
});

describe('the cursors', () => {
  it('go down, and see holes above only after a failure', () => {
    const s = attached({ aperture: [0n, 0x10_0000n - 1n] });
    // Blocks that are not kept: 64 pages each.
    expect([s.map(0x4_0000n), s.map(0x4_0000n), s.map(0x4_0000n)]).toEqual(['0xc0000', '0x80000', '0x40000']);
    expect(s.allocator.cursor32?.start).toBe(0x4_0000n);
    s.unmap(0x8_0000n, 0x4_0000n);
    // Freed above the cursor, which moves there.
    expect(s.allocator.cursor32?.start).toBe(0xc_0000n);
    expect(s.map(0x4_0000n)).toBe('0x80000');
    expect(s.map(0x1_0000n)).toBe('0x30000');
  });

  it('start again from the limit once', () => {
    const s = attached({ aperture: [0n, 0x10_0000n - 1n] });
    s.map(0x4_0000n);
    s.map(0x4_0000n, 0x3_ffffn + 0x4_0000n);
    // The cursor is at 0x40000; 0x80000-0xbffff is free above it, and nothing large enough is below.
    expect(s.allocator.cursor32?.start).toBe(0x4_0000n);
    const steps: readonly AllocatorEvent[] = s.model.stepsOf(s.mapping(0x4_0000n));
    expect(steps).toContainEqual({ event: 'retry', from: 0x10_0000n, above: 0x8_0000n });
    expect(steps.at(-1)).toMatchObject({ event: 'found', skipped: 1, range: { start: 0x8_0000n } });
    expect(s.map(0x4_0000n)).toBe('0x80000');
  });

  it('are two: below and above 4 GiB', () => {
    const s = attached({ forcedac: true });
    expect(s.allocator.cursor32).toBeUndefined();
    expect(s.allocator.cursor64).toBeUndefined();
    s.map(0x1000n, IOVA_MAX);
    s.map(0x1000n, MASK_32);
    expect(s.allocator.cursor64?.start).toBe(IOVA_MAX - 0xfffn);
    expect(s.allocator.cursor32?.start).toBe(0xffff_f000n);
  });
});

describe('invalid operations', () => {
  it.each<[string, string, (s: Script) => Outcome]>([
    ['a device twice', 'name-in-use', (s) => s.attach()],
    ['a domain with other pages', 'bad-argument', (s) => s.attach({ device: 'b', pages: 0x2000n })],
    ['a domain that starts elsewhere', 'bad-argument', (s) => s.attach({ device: 'b', aperture: [0x1000n, IOVA_MAX] })],
    ['an aperture that ends before it starts', 'bad-argument', (s) => s.attach({ device: 'b', aperture: [2n, 1n] })],
    ['a window that ends before it starts', 'bad-argument', (s) => s.attach({ device: 'b', windows: [[2n, 1n]] })],
    ['pages of 1 KiB', 'bad-argument', (s) => s.attach({ device: 'b', domain: 'e', pages: 0x400n })],
    ['no page size', 'bad-argument', (s) => s.attach({ device: 'b', domain: 'e', pages: 0n })],
    ['an unknown device', 'unknown-object', (s) => s.run({ ...s.mapping(1n), device: 'x' })],
    ['nothing', 'bad-argument', (s) => s.run(s.mapping(0n))],
    ['another model', 'not-in-model', (s) => s.run({ op: 'ioas.alloc', ioas: 'a' })],
  ])('%s', (_name, code, run) => {
    const s = attached();
    const before = snapshot(s.model);
    const outcome = run(s);
    expect(outcome.ok ? 'ok' : outcome.invalid?.code).toBe(code);
    expect(snapshot(s.model)).toEqual(before);
  });

  it('unmaps only what is mapped, and with its size', () => {
    const s = attached();
    s.map(0x3000n);
    const unmaps = [
      s.unmap(0xffff_c000n, 0x1000n),
      s.unmap(0xffff_d000n, 0x3000n),
      s.unmap(0xffff_c000n, 0n),
      s.unmap(0x1000n, 0x1000n),
      s.unmap(0xffff_c000n, 0x3000n, 'x'),
    ];
    expect(unmaps).toEqual(['bad-argument', 'bad-argument', 'bad-argument', 'bad-argument', 'unknown-object']);
    expect(s.unmap(0xffff_c000n, 0x2001n)).toBe('ok');
    expect(s.unmap(0xffff_c000n, 0x3000n)).toBe('bad-argument');
  });
});

describe('the view', () => {
  it('shows mappings with their memory, and what is free', () => {
    const s = attached({ aperture: [0n, 0xffffn] });
    s.map(0x3000n, MASK_32, 0x1234_5678n);
    const space = s.model.space('dom');
    // Four pages because of the offset, from a node of four.
    expect([...(space?.areas() ?? [])]).toMatchObject([
      { start: 0xc000n, last: 0xffffn, userVa: 0x1234_5000n, origin: 1, read: true, write: true },
    ]);
    expect(space?.areaCount).toBe(1);
    expect(space?.countAreas(0n, 0xffffn)).toBe(1);
    expect(space?.countAreas(0xd000n, 0xffffn)).toBe(0);
    expect(space?.validRanges).toEqual([{ start: 0x1000n, last: 0xffffn }]);
    const holes: string[] = [];
    space?.visitHoles(0n, 0xf_ffffn, 1n, ({ start, last }) => {
      holes.push(`${hex(start)}-${hex(last)}`);
      return false;
    });
    expect(holes).toEqual(['0x0-0xbfff', '0x10000-0xfffff']);
    expect(space?.domains).toEqual([
      { iommu: 'dom', aperture: { start: 0n, last: 0xffffn }, pgsizeBitmap: 0x1000n, devices: ['nic'] },
    ]);
  });

  it('of a copy does not change with the original', () => {
    const s = attached();
    s.map(0x1000n);
    const copy = s.model.clone();
    const before = snapshot(copy);
    s.map(0x1000n);
    s.unmap(0xffff_f000n, 0x1000n);
    expect(snapshot(copy)).toEqual(before);
    expect(copy.space('dom')?.allocator?.keptCount).toBe(0);
    expect(verdict(copy.apply(s.mapping(0x1000n), 9))).toBe('0xffffe000');
  });
});

describe('any sequence of operations', () => {
  const size = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 0x3_0000 }).map(BigInt) },
    { weight: 1, arbitrary: anyAddress },
  );
  const mask = fc.constantFrom(0xfffn, 0xf_ffffn, 0xff_ffffn, MASK_32, 0xff_ffff_ffffn, IOVA_MAX as bigint);
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('map' as const), size, mask, phys: anyAddress, nic: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('unmap' as const), pick: fc.nat() }) },
  );
  const machine = fc.record({
    aperture: fc.constantFrom([0n, 0xf_ffffn] as const, [0x4000n, MASK_32] as const, [0n, IOVA_MAX as bigint] as const),
    pages: fc.constantFrom(0x800n, 0x1000n, 0x1_0000n),
    forced: fc.boolean(),
    regions: fc.array(fc.tuple(anyAddress, anyAddress, fc.constantFrom('msi', 'sw-msi', 'direct'))),
  });

  it('gives disjoint ranges inside of the valid ranges, and never throws', () => {
    assertProperty(
      fc.property(machine, fc.array(step, { maxLength: 60 }), (m, steps) => {
        const s = new Script();
        const regions = m.regions.map(([a, b, type]) => [a < b ? a : b, a < b ? b : a, type] as const);
        s.attach({ ...m, regions });
        s.attach({ ...m, regions, device: 'gpu', pci: false });
        const live: { readonly address: bigint; readonly size: bigint; readonly phys: bigint }[] = [];
        for (const one of steps) {
          if (one.do === 'unmap') {
            const [gone] = live.splice(one.pick % Math.max(1, live.length), 1);
            if (gone) expect(s.unmap(gone.address, gone.size)).toBe('ok');
            continue;
          }
          const outcome = s.run(s.mapping(one.size, one.mask, one.phys, one.nic ? 'nic' : 'gpu'));
          const address = outcome.ok ? outcome.answer.dma_addr : undefined;
          if (address !== undefined) live.push({ address, size: one.size, phys: one.phys });
        }
        const space = s.model.space('dom');
        const areas = [...(space?.areas() ?? [])];
        const taken = [...areas, ...(space?.allocator?.kept() ?? [])].sort((a, b) => (a.start < b.start ? -1 : 1));
        expect(areas).toHaveLength(live.length);
        taken.forEach((range, i) => {
          const next = taken[i + 1];
          if (next) expect(overlaps(range, next)).toBe(false);
          expect(space?.reserved.some((r) => overlaps(r, range))).toBe(false);
          expect(range.start >= (m.aperture[0] > m.pages ? m.aperture[0] : m.pages)).toBe(true);
        });
        for (const { address, size: bytes, phys } of live) {
          expect(address & (m.pages - 1n)).toBe(phys & (m.pages - 1n));
          expect(areas.some(({ start, last }) => start <= address && address + bytes - 1n <= last)).toBe(true);
        }
      }),
    );
  });
});
