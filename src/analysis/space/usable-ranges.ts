// What an address space can take, and what blocks a range of it, as data: for "would it fit?", free space statistics and
// the command line. One interface for the three kinds of space: what facts say about the groups of a host, what a kernel
// reported, and the state of a model.
import { compareRanges, type IovaRange, intersection, overlaps } from '../../iova/range.ts';
import { complement, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import { type Provenance, provenanceOf } from '../host/host.ts';
import type { MappingState } from '../host/mapping-state.ts';
import { factAt, type LiveMapping } from '../host/mappings.ts';
import { meaningOf } from '../host/region-types.ts';
import { beyondApertures, type ReportedSpace, type SpaceRanges } from './common-space.ts';

/**
 * `reserved`: a region that refuses mappings; `aperture`: outside what the IOMMU can translate; `mapping`: mapped
 * already; `not-valid`: in no range that the kernel reported (or, of a model, that the container has).
 */
export type SpaceObstacleKind = 'reserved' | 'aperture' | 'mapping' | 'not-valid';

/** What blocks a mapping. Bounds are the obstacle's own, inclusive, not cut to the requested range. */
export interface SpaceObstacle extends IovaRange {
  readonly kind: SpaceObstacleKind;
  /** The type word of a reserved region, as the kernel prints it; `manual` for one made by request. */
  readonly type?: string | undefined;
  /** The groups, devices, IOMMUs or mapping sets that it belongs to; may be empty. */
  readonly owners: readonly string[];
  readonly provenance: readonly Provenance[];
}

/** The answers of one address space. Ranges are inclusive; sets are disjoint, ascending and canonical. */
export interface UsableRanges {
  /** Where a mapping is accepted if nothing is mapped yet. */
  readonly usable: RangeSet;
  /** `usable` without what is mapped. Computed at the first use. */
  readonly free: RangeSet;
  /** True if something is mapped, so that `free` is less than `usable` may be. */
  readonly hasMappings: boolean;
  /** False if no source shows the aperture of the IOMMU: the top of `usable` may then be too high. */
  readonly isApertureKnown: boolean;
  /**
   * What blocks a mapping of `requested`, at most `max` obstacles: reserved regions and what is outside the aperture
   * first, ascending, then mappings, then ranges that are not valid for a reason that is not known. Empty exactly if
   * `requested` is inside one of the `free` ranges.
   */
  obstaclesIn(requested: IovaRange, max?: number): readonly SpaceObstacle[];
}

/** An obstacle in a few words: `MSI window (msi)`, `outside the aperture`, `mapping`. */
export function obstacleLabel({ kind, type }: Pick<SpaceObstacle, 'kind' | 'type'>): string {
  switch (kind) {
    case 'reserved': {
      if (type === 'manual') return 'reserved by request';
      const { title } = meaningOf(type ?? 'reserved');
      return title === (type ?? 'reserved') ? title : `${title} (${type})`;
    }
    case 'aperture':
      return 'outside the aperture';
    case 'mapping':
      return 'mapping';
    case 'not-valid':
      return 'outside the valid ranges';
  }
}

/**
 * The space that a host's selected groups share, with the mappings of the sources at one position. `undefined` if no group is
 * selected: reserved and usable ranges are then unknown.
 */
export function usableInFacts(space: SpaceRanges, mappings: readonly MappingState[]): UsableRanges | undefined {
  if (space.groups.length === 0) return undefined;
  let free: RangeSet | undefined;
  const mapped = () => rangeSet(mappings.flatMap((state) => state.layers().flat()));
  return {
    usable: space.usable,
    get free() {
      free ??= mappings.length === 0 ? space.usable : subtract(space.usable, mapped());
      return free;
    },
    hasMappings: mappings.some(({ size }) => size > 0),
    isApertureKnown: space.apertures.length > 0,
    obstaclesIn: (requested, max = Number.POSITIVE_INFINITY) => {
      const found: SpaceObstacle[] = space.reserved
        .filter((region) => meaningOf(region.type).blocksMappings && overlaps(region, requested))
        .map(({ start, last, type, parts }) => ({
          kind: 'reserved',
          start,
          last,
          type,
          owners: [...new Set(parts.map(({ owner }) => owner))],
          provenance: parts.flatMap(({ provenance }) => provenance),
        }));
      found.push(...outsideApertures(space, requested));
      found.sort(compareRanges);
      for (const state of mappings) {
        for (const mapping of state.overlapping(requested.start, requested.last)) {
          if (found.length >= max) break;
          found.push(mappingObstacle(state, mapping));
        }
      }
      return found.slice(0, max);
    },
  };
}

/** A space whose valid ranges the kernel itself reported. Its mappings are unknown. */
export function usableAsReported(space: ReportedSpace): UsableRanges {
  const usable = rangeSet(space.validRanges);
  const provenance = space.validRanges.flatMap((valid) => valid.provenance);
  return {
    usable,
    free: usable,
    hasMappings: false,
    // What the kernel lists ends where the aperture does.
    isApertureKnown: true,
    obstaclesIn: (requested, max = Number.POSITIVE_INFINITY) => {
      const beyond = outsideApertures(space, requested);
      const notValid = complement(rangeSet([...usable, ...beyondApertures(space.apertures)]))
        .filter((r) => overlaps(r, requested))
        .map((r): SpaceObstacle => ({ kind: 'not-valid', ...r, owners: [space.name], provenance }));
      return [...beyond, ...notValid].sort(compareRanges).slice(0, max);
    },
  };
}

function outsideApertures({ apertures }: Pick<SpaceRanges, 'apertures'>, requested: IovaRange): SpaceObstacle[] {
  return beyondApertures(apertures)
    .filter((r) => overlaps(r, requested))
    .map(({ start, last }) => {
      // Only apertures that do not cover the range are a reason.
      const limiting = apertures.filter((a) => intersection(a, { start, last }) === undefined);
      const reasons = limiting.length > 0 ? limiting : apertures;
      return {
        kind: 'aperture',
        start,
        last,
        owners: reasons.map(({ message }) => message),
        provenance: reasons.flatMap(({ provenance }) => provenance),
      };
    });
}

function mappingObstacle({ set }: MappingState, { start, last, fact }: LiveMapping): SpaceObstacle {
  return { kind: 'mapping', start, last, owners: [set.title], provenance: [provenanceOf(factAt(set, fact))] };
}
