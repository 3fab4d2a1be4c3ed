import { fromWords } from '../../iova/address-halves.ts';
import type { GapVisitor, ReadonlyIntervalTree } from '../../iova/interval-tree/types.ts';
import { bitLength, IOVA_MAX, lowestSetBit, roundUpPowerOfTwo } from '../../iova/iova.ts';
import type { Choice } from '../iommufd/choose-iova.ts';
import { GapFit } from '../shared/gap-fit.ts';

/** The largest page by whose offsets the index of areas can search. */
const PAGE_MAX = 1n << 31n;

/** Where an IOVA can be chosen in the page table of 2022-03-18, which has no allowed ranges. */
export interface RfcSearchSpace {
  readonly areas: ReadonlyIntervalTree;
  readonly reserved: ReadonlyIntervalTree;
  /** The alignment of a fixed IOVA: a power of two. */
  readonly alignment: bigint;
}

/**
 * The lowest IOVA for `length` bytes (1 or more) of the memory at `userVa`, as the first posted version searches it: gaps
 * between areas, and in each, from its rounded start on, gaps between reserved ranges. The alignment has no upper limit.
 * Rounding wraps modulo 2^64 unnoticed, so that a gap at the top may give an IOVA near 0 that is already mapped.
 * `page` in bytes. Source: io_pagetable.c as posted 2022-03-18, iopt_alloc_iova.
 */
export function chooseIovaRfc(space: RfcSearchSpace, userVa: bigint, length: bigint, page: bigint): Choice {
  if (length >= IOVA_MAX / 2n) return { ok: false, why: 'length-too-large' };
  const natural = lowestSetBit(userVa);
  const rounded = roundUpPowerOfTwo(length);
  const alignment = natural !== 0n && natural < rounded ? natural : rounded;
  if (alignment < space.alignment) return { ok: false, why: 'alignment-too-small', alignment };

  const options = { wraps: true, lastByte: true };
  const offset = userVa & (page - 1n);
  const inAreas = new GapFit(length, alignment, offset, options);
  const inReserved = new GapFit(length, alignment, offset, options);
  const visit: GapVisitor = (startHigh, startLow, lastHigh, lastLow) => {
    if (!inAreas.tryGap(startHigh, startLow, lastHigh, lastLow)) return false;
    return space.reserved.visitGaps(inAreas.iova, fromWords(lastHigh, lastLow), length, inReserved.visit);
  };
  // With an offset nothing wraps: the alignment is less than a page, and the last page is left out.
  const shift = offset !== 0n && page <= PAGE_MAX ? bitLength(alignment) - 1 : undefined;
  const found = space.areas.visitGaps(page, IOVA_MAX - page, length, visit, shift, Number(offset));
  return found ? { ok: true, iova: inReserved.iova } : { ok: false, why: 'no-space', alignment };
}
