// VFIO's calls on /dev/iommu, row by row: recorded on 6.12.117 and 7.3.4, which differ in one.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import type { Operation } from '../../session/events.ts';
import type { Outcome } from '../model.ts';
import { answerOf } from '../replay/replay.ts';
import { anyContainerOperation } from '../testing/any-operation.ts';
import { snapshot, verdict } from '../testing/run.ts';
import { type ChangeName, changesOf, kernelRules, NEWEST_RULES, withChange } from '../version-changes.ts';
import { IommufdVfioModel } from './model.ts';
import { IOMMUFD_VFIO_RULES } from './rules.ts';

const A = (value: bigint): Iova => value as Iova;
const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;
const MSI = { start: A(0xfee0_0000n), last: A(0xfeef_ffffn), type: 'msi' };
const DIRECT = { start: A(0x3f00_0000n), last: A(0x3f7f_ffffn), type: 'direct' };

const fresh = (version?: string, memlock?: bigint, rules = kernelRules(version)) =>
  new IommufdVfioModel({ page: PAGE, hugePage: 0x20_0000n, rules, memlock });

const open = (model: 'type1' | 'type1v2' = 'type1v2', container = 'c'): Operation => ({
  op: 'container.open',
  container,
  model,
});
const close = (container = 'c'): Operation => ({ op: 'container.close', container });
const attach = (
  options: {
    iommu?: string;
    reserved?: (typeof MSI)[];
    last?: bigint;
    pages?: bigint;
    coherent?: boolean;
    group?: string;
    container?: string;
  } = {},
): Operation => ({
  op: 'container.attach_group',
  container: options.container ?? 'c',
  group: options.group ?? '1',
  domain: {
    iommu: options.iommu ?? 'vtd',
    aperture: [A(0n), A(options.last ?? 0x7f_ffff_ffffn)],
    pgsize_bitmap: A(options.pages ?? 0x4020_1000n),
    enforce_cache_coherency: options.coherent ?? false,
  },
  reserved: options.reserved ?? [MSI],
});
const detach = (group = '1'): Operation => ({ op: 'container.detach_group', container: 'c', group });
const map = (
  iova: bigint,
  size: bigint,
  flags = ['read', 'write'],
  vaddr = USER,
  memory: string | undefined = undefined,
): Operation => ({
  op: 'container.map_dma',
  container: 'c',
  flags,
  vaddr: A(vaddr),
  size: A(size),
  iova: A(iova),
  memory,
});
const unmap = (iova: bigint, size: bigint, flags: string[] = []): Operation => ({
  op: 'container.unmap_dma',
  container: 'c',
  flags,
  iova: A(iova),
  size: A(size),
});
const extension = (number: number): Operation => ({
  op: 'container.check_extension',
  container: 'c',
  extension: number,
});
const info = (argsz: number): Operation => ({ op: 'container.get_info', container: 'c', argsz });

function run(
  script: readonly Operation[],
  version?: string,
  memlock?: bigint,
  rules = kernelRules(version),
): Outcome[] {
  const model = fresh(version, memlock, rules);
  return script.map((operation, i) => model.apply(operation, i));
}

function lastAnswer(script: readonly Operation[], version?: string, rules = kernelRules(version)): string {
  const outcome = run(script, version, undefined, rules).at(-1);
  const answer = outcome && answerOf(outcome);
  return answer?.unmapped === undefined
    ? String(answer?.ret ?? (outcome && verdict(outcome)))
    : `0x${answer.unmapped.toString(16)}`;
}

const V2 = [open(), attach()];
const V1 = [open('type1'), attach()];

