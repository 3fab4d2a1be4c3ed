// The device to assign: which devices a host has, which one the evidence names, and which groups are checked with it.
import { diagnosticRule } from '../../dumps/diagnostics.ts';
import { hex } from '../../iova/format.ts';
import { type Fact, isFact, type SessionEvent } from '../../session/events.ts';
import { type DirectRegionHost, hasDirectRegion, refusesDirectRegions } from '../host/direct-regions.ts';
import { compareNames, type Group, type Host, type Provenance, provenanceOf } from '../host/host.ts';

/** A device of a host that the user can choose. */
export interface DeviceChoice {
  readonly device: string;
  /** Name of its IOMMU group. */
  readonly group?: string | undefined;
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  readonly ids?: string | undefined;
  readonly driver?: string | undefined;
  /** False if the kernel refuses to assign its group. */
  readonly isAssignable: boolean;
}

/** What the evidence names as the device to assign. */
export interface NamedDevice {
  /** PCI addresses of devices to assign; empty if only groups are named. */
  readonly devices: readonly string[];
  /** Names of groups. */
  readonly groups: readonly string[];
  readonly origin: 'guest' | 'error';
  readonly provenance: Provenance;
}

/**
 * Why the kernel refuses to assign the group regardless of the guest, as a clause; undefined if it does not. The reason is
 * either a region that must stay mapped 1:1 (`direct`), which this kernel refuses, or a logged message that a device is not
 * eligible.
 */
export function assignmentRefusal(host: DirectRegionHost & Pick<Host, 'ineligible'>, group: Group): string | undefined {
  const direct = group.regions.find(({ type }) => type === 'direct');
  if (direct && hasDirectRegion(group) && refusesDirectRegions(host)) {
    return `its region ${hex(direct.start)}-${hex(direct.last)} must stay mapped 1:1`;
  }
  const refused = host.ineligible.find(({ device }) => group.devices.includes(device));
  return refused && `${refused.device}: ${refused.reason}`;
}

/** False if the kernel refuses to assign the group regardless of the guest. */
export function isAssignable(host: DirectRegionHost & Pick<Host, 'ineligible'>, group: Group): boolean {
  return assignmentRefusal(host, group) === undefined;
}

/** All devices of a host, ascending by address: those of its groups, and those that sources describe without a group. */
export function deviceChoices(host: Host): DeviceChoice[] {
  const groupOf = new Map(host.groups.flatMap((group) => group.devices.map((device) => [device, group] as const)));
  return [...new Set([...groupOf.keys(), ...host.devices.keys()])].sort(compareNames).map((device) => {
    const group = groupOf.get(device);
    const { name, class: kind, ids, driver, group: told } = host.devices.get(device) ?? {};
    return {
      device,
      group: group?.group ?? told,
      name,
      class: kind,
      ids,
      driver,
      isAssignable: group === undefined || isAssignable(host, group),
    };
  });
}

/** Normalizes a device name as facts have it: a PCI address with domain and in lower case; other names are unchanged. */
export function deviceNamed(text: string): string {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(text.trim());
  return match ? `${match[1] ?? '0000'}:${match[2]}`.toLowerCase() : text.trim();
}

const PCI_ADDRESS = /\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/g;
/** QEMU and the kernel name a group in words or by its device file. */
const GROUP = /(?:\bgroup |\/dev\/vfio\/)(\d{1,9})\b/g;

function namedByFact(fact: Fact): Omit<NamedDevice, 'provenance'> | undefined {
  switch (fact.kind) {
    case 'machine':
      return fact.assigned && fact.assigned.length > 0
        ? { devices: fact.assigned, groups: [], origin: 'guest' }
        : undefined;
    case 'request':
      return fact.result === 0 || (fact.device === undefined && fact.group === undefined)
        ? undefined
        : {
            devices: fact.device === undefined ? [] : [fact.device],
            groups: fact.group === undefined ? [] : [fact.group],
            origin: 'error',
          };
    case 'diagnostic': {
      if (fact.severity === 'info' || !diagnosticRule(fact.code)?.isComplaint) return undefined;
      const devices = [...fact.message.matchAll(PCI_ADDRESS)].map(([device]) => device);
      const groups = [...fact.message.matchAll(GROUP)].map(([, group = '']) => group);
      return devices.length + groups.length === 0 ? undefined : { devices, groups, origin: 'error' };
    }
    default:
      return undefined;
  }
}

