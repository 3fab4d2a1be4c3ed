// What a kernel refuses, by subject: for callers that find conflicts in dumps, without a model. The rules are those that
// the models check; a rule that no model checks is an entry of `HOST_RULES`.
import { IOMMUFD_RULES } from './iommufd/rules.ts';
import { defineRules, type Errno, type Rule, type RuleContext, ruleIn, sourceOf } from './shared/rule.ts';
import { TYPE1_RULES } from './type1/rules.ts';

/** By which interface a mapping or an attach is requested: a VFIO container, or /dev/iommu. */
export type RequestApi = 'vfio' | 'iommufd';

/** Something that a kernel does without refusing anything, so without an errno. */
type Behavior = Omit<Rule, 'errno' | 'was' | 'log' | 'logs'> & { readonly errno?: undefined };

/** Rules of the IOMMU core and the VFIO core that no model checks. */
const HOST_RULES = defineRules('Linux 6.12', {
  'group-not-viable': {
    errno: 'EPERM',
    message: 'A device of the group is bound to a driver of the host, so the group cannot be given away',
    where: 'iommu_group_claim_dma_owner',
  },
  'hardware-msi-first': {
    errno: 'ENODEV',
    message: 'The group has a hardware MSI region, which takes precedence: doorbells are not mapped',
    where: 'vfio_iommu_has_sw_msi',
  },
});

const FIRMWARE_REGION_CHECK: Behavior = {
  kernel: 'Linux 6.12',
  where: 'arch_rmrr_sanity_check',
  message: 'The kernel warns about a firmware region that the memory map does not reserve',
};

const HOST_WINDOWS_RESERVED: Behavior = {
  kernel: 'Linux 6.12',
  where: 'iommu_dma_get_resv_regions',
  message: 'The software MSI window is reserved without regard to the windows of the PCI host bridge',
};

/** One row a subject. `any`: decided before the interface matters. A missing interface does not refuse. */
const RULE_BOOK = {
  'map-over-reserved': {
    vfio: TYPE1_RULES['map-outside-valid-ranges'],
    iommufd: IOMMUFD_RULES['map-over-reserved'],
  },
  'map-beyond-aperture': {
    vfio: TYPE1_RULES['map-outside-valid-ranges'],
    iommufd: IOMMUFD_RULES['map-over-reserved'],
  },
  'map-unaligned': { vfio: TYPE1_RULES['map-size-unaligned'], iommufd: IOMMUFD_RULES['map-length-unaligned'] },
  'map-over-mapping': { vfio: TYPE1_RULES['map-over-mapping'], iommufd: IOMMUFD_RULES['map-over-area'] },
  'mapping-limit': { vfio: TYPE1_RULES['map-none-left'] },
  'unmap-cuts-mapping': { vfio: TYPE1_RULES['unmap-cuts-mapping'], iommufd: IOMMUFD_RULES['unmap-cuts-area'] },
  'unmap-nothing-mapped': { iommufd: IOMMUFD_RULES['unmap-nothing-mapped'] },
  'attach-direct-region': { any: TYPE1_RULES['attach-direct-region'] },
  'attach-region-over-mapping': {
    vfio: TYPE1_RULES['attach-region-over-mapping'],
    iommufd: IOMMUFD_RULES['attach-region-over-area'],
  },
  'attach-aperture-over-mapping': {
    vfio: TYPE1_RULES['attach-aperture-over-mapping'],
    iommufd: IOMMUFD_RULES['attach-aperture-over-area'],
  },
  'group-not-viable': { any: HOST_RULES['group-not-viable'] },
  'hardware-msi-first': { any: HOST_RULES['hardware-msi-first'] },
  'firmware-region-check': { any: FIRMWARE_REGION_CHECK },
  'sw-msi-over-windows': { any: HOST_WINDOWS_RESERVED },
} satisfies Record<string, Partial<Record<RequestApi | 'any', Rule | Behavior>>>;

export type RuleSubject = keyof typeof RULE_BOOK;

export interface RuleQuestion extends RuleContext {
  /** Both interfaces if left out. */
  readonly api?: RequestApi | undefined;
}

/** The answer of the kernel. */
export interface RuleAnswer {
  /** `undefined` if nothing is refused, or if the interfaces differ and the question names none. */
  readonly errno: Errno | undefined;
  /** One sentence for people, without its full stop. */
  readonly message: string;
  /** Kernel and functions that decide. */
  readonly source: string;
  /** What the kernel logs about it, word for word behind the device's name. */
  readonly logs?: string | undefined;
}

type Row = Partial<Record<RequestApi | 'any', Rule | Behavior>>;

/** True if requests through `api` are refused for this reason at all. */
export function appliesTo(subject: RuleSubject, api: RequestApi): boolean {
  const row: Row = RULE_BOOK[subject];
  return row.any !== undefined || row[api] !== undefined;
}

/** What a kernel answers on a subject. If `api` does not refuse (`appliesTo`), the other interface is quoted. */
export function lookUpRule(subject: RuleSubject, { api, ...context }: RuleQuestion = {}): RuleAnswer {
  const row: Row = RULE_BOOK[subject];
  const named = row.any ?? (api === undefined ? undefined : row[api]);
  const rules = (named ? [named] : [row.vfio, row.iommufd])
    .filter((rule) => rule !== undefined)
    .map((rule) => (rule.errno === undefined ? rule : ruleIn(rule, context)));
  const errnos = new Set(rules.map((rule) => rule.errno));
  const [errno] = errnos;
  return {
    errno: errnos.size === 1 ? errno : undefined,
    message: rules[0]?.message ?? '',
    source: sourceOf(...rules),
    logs: rules.find((rule): rule is Rule => rule.errno !== undefined)?.logs,
  };
}
