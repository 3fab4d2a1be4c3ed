/** Mappings that a VFIO container may have: dma_entry_limit of vfio_iommu_type1, unless somebody changed it. */
export const MAPPING_LIMIT = 65535;