const ROWS: readonly (readonly [string, readonly Operation[], string])[] = [
  ['extension 1 without an IOAS', [open(), extension(1)], '1'],
  ['extension 4 without an IOAS', [open(), extension(4)], '-ENODEV'],
  ['extension 6', [...V2, extension(6)], '0'],
  ['extension 9', [...V2, extension(9)], '1'],
  ['extension 10', [...V2, extension(10)], '0'],
  ['extension 4 on VT-d', [...V2, extension(4)], '0'],
  ['extension 4 on AMD', [open(), attach({ coherent: true }), extension(4)], '1'],
  ['extension 4 after the last group', [...V2, detach(), extension(4)], '1'],
  ['map without an IOAS', [open(), map(0n, PAGE)], '-ENODEV'],
  ['map without an IOAS, with a bad flag', [open(), map(0n, PAGE, ['x'])], '-EINVAL'],
  ['unmap without an IOAS', [open(), unmap(0n, PAGE)], '-ENODEV'],
  ['unmap without an IOAS, with a bad flag', [open(), unmap(0n, PAGE, ['vaddr'])], '-EINVAL'],
  ['info without an IOAS', [open(), info(100)], '-ENODEV'],
  ['info without an IOAS, 15 bytes', [open(), info(15)], '-EINVAL'],
  [
    'a region over a mapping',
    [...V2, map(0xfee0_0000n - PAGE, PAGE), attach({ group: '2', reserved: [{ ...MSI, start: A(0xfedf_f000n) }] })],
    '-EADDRINUSE',
  ],
  [
    'an aperture over a mapping',
    [...V2, map(0x1_0000_0000n, PAGE), attach({ group: '2', iommu: 'other', last: 0xffff_ffffn })],
    '-EADDRINUSE',
  ],
  [
    'a mapping that is less aligned than the domain',
    [open(), attach({ pages: 0x800n }), detach(), map(0n, 0x800n), attach()],
    '-EADDRINUSE',
  ],
  ['a group with a direct region', [open(), attach({ reserved: [DIRECT] })], '-EINVAL'],
  ['… after which the IOAS is there', [open(), attach({ reserved: [DIRECT] }), map(0n, PAGE)], '0'],
  ['… with the alignment of version 1', [open('type1'), attach({ reserved: [DIRECT] }), map(0n, 0x800n)], '-EINVAL'],
  ['map without flags on VT-d', [...V2, map(0n, PAGE, [])], '-EINVAL'],
  ['map without flags on virtio', [open(), attach({ iommu: 'virtio' }), map(0n, PAGE, [])], '0'],
  ['map without flags and without a domain', [...V2, detach(), map(0n, PAGE, [])], '0'],
  ['… and then a group on VT-d', [...V2, detach(), map(0n, PAGE, []), attach()], '-EINVAL'],
  [
    '… behind a hole',
    [...V2, detach(), map(0n, PAGE, ['read'], USER, 'hole'), map(PAGE, PAGE, []), attach()],
    '-EFAULT',
  ],
  [
    '… before a hole',
    [...V2, detach(), map(0n, PAGE, []), map(PAGE, PAGE, ['read'], USER, 'hole'), attach()],
    '-EINVAL',
  ],
  ['… over a hole', [...V2, detach(), map(0n, PAGE, [], USER, 'hole'), attach()], '-EFAULT'],
  ['map past 2^64', [...V2, map(IOVA_MAX - PAGE + 1n, 0x2000n)], '-EOVERFLOW'],
  ['map over a region and a mapping', [...V2, map(0xfedf_f000n, PAGE), map(0xfedf_f000n, 0x2000n)], '-EINVAL'],
  ['map over a mapping', [...V2, map(0n, PAGE), map(0n, PAGE)], '-EEXIST'],
  ['a BAR', [...V2, map(0n, PAGE, ['read'], USER, 'pfnmap')], '-EFAULT'],
  ['unmap of nothing, misaligned', [...V2, unmap(1n, 0x800n)], '0x0'],
  ['unmap of no byte', [...V2, unmap(0n, 0n)], '-EINVAL'],
  ['unmap past 2^64', [...V2, unmap(IOVA_MAX, 2n)], '-EOVERFLOW'],
  ['v2: an unmap that cuts', [...V2, map(0n, PAGE), map(PAGE, 0x2000n), unmap(0n, 0x2000n)], '-ENOENT'],
  [
    '… after which what came before is gone',
    [...V2, map(0n, PAGE), map(PAGE, 0x2000n), unmap(0n, 0x2000n), unmap(0n, PAGE)],
    '0x0',
  ],
  ['v1: cuts at both ends', [...V1, map(0n, 0x4000n), unmap(PAGE, 0x2000n)], '0x2000'],
  [
    '… after which the rest is there',
    [...V1, map(0n, 0x4000n), unmap(PAGE, 0x2000n), unmap(0n, 0n, ['all'])],
    '0x2000',
  ],
  ['v1: a cut off the alignment', [...V1, map(0n, 0x4000n), unmap(0x800n, 0x2000n)], '-EINVAL'],
  ['v1: a cut after one byte is not made', [...V1, map(0n, 0x4000n), unmap(1n, 0x3fffn)], '-ENOENT'],
  ['v1: a wrapping range', [...V1, map(0n, 0x4000n), unmap(0x2000n, IOVA_MAX - 0xfffn)], '-EOVERFLOW'],
  ['… is cut first', [...V1, map(0n, 0x4000n), unmap(0x2000n, IOVA_MAX - 0xfffn), unmap(0n, PAGE)], '0x1000'],
  ['unmap of everything', [...V2, map(0n, PAGE), map(0x8000n, PAGE), unmap(0n, 0n, ['all'])], '0x2000'],
  ['unmap of everything with an iova', [...V2, unmap(PAGE, 0n, ['all'])], '-EINVAL'],
  ['mappings outlive the last group', [...V2, map(0n, PAGE), detach(), unmap(0n, PAGE)], '0x1000'],
  ['a group twice', [...V2, attach()], '-EINVAL'],
  ['detach of a group that has left', [...V2, detach(), detach()], '-EINVAL'],
  ['a container that is not open', [map(0n, PAGE)], 'unknown-object'],
  ['an operation of iommufd', [{ op: 'ioas.alloc', ioas: 'a' }], 'not-in-model'],
];

