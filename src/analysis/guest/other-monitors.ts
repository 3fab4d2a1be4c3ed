// Simple layouts: QEMU's microvm, and VMMs other than QEMU. Those of Cloud Hypervisor and crosvm follow their own
// documentation and sources (arch/src/x86_64/layout.rs and aarch64/layout.rs of Cloud Hypervisor 20 to 50;
// the appendix "Memory layout" of crosvm's book); they were not compared with running guests.
//
//   microvm                    RAM from 0 up to 3 GiB, the rest from 4 GiB on (hw/i386/microvm.c)
//   cloud-hypervisor, x86-64   RAM from 0 up to 3 GiB, the rest from 4 GiB on
//   cloud-hypervisor, arm64    RAM from 1 GiB up to 0xfc000000, the rest from 4 GiB on (before version 20: in one piece)
//   crosvm, x86-64             RAM from 0 up to 0xd0000000, the rest from 4 GiB on
//   crosvm, arm64              RAM from 0x80000000 on, in one piece
//   flat                       RAM from 0 on, in one piece: QEMU's s390-ccw-virtio and pseries
import { FOUR_GIB, GIB, KIB, type LayoutRange, part } from './layout.ts';

interface Split {
  readonly start: bigint;
  /** Where RAM below 4 GiB ends; the rest starts at 4 GiB. Undefined: one piece. */
  readonly lowEnd: bigint | undefined;
}

export const SPLITS = {
  microvm: { start: 0n, lowEnd: 3n * GIB },
  'cloud-hypervisor': { start: 0n, lowEnd: 3n * GIB },
  'cloud-hypervisor-arm64': { start: GIB, lowEnd: 0xfc00_0000n },
  crosvm: { start: 0n, lowEnd: 0xd000_0000n },
  'crosvm-arm64': { start: 0x8000_0000n, lowEnd: undefined },
  flat: { start: 0n, lowEnd: undefined },
} as const satisfies Readonly<Record<string, Split>>;

export type SplitName = keyof typeof SPLITS;

/** The layout for this many bytes of RAM, at least 1; ranges ascend. Throws a RangeError if RAM exceeds 64 bits. */
export function splitLayout(name: SplitName, ram: bigint): readonly LayoutRange[] {
  const { start, lowEnd }: Split = SPLITS[name];
  const room = lowEnd === undefined ? ram : lowEnd - start;
  const low = ram < room ? ram : room;
  const ranges = [part(start, low, 'RAM', 'ram')];
  if (name === 'microvm') ranges.push(part(FOUR_GIB - 64n * KIB, 64n * KIB, 'pc.bios', 'rom'));
  if (ram > low) ranges.push(part(FOUR_GIB, ram - low, 'RAM', 'ram'));
  return ranges;
}
