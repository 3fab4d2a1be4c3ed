// Whether two hosts of a fleet are alike: whether one picture, one list of conflicts and one answer are true of both.
//
// Alike are hosts of which nothing is known but what they reserve and translate, and for which that agrees: usable and
// reserved ranges, apertures and registers, kernel and options, the groups with the regions, classes and drivers of their
// devices, all that is reported about them, and the conflicts that follow. Where a device is on its bus, the number of its
// group, its name, the BARs and the memory map are not compared: they differ on machines of one kind, and no range of I/O
// addresses depends on them. What differs of these is reported, because a picture shows them of one host only.
import { assignedDevice, missingFromHost, namedDevices, selectedGroups } from '../../analysis/case/device.ts';
import { isOnlyFirmware } from '../../analysis/conflicts/devices.ts';
import { findConflicts } from '../../analysis/conflicts/find-conflicts.ts';
import type { Group, Host } from '../../analysis/host/host.ts';
import { commonSpace } from '../../analysis/space/common-space.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { isFact } from '../../session/events.ts';
import type { Varying } from '../protocol/documents.ts';

/** Facts that hosts may have in common. Any other event (a fault, a mapping, a guest, a note …) is one host's own. */
const COMMON_FACTS: ReadonlySet<string> = new Set([
  'host',
  'iommu',
  'group',
  'reserved',
  'aperture',
  'window',
  'bar',
  'msi_message',
  'device',
  'ineligible',
  'diagnostic',
]);

/** What was read of a host of a fleet. */
export interface FleetHost {
  readonly host: Host;
  readonly events: ReadonlyEventList;
  /** Problems of reading it: their codes and messages. */
  readonly problems: readonly string[];
  /** Names of the host and its source: they say nothing about what it is. */
  readonly names: readonly string[];
}

export interface AlikeKey {
  /** The same for hosts that are alike. */
  readonly key: string;
  /** What hosts that are alike may still differ in. */
  readonly details: Readonly<Record<Varying, string>>;
}

const rangeText = ({ start, last }: IovaRange) => `${start}-${last}`;
const sorted = (texts: Iterable<string>) => [...texts].sort().join('\n');

/** The key of a host; undefined if it has to be shown by itself. */
export function alikeKey({ host, events, problems, names }: FleetHost): AlikeKey | undefined {
  if (events.some((event) => !isFact(event) || !COMMON_FACTS.has(event.kind))) return undefined;
  const roles = new Roles(host, names);
  const { groups, apertures, iommus, about, firmwareRegions, contradictions, complaints, ineligible, reading } = host;
  const named = namedDevices(events);
  const focus = assignedDevice(host, named);
  const chosen = selectedGroups(host, focus).filter((group) => !isOnlyFirmware(group, focus));
  const conflicts = findConflicts({ space: commonSpace(host, chosen), mappings: [], guests: [], focus });
  const key = [
    sorted(groups.map((group) => roles.ofGroup(group))),
    sorted(
      apertures.map((aperture) =>
        [
          rangeText(aperture),
          aperture.pageSizes,
          aperture.group === undefined ? '' : roles.ofName(aperture.group),
          aperture.space,
          aperture.isManual,
          aperture.derivation?.rule,
          aperture.derivation?.assumed,
        ].join(' '),
      ),
    ),
    sorted(iommus.map(({ driver, addressWidth, cap, ecap }) => [driver, addressWidth, cap, ecap].join(' '))),
    [about.kernel, about.arch, about.options, host.cpu?.physicalBits].join(' '),
    [host.ivrs?.efr, host.ivrs?.efr2, host.ivrs?.ivinfo].join(' '),
    sorted(
      firmwareRegions.map(
        (region) =>
          `${rangeText(region)} ${region.type} ${region.origin} ${region.device === undefined ? '' : roles.ofDevice(region.device)}`,
      ),
    ),
    // Where DMA addresses may not be, and what a software MSI window may hit.
    sorted(
      host.windows.flatMap((window) =>
        window.type === 'pci' || window.type === 'ecam' ? `${rangeText(window)} ${window.type}` : [],
      ),
    ),
    sorted(ineligible.map(({ device, reason }) => `${roles.ofDevice(device)} ${reason}`)),
    sorted(complaints.map(({ code, severity, message }) => `${code} ${severity} ${roles.in(message)}`)),
    sorted(contradictions.map(({ about: what, message }) => roles.in(`${what} ${message}`))),
    [reading.malformed, ...reading.remarks.map((text) => roles.in(text))].join('\n'),
    sorted(problems.map((text) => roles.in(text))),
    [focus && roles.ofDevice(focus.device), focus?.origin].join(' '),
    sorted(missingFromHost(host, named).map(({ what }) => roles.in(what))),
    sorted(
      conflicts.map(({ rule, severity, errno, marks }) =>
        [rule, severity, errno, ...marks.map((mark) => `${rangeText(mark)} ${mark.role}`)].join(' '),
      ),
    ),
  ].join('\n\n');
  return { key, details: detailsOf(host) };
}

