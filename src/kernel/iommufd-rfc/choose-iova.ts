import { fromWords } from '../../iova/address-halves.ts';
import type { ReadonlyIntervalTree } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX, lowestSetBit, roundUpPowerOfTwo } from '../../iova/iova.ts';
import type { Choice } from '../iommufd/choose-iova.ts';
import { GapFit } from '../shared/gap-fit.ts';

/** Where an IOVA may be chosen in the page table of 2022-03-18: it knows no allowed ranges. */
export interface RfcRoom {
  readonly areas: ReadonlyIntervalTree;
  readonly reserved: ReadonlyIntervalTree;
  /** What a fixed iova has to be aligned to: a power of two. */
  readonly alignment: bigint;
}

/**
 * Lowest place for `length` bytes (1 or more) of the memory at `userVa`, as the first posted version looks for it: gaps
 * between areas, and inside each, from its rounded start on, gaps between reserved ranges. Alignment has no upper limit.
 * Rounding wraps modulo 2^64 and nothing notices, so a gap at the very top may lead to a place near 0 that is taken.
 * `page` in bytes. Source: io_pagetable.c as posted 2022-03-18, iopt_alloc_iova.
 */
export function chooseIovaRfc(room: RfcRoom, userVa: bigint, length: bigint, page: bigint): Choice {
  if (length >= IOVA_MAX / 2n) return { ok: false, why: 'length-too-large' };
  const natural = lowestSetBit(userVa);
  const rounded = roundUpPowerOfTwo(length);
  const alignment = natural !== 0n && natural < rounded ? natural : rounded;
  if (alignment < room.alignment) return { ok: false, why: 'alignment-too-small', alignment };

  const options = { wraps: true, lastByte: true };
  const offset = userVa & (page - 1n);
  const inAreas = new GapFit(length, alignment, offset, options);
  const inReserved = new GapFit(length, alignment, offset, options);
  const found = room.areas.visitGaps(page, IOVA_MAX - page, length, (startHigh, startLow, lastHigh, lastLow) => {
    if (!inAreas.tryGap(startHigh, startLow, lastHigh, lastLow)) return false;
    return room.reserved.visitGaps(inAreas.iova, fromWords(lastHigh, lastLow), length, inReserved.visit);
  });
  return found ? { ok: true, iova: inReserved.iova } : { ok: false, why: 'no-space', alignment };
}
