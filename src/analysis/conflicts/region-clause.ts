// Describes a reserved region as a noun phrase: the bounds, then its type and its groups.
import { hexRange } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { rangesEqual } from '../../iova/range.ts';
import { HYPERTRANSPORT_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { groupTitle } from '../host/host.ts';
import type { CommonSpace, MergedRegion } from '../space/common-space.ts';
import { joinGroups, ownersOf } from './conflict.ts';
import { ISA_REGION_HISTORY, isaBridgeOf, isIsaRegion } from './isa-bridge.ts';

const UNKNOWN_GROUP = groupTitle({ devices: [] });

/** `group 1`, `groups 1, 4 and 7 to 9`: lists all owners if all of them are numbered groups. */
export function allOwnersOf({ parts }: Pick<MergedRegion, 'parts'>): string {
  const owners = [...new Set(parts.map(({ owner }) => owner))];
  const numbers = owners.flatMap((owner) => /^group (\d+)$/.exec(owner)?.[1] ?? []);
  if (numbers.length < owners.length || owners.length === 1) return ownersOf({ parts });
  return joinGroups(numbers.sort((a, b) => Number(a) - Number(b)));
}

/** `0xfee00000-0xfeefffff, the MSI window of groups 4 and 7`. */
export function regionClause(space: Pick<CommonSpace, 'groups'>, region: MergedRegion): string {
  const bounds = hexRange(region);
  const known = region.parts.some(({ owner }) => owner !== UNKNOWN_GROUP);
  const owners = known ? allOwnersOf(region) : 'a group that the dumps do not name';
  if (isIsaRegion(region)) {
    return `${bounds}, which the kernel reserves for the ISA bridge${isaBridgeOf(space)} in the same group (${owners}); ${ISA_REGION_HISTORY}`;
  }
  if (rangesEqual(region, HYPERTRANSPORT_RANGE)) {
    return `${bounds}, the HyperTransport range below 1 TiB that AMD hosts reserve${known ? ` (${owners})` : ''}`;
  }
  switch (region.type) {
    case 'msi':
    case 'sw-msi':
      return known ? `${bounds}, the MSI window of ${owners}` : `${bounds}, the MSI window`;
    case 'direct':
      return `${bounds}, which firmware requires to stay mapped 1:1 for ${owners} (direct)`;
    default: {
      const side = region.type !== 'reserved' ? undefined : endOf(region);
      return side === undefined
        ? `${bounds}, a reserved region of ${owners} (${region.type})`
        : `${bounds}, which is ${side} what the IOMMU of ${owners} translates (listed as reserved)`;
    }
  }
}

/** On which side a region reaches the end of the space: some kernels list what is outside the aperture like that (s390). */
function endOf({ start, last }: MergedRegion): string | undefined {
  return start === 0n ? 'below' : last === IOVA_MAX ? 'above' : undefined;
}
