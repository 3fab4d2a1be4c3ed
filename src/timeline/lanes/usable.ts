// Where a mapping is accepted if nothing is mapped yet.
import { counted, formatSize } from '../../iova/format.ts';
import { largest, rangeSet, totalSize } from '../../iova/range-set.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { type DescribedRange, describedLane, type LaneContent } from './lane.ts';
import type { HostSource, ModelSource, ReportedSource } from './sources.ts';

/** What is usable for all selected groups together. */
export function usableOfHost({ space, laneId }: HostSource): LaneContent<'usable'>[] {
  if (space.groups.length === 0) return [];
  const known = space.apertures.length > 0;
  const biggest = largest(space.usable);
  const ranges = space.usable.map(
    (r): DescribedRange => ({
      ...r,
      style: 'usable',
      caption: '',
      info: {
        title: r === biggest && space.usable.length > 1 ? 'usable (largest)' : 'usable',
        sentence: known
          ? 'Inside the aperture and outside every region that blocks mappings. A direct-relaxable region does not block them.'
          : 'Outside every region that blocks mappings. The aperture is unknown, so the upper end may be lower than shown.',
        parts: [],
      },
    }),
  );
  const count = counted(ranges.length, 'range');
  const subtitle = known ? `${count}, ${formatSize(totalSize(space.usable))}` : count;
  return [describedLane({ id: laneId('usable'), kind: 'usable', title: 'usable', subtitle }, [{ ranges }])];
}

/** The ranges that the kernel reported as mappable. */
export function usableOfReported({ space, laneId }: ReportedSource): LaneContent<'usable'>[] {
  const valid = rangeSet(space.validRanges);
  const ranges = valid.map(
    (r): DescribedRange => ({
      ...r,
      style: 'reported',
      caption: '',
      info: {
        title: 'valid range',
        sentence: 'The kernel reported this range as mappable.',
        parts: space.validRanges
          .filter((v) => v.start <= r.last && r.start <= v.last)
          .map((v) => ({ owner: v.message, range: { start: v.start, last: v.last }, provenance: v.provenance })),
      },
    }),
  );
  const subtitle = `${counted(valid.length, 'range')}, ${formatSize(totalSize(valid))}`;
  return [describedLane({ id: laneId('usable'), kind: 'usable', title: 'valid', subtitle }, [{ ranges }])];
}

export function usableOfModel({ space, laneId }: ModelSource): LaneContent<'usable'>[] {
  const usable = usableRanges(space);
  const subtitle = `${counted(usable.length, 'range')}, alignment ${formatSize(space.alignment)}`;
  const info = {
    title: 'usable',
    sentence: space.validRanges
      ? 'A valid range of the container, as reported by VFIO_IOMMU_GET_INFO. A mapping must be entirely inside one of them.'
      : 'Outside every reserved range, as reported by IOMMU_IOAS_IOVA_RANGES. Existing areas are not subtracted.',
    parts: [],
  };
  return [
    describedLane({ id: laneId('usable'), kind: 'usable', title: 'usable', subtitle }, [
      { ranges: usable.map((r) => ({ ...r, style: 'usable' as const, caption: '', info })) },
    ]),
  ];
}
