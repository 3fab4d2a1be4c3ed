// What iommufd of several kernels answers where they differ.
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { OperationOf, ReservedRegion } from '../../session/events.ts';
import type { Outcome } from '../model.ts';
import { answerOf } from '../replay/replay.ts';
import { Script } from '../testing/run.ts';
import { type ChangeName, changesOf, kernelRules, NEWEST_RULES, withChange } from '../version-changes.ts';
import { IommufdModel } from './model.ts';

const PAGE = 0x1000n;
const USER = 0x10_0000_0000n;
const HUGE = 0x20_0000n;

function fresh(version: string | undefined, rules = kernelRules(version)): Script {
  const script = new Script(new IommufdModel({ page: PAGE, hugePage: HUGE, rules }));
  script.alloc();
  return script;
}

function retOf(outcome: Outcome): string {
  const answer = answerOf(outcome);
  return answer?.iova === undefined ? String(answer?.ret) : `0x${answer.iova.toString(16)}`;
}

/** A map of a file: its offset, length, and what else; what 7.3 answers. */
const MAP_FILE: readonly (readonly [string, bigint, bigint, Partial<OperationOf<'ioas.map_file'>>, string])[] = [
  ['an IOVA of 2^64-1', 0n, PAGE, { iova: IOVA_MAX as Iova }, '-EOVERFLOW'],
  ['a length of 2^64-1', 0n, IOVA_MAX, {}, '-EOVERFLOW'],
  ['a length of 2^64-1 without permissions', 0n, IOVA_MAX, { flags: ['fixed'] }, '-EOVERFLOW'],
  ['no permissions', 0n, PAGE, { flags: ['fixed'] }, '-EINVAL'],
  ['no byte', 0n, 0n, {}, '-EINVAL'],
  ['a range of the file that ends above 2^64', IOVA_MAX - PAGE + 1n, 2n * PAGE, {}, '-EOVERFLOW'],
  ['a length near 2^64', 0n, IOVA_MAX - PAGE + 1n, {}, '-EINVAL'],
  ['past the end of the file, without a device', 0n, 0x3000n, { file_size: 0x2801n as Iova }, '0x10000'],
  ['a file that is not open', 0n, PAGE, { memory: 'no-file' }, '-EBADF'],
  ['a chosen IOVA', 0n, PAGE, { flags: ['read'], iova: undefined }, '0x1000'],
];

