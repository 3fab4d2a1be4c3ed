// Ranges marked across all lanes: numbered bands with flags above (conflicts), and labelled bands (a measurement, a
// refused request).
import { counted, formatSize } from '../../iova/format.ts';
import { numberRuns } from '../../iova/number-runs.ts';
import { type PixelSpan, pixelSpanOf } from '../axis/viewport.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { Flag, Mark } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import { NOTE_BADGE_X, NOTE_LINE, NOTE_SIZE, NOTE_TEXT_X } from './notes.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

/** A range with a label below the lanes. Bounds inclusive. */
export interface Band {
  readonly start: bigint;
  readonly last: bigint;
  readonly message: string;
  readonly ink: 'accent' | 'alarm';
}

/** A range with a number, flagged above the plot: a conflict of the list beside it. Bounds inclusive. */
export interface NumberedBand {
  readonly number: number;
  readonly start: bigint;
  readonly last: bigint;
  readonly ink: 'alarm' | 'caution' | 'muted';
  /** What it is: listed below an exported picture, which has no list beside it. */
  readonly message: string;
}

/** A line of the list of a file. */
export interface ListedBand extends Pick<NumberedBand, 'number' | 'ink' | 'message'> {
  /** By what rule, and where it was read: after the message, or below it where there is no room. */
  readonly detail?: string;
}

/** A numbered band in the window, with its pixels of the plot. */
export interface PlacedBand extends NumberedBand, PixelSpan {}

/** Numbers that share a flag, and the pixels of the plot between which the middles of their bands are. */
interface FlagGroup {
  readonly numbers: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly ink: NumberedBand['ink'];
}

export const FLAG_STRIP = 18;
const FLAG_HEIGHT = 16;
const FLAG_WIDTH_MIN = 13;
const FLAG_GAP = 3;
/** Bands that color the lanes below them; with more of them the lanes could not be seen. */
const WASHED_MAX = 12;
/** A band at least this wide has an edge on both sides. */
const TWO_EDGES_WIDTH = 3;
const LINE = 15;
const LABEL_SIZE = TEXT.small;
const LABEL_GAP = 8;
/** Between a message of the list and its detail. */
const DETAIL_GAP = 12;
/** Distance of an outline from what it marks: the line must not cover a range of one pixel. */
const OUTLINE_GAP = 1.5;
/** The most important first. */
const INK_ORDER: readonly NumberedBand['ink'][] = ['alarm', 'caution', 'muted'];

/** The numbered bands in the window, from left to right by their middle. */
export function placeBands({ scale, view }: Frame, bands: readonly NumberedBand[]): PlacedBand[] {
  return bands
    .flatMap((band) => {
      const span = pixelSpanOf(view, scale, band.start, band.last);
      return span ? [{ ...band, ...span }] : [];
    })
    .sort((a, b) => a.x0 + a.x1 - (b.x0 + b.x1) || a.number - b.number);
}

/** The bands through the lanes, to be drawn below them: the colors of the bars have a meaning. Equal ranges once. */
export function washes({ left }: Frame, bands: readonly PlacedBand[], top: number, bottom: number): Mark[] {
  const marks: Mark[] = [];
  const washed = new Set<string>();
  for (const { x0, x1, start, last, ink } of bands) {
    const key = `${start}-${last}`;
    if (washed.has(key)) continue;
    washed.add(key);
    const box = { x: left + x0, y: top - 4, width: x1 - x0, height: bottom - top + 4 };
    // Grey over a range reads as unavailable: a note has only its edges.
    if (washed.size <= WASHED_MAX && ink !== 'muted') marks.push({ type: 'wash', ...box, ink });
    for (const x of x1 - x0 < TWO_EDGES_WIDTH ? [x0] : [x0, x1]) {
      const edge = [
        [left + x, top - 4],
        [left + x, bottom],
      ] as const;
      marks.push(pathMark(edge, ink, 0.75));
    }
  }
  return marks;
}

/** Numbers in a strip above the lanes; neighbours that would touch share a flag. */
export function flags(frame: Frame, bands: readonly PlacedBand[], top: number): { marks: Mark[]; flags: Flag[] } {
  const middle = top + FLAG_STRIP / 2;
  const groups: FlagGroup[] = [];
  for (const { number, x0, x1, ink } of bands) {
    const at = (x0 + x1) / 2;
    let group: FlagGroup = { numbers: [number], from: at, to: at, ink };
    // A group that has grown may touch the one before it, too.
    for (let before = groups.at(-1); before && doTouch(frame, before, group); before = groups.at(-1)) {
      group = joined(before, group);
      groups.pop();
    }
    groups.push(group);
  }
  const placed = groups.map((group) => ({ ...group, ...flagBox(frame, group) }));
  return {
    marks: placed.map(({ x, width, label, ink }) => ({
      type: 'badge',
      x: frame.left + x + width / 2,
      y: middle,
      text: label,
      ink,
    })),
    flags: placed.map(({ x, width, numbers }) => ({
      x: frame.left + x,
      y: middle - FLAG_HEIGHT / 2,
      width,
      height: FLAG_HEIGHT,
      numbers,
    })),
  };
}

