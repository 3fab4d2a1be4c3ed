// Ranges of a guest's physical address space, as laid out by a VMM.
import { hex } from '../../iova/format.ts';
import { type IovaRange, rangeOfLength } from '../../iova/range.ts';

/** A range of a guest layout. Only `isGuestMemory` ones are mapped for DMA from the start: RAM and ROM, not devices. */
export interface LayoutRange extends IovaRange {
  readonly name: string;
  /** As QEMU prints it: `ram`, `rom`, `i/o` …; `hotplug`: reserved for memory that is plugged in later. */
  readonly type: string;
}

export const KIB = 1n << 10n;
export const MIB = 1n << 20n;
export const GIB = 1n << 30n;
export const TIB = 1n << 40n;
export const FOUR_GIB = 4n * GIB;

/** A range by its first address and its size in bytes. Throws a RangeError if it is empty or ends above 64 bits. */
export function part(start: bigint, size: bigint, name: string, type: string): LayoutRange {
  const found = rangeOfLength(start, size);
  if (!found) throw new RangeError(`no range of ${size} bytes at ${hex(start)}`);
  return { ...found, name, type };
}

/** True for memory that a VMM must map for DMA: RAM and ROM, not devices. */
export function isGuestMemory(type: string): boolean {
  return type === 'ram' || type === 'rom' || type === 'nv-ram' || type === 'nvram';
}

/** True for device memory that is mapped directly: only peer-to-peer DMA uses it, and guests work without. */
export function isGuestDeviceMemory(type: string): boolean {
  return type === 'ramd';
}
