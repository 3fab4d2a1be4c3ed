// What is mapped in an address space of a model.
import { groupedDecimal, groupedHex } from '../../iova/format.ts';
import type { AreaView } from '../../kernel/model.ts';
import { areaRow } from './area-row.ts';
import { elementAt } from './columns.ts';
import type { LaneContent } from './lane.ts';
import type { ModelSource } from './sources.ts';

function accessLabel({ read, write }: AreaView): string {
  return [read ? 'read' : '', write ? 'write' : ''].filter(Boolean).join(' and ') || 'none';
}

/** The areas as columns. The details of one area are looked up in the model when needed. */
export function areasOfModel(source: ModelSource): LaneContent<'areas'>[] {
  const { space, laneId, provenanceOf } = source;
  const id = laneId('areas');
  const row = areaRow(source);
  const { starts } = row;
  const count = starts.length;
  const areaAt = (index: number): AreaView => {
    const start = elementAt(starts, index);
    for (const area of space.areas(start, start)) return area;
    throw new RangeError(`lane ${id} has no area ${index}`);
  };
  return [
    {
      id,
      kind: 'areas',
      title: space.validRanges ? 'mappings' : 'areas',
      subtitle: `${groupedDecimal(BigInt(count))}${space.mappingsLeft === undefined ? '' : `, ${groupedDecimal(BigInt(space.mappingsLeft))} left`}`,
      expandable: false,
      expanded: false,
      rows: [row],
      caption: (_row, index) => `${space.allocator ? 'pa' : 'va'} ${groupedHex(areaAt(index).userVa)}`,
      describe: (_row, index) => {
        const area = areaAt(index);
        return {
          title: space.validRanges ? 'mapping' : 'area',
          sentence: space.allocator ? 'Mapped to physical memory by the kernel.' : 'Mapped to user memory.',
          parts: [
            {
              owner: `event ${area.origin + 1}`,
              range: { start: area.start, last: area.last },
              provenance: provenanceOf(area.origin),
            },
          ],
          values: {
            [space.allocator ? 'physical address' : 'user address']: groupedHex(area.userVa),
            ...(space.allocator ? {} : { access: accessLabel(area), pages: `object ${area.pages}` }),
          },
        };
      },
    },
  ];
}
