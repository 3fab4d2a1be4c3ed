import { counted, formatSize } from '../../iova/format.ts';
import { totalSize } from '../../iova/range-set.ts';
import { freeRanges } from '../../kernel/shared/usable-ranges.ts';
import { type LaneContent, uniformRow } from './lane.ts';
import type { ModelSource } from './sources.ts';

/** What is neither reserved nor mapped; no lane if nothing is mapped, because then the usable lane shows the same. */
export function holesOfModel({ space, laneId }: ModelSource): LaneContent<'holes'>[] {
  if (space.areaCount === 0) return [];
  const holes = freeRanges(space);
  const subtitle = `${counted(holes.length, 'hole')}, ${formatSize(totalSize(holes))}`;
  const info = {
    title: 'hole',
    sentence: 'Neither reserved nor mapped: a mapping with suitable alignment fits here.',
    parts: [],
  };
  return [
    {
      id: laneId('holes'),
      kind: 'holes',
      title: 'holes',
      subtitle,
      expandable: false,
      expanded: false,
      rows: [uniformRow(holes, 'hole')],
      caption: () => '',
      describe: () => info,
    },
  ];
}
