// What kernels of several versions answer differently, as data: since when, what it was before, and how that is known.
// The models ask for these by name; `versions` lists them. What the drivers of IOMMUs do is in driver-changes.ts.
import { compareVersionTexts, hasChange, isBefore, type KernelChange, MEASURED } from './change.ts';
import { DRIVER_CHANGES } from './driver-changes.ts';
import { parseKernelVersion } from './versions.ts';

/** The differences, by a stable name. */
export const KERNEL_CHANGES = {
  ...DRIVER_CHANGES,
  'type1-unmap-all': {
    models: ['type1'],
    since: '6.1',
    lastWithout: '5.10',
    was: 'Flag all of an unmap is unknown (EINVAL), and extension 9 is 0',
    now: 'An unmap with flag all removes everything, and extension 9 is 1',
    source: `vfio_dma_do_unmap; ${MEASURED} on 5.10.223 and 6.1.192`,
  },
  'type1-update-vaddr': {
    models: ['type1'],
    since: '6.1',
    lastWithout: '5.10',
    was: 'Flag vaddr of a map is unknown (EINVAL), and extension 10 is 0',
    now: 'Flag vaddr of a map updates a mapping (ENOENT if there is none), and extension 10 is 1',
    source: `vfio_dma_do_map; ${MEASURED} on 5.10.223 and 6.1.192`,
  },
  'type1-unmap-in-order': {
    models: ['type1'],
    since: '6.1',
    lastWithout: '5.10',
    was: 'An unmap looks for any mapping in the range, again and again: version 1 may remove one above a mapping that it must not cut',
    now: 'An unmap walks the mappings in the order of their addresses',
    source: `vfio_dma_do_unmap; ${MEASURED} on 5.10.223 and 6.1.192`,
  },
  'type1-update-vaddr-needs-group': {
    models: ['type1'],
    since: '6.1.16',
    was: 'Extension 10 is 1 before a group is attached',
    now: 'Extension 10 is 0 before a group is attached',
    source: 'vfio_iommu_type1_check_extension, read in sources',
  },
  'type1-info-padding': {
    models: ['type1'],
    since: '6.12',
    lastWithout: '6.1',
    was: 'In get_info, the capability dma_avail has 12 bytes and the ranges begin at 0x44',
    now: 'In get_info, the capability dma_avail has 16 bytes and the ranges begin at 0x48',
    source: `vfio_info_cap_add; ${MEASURED} on 6.1.192 and 6.12.117`,
  },
  'disk-file-not-pinned': {
    models: ['type1', 'iommufd', 'iommufd-vfio'],
    since: '6.12',
    lastWithout: '6.1',
    was: 'Writable shared mappings of files on disks can be pinned',
    now: 'Writable shared mappings of files on disks cannot be pinned (EFAULT)',
    source: `check_vma_flags; ${MEASURED} with type1 on 6.1.192 and 6.12.117`,
  },
  'type1-no-nesting': {
    models: ['type1'],
    since: '6.16',
    lastWithout: '6.12',
    was: 'Extension 6 (nesting) is 1',
    now: 'Extension 6 (nesting) is 0',
    source: `vfio_iommu_type1_check_extension; ${MEASURED} on 6.12.117 and 6.16.12`,
  },
  'type1-overflow': {
    models: ['type1'],
    since: '6.18',
    lastWithout: '6.17',
    was: 'A map or an unmap whose range ends above 2^64-1 is refused with EINVAL',
    now: 'A map or an unmap whose range ends above 2^64-1 is refused with EOVERFLOW, a map before its flags and its alignment are checked',
    source: `vfio_dma_do_map and vfio_dma_do_unmap; ${MEASURED} on 6.17.13 and 6.18.15`,
  },
  'type1-top': {
    models: ['type1'],
    since: '6.18',
    lastWithout: '6.17',
    was: 'Lookups compare ends that wrap to 0 at 2^64: they miss a mapping that ends at 2^64-1 and what is behind it in the tree, and its pages stay pinned',
    now: 'Lookups compare last addresses: a mapping that ends at 2^64-1 is found and unmapped like any other',
    source: `vfio_find_dma; ${MEASURED} on 6.17.13 and 6.18.15`,
  },
  'iommufd-choice': {
    models: ['iommufd'],
    since: '6.17',
    stable: ['6.16.2', '6.12.43', '6.6.103'],
    was: 'The alignment of a chosen IOVA is not limited, rounding up may wrap to IOVA 0, and the last byte of a gap alone may be used',
    now: 'The alignment of a chosen IOVA is at most the size of a huge page, and a gap where rounding up wraps is skipped',
    source: 'iopt_alloc_iova, read in sources',
  },
  'iommufd-map-file': {
    models: ['iommufd'],
    since: '6.13',
    was: 'IOMMU_IOAS_MAP_FILE does not exist (ENOTTY)',
    now: 'IOMMU_IOAS_MAP_FILE maps a memfd or a file of hugetlbfs',
    source: 'iommufd_ioas_map_file, read in sources',
  },
  'iommufd-sw-msi-shared': {
    // Sessions have no operation that maps a doorbell.
    models: [],
    since: '6.15',
    approximate: true,
    was: 'Doorbell pages are mapped in the software MSI window in the order of their use in each domain',
    now: 'A doorbell has the same page of the software MSI window in every domain of a file descriptor, and 64 at most are possible',
    source: 'iommufd_sw_msi, read in sources',
  },
  'iommufd-group-regions': {
    models: ['iommufd'],
    since: '6.5',
    approximate: true,
    was: 'An attach reserves the regions of all devices of the group, as far as the session names them',
    now: 'An attach reserves the regions of the device alone',
    source: 'iopt_table_enforce_dev_resv_regions, read in sources',
  },
  'iommufd-vfio-unmap-nothing': {
    models: ['iommufd-vfio'],
    since: '6.18',
    stable: ['6.12.117'],
    was: 'An unmap of a range in which nothing is mapped is refused with ENOENT',
    now: 'An unmap of a range in which nothing is mapped succeeds, with 0 bytes',
    source: `iommufd_vfio_unmap_dma; ${MEASURED} on 6.12.117 and 7.3.4`,
  },
  'iommufd-length-after-wrap': {
    models: ['iommufd', 'iommufd-vfio'],
    since: '7.3',
    lastWithout: '6.12',
    was: 'A length above 2^64-1 minus one page is refused (EINVAL) before memory that ends above 2^64-1',
    now: 'Memory that ends above 2^64-1 is refused (EOVERFLOW) before a length above 2^64-1 minus one page',
    source: `iopt_map_user_pages; ${MEASURED} on 6.12.117 and 7.3.4`,
  },
  'iommufd-hwpt-pasid': {
    models: ['iommufd'],
    since: '7.3',
    lastWithout: '6.12',
    was: 'Flag pasid of hwpt.alloc is refused with EOPNOTSUPP',
    now: 'Flag pasid of hwpt.alloc is accepted',
    source: `iommufd_hwpt_paging_alloc; ${MEASURED} on 6.12.117 and 7.3.4`,
  },
  'dma-wide-for-good': {
    models: ['dma-iommu'],
    since: '6.5',
    was: 'Every mapping of a PCI device tries addresses below 4 GiB first',
    now: 'A PCI device for which the addresses below 4 GiB ran out once does not try them again, and the log says so',
    source: 'iommu_dma_alloc_iova, read in sources',
  },
} as const satisfies Readonly<Record<string, KernelChange>>;

