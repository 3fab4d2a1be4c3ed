// The checks of an operation in the kernel's order, with the rules that refuse there. Those before the refusal passed.
import type { KernelRules } from '../../kernel/version-changes.ts';
import type { Operation } from '../../session/events.ts';

export interface Check {
  /** Names of the rules that refuse at this point. */
  readonly rules: readonly string[];
  /** What is true if none of them refuses: a sentence without a full stop. */
  readonly passed: string;
}

const check = (passed: string, ...rules: readonly string[]): Check => ({ rules, passed });

/** Source: Linux 6.12, iommufd_ioas_map and iopt_map_user_pages. */
function ioasMap(isFixed: boolean, rules: KernelRules): Check[] {
  const wraps = check('The memory does not wrap around', 'map-memory-wraps');
  const length = [
    check('The length is not 0', 'map-length-zero'),
    check('The length is below the limit', 'map-length-too-large'),
  ];
  return [
    check('All flags are known', 'map-unknown-flag'),
    check('IOVA and length are below 2^64 − 1', 'map-limit'),
    check('Reading or writing is requested', 'map-no-permission'),
    ...(rules.has('iommufd-length-after-wrap') ? [wraps, ...length] : [...length, wraps]),
    check('The length is a multiple of the alignment', 'map-length-unaligned'),
    ...(isFixed ? FIXED : []),
  ];
}

/** Source: Linux 6.12, iopt_check_iova. */
const FIXED: readonly Check[] = [
  check('The IOVA is a multiple of the alignment', 'map-iova-unaligned'),
  check('The range does not wrap around', 'map-iova-wraps'),
  check('No reserved range overlaps it', 'map-over-reserved'),
  check('No area overlaps it', 'map-over-area'),
];

/** Source: Linux 6.12, iopt_insert_area. */
const MEMORY: readonly Check[] = [
  check('The memory may be written', 'map-pages-read-only'),
  check('The address of the memory is a multiple of the alignment', 'map-memory-unaligned'),
];

/** Source: Linux 6.12, vfio_dma_do_map; Linux 6.18 checks size and ends first. */
function containerMap(rules: KernelRules): Check[] {
  const size = check('The size is not 0', 'map-size-zero');
  const wraps = check('Neither the range nor the memory wraps around', 'map-iova-wraps', 'map-memory-wraps');
  const isEarly = rules.has('type1-overflow');
  return [
    check('A group is attached', 'no-backend'),
    check('All flags are known', 'map-unknown-flag'),
    ...(isEarly ? [size, wraps] : []),
    check('Reading or writing is requested', 'map-no-permission', 'map-vaddr-with-permission'),
    ...(isEarly ? [] : [size]),
    check('The size is a multiple of the smallest page', 'map-size-unaligned'),
    check('The IOVA is a multiple of the smallest page', 'map-iova-unaligned'),
    check('The address of the memory is a multiple of the smallest page', 'map-memory-unaligned'),
    ...(isEarly ? [] : [wraps]),
    check('No mapping overlaps it', 'map-over-mapping', 'map-vaddr-nothing', 'map-vaddr-valid'),
    check('The limit of mappings is not reached', 'map-none-left'),
    check('It is inside one of the valid ranges', 'map-outside-valid-ranges'),
  ];
}

/** Source: Linux 6.12, iommufd_ioas_unmap and iopt_unmap_iova. */
const IOAS_UNMAP: readonly Check[] = [
  check('IOVA and length are below 2^64 − 1', 'unmap-limit'),
  check('The length is not 0', 'unmap-length-zero'),
  check('The range does not wrap around', 'unmap-wraps'),
];

/** Source: Linux 6.12, vfio_dma_do_unmap. */
const CONTAINER_UNMAP: readonly Check[] = [
  check('A group is attached', 'no-backend'),
  check('All flags are known', 'unmap-unknown-flag'),
  check('The IOVA is a multiple of the smallest page', 'unmap-iova-unaligned'),
  check('The size is not 0', 'unmap-size-zero', 'unmap-all-with-range'),
  check('The size is a multiple of the smallest page', 'unmap-size-unaligned'),
  check('The range does not wrap around', 'unmap-wraps'),
];

/** The checks of a model before and after the parts that other steps show. */
export function checksOf(
  operation: Operation,
  model: string,
  rules: KernelRules,
): { readonly before: readonly Check[]; readonly behind: readonly Check[] } {
  if (operation.op === 'ioas.map' && model === 'iommufd') {
    return { before: ioasMap(operation.flags.includes('fixed'), rules), behind: MEMORY };
  }
  if (operation.op === 'ioas.unmap' && model === 'iommufd') return { before: IOAS_UNMAP, behind: [] };
  if (operation.op === 'container.map_dma' && model === 'type1') return { before: containerMap(rules), behind: [] };
  if (operation.op === 'container.unmap_dma' && model === 'type1') return { before: CONTAINER_UNMAP, behind: [] };
  return { before: [], behind: [] };
}
