/** Mappings that a VFIO container may have: dma_entry_limit of vfio_iommu_type1, at its default. */
export const MAPPING_LIMIT = 65535;
