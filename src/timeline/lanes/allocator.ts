// Where the allocator of the kernel's DMA API is in a domain: its two cursors, and the freed ranges that it keeps.
import { counted, formatSize, groupedHex } from '../../iova/format.ts';
import { type IovaRange, range, sizeOf } from '../../iova/range.ts';
import { type DescribedRange, describedLane, type LaneContent, uniformRow } from './lane.ts';
import type { ModelSource } from './sources.ts';

function cursorAt(name: '32-bit' | '64-bit', at: IovaRange): DescribedRange {
  const limit = name === '32-bit' ? 'limited to 4 GiB' : 'that may be above 4 GiB';
  return {
    ...range(at.start, at.start),
    style: 'cursor',
    caption: `${name} cursor`,
    info: {
      title: `${name} cursor`,
      sentence: `The next search for a mapping ${limit} goes down from here. Holes above are seen only when nothing is found below, or after something there was freed.`,
      parts: [{ owner: 'taken range at the cursor', range: at, provenance: [] }],
    },
  };
}

/** Where the searches go on; no lane outside of the kernel's DMA API. */
export function cursorsOfModel({ space, laneId }: ModelSource): LaneContent<'cursors'>[] {
  const { allocator } = space;
  if (!allocator) return [];
  const { cursor32, cursor64, failingPages } = allocator;
  const cursors = [
    ...(cursor32 ? [cursorAt('32-bit', cursor32)] : []),
    ...(cursor64 ? [cursorAt('64-bit', cursor64)] : []),
  ].sort((a, b) => (a.start < b.start ? -1 : 1));
  // Both may be at the same range.
  const distinct = cursors.filter(({ start }, i) => cursors[i - 1]?.start !== start);
  const subtitle = [
    cursor32 ? `32-bit ${groupedHex(cursor32.start)}` : '32-bit at the limit',
    cursor64 ? `64-bit ${groupedHex(cursor64.start)}` : '64-bit at the limit',
    ...(failingPages === undefined ? [] : [`${counted(failingPages, 'page')} or more known not to fit below 4 GiB`]),
  ].join(' · ');
  return [
    describedLane({ id: laneId('cursors'), kind: 'cursors', title: 'allocator', subtitle }, [{ ranges: distinct }]),
  ];
}

/** Freed ranges that are kept for the next mapping of their size; no lane if there are none. */
export function keptOfModel({ space, laneId }: ModelSource): LaneContent<'kept'>[] {
  const { allocator } = space;
  if (!allocator || allocator.keptCount === 0) return [];
  const kept = [...allocator.kept()];
  const pageOf = (order: number) => formatSize(allocator.granule << BigInt(order));
  const sizes = [...new Set(kept.map(({ order }) => order))].sort((a, b) => a - b).map(pageOf);
  return [
    {
      id: laneId('kept'),
      kind: 'kept',
      title: 'caches',
      subtitle: `${counted(kept.length, 'range')}, free but kept (${sizes.join(', ')})`,
      expandable: false,
      expanded: false,
      rows: [uniformRow(kept, 'kept')],
      caption: (_row, index) => {
        const found = kept[index];
        return found ? formatSize(sizeOf(found)) : '';
      },
      describe: (_row, index) => {
        const found = kept[index];
        if (!found) throw new RangeError(`lane ${laneId('kept')} has no range ${index}`);
        return {
          title: 'free, but kept',
          sentence: `Unmapped, and kept for the next mapping of ${pageOf(found.order)}. Searches pass over it until the caches are emptied.`,
          parts: [],
        };
      },
    },
  ];
}
