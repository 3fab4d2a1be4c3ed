// Questions about what is drawn: would this fit, how is the free space cut up, which guests fit, how do hosts differ.

import { blockedOf } from '../../analysis/conflicts/guest.ts';
import { fittingSizes, MACHINES, sizesInWords } from '../../analysis/guest/layouts.ts';
import { compareHosts, pasteLine } from '../../analysis/host/compare-hosts.ts';
import { findPlaces, HoleCounter } from '../../analysis/space/fit.ts';
import { type IovaRange, intersection } from '../../iova/range.ts';
import { type RangeSet, rangeSet, subtract, union } from '../../iova/range-set.ts';
import { firstEndingAtOrAfter, type Lane, type LaneRow, type SpaceLanes } from '../../timeline/lanes/lane.ts';
import { isMachineName } from '../picture/guests.ts';
import type { SelectedHost } from '../picture/spaces.ts';
import {
  type Blocker,
  type EngineResult,
  failure,
  type GuestSizes,
  type HostsCompared,
  type Params,
  type SpaceFit,
  type SpaceHoles,
  success,
} from '../protocol.ts';

/** Places that an answer lists. */
const PLACES_MAX = 100;
const BLOCKERS_MAX = 50;

function rangesOf(row: LaneRow): IovaRange[] {
  return Array.from(row.starts, (start, i) => ({ start, last: row.lasts[i] as bigint }) as IovaRange);
}

interface Free {
  readonly ranges: RangeSet;
  readonly note: string;
}

/** What is free in an address space of the picture; undefined where nothing tells what is usable. */
function freeOf(space: SpaceLanes): Free | undefined {
  const holes = space.lanes.find((lane) => lane.kind === 'holes');
  if (holes) return { ranges: holes.rows.flatMap(rangesOf), note: 'neither reserved nor mapped' };
  const usable = space.lanes.find((lane) => lane.kind === 'usable');
  if (!usable) return undefined;
  const ranges = usable.rows.flatMap(rangesOf);
  const mappings = space.lanes.filter((lane) => lane.kind === 'mappings');
  if (mappings.length === 0) return { ranges, note: 'usable for mappings' };
  const mapped = rangeSet(mappings.flatMap((lane) => lane.rows.flatMap(rangesOf)));
  return { ranges: subtract(ranges, mapped), note: 'usable, and nothing drawn is mapped there' };
}

/** Lanes whose ranges stand in the way of a mapping. */
const IN_THE_WAY: ReadonlySet<Lane['kind']> = new Set(['reserved', 'areas', 'mappings', 'aperture']);

/** What the lanes have in a range, in words. */
function blockersIn(space: SpaceLanes, wanted: IovaRange): Blocker[] {
  const found: Blocker[] = [];
  for (const lane of space.lanes) {
    if (!IN_THE_WAY.has(lane.kind)) continue;
    for (const [row, columns] of lane.rows.entries()) {
      for (let i = firstEndingAtOrAfter(columns, wanted.start); found.length < BLOCKERS_MAX; i++) {
        const start = columns.starts[i];
        const last = columns.lasts[i];
        if (start === undefined || last === undefined || start > wanted.last) break;
        const { title } = lane.describe(row, i);
        // Of an aperture what lies outside of it stands in the way.
        const isOpen = title === 'aperture' || title === 'aperture not known' || title === 'no domain attached';
        const relaxed = title.includes('direct-relaxable');
        if ((lane.kind === 'aperture' && isOpen) || relaxed) continue;
        found.push({ start, last, message: title } as Blocker);
      }
    }
  }
  return found;
}

/** "Would this fit?", for each address space of the picture that says what is usable. */
export function fitIn(spaces: readonly SpaceLanes[], question: Params<'fit'>): SpaceFit[] {
  const { size, at } = question;
  return spaces.flatMap((space): SpaceFit[] => {
    const free = freeOf(space);
    if (!free) return [];
    const { places, blocked, ...answer } = findPlaces(free.ranges, question);
    const last = at === undefined ? undefined : at + size - 1n;
    const wanted =
      at === undefined || last === undefined || last > 0xffff_ffff_ffff_ffffn
        ? undefined
        : ({ start: at, last } as IovaRange);
    const blockers =
      wanted && blocked.length > 0
        ? blockersIn(space, wanted).filter((b) => blocked.some((r) => intersection(r, b) !== undefined))
        : [];
    return [
      {
        ...answer,
        space: space.title,
        places: places.slice(0, PLACES_MAX),
        placesMore: Math.max(0, places.length - PLACES_MAX),
        blockers,
      },
    ];
  });
}

/** The free space of each address space of the picture in numbers. */
export function holesIn(spaces: readonly SpaceLanes[], alignments: readonly bigint[]): SpaceHoles[] {
  return spaces.flatMap((space): SpaceHoles[] => {
    const free = freeOf(space);
    if (!free) return [];
    const counter = new HoleCounter(alignments);
    for (const hole of free.ranges) counter.add(hole);
    return [{ ...counter.result, space: space.title, note: free.note }];
  });
}

/** Which sizes of RAM a machine may have on the ticked hosts. */
export function guestSizes(hosts: readonly SelectedHost[], name: string): EngineResult<GuestSizes> {
  if (!isMachineName(name)) return failure('unusable', `no machine is called “${name}”`);
  const machine = MACHINES[name];
  const blocked = hosts.map(({ space }) => blockedOf(space));
  const sizes = fittingSizes(
    machine,
    blocked.reduce<RangeSet>((all, one) => union(all, one), []),
  );
  return success({
    sizes,
    message: sizesInWords(sizes),
    hosts: hosts.map(({ space }, i) => ({
      title: space.host.title,
      message: sizesInWords(fittingSizes(machine, blocked[i] ?? [])),
    })),
    maxRam: machine.most,
    isApertureKnown: hosts.every(({ space }) => space.apertures.length > 0),
  });
}

/** The ticked hosts side by side; a failure if there are fewer than two. */
export function compareTicked(hosts: readonly SelectedHost[]): EngineResult<HostsCompared> {
  const shown = hosts.filter(({ space }) => space.groups.length > 0);
  if (shown.length < 2)
    return failure('unusable', 'two or more hosts are needed: open another one and tick its groups');
  const titles = shown.map(({ space }) => space.host.title);
  const compared = compareHosts(shown.map(({ space }) => space));
  const named = (indices: readonly number[]) => indices.map((i) => titles[i] ?? '');
  return success({
    hosts: titles.map((title, i) => ({ title, isApertureKnown: compared.apertureUnknown[i] === false })),
    reservedUnion: compared.reservedUnion,
    reservedIntersection: compared.reservedIntersection,
    usableUnion: compared.usableUnion,
    usableIntersection: compared.usableIntersection,
    differences: compared.differences.map(({ start, last, usableOn, blockedOn }) => ({
      start,
      last,
      usableOn: named(usableOn),
      blockedOn: named(blockedOn),
    })),
    line: pasteLine(compared.reservedUnion),
  });
}
