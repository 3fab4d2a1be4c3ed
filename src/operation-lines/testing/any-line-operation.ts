// A generator of every operation, with names, flags and numbers that are hard to write down.
import * as fc from 'fast-check';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { anyAddress } from '../../iova/testing/arbitraries.ts';
import type { DomainDescription, Operation, ReservedRegion } from '../../session/events.ts';
import { KEYWORDS } from '../vocabulary.ts';

export const anyName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'nic', '1', '0000:00:06.0', 'guest-1', 'a_b', 'x@y', '-', 'c:d') },
  { weight: 2, arbitrary: fc.constantFrom(...KEYWORDS) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' ', 'a b', 'a:', '"', '\\', '#', '=>', 'a,b', 'ünï', 'a#b', '0x1', ',', '\n'),
  },
  { weight: 1, arbitrary: fc.string() },
);
const size = fc.oneof(
  anyAddress,
  fc.constantFrom(...[0n, 1n, 4096n, 1n << 21n, 1n << 32n, IOVA_MAX].map((n) => n as Iova)),
);
const bounds = fc.tuple(anyAddress, anyAddress);
const count = fc.oneof(fc.nat({ max: 200 }), fc.maxSafeNat());
const flags = fc.oneof(
  fc.subarray(['fixed', 'read', 'write']).map((list) => [...list]),
  fc.array(fc.oneof(fc.constantFrom('fixed', 'read', 'write', 'all', 'none'), anyName), { maxLength: 4 }),
);
const region: fc.Arbitrary<ReservedRegion> = fc.record({
  start: anyAddress,
  last: anyAddress,
  type: fc.oneof(fc.constantFrom('msi', 'sw-msi', 'direct', 'direct-relaxable', 'reserved'), anyName),
});
const regions = fc.array(region, { maxLength: 3 });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, required: false });

/** A record of which some fields may be absent. */
function record<T extends object>(
  required: { [K in keyof T]: fc.Arbitrary<T[K]> | { arbitrary: fc.Arbitrary<T[K]> } },
) {
  const keys = Object.keys(required) as (keyof T)[];
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  const needed: string[] = [];
  for (const key of keys) {
    const entry: unknown = required[key];
    const isOptional = typeof entry === 'object' && entry !== null && 'arbitrary' in entry && 'required' in entry;
    model[String(key)] = isOptional ? (entry.arbitrary as fc.Arbitrary<unknown>) : (entry as fc.Arbitrary<unknown>);
    if (!isOptional) needed.push(String(key));
  }
  return fc.record(model, { requiredKeys: needed, noNullPrototype: true }) as fc.Arbitrary<unknown> as fc.Arbitrary<T>;
}

const pageSizes = fc.oneof(
  fc.constantFrom(0x1000n as Iova, 0x4020_1000n as Iova, 0n as Iova, 0xffff_ffff_ffff_f000n as Iova),
  anyAddress,
);
const domain = record<DomainDescription>({
  iommu: anyName,
  aperture: bounds,
  pgsize_bitmap: pageSizes,
  enforce_cache_coherency: optional(fc.boolean()),
  dirty_tracking: optional(fc.boolean()),
  driver: optional(anyName),
} as never);
const backing = { memory: optional(anyName), present: optional(anyAddress) };
const target = { ioas: optional(anyName), hwpt: optional(anyName) };
const someTarget = fc.oneof(
  anyName.map((ioas) => ({ ioas })),
  anyName.map((hwpt) => ({ hwpt })),
  fc.tuple(anyName, anyName).map(([ioas, hwpt]) => ({ ioas, hwpt })),
);

const op = <O extends string>(name: O, fields: object) =>
  record<Operation>({ op: fc.constant(name), ...fields } as never);

export const anyLineOperation: fc.Arbitrary<Operation> = fc.oneof(
  op('ioas.alloc', { ioas: anyName }),
  op('ioas.destroy', { ioas: anyName }),
  op('ioas.map', { ioas: anyName, flags, user_va: anyAddress, length: size, iova: optional(anyAddress), ...backing }),
  op('ioas.map_file', {
    ...{ ioas: anyName, flags, fd: anyName, file_size: optional(size), start: anyAddress, length: size },
    ...{ iova: optional(anyAddress), ...backing },
  }),
  op('ioas.copy', {
    ...{ dst: anyName, src: anyName, flags, length: size, src_iova: anyAddress, dst_iova: optional(anyAddress) },
  }),
  op('ioas.unmap', { ioas: anyName, iova: fc.oneof(anyAddress, fc.constant(0n as Iova)), length: size }),
  op('ioas.iova_ranges', { ioas: anyName, capacity: optional(count) }),
  op('ioas.allow_iovas', { ioas: anyName, ranges: fc.array(bounds, { maxLength: 3 }) }),
  op('ioas.reserve', { ioas: anyName, start: anyAddress, length: size }),
  op('ioas.option_huge_pages', { ioas: anyName, value: count }),
  op('device.attach', { device: anyName, ...target, domain, reserved: regions }),
  fc.tuple(anyName, someTarget).map(([device, to]): Operation => ({ op: 'device.replace', device, ...to })),
  op('device.detach', { device: anyName }),
  op('hwpt.alloc', { hwpt: anyName, device: anyName, ioas: anyName, flags }),
  op('hwpt.destroy', { hwpt: anyName }),
  op('access.create', { access: anyName, ioas: anyName }),
  op('access.destroy', { access: anyName }),
  op('access.pin', { access: anyName, pin: anyName, iova: anyAddress, length: size, write: fc.boolean() }),
  op('access.unpin', { access: anyName, pin: anyName }),
  op('container.open', { container: anyName, model: fc.constantFrom('type1', 'type1v2') }),
  op('container.close', { container: anyName }),
  op('container.attach_group', { container: anyName, group: anyName, domain, reserved: regions }),
  op('container.detach_group', { container: anyName, group: anyName }),
  op('container.map_dma', { container: anyName, flags, vaddr: anyAddress, size, iova: anyAddress, ...backing }),
  op('container.unmap_dma', { container: anyName, flags, size, iova: fc.oneof(anyAddress, fc.constant(0n as Iova)) }),
  op('container.get_info', { container: anyName, argsz: count }),
  op('container.check_extension', { container: anyName, extension: count }),
  op('dma.attach', {
    ...{ device: anyName, domain: anyName, aperture: bounds, force_aperture: fc.boolean(), pgsize_bitmap: pageSizes },
    ...{ pci: fc.boolean(), forcedac: fc.boolean(), bus_dma_limit: optional(anyAddress) },
    ...{ windows: fc.array(bounds, { maxLength: 2 }), reserved: regions },
  }),
  op('dma.map', {
    ...{ device: anyName, phys: anyAddress, size },
    dma_mask: fc.oneof(
      anyAddress,
      fc.nat({ max: 64 }).map((bits) => ((1n << BigInt(bits)) - 1n) as Iova),
    ),
  }),
  op('dma.unmap', { device: anyName, dma_addr: anyAddress, size }),
);
