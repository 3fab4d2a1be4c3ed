// Lanes one below the other: headings of address spaces, names of lanes, and their rows.
import type { LaneSlice, RowSlice, SpaceSlice } from '../axis/slice.ts';
import { elementAt } from '../lanes/columns.ts';
import type { AxisBreak } from './axis-breaks.ts';
import { barLabels, barsIn, labelMarks, selectionOutlines, shapesOf } from './bars.ts';
import { LANE_PADDING, type LaneLayout, layoutLanes, rowsIn, type VerticalSpan } from './lane-layout.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { HitArea, LaneHead, Mark, Target } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import type { Notes } from './notes.ts';
import { type StyleName, styleAt } from './style-names.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

const TWISTY_WIDTH = 13;
/** Distance that text left of the plot keeps from it. */
const PLOT_GAP = 8;
const ROW_TITLE_X = 26;
/** A row at least this high has room for a note below its name. */
const NOTE_HEIGHT = 24;
/** A lane with more rows than this is drawn only where it is seen, and has no letters: they would change as it scrolls. */
const DRAWN_WHOLE_MAX = 60;

export interface LanesInput {
  readonly spaces: readonly SpaceSlice[];
  readonly axisBreaks: readonly AxisBreak[];
  readonly selected: Pick<Target, 'laneId' | 'start' | 'last'> | undefined;
  /** True if a lane's name carries a sign that it can be expanded: a file cannot be. */
  readonly hasTwisties: boolean;
  /** The part of the scene that is seen; everything if undefined. */
  readonly seen?: VerticalSpan | undefined;
}

/** What the lanes add to a scene. */
export interface LanesDrawing {
  readonly marks: Mark[];
  /** To be drawn last: nothing may cross a letter or a heading. */
  readonly topMarks: Mark[];
  readonly hits: HitArea[];
  readonly heads: LaneHead[];
  readonly styles: Set<StyleName>;
}

/** Adds all lanes below `top` to a drawing and the letters of narrow ranges to `notes`; returns the bottom. */
export function drawLanes(frame: Frame, input: LanesInput, notes: Notes, drawing: LanesDrawing, top: number): number {
  const { spaces, bottom } = layoutLanes(input.spaces, top);
  for (const { space, heading, lanes } of spaces) {
    if (heading !== undefined) drawing.topMarks.push(...spaceHeading(frame, space, heading));
    for (const layout of lanes) drawLane(frame, input, layout, notes, drawing);
  }
  return bottom;
}

function spaceHeading({ width }: Frame, space: SpaceSlice, y: number): Mark[] {
  const room = width - 2 * MARGIN;
  const title = shorten(space.title, room, TEXT.label, 'bold', 8);
  const used = textWidth(title, TEXT.label, 'bold') + 14;
  const subtitle = shorten(space.subtitle, room - used, TEXT.small);
  return [
    { type: 'fill', x: 0, y, width, height: 22, ink: 'strip' },
    textMark(MARGIN, y + 15, title, { size: TEXT.label, font: 'bold' }),
    ...(subtitle === '' ? [] : [textMark(MARGIN + used, y + 15, subtitle, { size: TEXT.small, ink: 'muted' })]),
  ];
}

function drawLane(frame: Frame, input: LanesInput, layout: LaneLayout, notes: Notes, drawing: LanesDrawing): void {
  const { lane, top, bottom, firstRow, pitch } = layout;
  const count = lane.rows.length;
  const isLong = count > DRAWN_WHOLE_MAX;
  const { from, to } = isLong && input.seen ? rowsIn(layout, input.seen) : { from: 0, to: count };
  for (const [offset, row] of lane.rows.slice(from, to).entries()) {
    const index = from + offset;
    const y = firstRow + index * pitch;
    drawRow(frame, input, layout, { index, row, y }, isLong ? undefined : notes, drawing);
  }
  // The legend must not change as the picture scrolls.
  if (isLong) for (const row of lane.rows) for (const style of row.styles) drawing.styles.add(styleAt(style));
  drawing.marks.push(...laneName(frame, lane, top, input.hasTwisties));
  drawing.heads.push({
    laneId: lane.id,
    y: top,
    height: bottom - top,
    expandable: lane.expandable,
    expanded: lane.expanded,
  });
  const line = [
    [MARGIN, bottom],
    [frame.left + frame.view.width, bottom],
  ] as const;
  drawing.marks.push(pathMark(line, 'hairline'));
}

