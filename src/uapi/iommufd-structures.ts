// Arguments of iommufd's ioctls and of VFIO's mapping ones: structures of fixed size.
import { formatSize } from '../iova/format.ts';
import { decodeStruct, type FieldLayout, onlyBits, reserved, type StructLayout, sizeOfLayout } from './layout.ts';
import type { UapiNode } from './node.ts';
import type { UapiStructure } from './structure.ts';
import { group, root } from './tree.ts';
import { lengthLabel, rangeLabel } from './words.ts';

/** The first field of every argument of iommufd: how many bytes the caller knows of. */
function sizeField(size: number): FieldLayout<'size'> {
  return {
    name: 'size',
    width: 4,
    format: 'decimal',
    meaning: 'bytes of this structure',
    problemCode: 'wrong-size',
    check: (value) => (value === BigInt(size) ? undefined : `size is ${value}, and the structure has ${size} bytes`),
  };
}

const id = <const N extends string>(name: N, meaning: string): FieldLayout<N> => ({
  name,
  width: 4,
  format: 'decimal',
  meaning,
});

const bytesInWords = (length: bigint) => (length === 0n ? undefined : formatSize(length));

const MAP_FLAGS: FieldLayout<'flags'> = {
  name: 'flags',
  width: 4,
  check: onlyBits(7n),
  bits: [
    {
      name: 'IOMMU_IOAS_MAP_FIXED_IOVA',
      high: 0,
      low: 0,
      meaning: (fixed) => (fixed === 1n ? 'the iova is given' : 'the kernel chooses the iova'),
    },
    { name: 'IOMMU_IOAS_MAP_WRITEABLE', high: 1, low: 1, meaning: 'devices may write' },
    { name: 'IOMMU_IOAS_MAP_READABLE', high: 2, low: 2, meaning: 'devices may read' },
  ],
};

/** Source: Linux 6.2, include/uapi/linux/iommufd.h. */
const IOAS_ALLOC = {
  name: 'iommu_ioas_alloc',
  fields: [sizeField(12), { name: 'flags', width: 4, check: onlyBits(0n) }, id('out_ioas_id', 'the new IOAS')],
} satisfies StructLayout;

const IOAS_IOVA_RANGES = {
  name: 'iommu_ioas_iova_ranges',
  fields: [
    sizeField(32),
    id('ioas_id', 'the IOAS that is asked'),
    {
      name: 'num_iovas',
      width: 4,
      format: 'decimal',
      meaning: 'ranges in the array: room for them, or how many there are',
    },
    reserved('__reserved', 4),
    { name: 'allowed_iovas', width: 8, meaning: 'where the array is in the program’s memory: pairs of start and last' },
    {
      name: 'out_iova_alignment',
      width: 8,
      meaning: (alignment) => `an iova must be a multiple of ${formatSize(alignment)}`,
      check: (alignment) => ((alignment & (alignment - 1n)) === 0n ? undefined : 'an alignment is a power of two'),
    },
  ],
} satisfies StructLayout;

const IOAS_ALLOW_IOVAS = {
  name: 'iommu_ioas_allow_iovas',
  fields: [
    sizeField(24),
    id('ioas_id', 'the IOAS in which the kernel shall choose there'),
    { name: 'num_iovas', width: 4, format: 'decimal', meaning: 'ranges in the array' },
    reserved('__reserved', 4),
    { name: 'allowed_iovas', width: 8, meaning: 'where the array is in the program’s memory: pairs of start and last' },
  ],
} satisfies StructLayout;

