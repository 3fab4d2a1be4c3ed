// Structures with a capability chain: VFIO_IOMMU_GET_INFO today and as first proposed, and the first device info of
// iommufd.
import { hex } from '../iova/format.ts';
import { alignUp, lowestSetBit } from '../iova/iova.ts';
import { CAPABILITY_ALIGNMENT, CAPABILITY_HEADER_SIZE, type Capability, walkCapabilities } from './capability-chain.ts';
import { decodeStruct, onlyBits, type StructLayout } from './layout.ts';
import type { Endian, UapiNode, UapiProblem } from './node.ts';
import type { UapiStructure } from './structure.ts';
import { group, remainder, root } from './tree.ts';
import {
  DMA_AVAIL,
  DMA_AVAIL_ID,
  HAS_CAPABILITIES,
  HAS_PAGE_SIZES,
  INFO_SIZE,
  IOVA_RANGE,
  IOVA_RANGE_ID,
  MIGRATION,
  MIGRATION_ID,
  SMALLEST_INFO,
  TYPE1_INFO,
} from './type1-info.ts';
import { pageSizesLabel, rangeLabel } from './words.ts';

/** One range, inclusive: an entry of today's capability, or the body of an early one. */
const RANGE = {
  name: 'vfio_iova_range',
  fields: [
    { name: 'start', width: 8 },
    {
      name: 'end',
      width: 8,
      check: (end, { start = 0n }) => (start <= end ? undefined : 'start is above end'),
    },
  ],
} as const satisfies StructLayout<'start' | 'end'>;

const RANGE_SIZE = 16;

interface Body {
  /** Name of the capability's structure. */
  readonly name: string;
  readonly nodes: readonly UapiNode[];
  /** Offset after what was decoded. */
  readonly end: number;
  readonly problems: readonly UapiProblem[];
  readonly meaning?: string;
}

type DecodeBody = (bytes: Uint8Array, offset: number, end: number, endian: Endian) => Body;

/** Capabilities by id; all of them have version 1. */
type Capabilities = ReadonlyMap<number, DecodeBody>;

function tooSmall(problem: UapiProblem | undefined): UapiProblem[] {
  return problem ? [{ ...problem, code: 'capability-too-small' }] : [];
}

function plainBody(layout: StructLayout): DecodeBody {
  return (bytes, offset, end, endian) => {
    const decoded = decodeStruct(layout, bytes, offset, endian, end);
    return { name: layout.name, nodes: decoded.nodes, end: decoded.end, problems: tooSmall(decoded.problem) };
  };
}

function rangesBody(bytes: Uint8Array, offset: number, end: number, endian: Endian): Body {
  const fixed = decodeStruct(IOVA_RANGE, bytes, offset, endian, end);
  const problems = tooSmall(fixed.problem);
  const count = Number(fixed.values.nr_iovas ?? 0n);
  const room = Math.max(0, Math.floor((end - fixed.end) / RANGE_SIZE));
  if (count > room) {
    const message = `the capability has space for ${room} of its ${count} ranges`;
    problems.push({ code: 'capability-too-small', offset, message });
  }
  const nodes = [...fixed.nodes];
  let at = fixed.end;
  for (let i = 0; i < count && at < end; i++) {
    const { nodes: bounds, values, end: behind, problem } = decodeStruct(RANGE, bytes, at, endian, end);
    if (bounds.length === 0) break;
    const message = problem ? undefined : rangeLabel(values.start ?? 0n, values.end ?? 0n);
    nodes.push(group(`iova_ranges[${i}]`, at, behind, bounds, [], message));
    at = behind;
    if (problem) break;
  }
  return { name: IOVA_RANGE.name, nodes, end: at, problems };
}

function singleRangeBody(name: string): DecodeBody {
  return (bytes, offset, end, endian) => {
    const { nodes, values, end: behind, problem } = decodeStruct(RANGE, bytes, offset, endian, end);
    const { start, end: last } = values;
    const meaning = start === undefined || last === undefined ? undefined : rangeLabel(start, last);
    return { name, nodes, end: behind, problems: tooSmall(problem), ...(meaning === undefined ? {} : { meaning }) };
  };
}

const TODAY: Capabilities = new Map([
  [MIGRATION_ID, plainBody(MIGRATION)],
  [DMA_AVAIL_ID, plainBody(DMA_AVAIL)],
  [IOVA_RANGE_ID, rangesBody],
]);

