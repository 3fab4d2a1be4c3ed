// The visible part of the address space. Each action moves the view and requests slices where they are missing.

import { range } from '../../iova/range.ts';
import type { Scale } from '../../timeline/axis/scale.ts';
import { fitAll, fitRange, pan, resize, type Viewport, visibleRange, zoomAt } from '../../timeline/axis/viewport.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import { useApp } from './app-state.ts';
import { arrange, ensureSlices } from './picture.ts';

const { getState: get, setState: set } = useApp;

function move(change: (scale: Scale, view: Viewport) => Viewport): void {
  const { view, picture } = get();
  if (!view || !picture) return;
  const next = change(picture.arrangement.scale, view);
  if (next === view) return;
  set({ view: next });
  ensureSlices();
}

/** Zooms by `factor` (above 1: in) around a pixel of the plot. */
export function zoomBy(pixel: number, factor: number): void {
  move((scale, view) => zoomAt(scale, view, pixel, factor));
}

/** Moves the picture; positive moves it right, towards lower addresses. */
export function panBy(pixels: number): void {
  move((scale, view) => pan(scale, view, pixels));
}

export function showAll(): void {
  move((scale, view) => fitAll(scale, view.width));
}

/** Fits a range, inclusive, into the window with some room on both sides. */
export function showRange(start: bigint, last: bigint): void {
  move((scale, view) => fitRange(scale, range(start, last), view.width));
}

/** Centres the window on a world position of the axis. */
export function centreOn(world: bigint): void {
  move((scale, view) => pan(scale, { ...view, anchor: world, anchorPixel: view.width / 2 }, 0));
}

export function fitSelection(): void {
  const { selected, measured } = get();
  const target = selected?.target ?? measured;
  if (target) showRange(target.start, target.last);
}

/** Shows a range if none of it is visible. */
export function reveal({ start, last }: Pick<Target, 'start' | 'last'>): void {
  const { view, picture } = get();
  if (!view || !picture) return;
  const seen = visibleRange(view, picture.arrangement.scale);
  if (start > seen.last || last < seen.start) showRange(start, last);
}

/** The plot was laid out with another width, in CSS pixels. */
export function setPlotWidth(width: number): void {
  const { plotWidth, view, picture, documents } = get();
  if (width === plotWidth) return;
  set({ plotWidth: width });
  if (view && picture) {
    set({ view: resize(picture.arrangement.scale, view, width) });
    ensureSlices();
  } else if (documents.length > 0) void arrange('all');
}
