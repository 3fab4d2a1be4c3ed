// Maps that follow each other with small gaps: the parts of one BAR are mapped like that.
import { type IovaRange, range } from '../../iova/range.ts';
import type { MappingFact } from './mappings.ts';

/** A table has at most 2048 entries of 16 bytes; its pages may be of 64 KiB. */
export const HOLE_MAX = 0x1_0000n;

/** A mapped range, and the address of the memory that its first byte is mapped to, if known. */
export interface Part extends IovaRange {
  readonly behind?: bigint | undefined;
}

/** A map, and the memory behind it. */
export function partOf(fact: MappingFact): Part {
  const behind = (fact.kind === 'map' ? fact.paddr : undefined) ?? fact.vaddr;
  return { start: fact.start, last: fact.last, behind };
}

/** The gap between two parts of the same memory, if it is no larger than the pages of an MSI-X table. */
export function holeBetween(a: Part, b: Part): IovaRange | undefined {
  const size = b.start - a.last - 1n;
  if (size <= 0n || size > HOLE_MAX) return undefined;
  const isRunningOn = a.behind !== undefined && b.behind !== undefined && b.behind - a.behind === b.start - a.start;
  return isRunningOn ? range(a.last + 1n, b.start - 1n) : undefined;
}
