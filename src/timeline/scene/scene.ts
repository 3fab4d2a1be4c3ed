// A picture from its parts: heading, ruler, lanes, bands, legend, table. Every part returns marks and its bottom.
import { counted } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { Scale } from '../axis/scale.ts';
import type { SpaceSlice } from '../axis/slice.ts';
import type { Viewport } from '../axis/viewport.ts';
import { elementAt, rangeAt } from '../lanes/columns.ts';
import { answerCard, type SceneAnswer } from './answer-card.ts';
import { drawAxisBreaks, findAxisBreaks } from './axis-breaks.ts';
import {
  type Band,
  FLAG_STRIP,
  flags,
  type ListedBand,
  labelledBands,
  listBands,
  type NumberedBand,
  placeBands,
  washes,
} from './bands.ts';
import { type BoundsList, boundsTable } from './bounds-table.ts';
import { heading } from './heading.ts';
import type { VerticalSpan } from './lane-layout.ts';
import { drawLanes, type LanesDrawing } from './lanes.ts';
import { frameOf } from './layout.ts';
import { legend } from './legend.ts';
import type { Mark, Scene, Target } from './mark.ts';
import { Notes } from './notes.ts';
import { paragraphs } from './paragraphs.ts';
import { gridLines, ruler } from './ruler.ts';
import { type StyleName, styleAt } from './style-names.ts';

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
  /** For exported pictures: the conflicts below, also those without a band; the bands themselves if left out. */
  readonly listed?: { readonly bands: readonly ListedBand[]; readonly more: number } | undefined;
  /** For exported pictures: the exact bounds as a table below. */
  readonly bounds?: BoundsList | undefined;
  /** For exported pictures: what was found, at the top. */
  readonly answer?: SceneAnswer | undefined;
  /** For exported pictures: what they do not show, one entry a lane (`cutLanes`). */
  readonly leftOut?: readonly string[] | undefined;
  /** For exported pictures: what a person wrote, in paragraphs. */
  readonly notes?: readonly string[] | undefined;
  /** For exported pictures: the moment, the model, the kernel, the program, at the bottom. */
  readonly footer?: readonly string[] | undefined;
  /** The part that is seen, for the screen: of long lanes only these rows are drawn. Everything if left out. */
  readonly seen?: VerticalSpan | undefined;
}

const BELOW_LANES = 18;
const BOTTOM_MARGIN = 8;
/** Reserved regions whose bounds are looked at for the ruler. */
const RULER_RANGES_MAX = 200;

/** Lays the slices out as a flat list of marks. Pure: the same input gives the same picture everywhere. */
export function buildScene(input: SceneInput): Scene {
  const { title, subtitle, scale, view, spaces, width, selected, bands = [], numbered = [], bounds, seen } = input;
  const frame = frameOf(width, scale, view);
  const axisBreaks = findAxisBreaks(frame);
  const placedBands = placeBands(frame, numbered);
  const isFile = bounds !== undefined;

  const head = heading(frame, title, subtitle);
  const card = answerCard(frame, input.answer, head.bottom);
  const written = paragraphs(frame, input.notes ?? [], card.bottom);
  const top = ruler(frame, written.bottom, axisBreaks.length > 0, reservedRanges(spaces));
  const plotTop = top.bottom + (placedBands.length > 0 ? FLAG_STRIP : 0);
  const notes = new Notes();
  const lanes: LanesDrawing = { marks: [], topMarks: [], hits: [], heads: [], styles: new Set() };
  const plotBottom = drawLanes(
    frame,
    { spaces, axisBreaks, selected, hasTwisties: !isFile, seen },
    notes,
    lanes,
    plotTop,
  );
  const flagged = flags(frame, placedBands, top.bottom);
  const labelled = labelledBands(frame, bands, plotTop, plotBottom);
  const { leftOut: missing = [] } = input;
  const notShown = missing.length > 0 ? [`Not in this picture: ${missing.join('; ')}.`] : [];
  const leftOut = paragraphs(frame, notShown, labelled.bottom);
  const noteList = notes.list(frame, leftOut.bottom + BELOW_LANES);
  const { bands: listed, more } = input.listed ?? { bands: isFile ? numbered : [], more: 0 };
  const bandList = listBands(frame, listed, noteList.bottom, more);
  const legendPart = legend(frame, lanes.styles, bandList.bottom);
  const table = boundsTable(frame, bounds ?? { lines: [], total: 0 }, legendPart.bottom);
  const footer = paragraphs(frame, input.footer ?? [], table.bottom, 'muted');
  const breakMarks = drawAxisBreaks(frame, axisBreaks, top.bottom, plotTop, plotBottom);
  const body: Mark[] = [
    ...head.marks,
    ...card.marks,
    ...written.marks,
    ...gridLines(frame, top.ticks, plotTop, plotBottom),
    ...washes(frame, placedBands, plotTop, plotBottom),
    ...lanes.marks,
    ...breakMarks.filter(({ type }) => type === 'path'),
    ...labelled.marks,
    ...lanes.topMarks,
    ...leftOut.marks,
    ...noteList.marks,
    ...bandList.marks,
    ...legendPart.marks,
    ...table.marks,
    ...footer.marks,
  ];
  const pinned = [...top.marks, ...breakMarks.filter(({ type }) => type !== 'path'), ...flagged.marks];
  return {
    width,
    height: Math.ceil(footer.bottom + BOTTOM_MARGIN),
    plot: { x: frame.left, y: plotTop, width: view.width, height: plotBottom - plotTop },
    marks: [...body, ...pinned],
    pinned: { from: body.length, top: written.bottom, bottom: plotTop },
    hits: lanes.hits,
    heads: lanes.heads,
    flags: flagged.flags,
    description: descriptionOf(title, spaces),
  };
}

/** The regions that a person looks for first on the ruler; the others follow in the order of the lanes. */
const RULER_FIRST: readonly StyleName[] = ['msi', 'direct'];

/** What a person looks for on the ruler: the regions that block mappings, each once. */
function reservedRanges(spaces: readonly SpaceSlice[]): IovaRange[] {
  const found = new Map<string, { readonly range: IovaRange; readonly rank: number }>();
  const rows = spaces.flatMap(({ lanes }) => lanes.flatMap(({ kind, rows }) => (kind === 'reserved' ? rows : [])));
  for (const row of rows) {
    for (let i = 0; i < row.starts.length && found.size < RULER_RANGES_MAX; i++) {
      const range = rangeAt(row, i);
      const style = styleAt(elementAt(row.styles, i));
      if (!range || elementAt(row.counts, i) > 1 || style === 'beyond') continue;
      const place = RULER_FIRST.indexOf(style);
      found.set(`${range.start}-${range.last}`, { range, rank: place < 0 ? RULER_FIRST.length : place });
    }
  }
  return [...found.values()].sort((a, b) => a.rank - b.rank).map(({ range }) => range);
}

/** One sentence for those who cannot see the picture. */
function descriptionOf(title: string, spaces: readonly SpaceSlice[]): string {
  const lanes = spaces.flatMap((space) => space.lanes.map((lane) => `${lane.title} ${counted(lane.total, 'range')}`));
  return `${title}: ${lanes.join(', ')}`;
}
