import { pageSizeOf } from '../analysis/conflicts/find-conflicts.ts';
import type { GuestLayout } from '../analysis/conflicts/guest.ts';
import { isGuestMemory } from '../analysis/guest/layout.ts';
import type { Group } from '../analysis/host/host.ts';
import { commonSpace, separateSpaces, spaceTitle } from '../analysis/space/common-space.ts';
import { fitInSpace, type SpaceFitAnswer } from '../analysis/space/fit.ts';
import { usableInModel } from '../analysis/space/usable-in-model.ts';
import { obstacleLabel, type UsableRanges, usableAsReported, usableInFacts } from '../analysis/space/usable-ranges.ts';
import { type EngineDocument, stateOf } from '../engine/documents/document.ts';
import { mappingStateAt } from '../engine/documents/mapping-states.ts';
import { chosenGuest } from '../engine/picture/guests.ts';
import { overlaps } from '../iova/range.ts';
import { rangeSet, subtract } from '../iova/range-set.ts';
import type { Dumps } from './dumps.ts';
import type { AddressRange, Origin } from './facts.ts';
import { requireGuest, type TriedGuest } from './guest.ts';
import type { GuestInput } from './guest-input.ts';
import { chooseAndRun, documentsOf, select } from './opened.ts';

export interface FitOptions {
  /** Bytes, 1 to 2^64. */
  readonly size: bigint;
  /** A power of two that the start must be a multiple of; the page size of the address space if absent. */
  readonly alignment?: bigint;
  /** The start address; anywhere if absent. */
  readonly at?: bigint;
  /** Numbers of the IOMMU groups that share the address space; all if absent. */
  readonly groups?: readonly string[];
  /** A guest whose memory is mapped there too: `pc-q35-7.2:16G`, or dumps with one guest. */
  readonly guest?: GuestInput;
  /** Which of several guests in the dumps of `guest`. */
  readonly guestName?: string | undefined;
  /** Version of the kernel whose rules answer, `6.1`; that of the dumps if absent. */
  readonly kernel?: string | undefined;
}

/** Places for the range: it may start at `start` or at any later multiple of the alignment up to `highestStart`. */
export interface Place {
  readonly start: bigint;
  /** Last byte of the range that begins at `start`. */
  readonly last: bigint;
  readonly highestStart: bigint;
  /** The free range around them. */
  readonly free: AddressRange;
}

/** What blocks the range, with its own bounds. */
export interface Obstacle extends AddressRange {
  readonly kind: 'reserved' | 'aperture' | 'mapping' | 'not-valid';
  readonly text: string;
  /** Groups, devices or IOMMUs that hold it. */
  readonly owners: readonly string[];
  readonly provenance: readonly Origin[];
}

/** The answer for one address space. */
export interface Fit {
  readonly space: string;
  readonly fits: boolean;
  /** What the start must be a multiple of. */
  readonly alignment: bigint;
  /** False if no dump shows the aperture of the IOMMU: places at high addresses may then be outside it. */
  readonly isApertureKnown: boolean;
  /** Ascending, at most 100. */
  readonly places: readonly Place[];
  /** Number of places beyond those listed. */
  readonly morePlaces: number;
  /** How many such ranges fit side by side. */
  readonly sideBySide: bigint;
  /** The largest range that would fit (with `at`: from there). */
  readonly largest?: { readonly size: bigint; readonly start: bigint } | undefined;
  /** With `at`: why no range can start there. */
  readonly problem?: 'misaligned' | 'past-the-end' | undefined;
  /** With `at`: what blocks the range, ascending, at most 50. */
  readonly obstacles: readonly Obstacle[];
}

const PLACES_MAX = 100;

/**
 * Would a range fit, and where? One answer for each address space of the dumps: the one that the groups share, and
 * those that a kernel or a session describes. Empty if the dumps do not say what is usable.
 * Rejects with a RangeError for a size, an alignment or a group that cannot be used.
 */
