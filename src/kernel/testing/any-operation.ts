// A generator for tests of the iommufd models.
import * as fc from 'fast-check';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { anyAddress } from '../../iova/testing/arbitraries.ts';
import type { Operation } from '../../session/events.ts';

const names = fc.constantFrom('a', 'b');
const place = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 40 }).map((n) => (BigInt(n) * 0x800n) as Iova) },
  { weight: 1, arbitrary: anyAddress },
);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 8 }).map((n) => (BigInt(n) * 0x800n) as Iova) },
  { weight: 1, arbitrary: anyAddress },
);
const flags = fc.subarray(['fixed', 'read', 'write'] as const).map((list) => [...list]);
const bounds = fc.tuple(place, place);

/** Any operation on IOASes, with few names and crowded addresses: most of them have an effect. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ op: fc.constant('ioas.alloc' as const), ioas: names }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('ioas.destroy' as const), ioas: names }) },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('ioas.map' as const),
      ioas: names,
      flags,
      user_va: place,
      length: size,
      iova: place,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('ioas.copy' as const),
      dst: names,
      src: names,
      flags,
      length: size,
      src_iova: place,
      dst_iova: place,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant('ioas.unmap' as const), ioas: names, iova: place, length: size }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('ioas.allow_iovas' as const),
      ioas: names,
      ranges: fc.array(bounds, { maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('ioas.reserve' as const), ioas: names, start: place, length: size }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('ioas.option_huge_pages' as const),
      ioas: names,
      value: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('device.attach' as const),
      device: fc.constantFrom('d', 'e'),
      ioas: names,
      domain: fc.record({
        iommu: fc.constantFrom('m', 'n'),
        aperture: fc.tuple(fc.constantFrom(0n as Iova, 0x800n as Iova), fc.constantFrom(0xffffn as Iova, IOVA_MAX)),
        pgsize_bitmap: fc.constantFrom(0x800n as Iova, 0x1000n as Iova, 0x2000n as Iova),
      }),
      reserved: fc.array(fc.record({ start: place, last: place, type: fc.constantFrom('msi', 'direct-relaxable') }), {
        maxLength: 2,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('device.detach' as const), device: fc.constantFrom('d', 'e') }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('access.create' as const), access: fc.constantFrom('x', 'y'), ioas: names }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('access.destroy' as const), access: fc.constantFrom('x', 'y') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('access.pin' as const),
      access: fc.constantFrom('x', 'y'),
      pin: fc.constantFrom('p', 'q'),
      iova: place,
      length: size,
      write: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('access.unpin' as const),
      access: fc.constantFrom('x', 'y'),
      pin: fc.constantFrom('p', 'q'),
    }),
  },
);

const containers = fc.constantFrom('c', 'd');
const groups = fc.constantFrom('1', '2');
const topPlace = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 12 }).map((n) => (BigInt(n) * 0x1000n) as Iova) },
  { weight: 3, arbitrary: fc.nat({ max: 6 }).map((n) => (IOVA_MAX - BigInt(n) * 0x1000n + 1n - 0x1000n) as Iova) },
  { weight: 1, arbitrary: place },
);
const pages = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }).map((n) => (BigInt(n) * 0x1000n) as Iova) },
  { weight: 1, arbitrary: size },
);
const memory = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  'hole',
  'tail-hole',
  'read-only',
  'pfnmap',
  'disk-file',
);

/** Any operation on VFIO containers, with few names and crowded addresses, many of them at the top of the space. */
export const anyContainerOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('container.open' as const),
      container: containers,
      model: fc.constantFrom('type1' as const, 'type1v2' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('container.close' as const), container: containers }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('container.attach_group' as const),
      container: containers,
      group: groups,
      domain: fc.record({
        iommu: fc.constantFrom('vtd', 'amd', 'virtio'),
        aperture: fc.tuple(fc.constantFrom(0n as Iova, 0x1000n as Iova), fc.constantFrom(0xffffn as Iova, IOVA_MAX)),
        pgsize_bitmap: fc.constantFrom(0x1000n as Iova, 0x3000n as Iova),
        enforce_cache_coherency: fc.boolean(),
      }),
      reserved: fc.array(
        fc.record({
          start: fc.constant(0x3000n as Iova),
          last: fc.constant(0x3fffn as Iova),
          type: fc.constantFrom('msi', 'direct', 'direct-relaxable'),
        }),
        { maxLength: 1 },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('container.detach_group' as const), container: containers, group: groups }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('container.map_dma' as const),
      container: containers,
      flags: fc.subarray(['read', 'write']).map((list) => [...list]),
      vaddr: topPlace,
      size: pages,
      iova: topPlace,
      memory,
      present: fc.constantFrom(0x1000n as Iova, 0x2000n as Iova),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      op: fc.constant('container.unmap_dma' as const),
      container: containers,
      flags: fc.constantFrom([], [], [], ['all']).map((list) => [...list]),
      iova: topPlace,
      size: pages,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('container.get_info' as const),
      container: containers,
      argsz: fc.nat({ max: 200 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('container.check_extension' as const),
      container: containers,
      extension: fc.nat({ max: 12 }),
    }),
  },
);

