// What is wrong with the devices and groups of a host, regardless of the guest: firmware regions, BARs, contradictions.
import { formatSize, hexRange } from '../../iova/format.ts';
import { isAligned, overlaps, sizeOf } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { lookUpRule } from '../../kernel/rule-book.ts';
import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import { bindCommands, type GroupMember, groupViabilities } from '../guest/group-viability.ts';
import { deviceLabel } from '../host/devices.ts';
import { hasDirectRegion, refusesDirectRegions, ruleContext } from '../host/direct-regions.ts';
import { type Bar, type Group, groupTitle, type Host, kernelOf, type Region } from '../host/host.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits, assumptionSentence } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import {
  type Conflict,
  describeRange,
  joinGroups,
  joinNames,
  joinNumbers,
  markOf,
  onKernel,
  partPlaces,
  type Remedy,
  refusedBy,
} from './conflict.ts';
import { ISA_REGION_HISTORY, isaBridgeOf, isIsaRegion } from './isa-bridge.ts';
import { msiConflicts } from './msi.ts';

/** The device to assign, and the groups that are assigned with it. */
export interface DeviceFocus {
  readonly device: string;
  /** Names of groups. */
  readonly groups: readonly string[];
}

const DIRECT_REMEDY =
  'Look for a firmware setting that releases the region (legacy USB, management engine, RAID controller), or assign another device.';
const ASSIGN_REMEDIES: readonly Remedy[] = [
  { text: 'Assign another device' },
  { text: 'Look for a firmware setting that releases the region (legacy USB, management engine, RAID controller)' },
];
const USUALLY_HARMLESS = 'Usually none is needed: only peer-to-peer DMA uses this mapping.';

/** What kernels log that refuse such a group regardless of the IOMMU. */
const NEWER_LOG = `The log then has: "${lookUpRule('attach-direct-region').logs ?? ''}"`;

/** What firmware tables and logs call the regions. */
export const FIRMWARE_REGIONS: Readonly<Record<string, string>> = { rmrr: 'RMRR', ivmd: 'IVMD region', rmr: 'RMR' };

/** What firmware calls its regions on this host. */
function regionName(host: Host, regions: readonly Region[]): string {
  const origin = [...regions, ...host.firmwareRegions].find(
    (region) => region.origin !== undefined && region.origin in FIRMWARE_REGIONS,
  )?.origin;
  const { driver } = ruleContext(host);
  const name =
    FIRMWARE_REGIONS[origin ?? ''] ??
    (driver === 'intel' ? 'RMRR' : driver === 'amd' ? 'IVMD region' : 'direct region');
  return regions.length > 1 ? `${name}s` : name;
}

/** What decides about a device with a `direct` region: this kernel's log, unless another kernel was chosen. */
function directContext(host: Host, log?: string) {
  return { ...ruleContext(host), log: host.chosenKernel === undefined ? log : undefined };
}

/** `cannot be assigned (EINVAL on Linux 6.12)`. */
function refusalOf(host: Host, log?: string): string {
  const { errno, source } = refusedBy('attach-direct-region', directContext(host, log));
  return `cannot be assigned (${errno}${onKernel(kernelOf(host), source)})`;
}

/** Devices that the kernel refused to assign, and groups that it will refuse, because firmware uses their memory. */
function ineligible(host: Host, groups: readonly Group[], focus: DeviceFocus | undefined): Conflict[] {
  const found: Conflict[] = [];
  const reported = new Set<string>();
  // A chosen kernel may accept what the logging kernel refused.
  const isRefused = host.chosenKernel === undefined || refusesDirectRegions(host);
  for (const entry of isRefused ? host.ineligible : []) {
    const group = host.groups.find((g) => g.devices.includes(entry.device));
    if (group) reported.add(group.key);
    // Not part of the question: the group is not selected, and is listed among those left out.
    if (group && groups.length > 0 && !groups.includes(group) && focus?.device !== entry.device) continue;
    found.push(ineligibleDevice(host, group, entry));
  }
  for (const group of groups) {
    const direct = group.regions.filter((region) => region.type === 'direct');
    if (direct.length > 0 && group.group !== undefined && !reported.has(group.key)) {
      const others = direct.filter((region) => !isIsaRegion(region));
      if (others.length === 0) found.push(isaGroup(host, group, direct));
      else if (refusesDirectRegions(host)) found.push(directGroup(host, group, others, focus));
      else found.push(acceptedGroup(host, group, others));
    }
  }
  return found;
}

