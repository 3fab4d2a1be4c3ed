// The areas of an address space of a model as columns. Between two moments of a session only those columns are made again
// whose areas may have changed: there may be a million others.
import type { IovaRange } from '../../iova/range.ts';
import { type RangeSet, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView, AreaView } from '../../kernel/model.ts';
import { type StyleName, styleIndex } from '../scene/style-names.ts';
import { elementAt, indicesOf, rangeAt } from './columns.ts';
import type { LaneRow } from './lane.ts';
import { LatestValues } from './latest.ts';
import type { ModelSource } from './sources.ts';

interface AreaRow extends LaneRow {
  readonly uniform: boolean;
  /** False if areas overlap each other, which some versions of the kernel permit. */
  readonly isDisjoint: boolean;
}

/** Of more areas it is quicker to make all columns again. */
const CHANGED_MAX = 4096;

const rows = new LatestValues<AreaRow>();

function styleOf({ read, write }: AreaView): number {
  const readable: StyleName = write ? 'area' : 'area-read-only';
  return styleIndex(read ? readable : write ? 'area-write-only' : 'area-no-access');
}

/** The areas as columns. They must not be modified: those of the next moment are made from them. */
export function areaRow(source: Pick<ModelSource, 'space' | 'moment'>): LaneRow {
  const { space } = source;
  return rows.valueOf(
    source,
    () => wholeRow(space),
    (before, touched) => (before.isDisjoint ? changedRow(before, touched, space) : undefined),
  );
}

function emptyRow(count: number): Pick<LaneRow, 'starts' | 'lasts' | 'styles'> {
  return { starts: new BigUint64Array(count), lasts: new BigUint64Array(count), styles: new Uint8Array(count) };
}

function wholeRow(space: AddressSpaceView): AreaRow {
  const row = emptyRow(space.areaCount);
  write(space.areas(), row, 0);
  const { styles } = row;
  return {
    ...row,
    uniform: styles.every((style) => style === styles[0]),
    isDisjoint: isDisjoint(row, 1, styles.length),
  };
}

/** True if each of the areas of these indices (`end` exclusive) begins after the end of the one before it. */
function isDisjoint({ starts, lasts }: ReturnType<typeof emptyRow>, from: number, end: number): boolean {
  for (let i = Math.max(1, from); i < end; i++) if (elementAt(starts, i) <= elementAt(lasts, i - 1)) return false;
  return true;
}

/** Writes areas from an index on; returns the index after them. */
function write(
  areas: Iterable<AreaView>,
  { starts, lasts, styles }: ReturnType<typeof emptyRow>,
  from: number,
): number {
  let i = from;
  for (const area of areas) {
    starts[i] = area.start;
    lasts[i] = area.last;
    styles[i] = styleOf(area);
    i++;
  }
  return i;
}

/**
 * The row of `space`, which has the areas of `row` except for some that overlap `touched`; undefined if they are too many, or if
 * areas overlap each other.
 */
function changedRow(row: AreaRow, touched: readonly IovaRange[], space: AddressSpaceView): AreaRow | undefined {
  const ranges = wholeAreas(rangeSet(touched), row, space);
  if (!ranges) return undefined;
  const changes = ranges.map((r) => ({ ...indicesOf(row, r), areas: [...space.areas(r.start, r.last)] }));
  const before = row.starts.length;
  const count = changes.reduce((sum, { from, end, areas }) => sum + areas.length - (end - from), before);
  if (count !== space.areaCount) return undefined;
  const made = emptyRow(count);
  let source = 0;
  let target = 0;
  let uniform = row.uniform;
  const seams: { readonly first: number; readonly end: number }[] = [];
  for (const { from, end, areas } of [...changes, { from: before, end: before, areas: [] }]) {
    made.starts.set(row.starts.subarray(source, from), target);
    made.lasts.set(row.lasts.subarray(source, from), target);
    made.styles.set(row.styles.subarray(source, from), target);
    target += from - source;
    source = end;
    const first = target;
    target = write(areas, made, first);
    seams.push({ first, end: Math.min(count, target + 1) });
    const style = before > 0 ? row.styles[0] : made.styles[0];
    uniform &&= made.styles.subarray(first, target).every((one) => one === style);
  }
  return seams.every(({ first, end }) => isDisjoint(made, first, end))
    ? { ...made, uniform, isDisjoint: true }
    : undefined;
}

/** The ranges, extended by the areas that overlap them before or after the change; undefined if they are too many. */
function wholeAreas(ranges: RangeSet, row: LaneRow, space: AddressSpaceView): RangeSet | undefined {
  let now = ranges;
  for (;;) {
    const found: IovaRange[] = [...now];
    for (const r of now) {
      const { from, end } = indicesOf(row, r);
      if (found.length + (end - from) + space.countAreas(r.start, r.last) > CHANGED_MAX) return undefined;
      for (let i = from; i < end; i++) found.push(rangeAt(row, i) ?? r);
      found.push(...space.areas(r.start, r.last));
    }
    const wider = rangeSet(found);
    const isSame = wider.every(({ start, last }, i) => now[i]?.start === start && now[i]?.last === last);
    if (isSame && wider.length === now.length) return now;
    now = wider;
  }
}
