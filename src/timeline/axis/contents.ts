// What a person wants to see: where anything is, and what is around one place.
import { IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import { elementAt } from '../lanes/columns.ts';
import type { SpaceLanes } from '../lanes/lane.ts';
import { styleIndex } from '../scene/style-names.ts';
import { type Scale, segmentAt } from './scale.ts';

/** From the first to the last address of the contents of all spaces; undefined if there are none. O(rows). */
export function contentsOf(spaces: readonly SpaceLanes[]): IovaRange | undefined {
  const beyond = styleIndex('beyond');
  let start: bigint | undefined;
  let last: bigint | undefined;
  for (const { rows, traits } of spaces.flatMap(({ lanes }) => lanes)) {
    if (!traits.isContent) continue;
    for (const { starts, lasts, styles } of rows) {
      // What is outside of the aperture is no content; it is at the ends of a row.
      const first = styles.findIndex((style) => style !== beyond);
      const end = styles.findLastIndex((style) => style !== beyond);
      if (first < 0) continue;
      const [low, high] = [elementAt(starts, first), elementAt(lasts, end)];
      if (start === undefined || low < start) start = low;
      if (last === undefined || high > last) last = high;
    }
  }
  return start === undefined || last === undefined ? undefined : range(start, last);
}

/** Bytes around a place on a scale that is not folded: a few pages, or as much again as the range is long. */
const CONTEXT_MIN = 1n << 16n;

/**
 * A range with what is around it: on the fold scale up to the ends of the neighbouring segments, otherwise its own
 * length on both sides, at least 64 KiB. Bounds inclusive.
 */
export function withContext(scale: Scale, { start, last }: IovaRange): IovaRange {
  if (scale.kind === 'fold') {
    const { segments } = scale;
    const first = elementAt(segments, Math.max(0, segmentAt(scale, start) - 1));
    const end = elementAt(segments, Math.min(segments.length - 1, segmentAt(scale, last) + 1));
    return range(first.start, end.end - 1n);
  }
  const length = last - start + 1n;
  const room = length > CONTEXT_MIN ? length : CONTEXT_MIN;
  return range(start > room ? start - room : 0n, last + room < IOVA_MAX ? last + room : IOVA_MAX);
}
