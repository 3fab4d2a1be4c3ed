// Where things are in a picture: margins, and how much of its width the axis gets.
import type { Scale } from '../axis/scale.ts';
import type { Viewport } from '../axis/viewport.ts';

/** Left margin of titles, lists and the legend. */
export const MARGIN = 14;
const RIGHT_MARGIN = 14;
const PLOT_MIN = 80;

/** What every part of a scene is laid out in. */
export interface Frame {
  /** Width of the whole picture in pixels. */
  readonly width: number;
  /** Left edge of the plot; positions in the plot (`x0`, `x1`, `pixel`) count from here. */
  readonly left: number;
  /** End of the space that labels above the plot may take. */
  readonly right: number;
  readonly scale: Scale;
  readonly view: Viewport;
}

/** Left edge of the plot in a picture of `width` pixels: the names of the lanes are left of it. */
export function plotLeft(width: number): number {
  return width < 480 ? 92 : width < 640 ? 106 : width < 900 ? 130 : 150;
}

/** Width of the plot in a picture of `width` pixels. */
export function plotWidth(width: number): number {
  return Math.max(PLOT_MIN, width - plotLeft(width) - RIGHT_MARGIN);
}

export function frameOf(width: number, scale: Scale, view: Viewport): Frame {
  const left = plotLeft(width);
  return { width, left, right: left + view.width + RIGHT_MARGIN, scale, view };
}
