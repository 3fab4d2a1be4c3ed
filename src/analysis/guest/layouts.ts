// Machines as functions of the RAM size. The sizes are divided into pieces: within a piece, only the end of one range of RAM
// moves, so that "which sizes fit?" has an exact answer. The rules are in pc.ts, virt.ts and other-monitors.ts.
import { formatSize } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { overlapsSet, type RangeSet } from '../../iova/range-set.ts';
import { FOUR_GIB, GIB, isGuestMemory, type LayoutRange, TIB } from './layout.ts';
import { NEWEST } from './machine-type.ts';
import { SPLITS, type SplitName, splitLayout } from './other-monitors.ts';
import { isRelocated, type PcSetup, pcLayout, pcSplitFrom } from './pc.ts';
import { VIRT_RAM, type VirtSetup, virtLayout } from './virt.ts';

export type MachineName = 'q35' | 'pc' | 'virt' | 'q35-amd' | 'pc-amd';

export interface Machine {
  readonly name: string;
  readonly title: string;
  /** The largest RAM in bytes for which a layout exists. */
  readonly maxRam: bigint;
  /** The layout for this many bytes of RAM, 1 to `maxRam`; ranges ascend. */
  layout(ram: bigint): readonly LayoutRange[];
  /** The last guest physical address that it may use with this much RAM, including device windows. */
  lastUsed(ram: bigint): bigint;
  /** RAM sizes at which the layout changes: the first byte count of each piece, ascending, beginning with 1. */
  readonly pieces: readonly bigint[];
}

/** Size of the hotplug area in addition to the RAM. */
function roomSize({ hotplug = 0n, slots = 0 }: { readonly hotplug?: bigint; readonly slots?: number }): bigint {
  return hotplug + BigInt(slots) * GIB + GIB;
}

/** A machine of PC type. */
export function pcMachine(setup: PcSetup, name: string, title: string): Machine {
  const maxRam = IOVA_MAX - TIB - roomSize(setup);
  const pieces = new Set([1n]);
  const split = pcSplitFrom(setup);
  if (split !== undefined) pieces.add(split);
  // As RAM grows, it moves at most once, and never back.
  if (isRelocated(setup, maxRam)) {
    let stays = 0n;
    let moves = maxRam;
    while (moves - stays > 1n) {
      const middle = (stays + moves) >> 1n;
      if (isRelocated(setup, middle)) moves = middle;
      else stays = middle;
    }
    pieces.add(moves);
  }
  return {
    name,
    title,
    maxRam,
    pieces: [...pieces].sort((a, b) => (a < b ? -1 : 1)),
    layout: (ram) => pcLayout(setup, ram).ranges,
    lastUsed: (ram) => pcLayout(setup, ram).lastUsed,
  };
}

/** A machine `virt`. */
export function virtMachine(setup: VirtSetup, name: string, title: string): Machine {
  return {
    name,
    title,
    maxRam: IOVA_MAX - VIRT_RAM[setup.arch] - roomSize(setup),
    pieces: [1n],
    layout: (ram) => virtLayout(setup, ram).ranges,
    lastUsed: (ram) => virtLayout(setup, ram).lastUsed,
  };
}

/** A machine that only splits its RAM at the hole below 4 GiB. */
export function splitMachine(name: SplitName, title: string): Machine {
  return {
    name,
    title,
    maxRam: IOVA_MAX - SPLITS[name].start - FOUR_GIB,
    pieces: [1n],
    layout: (ram) => splitLayout(name, ram),
    lastUsed: (ram) => splitLayout(name, ram).at(-1)?.last ?? 0n,
  };
}

const AMD = 'on AMD, RAM moved above 1 TiB when needed (QEMU 7.1 and later)';
const pc = (chipset: 'q35' | 'pc', isAmd: boolean): PcSetup => ({ chipset, version: NEWEST, isAmd });

/** The machines that can be chosen without a guest's definition. */
export const MACHINES: Readonly<Record<MachineName, Machine>> = {
  q35: pcMachine(pc('q35', false), 'q35', 'q35 (x86)'),
  pc: pcMachine(pc('pc', false), 'pc', 'pc, i440fx (x86)'),
  virt: virtMachine({ arch: 'arm64', highmem: true }, 'virt', 'virt (arm64)'),
  'q35-amd': pcMachine(pc('q35', true), 'q35-amd', `q35 (x86) ${AMD}`),
  'pc-amd': pcMachine(pc('pc', true), 'pc-amd', `pc, i440fx (x86) ${AMD}`),
};

export const MACHINE_NAMES = Object.keys(MACHINES) as readonly MachineName[];

/** Sizes of RAM, both ends inclusive, in bytes. */
export interface FittingSizes {
  readonly min: bigint;
  readonly max: bigint;
}

/** Cache of `fittingSizes`: a host with thousands of conflicts calls it for each of them. */
const fitting = new WeakMap<RangeSet, WeakMap<Machine, readonly FittingSizes[]>>();

/**
 * The sizes of RAM, ascending, for which no memory of the machine overlaps `blocked` (disjoint, ascending). Exact to the
 * byte: within a piece of the layout only the end of the last range of RAM grows.
 */
export function fittingSizes(machine: Machine, blocked: RangeSet): readonly FittingSizes[] {
  const ofSet = fitting.get(blocked) ?? new WeakMap<Machine, readonly FittingSizes[]>();
  fitting.set(blocked, ofSet);
  const sizes = ofSet.get(machine) ?? searchSizes(machine, blocked);
  ofSet.set(machine, sizes);
  return sizes;
}

function searchSizes(machine: Machine, blocked: RangeSet): FittingSizes[] {
  const isHit = (ram: bigint) => machine.layout(ram).some((r) => isGuestMemory(r.type) && overlapsSet(blocked, r));
  const found: FittingSizes[] = [];
  for (const [index, first] of machine.pieces.entries()) {
    const next = machine.pieces[index + 1];
    const last = next === undefined ? machine.maxRam : next - 1n;
    if (first > last || isHit(first)) continue;
    // RAM that grows keeps all of its addresses, so the sizes that fit are the first ones of the piece.
    let fits = first;
    let hit = last + 1n;
    while (hit - fits > 1n) {
      const middle = (fits + hit) >> 1n;
      if (isHit(middle)) hit = middle;
      else fits = middle;
    }
    const before = found.at(-1);
    if (before && before.max + 1n === first) found[found.length - 1] = { min: before.min, max: fits };
    else found.push({ min: first, max: fits });
  }
  return found;
}

/** `up to 2 GiB, and 4 GiB to 1000 GiB`: formats the sizes. */
export function sizesLabel(sizes: readonly FittingSizes[]): string {
  if (sizes.length === 0) return 'none';
  return sizes
    .map(({ min, max }) => (min === 1n ? `up to ${formatSize(max)}` : `${formatSize(min)} to ${formatSize(max)}`))
    .join(', and ');
}
