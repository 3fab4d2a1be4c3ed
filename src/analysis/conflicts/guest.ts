// A guest's memory over what a host cannot map.
import { formatSize, hex } from '../../iova/format.ts';
import { alignDown, alignUp, bitLength } from '../../iova/iova.ts';
import { type IovaRange, intersection, isAligned, overlaps, sizeOf } from '../../iova/range.ts';
import { complement, intersect, type RangeSet } from '../../iova/range-set.ts';
import { isGuestDeviceMemory, isGuestMemory, type LayoutRange } from '../guest/layout.ts';
import { fittingSizes, MACHINES, type Machine, sizesInWords } from '../guest/layouts.ts';
import { HYPERTRANSPORT } from '../guest/pc.ts';
import type { Provenance } from '../host/host.ts';
import { meaningOf } from '../host/region-types.ts';
import { beyondApertures, type CommonSpace } from '../space/common-space.ts';
import { findPlaces } from '../space/fit.ts';
import { type Conflict, describeRange, joinNames } from './conflict.ts';

/** A guest to be tried on a host. */
export interface GuestLayout {
  /** For people: `q35, 8 GiB`, a dump's name. */
  readonly title: string;
  readonly ranges: readonly (LayoutRange & { readonly provenance?: readonly Provenance[] })[];
  /** Where the layout is that of a machine: which, and its RAM in bytes. */
  readonly machine?: { readonly machine: Machine; readonly ram: bigint } | undefined;
}

const MAP_RULE = 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_map_pages';

/** What no mapping may lie over: everything that is not usable. */
export function blockedOf(space: CommonSpace): RangeSet {
  return complement(space.usable);
}

/** The other machine that puts its memory around HyperTransport's range, for those that do not. */
function relocating(machine: Machine): Machine | undefined {
  if (machine.name === 'q35') return MACHINES['q35-amd'];
  if (machine.name === 'pc') return MACHINES['pc-amd'];
  return undefined;
}

/** What would avoid that the guest's memory meets an obstacle. */
function remedy(space: CommonSpace, guest: GuestLayout, range: IovaRange, obstacle: IovaRange): string {
  const message: string[] = [];
  const blocked = blockedOf(space);
  if (guest.machine) {
    const { machine, ram } = guest.machine;
    message.push(`RAM of ${machine.name} that fits here: ${sizesInWords(fittingSizes(machine, blocked))}.`);
    const other = overlaps(obstacle, HYPERTRANSPORT) ? relocating(machine) : undefined;
    if (other) {
      const top = other.layout(ram).at(-1);
      const bits = top ? bitLength(top.last) : 0;
      const works = fittingSizes(other, blocked).some(({ min, max }) => min <= ram && ram <= max);
      message.push(
        works
          ? `QEMU 7.1 and later on an AMD host puts the memory above 1 TiB instead (${other.name}): that fits, and needs phys-bits=${bits} or more.`
          : `QEMU 7.1 and later on an AMD host puts the memory above 1 TiB instead (${other.name}), but that does not fit here either.`,
      );
    }
  } else {
    const size = sizeOf(range);
    const { places, largest } = findPlaces(space.usable, { size, alignment: 0x20_0000n });
    const place = places[0];
    if (place) message.push(`A range of this size would fit at ${hex(place.first)}.`);
    else if (largest)
      message.push(`No place is large enough; the largest takes ${formatSize(largest.size)} at ${hex(largest.start)}.`);
    else message.push('No place is left at all.');
  }
  return message.join(' ');
}

