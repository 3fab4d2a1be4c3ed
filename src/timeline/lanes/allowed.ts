import { counted } from '../../iova/format.ts';
import { describedLane, type LaneContent } from './lane.ts';
import type { ModelSource } from './sources.ts';

/** The ranges that the kernel chooses IOVAs from; no lane if that is not limited. */
export function allowedOfModel({ space, laneId }: ModelSource): LaneContent<'allowed'>[] {
  if (space.allowed.length === 0) return [];
  const info = {
    title: 'allowed',
    sentence: 'The kernel chooses IOVAs from these ranges. Fixed mappings may be elsewhere.',
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
