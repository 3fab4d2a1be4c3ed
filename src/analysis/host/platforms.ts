// Which platform a host is, as far as its facts show it.
import { containsRange, rangesEqual } from '../../iova/range.ts';
import { HYPERTRANSPORT_RANGE, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import type { Fault, Host } from './host.ts';

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
