import { MEMORY_RULES } from '../shared/memory-rules.ts';
import { defineRules } from '../shared/rule.ts';

/** The rules by which iommufd refuses operations. The names are stable. */
export const IOMMUFD_RULES = defineRules('Linux 6.12', {
  ...MEMORY_RULES,
  'file-past-eof': {
    errno: 'EINVAL',
    message: 'Part of the range is behind the last whole page of the file',
    where: 'memfd_pin_folios',
  },
  'file-not-memfd': {
    errno: 'EINVAL',
    message: 'The file is neither a memfd nor in tmpfs or hugetlbfs',
    where: 'memfd_pin_folios',
  },
  'file-not-open': {
    errno: 'EBADF',
    message: 'The file descriptor is not open',
    where: 'iommufd_ioas_map_file',
  },
  'file-start-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range of the file would end above 2^64-1',
    where: 'iopt_map_file_pages',
  },
  'map-file-missing': {
    errno: 'ENOTTY',
    message: 'This kernel does not have IOMMU_IOAS_MAP_FILE (since Linux 6.13)',
    where: 'iommufd_fops_ioctl',
  },

  'ioas-has-domain': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while a device is attached to it',
    where: 'iommufd_destroy',
  },
  'ioas-has-page-table': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while a page table (hwpt) uses it',
    where: 'iommufd_destroy',
  },
  'ioas-has-access': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while an access uses it',
    where: 'iommufd_destroy',
  },

  'map-unknown-flag': {
    errno: 'EOPNOTSUPP',
    message: 'The map has a flag that the kernel does not know',
    where: 'iommufd_ioas_map',
  },
  'map-limit': {
    errno: 'EOVERFLOW',
    message: 'The IOVA or the length is 2^64-1, which the ioctl does not accept',
    where: 'iommufd_ioas_map',
  },
  'map-no-permission': {
    errno: 'EINVAL',
    message: 'A mapping needs permission to read, to write, or both',
    where: 'iommufd_ioas_map',
  },
  'map-length-zero': {
    errno: 'EINVAL',
    message: 'A mapping needs at least one byte',
    where: 'iopt_alloc_pages',
  },
  'map-length-too-large': {
    errno: 'EINVAL',
    message: 'The length exceeds 2^64-1 minus one page',
    where: 'iopt_alloc_pages',
  },
  'map-memory-wraps': {
    errno: 'EOVERFLOW',
    message: 'The user memory would end above 2^64-1',
    where: 'iopt_alloc_pages',
  },
  'map-length-unaligned': {
    errno: 'EINVAL',
    message: 'The length is not a multiple of the IOVA alignment of this IOAS',
    where: 'iopt_alloc_area_pages',
  },
  'map-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the IOVA alignment of this IOAS',
    where: 'iopt_check_iova',
  },
  'map-iova-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iopt_check_iova',
  },
  'map-over-reserved': {
    errno: 'EINVAL',
    message: 'Part of the range is reserved',
    where: 'iopt_check_iova',
  },
  'map-over-area': {
    errno: 'EEXIST',
    message: 'Part of the range is already mapped',
    where: 'iopt_check_iova',
  },
  'map-pages-read-only': {
    errno: 'EPERM',
    message: 'The pages were originally mapped without write permission, so a copy cannot be writable',
    where: 'iopt_insert_area',
  },
  'map-memory-unaligned': {
    errno: 'EINVAL',
    message: 'The offset of the memory inside its page is not a multiple of the IOVA alignment of this IOAS',
    where: 'iopt_insert_area',
  },

  'map-without-access': {
    errno: 'EINVAL',
    message: 'The driver of the IOMMU does not map without permission to read or to write',
    where: 'iommu_map',
  },

  'choose-length-too-large': {
    errno: 'EOVERFLOW',
    message: 'The kernel does not choose an IOVA for a length of 2^63-1 bytes or more',
    where: 'iopt_alloc_iova',
  },
  'choose-alignment-too-small': {
    errno: 'EINVAL',
    message:
      'The alignment that follows from the length and the user address is smaller than the IOVA alignment of this IOAS',
    where: 'iopt_alloc_iova',
  },
  'choose-no-space': {
    errno: 'ENOSPC',
    message: 'No free range is large enough for the length at its alignment',
    where: 'iopt_alloc_iova',
  },

  'copy-limit': {
    errno: 'EOVERFLOW',
    message: 'The length or an IOVA is 2^64-1, which the ioctl does not accept',
    where: 'iommufd_ioas_copy',
  },
  'copy-unknown-flag': {
    errno: 'EOPNOTSUPP',
    message: 'The copy has a flag that the kernel does not know',
    where: 'iommufd_ioas_copy',
  },
  'copy-no-permission': {
    errno: 'EINVAL',
    message: 'A copy needs permission to read, to write, or both',
    where: 'iommufd_ioas_copy',
  },
  'copy-length-zero': {
    errno: 'EINVAL',
    message: 'A copy needs at least one byte',
    where: 'iopt_get_pages',
  },
  'copy-source-wraps': {
    errno: 'EOVERFLOW',
    message: 'The source range would end above 2^64-1',
    where: 'iopt_get_pages',
  },
  'copy-source-not-mapped': {
    errno: 'ENOENT',
    message: 'The source range is not completely mapped',
    where: 'iopt_get_pages',
  },

  'unmap-limit': {
    errno: 'EOVERFLOW',
    message: 'The IOVA or the length is 2^64-1, which is accepted only as IOVA 0 with length 2^64-1 (unmap everything)',
    where: 'iommufd_ioas_unmap',
  },
  'unmap-length-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    where: 'iopt_unmap_iova',
  },
  'unmap-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iopt_unmap_iova',
  },
  'unmap-cuts-area': {
    errno: 'ENOENT',
    message: 'An area extends beyond the range, and areas are never split',
    where: 'iopt_unmap_iova_range',
  },
  'unmap-cut-unaligned': {
    errno: 'EINVAL',
    message: 'Version 1 cuts areas at the ends of the range, and an end is not aligned to the pages of this IOAS',
    where: 'iopt_area_split',
  },
  'unmap-nothing-mapped': {
    errno: 'ENOENT',
    message: 'Nothing is mapped in the range',
    where: 'iopt_unmap_iova_range',
  },

  'allow-range-empty': {
    errno: 'EINVAL',
    message: 'An allowed range must end above its start: a single byte is refused',
    where: 'iommufd_ioas_load_iovas',
  },
  'allow-ranges-overlap': {
    errno: 'EINVAL',
    message: 'Two allowed ranges overlap',
    where: 'iommufd_ioas_load_iovas',
  },
  'allow-over-reserved': {
    errno: 'EADDRINUSE',
    message: 'Part of an allowed range is reserved',
    where: 'iopt_set_allow_iova',
  },

  'reserve-length-zero': {
    errno: 'EINVAL',
    message: 'A reservation needs at least one byte',
    where: 'iommufd_test_add_reserved',
  },
  'reserve-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iommufd_test_add_reserved',
  },
  'reserve-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is mapped',
    where: 'iopt_reserve_iova',
  },
  'reserve-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is inside an allowed range, which is reserved for allocation',
    where: 'iopt_reserve_iova',
  },

  'attach-region-over-area': {
    errno: 'EADDRINUSE',
    message: 'A reserved region of the device is mapped',
    where: 'iopt_table_enforce_dev_resv_regions',
  },
  'attach-region-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'A reserved region of the device overlaps an allowed range',
    where: 'iopt_table_enforce_dev_resv_regions',
  },
  'attach-page-size-too-large': {
    errno: 'EINVAL',
    message: 'The smallest page size of the IOMMU is larger than the page size of the CPU',
    where: 'iopt_table_add_domain',
  },
  'attach-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An area is not aligned to the smallest page size of the IOMMU',
    where: 'iopt_table_add_domain',
  },
  'attach-aperture-over-area': {
    errno: 'EADDRINUSE',
    message: 'Something is mapped outside the aperture of the IOMMU',
    where: 'iopt_table_add_domain',
  },
  'attach-aperture-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'An allowed range extends outside the aperture of the IOMMU',
    where: 'iopt_table_add_domain',
  },

  'attach-no-dirty-tracking': {
    errno: 'EINVAL',
    message: 'The page table tracks dirty pages, which the IOMMU of the device cannot do',
    where: 'iommufd_hw_pagetable_attach',
  },
  'attach-unknown-page-table': {
    errno: 'EINVAL',
    message: 'There is no page table (hwpt) of this name',
    where: 'iommufd_device_change_pt',
  },
  'replace-not-attached': {
    errno: 'EINVAL',
    message: 'The device is not attached, so there is nothing to replace',
    where: 'iommufd_device_do_replace',
  },
  'unknown-device': {
    errno: 'ENOENT',
    message: 'There is no device of this name',
    where: 'iommufd_get_device',
  },
  'hwpt-flags': {
    errno: 'EOPNOTSUPP',
    message: 'The page table has a flag that the kernel does not support',
    where: 'iommufd_hwpt_paging_alloc',
  },
  'hwpt-no-dirty-tracking': {
    errno: 'EOPNOTSUPP',
    message: 'The IOMMU of the device cannot track dirty pages',
    where: 'iommufd_hwpt_paging_alloc',
  },
  'hwpt-in-use': {
    errno: 'EBUSY',
    message: 'A page table cannot be destroyed while a device is attached to it',
    where: 'iommufd_destroy',
  },
  'ranges-capacity': {
    errno: 'EMSGSIZE',
    message: 'The array is too short for all ranges: those that fit were written',
    where: 'iommufd_ioas_iova_ranges',
  },

  'access-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An access requires page alignment, and an area is not aligned to pages',
    where: 'iopt_add_access',
  },
  'pin-length-zero': {
    errno: 'EINVAL',
    message: 'A pin needs at least one byte',
    where: 'iommufd_access_pin_pages',
  },
  'pin-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iommufd_access_pin_pages',
  },
  'pin-enters-inside-page': {
    errno: 'EINVAL',
    message: 'The access enters an area at a user address that is not page aligned',
    where: 'iopt_area_contig_is_aligned',
  },
  'pin-leaves-inside-page': {
    errno: 'EINVAL',
    message: 'The access continues past an area whose user memory does not end on a page boundary',
    where: 'iopt_area_contig_is_aligned',
  },
  'pin-write-denied': {
    errno: 'EPERM',
    message: 'The access writes, but the area is not writable',
    where: 'iommufd_access_pin_pages',
  },
  'pin-read-denied': {
    errno: 'EPERM',
    message: 'The access reads, but the area is not readable',
    where: 'iommufd_access_pin_pages',
  },
  'pin-not-mapped': {
    errno: 'ENOENT',
    message: 'The range is not completely mapped',
    where: 'iommufd_access_pin_pages',
  },
  'unpin-gone': {
    errno: 'ENOENT',
    message: 'The pin no longer exists: it was already unpinned, or its area was unmapped',
    where: 'iommufd_test_access_item_destroy',
  },

  'huge-pages-value': {
    errno: 'EINVAL',
    message: 'The value of the option must be 0 or 1',
    where: 'iommufd_ioas_option',
  },
  'huge-pages-in-use': {
    errno: 'EINVAL',
    message: 'Huge pages cannot be disabled while a device is attached and areas exist',
    where: 'iopt_disable_large_pages',
  },
  'huge-pages-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'Without huge pages every area must be page aligned, and an area is not',
    where: 'iopt_disable_large_pages',
  },
});

export type IommufdRule = keyof typeof IOMMUFD_RULES;
