// A picture from its parts: heading, ruler, lanes, bands, legend, table. Every part returns marks and its bottom.
import { counted } from '../../iova/format.ts';
import type { Scale } from '../axis/scale.ts';
import type { SpaceSlice } from '../axis/slice.ts';
import type { Viewport } from '../axis/viewport.ts';
import { drawAxisBreaks, findAxisBreaks } from './axis-breaks.ts';
import {
  type Band,
  FLAG_STRIP,
  flags,
  labelledBands,
  listBands,
  type NumberedBand,
  placeBands,
  washes,
} from './bands.ts';
import { type BoundsLine, boundsTable } from './bounds-table.ts';
import { heading } from './heading.ts';
import { drawLanes, type LanesDrawing } from './lanes.ts';
import { frameOf } from './layout.ts';
import { legend } from './legend.ts';
import type { Scene, Target } from './mark.ts';
import { Notes } from './notes.ts';
import { gridLines, ruler } from './ruler.ts';

export interface SceneInput {
  readonly title: string;
  readonly subtitle: string;
  readonly scale: Scale;
  /** The window; its width is that of the plot (`plotWidth`). */
  readonly view: Viewport;
  readonly spaces: readonly SpaceSlice[];
  /** Width of the whole picture. */
  readonly width: number;
  readonly selected?: Pick<Target, 'laneId' | 'start' | 'last'> | undefined;
  readonly bands?: readonly Band[] | undefined;
  /** In the order of their numbers. */
  readonly numbered?: readonly NumberedBand[] | undefined;
  /** For exported pictures: the exact bounds as a table below. */
  readonly bounds?: readonly BoundsLine[] | undefined;
}

const BELOW_LANES = 18;
const BOTTOM_MARGIN = 8;

/** Lays the slices out as a flat list of marks. Pure: the same input gives the same picture everywhere. */
export function buildScene(input: SceneInput): Scene {
  const { title, subtitle, scale, view, spaces, width, selected, bands = [], numbered = [], bounds } = input;
  const frame = frameOf(width, scale, view);
  const axisBreaks = findAxisBreaks(frame);
  const placedBands = placeBands(frame, numbered);
  const isFile = bounds !== undefined;

  const head = heading(frame, title, subtitle);
  const top = ruler(frame, head.bottom, axisBreaks.length > 0);
  const plotTop = top.bottom + (placedBands.length > 0 ? FLAG_STRIP : 0);
  const notes = new Notes();
  const lanes: LanesDrawing = { marks: [], topMarks: [], hits: [], heads: [], styles: new Set() };
  const plotBottom = drawLanes(frame, { spaces, axisBreaks, selected, hasTwisties: !isFile }, notes, lanes, plotTop);
  const flagged = flags(frame, placedBands, top.bottom);
  const labelled = labelledBands(frame, bands, plotTop, plotBottom);
  const noteList = notes.list(frame, labelled.bottom + BELOW_LANES);
  const bandList = listBands(frame, isFile ? numbered : [], noteList.bottom);
  const legendPart = legend(frame, lanes.styles, bandList.bottom);
  const table = boundsTable(frame, bounds ?? [], legendPart.bottom);
  return {
    width,
    height: Math.ceil(table.bottom + BOTTOM_MARGIN),
    plot: { x: frame.left, y: plotTop, width: view.width, height: plotBottom - plotTop },
    marks: [
      ...head.marks,
      ...top.marks,
      ...gridLines(frame, top.ticks, plotTop, plotBottom),
      ...washes(frame, placedBands, plotTop, plotBottom),
      ...lanes.marks,
      ...drawAxisBreaks(frame, axisBreaks, top.bottom, plotTop, plotBottom),
      ...lanes.topMarks,
      ...flagged.marks,
      ...labelled.marks,
      ...noteList.marks,
      ...bandList.marks,
      ...legendPart.marks,
      ...table.marks,
    ],
    hits: lanes.hits,
    heads: lanes.heads,
    flags: flagged.flags,
    description: descriptionOf(title, spaces),
  };
}

/** One sentence for those who cannot see the picture. */
function descriptionOf(title: string, spaces: readonly SpaceSlice[]): string {
  const lanes = spaces.flatMap((space) => space.lanes.map((lane) => `${lane.title} ${counted(lane.total, 'range')}`));
  return `${title}: ${lanes.join(', ')}`;
}
