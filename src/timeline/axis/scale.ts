// A scale lays the 64-bit address space out along one axis. Three coordinate spaces meet here:
//
//   address   bigint, 0 … 2^64−1         what the kernel uses; `edge` = 0 … 2^64, the border before an address
//   world     bigint, 0 … scale.length   the axis of the scale: segments laid end to end
//   pixel     number                     see viewport.ts; only differences of world positions become pixels
//
// Every scale is a list of segments, each linear inside: `linear` has one, `log` one an octave, `fold` one between any
// two neighbouring boundaries. A segment is at least 2^64 × WORLD_GRAIN / 2^64 world units a byte, so every edge has a
// world position of its own and the way back is exact.
import { bitLength, IOVA_MAX, IOVA_SPACE, type Iova, iova } from '../../iova/iova.ts';
import { elementAt } from '../lanes/columns.ts';

const IOVA_MIN = iova(0n);

export type ScaleKind = 'fold' | 'linear' | 'log';

/** A part of the axis. `start` inclusive, `end` exclusive (an edge, up to 2^64). */
export interface Segment {
  readonly start: bigint;
  readonly end: bigint;
  /** Width relative to the other segments, positive. */
  readonly weight: number;
  /** True if the segment is compressed so much that the picture must show an axis break. */
  readonly isAxisBreak: boolean;
}

interface Placed extends Segment {
  /** World position of `start`, and length in world units. */
  readonly base: bigint;
  readonly length: bigint;
}

export interface Scale {
  readonly kind: ScaleKind;
  readonly segments: readonly Placed[];
  /** World length of the whole axis. */
  readonly length: bigint;
}

const WORLD_SHIFT = 64n;
const WORLD_GRAIN = 16;

/** Lays segments end to end. They must cover 0 … 2^64 in order without a gap. */
export function makeScale(kind: ScaleKind, segments: readonly Segment[]): Scale {
  let base = 0n;
  const placed = segments.map((segment) => {
    const length = BigInt(Math.max(1, Math.round(segment.weight * WORLD_GRAIN))) << WORLD_SHIFT;
    const result: Placed = { ...segment, base, length };
    base += length;
    return result;
  });
  return { kind, segments: placed, length: base };
}

export function linearScale(): Scale {
  return makeScale('linear', [{ start: 0n, end: IOVA_SPACE, weight: 1280, isAxisBreak: false }]);
}

/** Powers of two at equal distances, linear inside each octave; below `from` (a power of two) linear down to zero. */
export function logScale(from = 1n << 12n): Scale {
  const segments: Segment[] = [{ start: 0n, end: from, weight: 20, isAxisBreak: false }];
  for (let start = from; start < IOVA_SPACE; start <<= 1n) {
    segments.push({ start, end: start << 1n, weight: 20, isAxisBreak: false });
  }
  return makeScale('log', segments);
}

/** The last of the segments for which `isAtOrBefore` holds; the first one if there is none. O(log segments). */
function lastIndexWhere({ segments }: Scale, isAtOrBefore: (segment: Placed) => boolean): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (isAtOrBefore(elementAt(segments, middle))) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the segment that holds `edge`; the last one for 2^64. */
export function segmentAt(scale: Scale, edge: bigint): number {
  return lastIndexWhere(scale, ({ start }) => start <= edge);
}

/** The segment that holds a world position; the first or the last one for positions outside. */
function segmentAtWorld(scale: Scale, world: bigint): Placed {
  return elementAt(
    scale.segments,
    lastIndexWhere(scale, ({ base }) => base <= world),
  );
}

/** World position of an edge, 0 … 2^64. Strictly increasing. */
export function toWorld(scale: Scale, edge: bigint): bigint {
  const s = elementAt(scale.segments, segmentAt(scale, edge));
  return s.base + ((edge - s.start) * s.length) / (s.end - s.start);
}

/** The address whose byte covers a world position; positions outside give the first or the last address. */
export function toAddress(scale: Scale, world: bigint): Iova {
  if (world <= 0n) return IOVA_MIN;
  if (world >= scale.length) return IOVA_MAX;
  const s = segmentAtWorld(scale, world);
  // The largest offset whose floored world position is not beyond `world`: the ceiling of the quotient, less one.
  const numerator = (world - s.base + 1n) * (s.end - s.start);
  // In the segment, so an address: called for every mark of every frame, so it is not checked again.
  return (s.start + (numerator + s.length - 1n) / s.length - 1n) as Iova;
}

/** World units that one byte takes at a world position (rounded to a double: for limits, not for positions). */
export function unitsPerByte(scale: Scale, world: bigint): number {
  const s = segmentAtWorld(scale, world);
  return Number(s.length) / Number(s.end - s.start);
}

/** What the fold scale needs to know of the ranges. `edge`s: start inclusive, end exclusive. */
export interface FoldInput {
  /** Edges that must stay visible, in any order, with duplicates. */
  readonly edges: Iterable<bigint>;
  /** True if something other than background covers any of it. */
  isOccupied(start: bigint, end: bigint): boolean;
}

const EMPTY_WEIGHT = { base: 58, perBit: 1.6 };
const OCCUPIED_WEIGHT = { base: 66, perBit: 5 };
const AXIS_BREAK_RATIO = 4;

function sizeBits(size: bigint): number {
  return Math.max(0, bitLength(size) - 12);
}

/** The fold scale: a segment between any two neighboring edges, wide if something covers it, narrow if nothing does. */
export function foldScale(input: FoldInput): Scale {
  const edges = [...new Set([0n, ...input.edges, IOVA_SPACE])].sort((a, b) => (a < b ? -1 : 1));
  const raw = edges.slice(1).map((end, i) => {
    const start = elementAt(edges, i);
    const occupied = input.isOccupied(start, end);
    const { base, perBit } = occupied ? OCCUPIED_WEIGHT : EMPTY_WEIGHT;
    const weight = base + perBit * sizeBits(end - start);
    return { start, end, weight, occupied, bytesPerWeight: Number(end - start) / weight };
  });
  const densities = raw.filter((s) => s.occupied).map((s) => s.bytesPerWeight);
  densities.sort((a, b) => a - b);
  const typical = densities[densities.length >> 1];
  return makeScale(
    'fold',
    raw.map(({ start, end, weight, occupied, bytesPerWeight }) => ({
      start,
      end,
      weight,
      isAxisBreak: !occupied && typical !== undefined && bytesPerWeight > typical * AXIS_BREAK_RATIO,
    })),
  );
}
