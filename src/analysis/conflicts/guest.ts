// Finds guest memory that overlaps ranges that a host cannot map.
import { formatExactSize, formatSize, hex, hexRange } from '../../iova/format.ts';
import { alignDown, alignUp, bitLength } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection, isAligned, overlaps } from '../../iova/range.ts';
import { complement, intersect, overlapsSet, type RangeSet, subtract } from '../../iova/range-set.ts';
import type { RequestApi } from '../../kernel/rule-book.ts';
import { HYPERTRANSPORT_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { type GuestDefinition, type GuestMemory, layoutOf } from '../guest/guest-memory.ts';
import { FOUR_GIB, GIB, isGuestDeviceMemory, isGuestMemory, type LayoutRange, MIB } from '../guest/layout.ts';
import { fittingSizes, MACHINES, type Machine, sizesLabel } from '../guest/layouts.ts';
import { isAtLeast, machineType } from '../guest/machine-type.ts';
import { refusesDirectRegions } from '../host/direct-regions.ts';
import { type Group, kernelOf, type Provenance } from '../host/host.ts';
import { likelyObstacles } from '../host/platform-ranges.ts';
import { architectureOf } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits, assumptionClause, assumptionSentence } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import {
  type Conflict,
  type ConflictMark,
  describeRange,
  joinGroups,
  joinNames,
  markOf,
  onKernel,
  ownersOf,
  partPlaces,
  type Remedy,
  refusedBy,
  sizedRange,
} from './conflict.ts';
import { hostPhysBitsText, machineVersionText, maxRamBelow4gText, ramText } from './fix-text.ts';
import { isIsaRegion } from './isa-bridge.ts';
import { suggestPlace } from './other-place.ts';
import { regionClause } from './region-clause.ts';

/** A guest to be tried on a host. */
export interface GuestLayout {
  /** For display: `q35, 8 GiB`, or the name of a dump. */
  readonly title: string;
  readonly ranges: readonly (LayoutRange & { readonly provenance?: readonly Provenance[] })[];
  /** For the layout of a machine: which one, and its RAM in bytes. */
  readonly machine?: { readonly machine: Machine; readonly ram: bigint } | undefined;
  /** The guest's own definition, if there is one. */
  readonly definition?: GuestDefinition | undefined;
  /** Where the definition was read. */
  readonly provenance?: readonly Provenance[] | undefined;
  /** Why the VMM would not start it. */
  readonly refusal?: string | undefined;
  /** What had to be assumed about its layout, and what was wrong with its definition. */
  readonly notes?: readonly { readonly code: string; readonly message: string }[] | undefined;
}

/** A guest to be tried, from its definition. */
export function guestOfMemory(
  { title, ranges, machine, ram, refusal, notes }: GuestMemory,
  definition: GuestDefinition,
  provenance: readonly Provenance[] = [],
  problems: NonNullable<GuestLayout['notes']> = [],
): GuestLayout {
  return {
    title,
    ranges: ranges.map((range) => ({ ...range, provenance })),
    machine: { machine, ram },
    definition,
    provenance,
    refusal,
    notes: [...problems, ...notes],
  };
}

const blockedSets = new WeakMap<RangeSet, RangeSet>();

/** Ranges that no mapping may overlap: everything that is not usable. The same array for the same `usable`. */
export function blockedOf({ usable }: Pick<CommonSpace, 'usable'>): RangeSet {
  const blocked = blockedSets.get(usable) ?? complement(usable);
  blockedSets.set(usable, blocked);
  return blocked;
}

/** A range of a guest that a VMM maps for DMA. */
interface MappedRange {
  readonly range: GuestLayout['ranges'][number];
  /** `Guest memory "pc.ram"`. */
  readonly what: string;
  readonly isDevice: boolean;
  readonly severity: 'fatal' | 'note';
  readonly consequence: string;
  readonly mark: ConflictMark;
  readonly provenance: readonly Provenance[];
}

