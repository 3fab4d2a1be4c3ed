// Where QEMU's PC machines, q35 and pc (i440fx), put the memory of a guest (hw/i386/pc.c, pc_q35.c, pc_piix.c of QEMU
// 1.4 to 10.1; the rules were compared with what QEMU 7.2 reports of its own machines, see layouts.test.ts).
//
//   low    q35: RAM from 0 up to 0xb0000000; with 0xb0000000 bytes or more only up to 0x80000000
//          pc:  RAM from 0 up to 0xe0000000; with 0xe0000000 bytes or more only up to 0xc0000000 (machines up to 1.7:
//               up to 0xe0000000 still)
//          max-ram-below-4g: q35 takes the lower of both. On pc it replaces 0xe0000000, and RAM that does not fit below
//          it ends at 0xc0000000 at the latest
//   high   the rest, from 4 GiB on
//   room   for hotplug (maxmem), above the high RAM, from a multiple of 1 GiB on: what is between maxmem and the RAM,
//          and 1 GiB more a slot (machines from 2.2 on)
//   hole   for 64-bit PCI, above all that, from a multiple of 1 GiB on: pci-hole64-size, else 32 GiB on q35, 2 GiB on pc
//
// Machines from 7.1 on put `high` at 1 TiB instead if the guest's CPU is AMD's and the hole would otherwise end in the
// range of HyperTransport below 1 TiB (0xfd00000000), which AMD's IOMMU does not translate.
//
// The first MiB: RAM, video memory at 0xa0000 if there is a VGA adapter (RAM otherwise), and 0xc0000-0xfffff, which is
// ROM at reset and RAM once firmware has copied itself there; both are mapped for DMA. What SMM hides at the top of the
// low RAM (up to 16 MiB, once firmware locks it) is no RAM for DMA either: firmware decides, so it is not in a layout.
import { alignUp } from '../../iova/iova.ts';
import { HYPERTRANSPORT_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { FOUR_GIB, GIB, KIB, type LayoutRange, part, TIB } from './layout.ts';
import { isAtLeast, type QemuVersion } from './machine-type.ts';

/** Sizes are bytes. */
export interface PcSetup {
  readonly chipset: 'q35' | 'pc';
  /** Version of the machine (`pc-q35-7.2`), not of QEMU. */
  readonly version: QemuVersion;
  readonly isAmd: boolean;
  /** Size of the hotplug area: maxmem minus the RAM. */
  readonly hotplug?: bigint;
  readonly slots?: number;
  /** 0: not given, as in QEMU. */
  readonly maxRamBelow4g?: bigint;
  readonly pciHole64?: bigint;
  /** Width of the guest CPU's physical addresses. At 32 bits and below QEMU does not count the hole. */
  readonly physBits?: number;
  /** False: RAM at 0xa0000 too. */
  readonly hasVga?: boolean;
}

/** A layout, and the last guest physical address that the machine may use, RAM or not. */
export interface PcLayout {
  readonly ranges: readonly LayoutRange[];
  readonly lastUsed: bigint;
}

const CHIPSETS = {
  q35: { splitFrom: 0xb000_0000n, low: 0x8000_0000n, hole64: 32n * GIB },
  pc: { splitFrom: 0xe000_0000n, low: 0xc000_0000n, hole64: 2n * GIB },
} as const;

/** The RAM size in bytes at which less of it is below 4 GiB than for smaller sizes; undefined if there is none. */
export function pcSplitFrom(setup: PcSetup): bigint | undefined {
  const { splitFrom, low } = CHIPSETS[setup.chipset];
  const limit = setup.maxRamBelow4g || undefined;
  if (setup.chipset === 'q35') return limit !== undefined && limit <= low ? undefined : splitFrom;
  if (!isGigabyteAligned(setup)) return undefined;
  const from = limit ?? splitFrom;
  return from > low ? from : undefined;
}

function isGigabyteAligned({ version }: PcSetup): boolean {
  return isAtLeast(version, 2, 0);
}

/** Bytes of RAM below 4 GiB. */
function lowRam(setup: PcSetup, ram: bigint): bigint {
  const { splitFrom, low } = CHIPSETS[setup.chipset];
  const limit = setup.maxRamBelow4g || undefined;
  let most: bigint;
  if (setup.chipset === 'q35') {
    most = ram >= splitFrom && isGigabyteAligned(setup) ? low : splitFrom;
    if (limit !== undefined && limit < most) most = limit;
  } else {
    most = limit ?? splitFrom;
    if (ram >= most && isGigabyteAligned(setup) && most > low) most = low;
  }
  return ram < most ? ram : most;
}

interface High {
  readonly start: bigint;
  readonly room: LayoutRange | undefined;
  readonly lastUsed: bigint;
}

/** The layout above 4 GiB if the high RAM of `size` bytes starts at `start`. */
function highFrom(setup: PcSetup, start: bigint, size: bigint): High {
  const { chipset, version, hotplug = 0n, slots = 0, pciHole64, physBits } = setup;
  let end = start + size;
  let room: LayoutRange | undefined;
  if (hotplug > 0n && isAtLeast(version, 2, 1)) {
    const perSlot = isAtLeast(version, 2, 2) ? BigInt(slots) * GIB : 0n;
    room = part(alignUp(end, GIB), hotplug + perSlot, 'room for hotplug', 'hotplug');
    end = isAtLeast(version, 2, 5) ? room.last + 1n : room.start;
  }
  const hole64 = pciHole64 ?? CHIPSETS[chipset].hole64;
  const lastUsed =
    physBits !== undefined && physBits <= 32 ? (1n << BigInt(physBits)) - 1n : alignUp(end, GIB) + hole64 - 1n;
  return { start, room, lastUsed };
}

function high(setup: PcSetup, size: bigint): High {
  const usual = highFrom(setup, FOUR_GIB, size);
  const isMoved = setup.isAmd && isAtLeast(setup.version, 7, 1) && usual.lastUsed >= HYPERTRANSPORT_RANGE.start;
  return isMoved ? highFrom(setup, TIB, size) : usual;
}

/** True if a guest with this many bytes of RAM has its high RAM at 1 TiB. */
export function isRelocated(setup: PcSetup, ram: bigint): boolean {
  return high(setup, ram - lowRam(setup, ram)).start === TIB;
}

/** The layout for this many bytes of RAM, at least 1; ranges ascend. Throws a RangeError if it exceeds 64 bits. */
export function pcLayout(setup: PcSetup, ram: bigint): PcLayout {
  const low = lowRam(setup, ram);
  const above = high(setup, ram - low);
  const video = setup.hasVga === false ? 0n : 128n * KIB;
  const before = 768n * KIB - video;
  const ranges = [part(0n, low < before || video === 0n ? low : before, 'pc.ram', 'ram')];
  if (video > 0n && low > before) ranges.push(part(before, video, 'video memory', 'i/o'));
  if (video > 0n && low > 768n * KIB) ranges.push(part(768n * KIB, low - 768n * KIB, 'pc.ram', 'ram'));
  const bios = (isGigabyteAligned(setup) ? 256n : 128n) * KIB;
  ranges.push(part(FOUR_GIB - bios, bios, 'pc.bios', 'rom'));
  if (ram > low) ranges.push(part(above.start, ram - low, 'pc.ram', 'ram'));
  if (above.room) ranges.push(above.room);
  return { ranges, lastUsed: above.lastUsed };
}
