import type { Rule } from '../shared/refusal.ts';

const from = (name: string): string => `io_pagetable.c as posted 2022-03-18, ${name}`;

/** Every rule by which the io_pagetable of 2022-03-18 refuses an operation. The names are stable. */
export const IOMMUFD_RFC_RULES = {
  'rfc-ioas-has-domain': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while a device is attached to it',
    source: from('iopt_destroy_table, which expects that nobody uses the table'),
  },
  'rfc-ioas-has-access': {
    errno: 'EBUSY',
    message: 'An IOAS cannot be destroyed while an access uses it',
    source: from('iopt_destroy_table, which expects that nobody uses the table'),
  },

  'rfc-map-length': {
    errno: 'EINVAL',
    message: 'A mapping needs at least one byte and must leave a page of the 64-bit space',
    source: from('iopt_map_user_pages'),
  },
  'rfc-map-pages-read-only': {
    errno: 'EPERM',
    message: 'The pages were mapped without write permission, so a copy cannot have it',
    source: from('iopt_map_pages'),
  },
  'rfc-map-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iopt_alloc_area'),
  },
  'rfc-map-unaligned': {
    errno: 'EINVAL',
    message: 'IOVA and length must be multiples of the IOVA alignment of this IOAS',
    source: from('iopt_alloc_area'),
  },
  'rfc-map-over-reserved': {
    errno: 'ENOENT',
    message: 'Part of the range is reserved',
    source: from('iopt_alloc_area'),
  },
  'rfc-map-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is mapped already',
    source: from('iopt_alloc_area'),
  },

  'rfc-choose-length-too-large': {
    errno: 'EOVERFLOW',
    message: 'The kernel chooses no IOVA for a length of half the 64-bit space or more',
    source: from('iopt_alloc_iova'),
  },
  'rfc-choose-alignment-too-small': {
    errno: 'EINVAL',
    message: 'Length and memory address suggest an alignment that is finer than the IOVA alignment of this IOAS',
    source: from('iopt_alloc_iova'),
  },
  'rfc-choose-no-space': {
    errno: 'ENOSPC',
    message: 'No hole between areas and reserved ranges holds the length at its alignment',
    source: from('iopt_alloc_iova'),
  },

  'rfc-copy-source-wraps': {
    errno: 'EOVERFLOW',
    message: 'The source has no byte, or would run past the end of the 64-bit space',
    source: from('iopt_get_pages'),
  },
  'rfc-copy-source-not-one-area': {
    errno: 'ENOENT',
    message: 'The source of a copy must be exactly one area, from its first byte to its last',
    source: from('iopt_get_pages'),
  },

  'rfc-unmap-length-zero': {
    errno: 'EINVAL',
    message: 'An unmap needs at least one byte',
    source: from('iopt_unmap_iova'),
  },
  'rfc-unmap-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iopt_unmap_iova'),
  },
  'rfc-unmap-not-one-area': {
    errno: 'ENOENT',
    message:
      'This version unmaps a range only if it is exactly one area: a larger range that contains areas removes none of them',
    source: from('iopt_find_exact_area'),
  },
  'rfc-unmap-in-use': {
    errno: 'EBUSY',
    message: 'An access still holds pages of the area, which this unmap leaves behind unusable',
    source: from('__iopt_unmap_iova'),
  },
  'rfc-unmap-all-in-use': {
    errno: 'EBUSY',
    message: 'An earlier unmap left an area behind that can no longer be removed',
    source: from('iopt_unmap_all'),
  },

  'rfc-reserve-length-zero': {
    errno: 'EINVAL',
    message: 'A reservation needs at least one byte',
    source: from('caller of iopt_reserve_iova'),
  },
  'rfc-reserve-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('caller of iopt_reserve_iova'),
  },
  'rfc-reserve-over-area': {
    errno: 'EADDRINUSE',
    message: 'Part of the range is mapped',
    source: from('iopt_reserve_iova'),
  },

  'rfc-attach-region-over-area': {
    errno: 'EADDRINUSE',
    message: 'A reserved region of the device’s group is mapped',
    source: from('iopt_table_enforce_group_resv_regions'),
  },
  'rfc-attach-page-size-too-large': {
    errno: 'EINVAL',
    message: 'The smallest page of the IOMMU is larger than the processor’s',
    source: from('iopt_table_add_domain'),
  },
  'rfc-attach-area-unaligned': {
    errno: 'EADDRINUSE',
    message: 'An area does not keep to the smallest page of the IOMMU',
    source: from('iopt_check_iova_alignment'),
  },
  'rfc-attach-aperture-over-area': {
    errno: 'EADDRINUSE',
    message: 'Something is mapped outside the aperture of the IOMMU',
    source: from('iopt_table_add_domain'),
  },

  'rfc-pin-length-zero': {
    errno: 'EINVAL',
    message: 'An access needs at least one byte',
    source: from('iopt_access_pages'),
  },
  'rfc-pin-wraps': {
    errno: 'EOVERFLOW',
    message: 'The range would run past the end of the 64-bit space',
    source: from('iopt_access_pages'),
  },
  'rfc-pin-starts-inside-area': {
    errno: 'EINVAL',
    message: 'This version takes an access that begins inside an area for a gap: it must begin where the area does',
    source: from('iopt_access_pages'),
  },
  'rfc-pin-area-without-pages': {
    errno: 'EINVAL',
    message: 'An earlier unmap left the area behind without its pages',
    source: from('iopt_access_pages'),
  },
  'rfc-pin-write-denied': {
    errno: 'EPERM',
    message: 'The access wants to write to pages that were mapped without write permission',
    source: from('iopt_access_pages'),
  },
  'rfc-pin-crosses-inside-page': {
    errno: 'EINVAL',
    message: 'The access goes on past an area that it entered inside a page',
    source: from('iopt_access_pages'),
  },
} satisfies Record<string, Rule>;

export type IommufdRfcRule = keyof typeof IOMMUFD_RFC_RULES;
