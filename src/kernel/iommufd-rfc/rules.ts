import { defineRules } from '../shared/rule.ts';

/** What the rules were read in, as sources name it. */
export const IOMMUFD_RFC_SOURCE = 'io_pagetable.c as posted 2022-03-18';

/** The rules by which the io_pagetable of 2022-03-18 refuses operations. The names are stable. */
export const IOMMUFD_RFC_RULES = defineRules(IOMMUFD_RFC_SOURCE, {
  'rfc-ioas-has-domain': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while a device is attached to it',
    where: 'iopt_destroy_table, which requires an unused table',
  },
  'rfc-ioas-has-access': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while an access uses it',
    where: 'iopt_destroy_table, which requires an unused table',
  },

  'rfc-map-length': {
    errno: 'EINVAL',
    message: 'The length must be at least one byte and at most 2^64-1 minus one page',
    where: 'iopt_map_user_pages',
  },
  'rfc-map-pages-read-only': {
    errno: 'EPERM',
    message: 'The pages were mapped without write permission, so a copy cannot be writable',
    where: 'iopt_map_pages',
  },
  'rfc-map-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iopt_alloc_area',
  },
  'rfc-map-unaligned': {
    errno: 'EINVAL',
    message: 'IOVA and length must be multiples of the IOVA alignment of this IOAS',
    where: 'iopt_alloc_area',
  },
  'rfc-map-over-reserved': {
    errno: 'ENOENT',
    message: 'Part of the range is reserved',
    where: 'iopt_alloc_area',
  },
  'rfc-map-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is already mapped',
    where: 'iopt_alloc_area',
  },

  'rfc-choose-length-too-large': {
    errno: 'EOVERFLOW',
    message: 'The kernel does not choose an IOVA for a length of 2^63-1 bytes or more',
    where: 'iopt_alloc_iova',
  },
  'rfc-choose-alignment-too-small': {
    errno: 'EINVAL',
    message:
      'The alignment that follows from the length and the user address is smaller than the IOVA alignment of this IOAS',
    where: 'iopt_alloc_iova',
  },
  'rfc-choose-no-space': {
    errno: 'ENOSPC',
    message: 'No free range is large enough for the length at its alignment',
    where: 'iopt_alloc_iova',
  },

  'rfc-copy-source-wraps': {
    errno: 'EOVERFLOW',
    message: 'The source range is empty or would end above 2^64-1',
    where: 'iopt_get_pages',
  },
  'rfc-copy-source-not-one-area': {
    errno: 'ENOENT',
    message: 'The source of a copy must be exactly one area, from its first byte to its last',
    where: 'iopt_get_pages',
  },

  'rfc-unmap-length-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    where: 'iopt_unmap_iova',
  },
  'rfc-unmap-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iopt_unmap_iova',
  },
  'rfc-unmap-not-one-area': {
    errno: 'ENOENT',
    message:
      'This version unmaps a range only if it is exactly one area: a larger range that contains areas removes none of them',
    where: 'iopt_find_exact_area',
  },
  'rfc-unmap-in-use': {
    errno: 'EBUSY',
    message: 'An access still holds pages of the area, which remains without its pages',
    where: '__iopt_unmap_iova',
  },
  'rfc-unmap-all-in-use': {
    errno: 'EBUSY',
    message: 'An earlier unmap left an area that can no longer be removed',
    where: 'iopt_unmap_all',
  },

  'rfc-reserve-length-zero': {
    errno: 'EINVAL',
    message: 'A reservation needs at least one byte',
    where: 'caller of iopt_reserve_iova',
  },
  'rfc-reserve-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'caller of iopt_reserve_iova',
  },
  'rfc-reserve-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is mapped',
    where: 'iopt_reserve_iova',
  },

  'rfc-attach-region-over-area': {
    errno: 'EADDRINUSE',
    message: "A reserved region of the device's group is mapped",
    where: 'iopt_table_enforce_group_resv_regions',
  },
  'rfc-attach-page-size-too-large': {
    errno: 'EINVAL',
    message: 'The smallest page size of the IOMMU is larger than the page size of the CPU',
    where: 'iopt_table_add_domain',
  },
  'rfc-attach-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An area is not aligned to the smallest page size of the IOMMU',
    where: 'iopt_check_iova_alignment',
  },
  'rfc-attach-aperture-over-area': {
    errno: 'EADDRINUSE',
    message: 'Something is mapped outside the aperture of the IOMMU',
    where: 'iopt_table_add_domain',
  },

  'rfc-pin-length-zero': {
    errno: 'EINVAL',
    message: 'A pin needs at least one byte',
    where: 'iopt_access_pages',
  },
  'rfc-pin-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would end above 2^64-1',
    where: 'iopt_access_pages',
  },
  'rfc-pin-starts-inside-area': {
    errno: 'EINVAL',
    message: 'This version treats an access that starts inside an area as a gap: it must start where the area starts',
    where: 'iopt_access_pages',
  },
  'rfc-pin-area-without-pages': {
    errno: 'EINVAL',
    message: 'An earlier unmap left the area without its pages',
    where: 'iopt_access_pages',
  },
  'rfc-pin-write-denied': {
    errno: 'EPERM',
    message: 'The access writes to pages that were mapped without write permission',
    where: 'iopt_access_pages',
  },
  'rfc-pin-crosses-inside-page': {
    errno: 'EINVAL',
    message: 'The access continues past an area that it entered inside a page',
    where: 'iopt_access_pages',
  },
});

export type IommufdRfcRule = keyof typeof IOMMUFD_RFC_RULES;