/** The ranges of a guest that are mapped for DMA: memory, and the memory of devices. */
function mappedRanges(guest: GuestLayout): MappedRange[] {
  return guest.ranges
    .filter(({ type }) => isGuestDeviceMemory(type) || isGuestMemory(type))
    .map((range) => {
      const isDevice = isGuestDeviceMemory(range.type);
      return {
        range,
        what: `${isDevice ? 'Device memory' : 'Guest memory'} "${range.name}"`,
        isDevice,
        severity: isDevice ? 'note' : 'fatal',
        consequence: isDevice
          ? 'Only peer-to-peer DMA needs this mapping: the VMM prints a warning and continues.'
          : 'The VMM maps all guest memory, so the guest does not start with an assigned device.',
        mark: markOf('requested', range, `${guest.title}: ${range.name}`),
        provenance: range.provenance ?? [],
      };
    });
}

/** The kind of memory, for a heading. */
const memoryWord = ({ isDevice }: Pick<MappedRange, 'isDevice'>): string =>
  isDevice ? 'device memory' : 'guest memory';

/** For a machine that does not move its memory above the HyperTransport range, the one that does. */
function relocating(machine: Machine): Machine | undefined {
  if (machine.name === 'q35') return MACHINES['q35-amd'];
  if (machine.name === 'pc') return MACHINES['pc-amd'];
  return undefined;
}

/** How to avoid an obstacle: the RAM sizes that fit, or where a range of this size would fit. */
function remedyFor(space: CommonSpace, guest: GuestLayout, range: IovaRange, obstacle: IovaRange): string {
  if (!guest.machine) return suggestPlace(space, range);
  const { machine, ram } = guest.machine;
  const blocked = blockedOf(space);
  const sizes = `RAM sizes of ${machine.name} that fit: ${sizesLabel(fittingSizes(machine, blocked))}.`;
  const other = overlaps(obstacle, HYPERTRANSPORT_RANGE) ? relocating(machine) : undefined;
  if (!other) return sizes;
  const top = other.layout(ram).at(-1);
  const bits = top ? bitLength(top.last) : 0;
  const fits = fittingSizes(other, blocked).some(({ min, max }) => min <= ram && ram <= max);
  const outcome = fits ? `that fits and needs phys-bits=${bits} or more` : 'that does not fit on this host either';
  return `${sizes} On AMD hosts QEMU 7.1 and later moves this memory above 1 TiB (${other.name}): ${outcome}.`;
}

/** A size as people type it: whole MiB, followed by larger units if that is easier to read. */
export function typedSize(bytes: bigint): string {
  const mib = bytes / MIB;
  return mib < 1024n || mib % 1024n === 0n ? formatExactSize(mib * MIB) : `${mib} MiB (${formatSize(mib * MIB)})`;
}

/** The guest with a changed definition, if all of its memory then fits. */
function changed(space: CommonSpace, { definition }: GuestLayout, change: Partial<GuestDefinition>) {
  if (!definition) return undefined;
  const result = layoutOf({ ...definition, ...change });
  if (!result.ok) return undefined;
  const blocked = blockedOf(space);
  const isBlocked = result.memory.ranges.some((range) => isGuestMemory(range.type) && overlapsSet(blocked, range));
  return isBlocked ? undefined : result.memory;
}

/** How to move RAM above 1 TiB in a definition: the machine version decides, and the CPU's address width. */
function relocationOf(space: CommonSpace, guest: GuestLayout): Remedy[] {
  const { definition } = guest;
  if (!definition) return [];
  const own = machineType(definition.machine);
  if (own?.kind !== 'q35' && own?.kind !== 'pc') return [];
  const name = own.kind === 'q35' ? 'pc-q35-7.1' : 'pc-i440fx-7.1';
  const isOld = own.version !== undefined && !isAtLeast(own.version, 7, 1);
  const moved = changed(space, guest, { vendor: 'amd', ...(isOld ? { machine: name } : {}), phys_bits: undefined });
  if (!moved) return [];
  const bits = bitLength(moved.lastUsed);
  if (isOld) {
    return [
      {
        text: `Use machine version 7.1 or newer: QEMU then moves RAM above 1 TiB (needs ${bits} phys-bits)`,
        ...machineVersionText(definition, '7.1'),
      },
    ];
  }
  // The RAM moves if the guest's CPU is an AMD one.
  return [
    {
      text: `Give the guest the CPU of the host (AMD): QEMU 7.1 and newer then moves RAM above 1 TiB (needs ${bits} phys-bits)`,
      ...hostPhysBitsText({ ...definition, cpu: 'host' }),
    },
  ];
}

