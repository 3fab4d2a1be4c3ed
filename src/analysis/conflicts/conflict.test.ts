import { beforeAll, describe, expect, test } from 'vitest';
import { loadLaterDiagnostics } from '../../dumps/diagnostics.ts';
import { hexRange } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { conflictsOf, fault, MSI, request } from '../testing/facts.ts';
import { CONFLICT_RULES, describeRange, joinGroups, joinNames, markOf, refusedBy } from './conflict.ts';

// As the dumps that such facts come from do.
beforeAll(loadLaterDiagnostics);

describe('texts', () => {
  test('names in a sentence', () => {
    expect(joinNames([])).toBe('');
    expect(joinNames(['a'])).toBe('a');
    expect(joinNames(['a', 'b'])).toBe('a and b');
    expect(joinNames(['a', 'b', 'c'])).toBe('a, b and c');
    expect(joinNames(['a', 'b', 'c', 'd'])).toBe('a, b and 2 more');
    expect(joinNames(['a', 'b', 'c'], 2)).toBe('a and 2 more');
    expect(joinNames(['a', 'b', 'c', 'd'], 4)).toBe('a, b, c and d');
  });

  test('groups in a sentence: runs, and a number where there are too many of them', () => {
    const numbers = (from: number, count: number, by = 1) =>
      Array.from({ length: count }, (_, i) => String(from + i * by));
    expect(joinGroups(['7'])).toBe('group 7');
    expect(joinGroups(['0', '1'])).toBe('groups 0 and 1');
    expect(joinGroups([...numbers(0, 6), '9', ...numbers(20, 400)])).toBe('groups 0 to 5, 9 and 20 to 419');
    expect(joinGroups(numbers(0, 6, 2))).toBe('groups 0, 2, 4, 6, 8 and 10');
    expect(joinGroups(numbers(0, 1200, 2))).toBe('1,200 groups (0, 2, 4 and 1197 more)');
  });

  test('ranges', () => {
    expect(describeRange(range(0xfee0_0000n, 0xfeef_ffffn))).toBe('0xfee00000-0xfeefffff (1 MiB)');
    expect(hexRange(range(0xfee0_0000n, 0xfeef_ffffn))).toBe('0xfee00000-0xfeefffff');
  });

  test('a mark takes the bounds only', () => {
    const named = { ...range(1n, 2n), name: 'x' };
    expect(markOf('obstacle', named, 'm')).toEqual({ role: 'obstacle', ...range(1n, 2n), message: 'm' });
  });
});

test('errno and source come from the rule book', () => {
  expect(refusedBy('mapping-limit')).toEqual({ errno: 'ENOSPC', source: 'Linux 6.12, vfio_dma_do_map' });
  expect(refusedBy('unmap-cuts-mapping', { api: 'iommufd' }).errno).toBe('ENOENT');
});

test('the list of rules has no double, in alphabetical order', () => {
  expect([...CONFLICT_RULES]).toEqual([...new Set(CONFLICT_RULES)].sort());
});

describe('complaints', () => {
  const diagnostic = (
    message: string,
    code = 'qemu-no-iommu',
    severity: 'warning' | 'error' = 'error',
  ): SessionEvent => ({
    kind: 'diagnostic',
    severity,
    code,
    message,
    source: 'log',
    line: 1,
  });

  test('are passed on as they are, with a fix if one is known', () => {
    const [first, second] = conflictsOf([diagnostic('no IOMMU'), diagnostic('too little', 'memlock-limit', 'warning')]);
    expect(first).toEqual({
      id: 'complaint qemu-no-iommu no IOMMU',
      rule: 'qemu-no-iommu',
      severity: 'fatal',
      title: 'no IOMMU',
      message: 'Reported by the program or the kernel, not verified.',
      remedy: "Check the lines around it, and add the host's reserved_regions and its kernel log from the same time.",
      marks: [],
      provenance: [{ source: 'log', line: 1 }],
      answer: 'No IOMMU.',
    });
    expect(second).toMatchObject({ severity: 'warning', remedy: expect.stringContaining('RLIMIT_MEMLOCK') });
  });

  test('long ones are cut in the title', () => {
    expect(conflictsOf([diagnostic('x'.repeat(160))])[0]?.title).toBe('x'.repeat(160));
    expect(conflictsOf([diagnostic('x'.repeat(161))])[0]?.title).toBe(`${'x'.repeat(160)}…`);
  });

  test('50 are listed', () => {
    expect(conflictsOf(Array.from({ length: 60 }, (_, i) => diagnostic(`m${i}`)))).toHaveLength(50);
  });
});

test('the order: failing requests, faults, what is harmless; each as it happened', () => {
  const found = conflictsOf([
    fault(0x9000_0000n),
    fault(0x8000_0000n),
    request(0x2000n, 0x2fffn, '-EIO', { name: 'pc.ram' }),
    request(0x1000n, 0x1fffn, '-EIO', { name: 'pc.ram' }),
    request(0n, 0xfffn, '-EEXIST', { name: 'BAR 0' }),
    MSI,
  ]);
  expect(found.map(({ severity, marks: [mark] }) => [severity, mark?.start])).toEqual([
    ['fatal', 0x2000n],
    ['fatal', 0x1000n],
    ['warning', 0x9000_0000n],
    ['warning', 0x8000_0000n],
    ['note', 0n],
  ]);
});
