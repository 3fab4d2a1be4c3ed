import { formatSize, groupedHex, isExactSize } from '../../iova/format.ts';
import { ADDRESS_WIDTHS, alignUp, bitLength, IOVA_SPACE, lowestSetBit } from '../../iova/iova.ts';
import type { Scale } from '../axis/scale.ts';
import { pixelOf, pixelOfEdge, type Viewport, visibleRange } from '../axis/viewport.ts';
import { textWidth } from './text-metrics.ts';

/** A mark of the ruler at the border before `edge` (0 … 2^64). */
export interface Tick {
  readonly edge: bigint;
  readonly pixel: number;
  readonly label: string;
  /** The same as a round binary size, '' where it is none. */
  readonly size: string;
  /** Which part of the label is at the tick: its middle, or an end at the borders of the plot. */
  readonly align: 'start' | 'middle' | 'end';
}

export const TICK_FONT_SIZE = 11;
export const TICK_SUB_SIZE = 10;
const GAP = 14;

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

/**
 * The ticks of a view: the borders of the fold's segments first, then powers of two and their multiples, in hex with the
 * binary size beside. Labels never overlap: the less important one is left out.
 */
export function ticks(scale: Scale, view: Viewport): Tick[] {
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
  if (seen.last === IOVA_SPACE - 1n) candidates.push({ edge: IOVA_SPACE, rank: 0 });
  candidates.sort((a, b) => a.rank - b.rank || (a.edge < b.edge ? -1 : 1));

  const placed: (Tick & { from: number; to: number })[] = [];
  for (const { edge } of candidates) {
    const pixel = pixelOfEdge(view, scale, edge);
    if (pixel < -0.5 || pixel > view.width + 0.5) continue;
    const label = edgeLabel(edge);
    const size = edgeSize(edge);
    const width = Math.max(textWidth(label, TICK_FONT_SIZE, 'mono'), textWidth(size, TICK_SUB_SIZE, 'sans'));
    const align = pixel < width / 2 ? 'start' : pixel > view.width - width / 2 ? 'end' : 'middle';
    const from = align === 'start' ? pixel : align === 'end' ? pixel - width : pixel - width / 2;
    if (placed.some((other) => from < other.to + GAP && other.from < from + width + GAP)) continue;
    placed.push({ edge, pixel, label, size, align, from, to: from + width });
  }
  return placed.sort((a, b) => a.pixel - b.pixel).map(({ from: _from, to: _to, ...tick }) => tick);
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
