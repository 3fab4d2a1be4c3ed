// The part of a long picture that goes into a file, and what is left out of it.
import { counted, groupedDecimal } from '../../iova/format.ts';
import type { LaneSlice, SpaceSlice } from '../axis/slice.ts';
import { layoutLanes, rowsIn, type VerticalSpan } from './lane-layout.ts';

/** A lane shows at most this many rows in a file. */
export const FILE_ROWS_MAX = 120;

export interface CutLanes {
  readonly spaces: readonly SpaceSlice[];
  /** What is not in them, one entry for a lane: `reserved: 388 of 400 rows`, `usable`. */
  readonly leftOut: readonly string[];
}

/**
 * Keeps the rows that `seen` shows of lanes laid out from `top` on, or all (`seen` undefined); of a lane at most
 * `rowsMax` rows.
 */
export function cutLanes(
  spaces: readonly SpaceSlice[],
  top: number,
  seen: VerticalSpan | undefined,
  rowsMax = FILE_ROWS_MAX,
): CutLanes {
  const leftOut: string[] = [];
  const cut = layoutLanes(spaces, top).spaces.map(({ space, lanes }): SpaceSlice => {
    const prefix = spaces.length > 1 ? `${space.title}: ` : '';
    const kept = lanes.flatMap((layout): LaneSlice[] => {
      const { lane } = layout;
      const count = lane.rows.length;
      const { from, to } = seen ? rowsIn(layout, seen) : { from: 0, to: count };
      const end = Math.min(to, from + rowsMax);
      const isOutside = seen !== undefined && (layout.bottom <= seen.top || layout.top >= seen.bottom);
      if (isOutside || (count > 0 && from === end)) {
        leftOut.push(`${prefix}${lane.title}${count > 1 ? ` (${counted(count, 'row')})` : ''}`);
        return [];
      }
      const missing = count - (end - from);
      if (missing > 0) {
        const total = groupedDecimal(BigInt(count));
        leftOut.push(`${prefix}${lane.title}: ${groupedDecimal(BigInt(missing))} of ${total} rows`);
      }
      return [missing > 0 ? { ...lane, rows: lane.rows.slice(from, end) } : lane];
    });
    return { ...space, lanes: kept };
  });
  return { spaces: cut.filter(({ lanes }) => lanes.length > 0), leftOut };
}
