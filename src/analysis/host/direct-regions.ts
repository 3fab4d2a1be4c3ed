// Regions that firmware requires to stay mapped 1:1 (RMRR, IVMD), and what a kernel does with devices that have one.

import { driverRules } from '../../kernel/driver-changes.ts';
import type { RuleQuestion } from '../../kernel/rule-book.ts';
import { type Group, type Host, kernelOf } from './host.ts';
import { isAmdHost } from './platforms.ts';

/** What decides about a device with such a region. */
export type DirectRegionHost = Pick<
  Host,
  'about' | 'chosenKernel' | 'iommus' | 'groups' | 'firmwareRegions' | 'ivrs' | 'faults'
>;

/** The kernel and the IOMMU driver of a host, which decide which variant of a rule applies. */
export function ruleContext(host: DirectRegionHost): Pick<RuleQuestion, 'kernel' | 'driver'> {
  const drivers = new Set(host.iommus.map(({ driver }) => driver).filter((driver) => driver !== 'unknown'));
  const [driver = isAmdHost(host) ? 'amd' : undefined] = drivers;
  return { kernel: kernelOf(host), driver: drivers.size > 1 ? undefined : driver };
}

/**
 * False if the kernel allows a device with a `direct` region to be assigned: before about Linux 6.6, with any IOMMU except
 * Intel's. The region is then excluded from the mappable ranges. An unknown driver is assumed to refuse.
 */
export function refusesDirectRegions(host: DirectRegionHost): boolean {
  const { kernel, driver } = ruleContext(host);
  return driver === undefined || driver === 'intel' || driverRules(kernel).has('direct-region-refused');
}

/** True if a region of the group must stay mapped 1:1. */
export function hasDirectRegion(group: Pick<Group, 'regions'>): boolean {
  return group.regions.some(({ type }) => type === 'direct');
}
