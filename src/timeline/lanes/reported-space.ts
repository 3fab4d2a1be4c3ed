// The lanes of an address space of which a dump holds what the kernel itself reported (VFIO_IOMMU_GET_INFO,
// IOMMU_IOAS_IOVA_RANGES).

import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import { holderLabel, type ReportedSpace } from '../../analysis/space/common-space.ts';
import { formatSize } from '../../iova/format.ts';
import { rangeSet, totalSize } from '../../iova/range-set.ts';
import { styleIndex } from '../scene/theme.ts';
import { APERTURE_NOT_IN_DUMPS, apertureLane } from './aperture.ts';
import { guestLane } from './guest.ts';
import { type DescribedRange, describedLane, type SpaceLanes } from './lane.ts';

/** `key` is unique in the picture, `title` what people call the dump. */
export function reportedSpace(
  key: string,
  title: string,
  space: ReportedSpace,
  expanded: ReadonlySet<string>,
  guests: readonly GuestLayout[],
): SpaceLanes {
  const valid = rangeSet(space.validRanges);
  const ranges = valid.map(
    (r): DescribedRange => ({
      ...r,
      style: styleIndex('reported'),
      caption: '',
      info: {
        title: 'valid range',
        sentence: 'The kernel itself reported this range as mappable.',
        parts: space.validRanges
          .filter((v) => v.start <= r.last && r.start <= v.last)
          .map((v) => ({ owner: v.message, range: { start: v.start, last: v.last }, provenance: v.provenance })),
      },
    }),
  );
  const subtitle = `${valid.length} ${valid.length === 1 ? 'range' : 'ranges'}, ${formatSize(totalSize(valid))}`;
  const aperture = `${key}#aperture`;
  return {
    id: key,
    title: `${title}: ${space.name}`,
    subtitle: holderLabel(space),
    lanes: [
      ...(space.apertures.length > 0
        ? [apertureLane(aperture, space.apertures, APERTURE_NOT_IN_DUMPS, expanded.has(aperture))]
        : []),
      ...guests.map((guest, i) => {
        const id = `${key}#guest ${i}`;
        return guestLane(id, guest, expanded.has(id));
      }),
      describedLane({ id: `${key}#usable`, kind: 'usable', title: 'valid', subtitle }, [{ ranges }]),
    ],
  };
}
