// What a platform is known to reserve, for dumps that do not list it: an assumption, and always reported as one.
import { containsRange, type IovaRange, overlaps, rangesEqual } from '../../iova/range.ts';
import { driverRules } from '../../kernel/driver-changes.ts';
import { DEFAULT_SW_MSI_WINDOW, HYPERTRANSPORT_RANGE, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import { type Fault, type Host, kernelOf } from './host.ts';

/** A range that a kind of platform reserves, whether or not a dump lists it. */
export interface PlatformRange extends IovaRange {
  readonly platform: 'x86' | 'AMD' | 'ARM';
  readonly type: 'msi' | 'reserved';
  readonly message: string;
}

/** In the order in which they are reported. */
const PLATFORM_RANGES: readonly PlatformRange[] = [
  { ...X86_MSI_WINDOW, platform: 'x86', type: 'msi', message: 'the x86 MSI window' },
  {
    ...HYPERTRANSPORT_RANGE,
    platform: 'AMD',
    type: 'reserved',
    message: 'the HyperTransport range below 1 TiB',
  },
  { ...DEFAULT_SW_MSI_WINDOW, platform: 'ARM', type: 'msi', message: 'the ARM software MSI window' },
];

/** True for an access that the IOMMU which QEMU emulates refused: it is about the guest, not about the host. */
export function isVirtualFault({ reason }: Pick<Fault, 'reason'>): boolean {
  return reason?.startsWith('virtual IOMMU: ') === true;
}

export type Architecture = 'x86' | 'arm';

/** The architecture of a host as far as its facts show it; `undefined` if they do not. */
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
  if (host.ivrs !== undefined) return 'x86';
  for (const { driver } of host.faults) {
    if (driver === 'intel' || driver === 'amd' || driver === 'amd_iommu') return 'x86';
    if (driver?.includes('smmu')) return 'arm';
  }
  const regions = host.groups.flatMap((group) => group.regions);
  if (regions.some((r) => r.type === 'msi' && containsRange(X86_MSI_WINDOW, r))) return 'x86';
  if (regions.some((r) => r.type === 'msi')) return 'arm';
  return undefined;
}

/**
 * True if the host has AMD's IOMMU: by its name, its table, its faults, or the HyperTransport range that only such hosts
 * reserve.
 */
export function isAmdHost({
  iommus,
  groups,
  ivrs,
  faults,
}: Pick<Host, 'iommus' | 'groups' | 'ivrs' | 'faults'>): boolean {
  return (
    ivrs !== undefined ||
    iommus.some(({ driver }) => driver === 'amd') ||
    faults.some((fault) => fault.driver === 'amd' && !isVirtualFault(fault)) ||
    groups.some(({ regions }) => regions.some((region) => rangesEqual(region, HYPERTRANSPORT_RANGE)))
  );
}

/** AMD: true if the kernel does not reserve the HyperTransport range: EFR2 bit 11, since Linux 6.16 (measured). */
function isHyperTransportFree(host: Host): boolean {
  const isSince = driverRules(kernelOf(host)).has('amd-hypertransport-optional');
  return isSince && (((host.ivrs?.efr2 ?? 0n) >> 11n) & 1n) === 1n;
}

/**
 * Platform ranges that overlap `requested`, of the platforms that the host may be. None if the dumps list any region:
 * then the list is complete.
 */
export function likelyObstacles(host: Host, requested: IovaRange): PlatformRange[] {
  if (host.groups.some((group) => group.regions.length > 0)) return [];
  const architecture = architectureOf(host);
  return PLATFORM_RANGES.filter((candidate) => {
    if (candidate.platform === 'AMD' && isHyperTransportFree(host)) return false;
    if (architecture !== undefined && (candidate.platform === 'ARM') !== (architecture === 'arm')) return false;
    return overlaps(candidate, requested);
  });
}
