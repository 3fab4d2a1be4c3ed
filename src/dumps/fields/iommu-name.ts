// An IOMMU of sysfs and its driver.
import type { FactOf } from '../../session/events.ts';
import { normalizePciAddress } from './pci-address.ts';
import type { IommuPlace } from './sysfs-path.ts';

/** Drivers by the names of their IOMMUs. */
const DRIVERS: readonly (readonly [name: RegExp, driver: string])[] = [
  [/^dmar\d/, 'intel'],
  [/^ivhd\d/, 'amd'],
  [/^(?:arm-)?smmu-?v?3/, 'smmu-v3'],
  [/^(?:arm-)?smmu/, 'smmu-v2'],
  [/^virtio/, 'virtio'],
  [/^s390/, 's390'],
  [/^riscv/, 'riscv'],
  [/^apple-dart/, 'apple-dart'],
];

/** The `iommu` fact of a sysfs path: name and driver (`unknown` if neither the path nor the name tells). */
export function iommuOf({ name, driver }: IommuPlace): FactOf<'iommu'> {
  if (driver !== undefined) return { kind: 'iommu', name, driver };
  const byName = DRIVERS.find(([pattern]) => pattern.test(name))?.[1];
  return { kind: 'iommu', name, driver: byName ?? (normalizePciAddress(name) === undefined ? 'unknown' : 'virtio') };
}