const hwpt = fc.constantFrom('h', 'i');
const devices = fc.constantFrom('d', 'e');
const target = fc.oneof(
  names.map((ioas) => ({ ioas })),
  hwpt.map((name) => ({ hwpt: name })),
);

/** Operations of later versions of iommufd: page tables as objects, files, memory that cannot be pinned. */
export const anyPageTableOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('hwpt.alloc' as const),
      hwpt,
      device: devices,
      ioas: names,
      flags: fc.subarray(['nest-parent', 'dirty-tracking', 'pasid']).map((list) => [...list]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('hwpt.destroy' as const), hwpt }) },
  {
    weight: 3,
    arbitrary: fc.tuple(devices, target).map(([device, to]): Operation => ({ op: 'device.replace', device, ...to })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(devices, hwpt).map(
      ([device, name]): Operation => ({
        op: 'device.attach',
        device,
        hwpt: name,
        domain: { iommu: 'm', aperture: [0n as Iova, IOVA_MAX], pgsize_bitmap: 0x1000n as Iova },
        reserved: [],
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('ioas.map' as const),
      ioas: names,
      flags,
      user_va: place,
      length: size,
      iova: place,
      memory,
      present: fc.constantFrom(0n as Iova, 0x1000n as Iova),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('ioas.map_file' as const),
      ioas: names,
      flags,
      fd: fc.constant('f'),
      file_size: fc.constantFrom(0x3000n as Iova, 0x10_0000n as Iova),
      start: place,
      length: size,
      iova: place,
      memory: fc.constantFrom(undefined, undefined, 'past-eof', 'other-file', 'no-file'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('ioas.iova_ranges' as const),
      ioas: names,
      capacity: fc.nat({ max: 4 }),
    }),
  },
);

const dmaDevices = fc.constantFrom('nic', 'gpu', 'disk');
/** Up to 64 pages are kept when they are unmapped, more are freed. */
const dmaSize = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1n, 0x1000n, 0x2000n, 0x3000n, 0x2_0000n, 0x4_1000n).map((n) => n as Iova) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 0x4000_0000n, 0xff_ffff_f000n, IOVA_MAX).map((n) => n as Iova) },
);
const dmaMask = fc
  .constantFrom(0xff_ffffn, 0x7fff_ffffn, 0xffff_ffffn, 0xff_ffff_ffffn, IOVA_MAX)
  .map((n) => n as Iova);
/** The allocator starts at the top of 4 GiB, or of a narrower mask. */
const dmaAddress = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(dmaMask, fc.integer({ min: 1, max: 48 }), fc.constantFrom(0n, 0n, 0n, 0x200n))
      .map(([mask, pages, offset]) => (mask + 1n - BigInt(pages) * 0x1000n + offset) as Iova),
  },
  { weight: 1, arbitrary: anyAddress },
);

/** Any operation of the DMA API: devices of two domains, few sizes, and addresses where the allocator begins. */
export const anyDmaOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .record({
        op: fc.constant('dma.attach' as const),
        device: dmaDevices,
        domain: fc.constantFrom('d', 'e'),
        last: fc.constantFrom(0xffff_ffffn, 0x7f_ffff_ffffn, IOVA_MAX),
        force_aperture: fc.boolean(),
        pgsize_bitmap: fc.constantFrom(0x1000n as Iova, 0x1000n as Iova, 0x4000n as Iova),
        pci: fc.boolean(),
        forcedac: fc.boolean(),
        bus_dma_limit: fc.constantFrom(undefined, undefined, 0n as Iova, 0xffff_ffffn as Iova),
        windows: fc.subarray([[0xe000_0000n as Iova, 0xefff_ffffn as Iova] as const]),
        reserved: fc.subarray([{ start: 0xfee0_0000n as Iova, last: 0xfeef_ffffn as Iova, type: 'msi' }]),
      })
      .map(({ last, ...operation }): Operation => ({ ...operation, aperture: [0n as Iova, last as Iova] })),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      op: fc.constant('dma.map' as const),
      device: dmaDevices,
      phys: fc.constantFrom(0n as Iova, 0x1_2345_6000n as Iova, 0x1_2345_6200n as Iova),
      size: dmaSize,
      dma_mask: dmaMask,
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      op: fc.constant('dma.unmap' as const),
      device: dmaDevices,
      dma_addr: dmaAddress,
      size: dmaSize,
    }),
  },
);