/** Limits the RAM below 4 GiB, so that it ends before an obstacle there. */
function lessLowRam(space: CommonSpace, guest: GuestLayout, obstacle: IovaRange): Remedy[] {
  const { definition } = guest;
  if (!definition || obstacle.start >= FOUR_GIB || obstacle.start < MIB) return [];
  const kind = machineType(definition.machine)?.kind;
  if (kind !== 'q35' && kind !== 'pc') return [];
  for (const unit of [GIB, 256n * MIB, MIB]) {
    const size = alignDown(obstacle.start, unit);
    if (size === 0n) continue;
    const options = { ...definition.options, 'max-ram-below-4g': `${size / MIB}M` };
    if (!changed(space, guest, { options })) continue;
    return [
      {
        text: `Keep the RAM below 4 GiB under ${formatExactSize(size)} (the rest goes above 4 GiB)`,
        ...maxRamBelow4gText(definition, size),
      },
    ];
  }
  return [];
}

interface OwnedRegion {
  readonly start: bigint;
  readonly last: bigint;
  /** Index in the groups of the space. */
  readonly group: number;
  /** The highest last address of this and all regions before it. */
  readonly reach: bigint;
}
const regionsByStart = new WeakMap<CommonSpace['groups'], readonly OwnedRegion[]>();

/** The regions of all groups, ascending by start. */
function ownedRegions(groups: CommonSpace['groups']): readonly OwnedRegion[] {
  const known = regionsByStart.get(groups);
  if (known) return known;
  let reach = -1n;
  const sorted = groups
    .flatMap(({ regions }, group) => regions.map(({ start, last }) => ({ start, last, group })))
    .sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
    .map((region) => {
      if (region.last > reach) reach = region.last;
      return { ...region, reach };
    });
  regionsByStart.set(groups, sorted);
  return sorted;
}

/** The groups with a region that overlaps the range, in order. O(log n + matches). */
function groupsWithRegions({ groups }: CommonSpace, range: IovaRange): Group[] {
  const regions = ownedRegions(groups);
  let low = 0;
  let high = regions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((regions[middle]?.start ?? 0n) <= range.last) low = middle + 1;
    else high = middle;
  }
  const found = new Set<number>();
  for (let at = low - 1; at >= 0; at--) {
    const region = regions[at];
    if (!region || region.reach < range.start) break;
    if (region.last >= range.start) found.add(region.group);
  }
  return [...found].sort((a, b) => a - b).flatMap((index) => groups[index] ?? []);
}

