// Queries about the ranges of an arranged picture; loaded when the first is asked.
import { placesText } from '../../analysis/host/host.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import { eventAt } from '../../session/event-list.ts';
import { type Fact, isFact } from '../../session/events.ts';
import { elementAt, firstEndingAtOrAfter } from '../../timeline/lanes/columns.ts';
import type { Lane } from '../../timeline/lanes/lane.ts';
import type { BoundsLine, BoundsList } from '../../timeline/scene/bounds-table.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import { styleAt } from '../../timeline/scene/style-names.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Params, Value } from '../protocol/methods.ts';
import type { Neighbour, RangeDetail, TableRow } from '../protocol/picture.ts';
import { extreme, firstStartingAtOrAfter, neighbour, nthOfLane, targetAt } from './lane-walk.ts';
import { type LaneInSpace, laneTotal, type Picture } from './picture.ts';

function sourceLabel(lane: Lane, target: Target): string {
  return placesText(lane.describe(target.row, target.index).parts.flatMap((part) => part.provenance));
}

/** The range that a fact is about: its own, or its one address. */
function rangeOfFact(fact: Fact): IovaRange | undefined {
  if ('start' in fact && typeof fact.start === 'bigint' && typeof fact.last === 'bigint') {
    return range(fact.start, fact.last);
  }
  return 'address' in fact && typeof fact.address === 'bigint' ? range(fact.address, fact.address) : undefined;
}

/** All that is known about a range; undefined if it is not in the picture. For a mark of several ranges, the first. */
export function describeRange(picture: Picture, target: Target): RangeDetail | undefined {
  const found = picture.lanes.find(({ lane }) => lane.id === target.laneId);
  const exact = found && targetAt(found.lane, target.row, target.index);
  if (!exact) return undefined;
  const { lane, space } = found;
  const info = lane.describe(exact.row, exact.index);
  return {
    target: exact,
    laneTitle: lane.title,
    spaceTitle: space.title,
    style: styleAt(elementAt(elementAt(lane.rows, exact.row).styles, exact.index)),
    title: info.title,
    sentence: info.sentence,
    parts: info.parts,
    values: info.values ?? {},
    before: neighbourOf(lane, exact, 'previous'),
    after: neighbourOf(lane, exact, 'next'),
    note: info.note,
  };
}

/** The next range in reading order, wrapping around at the end; null if the picture is empty. */
export function stepFrom(picture: Picture, { from, direction }: Params<'step'>): Target | null {
  const lanes = picture.lanes.map(({ lane }) => lane);
  const at = from ? lanes.findIndex((lane) => lane.id === from.laneId) : -1;
  const lane = lanes[at];
  const near = from && lane && neighbour(lane, from, direction);
  if (near) return near;
  const order = direction === 'next' ? 1 : -1;
  const begin = lane ? at + order : direction === 'next' ? 0 : lanes.length - 1;
  for (let i = 0; i < lanes.length; i++) {
    const candidate = lanes[(begin + order * i + lanes.length * 2) % lanes.length];
    const found = candidate && extreme(candidate, direction);
    if (found) return found;
  }
  return null;
}

/** `limit` rows of the table of all ranges, from `offset` on. */
export function rangeTable(picture: Picture, { offset, limit }: Params<'table'>): Value<'table'> {
  const rows: TableRow[] = [];
  let skip = offset;
  for (const found of picture.lanes) {
    const total = laneTotal(found.lane);
    for (let n = Math.min(skip, total); n < total && rows.length < limit; n++) {
      const target = nthOfLane(found.lane, n);
      if (target) rows.push(tableRow(found, target));
    }
    skip = Math.max(0, skip - total);
  }
  return { rows, total: picture.arrangement.total };
}

/** The range that the event at `position` (from 1) is drawn as: the same range, otherwise the first that contains it. */
export function locate(picture: Picture, document: EngineDocument, position: number): Target | null {
  const event = eventAt(document.session.events, position - 1);
  const wanted = event && isFact(event) ? rangeOfFact(event) : undefined;
  if (!wanted) return null;
  let holder: Target | null = null;
  for (const { space, lane } of picture.lanes) {
    if (!space.id.startsWith(document.id)) continue;
    for (const [row, columns] of lane.rows.entries()) {
      const target = targetAt(lane, row, firstEndingAtOrAfter(columns, wanted.start));
      if (!target || target.start > wanted.start || target.last < wanted.last) continue;
      if (target.start === wanted.start && target.last === wanted.last) return target;
      if (lane.traits.holdsFacts) holder ??= target;
    }
  }
  return holder;
}

/** The exact bounds of the ranges in a window, at most `limit` lines, and the total number of ranges. */
export function boundsIn(picture: Picture, { start, last, limit }: Params<'bounds'>): BoundsList {
  const lines: BoundsLine[] = [];
  let total = 0;
  for (const { lane } of picture.lanes) {
    for (const [row, columns] of lane.rows.entries()) {
      const first = firstEndingAtOrAfter(columns, start);
      const end = last === IOVA_MAX ? columns.starts.length : firstStartingAtOrAfter(columns, last + 1n);
      total += end - first;
      for (let index = first; index < end && lines.length < limit; index++) {
        const target = targetAt(lane, row, index);
        if (!target) break;
        const { title } = lane.describe(row, index);
        lines.push({
          what: title === lane.title ? title : `${lane.title}: ${title}`,
          start: target.start,
          last: target.last,
          source: sourceLabel(lane, target),
        });
      }
    }
  }
  return { lines, total };
}

function tableRow({ space, lane }: LaneInSpace, target: Target): TableRow {
  return {
    target,
    space: space.title,
    lane: lane.rows[target.row]?.title ?? lane.title,
    caption: lane.describe(target.row, target.index).title,
    source: sourceLabel(lane, target),
  };
}

function neighbourOf(lane: Lane, target: Target, direction: 'next' | 'previous'): Neighbour | undefined {
  const found = neighbour(lane, target, direction);
  if (!found) return undefined;
  const [low, high] = direction === 'next' ? [target, found] : [found, target];
  const distance = high.start > low.last ? high.start - low.last - 1n : 0n;
  return { caption: lane.describe(found.row, found.index).title, target: found, distance };
}
