// The visible part of the address space. Each action moves the view and requests missing slices.

import { range } from '../../iova/range.ts';
import { withContext } from '../../timeline/axis/contents.ts';
import type { Scale } from '../../timeline/axis/scale.ts';
import { fitAll, fitRange, pan, resize, type Viewport, worldAt, zoomAt } from '../../timeline/axis/viewport.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import { useApp } from './app-state.ts';
import { shownConflict } from './conflict-key.ts';
import { arrange, ensureSlices, seenRange } from './picture.ts';

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

/** Shows everything; on the linear scale first only the contents, which would be slivers in the whole space. */
export function showAll(): void {
  const contents = get().picture?.arrangement.contents;
  move((scale, view) => {
    if (scale.kind !== 'linear' || !contents) return fitAll(scale, view.width);
    const fitted = fitRange(scale, contents, view.width);
    return isSameView(fitted, view) ? fitAll(scale, view.width) : fitted;
  });
}

function isSameView(a: Viewport, b: Viewport): boolean {
  return a.unitsPerPixel === b.unitsPerPixel && worldAt(a, 0) === worldAt(b, 0);
}

/** Fits a range, inclusive, into the window with some room on both sides; `margin`: its share of the window. */
export function showRange(start: bigint, last: bigint, margin?: number): void {
  move((scale, view) => fitRange(scale, range(start, last), view.width, margin));
}

/** Centres the window on a world position of the axis. */
export function centreOn(world: bigint): void {
  move((scale, view) => pan(scale, { ...view, anchor: world, anchorPixel: view.width / 2 }, 0));
}

/**
 * Fits the current choice into the window: a measured or selected range, or a conflict or single address with its
 * surroundings.
 */
export function fitSelection(): void {
  const { selected, measured, explained } = get();
  const spots = explained?.bands ?? shownConflict(get())?.marks ?? [];
  const chosen = measured ?? selected?.target ?? hullOf(spots);
  if (!chosen) return;
  const { start, last } = chosen;
  const isPlace = start === last || (!measured && !selected);
  move((scale, view) => {
    const target = isPlace ? withContext(scale, range(start, last)) : range(start, last);
    return fitRange(scale, target, view.width, isPlace ? 0.02 : undefined);
  });
}

/** The bounds of several ranges together. */
function hullOf(ranges: readonly Pick<Target, 'start' | 'last'>[]): Pick<Target, 'start' | 'last'> | undefined {
  return ranges.reduce<Pick<Target, 'start' | 'last'> | undefined>(
    (hull, { start, last }) => ({
      start: hull && hull.start < start ? hull.start : start,
      last: hull && hull.last > last ? hull.last : last,
    }),
    undefined,
  );
}

/** Shows a range if none of it is visible. */
export function reveal({ start, last }: Pick<Target, 'start' | 'last'>): void {
  const seen = seenRange(get());
  if (seen && (start > seen.last || last < seen.start)) showRange(start, last);
}

/** Called when the width of the plot changed, in CSS pixels. */
export function setPlotWidth(width: number): void {
  const { plotWidth, view, picture, documents } = get();
  if (width === plotWidth) return;
  set({ plotWidth: width });
  if (view && picture) {
    set({ view: resize(picture.arrangement.scale, view, width) });
    ensureSlices();
  } else if (documents.length > 0) void arrange('all');
}