/** The name of a lane, left of the plot. */
function laneName({ left }: Frame, lane: LaneSlice, top: number, hasTwisties: boolean): Mark[] {
  const room = left - MARGIN - PLOT_GAP;
  const hasTwisty = lane.expandable && hasTwisties;
  const indent = hasTwisty ? TWISTY_WIDTH : 0;
  const y = top + LANE_PADDING + 10;
  const title = shorten(lane.title, room - indent, TEXT.label, 'bold');
  const subtitle = textMark(MARGIN, y + 14, shorten(lane.subtitle, room, TEXT.tiny), { size: TEXT.tiny, ink: 'muted' });
  return [
    ...(hasTwisty ? [twisty(MARGIN, y - 4, lane.expanded)] : []),
    textMark(MARGIN + indent, y, title, { size: TEXT.label, font: 'bold' }),
    // The names of the rows take its place.
    ...(lane.expandable && lane.expanded ? [] : [subtitle]),
  ];
}

function twisty(x: number, y: number, isExpanded: boolean): Mark {
  const points: (readonly [number, number])[] = isExpanded
    ? [
        [x, y - 2],
        [x + 4, y + 2],
        [x + 8, y - 2],
      ]
    : [
        [x + 2, y - 4],
        [x + 6, y],
        [x + 2, y + 4],
      ];
  return pathMark(points, 'muted', 1.5);
}

/** The name of a row of an expanded lane, left of the plot. */
function rowName({ left }: Frame, row: RowSlice, y: number, height: number): Mark[] {
  if (row.title === undefined) return [];
  const room = left - MARGIN - 20;
  const note = height < NOTE_HEIGHT ? '' : shorten(row.note ?? '', room, TEXT.tiny, 'sans', 3);
  const middle = y + height / 2 + (note === '' ? 4 : -1);
  return [
    textMark(ROW_TITLE_X, middle, shorten(row.title, room, TEXT.small, 'sans', 3), { size: TEXT.small }),
    ...(note === '' ? [] : [textMark(ROW_TITLE_X, middle + 12, note, { size: TEXT.tiny, ink: 'muted' })]),
  ];
}

function drawRow(
  frame: Frame,
  { axisBreaks, selected }: LanesInput,
  { lane, rowHeight }: LaneLayout,
  { index, row, y }: { readonly index: number; readonly row: RowSlice; readonly y: number },
  notes: Notes | undefined,
  drawing: LanesDrawing,
): void {
  const bars = barsIn(frame, row);
  const labels = barLabels(bars, axisBreaks, rowHeight);
  const where = { laneId: lane.id, row: index };
  const shapes = shapesOf(frame, bars, where, { shape: lane.traits.shape, height: rowHeight }, y);
  for (const { style } of bars) drawing.styles.add(style);
  drawing.hits.push(...shapes.hits);
  drawing.marks.push(
    ...rowName(frame, row, y, rowHeight),
    ...shapes.marks,
    ...(lane.traits.shape === 'bar' ? labelMarks(frame, labels, y, rowHeight) : []),
    ...(selected?.laneId === lane.id ? selectionOutlines(frame, bars, selected, y, rowHeight) : []),
  );
  if (!notes || !lane.traits.isLettered) return;
  // A mark for several ranges shows their number when pointed at: it needs no letter.
  const lettered = bars.flatMap(({ count, range, caption }, k) => {
    const label = elementAt(labels, k);
    return label.place === 'letter' && count === 1 ? [{ x: label.x, range, caption }] : [];
  });
  drawing.topMarks.push(...notes.addRow(frame, lane.title, lettered, y));
}
