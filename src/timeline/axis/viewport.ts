// Which part of the axis the window shows. One exact anchor, a world position at a fixed pixel, and a scale factor:
//
//        world   anchor ─────┐
//        pixel  0 ······ anchorPixel ······ width
//
// Positions are subtracted as bigints first and only the difference becomes a number, so nothing near the anchor loses
// a bit at any zoom. Zooming moves the anchor under the cursor and then changes `unitsPerPixel` alone: however often a
// person zooms in and out at one place, the address under the cursor stays the same byte.
import { IOVA_MAX, type Iova, iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { roundestAddress } from './measure.ts';
import { type Scale, toAddress, toWorld, unitsPerByte } from './scale.ts';

export interface Viewport {
  readonly anchor: bigint;
  readonly anchorPixel: number;
  /** World units per pixel, positive. */
  readonly unitsPerPixel: number;
  /** Plot width in pixels. */
  readonly width: number;
}

/** At the deepest zoom a byte is this wide. */
const PIXELS_PER_BYTE_MAX = 64;
const SLIVER = 0.001;
/** Relative error of a distance in world units that was computed with doubles. */
const ROUNDING = 2 ** -50;

export function pixelOf(view: Viewport, world: bigint): number {
  return view.anchorPixel + Number(world - view.anchor) / view.unitsPerPixel;
}

/** Differences below this are rounding, not movement: re-anchoring for them would lose the byte under the cursor. */
const PIXEL_TOLERANCE = 1e-6;

/**
 * The world position at a pixel of an axis. At the pixel of the axis' end it is exactly that end: the rounded scale
 * factor would miss it by a few units, and with it the last byte of the space.
 */
function positionAt(view: Viewport, scale: Scale, pixel: number): bigint {
  return Math.abs(pixelOf(view, scale.length) - pixel) < PIXEL_TOLERANCE ? scale.length : worldAt(view, pixel);
}

export function worldAt(view: Viewport, pixel: number): bigint {
  return view.anchor + BigInt(Math.round((pixel - view.anchorPixel) * view.unitsPerPixel));
}

/** Pixel of the border before an address; `edge` may be 2^64. */
export function pixelOfEdge(view: Viewport, scale: Scale, edge: bigint): number {
  return pixelOf(view, toWorld(scale, edge));
}

/** Pixels of the plot, from its left edge: `x0` inclusive, `x1` exclusive. */
export interface PixelSpan {
  readonly x0: number;
  readonly x1: number;
}

/**
 * The pixels that show the addresses from `start` to `last`, inclusive; undefined if they are outside of the window. At
 * least one pixel, and inside the plot, so that everything that exists is visible, up to the last address.
 */
export function pixelSpanOf(view: Viewport, scale: Scale, start: bigint, last: bigint): PixelSpan | undefined {
  const from = pixelOfEdge(view, scale, start);
  const to = pixelOfEdge(view, scale, last + 1n);
  // Rounding may put the edge of the space just beyond the edge of the window.
  if (from > view.width + SLIVER || (to < SLIVER && from < -SLIVER)) return undefined;
  const x0 = Math.max(0, Math.min(from, view.width - 1));
  return { x0, x1: Math.min(view.width, Math.max(to, x0 + 1)) };
}

/** The address whose byte is drawn at a pixel. */
export function addressAt(view: Viewport, scale: Scale, pixel: number): Iova {
  return toAddress(scale, positionAt(view, scale, pixel));
}

/** The visible addresses for drawing, clipped to the space and rounded outwards by a thousandth of a pixel. */
export function visibleRange(view: Viewport, scale: Scale): IovaRange {
  return { start: addressAt(view, scale, -SLIVER), last: addressAt(view, scale, view.width + SLIVER) };
}

/**
 * The visible addresses for people and links: a bound that was put on the border of the window is exact, so that a range
 * that is fitted without room is the one that is read back.
 */
export function boundsInView(view: Viewport, scale: Scale): IovaRange {
  const first = borderAt(view, scale, 0);
  const end = borderAt(view, scale, view.width);
  const start = 'edge' in first ? first.edge : first.inside;
  const last = 'edge' in end ? end.edge - 1n : end.inside;
  return { start: iova(start), last: iova(last < start ? start : last) };
}

/** The edge at a pixel of the window's border, as exactly as the scale factor says it, or the byte that is cut there. */
function borderAt(view: Viewport, scale: Scale, pixel: number): { readonly edge: bigint } | { readonly inside: Iova } {
  const world = worldAt(view, pixel);
  const slack = BigInt(Math.ceil(Math.abs(pixel - view.anchorPixel) * view.unitsPerPixel * ROUNDING)) + 1n;
  if (world + slack >= scale.length) return { inside: IOVA_MAX };
  if (world <= slack) return { edge: 0n };
  const [before, behind] = [toAddress(scale, world - slack), toAddress(scale, world + slack)];
  return before === behind ? { inside: before } : { edge: roundestAddress(before + 1n, behind) };
}

export function fitAll(scale: Scale, width: number): Viewport {
  return { anchor: 0n, anchorPixel: 0, unitsPerPixel: Number(scale.length) / Math.max(1, width), width };
}

/** Shows a range with some room on both sides; `room` is a fraction of the width. */
export function fitRange(scale: Scale, r: IovaRange, width: number, room = 0.08): Viewport {
  const from = toWorld(scale, r.start);
  const length = toWorld(scale, r.last + 1n) - from;
  const margin = width * room;
  const unitsPerPixel = Number(length) / Math.max(1, width - 2 * margin);
  return clamp(scale, { anchor: from, anchorPixel: margin, unitsPerPixel, width });
}

/** Moves the picture by pixels; positive moves it right, towards lower addresses. */
export function pan(scale: Scale, view: Viewport, pixels: number): Viewport {
  return clamp(scale, { ...view, anchorPixel: view.anchorPixel + pixels });
}

/** Zooms by `factor` (above 1: in) and keeps the address under `pixel` where it is. */
export function zoomAt(scale: Scale, view: Viewport, pixel: number, factor: number): Viewport {
  const anchor = view.anchorPixel === pixel ? view.anchor : positionAt(view, scale, pixel);
  const { min, max } = zoomLimits(scale, view.width, anchor);
  const wanted = view.unitsPerPixel / factor;
  const unitsPerPixel = Math.min(max, Math.max(min, wanted));
  return clamp(scale, { ...view, anchor, anchorPixel: pixel, unitsPerPixel });
}

/** The same window with another width: the left edge stays where it is, unless everything was visible. */
export function resize(scale: Scale, view: Viewport, width: number): Viewport {
  const wasAll = view.unitsPerPixel >= (Number(scale.length) / Math.max(1, view.width)) * 0.999;
  return wasAll ? fitAll(scale, width) : clamp(scale, { ...view, width });
}

/** Smallest and largest world units per pixel: from a few bytes to the whole axis in the window. */
function zoomLimits(scale: Scale, width: number, anchor: bigint): { min: number; max: number } {
  const max = Number(scale.length) / Math.max(1, width);
  return { min: Math.min(max, unitsPerByte(scale, anchor) / PIXELS_PER_BYTE_MAX), max };
}

/** Keeps the axis in the window: no view wider than everything, none that shows what is outside. */
function clamp(scale: Scale, view: Viewport): Viewport {
  const max = Number(scale.length) / Math.max(1, view.width);
  const bounded = view.unitsPerPixel > max ? { ...view, unitsPerPixel: max } : view;
  const left = pixelOf(bounded, 0n);
  if (left > PIXEL_TOLERANCE) return { ...bounded, anchor: 0n, anchorPixel: 0 };
  const right = pixelOf(bounded, scale.length);
  if (right < view.width - PIXEL_TOLERANCE) return { ...bounded, anchor: scale.length, anchorPixel: view.width };
  return bounded;
}
