// What the drivers of IOMMUs do differently in several versions: what a host's groups, widths and regions depend on. What
// the models answer differently is in version-changes.ts.
import { hasChange, type KernelChange, MEASURED } from './change.ts';
import { parseKernelVersion } from './versions.ts';

/** The differences, by a stable name. */
export const DRIVER_CHANGES = {
  'direct-region-refused': {
    models: ['type1', 'iommufd-vfio'],
    since: '6.6',
    lastWithout: '6.1',
    approximate: true,
    was: 'A group with a direct region is refused by the driver of Intel alone (EPERM); elsewhere the region is cut out of the valid ranges',
    now: 'A group with a direct region is refused (EINVAL), whichever IOMMU it has',
    source: `__iommu_device_set_domain and intel_iommu_attach_device; ${MEASURED} on 6.1.192 and 6.12.117`,
  },
  'vtd-first-stage': {
    models: [],
    since: '6.13',
    lastWithout: '6.12',
    approximate: true,
    was: 'Intel IOMMUs that have both stages translate with the second one, of a level that both have',
    now: 'Intel IOMMUs that have both stages translate with the first one, which maps one address bit less',
    source: `iommu_calculate_max_sagaw and paging_domain_alloc; second stage ${MEASURED} on 6.12.117`,
  },
  'amd-hypertransport-optional': {
    models: [],
    since: '6.16',
    lastWithout: '6.12',
    was: 'AMD IOMMUs reserve 0xfd00000000-0xffffffffff, whatever they are',
    now: 'AMD IOMMUs whose EFR2 has bit 11 do not reserve 0xfd00000000-0xffffffffff',
    source: `amd_iommu_get_resv_regions; ${MEASURED} on 6.12.117 and 6.16.12`,
  },
  'amd-width-of-ivrs': {
    models: [],
    since: '6.17',
    lastWithout: '6.16',
    was: 'AMD IOMMUs translate 64 bits',
    now: 'AMD IOMMUs translate as many bits as HATS of the IVRS table says',
    source: `${MEASURED} on 6.16.12 and 6.17.13`,
  },
  'amd-va-size': {
    models: [],
    since: '7.2',
    lastWithout: '6.18',
    was: 'VASize of the IVRS table does not limit what AMD IOMMUs translate',
    now: 'AMD IOMMUs translate at most VASize bits of the IVRS table',
    source: `${MEASURED} on 6.18.15 and 7.2.12`,
  },
} as const satisfies Readonly<Record<string, KernelChange>>;

/** What the drivers of one kernel do. */
export interface DriverRules {
  /** As given; `undefined`: the newest known rules. */
  readonly kernel: string | undefined;
  /** True if the kernel has the present rule of a change. */
  has(name: keyof typeof DRIVER_CHANGES): boolean;
}

/**
 * The rules of a version. What is not readable as a version has the newest known rules. Between two known versions the
 * older rule counts.
 */
export function driverRules(kernel: string | undefined): DriverRules {
  if (kernel === undefined || !parseKernelVersion(kernel)) return { kernel: undefined, has: () => true };
  return { kernel, has: (name) => hasChange(DRIVER_CHANGES[name], kernel) === 'yes' };
}