function capabilityNode(
  bytes: Uint8Array,
  endian: Endian,
  capability: Capability,
  known: Capabilities,
  limit: number,
): UapiNode {
  const { offset, end, id, version, header } = capability;
  const problems = [...capability.problems];
  const body = offset + CAPABILITY_HEADER_SIZE;
  const decode = known.get(id);
  if (!decode || version !== 1) {
    const what = decode ? `version ${version} of capability ${id}` : `capability ${id}`;
    problems.push({
      code: decode ? 'unknown-version' : 'unknown-capability',
      offset: decode ? offset + 2 : offset,
      message: `unknown ${what}`,
    });
    return group('capability', offset, end, [...header, ...remainder(bytes, body, end)], problems);
  }
  const decoded = decode(bytes, body, end, endian);
  // After the last capability the buffer may continue with bytes that were never filled in.
  const whole = decoded.problems.length === 0 && end === limit;
  const last = whole ? Math.min(end, Number(alignUp(BigInt(decoded.end), BigInt(CAPABILITY_ALIGNMENT)))) : end;
  const children = [...header, ...decoded.nodes, ...remainder(bytes, decoded.end, last)];
  return group(decoded.name, offset, last, children, [...problems, ...decoded.problems], decoded.meaning);
}

/** How a structure links to its chain. */
interface ChainFields {
  /** The bit of `flags` that announces capabilities. */
  readonly flag: bigint;
  /** Bytes of the structure before its chain. */
  readonly size: number;
  /** Bytes of an early form of the structure: a buffer that ends there is complete. */
  readonly smallest: number;
}

function decodeWithChain(
  layout: StructLayout<string>,
  { flag, size, smallest }: ChainFields,
  known: Capabilities,
  bytes: Uint8Array,
  endian: Endian,
): UapiNode {
  const { values, nodes, problem } = decodeStruct(layout, bytes, 0, endian);
  const problems: UapiProblem[] = problem && bytes.length !== smallest ? [problem] : [];
  const argsz = Number(values.argsz ?? 0n);
  const offset = Number(values.cap_offset ?? 0n);
  const linkOffset = nodes.find(({ name }) => name === 'cap_offset')?.offset ?? 0;
  const announced = ((values.flags ?? 0n) & flag) !== 0n;
  if (offset !== 0 && !announced) {
    const message = 'cap_offset is set, but the flags announce no capabilities';
    problems.push({ code: 'bad-value', offset: linkOffset, message });
  }
  // Capabilities that a kernel wrote are inside argsz; bytes after it are not part of the answer.
  const limit = argsz >= size ? Math.min(argsz, bytes.length) : bytes.length;
  const chain = walkCapabilities(bytes, endian, announced ? offset : 0, linkOffset, size, limit);
  if (chain.problem) problems.push(chain.problem);
  const capabilities = chain.capabilities.map((capability) => capabilityNode(bytes, endian, capability, known, limit));
  return root(layout.name, bytes, [...nodes, ...capabilities], problems);
}

const fieldOf = (tree: UapiNode, name: string) => tree.children.find((node) => node.name === name)?.raw;

/** True if the smallest page size is plausible. */
function arePageSizes(bitmap: bigint): boolean {
  const smallest = lowestSetBit(bitmap);
  return smallest >= 1n << 9n && smallest <= 1n << 30n;
}

/** True for a plausible start of VFIO's structure: a length, and page sizes that the flags announce. */
function startsLikeType1Info(tree: UapiNode): boolean {
  const [argsz = 0n, flags = 0n, sizes = 0n] = ['argsz', 'flags', 'iova_pgsizes'].map((name) => fieldOf(tree, name));
  const isLength = argsz >= BigInt(SMALLEST_INFO) && argsz < 1n << 24n;
  return isLength && (flags & HAS_PAGE_SIZES) !== 0n && flags < 0x100n && arePageSizes(sizes);
}

/** True if the bytes that belong to no field are zero, and no capability has 0 ranges. */
function isExplained(tree: UapiNode): boolean {
  return tree.children.every(({ name, value = '', children }) => {
    const isEmpty = children.some((child) => child.name === 'nr_iovas' && child.raw === 0n);
    return !isEmpty && (name !== 'bytes' || /^0*$/.test(value)) && children.every((child) => child.name !== 'bytes');
  });
}

const capabilitiesOf = (tree: UapiNode) => tree.children.filter(({ children }) => children[0]?.name === 'id');

const TYPE1_CHAIN = { flag: HAS_CAPABILITIES, size: INFO_SIZE, smallest: SMALLEST_INFO };

