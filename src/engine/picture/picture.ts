// An arranged picture: its lanes and scale. ranges.ts answers queries about its ranges.
import type { SourceSummary } from '../../dumps/input/collector.ts';
import type { IovaRange } from '../../iova/range.ts';
import { contentsOf } from '../../timeline/axis/contents.ts';
import { foldFor } from '../../timeline/axis/fold.ts';
import { linearScale, logScale, type Scale } from '../../timeline/axis/scale.ts';
import type { Lane, SpaceLanes } from '../../timeline/lanes/lane.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Arrangement, ArrangeParams } from '../protocol/picture.ts';
import type { PictureSpace } from './spaces.ts';

export interface LaneInSpace {
  readonly space: SpaceLanes;
  readonly lane: Lane;
}

export function lanesOf(spaces: readonly SpaceLanes[]): LaneInSpace[] {
  return spaces.flatMap((space) => space.lanes.map((lane) => ({ space, lane })));
}

export function laneTotal(lane: Lane): number {
  return lane.rows.reduce((sum, row) => sum + row.starts.length, 0);
}

function scaleFor(
  kind: ArrangeParams['scale'],
  spaces: readonly PictureSpace[],
  keepVisible: readonly IovaRange[],
): Scale {
  switch (kind) {
    case 'fold':
      return foldFor(spaces, keepVisible);
    case 'log':
      return logScale();
    case 'linear':
      return linearScale();
  }
}

/** True if a source contributed more than diagnostics. */
function hasContent({ kinds, operations }: SourceSummary): boolean {
  return operations > 0 || Object.keys(kinds).some((kind) => kind !== 'diagnostic' && kind !== 'note');
}

/** The title of a picture of these address spaces. */
function titleOf(spaces: readonly PictureSpace[]): string {
  const [only] = spaces;
  if (!only) return 'nothing selected';
  if (spaces.length > 1) return `${spaces.length} address spaces`;
  return only.subtitle === '' ? only.title : `${only.title}, ${only.subtitle}`;
}

export class Picture {
  readonly arrangement: Arrangement;
  readonly spaces: readonly PictureSpace[];
  readonly lanes: readonly LaneInSpace[];

  constructor(
    revision: number,
    spaces: readonly PictureSpace[],
    { scale, keepVisible = [] }: Pick<ArrangeParams, 'scale' | 'keepVisible'>,
    documents: Iterable<EngineDocument>,
  ) {
    this.spaces = spaces;
    this.lanes = lanesOf(spaces);
    this.arrangement = {
      revision,
      title: titleOf(spaces),
      sources: [...new Set([...documents].flatMap((d) => d.sources.filter(hasContent).map(({ name }) => name)))],
      scale: scaleFor(scale, spaces, keepVisible),
      spaces: spaces.map(({ id, title, subtitle, lanes }) => ({
        id,
        title,
        subtitle,
        lanes: lanes.map((lane) => ({ id: lane.id, title: lane.title, total: laneTotal(lane) })),
      })),
      total: this.lanes.reduce((sum, { lane }) => sum + laneTotal(lane), 0),
      contents: contentsOf(spaces),
    };
  }
}
