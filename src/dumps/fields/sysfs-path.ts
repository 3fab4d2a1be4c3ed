// What a sysfs path tells about its target. Linux 6.12, drivers/iommu/iommu.c: a group has a directory
// /sys/kernel/iommu_groups/N (N is a decimal number: iommu_group_alloc) with `reserved_regions`, `type` and
// `devices/` (symlinks to devices); a device has a symlink `iommu_group` to its group's directory.
import { normalizeDevice } from './pci-address.ts';

/** Which group or device something belongs to; empty if that is unknown. */
export interface Place {
  readonly group?: string;
  readonly device?: string;
}

const VARIABLE = /[*?[\]{}$]/;

/** The number of a group without leading zeros. Undefined for a pattern, a variable, or a placeholder such as `y`. */
export function groupName(component: string | undefined): string | undefined {
  if (component === undefined || component === '' || component === '.' || component === '..') return undefined;
  const plain = component.replaceAll('\\', '');
  return /^\d+$/.test(plain) ? plain.replace(/^0+(?=\d)/, '') : undefined;
}

function deviceName(component: string | undefined): string | undefined {
  if (component === undefined || component === '' || component === '.' || component === '..') return undefined;
  return VARIABLE.test(component) ? undefined : normalizeDevice(component);
}

/** Components of a path without `.` and empty ones; `a/..` is resolved, a leading `..` is kept. */
export function pathComponents(path: string): string[] {
  // Most paths have nothing to resolve.
  const below = path.startsWith('/') ? path.slice(1) : path;
  return isResolved(below) ? below.split('/') : withResolved([], path.split('/'));
}

/** False for a path that is absolute, or that may have components `.`, `..` or empty ones. */
export function isResolved(path: string): boolean {
  return path !== '' && !/^[./]/.test(path) && !path.endsWith('/') && !path.includes('//') && !path.includes('/.');
}

/** The components of the path that a symbolic link leads to; `link`: those of the link. */
export function targetComponents(link: readonly string[], target: string): string[] {
  return target.startsWith('/') ? pathComponents(target) : withResolved(link.slice(0, -1), target.split('/'));
}

function withResolved(result: string[], parts: readonly string[]): string[] {
  for (const part of parts) {
    if (part === '' || part === '.') continue;
    if (part === '..' && result.length > 0 && result.at(-1) !== '..') result.pop();
    else result.push(part);
  }
  return result;
}

/**
 * The place of a directory: `…/iommu_groups/7` is group 7, `…/0000:00:1f.0/iommu_group` is what that
 * device belongs to, `…/net/eth0/device/iommu_group` what eth0's device does. Undefined for other directories;
 * an empty place if the directory is one of these but a pattern or variable hides which.
 */
export function placeOfDirectory(components: readonly string[]): Place | undefined {
  const last = components.length - 1;
  if (components[last] === 'iommu_group') {
    let at = last - 1;
    while (at > 0 && components[at] === 'device') at--;
    const device = deviceName(components[at]);
    return device === undefined ? {} : { device };
  }
  if (last > 0 && components[last - 1] === 'iommu_groups') {
    const group = groupName(components[last]);
    return group === undefined ? {} : { group };
  }
  return undefined;
}

/** Group and device of a path `…/iommu_groups/7/devices/0000:00:1f.0`, with anything after it. */
export function groupDevice(components: readonly string[]): { group: string; device: string } | undefined {
  for (let i = 0; i + 3 < components.length; i++) {
    if (components[i] !== 'iommu_groups' || components[i + 2] !== 'devices') continue;
    const group = groupName(components[i + 1]);
    const device = deviceName(components[i + 3]);
    if (group !== undefined && device !== undefined) return { group, device };
  }
  return undefined;
}

/**
 * Group and device of a symlink: `…/0000:00:1f.0/iommu_group` that leads to `…/iommu_groups/7`, or
 * `7/devices/0000:00:1f.0` that leads to a device of that name, below a folder that may have been renamed.
 */
export function groupLink(
  components: readonly string[],
  target: readonly string[],
): { group: string; device: string } | undefined {
  const [number = '', folder, name] = components.slice(-3);
  if (folder === 'devices' && /^\d+$/.test(number) && name === target.at(-1) && target.includes('devices')) {
    return { group: groupName(number) ?? number, device: normalizeDevice(name ?? '') };
  }
  if (components.at(-1) !== 'iommu_group') return undefined;
  const group = placeOfDirectory(target)?.group;
  const device = placeOfDirectory(components)?.device;
  return group === undefined || device === undefined ? undefined : { group, device };
}

/** An IOMMU that a path of sysfs leads to. */
export interface IommuPlace {
  readonly name: string;
  /** Undefined if the path does not tell. */
  readonly driver?: string;
  /** The file in `intel-iommu` or `amd-iommu`, if the path leads to one. */
  readonly file?: string;
}

/** Names that are not an IOMMU's though they may be in its place: a device has a link `iommu` to its own. */
const NOT_IOMMUS = new Set(['iommu', 'devices', 'device', 'power', 'subsystem', 'uevent', 'intel-iommu', 'amd-iommu']);

/**
 * The IOMMU of a path `…/class/iommu/dmar0`, `…/devices/virtual/iommu/dmar0` or `…/dmar0/intel-iommu/cap`, with
 * anything after the first two. Linux 6.12, drivers/iommu/iommu-sysfs.c.
 */
export function iommuPlace(components: readonly string[]): IommuPlace | undefined {
  const last = components.length - 1;
  const parent = components[last - 1];
  const driver = parent === 'intel-iommu' ? 'intel' : parent === 'amd-iommu' ? 'amd' : undefined;
  const at = driver === undefined ? iommuAt(components) : last - 2;
  const name = components[at]?.replaceAll('\\', '');
  if (name === undefined || NOT_IOMMUS.has(name) || !/^[A-Za-z0-9][\w.:@-]{0,100}$/.test(name)) return undefined;
  if (driver !== undefined) return { name, driver, file: components[last] ?? '' };
  return /^virtio\d+$/.test(components[at - 2] ?? '') ? { name, driver: 'virtio' } : { name };
}

/** The index of an IOMMU's name in a path; -1 if there is none. */
function iommuAt(components: readonly string[]): number {
  const at = components.indexOf('iommu');
  if (at < 0) return -1;
  const parent = components[at - 1];
  const isPlace = parent === 'class' || parent === 'virtual' || components.lastIndexOf('devices', at) >= 0;
  return isPlace ? at + 1 : -1;
}

/**
 * The root of the sysfs that a path with `iommu_groups` belongs to: everything before `kernel/iommu_groups`. Undefined for
 * other paths. It tells trees of several machines apart.
 */
export function sysfsRoot(components: readonly string[]): string | undefined {
  const at = components.indexOf('iommu_groups');
  if (at < 0) {
    // Its groups alone, under another name: `lab/7/type`, `lab/7/devices/0000:00:1f.0`.
    const own = components.findLastIndex((part) => /^\d+$/.test(part));
    const rest = components[own + 1];
    return own >= 0 && (rest === 'type' || rest === 'devices') ? components.slice(0, own).join('/') : undefined;
  }
  return components.slice(0, components[at - 1] === 'kernel' ? at - 1 : at).join('/');
}
