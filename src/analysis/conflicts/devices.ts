// What is wrong with the devices and groups of a host, whatever guest is to run: firmware regions, BARs, contradictions.
import { formatSize } from '../../iova/format.ts';
import { isAligned, overlaps, sizeOf } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import { type Bar, type Group, groupTitle, type Host, type Region } from '../host/host.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type Conflict, describeRange, joinNames, markOf, partPlaces, plainRange, refusedBy } from './conflict.ts';
import { msiConflicts } from './msi.ts';

const DIRECT_REMEDY =
  'Look for a firmware setting that releases the region (legacy USB, management engine, RAID controller), or assign another device.';
const USUALLY_HARMLESS = 'Usually none is needed: only peer-to-peer DMA uses this mapping.';

/** The kernel and the IOMMU driver of a host: they decide which variant of a rule holds. */
function ruleContext({ about, iommus }: Host) {
  const drivers = new Set(iommus.map(({ driver }) => driver).filter((driver) => driver !== 'unknown'));
  const [driver] = drivers;
  return { kernel: about.kernel, driver: drivers.size === 1 ? driver : undefined };
}

/** Devices that the kernel refused to assign, and groups that it will refuse, because firmware uses their memory. */
function ineligible(host: Host, groups: readonly Group[]): Conflict[] {
  const found: Conflict[] = [];
  const reported = new Set<string>();
  for (const entry of host.ineligible) {
    const group = host.groups.find((g) => g.devices.includes(entry.device));
    if (group) reported.add(group.key);
    found.push(ineligibleDevice(host, group, entry));
  }
  for (const group of groups) {
    const direct = group.regions.filter((region) => region.type === 'direct');
    if (direct.length > 0 && group.group !== undefined && !reported.has(group.key)) {
      found.push(directGroup(host, group, direct));
    }
  }
  return found;
}

function ineligibleDevice(
  host: Host,
  group: Group | undefined,
  { device, reason, provenance }: Host['ineligible'][number],
): Conflict {
  const listed = group?.regions.filter((region) => region.type === 'direct') ?? [];
  const own = host.firmwareRegions.filter(
    (r) => r.device === device && !group?.regions.some((known) => known.start === r.start),
  );
  const regions = [...listed, ...own];
  // Firmware regions without a device may be the ones.
  const possible = regions.length > 0 ? [] : host.firmwareRegions.filter((r) => r.device === undefined);
  const shown = [...regions, ...possible];
  const where =
    regions.length > 0
      ? `The region is ${joinNames(regions.map(plainRange))}.`
      : possible.length > 0
        ? `The log does not say which region; these dumps have ${joinNames(possible.map(plainRange))}.`
        : 'These dumps do not contain the region: the kernel log ("RMRR base") and the ACPI tables do.';
  return {
    id: `device-ineligible ${device}`,
    rule: 'device-ineligible',
    severity: 'fatal',
    title: `${device} cannot be assigned: firmware requires memory to be mapped for it`,
    message: `The kernel reported: ${reason}. ${where}`,
    ...refusedBy('attach-direct-region', { ...ruleContext(host), log: reason }),
    remedy: DIRECT_REMEDY,
    marks: shown.map((region) => markOf('obstacle', region, `mapped one to one for ${device}`)),
    provenance: [...provenance, ...shown.flatMap((r) => r.provenance)],
  };
}

/** A group whose devices cannot be assigned because of a `direct` region of one of them. */
function directGroup(host: Host, group: Group, direct: readonly Region[]): Conflict {
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
    `${title} has the direct region ${joinNames(direct.map(plainRange))}: firmware requires this memory to be mapped one to one at all times.`,
    holders.length > 0 ? `It belongs to ${joinNames(holders)}.` : '',
    sharing,
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
  };
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
        title: `The firmware memory map does not reserve the firmware region ${plainRange(region)}`,
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
  const { cut, problem, place, bits } = limit;
  const limited =
    bits === undefined ? '' : `: limit the guest to phys-bits=${bits}, or set the 64-bit MMIO window of the firmware`;
  return {
    id: `bar-beyond-aperture ${bar.device} ${bar.index}`,
    rule: 'bar-beyond-aperture',
    severity: 'note',
    title: `${barName(bar)} ${problem}`,
    message: `${describeRange(bar)} is outside the aperture. If a guest or the firmware places the BAR at this address, it cannot be mapped for peer-to-peer DMA; everything else works.`,
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
    title: `${barName(bar)} overlaps the ${kind} ${plainRange(region)}`,
    message: `${describeRange(bar)} cannot be mapped there: peer-to-peer DMA does not reach it.`,
    ...refusedBy('map-over-reserved'),
    remedy: `${USUALLY_HARMLESS} If devices need it, move the BAR.`,
    marks: [markOf('requested', bar, barName(bar)), markOf('obstacle', region, region.type)],
    provenance: [...bar.provenance, ...partPlaces(region)],
  };
}

/** A BAR that is not aligned to pages, where pages are larger than 4 KiB, for which BARs are made. */
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
export function deviceConflicts(space: CommonSpace, pageSize: bigint): Conflict[] {
  const { host, groups } = space;
  return [
    ...ineligible(host, groups),
    ...unreservedFirmware(host),
    ...msiConflicts(space),
    ...barConflicts(space, pageSize),
    ...contradictions(host),
  ];
}
