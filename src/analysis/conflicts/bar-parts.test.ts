import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { bar, conflictsOf, guest, map, request, window } from '../testing/facts.ts';
import { barPartConflicts, barPartSentence } from './bar-parts.ts';

const at = (start: bigint, last: bigint, paddr: bigint) => map(start, last, { paddr: iova(paddr) });
/** A BAR of 16 MiB whose MSI-X table is at 0x6000. */
const SPLIT = [at(0xf800_0000n, 0xf800_5fffn, 0xfa00_0000n), at(0xf800_7000n, 0xf8ff_ffffn, 0xfa00_7000n)];
const TABLE = window(0xfa00_6000n, 0xfa00_60ffn, 'mmio', 'MSI-X table of 0000:84:00.0', { depth: 1 });
const holesIn = (...events: SessionEvent[]) =>
  conflictsOf(events)
    .filter(({ rule }) => rule === 'bar-in-parts')
    .map(({ answer }) => answer);

describe('a hole in a BAR', () => {
  test('is explained where two maps of one BAR leave a page', () => {
    expect(holesIn(...SPLIT)).toEqual([
      '0xf8006000-0xf8006fff (4 KiB) is not mapped, in the middle of a BAR at 0xf8000000-0xf8ffffff: it is where the MSI-X table of the device must be, which QEMU emulates and does not map. It is no error: only peer-to-peer DMA to these pages does not work.',
    ]);
  });

  test('is named by the table that lspci lists, by the address of the host or of the guest', () => {
    expect(holesIn(TABLE, ...SPLIT)[0]).toContain('where the MSI-X table of 0000:84:00.0 is');
    const inGuest = window(0xf800_6000n, 0xf800_60ffn, 'mmio', 'MSI-X table of 0000:00:05.0', { depth: 1 });
    expect(holesIn(inGuest, ...SPLIT)[0]).toContain('where the MSI-X table of 0000:00:05.0 is');
    const elsewhere = window(0xfa00_8000n, 0xfa00_80ffn, 'mmio', 'MSI-X table of 0000:84:00.0', { depth: 1 });
    expect(holesIn(elsewhere, ...SPLIT)[0]).toContain('must be');
  });

  test('is found between refused requests, and twice where table and pending bits are apart', () => {
    const vaddr = iova(0x7f00_0000_0000n);
    const parts = [
      request(0x580_0000_0000n, 0x580_00b8_ffffn, '-EFAULT', { vaddr }),
      request(0x580_00ba_0000n, 0x580_00ff_ffffn, '-EFAULT', { vaddr: iova(vaddr + 0xba_0000n) }),
    ];
    expect(holesIn(...parts)[0]).toContain('0x58000b90000-0x58000b9ffff (64 KiB)');
    const three = [
      at(0x1_0000n, 0x1_1fffn, 0x51_0000n),
      at(0x1_3000n, 0x1_7fffn, 0x51_3000n),
      at(0x1_9000n, 0x1_ffffn, 0x51_9000n),
    ];
    expect(holesIn(...three)).toHaveLength(2);
  });

  test('is not assumed in other memory', () => {
    // Not the same memory, larger than a table, no shape of a BAR, or read from page tables.
    expect(holesIn(SPLIT[0] as SessionEvent, at(0xf800_7000n, 0xf8ff_ffffn, 0xfb00_7000n))).toEqual([]);
    expect(holesIn(at(0n, 0x9_ffffn, 0n), at(0xc_0000n, 0xf_ffffn, 0xc_0000n))).toEqual([]);
    expect(holesIn(at(0x1000n, 0x1fffn, 0x1000n), at(0x3000n, 0x4fffn, 0x3000n))).toEqual([]);
    expect(holesIn(map(0xf800_0000n, 0xf800_5fffn), map(0xf800_7000n, 0xf8ff_ffffn))).toEqual([]);
    expect(holesIn(...SPLIT.map((fact) => ({ ...fact, origin: 'page-table' })))).toEqual([]);
  });

  test('any shape counts inside of a BAR that lspci lists', () => {
    const parts = [at(0x1000n, 0x1fffn, 0xa000_1000n), at(0x3000n, 0x4fffn, 0xa000_3000n)];
    const [found] = holesIn(bar(0xa000_0000n, 0xa000_ffffn), ...parts);
    expect(found).toMatch(
      /^0x2000-0x2fff \(4 KiB\) is not mapped, in the middle of BAR 0 of 0000:01:00\.0 \(0x1000-0x4fff\)/,
    );
    expect(holesIn(bar(0xa000_0000n, 0xa000_3fffn), ...parts)).toEqual([]);
  });

  test('is explained in the flat view of a guest, by the name of the BAR', () => {
    const layout = (second: string) => ({
      ...guest(0n, 0n),
      ranges: [
        { ...range(0xfe00_0000n, 0xfe00_1fffn), name: '0000:01:00.0 BAR 1 mmaps[0]', type: 'ramd' },
        { ...range(0xfe00_2000n, 0xfe00_202fn), name: 'msix-table', type: 'i/o' },
        { ...range(0xfe00_3000n, 0xfe00_3fffn), name: second, type: 'ramd' },
      ],
    });
    const host = { bars: [], windows: [] };
    const found = (second: string) =>
      barPartConflicts({ host: host as never }, [], [layout(second)]).map(({ title }) => title);
    expect(found('0000:01:00.0 BAR 1 mmaps[0] @0000000000003000')).toEqual([
      '0xfe002000-0xfe002fff (4 KiB) inside 0000:01:00.0 BAR 1 (0xfe000000-0xfe003fff) is not mapped: MSI-X table',
    ]);
    expect(found('0000:01:00.0 BAR 3 mmaps[0]')).toEqual([]);
    expect(found('pc.ram')).toEqual([]);
  });
});

describe('a part of a BAR', () => {
  test('is named with the pages that are missing at one of its ends', () => {
    expect(barPartSentence(range(0x3800_0000_1000n, 0x3800_0000_3fffn))).toBe(
      'It is a part of a BAR of 16 KiB at 0x380000000000: 0x380000000000-0x380000000fff (4 KiB) is probably where its MSI-X table is, which QEMU does not map.',
    );
    expect(barPartSentence(range(0x4000n, 0x6fffn))).toContain('0x7000-0x7fff (4 KiB)');
  });

  test('is not what has the shape of a BAR, or lacks more than a table', () => {
    expect(barPartSentence(range(0x4000n, 0x7fffn))).toBe('');
    expect(barPartSentence(range(0x580_0000_0000n, 0x580_00b8_ffffn))).toBe('');
    expect(barPartSentence(range(0x5000n, 0x6fffn))).toBe('');
    expect(barPartSentence(range(0n, 2n ** 64n - 0x1001n))).toContain('0xfffffffffffff000-0xffffffffffffffff');
  });
});
