import { formatSize, hex } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { findPlaces } from '../space/fit.ts';

/** The alignment of a suggested address: a huge page of x86. */
const ALIGNMENT = 0x20_0000n;

/** Where a range of this size would fit instead, as a sentence. */
export function suggestPlace({ usable }: Pick<CommonSpace, 'usable'>, requested: IovaRange): string {
  const { places, largest } = findPlaces(usable, { size: sizeOf(requested), alignment: ALIGNMENT });
  const [place] = places;
  if (place) return `A range of this size would fit at ${hex(place.first)}.`;
  return largest
    ? `No free range is large enough; the largest has ${formatSize(largest.size)} at ${hex(largest.start)}.`
    : 'No free range.';
}
