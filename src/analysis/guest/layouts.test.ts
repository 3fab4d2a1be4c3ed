import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { overlaps, range } from '../../iova/range.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { isGuestMemory } from './layout.ts';
import { fittingSizes, MACHINE_NAMES, MACHINES, sizesLabel } from './layouts.ts';

const GIB = 1n << 30n;
const ram = (name: keyof typeof MACHINES, size: bigint) =>
  MACHINES[name]
    .layout(size)
    .filter((r) => r.type === 'ram')
    .map((r) => [r.start, r.last]);

describe('layouts', () => {
  test('q35: the rest from 4 GiB on once there are 0xb0000000 bytes', () => {
    expect(ram('q35', 0xb000_0000n - 1n)).toEqual([
      [0n, 0x9_ffffn],
      [0xc_0000n, 0xafff_fffen],
    ]);
    expect(ram('q35', 0xb000_0000n)).toEqual([
      [0n, 0x9_ffffn],
      [0xc_0000n, 0x7fff_ffffn],
      [0x1_0000_0000n, 0x1_2fff_ffffn],
    ]);
  });

  test('pc: the rest from 4 GiB on once there are 0xe0000000 bytes', () => {
    expect(ram('pc', 0xe000_0000n - 1n).at(-1)).toEqual([0xc_0000n, 0xdfff_fffen]);
    expect(ram('pc', 0xe000_0000n).slice(1)).toEqual([
      [0xc_0000n, 0xbfff_ffffn],
      [0x1_0000_0000n, 0x1_1fff_ffffn],
    ]);
  });

  test('virt: from 0x40000000 on, with its windows below and above', () => {
    const layout = MACHINES.virt.layout(4n * GIB);
    expect(layout.map((r) => [r.name, r.start, r.last])).toEqual([
      ['GIC', 0x800_0000n, 0x81f_ffffn],
      ['PCI window', 0x1000_0000n, 0x3efe_ffffn],
      ['mach-virt.ram', 0x4000_0000n, 0x1_3fff_ffffn],
      ['PCI window, 64-bit', 0x80_0000_0000n, 0xff_ffff_ffffn],
    ]);
    // The high window moves up when the RAM reaches it.
    expect(MACHINES.virt.layout(600n * GIB).at(-1)?.start).toBe(0x100_0000_0000n);
  });

  test('on AMD the memory above 4 GiB moves to 1 TiB when the guest would reach the range of HyperTransport', () => {
    // 1012 GiB less the hole for PCI (2 GiB) less the 4 GiB below, plus the 3 GiB that are below.
    expect(ram('pc-amd', 1009n * GIB).at(-1)?.[0]).toBe(0x1_0000_0000n);
    expect(ram('pc-amd', 1009n * GIB + 1n).at(-1)?.[0]).toBe(0x100_0000_0000n);
    expect(ram('q35-amd', 978n * GIB).at(-1)?.[0]).toBe(0x1_0000_0000n);
    expect(ram('q35-amd', 978n * GIB + 1n).at(-1)?.[0]).toBe(0x100_0000_0000n);
    expect(ram('q35', 2048n * GIB).at(-1)?.[0]).toBe(0x1_0000_0000n);
  });

  test('all RAM is there, and nothing overlaps', () => {
    fc.assert(
      fc.property(fc.constantFrom(...MACHINE_NAMES), fc.bigInt(1n, 1n << 45n), (name, size) => {
        const layout = MACHINES[name].layout(size);
        const total = layout.filter((r) => r.type === 'ram').reduce((sum, r) => sum + (r.last - r.start + 1n), 0n);
        // Below 1 MiB a part of a PC's RAM is hidden behind the video memory.
        const hidden = name === 'virt' ? 0n : size > 0xc_0000n ? 0x2_0000n : size > 0xa_0000n ? size - 0xa_0000n : 0n;
        expect(total).toBe(size - hidden);
        for (const [i, a] of layout.entries()) for (const b of layout.slice(i + 1)) expect(overlaps(a, b)).toBe(false);
      }),
    );
  });
});

describe('fittingSizes', () => {
  test('the four gigabyte guest of arm64 on x86: up to the MSI window', () => {
    const sizes = fittingSizes(MACHINES.virt, [range(0xfee0_0000n, 0xfeef_ffffn)]);
    expect(sizes).toEqual([{ min: 1n, max: 0xfee0_0000n - 0x4000_0000n }]);
    expect(sizesLabel(sizes)).toBe('up to ≈ 2.98 GiB');
  });

  test('q35 with something at 0x90000000: sizes in between do not fit, larger ones do again', () => {
    const sizes = fittingSizes(MACHINES.q35, [range(0x9000_0000n, 0x9000_0fffn)]);
    expect(sizes[0]).toEqual({ min: 1n, max: 0x9000_0000n });
    expect(sizes[1]).toEqual({ min: 0xb000_0000n, max: MACHINES.q35.maxRam });
  });

  test('the hole below 1 TiB: 1010 GiB without moving, any size with', () => {
    const blocked = [range(0xfd_0000_0000n, 0xff_ffff_ffffn)];
    expect(fittingSizes(MACHINES.q35, blocked)).toEqual([{ min: 1n, max: 1010n * GIB }]);
    expect(fittingSizes(MACHINES['q35-amd'], blocked)).toEqual([{ min: 1n, max: MACHINES['q35-amd'].maxRam }]);
  });

  test('nothing fits where the first byte is blocked', () => {
    expect(fittingSizes(MACHINES.q35, [range(0n, 0xfffn)])).toEqual([]);
    expect(sizesLabel([])).toBe('none');
  });

  test('a size is in the answer exactly if its layout touches nothing blocked', () => {
    const blockedRange = fc
      .tuple(fc.bigInt(0n, 1n << 41n), fc.bigInt(0n, 1n << 32n))
      .map(([start, more]) => range(start, start + more));
    fc.assert(
      fc.property(
        fc.constantFrom(...MACHINE_NAMES),
        fc.array(blockedRange, { maxLength: 4 }),
        fc.bigInt(1n, 1n << 41n),
        fc.boolean(),
        (name, list, any, atEdge) => {
          const machine = MACHINES[name];
          const blocked = rangeSet(list);
          const sizes = fittingSizes(machine, blocked);
          const edge = sizes[0]?.max ?? any;
          for (const size of atEdge ? [edge, edge + 1n] : [any]) {
            if (size < 1n || size > machine.maxRam) continue;
            const touches = machine
              .layout(size)
              .some((r) => isGuestMemory(r.type) && blocked.some((b) => overlaps(b, r)));
            expect(sizes.some(({ min, max }) => min <= size && size <= max)).toBe(!touches);
          }
        },
      ),
    );
  });
});