export type ChangeName = keyof typeof KERNEL_CHANGES;

export const CHANGE_NAMES = Object.keys(KERNEL_CHANGES) as ChangeName[]; // Object.keys loses the type of the keys

export function changeOf(name: ChangeName): KernelChange {
  return KERNEL_CHANGES[name];
}

/** The versions whose answers were recorded, oldest first; each stands for its series. */
export const RECORDED_VERSIONS = ['5.10', '6.1', '6.12', '6.16', '6.17', '6.18', '7.2', '7.3'] as const;

/** The first version that has a model at all; models that are not listed are in every version. */
export const MODEL_SINCE: Readonly<Record<string, string>> = { iommufd: '6.2', 'iommufd-vfio': '6.2' };

/** The rules of one kernel. */
export interface KernelRules {
  /** As given; `undefined`: the newest known rules. */
  readonly kernel: string | undefined;
  /** True if the kernel has the present rule of a change. */
  has(name: ChangeName): boolean;
  /** The changes of which it is not known whether the kernel has them. `has` says that it does not. */
  readonly uncertain: readonly ChangeName[];
}

/**
 * The rules of a version. What is not readable as a version has the newest known rules. Between two known versions the
 * older rule counts.
 */
export function kernelRules(kernel?: string): KernelRules {
  if (kernel === undefined || !parseKernelVersion(kernel)) return NEWEST_RULES;
  const absent = new Set<ChangeName>();
  const uncertain: ChangeName[] = [];
  for (const name of CHANGE_NAMES) {
    const state = hasChange(changeOf(name), kernel);
    if (state === 'unknown') uncertain.push(name);
    if (state !== 'yes') absent.add(name);
  }
  return { kernel, has: (name) => !absent.has(name), uncertain };
}

/** The newest known rules. */
export const NEWEST_RULES: KernelRules = { kernel: undefined, has: () => true, uncertain: [] };

/** The kernel that answers by these rules: `Linux 6.1.16`; without a version, the newest one that is known. */
export function kernelLabel({ kernel }: Pick<KernelRules, 'kernel'>): string {
  return `Linux ${kernel ?? RECORDED_VERSIONS.at(-1)}`;
}

/** `since Linux 6.18`, `since about Linux 6.6`, with the stable versions that have it too. */
export function sinceText({ since, stable = [], approximate }: KernelChange): string {
  const also = stable.length > 0 ? ` (also in ${stable.join(', ')})` : '';
  return `since ${approximate ? 'about ' : ''}Linux ${since}${also}`;
}

/** The same rules with or without one change. */
export function withChange(rules: KernelRules, name: ChangeName, present: boolean): KernelRules {
  return { ...rules, has: (other) => (other === name ? present : rules.has(other)) };
}

/** The changes that concern a model. */
export function changesOf(model: string): readonly ChangeName[] {
  return CHANGE_NAMES.filter((name) => changeOf(name).models.includes(model));
}

/**
 * Versions that stand for all that are known to differ for a model, oldest first: those that were recorded, those in
 * which a rule changed, and the last ones before a change within a stable series.
 */
export function versionsOf(model: string): readonly string[] {
  const oldest = MODEL_SINCE[model];
  const versions = new Set<string>(RECORDED_VERSIONS);
  if (oldest !== undefined) versions.add(oldest);
  for (const name of changesOf(model)) {
    const { since, stable = [] } = changeOf(name);
    for (const first of [since, ...stable]) {
      versions.add(first);
      const parsed = parseKernelVersion(first);
      if (parsed?.hasPatch && parsed.patch > 0) versions.add(`${parsed.major}.${parsed.minor}.${parsed.patch - 1}`);
    }
  }
  // The newest patch of a series says nothing more than the first one that has a change.
  const all = [...versions].sort(compareVersionTexts);
  return all.filter((version) => oldest === undefined || !isBefore(version, oldest));
}