/** Where a flag is, in pixels of the plot: in the middle of its bands, but never beyond the plot. */
function flagBox({ view }: Frame, group: FlagGroup): { x: number; width: number; label: string } {
  const label = flagLabel(group.numbers);
  const width = Math.max(FLAG_WIDTH_MIN, textWidth(label, TEXT.tiny, 'bold') + 6);
  const x = (group.from + group.to - width) / 2;
  return { x: Math.max(0, Math.min(view.width - width, x)), width, label };
}

function doTouch(frame: Frame, a: FlagGroup, b: FlagGroup): boolean {
  const left = flagBox(frame, a);
  return flagBox(frame, b).x < left.x + left.width + FLAG_GAP;
}

/** Runs of numbers that a flag lists; of more, the last number is named. */
const FLAG_RUNS = 2;

/** `3`, `3–5` for a run, `3, 7–8` for several, `3, 7 … 21` for many. */
function flagLabel(numbers: readonly number[]): string {
  const runs = numberRuns(numbers);
  const listed = runs.slice(0, FLAG_RUNS).map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`));
  return listed.join(', ') + (runs.length > FLAG_RUNS ? ` … ${numbers.at(-1)}` : '');
}

function joined(a: FlagGroup, b: FlagGroup): FlagGroup {
  return {
    numbers: [...new Set([...a.numbers, ...b.numbers])].sort((x, y) => x - y),
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    ink: INK_ORDER.find((ink) => ink === a.ink || ink === b.ink) ?? a.ink,
  };
}

/**
 * Labelled bands around the lanes, their labels below, on further lines where they would touch. Outlines, never a tint:
 * what is marked must stay as legible as before.
 */
export function labelledBands(
  { left, scale, view }: Frame,
  bands: readonly Band[],
  top: number,
  bottom: number,
): { marks: Mark[]; bottom: number } {
  const marks: Mark[] = [];
  const lineEnds: number[] = [];
  for (const band of bands) {
    const span = pixelSpanOf(view, scale, band.start, band.last);
    if (!span) continue;
    const { x0, x1 } = span;
    const box = {
      x: left + x0 - OUTLINE_GAP,
      y: top - OUTLINE_GAP,
      width: x1 - x0 + 2 * OUTLINE_GAP,
      height: bottom - top + 2 * OUTLINE_GAP,
    };
    marks.push({ type: 'outline', ...box, ink: band.ink });
    const label = `${band.message} · ${formatSize(band.last - band.start + 1n)}`;
    const message = shorten(label, view.width, LABEL_SIZE, 'bold', 8);
    const width = textWidth(message, LABEL_SIZE, 'bold');
    const from = Math.min(view.width - width, Math.max(0, (x0 + x1 - width) / 2));
    let line = lineEnds.findIndex((end) => end < from - LABEL_GAP);
    if (line < 0) line = lineEnds.push(0) - 1;
    lineEnds[line] = from + width;
    const style = { size: LABEL_SIZE, font: 'bold', ink: band.ink, halo: true } as const;
    marks.push(textMark(left + from, bottom + LINE + line * LINE, message, style));
  }
  return { marks, bottom: bottom + lineEnds.length * LINE };
}

/** The messages of numbered bands, for a file: it has no list of conflicts beside it. `more`: how many it does not have. */
export function listBands({ width }: Frame, bands: readonly ListedBand[], top: number, more = 0) {
  const room = width - NOTE_TEXT_X - MARGIN;
  const style = { size: NOTE_SIZE, ink: 'muted' } as const;
  let y = top;
  const marks = bands.flatMap(({ number, ink, message, detail }): Mark[] => {
    y += NOTE_LINE;
    const text = shorten(message, room, NOTE_SIZE, 'sans', 8);
    const made: Mark[] = [
      { type: 'badge', x: NOTE_BADGE_X, y: y - 4, text: `${number}`, ink },
      textMark(NOTE_TEXT_X, y, text, { size: NOTE_SIZE }),
    ];
    if (detail === undefined) return made;
    const taken = textWidth(text, NOTE_SIZE) + DETAIL_GAP;
    const isBelow = taken + textWidth(detail, NOTE_SIZE) > room;
    if (isBelow) y += NOTE_LINE;
    const x = isBelow ? 0 : taken;
    return [...made, textMark(NOTE_TEXT_X + x, y, shorten(detail, room - x, NOTE_SIZE, 'sans', 8), style)];
  });
  if (more > 0) {
    y += NOTE_LINE;
    marks.push(textMark(NOTE_TEXT_X, y, `and ${counted(more, 'more conflict')}, not listed here`, style));
  }
  return { marks, bottom: y > top ? y + 6 : y };
}