/** Changes to the guest or the selection: the largest RAM that fits below the obstacle, another machine, fewer groups. */
export function remediesFor(space: CommonSpace, guest: GuestLayout, obstacle: IovaRange): Remedy[] {
  const remedies: Remedy[] = lessLowRam(space, guest, obstacle);
  if (guest.machine) {
    const { machine, ram } = guest.machine;
    const blocked = blockedOf(space);
    const other = overlaps(obstacle, HYPERTRANSPORT_RANGE) ? relocating(machine) : undefined;
    if (other && fittingSizes(other, blocked).some(({ min, max }) => min <= ram && ram <= max)) {
      const bits = bitLength(other.lastUsed(ram));
      remedies.push(
        { text: `Move RAM above 1 TiB (QEMU 7.1 or newer, needs ${bits} phys-bits)`, action: { kind: 'relocate' } },
        { text: `Try ${other.name}`, action: { kind: 'machine', name: other.name } },
      );
    }
    const below = fittingSizes(machine, blocked).findLast(({ min }) => min <= ram);
    if (overlaps(obstacle, HYPERTRANSPORT_RANGE)) remedies.push(...relocationOf(space, guest));
    const size = below === undefined ? 0n : (below.max / MIB) * MIB;
    if (below && size >= below.min) {
      remedies.push({
        text: `Set RAM to ${typedSize(size)}`,
        action: { kind: 'set-ram', ram: size },
        ...ramText(guest.definition, size),
      });
    }
  }
  const owners = groupsWithRegions(space, obstacle);
  const names = owners.flatMap(({ group }) => group ?? []);
  if (names.length > 0 && names.length === owners.length && owners.length < space.groups.length) {
    remedies.push({
      text: `Leave out ${joinGroups(names)}`,
      action: { kind: 'leave-out-groups', groups: names },
    });
  }
  return remedies;
}

