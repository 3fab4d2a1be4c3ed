import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { anyAddress, assertProperty } from '../../iova/testing/arbitraries.ts';
import type { ReservedRegion } from '../../session/events.ts';
import type { Decision } from '../shared/outcome.ts';
import { DEFAULT_SW_MSI_WINDOW } from '../shared/platform-ranges.ts';
import { Doorbells, msiRoutingOf, SW_MSI_RULES, SwMsiWindow } from './sw-msi.ts';

const A = (value: bigint): Iova => value as Iova;
const region = (start: bigint, last: bigint, type: string): ReservedRegion => ({
  start: A(start),
  last: A(last),
  type,
});
const SOFTWARE = region(0x800_0000n, 0x80f_ffffn, 'sw-msi');
const PRINTED = region(0x800_0000n, 0x80f_ffffn, 'msi');
const HARDWARE = region(0xfee0_0000n, 0xfeef_ffffn, 'msi');
const ITS = A(0x2_0a04_0040n);
const V2M = A(0x800_1020n);

function got<T>(result: Decision<T>): T {
  if (!result.ok) throw new Error(result.refusal.message);
  return result.value;
}

const ruleOf = (result: Decision<unknown>) => (result.ok ? 'ok' : result.refusal.rule);
const small = () => got(SwMsiWindow.open([SOFTWARE], { pgsizeBitmap: 0x4020_1000n }));

describe('msiRoutingOf', () => {
  const moved = region(0x1000_0000n, 0x100f_ffffn, 'msi');

  it.each<[string, readonly ReservedRegion[], string | undefined, unknown]>([
    ['sw-msi', [SOFTWARE], undefined, { kind: 'software', window: DEFAULT_SW_MSI_WINDOW, moved: false }],
    ['msi behind an SMMU', [PRINTED], 'smmu-v3', { kind: 'software', window: DEFAULT_SW_MSI_WINDOW, moved: false }],
    ['msi moved behind an SMMU', [moved], 'smmu-v2', { kind: 'software', moved: true }],
    ['msi at the default place behind virtio', [PRINTED], 'virtio', { kind: 'software', moved: false }],
    ['msi elsewhere behind virtio', [HARDWARE], 'virtio', { kind: 'hardware' }],
    [
      'msi behind VT-d',
      [HARDWARE],
      'intel',
      { kind: 'hardware', regions: [{ start: 0xfee0_0000n, last: 0xfeef_ffffn }] },
    ],
    ['msi of nobody knows whom', [PRINTED], undefined, { kind: 'hardware' }],
    ['both: hardware takes precedence', [SOFTWARE, HARDWARE], undefined, { kind: 'hardware' }],
    ['two windows: the last', [SOFTWARE, { ...moved, type: 'sw-msi' }], undefined, { kind: 'software', moved: true }],
    ['other regions only', [region(0n, 0xffffn, 'direct')], 'smmu-v3', { kind: 'none' }],
  ])('%s', (_name, regions, driver, expected) => {
    expect(msiRoutingOf(regions, driver)).toMatchObject(expected as object);
  });
});