/** The conflicts of a guest's memory with the space that the ticked groups share. */
export function guestConflicts(space: CommonSpace, guest: GuestLayout, pageSize: bigint): Conflict[] {
  const found: Conflict[] = [];
  const beyond = beyondApertures(space.apertures);
  for (const range of guest.ranges) {
    const isDevice = isGuestDeviceMemory(range.type);
    if (!isDevice && !isGuestMemory(range.type)) continue;
    const what = isDevice ? `device memory “${range.name}”` : `guest memory “${range.name}”`;
    const severity = isDevice ? ('note' as const) : ('fatal' as const);
    const requested = {
      start: range.start,
      last: range.last,
      role: 'requested' as const,
      message: `${guest.title}: ${range.name}`,
    };
    const consequence = isDevice
      ? 'Only DMA from device to device needs this mapping: monitors warn and go on.'
      : 'A monitor maps all of the guest’s memory, so the device does not start.';
    const provenance = range.provenance ?? [];
    for (const region of space.reserved) {
      const cut = meaningOf(region.type).blocksMappings ? intersection(region, range) : undefined;
      if (!cut) continue;
      const owners = joinNames([...new Set(region.parts.map((part) => part.owner))]);
      const { title } = meaningOf(region.type);
      const kind = region.type === 'msi' ? 'MSI window' : 'reserved region';
      found.push({
        id: `guest-over-reserved ${range.start}-${range.last} ${region.start}-${region.last} ${region.type}`,
        rule: 'guest-over-reserved',
        severity,
        title: `${what} lies over the ${kind} ${hex(region.start)}-${hex(region.last)}${region.type === 'msi' ? '' : ` (${region.type})`}`,
        message: `${describeRange(range)} is to be mapped, but ${describeRange(cut)} of it is ${title} of ${owners}: no mapping may overlap it. ${consequence}`,
        errno: 'EINVAL',
        source: MAP_RULE,
        remedy: [
          remedy(space, guest, range, region),
          region.type === 'direct' ? `A device of ${owners} cannot be assigned anyway: leave it out.` : '',
        ]
          .join(' ')
          .trim(),
        marks: [
          requested,
          { start: region.start, last: region.last, role: 'obstacle', message: `${title} of ${owners}` },
        ],
        provenance: [...provenance, ...region.parts.flatMap((part) => part.provenance)],
      });
    }
    for (const outside of beyond) {
      const cut = intersection(outside, range);
      if (!cut) continue;
      const has = bitLength(outside.start > 0n ? outside.start - 1n : 0n);
      const needs = bitLength(range.last);
      const names = joinNames(space.apertures.map(({ message }) => message));
      found.push({
        id: `guest-beyond-aperture ${range.start}-${range.last} ${outside.start}`,
        rule: 'guest-beyond-aperture',
        severity,
        title: `${what} needs ${needs} bits, the IOMMU has ${has}`,
        message: `${describeRange(cut)} of ${describeRange(range)} lies outside the aperture (${names}). ${consequence}`,
        errno: 'EINVAL',
        source: MAP_RULE,
        remedy: [
          remedy(space, guest, range, outside),
          isDevice
            ? `Place BARs below ${hex(outside.start)}: limit the guest’s phys-bits to ${has}, so that its firmware does.`
            : '',
        ]
          .join(' ')
          .trim(),
        marks: [requested, { ...cut, role: 'obstacle', message: 'outside the aperture' }],
        provenance: [...provenance, ...space.apertures.flatMap((aperture) => aperture.provenance)],
      });
    }
    found.push(...misaligned(guest, range, pageSize, what, provenance));
  }
  return found;
}

/** The conflicts of a guest's memory with a list of ranges that a kernel, or a model of one, accepts. */
export function outsideConflicts(
  space: string,
  usable: RangeSet,
  places: readonly Provenance[],
  guest: GuestLayout,
): Conflict[] {
  return guest.ranges.flatMap((range): Conflict[] => {
    const isDevice = isGuestDeviceMemory(range.type);
    if (!isDevice && !isGuestMemory(range.type)) return [];
    const outside = intersect(complement(usable), [range]);
    if (outside.length === 0) return [];
    const blocked = complement(usable);
    const { machine } = guest;
    return [
      {
        id: `guest-outside-ranges ${space} ${range.start}-${range.last}`,
        rule: 'guest-outside-ranges',
        severity: isDevice ? 'note' : 'fatal',
        title: `${isDevice ? 'device memory' : 'guest memory'} “${range.name}” is not inside the valid ranges of ${space}`,
        message: `Of ${describeRange(range)} ${joinNames(outside.map(describeRange))} cannot be mapped.`,
        errno: 'EINVAL',
        source: MAP_RULE,
        remedy: machine
          ? `RAM of ${machine.machine.name} that fits here: ${sizesInWords(fittingSizes(machine.machine, blocked))}.`
          : 'Move it into one of the ranges.',
        marks: [
          { start: range.start, last: range.last, role: 'requested', message: `${guest.title}: ${range.name}` },
          ...outside.slice(0, 3).map((r) => ({ ...r, role: 'obstacle' as const, message: `not valid in ${space}` })),
        ],
        provenance: [...(range.provenance ?? []), ...places.slice(0, 3)],
      },
    ];
  });
}

/** A range whose ends are not on pages of the IOMMU. */
function misaligned(
  guest: GuestLayout,
  range: LayoutRange,
  pageSize: bigint,
  what: string,
  provenance: readonly Provenance[],
): Conflict[] {
  if (isAligned(range, pageSize)) return [];
  const first = alignUp(range.start, pageSize);
  const end = alignDown(range.last + 1n, pageSize);
  const left =
    end > first
      ? `Only ${hex(first)}-${hex(end - 1n)} can be mapped.`
      : 'No whole page is inside: nothing of it can be mapped.';
  return [
    {
      id: `misaligned ${range.start}-${range.last}`,
      rule: 'misaligned',
      severity: end > first && isGuestMemory(range.type) ? 'warning' : 'note',
      title: `${what} does not end on pages of ${formatSize(pageSize)}`,
      message: `${describeRange(range)}: a mapping is made of whole pages of the IOMMU, ${formatSize(pageSize)} each. ${left}`,
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_dma_do_map; monitors round inwards before they ask',
      remedy: `Align it to ${formatSize(pageSize)}, or use a host kernel with smaller pages.`,
      marks: [{ start: range.start, last: range.last, role: 'requested', message: `${guest.title}: ${range.name}` }],
      provenance,
    },
  ];
}
