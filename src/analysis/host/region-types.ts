/** What a type word of `reserved_regions` means, in words for people. Source: Linux Documentation/ABI, iommu groups. */
export interface RegionMeaning {
  readonly title: string;
  readonly sentence: string;
  /** True if no mapping may overlap it (VFIO type1 and iommufd, Linux 6.12: all but `direct-relaxable`). */
  readonly blocksMappings: boolean;
}

const MEANINGS: Readonly<Record<string, RegionMeaning>> = {
  msi: {
    title: 'MSI window',
    sentence:
      'Writes here are interrupts (or doorbell pages are mapped here by the kernel), so no memory can be mapped.',
    blocksMappings: true,
  },
  'sw-msi': {
    title: 'MSI window',
    sentence: 'A window that the kernel sets aside to map doorbell pages in, so no memory can be mapped.',
    blocksMappings: true,
  },
  direct: {
    title: 'direct',
    sentence:
      'The firmware asks for this memory to stay mapped one to one for the device. A device with such a region cannot be assigned to a guest.',
    blocksMappings: true,
  },
  'direct-relaxable': {
    title: 'direct-relaxable',
    sentence:
      'Mapped one to one while the kernel drives the device; given up when the device is assigned, so a guest may map over it.',
    blocksMappings: false,
  },
  reserved: {
    title: 'reserved',
    sentence: 'The IOMMU or the platform cannot translate these addresses, so no memory can be mapped.',
    blocksMappings: true,
  },
};

/** The meaning of a type word as the kernel prints it; an unknown word is taken as blocking, and says so. */
export function meaningOf(type: string): RegionMeaning {
  return (
    (Object.hasOwn(MEANINGS, type) ? MEANINGS[type] : undefined) ?? {
      title: type,
      sentence: `“${type}” is not a type that this version knows; it is treated like a reserved region.`,
      blocksMappings: true,
    }
  );
}
