// Where a long trace mapped something in the part that is not listed one by one: counts of maps, not mappings that exist.
import { provenanceOf } from '../../analysis/host/host.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';
import { counted } from '../../iova/format.ts';
import { laneKind } from './kinds.ts';
import { type Lane, uniformRow } from './lane.ts';

/** A lane for each set of mappings whose beginning is only counted. `key`: of the address space. */
export function earlierMappings(key: string, sets: readonly MappingSet[]): Lane[] {
  const { traits } = laneKind('mappings');
  return sets.flatMap((set): Lane[] => {
    const { folded } = set;
    if (!folded || folded.density.length === 0) return [];
    const { density, maps, unmaps, until } = folded;
    const of = (index: number) => {
      const range = density[index];
      if (!range) throw new RangeError(`there is no range ${index} among ${density.length}`);
      return range;
    };
    return [
      {
        id: `${key}#earlier mappings ${set.key}`,
        kind: 'mappings',
        title: `${set.title}, earlier`,
        subtitle: `${counted(maps, 'map')}, ${counted(unmaps, 'unmap')}: counted, not listed`,
        expandable: false,
        expanded: false,
        // Labels and letters are for what exists now.
        traits: { ...traits, height: 22, isInMinimap: false, isLettered: false, holdsFacts: false },
        rows: [uniformRow(density, 'counted')],
        caption: (_row, index) => counted(of(index).maps, 'map'),
        describe: (_row, index) => {
          const { start, last, maps: here } = of(index);
          return {
            title: 'earlier maps',
            sentence: `${counted(here, 'map')} started in this range, up to the last event that is not listed one by one. What of it still exists is in the lane of mappings.`,
            parts: [{ owner: set.title, range: { start, last }, provenance: [provenanceOf(until)] }],
          };
        },
      },
    ];
  });
}
