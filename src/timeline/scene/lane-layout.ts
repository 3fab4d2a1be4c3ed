// Where lanes and their rows are, before anything is drawn: a lane with hundreds of rows is drawn only where it is seen.
import type { LaneSlice, SpaceSlice } from '../axis/slice.ts';

export const LANE_PADDING = 9;
const ROW_GAP = 4;
const LANE_HEIGHT_MIN = 40;
/** Room for the lane's title above its rows when it is expanded. */
const TITLE_LINE = 18;
/** Room for the heading of an address space. */
const HEADING = 34;
/** An expanded lane with more rows than this has low rows: one line of text each. */
const TALL_ROWS_MAX = 24;
const LOW_ROW = 20;

/** Vertical pixels of a scene: `top` inclusive, `bottom` exclusive. */
export interface VerticalSpan {
  readonly top: number;
  readonly bottom: number;
}

export interface LaneLayout extends VerticalSpan {
  readonly lane: LaneSlice;
  /** Top of the first row; the next one is `pitch` below. */
  readonly firstRow: number;
  readonly rowHeight: number;
  readonly pitch: number;
}

export interface SpaceLayout {
  readonly space: SpaceSlice;
  /** Top of its heading; undefined if the picture has only this space. */
  readonly heading: number | undefined;
  readonly lanes: readonly LaneLayout[];
}

function laneLayout(lane: LaneSlice, top: number): LaneLayout {
  const isExpanded = lane.expandable && lane.expanded;
  const isLow = isExpanded && lane.rows.length > TALL_ROWS_MAX;
  const rowHeight = isLow ? Math.min(LOW_ROW, lane.traits.height) : lane.traits.height;
  const pitch = rowHeight + ROW_GAP;
  const firstRow = top + LANE_PADDING + (isExpanded ? TITLE_LINE : 0);
  const end = firstRow + Math.max(1, lane.rows.length) * pitch - ROW_GAP + LANE_PADDING;
  return { lane, top, bottom: Math.max(end, top + LANE_HEIGHT_MIN), firstRow, rowHeight, pitch };
}

/** All spaces one below the other, from `top` on. */
export function layoutLanes(
  spaces: readonly SpaceSlice[],
  top: number,
): { readonly spaces: readonly SpaceLayout[]; readonly bottom: number } {
  let y = top;
  const layouts = spaces.map((space): SpaceLayout => {
    const heading = spaces.length > 1 ? y + 8 : undefined;
    if (heading !== undefined) y += HEADING;
    const lanes = space.lanes.map((lane) => {
      const layout = laneLayout(lane, y);
      y = layout.bottom;
      return layout;
    });
    return { space, heading, lanes };
  });
  return { spaces: layouts, bottom: y };
}

/** Indices of the rows that a vertical span shows, `from` inclusive, `to` exclusive. */
export function rowsIn({ lane, firstRow, rowHeight, pitch }: LaneLayout, { top, bottom }: VerticalSpan) {
  const count = lane.rows.length;
  const from = Math.min(count, Math.max(0, Math.ceil((top - firstRow - rowHeight) / pitch)));
  const to = Math.min(count, Math.max(from, Math.ceil((bottom - firstRow) / pitch)));
  return { from, to };
}