/** The group that a message about a device names: `0000:03:00.0: group 13 could not be added …`. */
function groupInMessages({ complaints }: Host, device: string): string | undefined {
  const message = complaints.find((complaint) => complaint.message.startsWith(`${device}: group `))?.message;
  return message === undefined ? undefined : /: group (\d{1,9})\b/.exec(message)?.[1];
}

function ineligibleDevice(
  host: Host,
  group: Group | undefined,
  { device, reason, provenance }: Host['ineligible'][number],
): Conflict {
  const number = group?.group ?? host.devices.get(device)?.group ?? groupInMessages(host, device);
  const listed = group?.regions.filter((region) => region.type === 'direct') ?? [];
  const own = host.firmwareRegions.filter(
    (r) => r.device === device && !group?.regions.some((known) => known.start === r.start),
  );
  const regions = [...listed, ...own];
  // Firmware regions without a device may be the reason.
  const possible = regions.length > 0 ? [] : host.firmwareRegions.filter((r) => r.device === undefined);
  const shown = [...regions, ...possible];
  const where =
    regions.length > 0
      ? `The region is ${joinNames(regions.map(hexRange))}.`
      : possible.length > 0
        ? `The log does not say which region; these dumps have ${joinNames(possible.map(hexRange))}.`
        : 'These dumps do not contain the region: the kernel log ("RMRR base") and the ACPI tables do.';
  return {
    id: `device-ineligible ${device}`,
    rule: 'device-ineligible',
    severity: 'fatal',
    title: `${device} cannot be assigned: firmware requires memory to be mapped for it`,
    message: `${reportSentence(host, reason)} ${where}`,
    ...refusedBy('attach-direct-region', directContext(host, reason)),
    remedy: DIRECT_REMEDY,
    marks: shown.map((region) => markOf('obstacle', region, `mapped one to one for ${device}`)),
    provenance: [...provenance, ...shown.flatMap((r) => r.provenance)],
    answer: `${device}${number === undefined ? '' : ` (group ${number})`} ${refusalOf(host, reason)}: ${
      shown.length === 0
        ? 'firmware requires memory of it to stay mapped 1:1 (the RMRR lines of the kernel log and the ACPI tables name the region)'
        : regions.length > 0
          ? `its ${regionName(host, regions)} ${joinNames(regions.map(hexRange))} must stay mapped 1:1`
          : possible.length === 1
            ? `the ${regionName(host, possible)} ${joinNames(possible.map(hexRange))} must stay mapped 1:1 (the only one in these dumps)`
            : `one of the ${regionName(host, possible)} ${joinNames(possible.map(hexRange), 4)} must stay mapped 1:1 (the log does not say which)`
    }; no RAM size changes that.`,
    remedies: ASSIGN_REMEDIES,
    kind: 'device cannot be assigned',
    kindLabel: { unit: 'device', text: 'cannot be assigned, firmware requires memory to be mapped' },
  };
}

/** A group whose devices cannot be assigned because of a `direct` region of one of them. */
function directGroup(host: Host, group: Group, direct: readonly Region[], focus: DeviceFocus | undefined): Conflict {
  const title = groupTitle(group);
  const holders = host.firmwareRegions.flatMap((r) =>
    r.device !== undefined && direct.some((d) => d.start === r.start && d.last === r.last) ? [r.device] : [],
  );
  const others = group.devices.filter((device) => !holders.includes(device));
  const sharing =
    group.devices.length <= 1
      ? ''
      : holders.length > 0 && others.length > 0
        ? `The other devices of the group share it: ${joinNames(others)}.`
        : `All ${group.devices.length} devices of the group share it: ${joinNames(group.devices)}.`;
  const message = [
    `${title} has the direct region ${joinNames(direct.map(hexRange))}: firmware requires this memory to be mapped one to one at all times.`,
    holders.length > 0 ? `It belongs to ${joinNames(holders)}.` : '',
    sharing,
    logSentence(host),
  ];
  const names = group.devices.length > 0 ? ` (${joinNames(group.devices)})` : '';
  return {
    id: `group-has-direct ${group.key}`,
    rule: 'group-has-direct',
    severity: 'fatal',
    title: `${title}${names} cannot be assigned: it has a direct region`,
    message: message.filter(Boolean).join(' '),
    ...refusedBy('attach-direct-region', ruleContext(host)),
    remedy: DIRECT_REMEDY,
    marks: direct.map((region) => markOf('obstacle', region, `direct, ${title}`)),
    provenance: direct.flatMap((region) => region.provenance),
    answer: directAnswer(host, group, direct, focus, holders),
    remedies: ASSIGN_REMEDIES,
    kind: 'group cannot be assigned',
    kindLabel: { unit: 'group', text: 'direct region, cannot be assigned' },
  };
}

