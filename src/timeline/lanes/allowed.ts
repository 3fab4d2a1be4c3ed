import { counted } from '../../iova/format.ts';
import { describedLane, type LaneContent } from './lane.ts';
import type { ModelSource } from './sources.ts';

/** Where the kernel may choose addresses; no lane where that is not limited. */
export function allowedOfModel({ space, laneId }: ModelSource): LaneContent<'allowed'>[] {
  if (space.allowed.length === 0) return [];
  const info = {
    title: 'allowed',
    sentence: 'Where the kernel may choose an address by itself. Fixed mappings may lie elsewhere.',
    parts: [],
  };
  const ranges = space.allowed.map((r) => ({
    start: r.start,
    last: r.last,
    style: 'allowed' as const,
    caption: 'allowed',
    info,
  }));
  const subtitle = counted(ranges.length, 'range');
  return [describedLane({ id: laneId('allowed'), kind: 'allowed', title: 'allowed', subtitle }, [{ ranges }])];
}
