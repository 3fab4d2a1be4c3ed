// What the paths and symbolic links of a copy of sysfs say without any file being read: which device is in which group,
// and which IOMMUs there are.
import { iommuOf } from '../fields/iommu-name.ts';
import {
  groupDevice,
  groupLink,
  iommuPlace,
  pathComponents,
  sysfsRoot,
  targetComponents,
} from '../fields/sysfs-path.ts';
import { IOMMU_CLASS, IOMMU_GROUPS } from '../registry.ts';
import type { Collector } from './collector.ts';

/** `path`: of a file or folder, as in the facts' `source`; `components`: of that. */
export function readPath(
  collector: Collector,
  path: string,
  components: readonly string[] = pathComponents(path),
): void {
  const found = groupDevice(components);
  if (found) addToGroup(collector, path, sysfsRoot(components), found);
}

/**
 * `path`: of a symbolic link; `target`: what it points to, absolute or relative. It is not followed. `components`: of the
 * path.
 */
export function readLink(
  collector: Collector,
  path: string,
  target: string,
  components: readonly string[] = pathComponents(path),
): void {
  const whole = targetComponents(components, target);
  // Some drivers show nothing of an IOMMU but a link to it.
  const iommu = components.at(-2) === 'iommu' ? iommuPlace(whole) : undefined;
  if (iommu && iommu.name === components.at(-1)) {
    collector.sink(path, IOMMU_CLASS).fact(iommuOf(iommu), undefined);
    return;
  }
  const link = groupLink(components, whole);
  if (link) addToGroup(collector, path, sysfsRoot(components.at(-1) === 'iommu_group' ? whole : components), link);
  else readPath(collector, path, components);
}

function addToGroup(
  collector: Collector,
  source: string,
  host: string | undefined,
  found: { readonly group: string; readonly device: string },
): void {
  collector.group(host ?? source, source, found.group, { devices: [found.device] }, IOMMU_GROUPS);
}
