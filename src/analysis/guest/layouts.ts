// Where the machines of QEMU put a guest's memory, by RAM size. A layout is made of pieces: within a piece everything
// stands still but the end of one range of RAM, so that "which sizes fit?" has an exact answer.
//
//   q35    RAM from 0 up to 0xb0000000; with 0xb0000000 bytes or more only up to 0x80000000, the rest from 4 GiB on
//   pc     (i440fx) RAM from 0 up to 0xe0000000; with 0xe0000000 bytes or more only up to 0xc0000000, the rest likewise
//   virt   (arm64) RAM from 0x40000000 on; GIC at 0x8000000, PCI windows at 0x10000000 and 0x8000000000
//
// On AMD hosts QEMU 7.1 and later move what is above 4 GiB to 1 TiB if the guest's addresses would else reach the range
// below 1 TiB that HyperTransport takes (0xfd00000000): `relocated`. What counts is the end of RAM, rounded up to 1 GiB,
// and the hole for 64-bit PCI above it (2 GiB on pc, 32 GiB on q35).
import { formatSize, hex } from '../../iova/format.ts';
import { alignUp, IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, overlaps, range, rangeOfLength } from '../../iova/range.ts';
import type { RangeSet } from '../../iova/range-set.ts';

export type MachineName = 'q35' | 'pc' | 'virt' | 'q35-amd' | 'pc-amd';

/** A range of a guest layout. Only `isMapped` ones are mapped for DMA: RAM and ROM, not devices. */
export interface LayoutRange extends IovaRange {
  readonly name: string;
  /** As QEMU prints it: `ram`, `rom`, `i/o` … */
  readonly type: string;
}

export interface Machine {
  readonly name: MachineName;
  readonly title: string;
  /** The largest RAM in bytes for which a layout exists. */
  readonly most: bigint;
  /** The layout for so many bytes of RAM, 1 to `most`, ascending. */
  layout(ram: bigint): readonly LayoutRange[];
  /** Sizes of RAM from which on the layout is another: the first byte count of each piece, ascending, first 1. */
  readonly pieces: readonly bigint[];
}

const KIB = 1n << 10n;
const MIB = 1n << 20n;
const GIB = 1n << 30n;
const TIB = 1n << 40n;
const FOUR_GIB = 4n * GIB;
/** Where HyperTransport's range begins on AMD hosts. */
export const HYPERTRANSPORT = range(0xfd_0000_0000n, 0xff_ffff_ffffn);

function part(start: bigint, size: bigint, name: string, type: string): LayoutRange {
  const found = rangeOfLength(start, size);
  if (!found) throw new RangeError(`no range of ${size} bytes at ${hex(start)}`);
  return { ...found, name, type };
}

interface PcKind {
  readonly name: 'q35' | 'pc';
  readonly title: string;
  /** RAM of this size or more is split. */
  readonly splitFrom: bigint;
  /** Bytes below 4 GiB once it is split. */
  readonly low: bigint;
  /** Bytes that are left for 64-bit PCI above the RAM. */
  readonly hole64: bigint;
}

function pcMachine({ name, title, splitFrom, low, hole64 }: PcKind, isRelocating: boolean): Machine {
  const reaches = (ram: bigint) => alignUp(FOUR_GIB + ram - low, GIB) + hole64 - 1n >= HYPERTRANSPORT.start;
  // Both sides of the comparison are multiples of 1 GiB but for the last byte, so the rounding does not matter here.
  const relocatedFrom = HYPERTRANSPORT.start - hole64 - FOUR_GIB + low + 1n;
  return {
    name: isRelocating ? `${name}-amd` : name,
    title: isRelocating ? `${title} on AMD, RAM moved above 1 TiB when needed (QEMU 7.1 and later)` : title,
    most: IOVA_MAX - TIB,
    pieces: isRelocating ? [1n, splitFrom, relocatedFrom] : [1n, splitFrom],
    layout(ram) {
      const below = ram < splitFrom ? ram : low;
      const above = ram - below;
      // The first MiB has holes for video memory and firmware.
      const ranges = [part(0n, below < 640n * KIB ? below : 640n * KIB, 'pc.ram', 'ram')];
      if (below > 640n * KIB) ranges.push(part(640n * KIB, 128n * KIB, 'video memory', 'i/o'));
      if (below > 768n * KIB) ranges.push(part(768n * KIB, below - 768n * KIB, 'pc.ram', 'ram'));
      ranges.push(part(FOUR_GIB - 256n * KIB, 256n * KIB, 'pc.bios', 'rom'));
      if (above > 0n) ranges.push(part(isRelocating && reaches(ram) ? TIB : FOUR_GIB, above, 'pc.ram', 'ram'));
      return ranges;
    },
  };
}

