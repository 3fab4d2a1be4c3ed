// VFIO_IOMMU_GET_INFO as first proposed, before Linux 5.4 had ranges: each range is its own capability.
import { compareRanges, type IovaRange } from '../iova/range.ts';
import { complement } from '../iova/range-set.ts';
import { type CapabilityBody, encodeCapabilities } from './capability-chain.ts';
import { encodeStruct } from './layout.ts';
import type { Endian } from './node.ts';
import { writeNumber } from './numbers.ts';
import {
  type EncodedInfo,
  HAS_CAPABILITIES,
  HAS_PAGE_SIZES,
  INFO_SIZE,
  IOVA_RANGE_ID,
  TYPE1_INFO,
} from './type1-info.ts';

/** Up to cap_offset: what that version reads and writes of the structure. */
const SMALLEST_EARLY_INFO = 20;

export type EarlyRanges =
  | { readonly ok: true; readonly ranges: readonly IovaRange[] }
  /** The first region for which no range was left; it and all regions after it were not processed. */
  | { readonly ok: false; readonly errno: 'ENODEV'; readonly region: IovaRange };

/**
 * The usable ranges as the proposal of December 2017 computes them: it starts with the aperture of the first domain,
 * takes the reserved regions of that domain's groups by ascending start, whatever their type, and tests each against
 * the last range of the list only. In that order no region overlaps an earlier range, so the ranges are correct; but a
 * region for which no range is left fails the whole call, while the region that took the last range did not.
 * Source: "vfio/type1: Add IOVA_RANGE capability support", 2017-12-06, vfio_build_iommu_iova_caps.
 */
export function earlyIovaRanges(aperture: IovaRange, regions: readonly IovaRange[]): EarlyRanges {
  const ranges: IovaRange[] = [aperture];
  // The sort of that version compares starts only and is stable.
  const ascending = regions.toSorted((a, b) => (a.start === b.start ? 0 : compareRanges(a, b)));
  for (const region of ascending) {
    const tail = ranges.at(-1);
    if (!tail) return { ok: false, errno: 'ENODEV', region };
    if (region.start > tail.last || region.last < tail.start) continue;
    ranges.pop();
    ranges.push(...complement([region], tail));
  }
  return { ok: true, ranges };
}

/**
 * What the ioctl writes into a buffer of `argsz` bytes, one capability a range: usable ones in the proposal of 2017,
 * reserved ones in that of 2016. `undefined` below 20 bytes, which it refuses. A buffer that is too small gets the
 * structure, and argsz is the size needed.
 */
export function encodeEarlyInfo(
  pageSizes: bigint,
  ranges: readonly IovaRange[],
  argsz: number,
  endian: Endian = 'little',
): EncodedInfo | undefined {
  if (argsz < SMALLEST_EARLY_INFO) return undefined;
  const blocks = ranges.map(({ start, last }): CapabilityBody => {
    const body = new Uint8Array(16);
    writeNumber(body, 0, 8, endian, start);
    writeNumber(body, 8, 8, endian, last);
    return { id: IOVA_RANGE_ID, body };
  });
  const chain = encodeCapabilities(blocks, INFO_SIZE, endian);
  const needed = INFO_SIZE + chain.length;
  const fits = argsz >= needed;
  const answered = chain.length > 0 && !fits ? needed : argsz;
  const fixed = encodeStruct(
    TYPE1_INFO,
    {
      argsz: BigInt(answered),
      flags: HAS_PAGE_SIZES | (chain.length > 0 ? HAS_CAPABILITIES : 0n),
      iova_pgsizes: pageSizes,
      cap_offset: chain.length > 0 && fits ? BigInt(INFO_SIZE) : 0n,
    },
    endian,
  );
  if (chain.length === 0 || !fits) return { argsz: answered, bytes: fixed.slice(0, SMALLEST_EARLY_INFO) };
  const bytes = new Uint8Array(needed);
  bytes.set(fixed);
  bytes.set(chain, INFO_SIZE);
  return { argsz: answered, bytes };
}
