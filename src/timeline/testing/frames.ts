// Frames and slices for tests: a plot of 1000 pixels in which a pixel of the linear scale is 2^64 / 1000 bytes.

import type { IovaRange } from '../../iova/range.ts';
import { linearScale, type Scale } from '../axis/scale.ts';
import { cutSlices, type LaneSlice, type RowSlice, sliceWindow } from '../axis/slice.ts';
import { fitAll, fitRange } from '../axis/viewport.ts';
import type { Lane } from '../lanes/lane.ts';
import { type Frame, frameOf } from '../scene/layout.ts';
import { testSpace } from './lanes.ts';

/** Width of a picture whose plot has 1000 pixels. */
export const WIDTH = 1000 + 150 + 14;

/** A frame that shows everything, or exactly a range. */
export function testFrame(scale: Scale = linearScale(), shown?: IovaRange): Frame {
  return frameOf(WIDTH, scale, shown ? fitRange(scale, shown, 1000, 0) : fitAll(scale, 1000));
}

export function laneSlice(frame: Frame, lane: Lane): LaneSlice {
  const slice = cutSlices([testSpace(lane)], frame.scale, sliceWindow(frame.view))[0]?.lanes[0];
  if (!slice) throw new Error('no lane');
  return slice;
}

export function rowSlice(frame: Frame, lane: Lane): RowSlice {
  const [row] = laneSlice(frame, lane).rows;
  if (!row) throw new Error('no row');
  return row;
}
