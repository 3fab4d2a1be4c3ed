// The fact `device`, from what a format knows of it.
import type { FactOf } from '../../../session/events.ts';

export interface AboutDevice {
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  /** `10de:2484`. */
  readonly ids?: string | undefined;
  readonly subsystem?: string | undefined;
  readonly driver?: string | undefined;
  readonly group?: string | undefined;
  readonly iommu?: string | undefined;
  readonly numa_node?: number | undefined;
  /** The bridge above it. */
  readonly parent?: string | undefined;
}

const TEXT_MAX = 300;

/** `device` is a PCI address in full, or another name that sysfs has. What is undefined is left out. */
export function deviceFact(device: string, about: AboutDevice): FactOf<'device'> {
  const { name, class: kind, ids, subsystem, driver, group, iommu, numa_node: node, parent } = about;
  return {
    kind: 'device',
    device,
    ...(name === undefined ? {} : { name: name.slice(0, TEXT_MAX) }),
    ...(kind === undefined ? {} : { class: kind.slice(0, TEXT_MAX) }),
    ...(ids === undefined ? {} : { ids: ids.toLowerCase() }),
    ...(subsystem === undefined ? {} : { subsystem: subsystem.slice(0, TEXT_MAX) }),
    ...(driver === undefined ? {} : { driver: driver.slice(0, TEXT_MAX) }),
    ...(group === undefined ? {} : { group }),
    ...(iommu === undefined ? {} : { iommu }),
    ...(node === undefined ? {} : { numa_node: node }),
    ...(parent === undefined ? {} : { parent }),
  };
}
