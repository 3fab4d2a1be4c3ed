// A scene is a flat list of marks in pixels, in drawing order. Painters get nothing else, so that the screen and a file
// show the same.

import type { StyleName } from './style-names.ts';
import type { Font } from './text-metrics.ts';
import type { InkName } from './theme.ts';

export type Mark =
  /** A bar: filled, patterned and outlined by its style. `title` becomes a tooltip in formats that have them (SVG). */
  | {
      readonly type: 'bar';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly style: StyleName;
      readonly title?: string;
      /** No edge on this side: the bar continues outside the plot. */
      readonly openLeft?: boolean;
      readonly openRight?: boolean;
    }
  | {
      /** `wash` is a transparent color over everything below it. */
      readonly type: 'fill' | 'outline' | 'wash';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      readonly ink: InkName;
    }
  | {
      readonly type: 'text';
      readonly x: number;
      /** Baseline. */
      readonly y: number;
      readonly text: string;
      readonly size: number;
      readonly font: Font;
      readonly ink: InkName;
      readonly anchor: 'start' | 'middle' | 'end';
      /** With an outline in the color of the background, to stay legible on a pattern. */
      readonly halo?: boolean;
    }
  | {
      readonly type: 'path';
      readonly points: readonly (readonly [x: number, y: number])[];
      readonly ink: InkName;
      readonly width: number;
    }
  | {
      readonly type: 'badge';
      readonly x: number;
      readonly y: number;
      readonly text: string;
      /** Colour of the ground of the badge; that of all badges if left out. */
      readonly ink?: InkName;
    };

/** What a place in the picture refers to. Bounds inclusive. */
export interface Target {
  readonly laneId: string;
  readonly row: number;
  readonly index: number;
  /** Number of ranges that the mark represents. */
  readonly count: number;
  readonly start: bigint;
  readonly last: bigint;
}

export interface HitArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly style: StyleName;
  readonly target: Target;
}

/** A flag above the plot, and the numbers on it. */
export interface Flag {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly numbers: readonly number[];
}

/** The area of a lane's name: where it can be expanded into a row for each contributor. */
export interface LaneHead {
  readonly laneId: string;
  readonly y: number;
  readonly height: number;
  readonly expandable: boolean;
  readonly expanded: boolean;
}

export interface Scene {
  readonly width: number;
  readonly height: number;
  /** The part of the scene that the axis spans. */
  readonly plot: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** In drawing order. */
  readonly marks: readonly Mark[];
  /**
   * The ruler with its flags: the marks from index `from` on, between `top` and `bottom`. It stays in view while the
   * lanes scroll.
   */
  readonly pinned: { readonly from: number; readonly top: number; readonly bottom: number };
  readonly hits: readonly HitArea[];
  readonly heads: readonly LaneHead[];
  readonly flags: readonly Flag[];
  /** One sentence for those who cannot see the picture. */
  readonly description: string;
}
