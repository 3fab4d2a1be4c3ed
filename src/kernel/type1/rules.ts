import { MEMORY_RULES } from '../shared/memory-rules.ts';
import { defineRules, type OlderRule } from '../shared/rule.ts';
import { KERNEL_CHANGES } from '../version-changes.ts';

/** Ranges that end above 2^64-1 before Linux 6.18. */
const WRAPS: { readonly kernel: string; readonly errno: 'EOVERFLOW'; readonly was: readonly OlderRule[] } = {
  kernel: 'Linux 6.18',
  errno: 'EOVERFLOW',
  was: [{ before: KERNEL_CHANGES['type1-overflow'].since, change: 'type1-overflow', errno: 'EINVAL' }],
};

/** The rules by which VFIO type1 containers refuse operations. The names are stable. */
export const TYPE1_RULES = defineRules('Linux 6.12', {
  ...MEMORY_RULES,
  'no-backend': {
    errno: 'EINVAL',
    message: 'No group is attached, so the container has no IOMMU backend',
    where: 'vfio_fops_unl_ioctl',
  },

  'attach-group-in-use': {
    errno: 'EINVAL',
    message: 'The group is already in a container',
    where: 'vfio_group_ioctl_set_container',
  },
  'attach-direct-region': {
    errno: 'EINVAL',
    message:
      'Firmware requires a region of the group to be mapped one to one at all times, so its devices cannot be assigned',
    where: '__iommu_device_set_domain',
    log: /has requested this device have a 1:1/i,
    logs: 'Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    was: [
      {
        before: KERNEL_CHANGES['direct-region-refused'].since,
        change: 'direct-region-refused',
        driver: 'intel',
        errno: 'EPERM',
        where: 'intel_iommu_attach_device',
        log: /ineligible for IOMMU domain attach|RMRR requirement/i,
        logs: 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement. Contact your platform vendor.',
      },
    ],
  },
  'attach-aperture-disjoint': {
    errno: 'EINVAL',
    message: 'The aperture of the IOMMU does not overlap the valid ranges of the container',
    where: 'vfio_iommu_aper_conflict',
  },
  'attach-aperture-over-mapping': {
    errno: 'EINVAL',
    message: 'Something is mapped outside the aperture of the IOMMU',
    where: 'vfio_iommu_aper_conflict',
  },
  'attach-region-over-mapping': {
    errno: 'EINVAL',
    message: 'A reserved region of the group is mapped',
    where: 'vfio_iommu_resv_conflict',
  },
  'attach-no-range-left': {
    errno: 'EINVAL',
    message: 'The aperture and the reserved regions of all groups leave no valid range',
    where: 'vfio_iommu_resv_exclude',
  },
  'detach-group-not-attached': {
    errno: 'EINVAL',
    message: 'The group is in no container',
    where: 'vfio_group_ioctl_unset_container',
  },

  'map-unknown-flag': {
    errno: 'EINVAL',
    message: 'The map has a flag that this kernel does not know',
    where: 'vfio_iommu_type1_map_dma',
  },
  'map-vaddr-with-permission': {
    errno: 'EINVAL',
    message: 'Flag vaddr updates a mapping, so it cannot be combined with permissions',
    where: 'vfio_dma_do_map',
  },
  'map-vaddr-nothing': {
    errno: 'ENOENT',
    message: 'Flag vaddr updates a mapping, and there is none',
    where: 'vfio_dma_do_map',
  },
  'map-vaddr-valid': {
    errno: 'EINVAL',
    message: 'Flag vaddr updates exactly one mapping whose user address was invalidated before',
    where: 'vfio_dma_do_map',
  },
  'map-no-permission': {
    errno: 'EINVAL',
    message: 'A mapping needs permission to read, to write, or both',
    where: 'vfio_dma_do_map',
  },
  'map-size-zero': {
    errno: 'EINVAL',
    message: 'A mapping needs at least one byte',
    where: 'vfio_dma_do_map',
  },
  'map-size-unaligned': {
    errno: 'EINVAL',
    message: 'The size is not a multiple of the smallest page size of the IOMMU',
    where: 'vfio_dma_do_map',
  },
  'map-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the smallest page size of the IOMMU',
    where: 'vfio_dma_do_map',
  },
  'map-memory-unaligned': {
    errno: 'EINVAL',
    message: 'The user address is not a multiple of the smallest page size of the IOMMU',
    where: 'vfio_dma_do_map',
  },
  'map-iova-wraps': {
    ...WRAPS,
    message: 'The range would end above 2^64-1',
    where: 'vfio_dma_do_map',
  },
  'map-memory-wraps': {
    ...WRAPS,
    message: 'The user memory would end above 2^64-1',
    where: 'vfio_dma_do_map',
  },
  'map-over-mapping': {
    errno: 'EEXIST',
    message: 'Part of the range is already mapped',
    where: 'vfio_dma_do_map',
  },
  'map-none-left': {
    errno: 'ENOSPC',
    message: 'The container has reached its mapping limit',
    where: 'vfio_dma_do_map',
  },
  'map-outside-valid-ranges': {
    errno: 'EINVAL',
    message: 'The range is not inside one of the valid ranges of the container',
    where: 'vfio_iommu_iova_dma_valid',
  },

  'unmap-unknown-flag': {
    errno: 'EINVAL',
    message: 'The unmap has a flag that this kernel does not know',
    where: 'vfio_iommu_type1_unmap_dma',
  },
  'unmap-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the smallest page size of the IOMMU',
    where: 'vfio_dma_do_unmap',
  },
  'unmap-all-with-range': {
    errno: 'EINVAL',
    message: 'With flag all, IOVA and size must be 0',
    where: 'vfio_dma_do_unmap',
  },
  'unmap-size-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    where: 'vfio_dma_do_unmap',
  },
  'unmap-size-unaligned': {
    errno: 'EINVAL',
    message: 'The size is not a multiple of the smallest page size of the IOMMU',
    where: 'vfio_dma_do_unmap',
  },
  'unmap-wraps': {
    ...WRAPS,
    message: 'The range would end above 2^64-1',
    where: 'vfio_dma_do_unmap',
  },
  'unmap-cuts-mapping': {
    errno: 'EINVAL',
    message: 'A mapping extends beyond the range, and version 2 never splits mappings',
    where: 'vfio_dma_do_unmap',
  },

  'info-buffer-too-small': {
    errno: 'EINVAL',
    message: 'The buffer is too small for the page sizes',
    where: 'vfio_iommu_type1_get_info',
  },
});
