// Lanes for tests.
import { range } from '../../iova/range.ts';
import { type LaneKind, laneKind } from '../lanes/kinds.ts';
import { type DescribedRange, describedLane, type Lane, type SpaceLanes } from '../lanes/lane.ts';
import type { StyleName } from '../scene/style-names.ts';

export interface TestRange {
  readonly start: bigint;
  readonly last: bigint;
  readonly style?: StyleName;
  readonly caption?: string;
}

export function describedRange({ start, last, style = 'msi', caption = 'c' }: TestRange): DescribedRange {
  return { ...range(start, last), style, caption, info: { title: `title ${caption}`, sentence: '', parts: [] } };
}

/** A lane with the rows given, each disjoint and ascending. */
export function testLane(rows: readonly (readonly TestRange[])[], kind: LaneKind = 'reserved', id = `s#${kind}`): Lane {
  const content = describedLane(
    { id, kind, title: kind, subtitle: '' },
    rows.map((ranges) => ({ ranges: ranges.map(describedRange) })),
  );
  return { ...content, traits: laneKind(kind).traits };
}

export function testSpace(...lanes: readonly Lane[]): SpaceLanes {
  return { id: 's', title: 'space', subtitle: '', lanes };
}
