// Lanes one below the other: headings of address spaces, names of lanes, and their rows.
import type { LaneSlice, RowSlice, SpaceSlice } from '../axis/slice.ts';
import type { AxisBreak } from './axis-breaks.ts';
import { barLabels, barsIn, labelMarks, selectionOutlines, shapesOf } from './bars.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { HitArea, LaneHead, Mark, Target } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import type { Notes } from './notes.ts';
import type { StyleName } from './styles.ts';
import { shorten, textWidth } from './text-metrics.ts';

const LANE_PADDING = 9;
const ROW_GAP = 4;
const LANE_HEIGHT_MIN = 40;
/** Room for the lane's title above its rows when it is expanded. */
const TITLE_LINE = 18;
const TWISTY_WIDTH = 13;
/** Distance that text left of the plot keeps from it. */
const PLOT_GAP = 8;
const ROW_TITLE_X = 26;

export interface LanesInput {
  readonly spaces: readonly SpaceSlice[];
  readonly axisBreaks: readonly AxisBreak[];
  readonly selected: Pick<Target, 'laneId' | 'start' | 'last'> | undefined;
  /** True if a lane's name carries a sign that it can be expanded: a file cannot be. */
  readonly hasTwisties: boolean;
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
  let y = top;
  for (const space of input.spaces) {
    if (input.spaces.length > 1) {
      drawing.topMarks.push(...spaceHeading(frame, space, y + 8));
      y += 34;
    }
    for (const lane of space.lanes) y = drawLane(frame, input, lane, notes, drawing, y);
  }
  return y;
}

function spaceHeading({ width }: Frame, space: SpaceSlice, y: number): Mark[] {
  const room = width - 2 * MARGIN;
  const title = shorten(space.title, room, 12.5, 'bold', 8);
  const used = textWidth(title, 12.5, 'bold') + 14;
  const subtitle = shorten(space.subtitle, room - used, 10.5);
  return [
    { type: 'fill', x: 0, y, width, height: 22, ink: 'hairline' },
    textMark(MARGIN, y + 15, title, { size: 12.5, font: 'bold' }),
    ...(subtitle === '' ? [] : [textMark(MARGIN + used, y + 15, subtitle, { size: 10.5, ink: 'muted' })]),
  ];
}

function drawLane(
  frame: Frame,
  input: LanesInput,
  lane: LaneSlice,
  notes: Notes,
  drawing: LanesDrawing,
  top: number,
): number {
  const { height } = lane.traits;
  const isExpanded = lane.expandable && lane.expanded;
  let y = top + LANE_PADDING + (isExpanded ? TITLE_LINE : 0);
  for (const [index, row] of lane.rows.entries()) {
    drawRow(frame, input, lane, { index, row, y }, notes, drawing);
    y += height + ROW_GAP;
  }
  if (lane.rows.length === 0) y += height + ROW_GAP;
  const bottom = Math.max(y - ROW_GAP + LANE_PADDING, top + LANE_HEIGHT_MIN);
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
  return bottom;
}

/** The name of a lane, left of the plot. */
function laneName({ left }: Frame, lane: LaneSlice, top: number, hasTwisties: boolean): Mark[] {
  const room = left - MARGIN - PLOT_GAP;
  const hasTwisty = lane.expandable && hasTwisties;
  const indent = hasTwisty ? TWISTY_WIDTH : 0;
  const y = top + LANE_PADDING + 10;
  const title = shorten(lane.title, room - indent, 12, 'bold');
  const subtitle = textMark(MARGIN, y + 14, shorten(lane.subtitle, room, 10), { size: 10, ink: 'muted' });
  return [
    ...(hasTwisty ? [twisty(MARGIN, y - 4, lane.expanded)] : []),
    textMark(MARGIN + indent, y, title, { size: 12, font: 'bold' }),
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
  const note = shorten(row.note ?? '', room, 9.5, 'sans', 3);
  const middle = y + height / 2 + (note === '' ? 4 : -1);
  return [
    textMark(ROW_TITLE_X, middle, shorten(row.title, room, 10.5, 'sans', 3), { size: 10.5 }),
    ...(note === '' ? [] : [textMark(ROW_TITLE_X, middle + 12, note, { size: 9.5, ink: 'muted' })]),
  ];
}

function drawRow(
  frame: Frame,
  { axisBreaks, selected }: LanesInput,
  lane: LaneSlice,
  { index, row, y }: { readonly index: number; readonly row: RowSlice; readonly y: number },
  notes: Notes,
  drawing: LanesDrawing,
): void {
  const { height, isLettered } = lane.traits;
  const bars = barsIn(frame, row);
  const labels = barLabels(frame, bars, axisBreaks, height);
  const shapes = shapesOf(frame, bars, { laneId: lane.id, row: index }, lane.traits, y);
  for (const { style } of bars) drawing.styles.add(style);
  drawing.hits.push(...shapes.hits);
  drawing.marks.push(
    ...rowName(frame, row, y, height),
    ...shapes.marks,
    ...labelMarks(frame, labels, y, height),
    ...(selected?.laneId === lane.id ? selectionOutlines(frame, bars, selected, y, height) : []),
  );
  // A mark for several ranges shows their number when pointed at: it needs no letter.
  const lettered = bars.flatMap(({ count, range, caption }, k) => {
    const label = labels[k];
    return label?.place === 'number' && count === 1 ? [{ x: label.x, range, caption }] : [];
  });
  if (isLettered) drawing.topMarks.push(...notes.addRow(frame, lane.title, lettered, y));
}
