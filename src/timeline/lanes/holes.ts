import { counted, formatSize } from '../../iova/format.ts';
import { usableRanges, visitFreeRanges } from '../../kernel/shared/usable-ranges.ts';
import { styleIndex } from '../scene/style-names.ts';
import type { LaneContent, LaneRow } from './lane.ts';
import type { ModelSource } from './sources.ts';

/** What is neither reserved nor mapped; no lane if nothing is mapped, because then the usable lane shows the same. */
export function holesOfModel({ space, laneId }: ModelSource): LaneContent<'holes'>[] {
  if (space.areaCount === 0) return [];
  const { row, size } = holesIn(space);
  const subtitle = `${counted(row.starts.length, 'hole')}, ${formatSize(size)}`;
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
      rows: [row],
      caption: () => '',
      describe: () => info,
    },
  ];
}

/** The holes as columns, there may be a million, and the bytes of all of them. */
function holesIn(space: ModelSource['space']): { readonly row: LaneRow; readonly size: bigint } {
  // Every hole ends before an area or at the end of a usable range.
  const max = space.areaCount + usableRanges(space).length;
  const starts = new BigUint64Array(max);
  const lasts = new BigUint64Array(max);
  let count = 0;
  let size = 0n;
  visitFreeRanges(space, ({ start, last }) => {
    starts[count] = start;
    lasts[count] = last;
    size += last - start + 1n;
    count++;
  });
  const styles = new Uint8Array(count).fill(styleIndex('hole'));
  return { row: { starts: starts.slice(0, count), lasts: lasts.slice(0, count), styles, uniform: true }, size };
}
