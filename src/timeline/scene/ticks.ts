import { formatSize, groupedHex, isExactSize } from '../../iova/format.ts';
import { ADDRESS_WIDTHS, alignUp, bitLength, IOVA_SPACE, lowestSetBit } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { Scale } from '../axis/scale.ts';
import { pixelOf, pixelOfEdge, type Viewport, visibleRange } from '../axis/viewport.ts';
import { textWidth } from './text-metrics.ts';
import { TEXT } from './tokens.ts';

/** A mark of the ruler at the border before `edge` (0 … 2^64). */
export interface Tick {
  readonly edge: bigint;
  readonly pixel: number;
  readonly label: string;
  /** The same as a round binary size, '' where it is none. */
  readonly size: string;
  /** Which part of the label is at the tick: its middle, or an end at the borders of the plot. */
  readonly align: 'start' | 'middle' | 'end';
  /** The upper or the lower line of the ruler. */
  readonly line: 0 | 1;
  /** True for a bound of a range that a person looks for: it is emphasized. */
  readonly isBound: boolean;
}

export const TICK_FONT_SIZE = TEXT.small;
export const TICK_SUB_SIZE = TEXT.tiny;
const GAP = 14;
/** Least distance between the labels of bounds. */
const BOUND_GAP = 7;

interface Candidate {
  readonly edge: bigint;
  /** Lower is more important. */
  readonly rank: number;
}

export function edgeLabel(edge: bigint): string {
  return edge === IOVA_SPACE ? '2^64' : groupedHex(edge);
}

function edgeSize(edge: bigint): string {
  if (edge === 0n || edge < 1024n || !isExactSize(edge)) return '';
  const size = formatSize(edge);
  return /\.|\d{4}/.test(size) ? '' : size;
}

/** Multiples of a power of two inside a segment, spaced so that labels have room; roundest first. */
function* multiples(scale: Scale, view: Viewport, index: number): Generator<Candidate> {
  const segment = scale.segments[index];
  if (!segment) return;
  const seen = visibleRange(view, scale);
  const from = segment.start > seen.start ? segment.start : seen.start;
  const to = segment.end <= seen.last ? segment.end : seen.last + 1n;
  if (from >= to) return;
  const pixels = Math.abs(pixelOf(view, segment.base + segment.length) - pixelOf(view, segment.base));
  const pixelsPerByte = pixels / Number(segment.end - segment.start);
  const room = textWidth(edgeLabel(to - 1n), TICK_FONT_SIZE, 'mono') + GAP;
  const exponent = Math.max(0, Math.ceil(Math.log2(room / pixelsPerByte)));
  if (exponent > 63) return;
  const step = 1n << BigInt(exponent);
  for (let edge = alignUp(from, step); edge < to; edge += step) {
    if (edge === segment.start) continue;
    yield { edge, rank: 100 - Math.min(64, edge === 0n ? 64 : bitLength(lowestSetBit(edge))) };
  }
}

type Align = Tick['align'];

/** Pixels that a text takes on one of the two lines of the ruler. */
interface Taken {
  readonly line: 0 | 1;
  readonly from: number;
  readonly to: number;
}

function spanOf(pixel: number, align: Align, width: number): { readonly from: number; readonly to: number } {
  const from = align === 'start' ? pixel : align === 'end' ? pixel - width : pixel - width / 2;
  return { from, to: from + width };
}

/** Ticks that have a place: texts never overlap. */
class TickRow {
  readonly #scale: Scale;
  readonly #view: Viewport;
  readonly #ticks: Tick[] = [];
  readonly #taken: Taken[] = [];

  constructor(scale: Scale, view: Viewport) {
    this.#scale = scale;
    this.#view = view;
  }