/** Scripts that versions answer differently. */
const VERSIONED: readonly (readonly [string, readonly Operation[], readonly (readonly [string, string])[]])[] = [
  [
    'a length near 2^64',
    [...V2, map(0n, IOVA_MAX - PAGE + 1n)],
    [
      ['6.12', '-EINVAL'],
      ['7.2', '-EINVAL'],
      ['7.3', '-EOVERFLOW'],
    ],
  ],
  [
    'an unmap of nothing',
    [...V2, unmap(0n, PAGE)],
    [
      ['6.12.116', '-ENOENT'],
      ['6.12', '0x0'],
      ['6.17', '-ENOENT'],
      ['6.18', '0x0'],
    ],
  ],
  [
    'a direct region, VT-d',
    [open(), attach({ reserved: [DIRECT] })],
    [
      ['6.5', '-EPERM'],
      ['6.6', '-EINVAL'],
      ['6.12', '-EINVAL'],
    ],
  ],
  [
    'a direct region, AMD',
    [open(), attach({ iommu: 'amd', reserved: [DIRECT] })],
    [
      ['6.5', '0'],
      ['6.6', '-EINVAL'],
      ['6.12', '-EINVAL'],
    ],
  ],
  [
    'a map over a direct region, AMD',
    [open(), attach({ iommu: 'amd', reserved: [DIRECT] }), map(DIRECT.start, PAGE)],
    [['6.5', '-EINVAL']],
  ],
  [
    'a writable file on a disk',
    [...V2, map(0n, PAGE, ['write'], USER, 'disk-file')],
    [
      ['6.6', '0'],
      ['6.12', '-EFAULT'],
      ['7.3', '-EFAULT'],
    ],
  ],
];

