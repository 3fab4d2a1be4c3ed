// VFIO_IOMMU_GET_INFO as Linux 6.12 answers it: the structure, its capabilities, and both as values.
import type { IovaRange } from '../iova/range.ts';
import {
  CAPABILITY_HEADER_SIZE,
  type Capability,
  type CapabilityBody,
  encodeCapabilities,
  walkCapabilities,
} from './capability-chain.ts';
import { decodeStruct, encodeStruct, onlyBits, reserved, type StructLayout, sizeOfLayout } from './layout.ts';
import { type Endian, problemsOf, type UapiProblem } from './node.ts';
import { readAddress, writeNumber } from './numbers.ts';
import { pageSizesLabel } from './words.ts';

export const HAS_PAGE_SIZES = 1n;
export const HAS_CAPABILITIES = 2n;

/** Source: Linux 5.4, struct vfio_iommu_type1_info; the last word is named padding since Linux 6.6. */
export const TYPE1_INFO = {
  name: 'vfio_iommu_type1_info',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'size of the buffer, or the size needed for everything' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(HAS_PAGE_SIZES | HAS_CAPABILITIES),
      bits: [
        { name: 'VFIO_IOMMU_INFO_PGSIZES', high: 0, low: 0, meaning: 'the page sizes are valid' },
        { name: 'VFIO_IOMMU_INFO_CAPS', high: 1, low: 1, meaning: 'has capabilities' },
      ],
    },
    { name: 'iova_pgsizes', width: 8, meaning: pageSizesLabel },
    {
      name: 'cap_offset',
      width: 4,
      meaning: (offset, { flags = 0n, argsz = 0n }) => {
        if (offset !== 0n) return 'offset of the first capability';
        if ((flags & HAS_CAPABILITIES) === 0n) return 'no capabilities';
        return `the buffer was too small for the capabilities: ${argsz} bytes needed`;
      },
    },
    reserved('pad', 4),
  ],
} as const satisfies StructLayout<'argsz' | 'flags' | 'iova_pgsizes' | 'cap_offset' | 'pad'>;

export const INFO_SIZE = sizeOfLayout(TYPE1_INFO);
/** Up to iova_pgsizes, as the structure was before it had capabilities. */
export const SMALLEST_INFO = 16;

export const IOVA_RANGE_ID = 1;
export const MIGRATION_ID = 2;
export const DMA_AVAIL_ID = 3;

/** Source: Linux 5.8, struct vfio_iommu_type1_info_cap_migration, after its header. */
export const MIGRATION = {
  name: 'vfio_iommu_type1_info_cap_migration',
  fields: [
    { name: 'flags', width: 4, check: onlyBits(0n) },
    reserved('pad', 4),
    {
      name: 'pgsize_bitmap',
      width: 8,
      meaning: (sizes) => `granularity of dirty tracking: ${pageSizesLabel(sizes)}`,
    },
    {
      name: 'max_dirty_bitmap_size',
      width: 8,
      meaning: 'size of the largest bitmap that one call can request, in bytes',
    },
  ],
} as const satisfies StructLayout<'flags' | 'pad' | 'pgsize_bitmap' | 'max_dirty_bitmap_size'>;

/** Source: Linux 5.10, struct vfio_iommu_type1_info_dma_avail, after its header. */
export const DMA_AVAIL = {
  name: 'vfio_iommu_type1_info_dma_avail',
  fields: [{ name: 'avail', width: 4, format: 'decimal', meaning: 'mappings left' }],
} as const satisfies StructLayout<'avail'>;

/** Source: Linux 5.4, struct vfio_iommu_type1_info_cap_iova_range, after its header; the ranges follow. */
export const IOVA_RANGE = {
  name: 'vfio_iommu_type1_info_cap_iova_range',
  fields: [
    { name: 'nr_iovas', width: 4, format: 'decimal', meaning: 'number of valid ranges' },
    reserved('reserved', 4),
  ],
} as const satisfies StructLayout<'nr_iovas' | 'reserved'>;

