// Compares hosts: what a guest that migrates between them must keep free on all of them.
import { hexRange, shortExactSize } from '../../iova/format.ts';
import { compareRanges, containsRange, type IovaRange, range, sizeOf, WHOLE_SPACE } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, subtract, union } from '../../iova/range-set.ts';
import { meaningOf } from '../host/region-types.ts';
import { rangesOf, type SpaceRanges } from './common-space.ts';
import { obstacleLabel, usableInFacts } from './usable-ranges.ts';

export interface HostDifference extends IovaRange {
  /** Indices of the hosts where it is usable, and of those where it is not. */
  readonly usableOn: readonly number[];
  readonly blockedOn: readonly number[];
}

export interface HostComparison {
  /** What blocks mappings on any of the hosts: only regions, not the ranges outside apertures. */
  readonly reservedUnion: RangeSet;
  /** What blocks mappings on every host. */
  readonly reservedIntersection: RangeSet;
  readonly usableUnion: RangeSet;
  /** What can be mapped on every host: for a guest that migrates. */
  readonly usableIntersection: RangeSet;
  /** Where the hosts differ, ascending. */
  readonly differences: readonly HostDifference[];
  /** For each host, true if its aperture is unknown: then the top of its usable ranges may be too high. */
  readonly apertureUnknown: readonly boolean[];
  /** The hosts, those together on which the same addresses are usable and reserved; the largest class first. */
  readonly classes: readonly HostClass[];
}

/** Hosts that are alike: on all of them the same addresses are usable, and the same are reserved. */
export interface HostClass {
  /** Indices, ascending. */
  readonly hosts: readonly number[];
  /** What is different from the largest class; empty for that one. */
  readonly differs: readonly ClassDifference[];
}

/** A range, inclusive, on which a class differs from the largest one. */
export interface ClassDifference extends IovaRange {
  /** On this class; on the largest one it is the other way. `reserved`: usable on both or on neither. */
  readonly is: 'usable' | 'blocked' | 'reserved' | 'not-reserved';
  /** What blocks it, on the class where something does: `direct region (direct)`. */
  readonly reason: string;
}

const rangesKey = (set: RangeSet) => set.map(({ start, last }) => `${start}-${last}`).join();

function reservedOf(space: SpaceRanges): RangeSet {
  return rangeSet(space.reserved.filter((region) => meaningOf(region.type).blocksMappings));
}

/** A space of a class, and what is reserved in it. */
interface ClassSpace {
  readonly space: SpaceRanges;
  readonly reserved: RangeSet;
}

/** The hosts of a fleet, one after the other. Of each class one is kept, so that memory follows the classes, not the hosts. */
export class HostClasses {
  readonly #classes = new Map<string, ClassSpace & { readonly hosts: number[] }>();
  readonly #apertureUnknown: boolean[] = [];

  /** Adds the next host: its index is the number of hosts before it. */
  add(space: SpaceRanges): void {
    const index = this.#apertureUnknown.length;
    const isUnknown = space.apertures.length === 0;
    this.#apertureUnknown.push(isUnknown);
    const reserved = reservedOf(space);
    const key = [rangesKey(space.usable), rangesKey(reserved), isUnknown].join(' ');
    const known = this.#classes.get(key);
    if (known) known.hosts.push(index);
    else this.#classes.set(key, { space: rangesOf(space), reserved, hosts: [index] });
  }

  get size(): number {
    return this.#apertureUnknown.length;
  }