describe('SwMsiWindow', () => {
  it('gives each doorbell page the next granule, and keeps the offset inside the page', () => {
    const window = small();
    expect(got(window.map('nic', ITS))).toMatchObject({ iova: 0x800_0040n, shared: false });
    expect(got(window.map('disk', V2M))).toMatchObject({ iova: 0x800_1020n, shared: false });
    expect(window.pages).toEqual([
      { start: 0x800_0000n, last: 0x800_0fffn, physical: 0x2_0a04_0000n, devices: ['nic'] },
      { start: 0x800_1000n, last: 0x800_1fffn, physical: 0x800_1000n, devices: ['disk'] },
    ]);
  });

  it('shares the page among devices', () => {
    const window = small();
    window.map('nic', ITS);
    expect(got(window.map('disk', A(ITS + 4n)))).toMatchObject({ iova: 0x800_0044n, shared: true });
    window.map('nic', ITS);
    expect(window.pages.map(({ devices }) => devices)).toEqual([['nic', 'disk']]);
  });

  it('takes larger granules: two doorbells of 64 KiB are one page', () => {
    const window = got(SwMsiWindow.open([SOFTWARE], { pgsizeBitmap: 0x2001_0000n }));
    expect(window.granule).toBe(0x1_0000n);
    expect(window.capacity).toBe(16n);
    window.map('a', A(0x3000_0000n));
    expect(got(window.map('b', A(0x3000_8000n)))).toMatchObject({ iova: 0x800_8000n, shared: true });
  });

  it('is full after 256 pages of 4 KiB, and still serves the doorbells in it', () => {
    const window = small();
    expect(window.capacity).toBe(256n);
    for (let i = 0n; i < 256n; i++) expect(window.map('dev', A(i << 20n)).ok).toBe(true);
    expect(window.pages.at(-1)?.last).toBe(0x80f_ffffn);
    const full = window.map('dev', A(256n << 20n));
    expect(ruleOf(full)).toBe('sw-msi-window-full');
    expect(!full.ok && full.refusal).toMatchObject({
      errno: 'ENOSPC',
      obstacle: { kind: 'reserved', start: 0x800_0000n, last: 0x80f_ffffn },
    });
    expect(ruleOf(window.map('other', A(3n << 20n)))).toBe('ok');
  });

  it('does not use what is left of a granule at its end', () => {
    const odd = region(0x800_0000n, 0x800_1ffen, 'sw-msi');
    const window = got(SwMsiWindow.open([odd], { pgsizeBitmap: 0x1000n }));
    expect(ruleOf(window.map('a', A(0n)))).toBe('ok');
    expect(ruleOf(window.map('a', A(0x1000n)))).toBe('sw-msi-window-full');
  });

  it('may move while it is empty, to where the granule allows', () => {
    const window = small();
    const elsewhere: IovaRange = { start: A(0x1000_0000n), last: A(0x100f_ffffn) };
    expect(ruleOf(window.moveTo({ start: A(0x1000_0800n), last: A(0x100f_ffffn) }))).toBe('sw-msi-window-unaligned');
    expect(ruleOf(window.moveTo(elsewhere))).toBe('ok');
    expect(got(window.map('nic', ITS)).iova).toBe(0x1000_0040n);
    expect(ruleOf(window.moveTo(elsewhere))).toBe('ok');
    const refused = window.moveTo(DEFAULT_SW_MSI_WINDOW);
    expect(ruleOf(refused)).toBe('sw-msi-moved');
    expect(window.window).toEqual(elsewhere);
  });

  it.each<[string, readonly ReservedRegion[], Parameters<typeof SwMsiWindow.open>[1], keyof typeof SW_MSI_RULES]>([
    ['no window', [], { pgsizeBitmap: 0x1000n }, 'sw-msi-no-window'],
    ['hardware', [SOFTWARE, HARDWARE], { pgsizeBitmap: 0x1000n }, 'sw-msi-hardware'],
    ['a granule that is no page size', [SOFTWARE], { pgsizeBitmap: 0x1_0000n, granule: 0x1000n }, 'sw-msi-granule'],
    ['a granule of two sizes', [SOFTWARE], { pgsizeBitmap: 0x20_1000n, granule: 0x20_1000n }, 'sw-msi-granule'],
    ['no page size at all', [SOFTWARE], { pgsizeBitmap: 0n }, 'sw-msi-granule'],
    [
      'a granule larger than the alignment of the window',
      [SOFTWARE],
      { pgsizeBitmap: 1n << 30n },
      'sw-msi-window-unaligned',
    ],
  ])('is refused for %s', (_name, regions, options, rule) => {
    const result = SwMsiWindow.open(regions, options);
    expect(ruleOf(result)).toBe(rule);
    if (!result.ok) expect(result.refusal.message.startsWith(SW_MSI_RULES[rule].message)).toBe(true);
  });

  it('clones are independent', () => {
    const window = small();
    window.map('nic', ITS);
    const copy = window.clone();
    window.map('disk', ITS);
    window.map('disk', V2M);
    expect(copy.pages.map(({ devices }) => devices)).toEqual([['nic']]);
  });

  it('numbers pages by first use, whatever is asked', () => {
    const ask = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.oneof(anyAddress, fc.constantFrom(ITS, V2M)));
    assertProperty(
      fc.property(fc.array(ask, { maxLength: 60 }), fc.constantFrom(0x1000n, 0x1_0000n), (requested, granule) => {
        const window = got(SwMsiWindow.open([SOFTWARE], { pgsizeBitmap: granule }));
        const order: bigint[] = [];
        for (const [device, doorbell] of requested) {
          const physical = doorbell - (doorbell % granule);
          const known = order.includes(physical);
          const result = window.map(device, doorbell);
          if (!known && order.length === Number(0x10_0000n / granule)) {
            expect(ruleOf(result)).toBe('sw-msi-window-full');
            continue;
          }
          if (!known) order.push(physical);
          const page = 0x800_0000n + BigInt(order.indexOf(physical)) * granule;
          expect(got(result)).toMatchObject({ iova: page + (doorbell % granule), shared: known });
        }
        expect(window.pages.map(({ physical }) => physical)).toEqual(order);
      }),
    );
  });
});