const ROWS: readonly {
  readonly name: string;
  readonly run: (s: Script) => Outcome;
  /** Versions with their answers; the last one is also that of the newest known rules. */
  readonly answers: readonly (readonly [string, string])[];
}[] = [
  {
    name: 'a length near 2^64 with memory that wraps',
    run: (s) => s.map(USER, IOVA_MAX - PAGE + 1n, 0n),
    answers: [
      ['6.12', '-EINVAL'],
      ['7.1', '-EINVAL'],
      ['7.3', '-EOVERFLOW'],
    ],
  },
  {
    name: 'memory that wraps, with a length that is allowed',
    run: (s) => s.map(IOVA_MAX - PAGE + 1n, PAGE, 0n),
    answers: [
      ['6.12', '-EOVERFLOW'],
      ['7.3', '-EOVERFLOW'],
    ],
  },
  {
    name: 'the alignment of a chosen IOVA',
    run: (s) => s.map(0x4000_0000n, 0x4000_0000n),
    answers: [
      ['6.6.102', '0x40000000'],
      ['6.6.103', '0x200000'],
      ['6.12.42', '0x40000000'],
      ['6.12.43', '0x200000'],
      ['6.12', '0x200000'],
      ['6.14', '0x40000000'],
      ['6.16.1', '0x40000000'],
      ['6.16.2', '0x200000'],
      ['6.17', '0x200000'],
      ['7.3', '0x200000'],
    ],
  },
  {
    name: 'a gap where rounding wraps',
    run: (s) => {
      // Everything but 64 KiB at the top is taken; 2 GiB rounded up from there is 0.
      s.map(0n, IOVA_MAX - 0x1_ffffn, 0n);
      return s.map(0n, 0x1_0000n, undefined, 'rw');
    },
    answers: [
      ['6.12.42', '0xfffffffffffe0000'],
      ['6.12.43', '0xfffffffffffe0000'],
      ['7.3', '0xfffffffffffe0000'],
    ],
  },
  {
    name: 'rounding that wraps to an IOVA that is taken',
    run: (s) => {
      s.map(0n, IOVA_MAX - 0x1_8fffn, 0n);
      // 0x9000 bytes want a multiple of 64 KiB; the gap begins 4 KiB above one.
      return s.map(0n, 0x1_0001n);
    },
    answers: [
      ['6.12.42', '0x0'],
      ['6.12.43', '-ENOSPC'],
      ['7.3', '-ENOSPC'],
    ],
  },
  {
    name: 'a gap of one byte',
    run: (s) => {
      s.reserve(0n, 0x5000n);
      s.reserve(0x5001n, IOVA_MAX - 0x5000n);
      return s.map(0n, 1n);
    },
    answers: [
      ['6.12.42', '0x5000'],
      ['6.12.43', '-ENOSPC'],
      ['7.3', '-ENOSPC'],
    ],
  },
  {
    name: 'map_file',
    run: (s) => s.mapFile(0n, PAGE, 0x10000n),
    answers: [
      ['6.12', '-ENOTTY'],
      ['6.13', '0x10000'],
      ['7.3', '0x10000'],
    ],
  },
  {
    name: 'a range of a file up to 2^64, which a map refuses',
    run: (s) => s.mapFile(IOVA_MAX - PAGE + 1n, PAGE, 0x10000n),
    answers: [
      ['6.12', '-ENOTTY'],
      ['6.13', '0x10000'],
      ['7.3', '0x10000'],
    ],
  },
  ...MAP_FILE.map(([what, start, length, more, answer]) => ({
    name: `map_file: ${what}`,
    run: (s: Script) => s.mapFile(start, length, 0x10000n, more),
    answers: [
      ['6.12', '-ENOTTY'],
      ['7.3', answer],
    ] as const,
  })),
  {
    name: 'flag pasid of a page table',
    run: (s) => {
      s.attach('dev');
      return s.pageTable('dev', ['pasid']);
    },
    answers: [
      ['6.12', '-EOPNOTSUPP'],
      ['7.3', '0'],
    ],
  },
  {
    name: 'a writable file on a disk',
    run: (s) => {
      s.attach('dev');
      return s.map(USER, PAGE, 0x10000n, 'rw', 'a', { memory: 'disk-file' });
    },
    answers: [
      ['6.6', '0x10000'],
      ['6.12', '-EFAULT'],
      ['7.3', '-EFAULT'],
    ],
  },
  {
    name: 'a region of another device of the group, which was attached before',
    run: (s) => {
      const attach = (device: string, reserved: readonly ReservedRegion[]) =>
        s.run({
          op: 'device.attach',
          device,
          ioas: 'a',
          group: '7',
          domain: { iommu: 'm', aperture: [0n as Iova, IOVA_MAX], pgsize_bitmap: PAGE as Iova },
          reserved: [...reserved],
        });
      attach('usb', [{ start: 0x10000n as Iova, last: 0x1ffffn as Iova, type: 'direct' }]);
      s.detach('usb');
      attach('nic', []);
      return s.map(USER, PAGE, 0x10000n);
    },
    answers: [
      ['6.2', '-EINVAL'],
      ['6.4', '-EINVAL'],
      ['6.5', '0x10000'],
      ['7.3', '0x10000'],
    ],
  },
  {
    name: 'a source of 2^64-1',
    run: (s) => s.copy(IOVA_MAX, 0n),
    answers: [
      ['6.12', '-EOVERFLOW'],
      ['7.3', '-EOVERFLOW'],
    ],
  },
];

describe('iommufd by version', () => {
  it.each(ROWS)('$name', ({ run, answers }) => {
    expect(answers.map(([version]) => [version, retOf(run(fresh(version)))])).toEqual(answers);
    expect(retOf(run(fresh(undefined)))).toBe(answers.at(-1)?.[1]);
  });

  it('has a row for every change', () => {
    const differs = (change: ChangeName) =>
      ROWS.some(({ run }) => {
        const [old, now] = [false, true].map((has) => retOf(run(fresh('', withChange(NEWEST_RULES, change, has)))));
        return old !== now;
      });
    expect(changesOf('iommufd').filter((change) => !differs(change))).toEqual([]);
  });

  it('reports ranges up to a capacity', () => {
    const s = fresh('7.3');
    s.reserve(0x1000n, 0x1000n);
    s.reserve(0x8000n, 0x1000n);
    const answer = (capacity?: number) => answerOf(s.ranges(capacity));
    const common = { alignment: 1n as Iova, num_iovas: 3 };
    const all = [
      [0n, 0xfffn],
      [0x2000n, 0x7fffn],
      [0x9000n, IOVA_MAX],
    ];
    expect(answer(0)).toEqual({ ret: '-EMSGSIZE', ...common, ranges: [] });
    expect(answer(2)).toEqual({ ret: '-EMSGSIZE', ...common, ranges: all.slice(0, 2) });
    expect(answer(3)).toEqual({ ret: 0, ...common, ranges: all });
    expect(answer()).toEqual({ ret: 0, alignment: 1n, ranges: all });
  });
});