/** What the kernel reported; or what a chosen kernel would report, if its rule differs. */
function reportSentence(host: Host, reason: string): string {
  if (host.chosenKernel !== undefined) {
    const reported = lookUpRule('attach-direct-region', { ...ruleContext(host), log: reason });
    const chosen = lookUpRule('attach-direct-region', ruleContext(host));
    if (reported.logs !== chosen.logs) return logSentence(host);
  }
  return `The kernel reported: ${reason}.`;
}

/** What the kernel logs when a device with a `direct` region is assigned. */
function logSentence(host: Host): string {
  const { logs } = lookUpRule('attach-direct-region', ruleContext(host));
  return logs === undefined ? '' : `The kernel log then has: "${logs}"`;
}

/** A group with direct regions that this kernel accepts: a guest cannot map them. */
function acceptedGroup(host: Host, group: Group, direct: readonly Region[]): Conflict {
  const title = groupTitle(group);
  const bounds = joinNames(direct.map(hexRange));
  const kernel = onKernel(kernelOf(host), undefined);
  return {
    id: `group-has-direct ${group.key}`,
    rule: 'group-has-direct',
    severity: 'note',
    title: `${title} has a direct region, which this kernel accepts`,
    message: `${title} has the ${regionName(host, direct)} ${bounds}. The kernel${kernel} accepts it with this IOMMU, and no guest can map anything there: a map over it is refused (EINVAL). Since about Linux 6.6 the group cannot be assigned at all (EINVAL). ${NEWER_LOG}`,
    source: 'Linux before 6.6, iommu_attach_group',
    remedy: 'None is needed on this kernel, unless guest RAM overlaps the region.',
    marks: direct.map((region) => markOf('obstacle', region, `direct, ${title}`)),
    provenance: direct.flatMap((region) => region.provenance),
    kind: 'direct region accepted',
    kindLabel: { unit: 'group', text: 'direct region, which this kernel accepts' },
  };
}

/** The answer about a group with direct regions, in terms of the requested device. */
function directAnswer(
  host: Host,
  group: Group,
  direct: readonly Region[],
  focus: DeviceFocus | undefined,
  holders: readonly string[],
): string {
  const title = groupTitle(group);
  const asked =
    focus && group.devices.includes(focus.device)
      ? focus.device
      : group.devices.length === 1
        ? group.devices[0]
        : undefined;
  const names = group.devices.length > 0 ? ` (${joinNames(group.devices)})` : '';
  const who = asked === undefined ? `${title.charAt(0).toUpperCase()}${title.slice(1)}${names}` : `${asked} (${title})`;
  const regions = `${regionName(host, direct)} ${joinNames(direct.map(hexRange), 4)}`;
  const own = asked !== undefined && (group.devices.length === 1 || holders.includes(asked));
  const of = holders.length > 0 ? ` of ${joinNames(holders)}` : '';
  const what =
    own || asked === undefined ? `its ${regions}${own ? '' : of}` : `its group has the ${regions}${of}, which`;
  return `${who} ${refusalOf(host)}: ${what} must stay mapped 1:1; no RAM size changes that.`;
}

/** A group whose only direct region is that of an ISA bridge on older kernels: assignable, but RAM there is refused. */
function isaGroup(host: Host, group: Group, direct: readonly Region[]): Conflict {
  const title = groupTitle(group);
  const bridge = isaBridgeOf({ groups: [group] });
  const { errno, source } = refusedBy('map-over-reserved', { kernel: kernelOf(host), api: 'vfio' });
  const bounds = joinNames(direct.map(hexRange));
  return {
    id: `group-has-direct ${group.key}`,
    rule: 'group-has-direct',
    severity: 'fatal',
    title: `${title} reserves ${bounds} for an ISA bridge`,
    message: `The kernel maps ${bounds} one to one for the ISA bridge${bridge}, which is in ${title}; guests have RAM there. S${ISA_REGION_HISTORY.slice(1)}.`,
    errno,
    source,
    remedy: 'Update the kernel of the host: 5.4.7, 5.5 and newer do not reserve it.',
    marks: direct.map((region) => markOf('obstacle', region, `reserved for the ISA bridge, ${title}`)),
    provenance: direct.flatMap((region) => region.provenance),
    answer: `No guest with RAM below 16 MiB can have a device of ${title}: maps over ${bounds} are refused (${errno}), which the kernel reserves for the ISA bridge${bridge} in the group; ${ISA_REGION_HISTORY}. Update the host kernel.`,
    remedies: [{ text: 'Update the host kernel to 5.4.7, 5.5 or newer' }],
    kind: 'ISA region',
    kindLabel: { unit: 'group', text: `${bounds} is reserved for an ISA bridge` },
  };
}

