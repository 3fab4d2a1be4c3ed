// Compares hosts: what a guest that migrates between them must leave free on all of them.
import { shortExactSize } from '../../iova/format.ts';
import { containsRange, type IovaRange, range, sizeOf, WHOLE_SPACE } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, union } from '../../iova/range-set.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { meaningOf } from './region-types.ts';

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
  /** Indices of hosts, grouped by identical usable and reserved ranges; the largest group first. */
  readonly alike: readonly (readonly number[])[];
}

const rangesKey = (set: RangeSet) => set.map(({ start, last }) => `${start}-${last}`).join();

/** Groups the indices of equal keys, in order of appearance. */
function partsOf(keys: readonly string[]): number[][] {
  const parts = new Map<string, number[]>();
  for (const [index, key] of keys.entries()) {
    const part = parts.get(key) ?? [];
    part.push(index);
    parts.set(key, part);
  }
  return [...parts.values()];
}

function reservedOf(space: CommonSpace): RangeSet {
  return rangeSet(space.reserved.filter((region) => meaningOf(region.type).blocksMappings));
}

/** Compares the spaces of two or more hosts. */
export function compareHosts(spaces: readonly CommonSpace[]): HostComparison {
  const reserved = spaces.map(reservedOf);
  const usable = spaces.map((space) => space.usable);
  const apertureUnknown = spaces.map(({ apertures }) => apertures.length === 0);
  const alike = partsOf(
    spaces.map((_, i) => [rangesKey(usable[i] ?? []), rangesKey(reserved[i] ?? []), apertureUnknown[i]].join(' ')),
  );
  // One host represents each group: a fleet has few kinds of hosts.
  const kinds = (sets: readonly RangeSet[]) => alike.map(([first = 0]) => sets[first] ?? []);
  const all = (sets: readonly RangeSet[]) => kinds(sets).reduce<RangeSet>((a, b) => intersect(a, b), [WHOLE_SPACE]);
  const any = (sets: readonly RangeSet[]) => kinds(sets).reduce<RangeSet>((a, b) => union(a, b), []);
  const usableIntersection = all(usable);
  const usableUnion = any(usable);
  return {
    reservedUnion: any(reserved),
    reservedIntersection: all(reserved),
    usableUnion,
    usableIntersection,
    differences: differencesOf(kinds(usable), intersect(usableUnion, complement(usableIntersection))).map(
      ({ usableOn, blockedOn, ...piece }) => ({
        ...piece,
        usableOn: hostsOf(alike, usableOn),
        blockedOn: hostsOf(alike, blockedOn),
      }),
    ),
    apertureUnknown,
    alike: alike.toSorted((a, b) => b.length - a.length),
  };
}

/** The hosts of some groups, ascending. */
function hostsOf(parts: readonly (readonly number[])[], indices: readonly number[]): number[] {
  return indices.flatMap((index) => parts[index] ?? []).sort((a, b) => a - b);
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
