import type { Rule } from '../shared/refusal.ts';

const from = (name: string): string => `Linux 6.12, ${name}`;

/** Every rule by which Linux 6.12's VFIO type1 containers refuse an operation. The names are stable. */
export const TYPE1_RULES = {
  'no-backend': {
    errno: 'EINVAL',
    message: 'No group is attached, so the container has no IOMMU backend to ask',
    source: from('vfio_fops_unl_ioctl'),
  },

  'attach-group-in-use': {
    errno: 'EINVAL',
    message: 'The group is in a container already',
    source: from('vfio_group_ioctl_set_container'),
  },
  'attach-direct-region': {
    errno: 'EINVAL',
    message: 'Firmware wants a region of the group mapped one to one at all times, so its devices cannot be given away',
    source: from('__iommu_device_set_domain'),
  },
  'attach-aperture-disjoint': {
    errno: 'EINVAL',
    message: 'The aperture of the IOMMU has no address in common with what the container can map',
    source: from('vfio_iommu_aper_conflict'),
  },
  'attach-aperture-over-mapping': {
    errno: 'EINVAL',
    message: 'Something is mapped outside the aperture of the IOMMU',
    source: from('vfio_iommu_aper_conflict'),
  },
  'attach-region-over-mapping': {
    errno: 'EINVAL',
    message: 'A reserved region of the group is mapped',
    source: from('vfio_iommu_resv_conflict'),
  },
  'attach-no-range-left': {
    errno: 'EINVAL',
    message: 'The aperture and the reserved regions of all groups together leave nothing to map',
    source: from('vfio_iommu_resv_exclude'),
  },
  'detach-group-not-attached': {
    errno: 'EINVAL',
    message: 'The group is in no container',
    source: from('vfio_group_ioctl_unset_container'),
  },

  'map-no-permission': {
    errno: 'EINVAL',
    message: 'A mapping needs permission to read, to write, or both',
    source: from('vfio_dma_do_map'),
  },
  'map-size-zero': {
    errno: 'EINVAL',
    message: 'A mapping needs at least one byte',
    source: from('vfio_dma_do_map'),
  },
  'map-size-unaligned': {
    errno: 'EINVAL',
    message: 'The size is not a multiple of the smallest page of the IOMMU',
    source: from('vfio_dma_do_map'),
  },
  'map-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the smallest page of the IOMMU',
    source: from('vfio_dma_do_map'),
  },
  'map-memory-unaligned': {
    errno: 'EINVAL',
    message: 'The address of the memory is not a multiple of the smallest page of the IOMMU',
    source: from('vfio_dma_do_map'),
  },
  'map-iova-wraps': {
    errno: 'EINVAL',
    message: 'The range would run past the end of the 64-bit space',
    source: from('vfio_dma_do_map'),
  },
  'map-memory-wraps': {
    errno: 'EINVAL',
    message: 'The memory would run past the end of the 64-bit space',
    source: from('vfio_dma_do_map'),
  },
  'map-over-mapping': {
    errno: 'EEXIST',
    message: 'Part of the range is already mapped',
    source: from('vfio_dma_do_map'),
  },
  'map-none-left': {
    errno: 'ENOSPC',
    message: 'The container has as many mappings as it may have',
    source: from('vfio_dma_do_map'),
  },
  'map-outside-valid-ranges': {
    errno: 'EINVAL',
    message: 'The range does not lie inside one of the ranges that may be mapped',
    source: from('vfio_iommu_iova_dma_valid'),
  },

  'unmap-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the smallest page of the IOMMU',
    source: from('vfio_dma_do_unmap'),
  },
  'unmap-all-with-range': {
    errno: 'EINVAL',
    message: 'An unmap of everything names no range: IOVA and size must be 0',
    source: from('vfio_dma_do_unmap'),
  },
  'unmap-size-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    source: from('vfio_dma_do_unmap'),
  },
  'unmap-size-unaligned': {
    errno: 'EINVAL',
    message: 'The size is not a multiple of the smallest page of the IOMMU',
    source: from('vfio_dma_do_unmap'),
  },
  'unmap-wraps': {
    errno: 'EINVAL',
    message: 'The range would run past the end of the 64-bit space',
    source: from('vfio_dma_do_unmap'),
  },
  'unmap-cuts-mapping': {
    errno: 'EINVAL',
    message: 'A mapping reaches beyond the range, and version 2 never splits one',
    source: from('vfio_dma_do_unmap'),
  },

  'info-buffer-too-small': {
    errno: 'EINVAL',
    message: 'The buffer does not hold the page sizes',
    source: from('vfio_iommu_type1_get_info'),
  },
} satisfies Record<string, Rule>;

export type Type1Rule = keyof typeof TYPE1_RULES;