/**
 * True if no source lists this as a group: it is only a device or a log line with firmware regions, which do not affect the
 * assignment of other devices.
 */
export function isOnlyFirmware(group: Group, focus: DeviceFocus | undefined): boolean {
  if (group.group !== undefined || group.regions.length === 0) return false;
  if (focus !== undefined && group.devices.includes(focus.device)) return false;
  return group.regions.every(({ type }) => type === 'direct' || type === 'direct-relaxable');
}

/** True if the kernel decides by the kind of device whether such a region is relaxable: only VT-d; others have a flag. */
function isRelaxedByClass(host: Host, regions: readonly Region[]): boolean {
  return regions.some(({ origin }) => origin === 'rmrr') || ruleContext(host).driver === 'intel';
}

/** One note about groups that cannot be assigned and are not part of the question. */
export function leftOutGroups({ host, groups }: CommonSpace, focus: DeviceFocus | undefined): Conflict[] {
  if (focus) return [];
  const left = host.groups.filter(
    (group) =>
      !groups.includes(group) &&
      ((hasDirectRegion(group) && refusesDirectRegions(host)) ||
        host.ineligible.some(({ device }) => group.devices.includes(device))),
  );
  if (left.length === 0) return [];
  const regions = left.flatMap((group) => group.regions.filter(({ type }) => type === 'direct'));
  const numbers = left.flatMap(({ group }) => group ?? []);
  const unnamed = left.length - numbers.length;
  const named = numbers.length > 0 ? `${joinGroups(numbers)} cannot be assigned` : '';
  const others =
    unnamed > 0
      ? `devices with the ${regionName(host, regions)} ${joinNames([...new Set(left.filter(({ group }) => group === undefined).flatMap((group) => group.regions.map(hexRange)))], 4)} cannot be assigned${isRelaxedByClass(host, regions) ? ' (unless they are USB or graphics)' : ''}`
      : '';
  const text = [named === '' ? '' : `${named} (direct regions)`, others].filter(Boolean).join('; ');
  const sentence = `${text} and ${left.length === 1 && unnamed === 0 ? 'is' : 'are'} left out`;
  return [
    {
      id: 'groups-left-out',
      rule: 'groups-left-out',
      severity: 'note',
      title: sentence.charAt(0).toUpperCase() + sentence.slice(1),
      message: `${numbers.length > 1 ? `Groups ${joinNumbers(numbers)}. ` : ''}Firmware requires memory of their devices to stay mapped one to one: ${joinNames([...new Set(regions.map(hexRange))], 6)}. Choose such a device to see what refuses it.`,
      ...refusedBy('attach-direct-region', ruleContext(host)),
      remedy: 'None is needed unless one of their devices is to be assigned.',
      marks: regions.slice(0, 6).map((region) => markOf('obstacle', region, 'direct')),
      provenance: regions.slice(0, 6).flatMap(({ provenance }) => provenance),
    },
  ];
}

/** Codes of messages that a device of the group, including the one to assign, is not bound to VFIO. */
const NOT_BOUND: ReadonlySet<string> = new Set([
  'qemu-group-not-viable',
  'dpdk-group-not-viable',
  'vfio-group-not-opened',
  'vfio-device-not-handed-out',
  'iommufd-device-not-bound',
]);