/** The answer that a guest does not fit, with the reason and the first remedy. */
function guestAnswer(
  { host }: CommonSpace,
  guest: GuestLayout,
  { range, isDevice, what }: MappedRange,
  cause: string,
  { errno, source }: Pick<Conflict, 'errno' | 'source'>,
  remedies: readonly Remedy[],
): string {
  const refusal = errno === undefined ? '' : ` (${errno}${onKernel(kernelOf(host), source)})`;
  if (isDevice) {
    return `${what} ${sizedRange(range)} of ${guest.title} cannot be mapped${refusal}: it ${cause}. The guest runs, but peer-to-peer DMA to it will not work.`;
  }
  const [fix, ...others] = remedies;
  const other = others.find(({ action }) => action?.kind === 'set-ram' || action?.kind === 'leave-out-groups');
  const alternative = other ? `, or ${lower(other.text)}` : '';
  const fixed = fix === undefined ? '' : ` ${fix.text}${alternative}.`;
  const clause = `its RAM ${sizedRange(range)} ("${range.name}") ${cause}${refusal}`;
  return `${guest.title} does not fit: ${clause}.${fixed}`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const sentences = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ');

/** The conflicts of a guest's memory with the space that the selected groups share. `pageSize` in bytes. */
export function guestConflicts(space: CommonSpace, guest: GuestLayout, pageSize: bigint): Conflict[] {
  return mappedRanges(guest).flatMap((mapped) => [
    ...overReserved(space, guest, mapped),
    ...beyondAperture(space, guest, mapped),
    ...overPlatformRange(space, guest, mapped),
    ...misaligned(mapped, pageSize),
  ]);
}

function overReserved(space: CommonSpace, guest: GuestLayout, mapped: MappedRange): Conflict[] {
  const { range, what, severity, consequence, mark, provenance } = mapped;
  return space.reserved.flatMap((region): Conflict[] => {
    const { title, blocksMappings } = meaningOf(region.type);
    const cut = blocksMappings ? intersection(region, range) : undefined;
    if (!cut) return [];
    const owners = ownersOf(region);
    const refusal = refusedBy('map-over-reserved', { kernel: kernelOf(space.host) });
    // No RAM size helps with a region for which the kernel refuses the whole group.
    const isRefusedGroup = region.type === 'direct' && !isIsaRegion(region) && refusesDirectRegions(space.host);
    const remedies = isRefusedGroup ? [] : remediesFor(space, guest, region);
    const verb = containsRange(range, region) ? 'covers' : 'overlaps';
    const cause = `${verb} ${regionClause(space, region)}`;
    const kind =
      region.type === 'msi' ? `MSI window ${hexRange(region)}` : `reserved region ${hexRange(region)} (${region.type})`;
    return [
      {
        id: `guest-over-reserved ${range.start}-${range.last} ${region.start}-${region.last} ${region.type}`,
        rule: 'guest-over-reserved',
        severity,
        title: `${what} overlaps the ${kind}`,
        message: `${describeRange(cut)} of ${describeRange(range)} is ${title} of ${owners}: no mapping may overlap it. ${consequence}`,
        ...refusal,
        remedy: isRefusedGroup
          ? `Devices of ${owners} cannot be assigned, regardless of the RAM size: exclude ${owners}.`
          : remedyFor(space, guest, range, region),
        marks: [mark, markOf('obstacle', region, `${title} of ${owners}`)],
        provenance: [...provenance, ...partPlaces(region)],
        answer: guestAnswer(space, guest, mapped, cause, refusal, remedies),
        remedies,
        kind: `guest ${guest.title} over ${region.type} ${severity}`,
        kindLabel: { unit: 'overlap', text: `${memoryWord(mapped)} over ${title}` },
      },
    ];
  });
}

/** Overlaps with ranges that the platform reserves, if the dumps list no regions but show the platform. */
function overPlatformRange(space: CommonSpace, guest: GuestLayout, mapped: MappedRange): Conflict[] {
  const { range, what, severity, consequence, mark, provenance } = mapped;
  if (architectureOf(space.host) === undefined) return [];
  return (
    likelyObstacles(space.host, range)
      // Other x86 hosts have no such range.
      .filter(({ platform }) => platform !== 'AMD' || space.host.iommus.some(({ driver }) => driver === 'amd'))
      .map((obstacle) => {
        const refusal = refusedBy('map-over-reserved', { kernel: kernelOf(space.host) });
        const usable = subtract(space.usable, [obstacle]);
        const remedies = remediesFor({ ...space, usable }, guest, obstacle);
        const cause = `${containsRange(range, obstacle) ? 'covers' : 'overlaps'} ${hexRange(obstacle)}, ${obstacle.message} (not listed in these dumps)`;
        return {
          id: `guest-over-reserved ${range.start}-${range.last} ${obstacle.start}-${obstacle.last} platform`,
          rule: 'guest-over-reserved',
          severity,
          title: `${what} overlaps ${obstacle.message}, ${hexRange(obstacle)}`,
          message: `These dumps do not list the reserved regions of the host. On ${obstacle.platform}, ${describeRange(obstacle)} is ${obstacle.message}: no mapping may overlap it. ${consequence}`,
          ...refusal,
          remedy: sentences(
            remedyFor({ ...space, usable }, guest, range, obstacle),
            "Add the host's reserved_regions to confirm this.",
          ),
          marks: [mark, markOf('obstacle', obstacle, obstacle.message)],
          provenance,
          answer: guestAnswer(space, guest, mapped, cause, refusal, remedies),
          remedies,
          kind: `guest ${guest.title} over platform range ${severity}`,
          kindLabel: { unit: 'overlap', text: `${memoryWord(mapped)} over ranges that the platform reserves` },
        };
      })
  );
}

function beyondAperture(space: CommonSpace, guest: GuestLayout, mapped: MappedRange): Conflict[] {
  const { range, what, isDevice, severity, consequence, mark, provenance } = mapped;
  const names = joinNames(space.apertures.map(({ message }) => message));
  return apertureLimits(space.apertures, range).map((limit) => {
    const { outside, cut, problem, place, bits, assumed } = limit;
    const limited = bits === undefined ? '' : `, for example by limiting the guest to phys-bits=${bits}`;
    const refusal = refusedBy('map-beyond-aperture', { kernel: kernelOf(space.host) });
    const remedies = isDevice ? [] : remediesFor(space, guest, outside);
    const end = bits === undefined ? '' : ` (up to ${hex((1n << BigInt(bits)) - 1n)})`;
    return {
      id: `guest-beyond-aperture ${range.start}-${range.last} ${outside.start}`,
      rule: 'guest-beyond-aperture',
      severity,
      title: `${what} ${problem}`,
      message: `${describeRange(cut)} of ${describeRange(range)} is outside the aperture (${names}).${assumptionSentence(assumed)} ${consequence}`,
      ...refusal,
      remedy: sentences(
        remedyFor(space, guest, range, outside),
        isDevice && place !== undefined ? `Place BARs ${place}${limited}.` : '',
      ),
      marks: [mark, markOf('obstacle', cut, 'outside the aperture')],
      provenance: [...provenance, ...limit.provenance],
      answer: guestAnswer(space, guest, mapped, `${problem}${end}${assumptionClause(assumed)}`, refusal, remedies),
      remedies,
      kind: `guest ${guest.title} beyond aperture ${severity}`,
      kindLabel: { unit: 'range', text: `${memoryWord(mapped)} outside the aperture` },
    };
  });
}

/** A range whose ends are not aligned to pages of the IOMMU. */
function misaligned({ range, what, mark, provenance }: MappedRange, pageSize: bigint): Conflict[] {
  if (isAligned(range, pageSize)) return [];
  const first = alignUp(range.start, pageSize);
  const end = alignDown(range.last + 1n, pageSize);
  const hasWholePage = end > first;
  const rest = hasWholePage
    ? `Only ${hex(first)}-${hex(end - 1n)} can be mapped.`
    : 'It contains no whole page: nothing of it can be mapped.';
  return [
    {
      id: `misaligned ${range.start}-${range.last}`,
      rule: 'misaligned',
      severity: hasWholePage && isGuestMemory(range.type) ? 'warning' : 'note',
      title: `${what} is not aligned to pages of ${formatSize(pageSize)}`,
      message: `${describeRange(range)}: mappings consist of whole IOMMU pages, ${formatSize(pageSize)} each. ${rest} Most VMMs round inwards before they map.`,
      ...refusedBy('map-unaligned'),
      remedy: `Align it to ${formatSize(pageSize)}, or use a host kernel with smaller pages.`,
      marks: [mark],
      provenance,
      kind: `misaligned ${what.startsWith('Device') ? 'device' : 'memory'}`,
      kindLabel: { unit: 'range', text: `not aligned to pages of ${formatSize(pageSize)}` },
    },
  ];
}

/** A space whose mappable ranges are known, but not the reasons for their gaps. */
export interface ListedSpace {
  /** Name of the container or IOAS. */
  readonly name: string;
  readonly usable: RangeSet;
  /** Where the ranges come from. */
  readonly provenance: readonly Provenance[];
  /** If absent, the rules of both interfaces are quoted. */
  readonly api?: RequestApi | undefined;
}

/** The conflicts of a guest's memory with the ranges that a kernel, or a model of one, accepts. */
export function outsideConflicts({ name, usable, provenance, api }: ListedSpace, guest: GuestLayout): Conflict[] {
  const blocked = complement(usable);
  const { machine } = guest;
  return mappedRanges(guest).flatMap(
    ({ range, what, isDevice, severity, consequence, mark, provenance: places }): Conflict[] => {
      const outside = intersect(blocked, [range]);
      if (outside.length === 0) return [];
      return [
        {
          id: `guest-outside-ranges ${name} ${range.start}-${range.last}`,
          rule: 'guest-outside-ranges',
          severity,
          title: `${what} is not inside the valid ranges of ${name}`,
          message: `${joinNames(outside.map(describeRange))} of ${describeRange(range)} cannot be mapped. ${consequence}`,
          ...refusedBy('map-over-reserved', { api }),
          remedy: machine
            ? `RAM sizes of ${machine.machine.name} that fit: ${sizesLabel(fittingSizes(machine.machine, blocked))}.`
            : 'Move it into one of the valid ranges.',
          marks: [mark, ...outside.slice(0, 3).map((r) => markOf('obstacle', r, `not valid in ${name}`))],
          provenance: [...places, ...provenance.slice(0, 3)],
          kind: `guest ${guest.title} outside ${name} ${severity}`,
          kindLabel: { unit: 'range', text: `${memoryWord({ isDevice })} outside the valid ranges of ${name}` },
        },
      ];
    },
  );
}
