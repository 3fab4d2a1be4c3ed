import { defineRules } from '../shared/rule.ts';
import { KERNEL_CHANGES } from '../version-changes.ts';

/**
 * The rules by which VFIO's calls on /dev/iommu are refused before its page table is asked, which refuses by those of
 * iommufd. The names are stable.
 */
export const IOMMUFD_VFIO_RULES = defineRules('Linux 6.12', {
  'compat-no-ioas': {
    errno: 'ENODEV',
    message: 'No group was attached yet, so the file descriptor has no IOAS for VFIO',
    where: 'get_compat_ioas',
  },
  'compat-map-flags': {
    errno: 'EINVAL',
    message: 'The map has a flag other than read and write',
    where: 'iommufd_vfio_map_dma',
  },
  'compat-unmap-flags': {
    errno: 'EINVAL',
    message: 'The unmap has a flag other than all',
    where: 'iommufd_vfio_unmap_dma',
  },
  'compat-unmap-all-with-range': {
    errno: 'EINVAL',
    message: 'With flag all, IOVA and size must be 0',
    where: 'iommufd_vfio_unmap_dma',
  },
  'compat-info-too-small': {
    errno: 'EINVAL',
    message: 'The buffer is too small for the page sizes',
    where: 'iommufd_vfio_iommu_get_info',
  },
  'compat-group-in-use': {
    errno: 'EINVAL',
    message: 'The group is already attached to a file descriptor',
    where: 'vfio_group_ioctl_set_container',
  },
  'compat-group-not-attached': {
    errno: 'EINVAL',
    message: 'The group is not attached',
    where: 'vfio_group_ioctl_unset_container',
  },
  'compat-direct-region': {
    errno: 'EINVAL',
    message:
      'Firmware requires a region of the group to be mapped one to one at all times, so its devices cannot be assigned',
    where: '__iommu_device_set_domain',
    log: /has requested this device have a 1:1/i,
    was: [
      {
        before: KERNEL_CHANGES['direct-region-refused'].since,
        change: 'direct-region-refused',
        driver: 'intel',
        errno: 'EPERM',
        where: 'intel_iommu_attach_device',
        log: /ineligible for IOMMU domain attach|RMRR requirement/i,
      },
    ],
  },
});