describe('iommufd-vfio', () => {
  it.each(ROWS)('%s', (_name, script, answer) => {
    expect([lastAnswer(script, '6.12'), lastAnswer(script, '7.3')]).toEqual([answer, answer]);
  });

  it.each(VERSIONED)('by version: %s', (_name, script, answers) => {
    expect(answers.map(([version]) => [version, lastAnswer(script, version)])).toEqual(answers);
  });

  it('has a row for every change', () => {
    const differs = (change: ChangeName) =>
      VERSIONED.some(([, script]) => {
        const [old, now] = [false, true].map((has) => lastAnswer(script, '', withChange(NEWEST_RULES, change, has)));
        return old !== now;
      });
    expect(changesOf('iommufd-vfio').filter((change) => !differs(change))).toEqual([]);
  });

  it('has no limit of mappings, and says so', () => {
    const answer = answerOf(run([...V2, info(4096)]).at(-1) as Outcome);
    const bytes = Uint8Array.from(answer?.hex?.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    const view = new DataView(bytes.buffer);
    const words = [0, 4, 16, 24, 28, 32, 36, 40, 44, 48].map((at) => view.getUint32(at, true));
    // argsz, flags, cap_offset; dma_avail: id and version, next, avail, hole; ranges: id and version, next, count.
    expect(words).toEqual([88, 3, 24, 0x1_0003, 40, 0xffff_ffff, 0, 0x1_0001, 0, 2]);
    expect([view.getBigUint64(8, true), view.getBigUint64(56, true), view.getBigUint64(64, true)]).toEqual([
      0x4020_1000n,
      0n,
      0xfedf_ffffn,
    ]);
    expect(bytes).toHaveLength(88);
  });

  it.each([
    [17, 17],
    [35, 35],
    [40, 40],
    [87, 87],
    [88, 88],
    [4096, 88],
  ])('fills a buffer of %i bytes as far as it goes', (argsz, length) => {
    const answer = answerOf(run([...V2, info(argsz)]).at(-1) as Outcome);
    expect([answer?.argsz, (answer?.hex?.length ?? 0) / 2]).toEqual([88, length]);
    const full = answerOf(run([...V2, info(88)]).at(-1) as Outcome)?.hex ?? '';
    // dma_avail is whole or not there; ranges are, too, but their header comes last.
    if (argsz === 87) expect(answer?.hex?.slice(56 * 2, 72 * 2)).toBe(full.slice(56 * 2, 72 * 2));
    if (argsz === 35) expect(answer?.hex?.slice(24 * 2)).toBe('00'.repeat(11));
  });

  it('counts locked memory of all file descriptors together, each page of a map once', () => {
    const other = [open('type1v2', 'd'), attach({ container: 'd', group: '2' })];
    const mapD = { ...map(0n, PAGE), container: 'd' } as Operation;
    const script = [...V2, ...other, map(0n, 0x2000n), mapD, detach(), mapD, attach(), close('d'), attach()];
    expect(
      run(script, '7.3', 0x2000n)
        .slice(4)
        .map((outcome) => answerOf(outcome)?.ret),
    ).toEqual([0, '-ENOMEM', 0, 0, '-ENOMEM', 0, 0]);
  });

  it('has a test for every rule', () => {
    const seen = new Set(
      ROWS.flatMap(([, script]) => run(script)).map((outcome) => (outcome.ok ? '' : verdict(outcome))),
    );
    expect(Object.keys(IOMMUFD_VFIO_RULES).filter((rule) => !seen.has(rule))).toEqual([]);
  });

  it('shows groups, ranges and page sizes as a container', () => {
    const model = fresh();
    model.apply(open(), 0);
    expect(model.space('c')?.validRanges).toEqual([]);
    model.apply(attach(), 1);
    expect(model.space('c')).toMatchObject({ version: 'type1v2', pageSizes: 0x4020_1000n });
    expect(model.space('c')?.domains).toMatchObject([{ iommu: 'vtd', devices: [], groups: ['1'] }]);
    expect(model.space('c')?.validRanges?.[0]).toEqual({ start: 0n, last: 0xfedf_ffffn });
  });

  it('answers any operations alike after a clone, and refusals but those of an unmap change nothing', () => {
    assertProperty(
      fc.property(fc.array(anyContainerOperation, { maxLength: 40, size: 'max' }), (operations) => {
        const model = fresh('7.3', 0x8000n);
        for (const [i, operation] of [open('type1'), open('type1v2', 'd'), ...operations].entries()) {
          const before = snapshot(model);
          const copy = model.clone();
          const outcome = model.apply(operation, i);
          expect(copy.apply(operation, i)).toEqual(outcome);
          expect(snapshot(copy)).toEqual(snapshot(model));
          const mayChange =
            outcome.ok || operation.op === 'container.unmap_dma' || operation.op === 'container.attach_group';
          if (!mayChange) expect(snapshot(model)).toEqual(before);
          for (const space of model.spaces()) {
            let next = 0n;
            for (const area of space.areas()) {
              expect(area.start >= next).toBe(true);
              next = area.last + 1n;
              expect(space.reserved.some((r) => r.start <= area.last && area.start <= r.last)).toBe(false);
            }
          }
        }
      }),
      { numRuns: 15 },
    );
  });
});
