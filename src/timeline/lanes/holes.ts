import { counted, formatSize } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { containsRange, type IovaRange, rangesEqual, sizeOf, WHOLE_SPACE } from '../../iova/range.ts';
import { intersect, type RangeSet, rangeSet } from '../../iova/range-set.ts';
import { usableRanges, visitFreeRanges } from '../../kernel/shared/usable-ranges.ts';
import { styleIndex } from '../scene/style-names.ts';
import { elementAt, indicesOf, rangeAt } from './columns.ts';
import type { LaneContent, LaneRow } from './lane.ts';
import { LatestValues } from './latest.ts';
import type { ModelSource } from './sources.ts';

/** What is neither reserved nor mapped; no lane if nothing is mapped, because then the usable lane shows the same. */
export function holesOfModel(source: ModelSource): LaneContent<'holes'>[] {
  const { space, laneId } = source;
  if (space.areaCount === 0) return [];
  const { row, size } = holesAt(source);
  const subtitle = `${counted(row.starts.length, 'hole')}, ${formatSize(size)}`;
  const info = {
    title: 'hole',
    sentence: 'Neither reserved nor mapped: a mapping with suitable alignment fits here.',
    parts: [],
  };
  return [
    {
      id: laneId('holes'),
      kind: 'holes',
      title: 'holes',
      subtitle,
      expandable: false,
      expanded: false,
      rows: [row],
      caption: () => '',
      describe: () => info,
    },
  ];
}

/** The holes as columns, there may be a million, and the bytes of all of them. */
export interface Holes {
  readonly row: LaneRow;
  readonly size: bigint;
  /** Where holes can be. */
  readonly usable: RangeSet;
}

const latest = new LatestValues<Holes>();

/** The holes at a moment. The columns must not be modified: those of the next moment are made from them. */
export function holesAt(source: Pick<ModelSource, 'space' | 'moment'>): Holes {
  const { space } = source;
  const usable = usableRanges(space);
  return latest.valueOf(
    source,
    () => allHoles(space, usable),
    (before, touched) => (isSame(before.usable, usable) ? changedHoles(before, touched, space) : undefined),
  );
}

function isSame(a: RangeSet, b: RangeSet): boolean {
  return a.length === b.length && a.every((r, i) => rangesEqual(r, b[i] ?? r));
}

function rowOf(starts: BigUint64Array, lasts: BigUint64Array): LaneRow {
  return { starts, lasts, styles: new Uint8Array(starts.length).fill(styleIndex('hole')), uniform: true };
}

function allHoles(space: ModelSource['space'], usable: RangeSet): Holes {
  // Every hole ends before an area or at the end of a usable range.
  const max = space.areaCount + usable.length;
  const starts = new BigUint64Array(max);
  const lasts = new BigUint64Array(max);
  let count = 0;
  let size = 0n;
  const add = ({ start, last }: IovaRange) => {
    starts[count] = start;
    lasts[count] = last;
    size += last - start + 1n;
    count++;
  };
  visitFreeRanges(space, add, usable);
  return { row: rowOf(starts.slice(0, count), lasts.slice(0, count)), size, usable };
}

/** The holes of `space`, where nothing else is mapped than before except for areas that overlap `touched`. */
function changedHoles({ row, size, usable }: Holes, touched: readonly IovaRange[], space: ModelSource['space']): Holes {
  const changes = betweenHoles(rangeSet(touched), row, space).map((r) => {
    const holes: IovaRange[] = [];
    visitFreeRanges(space, (hole) => holes.push(hole), intersect(usable, [r]));
    return { ...indicesOf(row, r), holes };
  });
  const before = row.starts.length;
  const count = changes.reduce((sum, { from, end, holes }) => sum + holes.length - (end - from), before);
  const made = rowOf(new BigUint64Array(count), new BigUint64Array(count));
  let source = 0;
  let target = 0;
  let bytes = size;
  for (const { from, end, holes } of [...changes, { from: before, end: before, holes: [] }]) {
    made.starts.set(row.starts.subarray(source, from), target);
    made.lasts.set(row.lasts.subarray(source, from), target);
    target += from - source;
    for (let i = from; i < end; i++) bytes -= elementAt(row.lasts, i) - elementAt(row.starts, i) + 1n;
    for (const hole of holes) {
      made.starts[target] = hole.start;
      made.lasts[target] = hole.last;
      bytes += sizeOf(hole);
      target++;
    }
    source = end;
  }
  return { row: made, size: bytes, usable };
}

/**
 * The ranges, each extended to the hole before and the one after it: what was mapped and overlaps one of them is inside then, and so
 * is what is mapped now.
 */
function betweenHoles(ranges: RangeSet, row: LaneRow, space: ModelSource['space']): RangeSet {
  let now = ranges;
  for (;;) {
    const wider = rangeSet(now.map((r) => withNeighbours(r, row)));
    const crossing = wider.flatMap(({ start, last }) => [...space.areas(start, start), ...space.areas(last, last)]);
    const outside = crossing.filter((area) => !wider.some((r) => containsRange(r, area)));
    if (outside.length === 0) return wider;
    now = rangeSet([...wider, ...outside.map(({ start, last }) => ({ start, last }))]);
  }
}

function withNeighbours({ start, last }: IovaRange, row: LaneRow): IovaRange {
  const { from, end } = indicesOf(row, { start, last });
  return { start: rangeAt(row, from - 1)?.start ?? WHOLE_SPACE.start, last: rangeAt(row, end)?.last ?? IOVA_MAX };
}