  /** Compares them; there must be a host. */
  compare(): HostComparison {
    // One host of each class stands for it: a fleet has few classes.
    const classes = [...this.#classes.values()].sort((a, b) => b.hosts.length - a.hosts.length);
    const all = (sets: readonly RangeSet[]) => sets.reduce<RangeSet>((a, b) => intersect(a, b), [WHOLE_SPACE]);
    const any = (sets: readonly RangeSet[]) => sets.reduce<RangeSet>((a, b) => union(a, b), []);
    const usable = classes.map(({ space }) => space.usable);
    const reserved = classes.map((one) => one.reserved);
    const usableIntersection = all(usable);
    const usableUnion = any(usable);
    const hostsOf = (indices: readonly number[]) =>
      indices.flatMap((index) => classes[index]?.hosts ?? []).sort((a, b) => a - b);
    const [largest] = classes;
    return {
      reservedUnion: any(reserved),
      reservedIntersection: all(reserved),
      usableUnion,
      usableIntersection,
      differences: differencesOf(usable, intersect(usableUnion, complement(usableIntersection))).map(
        ({ usableOn, blockedOn, ...piece }) => ({
          ...piece,
          usableOn: hostsOf(usableOn),
          blockedOn: hostsOf(blockedOn),
        }),
      ),
      apertureUnknown: this.#apertureUnknown,
      classes: classes.map((one) => ({
        hosts: one.hosts,
        differs: largest && one !== largest ? classDifferences(one, largest) : [],
      })),
    };
  }
}

/** Compares the spaces of two or more hosts. */
export function compareHosts(spaces: readonly SpaceRanges[]): HostComparison {
  const classes = new HostClasses();
  for (const space of spaces) classes.add(space);
  return classes.compare();
}

/** A function for what blocks a range in a space, in a few words. */
function reasonsIn(space: SpaceRanges): (range: IovaRange) => string {
  const usable = usableInFacts(space, []);
  return (range) => [...new Set((usable?.obstaclesIn(range) ?? []).map(obstacleLabel))].join(', ');
}

/** What is different in a space from another one, ascending. */
function classDifferences(own: ClassSpace, other: ClassSpace): ClassDifference[] {
  const blocked = subtract(other.space.usable, own.space.usable);
  const usable = subtract(own.space.usable, other.space.usable);
  const either = union(blocked, usable);
  const [ownReason, otherReason] = [reasonsIn(own.space), reasonsIn(other.space)];
  const differences = (ranges: RangeSet, is: ClassDifference['is'], reasonFor: (range: IovaRange) => string) =>
    ranges.map((r) => ({ ...r, is, reason: reasonFor(r) }));
  return [
    ...differences(blocked, 'blocked', ownReason),
    ...differences(usable, 'usable', otherReason),
    ...differences(subtract(subtract(own.reserved, other.reserved), either), 'reserved', ownReason),
    ...differences(subtract(subtract(other.reserved, own.reserved), either), 'not-reserved', otherReason),
  ].sort(compareRanges);
}

/** Differences that a label lists. */
const DIFFERENCES_MAX = 4;

const DIFFERENCE_LABELS = {
  usable: 'usable',
  blocked: 'blocked',
  reserved: 'also reserved',
  'not-reserved': 'not reserved',
} as const;

/** What is different on a class, in words; empty for the largest one. */
export function differsLabel(differs: readonly ClassDifference[]): string {
  const parts = differs.slice(0, DIFFERENCES_MAX).map(({ start, last, is, reason }) => {
    const why = is === 'usable' || is === 'not-reserved' ? `elsewhere ${reason}` : reason;
    return `${hexRange({ start, last })} ${DIFFERENCE_LABELS[is]}${reason === '' ? '' : ` (${why})`}`;
  });
  const more = differs.length - parts.length;
  return [...parts, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

/** Maximum number of named hosts; the others are counted. */
const NAMES_MAX = 12;

/**
 * Names some of the hosts in `all`: a few by name; if most of them are included, the missing ones; otherwise the first
 * ones.
 */
export function hostsLabel(names: readonly string[], all: readonly string[]): string {
  if (names.length <= NAMES_MAX) return names.join(', ');
  if (names.length === all.length) return `all ${names.length} hosts`;
  const counted = `${names.length} of ${all.length} hosts`;
  if (all.length - names.length > NAMES_MAX) return `${counted} (${names.slice(0, 3).join(', ')} …)`;
  const own = new Set(names);
  return `${counted} (all but ${all.filter((name) => !own.has(name)).join(', ')})`;
}

/** Splits ranges that are usable on only some hosts into ranges with the same set of hosts. */
function differencesOf(usable: readonly RangeSet[], differing: RangeSet): HostDifference[] {
  const bounds = new Set<bigint>();
  for (const set of [...usable, differing]) {
    for (const { start, last } of set) bounds.add(start).add(last + 1n);
  }
  const edges = [...bounds].sort((a, b) => (a < b ? -1 : 1));
  const found: HostDifference[] = [];
  for (const [index, start] of edges.entries()) {
    const end = edges[index + 1];
    if (end === undefined) break;
    const piece = range(start, end - 1n);
    const isIn = (set: RangeSet) => set.some((r) => containsRange(r, piece));
    if (!isIn(differing)) continue;
    const hosts = usable.map((set, host) => ({ host, isUsable: isIn(set) }));
    found.push({
      ...piece,
      usableOn: hosts.filter(({ isUsable }) => isUsable).map(({ host }) => host),
      blockedOn: hosts.filter(({ isUsable }) => !isUsable).map(({ host }) => host),
    });
  }
  return found;
}

/** Ranges as a copyable list: `13G@1010G,1M@4078M`, the highest first, as VMMs and schedulers accept them. */
export function pasteLine(ranges: RangeSet): string {
  return ranges
    .toReversed()
    .map((r) => `${shortExactSize(sizeOf(r))}@${shortExactSize(r.start)}`)
    .join(',');
}
