// Why two sources cannot be from the same host, or not from the same time.
import { hex } from '../../iova/format.ts';
import { compareNames } from '../host/host.ts';
import type { HostProfile } from './profile.ts';

/** `contents`: the same kind of source with different contents: another host, or the same host at another time. */
export type ContradictionKind = 'name' | 'architecture' | 'groups' | 'register' | 'contents' | 'folder' | 'fleet';

export interface ProfileContradiction {
  readonly kind: ContradictionKind;
  /** What differs, as the rest of a sentence: `its host name is beta, not alpha`. */
  readonly message: string;
}

/** Maximum number of groups or devices in a message. */
const LISTED_MAX = 3;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_MAX).join(', ');
  return names.length > LISTED_MAX ? `${shown} and ${names.length - LISTED_MAX} more` : shown;
}

/** Evidence of one machine is none of the others that are shown with it. */
function standsForOthers({ alike }: HostProfile): string | undefined {
  if (alike.size === 0) return undefined;
  return `it is shown for ${alike.size + 1} hosts alike; open the one that is meant as a host of its own first`;
}

function hasDifferentNames(source: HostProfile, host: HostProfile): boolean {
  if (source.names.size === 0 || host.names.size === 0) return false;
  for (const name of source.names.keys()) if (host.names.has(name)) return false;
  return true;
}

function differentNames(source: HostProfile, host: HostProfile): string | undefined {
  if (!hasDifferentNames(source, host)) return undefined;
  return `its host name is ${listed([...source.names.values()])}, not ${listed([...host.names.values()])}`;
}

function differentPlatform(source: HostProfile, host: HostProfile): string | undefined {
  for (const of of ['architectures', 'vendors'] as const) {
    const [own] = source[of].keys();
    const [other] = host[of].keys();
    if (own === undefined || other === undefined || host[of].size > 1 || own === other) continue;
    return of === 'vendors' ? `its IOMMU is from ${own}, not ${other}` : `its architecture is ${own}, not ${other}`;
  }
  return undefined;
}

/** Different dumps may list different functions of one PCI device: `0000:03:00.1` → `0000:03:00`. */
function slotOf(device: string): string {
  return device.replace(/\.[0-7]$/, '');
}

function differentGroups(source: HostProfile, host: HostProfile): string | undefined {
  for (const [device, group] of source.groupOfDevice) {
    const other = host.groupOfDevice.get(device);
    if (other !== undefined && other !== group) return `${device} is in group ${group}, not in group ${other}`;
  }
  for (const [group, devices] of source.groups) {
    const others = host.groups.get(group);
    if (!others) continue;
    // A dump may list only some devices of a group: it is a contradiction only if the two lists have no slot in common.
    const slots = new Set([...others].map(slotOf));
    if ([...devices].some((device) => slots.has(slotOf(device)))) continue;
    return `its group ${group} has ${listed([...devices])}, not ${listed([...others])}`;
  }
  return undefined;
}

function differentRegister(source: HostProfile, host: HostProfile): string | undefined {
  for (const [what, { value }] of source.registers) {
    const other = host.registers.get(what)?.value;
    if (other === undefined || other === value) continue;
    const shown = what.startsWith('address width') ? [`${value}`, `${other} bits`] : [hex(value), hex(other)];
    return `the ${what} is ${shown[0]}, not ${shown[1]}`;
  }
  return undefined;
}

function differentRegions(source: HostProfile, host: HostProfile): string | undefined {
  const groups = [...source.regions].flatMap(([group, regions]) => {
    const others = host.regions.get(group);
    const isSame = !others || (others.size === regions.size && [...regions].every((region) => others.has(region)));
    return isSame ? [] : [group];
  });
  if (groups.length === 0) return undefined;
  const names = groups.sort(compareNames);
  return `the reserved regions of ${names.length === 1 ? 'group' : 'groups'} ${listed(names)} differ`;
}

/** Two folders that contain the same files are dumps of two machines, even if the machines are identical. */
function sameLayout(source: HostProfile, host: HostProfile): string | undefined {
  if ([...source.folders.keys()].some((folder) => host.folders.has(folder))) return undefined;
  for (const [folder, paths] of source.folders) {
    for (const [other, otherPaths] of host.folders) {
      const shared = [...paths].find((path) => otherPaths.has(path));
      if (shared !== undefined) return `the folders ${folder} and ${other} both contain ${shared}`;
    }
  }
  return undefined;
}

/**
 * Why a source cannot be added to a host, the most significant reason first; undefined if nothing contradicts. A partial dump
 * (some devices of a group) is not a contradiction.
 */
export function contradictionOf(source: HostProfile, host: HostProfile): ProfileContradiction | undefined {
  for (const [kind, check] of CHECKS) {
    const message = check(source, host);
    if (message !== undefined) return { kind, message };
  }
  return undefined;
}

/** True if there is a contradiction. Hosts of a fleet have names: then nothing else is compared. */
export function contradicts(source: HostProfile, host: HostProfile): boolean {
  return hasDifferentNames(source, host) || contradictionOf(source, host) !== undefined;
}

const CHECKS: readonly (readonly [ContradictionKind, (a: HostProfile, b: HostProfile) => string | undefined])[] = [
  ['fleet', (_, host) => standsForOthers(host)],
  ['name', differentNames],
  ['architecture', differentPlatform],
  ['groups', differentGroups],
  ['register', differentRegister],
  ['contents', differentRegions],
  // A common host name is better evidence than the layout of folders.
  ['folder', (a, b) => ([...a.names.keys()].some((name) => b.names.has(name)) ? undefined : sameLayout(a, b))],
];