/** The group of the device to assign, if devices of it are bound to drivers of the host. */
export function unviableGroups(host: Host, focus: DeviceFocus | undefined): Conflict[] {
  if (!focus) return [];
  const isRefused = host.complaints.some(({ code }) => NOT_BOUND.has(code));
  return groupViabilities(host).flatMap((viability): Conflict[] => {
    const { group, members } = viability;
    if (!focus.groups.includes(group) && !members.some(({ device }) => device === focus.device)) return [];
    // libvirt binds the device itself when the guest starts: its driver is a problem only after a refusal.
    const blocking = members.filter(
      ({ device, state }) => state === 'blocking' && (isRefused || device !== focus.device),
    );
    if (blocking.length === 0) return [];
    const { errno, source } = refusedBy('group-not-viable', { kernel: kernelOf(host) });
    const names = joinNames(blocking.map(({ device }) => deviceLabel(host.devices, device)));
    const isOwn = blocking.some(({ device }) => device === focus.device);
    const are = blocking.length === 1 ? 'is' : 'are';
    const who = isOwn ? names : `${names} of the same group`;
    const asked = isOwn ? focus.device : deviceLabel(host.devices, focus.device);
    return [
      {
        id: `group-not-viable ${group}`,
        rule: 'group-not-viable',
        severity: 'fatal',
        title: `group ${group} is not viable: ${names} ${are} bound to a driver of the host`,
        message: 'All devices of a group go to one guest: each must be bound to vfio-pci, or to no driver.',
        errno,
        source,
        remedy: 'Bind every device of the group to vfio-pci, or to no driver.',
        marks: [],
        provenance: [
          ...(host.groups.find((known) => known.group === group)?.provenance ?? []),
          ...blocking.flatMap(({ device }) => host.devices.get(device)?.provenance ?? []),
        ],
        answer: `${asked} (group ${group}) cannot be assigned (${errno}${onKernel(kernelOf(host), source)}): ${who} ${are} bound to a driver of the host. Bind every device of the group to vfio-pci.`,
        remedies: [
          {
            text: `Bind ${joinNames(blocking.map(({ device }) => device))} to vfio-pci (until the next boot)`,
            form: 'shell',
            copy: bindCommands(blocking.map(({ device }) => device)).join('\n'),
          },
          ...bindAtBoot(host, blocking),
        ],
      },
    ];
  });
}

/** The options of vfio-pci that bind devices by their ids at boot. */
function bindAtBoot(host: Host, blocking: readonly GroupMember[]): Remedy[] {
  const ids = blocking.flatMap(({ device }) => host.devices.get(device)?.ids ?? []);
  if (ids.length < blocking.length) return [];
  return [
    {
      text: 'Or at every boot, in /etc/modprobe.d/vfio.conf',
      form: 'modprobe',
      copy: `options vfio-pci ids=${[...new Set(ids)].join(',')}`,
    },
  ];
}

/** Firmware regions that the memory map of the firmware does not reserve. */
function unreservedFirmware({ windows, firmwareRegions }: Host): Conflict[] {
  // A memory map without RAM is incomplete: nothing can be concluded from it.
  if (!windows.some((window) => window.type === 'ram')) return [];
  const reserved = rangeSet(
    windows.filter(({ type, name }) => type === 'reserved' || /^(?:reserved|ACPI|.*NVS|Graphics Stolen)/i.test(name)),
  );
  return firmwareRegions.flatMap((region): Conflict[] => {
    const outside = intersect([region], complement(reserved));
    const ram = windows.filter((window) => window.type === 'ram' && overlaps(window, region));
    if (outside.length === 0 || ram.length === 0) return [];
    return [
      {
        id: `firmware-region-not-reserved ${region.start}-${region.last}`,
        rule: 'firmware-region-not-reserved',
        severity: 'warning',
        title: `The firmware memory map does not reserve the ${FIRMWARE_REGIONS[region.origin ?? ''] ?? 'firmware region'} ${hexRange(region)}`,
        message: `The kernel may use ${joinNames(outside.map(describeRange))} as ordinary memory while a device still writes there. The kernel reports it as "No firmware reserved region can cover this RMRR".`,
        ...refusedBy('firmware-region-check'),
        remedy: 'Update the firmware. Until then device and kernel may overwrite each other.',
        marks: [
          markOf('requested', region, `firmware region (${region.origin ?? region.type})`),
          ...ram.slice(0, 3).map((window) => markOf('obstacle', window, window.name)),
        ],
        provenance: [...region.provenance, ...ram.flatMap((window) => window.provenance)],
      },
    ];
  });
}

/** BARs that cannot be mapped at their address: needed only for peer-to-peer DMA. */
function barConflicts(space: CommonSpace, pageSize: bigint): Conflict[] {
  return space.host.bars.flatMap((bar) => {
    const beyond = barBeyondAperture(space, bar);
    if (beyond) return [beyond];
    const region = barOverReserved(space, bar);
    return region ? [region] : misalignedBar(bar, pageSize);
  });
}

