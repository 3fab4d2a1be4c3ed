// The overview: the whole axis, small, with the lanes whose kind is in it.
import type { Scale } from '../axis/scale.ts';
import type { SpaceSlice } from '../axis/slice.ts';
import { fitAll, pixelSpanOf } from '../axis/viewport.ts';
import { elementAt, rangeAt } from '../lanes/columns.ts';
import { type StyleName, styleAt } from './style-names.ts';

export interface MinimapBar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly style: StyleName;
}

const MARGIN = 3;
const ROW_HEIGHT_MAX = 8;

/**
 * The bars of an overview of `width` by `height` pixels. `spaces` are cut for the whole axis (`fitAll`). Rows share the
 * height, at least a pixel each; the bars of a row leave a pixel to the next one where there is room.
 */
export function minimapBars(spaces: readonly SpaceSlice[], scale: Scale, width: number, height: number): MinimapBar[] {
  const view = fitAll(scale, width);
  // The rows of an expanded lane share one: their union is what matters here.
  const strips = spaces.flatMap(({ lanes }) =>
    lanes
      .filter(({ traits }) => traits.isInMinimap)
      .flatMap(({ rows, expanded }) => (expanded ? [rows] : rows.map((row) => [row]))),
  );
  const rowHeight = Math.max(1, Math.min(ROW_HEIGHT_MAX, (height - 2 * MARGIN) / Math.max(1, strips.length)));
  return strips.flatMap((rows, r) =>
    rows.flatMap((row) =>
      Array.from(row.starts, (_, i): MinimapBar[] => {
        const range = rangeAt(row, i);
        const span = range && pixelSpanOf(view, scale, range.start, range.last);
        if (!span) return [];
        return [
          {
            x: span.x0,
            y: MARGIN + r * rowHeight,
            width: span.x1 - span.x0,
            height: Math.max(1, rowHeight - 1),
            style: styleAt(elementAt(row.styles, i)),
          },
        ];
      }).flat(),
    ),
  );
}
