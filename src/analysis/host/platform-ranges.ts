// What a platform is known to reserve, for dumps that do not list it: an assumption, and always reported as one.
import { type IovaRange, overlaps } from '../../iova/range.ts';
import { driverRules } from '../../kernel/driver-changes.ts';
import { DEFAULT_SW_MSI_WINDOW, HYPERTRANSPORT_RANGE, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import { type Host, kernelOf } from './host.ts';
import { architectureOf } from './platforms.ts';
import { isFirmwareOrigin } from './region-types.ts';

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

/** AMD: true if the kernel does not reserve the HyperTransport range: EFR2 bit 11, since Linux 6.16 (measured). */
function isHyperTransportFree(host: Host): boolean {
  const isSince = driverRules(kernelOf(host)).has('amd-hypertransport-optional');
  return isSince && (((host.ivrs?.efr2 ?? 0n) >> 11n) & 1n) === 1n;
}

/** True if the dumps list what the kernel reserves. What only firmware declares is a part of that. */
export function listsRegions(host: Host): boolean {
  return host.groups.some(({ regions }) => regions.some(({ origin }) => !isFirmwareOrigin(origin)));
}

/**
 * Platform ranges that overlap `requested`, of the platforms that the host may be. None if the dumps list any region of
 * the kernel: then the list is complete.
 */
export function likelyObstacles(host: Host, requested: IovaRange): PlatformRange[] {
  if (listsRegions(host)) return [];
  const architecture = architectureOf(host);
  return PLATFORM_RANGES.filter((candidate) => {
    if (candidate.platform === 'AMD' && isHyperTransportFree(host)) return false;
    if (architecture !== undefined && (candidate.platform === 'ARM') !== (architecture === 'arm')) return false;
    return overlaps(candidate, requested);
  });
}
