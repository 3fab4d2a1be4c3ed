import type { Rule } from '../shared/refusal.ts';

const from = (name: string): string => `Linux 6.12, ${name}`;

/** Every rule by which Linux 6.12's iommufd refuses an operation. The names are stable. */
export const IOMMUFD_RULES = {
  'ioas-has-domain': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while a device is attached to it',
    source: from('iommufd_destroy'),
  },
  'ioas-has-access': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while an access uses it',
    source: from('iommufd_destroy'),
  },

  'map-limit': {
    errno: 'EOVERFLOW',
    message: 'An IOVA or a length of 2^64−1 is beyond what a mapping can name',
    source: from('iommufd_ioas_map'),
  },
  'map-no-permission': {
    errno: 'EINVAL',
    message: 'A mapping needs permission to read, to write, or both',
    source: from('iommufd_ioas_map'),
  },
  'map-length-zero': {
    errno: 'EINVAL',
    message: 'A mapping needs at least one byte',
    source: from('iopt_alloc_pages'),
  },
  'map-length-too-large': {
    errno: 'EINVAL',
    message: 'The length leaves less than a page of the 64-bit space',
    source: from('iopt_alloc_pages'),
  },
  'map-memory-wraps': {
    errno: 'EOVERFLOW',
    message: 'The memory would run past the end of the 64-bit space',
    source: from('iopt_alloc_pages'),
  },
  'map-length-unaligned': {
    errno: 'EINVAL',
    message: 'The length is not a multiple of the IOVA alignment of this IOAS',
    source: from('iopt_alloc_area_pages'),
  },
  'map-iova-unaligned': {
    errno: 'EINVAL',
    message: 'The IOVA is not a multiple of the IOVA alignment of this IOAS',
    source: from('iopt_check_iova'),
  },
  'map-iova-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iopt_check_iova'),
  },
  'map-over-reserved': {
    errno: 'EINVAL',
    message: 'Part of the range is reserved',
    source: from('iopt_check_iova'),
  },
  'map-over-area': {
    errno: 'EEXIST',
    message: 'Part of the range is already mapped',
    source: from('iopt_check_iova'),
  },
  'map-pages-read-only': {
    errno: 'EPERM',
    message: 'The pages were first mapped without write permission, so a copy cannot have it',
    source: from('iopt_insert_area'),
  },
  'map-memory-unaligned': {
    errno: 'EINVAL',
    message: 'The offset of the memory inside its page is not a multiple of the IOVA alignment of this IOAS',
    source: from('iopt_insert_area'),
  },

  'choose-length-too-large': {
    errno: 'EOVERFLOW',
    message: 'The kernel chooses no IOVA for a length of half the 64-bit space or more',
    source: from('iopt_alloc_iova'),
  },
  'choose-alignment-too-small': {
    errno: 'EINVAL',
    message: 'Length and memory address suggest an alignment that is finer than the IOVA alignment of this IOAS',
    source: from('iopt_alloc_iova'),
  },
  'choose-no-space': {
    errno: 'ENOSPC',
    message: 'No hole that the kernel may use holds the length at its alignment',
    source: from('iopt_alloc_iova'),
  },

  'copy-limit': {
    errno: 'EOVERFLOW',
    message: 'A length or a destination of 2^64−1 is beyond what a mapping can name',
    source: from('iommufd_ioas_copy'),
  },
  'copy-no-permission': {
    errno: 'EINVAL',
    message: 'A copy needs permission to read, to write, or both',
    source: from('iommufd_ioas_copy'),
  },
  'copy-length-zero': {
    errno: 'EINVAL',
    message: 'A copy needs at least one byte',
    source: from('iopt_get_pages'),
  },
  'copy-source-wraps': {
    errno: 'EOVERFLOW',
    message: 'The source would run past the end of the 64-bit space',
    source: from('iopt_get_pages'),
  },
  'copy-source-not-mapped': {
    errno: 'ENOENT',
    message: 'The source is not mapped from end to end',
    source: from('iopt_get_pages'),
  },

  'unmap-limit': {
    errno: 'EOVERFLOW',
    message: 'An IOVA or a length of 2^64−1 is beyond what an unmap can name, but for 0 and 2^64−1 together',
    source: from('iommufd_ioas_unmap'),
  },
  'unmap-length-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    source: from('iopt_unmap_iova'),
  },
  'unmap-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iopt_unmap_iova'),
  },
  'unmap-cuts-area': {
    errno: 'ENOENT',
    message: 'An area reaches beyond the range, and areas are never split',
    source: from('iopt_unmap_iova_range'),
  },
  'unmap-nothing-mapped': {
    errno: 'ENOENT',
    message: 'Nothing is mapped in the range',
    source: from('iopt_unmap_iova_range'),
  },

  'allow-range-empty': {
    errno: 'EINVAL',
    message: 'An allowed range must end above its start, so a single byte is refused too',
    source: from('iommufd_ioas_load_iovas'),
  },
  'allow-ranges-overlap': {
    errno: 'EINVAL',
    message: 'Two of the allowed ranges overlap',
    source: from('iommufd_ioas_load_iovas'),
  },
  'allow-over-reserved': {
    errno: 'EADDRINUSE',
    message: 'Part of an allowed range is reserved',
    source: from('iopt_set_allow_iova'),
  },

  'reserve-length-zero': {
    errno: 'EINVAL',
    message: 'A reservation needs at least one byte',
    source: from('iommufd_test_add_reserved'),
  },
  'reserve-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iommufd_test_add_reserved'),
  },
  'reserve-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is mapped',
    source: from('iopt_reserve_iova'),
  },
  'reserve-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'Part of the range was promised to the kernel’s choice by an allowed range',
    source: from('iopt_reserve_iova'),
  },

  'attach-region-over-area': {
    errno: 'EADDRINUSE',
    message: 'A reserved region of the device is mapped',
    source: from('iopt_table_enforce_dev_resv_regions'),
  },
  'attach-region-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'A reserved region of the device lies in an allowed range',
    source: from('iopt_table_enforce_dev_resv_regions'),
  },
  'attach-page-size-too-large': {
    errno: 'EINVAL',
    message: 'The smallest page of the IOMMU is larger than the processor’s',
    source: from('iopt_table_add_domain'),
  },
  'attach-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An area does not keep to the smallest page of the IOMMU',
    source: from('iopt_table_add_domain'),
  },
  'attach-aperture-over-area': {
    errno: 'EADDRINUSE',
    message: 'Something is mapped outside the aperture of the IOMMU',
    source: from('iopt_table_add_domain'),
  },
  'attach-aperture-over-allowed': {
    errno: 'EADDRINUSE',
    message: 'An allowed range reaches outside the aperture of the IOMMU',
    source: from('iopt_table_add_domain'),
  },

  'access-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An access works on whole pages, and an area does not keep to them',
    source: from('iopt_add_access'),
  },
  'pin-length-zero': {
    errno: 'EINVAL',
    message: 'A pin needs at least one byte',
    source: from('iommufd_access_pin_pages'),
  },
  'pin-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iommufd_access_pin_pages'),
  },
  'pin-enters-inside-page': {
    errno: 'EINVAL',
    message: 'The access enters an area at a byte that does not begin a page of the user’s memory',
    source: from('iopt_area_contig_is_aligned'),
  },
  'pin-leaves-inside-page': {
    errno: 'EINVAL',
    message: 'The access goes on past an area that does not end with a page of the user’s memory',
    source: from('iopt_area_contig_is_aligned'),
  },
  'pin-write-denied': {
    errno: 'EPERM',
    message: 'The access wants to write where writing is not permitted',
    source: from('iommufd_access_pin_pages'),
  },
  'pin-read-denied': {
    errno: 'EPERM',
    message: 'The access wants to read where reading is not permitted',
    source: from('iommufd_access_pin_pages'),
  },
  'pin-not-mapped': {
    errno: 'ENOENT',
    message: 'The range is not mapped from end to end',
    source: from('iommufd_access_pin_pages'),
  },
  'unpin-gone': {
    errno: 'ENOENT',
    message: 'The pin is gone: an unmap of its area took it, or it was let go before',
    source: from('iommufd_test_access_item_destroy'),
  },

  'huge-pages-value': {
    errno: 'EINVAL',
    message: 'The option is 0 or 1',
    source: from('iommufd_ioas_option'),
  },
  'huge-pages-in-use': {
    errno: 'EINVAL',
    message: 'Huge pages cannot be turned off once a device is attached and something is mapped',
    source: from('iopt_disable_large_pages'),
  },
  'huge-pages-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'Without huge pages everything is in whole pages, and an area does not keep to them',
    source: from('iopt_disable_large_pages'),
  },
} satisfies Record<string, Rule>;

export type IommufdRule = keyof typeof IOMMUFD_RULES;