describe('doorbells that a file descriptor numbers together, since about Linux 6.15', () => {
  const domains = (doorbells = new Doorbells()) =>
    [0, 1].map(() => got(SwMsiWindow.open([SOFTWARE], { pgsizeBitmap: 0x1000n, doorbells })));
  const other = { pgsizeBitmap: 0x1000n } as const;

  it('have the same page in every domain, which may lack those before it', () => {
    const [a, b] = domains();
    expect(got((a as SwMsiWindow).map('nic', ITS)).iova).toBe(0x800_0040n);
    expect(got((b as SwMsiWindow).map('disk', V2M)).iova).toBe(0x800_1020n);
    expect((b as SwMsiWindow).pages.map(({ start }) => start)).toEqual([0x800_1000n]);
    expect(got((b as SwMsiWindow).map('disk', ITS))).toMatchObject({ iova: 0x800_0040n, shared: false });
    expect((b as SwMsiWindow).pages.map(({ start }) => start)).toEqual([0x800_0000n, 0x800_1000n]);
    // Before, each domain numbered its own.
    const alone = got(SwMsiWindow.open([SOFTWARE], other));
    expect(got(alone.map('disk', V2M)).iova).toBe(0x800_0020n);
  });

  it('are 64 at most, in all windows of the file descriptor; known ones are still served', () => {
    const doorbells = new Doorbells();
    const [a, b] = domains(doorbells);
    for (let i = 0n; i < 64n; i++) expect(ruleOf((i % 2n ? a : b)?.map('d', A(i << 20n)) ?? no())).toBe('ok');
    const full = a?.map('d', A(64n << 20n));
    expect(full && !full.ok && full.refusal).toMatchObject({ rule: 'sw-msi-too-many', errno: 'EOVERFLOW' });
    expect(ruleOf(a?.map('d', A(0n)) ?? no())).toBe('ok');
    const moved = region(0x1000_0000n, 0x100f_ffffn, 'sw-msi');
    const elsewhere = got(SwMsiWindow.open([moved], { ...other, doorbells }));
    expect(ruleOf(elsewhere.map('d', A(0n)))).toBe('sw-msi-too-many');
  });

  it('are numbered from the start in each window, and clones are independent', () => {
    const doorbells = new Doorbells();
    const [a] = domains(doorbells);
    a?.map('nic', ITS);
    const moved = got(SwMsiWindow.open([region(0x1000_0000n, 0x100f_ffffn, 'sw-msi')], { ...other, doorbells }));
    const copy = moved.clone();
    expect(got(moved.map('nic', V2M)).iova).toBe(0x1000_0020n);
    expect(got(copy.map('nic', ITS)).iova).toBe(0x1000_0040n);
    expect(got(moved.map('nic', ITS)).iova).toBe(0x1000_1040n);
  });

  function no(): never {
    throw new Error('no domain');
  }
});