const barName = ({ device, index }: Bar) => `BAR ${index} of ${device}`;

function barBeyondAperture(space: CommonSpace, bar: Bar): Conflict | undefined {
  const [limit] = apertureLimits(space.apertures, bar);
  if (!limit) return undefined;
  const { cut, problem, place, bits, assumed } = limit;
  const limited =
    bits === undefined ? '' : `: limit the guest to phys-bits=${bits}, or set the 64-bit MMIO window of the firmware`;
  return {
    id: `bar-beyond-aperture ${bar.device} ${bar.index}`,
    rule: 'bar-beyond-aperture',
    severity: 'note',
    title: `${barName(bar)} ${problem}`,
    message: `${describeRange(bar)} is outside the aperture.${assumptionSentence(assumed)} If a guest or the firmware places the BAR at this address, it cannot be mapped for peer-to-peer DMA; everything else works.`,
    ...refusedBy('map-beyond-aperture'),
    remedy: place === undefined ? USUALLY_HARMLESS : `Place BARs ${place}${limited}.`,
    marks: [markOf('requested', bar, barName(bar)), markOf('obstacle', cut, 'outside the aperture')],
    provenance: [...bar.provenance, ...limit.provenance],
  };
}

function barOverReserved(space: CommonSpace, bar: Bar): Conflict | undefined {
  const region = space.reserved.find((r) => (r.type === 'msi' || r.type === 'reserved') && overlaps(r, bar));
  if (!region) return undefined;
  const { title } = meaningOf(region.type);
  const kind = region.type === 'msi' ? title : 'reserved region';
  return {
    id: `bar-over-reserved ${bar.device} ${bar.index}`,
    rule: 'bar-over-reserved',
    severity: 'note',
    title: `${barName(bar)} overlaps the ${kind} ${hexRange(region)}`,
    message: `${describeRange(bar)} cannot be mapped there: peer-to-peer DMA does not reach it.`,
    ...refusedBy('map-over-reserved'),
    remedy: `${USUALLY_HARMLESS} If devices need it, move the BAR.`,
    marks: [markOf('requested', bar, barName(bar)), markOf('obstacle', region, region.type)],
    provenance: [...bar.provenance, ...partPlaces(region)],
  };
}

/** A BAR that is not page-aligned: BARs are made for pages of 4 KiB, but this host's pages are larger. */
function misalignedBar(bar: Bar, pageSize: bigint): Conflict[] {
  if (pageSize <= DEFAULT_PAGE_SIZE || isAligned(bar, pageSize)) return [];
  return [
    {
      id: `misaligned ${bar.device} ${bar.index}`,
      rule: 'misaligned',
      severity: 'note',
      title: `${barName(bar)} (${formatSize(sizeOf(bar))}) is not aligned to pages of ${formatSize(pageSize)}`,
      message: `${describeRange(bar)}: mappings consist of whole pages, ${formatSize(pageSize)} each. QEMU does not map such a BAR, so peer-to-peer DMA does not reach it. A VMM that maps it anyway is refused, and may exit.`,
      ...refusedBy('map-unaligned'),
      remedy: `${USUALLY_HARMLESS} If devices need it, or the VMM exits, use a host kernel with smaller pages.`,
      marks: [markOf('requested', bar, barName(bar))],
      provenance: bar.provenance,
    },
  ];
}

function contradictions(host: Host): Conflict[] {
  return host.contradictions.map(({ about, message, provenance }, index) => ({
    id: `contradiction ${index} ${about}`,
    rule: 'contradiction',
    severity: 'warning',
    title: `Sources disagree about ${about}`,
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}. Both are shown.`,
    remedy: 'Check whether the dumps are from the same host and the same boot; open them separately if not.',
    marks: [],
    provenance,
  }));
}

/** Everything that is wrong with the host and the selected groups. `pageSize` in bytes, a power of two. */
export function deviceConflicts(space: CommonSpace, pageSize: bigint, focus?: DeviceFocus): Conflict[] {
  const { host, groups } = space;
  return [
    ...ineligible(host, groups, focus),
    ...unreservedFirmware(host),
    ...msiConflicts(space),
    ...barConflicts(space, pageSize),
    ...contradictions(host),
  ];
}
