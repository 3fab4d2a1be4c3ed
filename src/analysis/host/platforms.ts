// What a platform is known to reserve, for dumps that do not say: a guess, and always told as one.
import { containsRange, type IovaRange, overlaps, range } from '../../iova/range.ts';
import type { Host } from './host.ts';

/** The page size of an x86 kernel, and of most others, where nothing tells another. */
export const USUAL_PAGE = 0x1000n;

/** A range that a kind of platform reserves, whatever a dump says. */
export interface PlatformRange extends IovaRange {
  readonly platform: 'x86' | 'AMD' | 'ARM';
  readonly type: 'msi' | 'reserved';
  readonly message: string;
}

export const X86_MSI: PlatformRange = {
  ...range(0xfee0_0000n, 0xfeef_ffffn),
  platform: 'x86',
  type: 'msi',
  message: 'the MSI window of x86',
};
export const AMD_HYPERTRANSPORT: PlatformRange = {
  ...range(0xfd_0000_0000n, 0xff_ffff_ffffn),
  platform: 'AMD',
  type: 'reserved',
  message: 'the range below 1 TiB that HyperTransport takes on AMD',
};
export const ARM_MSI: PlatformRange = {
  ...range(0x800_0000n, 0x80f_ffffn),
  platform: 'ARM',
  type: 'msi',
  message: 'the software MSI window of ARM',
};

type Architecture = 'x86' | 'arm';

/** What the facts say of the architecture; undefined where nothing tells. */
export function architectureOf(host: Host): Architecture | undefined {
  const { arch } = host.about;
  if (arch !== undefined) {
    if (/^(?:x86|i[3-6]86|amd64)/i.test(arch)) return 'x86';
    if (/^(?:arm|aarch64)/i.test(arch)) return 'arm';
  }
  for (const { driver } of host.iommus) {
    if (driver === 'intel' || driver === 'amd') return 'x86';
    if (driver.startsWith('smmu')) return 'arm';
  }
  for (const { driver } of host.faults) {
    if (driver === 'intel' || driver === 'amd' || driver === 'amd_iommu') return 'x86';
    if (driver?.includes('smmu')) return 'arm';
  }
  const regions = host.groups.flatMap((group) => group.regions);
  if (regions.some((r) => r.type === 'msi' && containsRange(X86_MSI, r))) return 'x86';
  if (regions.some((r) => r.type === 'msi')) return 'arm';
  return undefined;
}

/**
 * Platform ranges that a range meets, of the platforms that the host may be; none where the dumps list regions
 * themselves, because then what they list is all there is.
 */
export function likelyObstacles(host: Host, wanted: IovaRange): PlatformRange[] {
  if (host.groups.some((group) => group.regions.length > 0)) return [];
  const architecture = architectureOf(host);
  return [X86_MSI, AMD_HYPERTRANSPORT, ARM_MSI].filter((candidate) => {
    if (architecture !== undefined && (candidate.platform === 'ARM') !== (architecture === 'arm')) return false;
    return overlaps(candidate, wanted);
  });
}