const RANGE_SIZE = 16;

/** A capability as values. `iova-range`: both bounds inclusive; start may be above last in a corrupt buffer. */
export type Type1Capability =
  | { readonly kind: 'migration'; readonly flags: number; readonly pageSizes: bigint; readonly maxBitmapSize: bigint }
  | { readonly kind: 'dma-avail'; readonly avail: number }
  | { readonly kind: 'iova-range'; readonly ranges: readonly IovaRange[] };

/** What VFIO_IOMMU_GET_INFO reports. */
export interface Type1Info {
  /** Bit n set: pages of 2^n bytes. */
  readonly pageSizes: bigint;
  /** In order; `undefined` from kernels without capabilities (before Linux 5.4). */
  readonly capabilities: readonly Type1Capability[] | undefined;
}

export interface EncodeOptions {
  readonly endian?: Endian;
  /** False for kernels that put capabilities one behind the other (Linux 6.1): the length of `dma_avail` is 12. */
  readonly padded?: boolean;
}

export interface EncodedInfo {
  /** What the kernel writes to argsz: the caller's value, or the size needed. */
  readonly argsz: number;
  /** The bytes that the ioctl fills in, from the start of the caller's buffer. */
  readonly bytes: Uint8Array;
}

function capabilityBody(capability: Type1Capability, endian: Endian): CapabilityBody {
  switch (capability.kind) {
    case 'migration': {
      const { flags, pageSizes, maxBitmapSize } = capability;
      const values = { flags: BigInt(flags), pgsize_bitmap: pageSizes, max_dirty_bitmap_size: maxBitmapSize };
      return { id: MIGRATION_ID, body: encodeStruct(MIGRATION, values, endian) };
    }
    case 'dma-avail':
      return { id: DMA_AVAIL_ID, body: encodeStruct(DMA_AVAIL, { avail: BigInt(capability.avail) }, endian) };
    case 'iova-range': {
      const { ranges } = capability;
      const fixed = encodeStruct(IOVA_RANGE, { nr_iovas: BigInt(ranges.length) }, endian);
      const body = new Uint8Array(fixed.length + ranges.length * RANGE_SIZE);
      body.set(fixed);
      for (const [i, { start, last }] of ranges.entries()) {
        writeNumber(body, fixed.length + i * RANGE_SIZE, 8, endian, start);
        writeNumber(body, fixed.length + i * RANGE_SIZE + 8, 8, endian, last);
      }
      return { id: IOVA_RANGE_ID, body };
    }
  }
}

/**
 * What the ioctl writes into a buffer of `argsz` bytes; `undefined` below 16, which the kernel refuses. A buffer that
 * is too small for the capabilities gets as much of the structure as fits, and argsz is the size needed.
 * Source: Linux 6.12, vfio_iommu_type1_get_info.
 */
export function encodeType1Info(
  info: Type1Info,
  argsz: number,
  { endian = 'little', padded = true }: EncodeOptions = {},
): EncodedInfo | undefined {
  if (argsz < SMALLEST_INFO) return undefined;
  const blocks = (info.capabilities ?? []).map((capability) => capabilityBody(capability, endian));
  const chain = encodeCapabilities(blocks, INFO_SIZE, endian, padded ? undefined : 1);
  const needed = INFO_SIZE + chain.length;
  const announced = chain.length > 0;
  const fits = argsz >= needed;
  const answered = announced && !fits ? needed : argsz;
  const fixed = encodeStruct(
    TYPE1_INFO,
    {
      argsz: BigInt(answered),
      flags: HAS_PAGE_SIZES | (announced ? HAS_CAPABILITIES : 0n),
      iova_pgsizes: info.pageSizes,
      cap_offset: announced && fits ? BigInt(INFO_SIZE) : 0n,
    },
    endian,
  );
  if (!announced || !fits) return { argsz: answered, bytes: fixed.slice(0, Math.min(argsz, INFO_SIZE)) };
  const bytes = new Uint8Array(needed);
  bytes.set(fixed);
  bytes.set(chain, INFO_SIZE);
  return { argsz: answered, bytes };
}

