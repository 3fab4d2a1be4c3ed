// Several hosts side by side: what a guest that moves between them must keep free on all of them.
import { shortExactSize } from '../../iova/format.ts';
import { type IovaRange, sizeOf, WHOLE_SPACE } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, union } from '../../iova/range-set.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { meaningOf } from './region-types.ts';

export interface HostDifference extends IovaRange {
  /** Indices of the hosts on which it is usable, and of those on which it is not. */
  readonly usableOn: readonly number[];
  readonly blockedOn: readonly number[];
}

export interface HostComparison {
  /** What blocks mappings on any of the hosts (regions only, without what lies outside of apertures). */
  readonly reservedUnion: RangeSet;
  /** What blocks them on every host. */
  readonly reservedIntersection: RangeSet;
  readonly usableUnion: RangeSet;
  /** What can be mapped on every host: for a guest that moves. */
  readonly usableIntersection: RangeSet;
  /** Where the hosts do not agree, ascending. */
  readonly differences: readonly HostDifference[];
  /** True for hosts whose aperture is not known: there the upper end is open. */
  readonly apertureUnknown: readonly boolean[];
}

function reservedOf(space: CommonSpace): RangeSet {
  return rangeSet(space.reserved.filter((region) => meaningOf(region.type).blocksMappings));
}

/** Compares the spaces of two or more hosts. */
export function compareHosts(spaces: readonly CommonSpace[]): HostComparison {
  const reserved = spaces.map(reservedOf);
  const usable = spaces.map((space) => space.usable);
  const all = (sets: readonly RangeSet[]) => sets.reduce<RangeSet>((a, b) => intersect(a, b), [WHOLE_SPACE]);
  const any = (sets: readonly RangeSet[]) => sets.reduce<RangeSet>((a, b) => union(a, b), []);
  const usableIntersection = all(usable);
  const usableUnion = any(usable);
  return {
    reservedUnion: any(reserved),
    reservedIntersection: all(reserved),
    usableUnion,
    usableIntersection,
    differences: differencesOf(usable, intersect(usableUnion, complement(usableIntersection))),
    apertureUnknown: spaces.map(({ apertures }) => apertures.length === 0),
  };
}

/** Cuts what is usable on some hosts only into stretches on which the same hosts agree. */
function differencesOf(usable: readonly RangeSet[], differing: RangeSet): HostDifference[] {
  const edges = new Set<bigint>();
  for (const set of [...usable, differing]) {
    for (const { start, last } of set) {
      edges.add(start);
      edges.add(last + 1n);
    }
  }
  const sorted = [...edges].sort((a, b) => (a < b ? -1 : 1));
  const found: HostDifference[] = [];
  for (const [index, start] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end === undefined) break;
    const stretch = { start, last: end - 1n } as IovaRange;
    if (!differing.some((r) => r.start <= stretch.start && stretch.last <= r.last)) continue;
    const usableOn: number[] = [];
    const blockedOn: number[] = [];
    for (const [host, set] of usable.entries()) {
      (set.some((r) => r.start <= stretch.start && stretch.last <= r.last) ? usableOn : blockedOn).push(host);
    }
    found.push({ ...stretch, usableOn, blockedOn });
  }
  return found;
}

/** Ranges as a line to paste: `13G@1010G,1M@4078M`, the highest first, as monitors and schedulers take them. */
export function pasteLine(ranges: RangeSet): string {
  return ranges
    .toReversed()
    .map((r) => `${shortExactSize(sizeOf(r))}@${shortExactSize(r.start)}`)
    .join(',');
}