export async function fit(dumps: Dumps, options: FitOptions): Promise<readonly Fit[]> {
  const { size, alignment, at } = options;
  if (size < 1n || size > 1n << 64n) throw new RangeError('the size must be 1 to 2^64 bytes');
  if (alignment !== undefined && (alignment < 1n || (alignment & (alignment - 1n)) !== 0n))
    throw new RangeError('the alignment must be a power of two');
  if (at !== undefined && (at < 0n || at >> 64n !== 0n)) throw new RangeError('the address must be 0 to 2^64 - 1');
  const documents = await chooseAndRun(documentsOf(dumps), { kernel: options.kernel });
  const { groups } = select(documents, { groups: options.groups });
  const tried = options.guest === undefined ? undefined : requireGuest(options.guest, options.guestName);
  const memory = tried && memoryOf(tried, documents);
  const spaces = documents
    .flatMap((document) => spacesOf(document, groups.get(document) ?? []))
    .map((named) => ({ ...named, space: memory ? beside(named.space, memory) : named.space }));
  return spaces.map(({ title, space, page }) => {
    const question = { size, alignment: alignment ?? page, at };
    return fitOf(title, space.isApertureKnown, fitInSpace(space, question), question);
  });
}

/** The memory of a guest that is tried. */
function memoryOf({ choice, document }: TriedGuest, documents: readonly EngineDocument[]): GuestLayout {
  const open = new Map([...documents, ...(document ? [document] : [])].map((one) => [one.id, one]));
  const made = chosenGuest(choice, open);
  if (!made.ok) throw new RangeError(made.message);
  return { ...made.guest, ranges: made.guest.ranges.filter(({ type }) => isGuestMemory(type)) };
}

/** An address space in which a guest's memory is mapped. */
function beside(space: UsableRanges, { title, ranges }: GuestLayout): UsableRanges {
  return {
    usable: space.usable,
    free: subtract(space.free, rangeSet(ranges)),
    hasMappings: true,
    isApertureKnown: space.isApertureKnown,
    obstaclesIn: (requested, max = Number.POSITIVE_INFINITY) =>
      [
        ...space.obstaclesIn(requested, max),
        ...ranges
          .filter((range) => overlaps(range, requested))
          .map(({ start, last, name }) => ({
            start,
            last,
            kind: 'mapping' as const,
            owners: [`${title}: ${name}`],
            provenance: [],
          })),
      ].slice(0, max),
  };
}

interface NamedSpace {
  readonly title: string;
  readonly space: UsableRanges;
  /** Page size of the address space, in bytes. */
  readonly page: bigint;
}

/** The address spaces of a document about which something is known, in the order of the picture. */
function spacesOf(document: EngineDocument, groups: readonly Group[]): NamedSpace[] {
  const { host, title, position } = document;
  const shared = commonSpace(host, groups);
  const facts = usableInFacts(
    shared,
    document.mappings.map((set) => mappingStateAt(set, position)),
  );
  const place = () => [{ source: title }];
  const page = pageSizeOf(shared);
  return [
    ...(facts ? [{ title: spaceTitle(shared), space: facts, page }] : []),
    ...separateSpaces(host)
      .filter(({ validRanges }) => validRanges.length > 0)
      .map((space) => ({ title: `${title}: ${space.name}`, space: usableAsReported(space), page })),
    ...(stateOf(document)?.spaces() ?? []).map((space) => ({
      title: `${title}: ${space.id}`,
      space: usableInModel(space, place),
      page: space.alignment,
    })),
  ];
}

function fitOf(
  space: string,
  isApertureKnown: boolean,
  answer: SpaceFitAnswer,
  { size, alignment }: { readonly size: bigint; readonly alignment: bigint },
): Fit {
  const { fits, places, together, largest, startError, obstacles } = answer;
  return {
    space,
    fits,
    alignment,
    isApertureKnown,
    places: places.slice(0, PLACES_MAX).map(({ first, last, free }) => ({
      start: first,
      last: first + size - 1n,
      highestStart: last,
      free,
    })),
    morePlaces: Math.max(0, places.length - PLACES_MAX),
    sideBySide: together,
    largest,
    problem: startError,
    obstacles: obstacles.map(({ start, last, kind, type, owners, provenance }) => ({
      start,
      last,
      kind,
      text: obstacleLabel({ kind, type }),
      owners,
      provenance,
    })),
  };
}