/** The answer of VFIO_IOMMU_GET_INFO. Source: Linux 6.12, include/uapi/linux/vfio.h. */
export const VFIO_IOMMU_TYPE1_INFO: UapiStructure = {
  name: 'vfio_iommu_type1_info',
  title: 'VFIO_IOMMU_GET_INFO: page sizes, valid ranges, mappings left',
  ranges: 'valid',
  decode: (bytes, endian) => decodeWithChain(TYPE1_INFO, TYPE1_CHAIN, TODAY, bytes, endian),
  fits: (tree) => startsLikeType1Info(tree) && isExplained(tree),
  resembles: startsLikeType1Info,
};

function early(name: string, title: string, capability: string, ranges: 'valid' | 'reserved'): UapiStructure {
  const known: Capabilities = new Map([[1, singleRangeBody(capability)]]);
  return {
    name,
    title,
    ranges,
    decode: (bytes, endian) => ({ ...decodeWithChain(TYPE1_INFO, TYPE1_CHAIN, known, bytes, endian), name }),
    fits: (tree) => startsLikeType1Info(tree) && isExplained(tree) && capabilitiesOf(tree).length > 0,
  };
}

/** IOVA_RANGE as first proposed in December 2017: one capability for each usable range. */
export const VFIO_IOMMU_TYPE1_INFO_2017 = early(
  'vfio_iommu_type1_info-2017',
  'VFIO_IOMMU_GET_INFO as proposed in 2017: a capability for each usable range',
  'vfio_iommu_type1_info_cap_iova_range',
  'valid',
);

/** RESV_IOVA_RANGE of November 2016: one capability for each reserved region. */
export const VFIO_IOMMU_TYPE1_INFO_2016 = early(
  'vfio_iommu_type1_info-2016',
  'VFIO_IOMMU_GET_INFO as proposed in 2016: a capability for each reserved region',
  'vfio_iommu_type1_info_cap_resv_iova_range',
  'reserved',
);

/** Source: the proposal of iommufd of September 2021, struct iommu_device_info. */
const DEVICE_INFO = {
  name: 'iommu_device_info',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'size of the buffer, or the size needed for everything' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(0xfn),
      bits: [
        { name: 'IOMMU_DEVICE_INFO_ENFORCE_SNOOP', high: 0, low: 0, meaning: 'the IOMMU enforces snooping' },
        { name: 'IOMMU_DEVICE_INFO_PGSIZES', high: 1, low: 1, meaning: 'the page sizes are valid' },
        { name: 'IOMMU_DEVICE_INFO_ADDR_WIDTH', high: 2, low: 2, meaning: 'the address width is valid' },
        { name: 'IOMMU_DEVICE_INFO_CAPS', high: 3, low: 3, meaning: 'has capabilities' },
      ],
    },
    { name: 'dev_cookie', width: 8, meaning: 'the cookie that the program assigned to the device' },
    { name: 'pgsize_bitmap', width: 8, meaning: pageSizesLabel },
    {
      name: 'addr_width',
      width: 4,
      format: 'decimal',
      meaning: (width) => (width > 0n && width <= 64n ? `addresses up to ${hex((1n << width) - 1n)}` : undefined),
      check: (width) => (width <= 64n ? undefined : 'more than 64 bits'),
    },
    {
      name: 'cap_offset',
      width: 4,
      meaning: (offset) => (offset === 0n ? 'no capabilities in this buffer' : 'offset of the first capability'),
    },
  ],
} as const satisfies StructLayout<'argsz' | 'flags' | 'dev_cookie' | 'pgsize_bitmap' | 'addr_width' | 'cap_offset'>;

const DEVICE_CHAIN = { flag: 8n, size: 32, smallest: 32 };

/** The answer of IOMMU_DEVICE_GET_INFO as proposed in September 2021, with the ranges as VFIO has them. */
export const IOMMU_DEVICE_INFO: UapiStructure = {
  name: 'iommu_device_info',
  title: 'IOMMU_DEVICE_GET_INFO as proposed in 2021: page sizes, address width, valid ranges',
  ranges: 'valid',
  decode: (bytes, endian) =>
    decodeWithChain(DEVICE_INFO, DEVICE_CHAIN, new Map([[IOVA_RANGE_ID, rangesBody]]), bytes, endian),
  fits: (tree) => {
    const names = ['argsz', 'flags', 'cap_offset', 'addr_width', 'pgsize_bitmap'];
    const [argsz = 0n, flags = 0n, offset = 0n, width = 0n, sizes = 0n] = names.map((name) => fieldOf(tree, name));
    const isConsistent = (flags & 4n) === 0n ? width === 0n : width >= 32n;
    const hasSizes = (flags & 2n) === 0n ? sizes === 0n : arePageSizes(sizes);
    return (
      argsz >= 32n && flags !== 0n && (offset === 0n || offset >= 32n) && isConsistent && hasSizes && isExplained(tree)
    );
  },
};
