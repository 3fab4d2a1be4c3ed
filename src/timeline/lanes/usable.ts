import type { CommonSpace } from '../../analysis/space/common-space.ts';
import { formatSize } from '../../iova/format.ts';
import { largest, totalSize } from '../../iova/range-set.ts';
import { styleIndex } from '../scene/theme.ts';
import { type DescribedRange, describedLane, type Lane } from './lane.ts';

/** What remains usable for all ticked groups together. */
export function usableLane(id: string, space: CommonSpace): Lane {
  const known = space.apertures.length > 0;
  const biggest = largest(space.usable);
  const ranges = space.usable.map(
    (r): DescribedRange => ({
      ...r,
      style: styleIndex('usable'),
      caption: '',
      info: {
        title: r === biggest && space.usable.length > 1 ? 'usable, the largest' : 'usable',
        sentence: known
          ? 'Inside the aperture and outside every region that refuses mappings. A direct-relaxable region does not refuse them.'
          : 'Outside every region that refuses mappings. The aperture is not known, so the upper end may be lower than drawn.',
        parts: [],
      },
    }),
  );
  const count = `${ranges.length} ${ranges.length === 1 ? 'range' : 'ranges'}`;
  const subtitle = known ? `${count}, ${formatSize(totalSize(space.usable))}` : count;
  return describedLane({ id, kind: 'usable', title: 'usable', subtitle }, [{ ranges }]);
}