const IOAS_MAP = {
  name: 'iommu_ioas_map',
  fields: [
    sizeField(40),
    MAP_FLAGS,
    id('ioas_id', 'the IOAS to map in'),
    reserved('__reserved', 4),
    { name: 'user_va', width: 8, meaning: 'where the memory is in the program' },
    { name: 'length', width: 8, meaning: bytesInWords },
    { name: 'iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
  ],
} satisfies StructLayout<'size' | 'flags' | 'ioas_id' | '__reserved' | 'user_va' | 'length' | 'iova'>;

const IOAS_COPY = {
  name: 'iommu_ioas_copy',
  fields: [
    sizeField(40),
    MAP_FLAGS,
    id('dst_ioas_id', 'the IOAS to map in'),
    id('src_ioas_id', 'the IOAS where it is mapped already'),
    { name: 'length', width: 8, meaning: bytesInWords },
    { name: 'dst_iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
    { name: 'src_iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
  ],
} satisfies StructLayout<'size' | 'flags' | 'dst_ioas_id' | 'src_ioas_id' | 'length' | 'dst_iova' | 'src_iova'>;

const EVERYTHING = 0xffff_ffff_ffff_ffffn;

const IOAS_UNMAP = {
  name: 'iommu_ioas_unmap',
  fields: [
    sizeField(24),
    id('ioas_id', 'the IOAS to unmap in'),
    { name: 'iova', width: 8 },
    {
      name: 'length',
      width: 8,
      meaning: (length, { iova = 0n }) =>
        iova === 0n && length === EVERYTHING ? 'everything' : lengthLabel(iova, length),
    },
  ],
} satisfies StructLayout<'size' | 'ioas_id' | 'iova' | 'length'>;

const OPTIONS = ['IOMMU_OPTION_RLIMIT_MODE', 'IOMMU_OPTION_HUGE_PAGES'];
const OPTION_OPERATIONS = ['IOMMU_OPTION_OP_SET', 'IOMMU_OPTION_OP_GET'];

function named(names: readonly string[]): Pick<FieldLayout, 'meaning' | 'check'> {
  const nameOf = (value: bigint) => (value < BigInt(names.length) ? names[Number(value)] : undefined);
  return { meaning: nameOf, check: (value) => (nameOf(value) ? undefined : `${value} is none of ${names.join(', ')}`) };
}

const OPTION = {
  name: 'iommu_option',
  fields: [
    sizeField(24),
    { name: 'option_id', width: 4, format: 'decimal', ...named(OPTIONS) },
    { name: 'op', width: 2, format: 'decimal', ...named(OPTION_OPERATIONS) },
    reserved('__reserved', 2),
    id('object_id', 'the IOAS, or 0 for the whole file descriptor'),
    { name: 'val64', width: 8, meaning: 'the value of the option' },
  ],
} satisfies StructLayout;

const HARDWARE = ['IOMMU_HW_INFO_TYPE_NONE', 'IOMMU_HW_INFO_TYPE_INTEL_VTD', 'IOMMU_HW_INFO_TYPE_ARM_SMMUV3'];

const HW_INFO = {
  name: 'iommu_hw_info',
  fields: [
    sizeField(40),
    { name: 'flags', width: 4, check: onlyBits(0n) },
    id('dev_id', 'the device whose IOMMU is asked'),
    { name: 'data_len', width: 4, format: 'decimal', meaning: 'bytes of the structure behind data_uptr' },
    { name: 'data_uptr', width: 8, meaning: 'where the structure of the hardware is in the program’s memory' },
    { name: 'out_data_type', width: 4, format: 'decimal', ...named(HARDWARE) },
    reserved('__reserved', 4),
    {
      name: 'out_capabilities',
      width: 8,
      bits: [{ name: 'IOMMU_HW_CAP_DIRTY_TRACKING', high: 0, low: 0, meaning: 'the IOMMU can track dirty pages' }],
    },
  ],
} satisfies StructLayout;

const DMA_MAP = {
  name: 'vfio_iommu_type1_dma_map',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'bytes of this structure' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(7n),
      bits: [
        { name: 'VFIO_DMA_MAP_FLAG_READ', high: 0, low: 0, meaning: 'devices may read' },
        { name: 'VFIO_DMA_MAP_FLAG_WRITE', high: 1, low: 1, meaning: 'devices may write' },
        { name: 'VFIO_DMA_MAP_FLAG_VADDR', high: 2, low: 2, meaning: 'only the user address changes' },
      ],
    },
    { name: 'vaddr', width: 8, meaning: 'where the memory is in the program' },
    { name: 'iova', width: 8 },
    { name: 'size', width: 8, meaning: (size, { iova = 0n }) => lengthLabel(iova, size) },
  ],
} satisfies StructLayout<'argsz' | 'flags' | 'vaddr' | 'iova' | 'size'>;

const DMA_UNMAP = {
  name: 'vfio_iommu_type1_dma_unmap',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'bytes of this structure' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(7n),
      bits: [
        { name: 'VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP', high: 0, low: 0, meaning: 'the dirty pages are wanted too' },
        { name: 'VFIO_DMA_UNMAP_FLAG_ALL', high: 1, low: 1, meaning: 'everything' },
        { name: 'VFIO_DMA_UNMAP_FLAG_VADDR', high: 2, low: 2, meaning: 'only the user addresses go' },
      ],
    },
    { name: 'iova', width: 8 },
    { name: 'size', width: 8, meaning: (size, { iova = 0n }) => lengthLabel(iova, size) },
  ],
} satisfies StructLayout<'argsz' | 'flags' | 'iova' | 'size'>;

/** True if the fields are all that there is. */
function isWhole(tree: UapiNode): boolean {
  return tree.children.every(({ name }) => name !== 'bytes');
}

