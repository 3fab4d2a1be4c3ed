// Regions that firmware requires to stay mapped one to one (RMRR, IVMD), and what a kernel does with devices that have one.

import { driverRules } from '../../kernel/driver-changes.ts';
import type { RuleQuestion } from '../../kernel/rule-book.ts';
import { type Group, type Host, kernelOf } from './host.ts';
import { isAmdHost } from './platforms.ts';

/** What decides about a device with such a region. */
export type DirectRegionHost = Pick<
  Host,
  'about' | 'chosenKernel' | 'iommus' | 'groups' | 'firmwareRegions' | 'ivrs' | 'faults'
>;

/** The kernel and the IOMMU driver of a host: they decide which variant of a rule holds. */
export function ruleContext(host: DirectRegionHost): Pick<RuleQuestion, 'kernel' | 'driver'> {
  const drivers = new Set(host.iommus.map(({ driver }) => driver).filter((driver) => driver !== 'unknown'));
  const [driver = isAmdHost(host) ? 'amd' : undefined] = drivers;
  return { kernel: kernelOf(host), driver: drivers.size > 1 ? undefined : driver };
}

/**
 * False if the kernel lets a device with a `direct` region be assigned: before about Linux 6.6, with any IOMMU but Intel's.
 * It cuts the region out of what can be mapped instead. An unknown driver is taken for one that refuses.
 */
export function refusesDirectRegions(host: DirectRegionHost): boolean {
  const { kernel, driver } = ruleContext(host);
  return driver === undefined || driver === 'intel' || driverRules(kernel).has('direct-region-refused');
}

/** True if a region of the group has to stay mapped one to one. */
export function hasDirectRegion(group: Pick<Group, 'regions'>): boolean {
  return group.regions.some(({ type }) => type === 'direct');
}
