// What the type words of `reserved_regions` mean. Source: Linux, Documentation/ABI/testing/sysfs-kernel-iommu_groups.

const REGION_TYPES = ['msi', 'sw-msi', 'direct', 'direct-relaxable', 'reserved'] as const;

/** A type word that this program knows. Kernels may print others; those are kept as they are. */
export type RegionType = (typeof REGION_TYPES)[number];

export function isRegionType(word: string): word is RegionType {
  return (REGION_TYPES as readonly string[]).includes(word);
}

/** What a type word means, for people. */
export interface RegionMeaning {
  readonly title: string;
  readonly sentence: string;
  /** True if no mapping may overlap it (VFIO type1 and iommufd, Linux 6.12: all types but `direct-relaxable`). */
  readonly blocksMappings: boolean;
}

const MEANINGS: Readonly<Record<RegionType, RegionMeaning>> = {
  msi: {
    title: 'MSI window',
    sentence:
      'Writes to these addresses are interrupts, or the kernel maps doorbell pages here. No memory can be mapped.',
    blocksMappings: true,
  },
  'sw-msi': {
    title: 'MSI window',
    sentence: 'The kernel maps doorbell pages here. No memory can be mapped.',
    blocksMappings: true,
  },
  direct: {
    title: 'direct',
    sentence:
      'Firmware requires this memory to be mapped one to one for the device at all times. A device with such a region cannot be assigned to a guest.',
    blocksMappings: true,
  },
  'direct-relaxable': {
    title: 'direct-relaxable',
    sentence:
      'Mapped one to one while a host driver uses the device. The mapping is dropped when the device is assigned, so a guest can map here.',
    blocksMappings: false,
  },
  reserved: {
    title: 'reserved',
    sentence: 'The IOMMU or the platform cannot translate these addresses. No memory can be mapped.',
    blocksMappings: true,
  },
};

/** The meaning of a type word as the kernel prints it. An unknown word is treated as blocking, and the sentence says so. */
export function meaningOf(type: string): RegionMeaning {
  if (isRegionType(type)) return MEANINGS[type];
  return {
    title: type,
    sentence: `Unknown region type '${type}', treated like a reserved region. No memory can be mapped.`,
    blocksMappings: true,
  };
}

/** Origins of regions that firmware describes: its tables have no groups. */
const FIRMWARE: ReadonlySet<string | undefined> = new Set(['rmrr', 'ivmd', 'rmr']);

/** True for a region as the tables of firmware have it. */
export function isFirmwareOrigin(origin: string | undefined): boolean {
  return FIRMWARE.has(origin);
}