  #isFree(line: 0 | 1, { from, to }: { readonly from: number; readonly to: number }, gap: number): boolean {
    return !this.#taken.some((other) => other.line === line && from < other.to + gap && other.from < to + gap);
  }

  /** Undefined if it is outside of the window or there already. */
  #newPixel(edge: bigint): number | undefined {
    const pixel = pixelOfEdge(this.#view, this.#scale, edge);
    const isOutside = pixel < -0.5 || pixel > this.#view.width + 0.5;
    return isOutside || this.#ticks.some((tick) => tick.edge === edge) ? undefined : pixel;
  }

  #alignAt(pixel: number, width: number): Align {
    return pixel < width / 2 ? 'start' : pixel > this.#view.width - width / 2 ? 'end' : 'middle';
  }

  /** A round address with its size below, if there is room for both. */
  add(edge: bigint): void {
    const pixel = this.#newPixel(edge);
    if (pixel === undefined) return;
    const label = edgeLabel(edge);
    const size = edgeSize(edge);
    const width = Math.max(textWidth(label, TICK_FONT_SIZE, 'mono'), textWidth(size, TICK_SUB_SIZE, 'sans'));
    const align = this.#alignAt(pixel, width);
    const span = spanOf(pixel, align, width);
    if (!this.#isFree(0, span, GAP) || (size !== '' && !this.#isFree(1, span, GAP))) return;
    this.#ticks.push({ edge, pixel, label, size, align, line: 0, isBound: false });
    this.#taken.push({ line: 0, ...span });
    if (size !== '') this.#taken.push({ line: 1, ...span });
  }

  /** A bound: beside its tick or on the second line if there is no room otherwise. */
  addBound(edge: bigint, away: Align): void {
    const pixel = this.#newPixel(edge);
    if (pixel === undefined) return;
    const label = edgeLabel(edge);
    const width = textWidth(label, TICK_FONT_SIZE, 'mono-bold');
    for (const line of [0, 1] as const) {
      for (const align of [this.#alignAt(pixel, width), away]) {
        const span = spanOf(pixel, align, width);
        if (span.from < 0 || span.to > this.#view.width || !this.#isFree(line, span, BOUND_GAP)) continue;
        this.#ticks.push({ edge, pixel, label, size: '', align, line, isBound: true });
        this.#taken.push({ line, ...span });
        return;
      }
    }
  }

  ticks(): Tick[] {
    return this.#ticks.sort((a, b) => a.pixel - b.pixel);
  }
}

/**
 * The ticks of a view: address 0, both bounds of each of `ranges` (those that a person looks for, the most important
 * first), the end of the space, the borders of the fold's segments, then powers of two and their multiples, in hex with
 * the binary size beside. Labels never overlap: the less important one is left out.
 */
export function ticks(scale: Scale, view: Viewport, ranges: readonly IovaRange[] = []): Tick[] {
  const seen = visibleRange(view, scale);
  const candidates: Candidate[] = [];
  for (const [i, segment] of scale.segments.entries()) {
    if (segment.end < seen.start || segment.start > seen.last) continue;
    const before = scale.segments[i - 1];
    // In a fold the borders of occupied segments matter most; in a log scale the roundest powers of two.
    const rank =
      scale.kind === 'fold'
        ? !segment.isAxisBreak || !before || before.isAxisBreak
          ? segment.isAxisBreak
            ? 2
            : 1
          : 3
        : 40 - (bitLength(segment.start) % 10 === 1 ? 20 : bitLength(segment.start) % 4 === 1 ? 10 : 0);
    candidates.push({ edge: segment.start, rank }, ...multiples(scale, view, i));
  }
  candidates.sort((a, b) => a.rank - b.rank || (a.edge < b.edge ? -1 : 1));

  const row = new TickRow(scale, view);
  if (seen.start === 0n) row.add(0n);
  for (const { start, last } of ranges) {
    if (start > seen.last || last < seen.start) continue;
    row.addBound(start, 'end');
    row.addBound(last + 1n, 'start');
  }
  if (seen.last === IOVA_SPACE - 1n) row.add(IOVA_SPACE);
  for (const { edge } of candidates) row.add(edge);
  return row.ticks();
}

/** Where the addresses of an IOMMU with `bits` address bits end. */
export interface WidthMark {
  readonly bits: number;
  readonly pixel: number;
}

/** The most common widths first: they are kept if there is no room for all. */
const BY_IMPORTANCE = [...new Set([48, 39, 57, 52, 46, ...ADDRESS_WIDTHS])];
const WIDTH_GAP = 4;

/** Marks for common address widths, ascending, as far as their numbers have room. None in a fold scale. */
export function widthMarks(scale: Scale, view: Viewport): WidthMark[] {
  if (scale.kind === 'fold') return [];
  const placed: WidthMark[] = [];
  const room = textWidth('00', TICK_SUB_SIZE);
  for (const bits of BY_IMPORTANCE) {
    const pixel = pixelOfEdge(view, scale, 1n << BigInt(bits));
    if (pixel < room / 2 || pixel > view.width - room / 2) continue;
    if (placed.some((other) => Math.abs(other.pixel - pixel) < room + WIDTH_GAP)) continue;
    placed.push({ bits, pixel });
  }
  return placed.sort((a, b) => a.bits - b.bits);
}
