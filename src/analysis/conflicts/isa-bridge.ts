// The region that kernels reserve for DMA of old devices behind an ISA bridge, and in which versions.
import { type IovaRange, rangesEqual } from '../../iova/range.ts';
import { isBefore } from '../../kernel/change.ts';
import { ISA_BRIDGE_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { parseKernelVersion } from '../../kernel/versions.ts';
import type { CommonSpace } from '../space/common-space.ts';

/** Since which version the region no longer blocks mappings. Source: Linux, intel_iommu_get_resv_regions; stable 5.4.7. */
export const ISA_REGION_HISTORY = 'since 5.4.7 and 5.5 that region is relaxable';

/** True for the region of an ISA bridge as Linux 5.3 to 5.4.6 list it. */
export function isIsaRegion({ start, last, type }: IovaRange & { readonly type: string }): boolean {
  return type === 'direct' && rangesEqual({ start, last }, ISA_BRIDGE_RANGE);
}

/** False if a kernel of this version does not list the region as a blocking one; true for an unknown version. */
export function mayHaveIsaRegion(kernel: string | undefined): boolean {
  if (kernel === undefined || !parseKernelVersion(kernel)) return true;
  return !isBefore(kernel, '5.3') && isBefore(kernel, '5.4.7');
}

/** ` 00:1f.0`: the ISA bridge of the groups, if one of their devices has the address that Intel uses; otherwise empty. */
export function isaBridgeOf({ groups }: Pick<CommonSpace, 'groups'>): string {
  const device = groups.flatMap(({ devices }) => devices).find((name) => /:00:1f\.0$|:14\.3$/.test(name));
  return device === undefined ? '' : ` ${device}`;
}
