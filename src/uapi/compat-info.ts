// VFIO_IOMMU_GET_INFO as /dev/iommu answers it: the layout of type1 (type1-info.ts), but parts of the capabilities are
// written even if not all of them fit.
import type { IovaRange } from '../iova/range.ts';
import { CAPABILITY_HEADER, CAPABILITY_HEADER_SIZE } from './capability-chain.ts';
import { encodeStruct } from './layout.ts';
import type { Endian } from './node.ts';
import { writeNumber } from './numbers.ts';
import {
  DMA_AVAIL,
  DMA_AVAIL_ID,
  type EncodedInfo,
  HAS_CAPABILITIES,
  HAS_PAGE_SIZES,
  INFO_SIZE,
  IOVA_RANGE,
  IOVA_RANGE_ID,
  SMALLEST_INFO,
  TYPE1_INFO,
} from './type1-info.ts';

/** The limit of mappings that is reported: there is none. */
const NO_LIMIT = 0xffff_ffffn;
const RANGE_SIZE = 16;
/** dma_avail: the header and 4 bytes, the next capability begins at a multiple of 8. */
const AVAIL_AT = INFO_SIZE;
const AVAIL_END = AVAIL_AT + CAPABILITY_HEADER_SIZE + 4;
const RANGES_AT = AVAIL_AT + 16;
const FIRST_RANGE = RANGES_AT + 16;

/**
 * What the ioctl writes into a zeroed buffer of `argsz` bytes; `undefined` below 16, which the kernel refuses. `argsz` of
 * the answer is always what everything needs. Source: Linux 6.12, iommufd_vfio_iommu_get_info.
 */
export function encodeCompatInfo(
  pageSizes: bigint,
  ranges: readonly IovaRange[],
  argsz: number,
  endian: Endian = 'little',
): EncodedInfo | undefined {
  if (argsz < SMALLEST_INFO) return undefined;
  const needed = FIRST_RANGE + ranges.length * RANGE_SIZE;
  const fits = argsz >= needed;
  const bytes = new Uint8Array(needed);
  const header = (id: number, next: number) =>
    encodeStruct(CAPABILITY_HEADER, { id: BigInt(id), version: 1n, next: BigInt(next) }, endian);
  if (argsz >= AVAIL_END) {
    bytes.set(header(DMA_AVAIL_ID, argsz >= RANGES_AT ? RANGES_AT : 0), AVAIL_AT);
    bytes.set(encodeStruct(DMA_AVAIL, { avail: NO_LIMIT }, endian), AVAIL_AT + CAPABILITY_HEADER_SIZE);
  }
  for (const [i, { start, last }] of ranges.entries()) {
    const at = FIRST_RANGE + i * RANGE_SIZE;
    if (at + RANGE_SIZE > argsz) break;
    writeNumber(bytes, at, 8, endian, start);
    writeNumber(bytes, at + 8, 8, endian, last);
  }
  if (fits) {
    bytes.set(header(IOVA_RANGE_ID, 0), RANGES_AT);
    const count = { nr_iovas: BigInt(ranges.length) };
    bytes.set(encodeStruct(IOVA_RANGE, count, endian), RANGES_AT + CAPABILITY_HEADER_SIZE);
  }
  const fixed = {
    argsz: BigInt(needed),
    flags: HAS_PAGE_SIZES | HAS_CAPABILITIES,
    iova_pgsizes: pageSizes,
    cap_offset: fits ? BigInt(INFO_SIZE) : 0n,
  };
  bytes.set(encodeStruct(TYPE1_INFO, fixed, endian).slice(0, Math.min(argsz, INFO_SIZE)));
  return { argsz: needed, bytes: fits ? bytes : bytes.slice(0, argsz) };
}
