// Arguments of the ioctls of iommufd, and of the VFIO ioctls that map and unmap: structures of fixed size.
import { counted, formatSize } from '../iova/format.ts';
import { decodeStruct, type FieldLayout, onlyBits, reserved, type StructLayout, sizeOfLayout } from './layout.ts';
import type { UapiNode } from './node.ts';
import type { UapiStructure } from './structure.ts';
import { group, root } from './tree.ts';
import { lengthLabel, rangeLabel } from './words.ts';

/** The first field of every argument of iommufd: the size of the structure that the caller knows. */
function sizeField(size: number): FieldLayout<'size'> {
  return {
    name: 'size',
    width: 4,
    format: 'decimal',
    meaning: 'size of this structure in bytes',
    problemCode: 'wrong-size',
    check: (value) => (value === BigInt(size) ? undefined : `size is ${value}; expected ${size}`),
  };
}

const id = <const N extends string>(name: N, meaning: string): FieldLayout<N> => ({
  name,
  width: 4,
  format: 'decimal',
  meaning,
});

const bytesLabel = (length: bigint) => (length === 0n ? undefined : formatSize(length));

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
    id('ioas_id', 'the IOAS to query'),
    {
      name: 'num_iovas',
      width: 4,
      format: 'decimal',
      meaning: 'number of ranges: the capacity of the array, or how many exist',
    },
    reserved('__reserved', 4),
    { name: 'allowed_iovas', width: 8, meaning: 'user address of the array: pairs of start and last' },
    {
      name: 'out_iova_alignment',
      width: 8,
      meaning: (alignment) => `an iova must be a multiple of ${formatSize(alignment)}`,
      check: (alignment) => ((alignment & (alignment - 1n)) === 0n ? undefined : 'not a power of two'),
    },
  ],
} satisfies StructLayout;

const IOAS_ALLOW_IOVAS = {
  name: 'iommu_ioas_allow_iovas',
  fields: [
    sizeField(24),
    id('ioas_id', 'the IOAS where the kernel chooses inside these ranges'),
    { name: 'num_iovas', width: 4, format: 'decimal', meaning: 'number of ranges' },
    reserved('__reserved', 4),
    { name: 'allowed_iovas', width: 8, meaning: 'user address of the array: pairs of start and last' },
  ],
} satisfies StructLayout;