export interface DecodedInfo {
  readonly argsz: number;
  readonly info: Type1Info;
  /** True if capabilities exist that are not in the buffer. */
  readonly truncated: boolean;
  readonly problems: readonly UapiProblem[];
}

function capabilityOf(
  bytes: Uint8Array,
  endian: Endian,
  { offset, end, id, version }: Capability,
): Type1Capability | UapiProblem {
  if (version !== 1) {
    return {
      code: 'unknown-version',
      offset: offset + 2,
      message: `unknown version ${version} of capability ${id}`,
    };
  }
  const body = offset + CAPABILITY_HEADER_SIZE;
  const tooSmall = (at: number): UapiProblem => {
    return { code: 'capability-too-small', offset: at, message: `capability ${id} ends before its last field` };
  };
  switch (id) {
    case MIGRATION_ID: {
      const { values, problem } = decodeStruct(MIGRATION, bytes, body, endian, end);
      const { flags = 0n, pgsize_bitmap: pageSizes = 0n, max_dirty_bitmap_size: maxBitmapSize = 0n } = values;
      return problem ? tooSmall(problem.offset) : { kind: 'migration', flags: Number(flags), pageSizes, maxBitmapSize };
    }
    case DMA_AVAIL_ID: {
      const { values, problem } = decodeStruct(DMA_AVAIL, bytes, body, endian, end);
      return problem ? tooSmall(problem.offset) : { kind: 'dma-avail', avail: Number(values.avail ?? 0n) };
    }
    case IOVA_RANGE_ID: {
      const { values, end: first, problem } = decodeStruct(IOVA_RANGE, bytes, body, endian, end);
      if (problem) return tooSmall(problem.offset);
      const count = Number(values.nr_iovas ?? 0n);
      if (first + count * RANGE_SIZE > end) return tooSmall(body);
      const ranges = Array.from({ length: count }, (_, i) => ({
        start: readAddress(bytes, first + i * RANGE_SIZE, endian),
        last: readAddress(bytes, first + i * RANGE_SIZE + 8, endian),
      }));
      return { kind: 'iova-range', ranges };
    }
    default:
      return { code: 'unknown-capability', offset, message: `unknown capability ${id}` };
  }
}

/**
 * Reads what VFIO_IOMMU_GET_INFO filled in, as far as it is intact; `undefined` if the buffer ends before the page sizes
 * do. `decodeBuffer` shows every byte instead.
 */
export function decodeType1Info(bytes: Uint8Array, endian: Endian = 'little'): DecodedInfo | undefined {
  if (bytes.length < SMALLEST_INFO) return undefined;
  const { values, nodes } = decodeStruct(TYPE1_INFO, bytes, 0, endian);
  const { argsz = 0n, flags = 0n, iova_pgsizes: pageSizes = 0n, cap_offset: offset = 0n } = values;
  const problems = nodes.flatMap(problemsOf);
  const announced = (flags & HAS_CAPABILITIES) !== 0n;
  if (!announced || offset === 0n) {
    const info = { pageSizes, capabilities: announced ? [] : undefined };
    return { argsz: Number(argsz), info, truncated: announced, problems };
  }
  const chain = walkCapabilities(bytes, endian, Number(offset), SMALLEST_INFO, INFO_SIZE);
  if (chain.problem) problems.push(chain.problem);
  const capabilities: Type1Capability[] = [];
  for (const capability of chain.capabilities) {
    problems.push(...capability.problems);
    const value = capabilityOf(bytes, endian, capability);
    if ('kind' in value) capabilities.push(value);
    else problems.push(value);
  }
  return { argsz: Number(argsz), info: { pageSizes, capabilities }, truncated: false, problems };
}
