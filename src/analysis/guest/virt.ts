// Where QEMU's machine `virt` puts the memory of a guest: of 64-bit ARM (hw/arm/virt.c, QEMU 3.0 to 10.1), and of RISC-V
// (hw/riscv/virt.c).
//
//   0x8000000     GIC
//   0x10000000    PCI window below 1 GiB
//   0x40000000    RAM, in one piece regardless of its size
//   above         room for hotplug (maxmem) from a multiple of 1 GiB on, 1 GiB more a slot; then, not below 256 GiB, what
//                 `highmem` brings, each at a multiple of its own size: 64 MiB of GIC redistributors, 256 MiB of PCI
//                 configuration space, a PCI window of 512 GiB
//
// With `highmem=off` addresses have 32 bits: more RAM (or room) than 3 GiB is refused. What the CPU's physical addresses
// do not reach is left out, or refused if it is RAM. RISC-V: RAM from 0x80000000 on, PCI windows at 0x40000000 and,
// behind the RAM, at a multiple of 16 GiB.
import { alignUp, IOVA_MAX } from '../../iova/iova.ts';
import { GIB, type LayoutRange, MIB, part } from './layout.ts';

/** Sizes are bytes. */
export interface VirtSetup {
  readonly arch: 'arm64' | 'riscv64';
  readonly highmem: boolean;
  /** `highmem-mmio`: false leaves out the PCI window above RAM. */
  readonly hasHighWindow?: boolean;
  /** `compact-highmem` (machines from 7.2 on): absent regions take no addresses. */
  readonly isCompact?: boolean;
  /** Size of the hotplug area: maxmem minus the RAM. */
  readonly hotplug?: bigint;
  readonly slots?: number;
  /** Width of physical addresses, if known. `highmem=off` makes it 32. */
  readonly physBits?: number;
}

/** A layout, the last address of RAM and the hotplug area, and the width that it must fit into, if known. */
export interface VirtLayout {
  readonly ranges: readonly LayoutRange[];
  readonly lastUsed: bigint;
  readonly width: number | undefined;
}

export const VIRT_RAM = { arm64: 0x4000_0000n, riscv64: 0x8000_0000n } as const;
/** The regions above RAM start here at the lowest, as in early machines. */
const HIGH_FROM = 256n * GIB;
const WINDOW_SIZE = 512n * GIB;
const RISCV_WINDOW_SIZE = 16n * GIB;

/** The layout for this many bytes of RAM, at least 1; ranges ascend. Throws a RangeError if RAM exceeds 64 bits. */
export function virtLayout(setup: VirtSetup, ram: bigint): VirtLayout {
  return setup.arch === 'arm64' ? armLayout(setup, ram) : riscvLayout(ram);
}

function armLayout(setup: VirtSetup, ram: bigint): VirtLayout {
  const { highmem, hotplug = 0n, slots = 0 } = setup;
  const width = highmem ? setup.physBits : Math.min(32, setup.physBits ?? 32);
  const ramStart = VIRT_RAM.arm64;
  const ranges = [
    part(0x800_0000n, 2n * MIB, 'GIC', 'i/o'),
    part(0x1000_0000n, 0x2eff_0000n, 'PCI window', 'i/o'),
    part(ramStart, ram, 'mach-virt.ram', 'ram'),
  ];
  const roomStart = alignUp(ramStart + ram, GIB);
  const roomSize = hotplug > 0n || slots > 0 ? hotplug + BigInt(slots) * GIB : 0n;
  if (roomSize > 0n) ranges.push(part(roomStart, roomSize, 'room for hotplug', 'hotplug'));
  const top = roomStart + alignUp(roomSize, GIB);
  const window = highmem ? highWindow(setup, top, width) : undefined;
  if (window) ranges.push(window);
  return { ranges, lastUsed: top - 1n, width };
}

/** The PCI window above RAM that ends at `top`, if addresses reach it. */
function highWindow(setup: VirtSetup, top: bigint, width: number | undefined): LayoutRange | undefined {
  if (setup.hasHighWindow === false) return undefined;
  const limit = width === undefined ? IOVA_MAX + 1n : 1n << BigInt(width);
  let base = top < HIGH_FROM ? HIGH_FROM : top;
  for (const size of [64n * MIB, 256n * MIB]) {
    const start = alignUp(base, size);
    if (setup.isCompact !== true || start + size <= limit) base = start + size;
  }
  const start = alignUp(base, WINDOW_SIZE);
  return start + WINDOW_SIZE <= limit ? part(start, WINDOW_SIZE, 'PCI window, 64-bit', 'i/o') : undefined;
}

function riscvLayout(ram: bigint): VirtLayout {
  const end = VIRT_RAM.riscv64 + ram;
  const window = alignUp(end, RISCV_WINDOW_SIZE);
  const ranges = [
    part(0x4000_0000n, 0x4000_0000n, 'PCI window', 'i/o'),
    part(VIRT_RAM.riscv64, ram, 'riscv_virt_board.ram', 'ram'),
  ];
  if (window + RISCV_WINDOW_SIZE <= IOVA_MAX) {
    ranges.push(part(window, RISCV_WINDOW_SIZE, 'PCI window, 64-bit', 'i/o'));
  }
  return { ranges, lastUsed: end - 1n, width: undefined };
}