const IOAS_MAP = {
  name: 'iommu_ioas_map',
  fields: [
    sizeField(40),
    MAP_FLAGS,
    id('ioas_id', 'the IOAS to map in'),
    reserved('__reserved', 4),
    { name: 'user_va', width: 8, meaning: 'user address of the memory' },
    { name: 'length', width: 8, meaning: bytesLabel },
    { name: 'iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
  ],
} satisfies StructLayout<'size' | 'flags' | 'ioas_id' | '__reserved' | 'user_va' | 'length' | 'iova'>;

const IOAS_COPY = {
  name: 'iommu_ioas_copy',
  fields: [
    sizeField(40),
    MAP_FLAGS,
    id('dst_ioas_id', 'the IOAS to map in'),
    id('src_ioas_id', 'the IOAS where it is already mapped'),
    { name: 'length', width: 8, meaning: bytesLabel },
    { name: 'dst_iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
    { name: 'src_iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
  ],
} satisfies StructLayout<'size' | 'flags' | 'dst_ioas_id' | 'src_ioas_id' | 'length' | 'dst_iova' | 'src_iova'>;

/** Source: Linux 6.13, include/uapi/linux/iommufd.h. */
const IOAS_MAP_FILE = {
  name: 'iommu_ioas_map_file',
  fields: [
    sizeField(40),
    MAP_FLAGS,
    id('ioas_id', 'the IOAS to map in'),
    id('fd', 'the file: a memfd'),
    { name: 'start', width: 8, meaning: 'offset in the file' },
    { name: 'length', width: 8, meaning: bytesLabel },
    { name: 'iova', width: 8, meaning: (iova, { length = 0n }) => lengthLabel(iova, length) },
  ],
} satisfies StructLayout<'size' | 'flags' | 'ioas_id' | 'fd' | 'start' | 'length' | 'iova'>;

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
  return {
    meaning: nameOf,
    check: (value) => (nameOf(value) ? undefined : `${value} is not one of ${names.join(', ')}`),
  };
}

const OPTION = {
  name: 'iommu_option',
  fields: [
    sizeField(24),
    { name: 'option_id', width: 4, format: 'decimal', ...named(OPTIONS) },
    { name: 'op', width: 2, format: 'decimal', ...named(OPTION_OPERATIONS) },
    reserved('__reserved', 2),
    id('object_id', 'the IOAS, or 0 for all of the file descriptor'),
    { name: 'val64', width: 8, meaning: 'the value of the option' },
  ],
} satisfies StructLayout;

const HARDWARE = [
  'IOMMU_HW_INFO_TYPE_NONE',
  'IOMMU_HW_INFO_TYPE_INTEL_VTD',
  'IOMMU_HW_INFO_TYPE_ARM_SMMUV3',
  'IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV',
  'IOMMU_HW_INFO_TYPE_AMD',
];

const HW_INFO = {
  name: 'iommu_hw_info',
  fields: [
    sizeField(40),
    {
      name: 'flags',
      width: 4,
      check: onlyBits(1n),
      bits: [{ name: 'IOMMU_HW_INFO_FLAG_INPUT_TYPE', high: 0, low: 0, meaning: 'the caller asks for one data type' }],
    },
    id('dev_id', 'the device whose IOMMU is queried'),
    { name: 'data_len', width: 4, format: 'decimal', meaning: 'size of the structure at data_uptr in bytes' },
    { name: 'data_uptr', width: 8, meaning: 'user address of the structure of the hardware' },
    { name: 'out_data_type', width: 4, format: 'decimal', ...named(HARDWARE) },
    {
      name: 'out_max_pasid_log2',
      width: 1,
      format: 'decimal',
      meaning: (bits) => (bits === 0n ? 'no PASIDs' : `PASIDs have ${bits} bits`),
    },
    reserved('__reserved[0]', 1),
    reserved('__reserved[1]', 2),
    {
      name: 'out_capabilities',
      width: 8,
      bits: [
        { name: 'IOMMU_HW_CAP_DIRTY_TRACKING', high: 0, low: 0, meaning: 'the IOMMU can track dirty pages' },
        { name: 'IOMMU_HW_CAP_PCI_PASID_EXEC', high: 1, low: 1, meaning: 'PASIDs of the device may execute' },
        { name: 'IOMMU_HW_CAP_PCI_PASID_PRIV', high: 2, low: 2, meaning: 'PASIDs of the device may be privileged' },
      ],
    },
  ],
} satisfies StructLayout;

const HWPT_DATA = [
  'IOMMU_HWPT_DATA_NONE',
  'IOMMU_HWPT_DATA_VTD_S1',
  'IOMMU_HWPT_DATA_ARM_SMMUV3',
  'IOMMU_HWPT_DATA_AMD_GUEST',
];

/** Source: Linux 6.13, include/uapi/linux/iommufd.h. */
const HWPT_ALLOC = {
  name: 'iommu_hwpt_alloc',
  fields: [
    sizeField(48),
    {
      name: 'flags',
      width: 4,
      check: onlyBits(15n),
      bits: [
        { name: 'IOMMU_HWPT_ALLOC_NEST_PARENT', high: 0, low: 0, meaning: 'nested page tables can be put on it' },
        { name: 'IOMMU_HWPT_ALLOC_DIRTY_TRACKING', high: 1, low: 1, meaning: 'dirty pages can be tracked' },
        { name: 'IOMMU_HWPT_FAULT_ID_VALID', high: 2, low: 2, meaning: 'fault_id is given' },
        { name: 'IOMMU_HWPT_ALLOC_PASID', high: 3, low: 3, meaning: 'it can be attached to a PASID' },
      ],
    },
    id('dev_id', 'the device that decides what the page table is like'),
    id('pt_id', 'the IOAS, the parent page table or the vIOMMU that it belongs to'),
    id('out_hwpt_id', 'the new page table'),
    reserved('__reserved', 4),
    { name: 'data_type', width: 4, format: 'decimal', ...named(HWPT_DATA) },
    { name: 'data_len', width: 4, format: 'decimal', meaning: 'size of the structure at data_uptr in bytes' },
    { name: 'data_uptr', width: 8, meaning: 'user address of the structure of the hardware' },
    id('fault_id', 'the queue of its faults'),
    reserved('__reserved2', 4),
  ],
} satisfies StructLayout;

const VIOMMU_TYPES = ['IOMMU_VIOMMU_TYPE_DEFAULT', 'IOMMU_VIOMMU_TYPE_ARM_SMMUV3', 'IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV'];

const VIOMMU_FIELDS = [
  { name: 'flags', width: 4, check: onlyBits(0n) },
  { name: 'type', width: 4, format: 'decimal', ...named(VIOMMU_TYPES) },
  id('dev_id', 'the device whose IOMMU it is a part of'),
  id('hwpt_id', 'the parent page table'),
  id('out_viommu_id', 'the new vIOMMU'),
] satisfies readonly FieldLayout[];

/** Source: Linux 6.17, include/uapi/linux/iommufd.h. */
const VIOMMU_ALLOC = {
  name: 'iommu_viommu_alloc',
  fields: [
    sizeField(40),
    ...VIOMMU_FIELDS,
    { name: 'data_len', width: 4, format: 'decimal', meaning: 'size of the structure at data_uptr in bytes' },
    reserved('__reserved', 4),
    { name: 'data_uptr', width: 8, meaning: 'user address of the structure of the hardware' },
  ],
} satisfies StructLayout;

/** As it was at first. Source: Linux 6.13, include/uapi/linux/iommufd.h. */
const VIOMMU_ALLOC_6_13 = {
  name: 'iommu_viommu_alloc_6.13',
  fields: [sizeField(24), ...VIOMMU_FIELDS],
} satisfies StructLayout;

/** Source: Linux 6.13, include/uapi/linux/iommufd.h. */
const VDEVICE_ALLOC = {
  name: 'iommu_vdevice_alloc',
  fields: [
    sizeField(24),
    id('viommu_id', 'the vIOMMU of the guest'),
    id('dev_id', 'the device'),
    id('out_vdevice_id', 'the new virtual device'),
    { name: 'virt_id', width: 8, meaning: 'its id behind the vIOMMU: a stream id (Arm), a requester id (AMD, Intel)' },
  ],
} satisfies StructLayout;

const DMA_MAP = {
  name: 'vfio_iommu_type1_dma_map',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'size of this structure in bytes' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(7n),
      bits: [
        { name: 'VFIO_DMA_MAP_FLAG_READ', high: 0, low: 0, meaning: 'devices may read' },
        { name: 'VFIO_DMA_MAP_FLAG_WRITE', high: 1, low: 1, meaning: 'devices may write' },
        { name: 'VFIO_DMA_MAP_FLAG_VADDR', high: 2, low: 2, meaning: 'update the user address only' },
      ],
    },
    { name: 'vaddr', width: 8, meaning: 'user address of the memory' },
    { name: 'iova', width: 8 },
    { name: 'size', width: 8, meaning: (size, { iova = 0n }) => lengthLabel(iova, size) },
  ],
} satisfies StructLayout<'argsz' | 'flags' | 'vaddr' | 'iova' | 'size'>;

