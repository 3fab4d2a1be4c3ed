import type { DomainDescription } from '../../session/events.ts';

/** Names that sessions give to IOMMUs, by driver as in facts of kind `iommu`. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(?:vt-?d|intel|dmar)/i, 'intel'],
  [/^(?:amd|ivhd)/i, 'amd'],
  [/^(?:virtio|viommu)/i, 'virtio'],
  [/^(?:smmu|arm-smmu)/i, 'smmu-v3'],
];

/** The driver of an IOMMU: as the session says, or as its name tells; `undefined` if neither does. */
export function driverOf({ driver, iommu }: Pick<DomainDescription, 'driver' | 'iommu'>): string | undefined {
  return driver ?? NAMES.find(([pattern]) => pattern.test(iommu))?.[1];
}