const Q35: PcKind = {
  name: 'q35',
  title: 'q35 (x86)',
  splitFrom: 0xb000_0000n,
  low: 0x8000_0000n,
  hole64: 32n * GIB,
};
const PC: PcKind = {
  name: 'pc',
  title: 'pc, i440fx (x86)',
  splitFrom: 0xe000_0000n,
  low: 0xc000_0000n,
  hole64: 2n * GIB,
};

const VIRT_RAM = 0x4000_0000n;
const VIRT: Machine = {
  name: 'virt',
  title: 'virt (arm64)',
  most: IOVA_MAX - VIRT_RAM,
  pieces: [1n],
  layout(ram) {
    const end = VIRT_RAM + ram;
    // The high window stands above the RAM, at a multiple of its size.
    const high = end <= 0x80_0000_0000n ? 0x80_0000_0000n : alignUp(end, 0x80_0000_0000n);
    const ranges = [
      part(0x800_0000n, 2n * MIB, 'GIC', 'i/o'),
      part(0x1000_0000n, 0x2eff_0000n, 'PCI window', 'i/o'),
      part(VIRT_RAM, ram, 'mach-virt.ram', 'ram'),
    ];
    if (high + 0x80_0000_0000n <= IOVA_MAX) ranges.push(part(high, 0x80_0000_0000n, 'PCI window, 64-bit', 'i/o'));
    return ranges;
  },
};

export const MACHINES: Readonly<Record<MachineName, Machine>> = {
  q35: pcMachine(Q35, false),
  pc: pcMachine(PC, false),
  virt: VIRT,
  'q35-amd': pcMachine(Q35, true),
  'pc-amd': pcMachine(PC, true),
};

export const MACHINE_NAMES = Object.keys(MACHINES) as readonly MachineName[];

/** True for what a virtual machine monitor maps for DMA and cannot do without: memory, not devices. */
export function isGuestMemory(type: string): boolean {
  return type === 'ram' || type === 'rom' || type === 'nv-ram' || type === 'nvram';
}

/** True for a device's memory that is mapped directly: DMA to it is device to device, and guests live without. */
export function isGuestDeviceMemory(type: string): boolean {
  return type === 'ramd';
}

/** Sizes of RAM, first and last inclusive, in bytes. */
export interface FittingSizes {
  readonly least: bigint;
  readonly most: bigint;
}

/**
 * The sizes of RAM, ascending, for which no memory of the machine lies over `blocked` (disjoint, ascending). Exact to
 * the byte: within a piece of the layout only the end of the last range of RAM grows.
 */
export function fittingSizes(machine: Machine, blocked: RangeSet): FittingSizes[] {
  const isHit = (ram: bigint) =>
    machine.layout(ram).some((r) => isGuestMemory(r.type) && blocked.some((b) => overlaps(b, r)));
  const found: FittingSizes[] = [];
  for (const [index, first] of machine.pieces.entries()) {
    const next = machine.pieces[index + 1];
    const last = next === undefined ? machine.most : next - 1n;
    if (first > last || isHit(first)) continue;
    // Growing RAM never lets go of an address: the sizes that fit are the first ones of the piece.
    let fits = first;
    let hit = last + 1n;
    while (hit - fits > 1n) {
      const middle = (fits + hit) >> 1n;
      if (isHit(middle)) hit = middle;
      else fits = middle;
    }
    const before = found.at(-1);
    if (before && before.most + 1n === first) found[found.length - 1] = { least: before.least, most: fits };
    else found.push({ least: first, most: fits });
  }
  return found;
}

/** `up to 2 GiB, and 4 GiB to 1000 GiB`: the sizes in words. */
export function sizesInWords(sizes: readonly FittingSizes[]): string {
  if (sizes.length === 0) return 'none';
  return sizes
    .map(({ least, most }) =>
      least === 1n ? `up to ${formatSize(most)}` : `${formatSize(least)} to ${formatSize(most)}`,
    )
    .join(', and ');
}
