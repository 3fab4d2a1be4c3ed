// "What if these groups share one address space?": what they reserve together, and what remains usable.
import { counted } from '../../iova/format.ts';
import type { Iova } from '../../iova/iova.ts';
import { compareRanges, type IovaRange, rangesEqual, WHOLE_SPACE } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import { DEFAULT_SW_MSI_WINDOW, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import {
  type Aperture,
  compareNames,
  type Group,
  groupTitle,
  type Host,
  type Provenance,
  type ValidRange,
} from '../host/host.ts';
import { meaningOf } from '../host/region-types.ts';

/** A range that one or more groups reserve, all with the same type word. */
export interface MergedRegion extends IovaRange {
  readonly type: string;
  /** The regions that were merged: who has them and where that was read. */
  readonly parts: readonly {
    readonly owner: string;
    readonly range: IovaRange;
    readonly provenance: readonly Provenance[];
  }[];
}

export interface CommonSpace {
  readonly host: Host;
  readonly groups: readonly Group[];
  /** Ascending by start; regions of different types may overlap. */
  readonly reserved: readonly MergedRegion[];
  /** Empty if the dumps do not show what the IOMMU can translate. What a kernel reported of a container is one, too. */
  readonly apertures: readonly Aperture[];
  /** Where a mapping is accepted: inside every aperture, outside every blocking region. */
  readonly usable: RangeSet;
}

/** What the ranges of a space are, without what they were derived from. */
export interface SpaceRanges extends Pick<CommonSpace, 'reserved' | 'apertures' | 'usable'> {
  /** Of each group something; empty if no group is selected. */
  readonly groups: readonly unknown[];
}

/** The ranges of a space alone: they take little memory, and can be sent to another thread. */
export function rangesOf({ reserved, apertures, usable, groups }: SpaceRanges): SpaceRanges {
  return {
    reserved: reserved.map(({ start, last, type }) => ({ start, last, type, parts: [] })),
    apertures: apertures.map(({ start, last, message }) => ({ start, last, message, provenance: [] })),
    usable,
    groups: groups.map((_, i) => i),
  };
}

/** A container or an IOAS whose ranges the kernel itself reported. */
export interface ReportedSpace {
  readonly name: string;
  readonly apertures: readonly Aperture[];
  readonly validRanges: readonly ValidRange[];
}

/** Who uses a reported space, and what else the kernel reported about it; empty if nothing is known. */
export function holderLabel({ validRanges }: Pick<ReportedSpace, 'validRanges'>): string {
  const [first] = validRanges;
  if (!first) return '';
  const { guest, process, pid, mappingsLeft } = first;
  return [
    guest === undefined ? '' : `guest ${guest}`,
    process === undefined ? '' : pid === undefined ? process : `${process} (${pid})`,
    mappingsLeft === undefined ? '' : `${counted(mappingsLeft, 'mapping')} left`,
  ]
    .filter((message) => message !== '')
    .join(', ');
}

/** Merges regions of the same type that overlap; the result ascends by start. */
export function mergeByType(
  regions: readonly (MergedRegion['parts'][number] & { readonly type: string })[],
): MergedRegion[] {
  const byType = new Map<string, MergedRegion['parts'][number][]>();
  for (const { type, ...part } of regions) {
    const parts = byType.get(type) ?? [];
    parts.push(part);
    byType.set(type, parts);
  }
  const merged: MergedRegion[] = [];
  for (const [type, parts] of byType) {
    // Adjacent regions stay separate, as the dumps list them: only overlapping ones are merged.
    let open: { start: Iova; last: Iova; parts: MergedRegion['parts'][number][] } | undefined;
    for (const part of parts.toSorted((a, b) => compareRanges(a.range, b.range))) {
      const { start, last } = part.range;
      if (open && start <= open.last) {
        open.parts.push(part);
        if (last > open.last) open.last = last;
      } else {
        if (open) merged.push({ ...open, type });
        open = { start, last, parts: [part] };
      }
    }
    if (open) merged.push({ ...open, type });
  }
  return merged.sort((a, b) => (a.start !== b.start ? (a.start < b.start ? -1 : 1) : compareNames(a.type, b.type)));
}

/** The address space that the given groups of a host would share. */
export function commonSpace(host: Host, groups: readonly Group[]): CommonSpace {
  const reserved = mergeByType(
    groups.flatMap((group) =>
      group.regions.map((region) => ({
        type: region.type,
        owner: groupTitle(group),
        range: { start: region.start, last: region.last },
        provenance: region.provenance,
      })),
    ),
  );
  const names = new Set(groups.map((g) => g.group));
  const manual = host.apertures.filter(({ isManual }) => isManual);
  const agreed = manual.length > 0 ? undefined : agreedRanges(host);
  const apertures = [
    ...(manual.length > 0 ? manual : host.apertures).filter(
      (a) => a.space === undefined && (a.group === undefined || names.has(a.group)),
    ),
    ...(agreed ? [agreed.aperture] : []),
  ];
  if (agreed) reserved.push(...agreed.holes);
  const reach = apertures.reduce<RangeSet>((set, a) => intersect(set, [a]), [WHOLE_SPACE]);
  const blocked = rangeSet(reserved.filter((r) => meaningOf(r.type).blocksMappings));
  return { host, groups, reserved, apertures, usable: subtract(reach, blocked) };
}

/** What to call the space that some of a host's groups share: the host's name, and up to four groups by name. */
export function spaceTitle({ host, groups }: Pick<CommonSpace, 'host' | 'groups'>): string {
  if (groups.length === 0) return host.title;
  return `${host.title}: ${groups.length > 4 ? `${groups.length} groups` : groups.map(groupTitle).join(' + ')}`;
}

/** The containers and IOASs of a host whose ranges the kernel reported, in order of appearance. */
export function reportedSpaces(host: Host): ReportedSpace[] {
  const names = [...new Set([...host.validRanges, ...host.apertures].flatMap((a) => a.space ?? []))];
  return names.map((name) => ({
    name,
    apertures: host.apertures.filter((a) => a.space === name),
    validRanges: host.validRanges.filter((a) => a.space === name),
  }));
}

/** What a kernel itself reported about the space of a host's devices. */
interface AgreedRanges {
  /** From the first to the last address that is mappable. */
  readonly aperture: Aperture;
  /** What is not mappable in between and no known region explains. */
  readonly holes: readonly MergedRegion[];
}

/**
 * The aperture and the valid ranges that all containers and IOASs of a host report alike: they are the host's. Undefined
 * if there are none, or if they differ: then each has devices of its own.
 */
function agreedRanges(host: Host): AgreedRanges | undefined {
  const spaces = reportedSpaces(host).filter(({ validRanges }) => validRanges.length > 0);
  const [first, ...more] = spaces;
  if (!first) return undefined;
  const valid = rangeSet(first.validRanges);
  const isSame = ({ validRanges }: ReportedSpace) => {
    const other = rangeSet(validRanges);
    const isSameAt = (r: IovaRange, i: number) => {
      const its = other[i];
      return its !== undefined && rangesEqual(r, its);
    };
    return other.length === valid.length && valid.every(isSameAt);
  };
  const [start, last] = [valid[0]?.start, valid.at(-1)?.last];
  if (!more.every(isSame) || start === undefined || last === undefined) return undefined;
  const provenance = spaces.flatMap(({ validRanges }) => validRanges.slice(0, 1).flatMap((r) => r.provenance));
  const pageSizes =
    first.apertures.find((a) => a.pageSizes !== undefined)?.pageSizes ?? first.validRanges[0]?.pageSizes;
  const aperture: Aperture = { start, last, message: `${first.name}, reported by the kernel`, pageSizes, provenance };
  const known = rangeSet(host.groups.flatMap(({ regions }) => regions));
  const isWindow = (hole: IovaRange) => rangesEqual(hole, X86_MSI_WINDOW) || rangesEqual(hole, DEFAULT_SW_MSI_WINDOW);
  const holes = subtract(intersect(complement(valid), [aperture]), known).map(
    (hole): MergedRegion => ({
      ...hole,
      type: isWindow(hole) ? 'msi' : 'reserved',
      parts: [{ owner: first.name, range: hole, provenance }],
    }),
  );
  return { aperture, holes };
}

/**
 * The reported spaces that are not the host's own: all if the host has no groups to select, or if they report different
 * ranges.
 */
export function separateSpaces(host: Host): ReportedSpace[] {
  const isHosts = host.groups.length > 0 && agreedRanges(host) !== undefined;
  return reportedSpaces(host).filter(({ validRanges }) => !isHosts || validRanges.length === 0);
}

/** The ranges outside at least one aperture; empty if no aperture is known. */
export function beyondApertures(apertures: readonly Aperture[]): RangeSet {
  if (apertures.length === 0) return [];
  return complement(apertures.reduce<RangeSet>((set, a) => intersect(set, [a]), [WHOLE_SPACE]));
}
