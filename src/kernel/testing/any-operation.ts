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