const DMA_UNMAP = {
  name: 'vfio_iommu_type1_dma_unmap',
  fields: [
    { name: 'argsz', width: 4, format: 'decimal', meaning: 'size of this structure in bytes' },
    {
      name: 'flags',
      width: 4,
      check: onlyBits(7n),
      bits: [
        { name: 'VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP', high: 0, low: 0, meaning: 'also return the dirty bitmap' },
        { name: 'VFIO_DMA_UNMAP_FLAG_ALL', high: 1, low: 1, meaning: 'everything' },
        { name: 'VFIO_DMA_UNMAP_FLAG_VADDR', high: 2, low: 2, meaning: 'invalidate the user addresses only' },
      ],
    },
    { name: 'iova', width: 8 },
    { name: 'size', width: 8, meaning: (size, { iova = 0n }) => lengthLabel(iova, size) },
  ],
} satisfies StructLayout<'argsz' | 'flags' | 'iova' | 'size'>;

/** True if the buffer has no bytes besides the fields. */
function isComplete(tree: UapiNode): boolean {
  return tree.children.every(({ name }) => name !== 'bytes');
}

/** A structure without capabilities. `fits` is called only for trees without problems. */
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
    fits: (tree) => isComplete(tree) && fits((name) => tree.children.find((node) => node.name === name)?.raw ?? 0n),
    resembles: (tree) =>
      isComplete(tree) && tree.children[0]?.name === 'size' && tree.children[0].problems.length === 0,
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
  title: 'the array of IOMMU_IOAS_IOVA_RANGES: pairs of start and last',
  ranges: 'valid',
  decode(bytes, endian) {
    const size = sizeOfLayout(RANGE);
    const nodes: UapiNode[] = [];
    for (let at = 0; at + size <= bytes.length; at += size) {
      const { nodes: bounds, values, end } = decodeStruct(RANGE, bytes, at, endian);
      nodes.push(group(`[${at / size}]`, at, end, bounds, [], rangeLabel(values.start ?? 0n, values.last ?? 0n)));
    }
    const rest = bytes.length % size;
    const message = `the array ends inside range ${nodes.length}: ${counted(size - rest, 'byte')} missing`;
    return root(
      'iommu_iova_range',
      bytes,
      nodes,
      rest === 0 ? [] : [{ code: 'short', offset: bytes.length - rest, message }],
    );
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
  plainStructure(IOAS_IOVA_RANGES, 'IOMMU_IOAS_IOVA_RANGES: the usable ranges of an IOAS', (f) => {
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
  plainStructure(IOAS_MAP_FILE, 'IOMMU_IOAS_MAP_FILE', (f) => {
    const isAligned = ((f('start') | f('length')) & 0xfffn) === 0n;
    return (
      f('ioas_id') !== 0n &&
      f('fd') > 2n &&
      f('fd') < 1n << 20n &&
      isRead(f('flags')) &&
      f('length') !== 0n &&
      isAligned
    );
  }),
  plainStructure(HWPT_ALLOC, 'IOMMU_HWPT_ALLOC', (f) => f('dev_id') !== 0n && f('pt_id') !== 0n),
  plainStructure(VIOMMU_ALLOC, 'IOMMU_VIOMMU_ALLOC', (f) => f('dev_id') !== 0n && f('hwpt_id') !== 0n),
  plainStructure(VIOMMU_ALLOC_6_13, 'IOMMU_VIOMMU_ALLOC as of Linux 6.13', (f) => {
    return f('dev_id') !== 0n && f('hwpt_id') !== 0n;
  }),
  plainStructure(VDEVICE_ALLOC, 'IOMMU_VDEVICE_ALLOC', (f) => {
    return f('viommu_id') !== 0n && f('dev_id') !== 0n && f('virt_id') < 1n << 32n;
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
