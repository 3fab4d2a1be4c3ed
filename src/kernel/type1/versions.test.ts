// What type1 of several kernels answers, row by row: recorded on the versions in RECORDED_VERSIONS.
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { Operation } from '../../session/events.ts';
import type { Outcome } from '../model.ts';
import { answerOf } from '../replay/replay.ts';
import { type ChangeName, changesOf, kernelRules, NEWEST_RULES, withChange } from '../version-changes.ts';
import { Type1Model } from './model.ts';

const A = (value: bigint): Iova => value as Iova;
const PAGE = 0x1000n;
const USER = A(0x10_0000_0000n);
const TOP = (size: bigint) => IOVA_MAX - size + 1n;
const MSI = { start: A(0xfee0_0000n), last: A(0xfeef_ffffn), type: 'msi' };
const DIRECT = { start: A(0x3f00_0000n), last: A(0x3f7f_ffffn), type: 'direct' };
const RELAXABLE = { ...DIRECT, type: 'direct-relaxable' };

type Script = readonly Operation[];

const open = (model: 'type1' | 'type1v2' = 'type1v2', container = 'c'): Operation => ({
  op: 'container.open',
  container,
  model,
});
const attach = (
  iommu = 'amd',
  reserved: readonly (typeof MSI)[] = [MSI],
  aperture: readonly [Iova, Iova] = [A(0n), IOVA_MAX],
  container = 'c',
): Operation => ({
  op: 'container.attach_group',
  container,
  group: container,
  domain: { iommu, aperture, pgsize_bitmap: A(0x1000n), enforce_cache_coherency: true },
  reserved: [...reserved],
});
const map = (iova: bigint, size: bigint, flags = ['read', 'write'], vaddr: bigint = USER, memory = {}): Operation => ({
  op: 'container.map_dma',
  container: 'c',
  flags,
  vaddr: A(vaddr),
  size: A(size),
  iova: A(iova),
  ...memory,
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

function run(version: string | undefined, script: Script, memlock?: bigint, rules = kernelRules(version)): Outcome[] {
  const model = new Type1Model({ page: PAGE, hugePage: 0x20_0000n, rules, memlock });
  return script.map((operation, i) => model.apply(operation, i));
}

/** The last answer in a word: errno, bytes unmapped, argsz and the offset of the ranges, or ret. */
function lastAnswer(version: string | undefined, script: Script, rules = kernelRules(version)): string {
  const outcome = run(version, script, undefined, rules).at(-1);
  const answer = outcome && answerOf(outcome);
  if (answer?.unmapped !== undefined) return `0x${answer.unmapped.toString(16)}`;
  // The link of the second capability: where the ranges begin.
  if (answer?.hex !== undefined && answer.hex.length > 0x40 * 2) {
    const at = Number.parseInt(answer.hex.slice(0x3c * 2, 0x3c * 2 + 2), 16);
    return `${answer.argsz} 0x${at.toString(16)} ${answer.hex.length / 2}`;
  }
  if (answer?.argsz !== undefined) return `needs ${answer.argsz}`;
  return String(answer?.ret);
}

const V2 = [open(), attach()];
const V1 = [open('type1'), attach()];
const VERSIONS = ['5.10', '6.1', '6.12', '6.16', '6.17', '6.18', '7.2', '7.3'] as const;
const all = (answer: string) => VERSIONS.map(() => answer);
const since = (version: (typeof VERSIONS)[number], before: string, after: string) =>
  VERSIONS.map((_, i) => (i < VERSIONS.indexOf(version) ? before : after));

const ROWS: readonly (readonly [string, Script, readonly string[]])[] = [
  ['map past 2^64', [...V2, map(TOP(PAGE), 0x2000n)], since('6.18', '-EINVAL', '-EOVERFLOW')],
  ['map past 2^64 without flags', [...V2, map(TOP(PAGE), 0x2000n, [])], since('6.18', '-EINVAL', '-EOVERFLOW')],
  ['map past 2^64, misaligned', [...V2, map(TOP(PAGE) + 1n, 0x2000n)], since('6.18', '-EINVAL', '-EOVERFLOW')],
  ['memory past 2^64', [...V2, map(0n, 0x2000n, ['read'], TOP(PAGE))], since('6.18', '-EINVAL', '-EOVERFLOW')],
  ['map of no byte at the top', [...V2, map(IOVA_MAX, 0n)], all('-EINVAL')],
  ['unmap past 2^64', [...V2, unmap(TOP(PAGE), 0x2000n)], since('6.18', '-EINVAL', '-EOVERFLOW')],
  ['unmap past 2^64, misaligned', [...V2, unmap(TOP(PAGE) + 1n, 0x2000n)], all('-EINVAL')],
  [
    'unmap of the top',
    [...V2, map(TOP(0x2000n), 0x2000n), unmap(TOP(0x2000n), 0x2000n)],
    since('6.18', '0x0', '0x2000'),
  ],
  [
    'unmap of its first page, v2',
    [...V2, map(TOP(0x2000n), 0x2000n), unmap(TOP(0x2000n), PAGE)],
    since('6.18', '0x0', '-EINVAL'),
  ],
  [
    'unmap of its first page, v1',
    [...V1, map(TOP(0x2000n), 0x2000n), unmap(TOP(0x2000n), PAGE)],
    since('6.18', '0x0', '0x2000'),
  ],
  [
    'unmap of everything, the top alone',
    [...V2, map(TOP(0x2000n), 0x2000n), unmap(0n, 0n, ['all'])],
    ['-EINVAL', '0x0', '0x0', '0x0', '0x0', '0x2000', '0x2000', '0x2000'],
  ],
  [
    'unmap of everything, the top and another',
    [...V2, map(0x10000n, 0x3000n), map(TOP(0x2000n), 0x2000n), unmap(0n, 0n, ['all'])],
    since('6.1', '-EINVAL', '0x5000'),
  ],
  [
    'unmap of two at the top',
    [...V2, map(TOP(0x3000n), PAGE), map(TOP(0x2000n), 0x2000n), unmap(TOP(0x3000n), 0x3000n)],
    since('6.18', '0x0', '0x3000'),
  ],
  [
    'unmap up to 2^64',
    [...V2, map(0x20000n, 0x2000n), unmap(0x20000n, 2n ** 64n - 0x20000n)],
    since('6.18', '0x0', '0x2000'),
  ],
  ['map of the top twice', [...V2, map(TOP(PAGE), PAGE), map(TOP(PAGE), PAGE)], since('6.18', '0', '-EEXIST')],
  [
    'map to the top over a mapping',
    [...V2, map(TOP(0x5000n), PAGE), map(TOP(0x8000n), 0x8000n)],
    since('6.18', '0', '-EEXIST'),
  ],
  [
    'map to the top from below, over a mapping and a region',
    [...V2, map(TOP(0x5000n), PAGE), map(0xfee0_0000n, 2n ** 64n - 0xfee0_0000n, ['read'], 0n)],
    since('6.18', '-EINVAL', '-EEXIST'),
  ],
  ['extension 6', [...V2, extension(6)], since('6.16', '1', '0')],
  ['extension 9', [...V2, extension(9)], since('6.1', '0', '1')],
  ['extension 10', [...V2, extension(10)], since('6.1', '0', '1')],
  ['extension 10 before a group', [open(), extension(10)], all('0')],
  ['extension 1', [open(), extension(1)], all('1')],
  ['extension 3', [open(), extension(3)], all('1')],
  ['extension 4', [...V2, extension(4)], all('1')],
  ['extension 4 before a group', [open(), extension(4)], all('0')],
  ...[0, 2, 5, 7, 8, 11, 12, 99].map((n) => [`extension ${n}`, [...V2, extension(n)], all('0')] as const),
  ['unmap of everything', [...V2, map(0n, PAGE), unmap(0n, 0n, ['all'])], since('6.1', '-EINVAL', '0x1000')],
  ['unmap of everything with an iova', [...V2, unmap(PAGE, 0n, ['all'])], all('-EINVAL')],
  ['flag vaddr over nothing', [...V2, map(0n, PAGE, ['vaddr'])], since('6.1', '-EINVAL', '-ENOENT')],
  ['a direct region, VT-d', [open(), attach('vtd', [DIRECT])], ['-EPERM', '-EPERM', ...all('-EINVAL').slice(2)]],
  ['a direct region, AMD', [open(), attach('amd', [DIRECT])], ['0', '0', ...all('-EINVAL').slice(2)]],
  ['a map over a direct region, AMD', [open(), attach('amd', [DIRECT]), map(DIRECT.start, PAGE)], all('-EINVAL')],
  [
    'a direct region over a mapping, AMD',
    [...V2, map(DIRECT.start, PAGE), { ...attach('amd', [DIRECT]), group: 'd' } as Operation],
    all('-EINVAL'),
  ],
  [
    // The attach looks mappings up as a map does.
    'a region over a mapping that ends at the top',
    [
      ...V2,
      map(TOP(0x4000n), 0x4000n),
      {
        ...attach('amd', [{ start: A(TOP(0x3000n)), last: A(TOP(0x2000n)), type: 'reserved' }]),
        group: 'd',
      } as Operation,
    ],
    since('6.18', '0', '-EINVAL'),
  ],
  ['a map over a relaxable region', [open(), attach('vtd', [RELAXABLE]), map(RELAXABLE.start, PAGE)], all('0')],
  [
    'v1: the upper mapping first',
    [...V1, map(0x20000n, PAGE), map(0x10000n, 0x4000n), unmap(0x12000n, 0x10000n)],
    since('6.1', '0x1000', '0x0'),
  ],
  [
    'v1: the lower mapping first',
    [...V1, map(0x10000n, 0x4000n), map(0x20000n, PAGE), unmap(0x12000n, 0x10000n)],
    all('0x0'),
  ],
  ['get_info', [...V2, info(4096)], since('6.12', '4096 0x44 116', '4096 0x48 120')],
  ['get_info, too small', [...V2, info(24)], since('6.12', 'needs 116', 'needs 120')],
  ['get_info, exactly 116', [...V2, info(116)], since('6.12', '116 0x44 116', 'needs 120')],
  ['a file on a disk', [...V2, map(0n, PAGE, ['write'], USER, { memory: 'disk-file' })], since('6.12', '0', '-EFAULT')],
  ['map before a group', [open(), map(0n, PAGE)], all('-EINVAL')],
  ['info before a group', [open(), info(4096)], all('-EINVAL')],
];

describe('type1 by version', () => {
  it.each(ROWS)('%s', (_name, script, answers) => {
    expect(VERSIONS.map((version) => lastAnswer(version, script))).toEqual(answers);
    // Without a version, the newest known rules.
    expect(lastAnswer(undefined, script)).toBe(answers.at(-1));
  });

  it('takes the older rule between two known versions', () => {
    expect(lastAnswer('6.14', [...V2, extension(6)])).toBe('1');
    expect(lastAnswer('5.15.3', [...V2, extension(9)])).toBe('0');
    expect(lastAnswer('6.6', [...V2, info(4096)])).toBe('4096 0x44 116');
  });

  it('has a row for every change', () => {
    // Beside the newest rules or those of 6.1: how old kernels walk the tree changed twice.
    const differs = (change: ChangeName) =>
      [NEWEST_RULES, kernelRules('6.1')].some((base) =>
        ROWS.some(([, script]) => {
          const [old, now] = [false, true].map((has) => lastAnswer('', script, withChange(base, change, has)));
          return old !== now;
        }),
      );
    expect(changesOf('type1').filter((change) => !differs(change))).toEqual([]);
  });

  it('has extension 10 before a group up to 6.1.15', () => {
    expect(['6.1.15', '6.1.16', '6.1'].map((v) => lastAnswer(v, [open(), extension(10)]))).toEqual(['1', '0', '0']);
  });
});

describe('get_info by version', () => {
  it.each([16, 17, 19, 20, 23, 24])('of %i bytes leaves cap_offset 0 in every version', (argsz) => {
    // Up to 6.1 the last bytes are not written, since 6.12 they are: the caller finds 0 either way.
    for (const version of VERSIONS) {
      const outcome = run(version, [...V2, info(argsz)]).at(-1);
      const hex = (outcome && answerOf(outcome)?.hex) ?? '';
      expect([version, hex.length / 2, hex.slice(32)]).toEqual([version, argsz, '00'.repeat(argsz - 16)]);
    }
  });

  it('needs 16 bytes more for a third range', () => {
    const regions = [MSI, { ...MSI, start: A(0xfd_0000_0000n), last: A(0xff_ffff_ffffn), type: 'reserved' }];
    const needed = (version: string, reserved: readonly (typeof MSI)[]) => {
      const outcome = run(version, [open(), attach('amd', reserved), info(4096)]).at(-1);
      return ((outcome && answerOf(outcome)?.hex) ?? '').length / 2;
    };
    expect(VERSIONS.map((version) => [needed(version, [MSI]), needed(version, regions)])).toEqual(
      VERSIONS.map((version) => (['5.10', '6.1'].includes(version) ? [116, 132] : [120, 136])),
    );
  });
});

describe('locked memory', () => {
  const close: Operation = { op: 'container.close', container: 'c' };
  const rets = (version: string, script: Script, memlock: bigint) =>
    run(version, script, memlock).map((outcome) => answerOf(outcome)?.ret);

  it('counts each mapping, and gives back what goes', () => {
    expect(
      rets(
        '7.3',
        [
          ...V2,
          map(0n, 0x2000n),
          map(0x10000n, 0x2000n),
          map(0x10000n, PAGE),
          unmap(0n, 0x2000n),
          map(0x20000n, 0x2000n),
        ],
        0x3fffn,
      ).slice(2),
    ).toEqual([0, '-ENOMEM', 0, 0, 0]);
  });

  it('counts pages until the hole behind them', () => {
    const hole = (present: bigint) => ({ memory: 'tail-hole', present: A(present) });
    const script = [
      ...V2,
      map(0n, 0x8000n, ['read'], USER, hole(0x4000n)),
      map(0n, 0x8000n, ['read'], USER, hole(0x3000n)),
    ];
    expect(rets('7.3', script, 0x3000n).slice(2)).toEqual(['-ENOMEM', '-EFAULT']);
  });

  it('does not count the BAR of a device', () => {
    const bar = map(0n, 0x10_0000n, ['read'], USER, { memory: 'pfnmap' });
    expect(
      rets('6.1', [...V2, bar, map(0x20_0000n, PAGE), unmap(0n, 0x10_0000n), map(0x20_1000n, PAGE)], 0x1000n).slice(2),
    ).toEqual([0, 0, 0, '-ENOMEM']);
  });

  it.each([
    ['6.17', '-ENOMEM'],
    ['6.18', 0],
  ])('of a mapping at the top is given back in %s: %s', (version, answer) => {
    const again = [open(), attach(), map(0n, PAGE)];
    expect(rets(version, [...V2, map(TOP(0x4000n), 0x4000n), close, ...again], 0x4000n).at(-1)).toBe(answer);
  });
});

describe('bugs of kernels up to 6.17 at the top of the space', () => {
  const hazards = (version: string, script: Script, memlock?: bigint) =>
    run(version, script, memlock).map((outcome) => (outcome.ok ? outcome.hazard?.rule : undefined));
  const detach: Operation = { op: 'container.detach_group', container: 'c', group: 'c' };

  it('an unmap below a mapping that overlaps it at the top may not return', () => {
    const script = [...V2, map(TOP(0x5000n), PAGE), map(TOP(0x8000n), 0x8000n), unmap(TOP(0x5000n), PAGE)];
    expect(run('6.12', script).every(({ ok }) => ok)).toBe(true);
    for (const version of ['6.1', '6.12', '6.17']) expect(hazards(version, script).at(-1)).toBe('unmap-never-returns');
    expect(hazards('6.18', script)).toEqual(script.map(() => undefined));
    // Mappings that do not overlap are no danger.
    const apart = [...V2, map(TOP(0x8000n), PAGE), map(TOP(0x5000n), 0x5000n), unmap(TOP(0x8000n), PAGE)];
    expect(hazards('6.12', apart)).toEqual(apart.map(() => undefined));
  });

  it('the pages of a mapping that ends at the top stay pinned', () => {
    const script = [...V2, map(TOP(0x2000n), 0x2000n), detach];
    for (const memlock of [undefined, 0x10000n]) {
      expect(hazards('6.12', script, memlock).at(-1)).toBe('pages-stay-pinned');
      expect(hazards('7.3', script, memlock).at(-1)).toBeUndefined();
    }
    const low = [...V2, map(0n, 0x2000n), detach];
    expect(hazards('6.12', low)).toEqual(low.map(() => undefined));
  });
});