/** All devices and groups that the evidence names, errors first: a failed request is usually the reason for the question. */
export function namedDevices(events: Iterable<SessionEvent>): NamedDevice[] {
  const found: NamedDevice[] = [];
  for (const event of events) {
    const named = isFact(event) ? namedByFact(event) : undefined;
    if (named && isFact(event)) found.push({ ...named, provenance: provenanceOf(event) });
  }
  const rank = ({ origin }: NamedDevice) => (origin === 'error' ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** The device of a case, and the groups that are selected with it. */
export interface AssignedDevice {
  readonly device: string;
  readonly origin: 'chosen' | NamedDevice['origin'];
  /** Names of the groups that are assigned together. */
  readonly groups: readonly string[];
  readonly provenance?: Provenance | undefined;
}

/** The device that a host's evidence names and that the host has; undefined if there is none. */
export function assignedDevice(host: Host, named: readonly NamedDevice[]): AssignedDevice | undefined {
  for (const { devices, groups, origin, provenance } of named) {
    const owners = host.groups.filter(
      (group) =>
        devices.some((device) => group.devices.includes(device)) ||
        (devices.length === 0 && group.group !== undefined && groups.includes(group.group)),
    );
    const device = devices.find((one) => owners.some((group) => group.devices.includes(one)));
    const first = device ?? owners.find((group) => group.devices.length > 0)?.devices[0];
    if (first === undefined) continue;
    return { device: first, origin, groups: owners.flatMap(({ group }) => group ?? []), provenance };
  }
  return undefined;
}

/** The device that the user chose; undefined if the host does not have it. */
export function chosenDevice(host: Host, device: string): AssignedDevice | undefined {
  const group = host.groups.find(({ devices }) => devices.includes(device));
  if (!group) return undefined;
  return { device, origin: 'chosen', groups: group.group === undefined ? [] : [group.group] };
}

/**
 * The groups that are checked together: those of the device; without one, all that can be assigned; if none can, all.
 */
export function selectedGroups(host: Host, assigned: AssignedDevice | undefined): readonly Group[] {
  if (assigned) {
    return host.groups.filter(
      (group) =>
        group.devices.includes(assigned.device) || (group.group !== undefined && assigned.groups.includes(group.group)),
    );
  }
  const assignable = host.groups.filter((group) => isAssignable(host, group));
  return assignable.length > 0 ? assignable : host.groups;
}

/** A device or a group that an error or a guest's definition names and the dump of the host does not have. */
export interface MissingFromHost {
  readonly what: string;
  readonly message: string;
  readonly provenance: Provenance;
}

/** `0 to 5, 7`: group names for a message. */
function namesOf(groups: readonly Group[]): string {
  const names = groups.flatMap(({ group }) => group ?? []);
  const parts: string[] = [];
  for (let i = 0; i < names.length; i++) {
    const first = names[i] ?? '';
    let last = first;
    while (Number(names[i + 1]) === Number(last) + 1) {
      i++;
      last = names[i] ?? last;
    }
    parts.push(first === last ? first : `${first} to ${last}`);
  }
  return parts.join(', ');
}

/** What the evidence names but the host does not have, each once. Nothing if the host's groups are unknown. */
export function missingFromHost(host: Host, named: readonly NamedDevice[]): MissingFromHost[] {
  const known = host.groups.filter(({ group }) => group !== undefined);
  if (known.length === 0) return [];
  const hasDevices = known.some(({ devices }) => devices.length > 0);
  const found = new Map<string, MissingFromHost>();
  for (const { devices, groups, origin, provenance } of named) {
    const who = origin === 'error' ? 'The error' : "The guest's definition";
    const missing = [
      ...devices.filter((device) => hasDevices && !known.some((group) => group.devices.includes(device))),
      ...groups.filter((group) => !known.some((other) => other.group === group)).map((group) => `group ${group}`),
    ];
    if (missing.length === 0) continue;
    const what = missing.join(' and ');
    const message = `${who} names ${what}, which the dump of ${host.title} does not have (it has groups ${namesOf(known)}). Add a dump of the host where it happened.`;
    if (!found.has(what)) found.set(what, { what, message, provenance });
  }
  return [...found.values()];
}