/** A structure without capabilities. `fits` is asked once its fields are there and without problems. */
export function plainStructure<N extends string>(
  layout: StructLayout<N>,
  title: string,
  fits: (field: (name: N) => bigint) => boolean,
): UapiStructure {
  return {
    name: layout.name,
    title,
    decode(bytes, endian) {
      const { nodes, problem } = decodeStruct(layout, bytes, 0, endian);
      return root(layout.name, bytes, nodes, problem ? [problem] : []);
    },
    fits: (tree) => isWhole(tree) && fits((name) => tree.children.find((node) => node.name === name)?.raw ?? 0n),
    resembles: (tree) => isWhole(tree) && tree.children[0]?.name === 'size' && tree.children[0].problems.length === 0,
  };
}

const RANGE = {
  name: 'iommu_iova_range',
  fields: [
    { name: 'start', width: 8 },
    { name: 'last', width: 8, check: (last, { start = 0n }) => (start <= last ? undefined : 'start is above last') },
  ],
} as const satisfies StructLayout<'start' | 'last'>;

/** The array that IOMMU_IOAS_IOVA_RANGES fills in. */
const IOVA_RANGE_ARRAY: UapiStructure = {
  name: 'iommu_iova_range',
  title: 'the array behind IOMMU_IOAS_IOVA_RANGES: pairs of start and last',
  ranges: 'valid',
  decode(bytes, endian) {
    const size = sizeOfLayout(RANGE);
    const nodes: UapiNode[] = [];
    for (let at = 0; at + size <= bytes.length; at += size) {
      const { nodes: bounds, values, end } = decodeStruct(RANGE, bytes, at, endian);
      nodes.push(group(`[${at / size}]`, at, end, bounds, [], rangeLabel(values.start ?? 0n, values.last ?? 0n)));
    }
    const rest = bytes.length % size;
    const whole = bytes.length - rest;
    const message = `the array ends inside range ${nodes.length}: ${size - rest} bytes are missing`;
    return root('iommu_iova_range', bytes, nodes, rest === 0 ? [] : [{ code: 'short', offset: whole, message }]);
  },
  fits(tree) {
    let next = 0n;
    for (const { children } of tree.children) {
      const [start, last] = children;
      if (start?.raw === undefined || last?.raw === undefined || start.raw < next) return false;
      next = last.raw + 1n;
    }
    return tree.children.length > 0 && next > 1n;
  },
};

/** A plausible number of ranges, and where they are. */
const isArray = (count: bigint, pointer: bigint) => count < 4096n && (count === 0n || pointer !== 0n);

const isRead = (flags: bigint) => (flags & 6n) !== 0n;

export const IOMMUFD_STRUCTURES: readonly UapiStructure[] = [
  plainStructure(IOAS_IOVA_RANGES, 'IOMMU_IOAS_IOVA_RANGES: where an IOAS may be mapped', (f) => {
    return f('ioas_id') !== 0n && isArray(f('num_iovas'), f('allowed_iovas'));
  }),
  IOVA_RANGE_ARRAY,
  plainStructure(IOAS_MAP, 'IOMMU_IOAS_MAP', (f) => f('ioas_id') !== 0n && isRead(f('flags')) && f('length') !== 0n),
  plainStructure(
    IOAS_COPY,
    'IOMMU_IOAS_COPY',
    (f) => f('dst_ioas_id') !== 0n && f('src_ioas_id') !== 0n && isRead(f('flags')) && f('length') !== 0n,
  ),
  plainStructure(IOAS_UNMAP, 'IOMMU_IOAS_UNMAP', (f) => {
    const isAligned = ((f('iova') | f('length')) & 0xfffn) === 0n;
    return f('ioas_id') !== 0n && f('length') !== 0n && (isAligned || f('length') === EVERYTHING);
  }),
  plainStructure(IOAS_ALLOW_IOVAS, 'IOMMU_IOAS_ALLOW_IOVAS', (f) => {
    return f('ioas_id') !== 0n && isArray(f('num_iovas'), f('allowed_iovas'));
  }),
  plainStructure(IOAS_ALLOC, 'IOMMU_IOAS_ALLOC', () => true),
  plainStructure(OPTION, 'IOMMU_OPTION', (f) => f('val64') <= 1n),
  plainStructure(HW_INFO, 'IOMMU_GET_HW_INFO', (f) => f('dev_id') !== 0n),
  plainStructure(
    DMA_MAP,
    'VFIO_IOMMU_MAP_DMA',
    (f) => f('argsz') === 32n && f('flags') !== 0n && (f('size') & 0xfffn) === 0n && f('size') !== 0n,
  ),
  plainStructure(DMA_UNMAP, 'VFIO_IOMMU_UNMAP_DMA', (f) => f('argsz') === 24n && (f('size') & 0xfffn) === 0n),
];
