// Level of detail: the part of a lane that a window of the axis shows, at most a few marks per pixel however many ranges
// there are. The worker cuts slices, where the data are; the page turns them into marks at every frame.
import { elementAt, firstEndingAtOrAfter, type RangeColumns } from '../lanes/columns.ts';
import type { Lane, LaneRow, SpaceLanes } from '../lanes/lane.ts';
import { styleIndex } from '../scene/style-names.ts';
import { type Scale, toAddress, toWorld } from './scale.ts';
import { type Viewport, visibleRange, worldAt } from './viewport.ts';

/** Ranges of one row inside the window. All columns have the same length. */
export interface RowSlice extends RangeColumns, Pick<LaneRow, 'title' | 'note' | 'styles'> {
  /** Number of ranges that a mark represents; above 1 they were too narrow to draw separately. */
  readonly counts: Uint32Array;
  /** Index in the lane's row of the (first) range. */
  readonly indices: Uint32Array;
  /** Caption of each single range, '' where merged. */
  readonly captions: readonly string[];
}

export interface LaneSlice
  extends Pick<Lane, 'id' | 'kind' | 'title' | 'subtitle' | 'expandable' | 'expanded' | 'traits'> {
  readonly rows: readonly RowSlice[];
  /** Number of ranges in the whole lane. */
  readonly total: number;
}

export interface SpaceSlice {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly lanes: readonly LaneSlice[];
}

/** Ranges narrower than this are merged with neighbours that begin within `MERGE_PIXELS`. */
const NARROW_PIXELS = 1;
const MERGE_PIXELS = 2;
const SEVERAL = styleIndex('several');

/**
 * The window to cut for a view: three times its width, so that panning needs no new cut, at the finest zoom of its power
 * of two, so that zooming within it needs none either. Equal views of a band give equal windows.
 */
export function sliceWindow(view: Viewport): Viewport {
  const band = 2 ** Math.floor(Math.log2(view.unitsPerPixel));
  const left = worldAt(view, 0);
  const step = BigInt(Math.max(1, Math.round(band * view.width * 0.5)));
  const anchor = (left / step) * step;
  // At the band's resolution the view itself is one to two widths; one more on either side.
  return { anchor, anchorPixel: view.width, unitsPerPixel: band, width: 4 * view.width };
}

/** True if a cut made for `window` serves `view`. */
export function covers(window: Viewport, view: Viewport): boolean {
  const wanted = sliceWindow(view);
  if (wanted.unitsPerPixel !== window.unitsPerPixel) return false;
  return worldAt(window, 0) <= worldAt(view, 0) && worldAt(window, window.width) >= worldAt(view, view.width);
}

/** Beyond this many the styles of a merged mark are not compared any more. */
const COMPARED_MAX = 256;

/** The style that all ranges of a merged mark share, or `several`. */
function commonStyle(row: LaneRow, from: number, to: number): number {
  const style = elementAt(row.styles, from);
  if (to - from > COMPARED_MAX) return row.uniform ? style : SEVERAL;
  for (let i = from + 1; i <= to; i++) if (row.styles[i] !== style) return SEVERAL;
  return style;
}

function cutRow(lane: Lane, rowIndex: number, row: LaneRow, scale: Scale, window: Viewport): RowSlice {
  const { start, last } = visibleRange(window, scale);
  const marks: { readonly first: number; readonly end: number }[] = [];
  const mergeUnits = BigInt(Math.ceil(MERGE_PIXELS * window.unitsPerPixel));
  const narrowUnits = BigInt(Math.ceil(NARROW_PIXELS * window.unitsPerPixel));
  const count = row.starts.length;
  let i = firstEndingAtOrAfter(row, start);
  while (i < count && elementAt(row.starts, i) <= last) {
    const from = toWorld(scale, elementAt(row.starts, i));
    let end = i;
    if (toWorld(scale, elementAt(row.lasts, i) + 1n) - from < narrowUnits) {
      // All that end within the merge distance; the first one that reaches beyond it is drawn apart.
      end = Math.max(i, firstEndingAtOrAfter(row, toAddress(scale, from + mergeUnits)) - 1);
    }
    marks.push({ first: i, end });
    i = end + 1;
  }
  return {
    ...(row.title === undefined ? {} : { title: row.title }),
    ...(row.note === undefined ? {} : { note: row.note }),
    starts: BigUint64Array.from(marks, ({ first }) => elementAt(row.starts, first)),
    lasts: BigUint64Array.from(marks, ({ end }) => elementAt(row.lasts, end)),
    styles: Uint8Array.from(marks, ({ first, end }) => commonStyle(row, first, end)),
    counts: Uint32Array.from(marks, ({ first, end }) => end - first + 1),
    indices: Uint32Array.from(marks, ({ first }) => first),
    captions: marks.map(({ first, end }) => (first === end ? lane.caption(rowIndex, first) : '')),
  };
}

/** Cuts every lane of every space to a window (see `sliceWindow`). O(pixels × log ranges). */
export function cutSlices(spaces: readonly SpaceLanes[], scale: Scale, window: Viewport): SpaceSlice[] {
  return spaces.map(({ id, title, subtitle, lanes }) => ({
    id,
    title,
    subtitle,
    lanes: lanes.map((lane) => ({
      id: lane.id,
      kind: lane.kind,
      title: lane.title,
      subtitle: lane.subtitle,
      expandable: lane.expandable,
      expanded: lane.expanded,
      traits: lane.traits,
      rows: lane.rows.map((row, index) => cutRow(lane, index, row, scale, window)),
      total: lane.rows.reduce((sum, row) => sum + row.starts.length, 0),
    })),
  }));
}
