import { bitLength } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { firstEndingAtOrAfter, type LaneKind, type LaneRow, type SpaceLanes } from '../lanes/lane.ts';
import { foldScale, type Scale } from './scale.ts';

/** Lanes whose ranges count as "something is there"; the others are background or follow from these. */
const OCCUPYING: ReadonlySet<LaneKind> = new Set([
  'reserved',
  'doorbells',
  'windows',
  'bars',
  'guest',
  'allowed',
  'areas',
  'mappings',
  'requests',
  'faults',
]);
/** More clusters than this in one row and the fold would have no room for any of them. */
const CLUSTERS_MAX = 192;

/** Joins ranges whose gaps are small against the others, so that at most `CLUSTERS_MAX` remain. O(n). */
export function clusters(row: LaneRow): { start: bigint; end: bigint }[] {
  const { starts, lasts } = row;
  const count = starts.length;
  const gapBits = (i: number) => bitLength((starts[i] as bigint) - (lasts[i - 1] as bigint) - 1n);
  let threshold = -1;
  if (count > CLUSTERS_MAX) {
    const histogram = new Array<number>(65).fill(0);
    for (let i = 1; i < count; i++) histogram[gapBits(i)] = (histogram[gapBits(i)] as number) + 1;
    let remaining = count;
    while (remaining > CLUSTERS_MAX && threshold < 64) {
      threshold++;
      remaining -= histogram[threshold] as number;
    }
  }
  const out: { start: bigint; end: bigint }[] = [];
  for (let i = 0; i < count; i++) {
    const end = (lasts[i] as bigint) + 1n;
    const open = out.at(-1);
    if (open && i > 0 && threshold >= 0 && gapBits(i) <= threshold) open.end = end;
    else out.push({ start: starts[i] as bigint, end });
  }
  return out;
}

/** The fold scale for what the given spaces show, and for ranges that must stay visible (`keepVisible`, bounds inclusive): one axis for all. */
export function foldFor(spaces: readonly SpaceLanes[], keepVisible: readonly IovaRange[] = []): Scale {
  const edges = new Set(keepVisible.flatMap(({ start, last }) => [start, last + 1n]));
  const occupying: LaneRow[] = [];
  for (const lane of spaces.flatMap((space) => space.lanes)) {
    for (const row of lane.rows) {
      for (const { start, end } of clusters(row)) {
        edges.add(start);
        edges.add(end);
      }
      if (OCCUPYING.has(lane.kind)) occupying.push(row);
    }
  }
  return foldScale({
    edges,
    isOccupied: (start, end) =>
      keepVisible.some((r) => r.start < end && r.last >= start) ||
      occupying.some((row) => {
        const i = firstEndingAtOrAfter(row, start);
        return i < row.starts.length && (row.starts[i] as bigint) < end;
      }),
  });
}