/** What a picture shows of one host only. */
function detailsOf({ groups, devices, windows, bars, msiMessages, streamIds = [] }: Host): AlikeKey['details'] {
  return {
    addresses: [
      ...groups.map(({ group, devices: members }) => `${group} ${members.join(' ')}`),
      ...devices.keys(),
      ...streamIds.map((ids) => Object.values(ids).join(' ')),
    ].join('\n'),
    names: sorted([...devices.values()].map(({ name, ids, subsystem }) => `${name} ${ids} ${subsystem}`)),
    'memory-map': windows.map((window) => `${rangeText(window)} ${window.name}`).join('\n'),
    bars: sorted(bars.map((bar) => `${rangeText(bar)} ${bar.prefetchable}`)),
    interrupts: sorted(msiMessages.map(({ address }) => `${address}`)),
  };
}

/** A PCI address, or the name of a group in a sentence. */
const DEVICE_OR_GROUP = /\b([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b|(?:\bgroup |\/dev\/vfio\/)(\d{1,9})\b/gi;

/** What devices and groups are, in place of their addresses and numbers. */
class Roles {
  readonly #host: Host;
  readonly #names: readonly string[];
  readonly #roles = new Map<Group, string>();
  readonly #ofDevice = new Map<string, Group>();
  readonly #ofName = new Map<string, Group>();

  constructor(host: Host, names: readonly string[]) {
    this.#host = host;
    // A longer name may contain a shorter one.
    this.#names = names.filter((name) => name !== '').sort((a, b) => b.length - a.length);
    for (const group of host.groups) {
      for (const device of group.devices) this.#ofDevice.set(device, group);
      if (group.group !== undefined) this.#ofName.set(group.group, group);
    }
  }

  ofGroup(group: Group): string {
    const known = this.#roles.get(group);
    if (known !== undefined) return known;
    const { type, devices, regions } = group;
    const role = [
      group.group !== undefined,
      type,
      [...devices].map((device) => this.#alone(device)).sort(),
      regions.map((region) => `${rangeText(region)} ${region.type} ${region.origin}`).sort(),
    ].join(' ');
    this.#roles.set(group, role);
    return role;
  }

  #alone(device: string): string {
    const { class: kind, driver, dmaBits } = this.#host.devices.get(device) ?? {};
    return `${kind}/${driver}/${dmaBits}`;
  }

  ofDevice(device: string): string {
    const group = this.#ofDevice.get(device);
    return `${this.#alone(device)} ${group ? this.ofGroup(group) : ''}`;
  }

  ofName(name: string): string {
    const group = this.#ofName.get(name);
    return group ? this.ofGroup(group) : '';
  }

  /** A sentence without the host's name, and with roles in place of addresses and numbers. */
  in(text: string): string {
    const unnamed = this.#names.reduce((rest, name) => rest.replaceAll(name, ''), text);
    return unnamed.replace(DEVICE_OR_GROUP, (_, device: string | undefined, group: string | undefined) =>
      device === undefined ? this.ofName(group ?? '') : this.ofDevice(device.toLowerCase()),
    );
  }
}
