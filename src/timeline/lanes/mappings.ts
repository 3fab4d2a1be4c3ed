// Mappings found in dumps (traces, page tables, requests), at one moment.
import { provenanceOf } from '../../analysis/host/host.ts';
import type { MappingState } from '../../analysis/host/mapping-state.ts';
import type { MappingFact } from '../../analysis/host/mappings.ts';
import { counted, groupedHex } from '../../iova/format.ts';
import { type LaneContent, uniformRow } from './lane.ts';
import { refusedLane, requestValues } from './requests.ts';
import type { HostSource } from './sources.ts';

function valuesOf(fact: MappingFact): Record<string, string> {
  if (fact.kind === 'request') return requestValues(fact);
  return {
    ...(fact.paddr === undefined ? {} : { 'physical address': groupedHex(fact.paddr) }),
    ...(fact.vaddr === undefined ? {} : { 'user address': groupedHex(fact.vaddr) }),
    ...(fact.time === undefined ? {} : { time: `${fact.time} s` }),
    ...(fact.domain === undefined ? {} : { domain: fact.domain }),
  };
}

/** The mappings of a set at the state's moment, a row for each layer of overlapping mappings. */
function liveLane(id: string, state: MappingState): LaneContent<'mappings'> {
  const { set } = state;
  const layers = state.layers();
  const rows = layers.map((layer) => uniformRow(layer, set.isOneDomain ? 'mapping' : 'mapping-unsure'));
  const factAt = (row: number, index: number): MappingFact => {
    const fact = set.facts[layers[row]?.[index]?.fact ?? -1];
    if (!fact) throw new RangeError(`lane ${id} has no mapping ${index} in row ${row}`);
    return fact;
  };
  const subtitle = set.note === '' ? counted(state.size, 'mapping') : `${counted(state.size, 'mapping')}, ${set.note}`;
  return {
    id,
    kind: 'mappings',
    title: set.title,
    subtitle,
    expandable: false,
    expanded: false,
    rows,
    caption: (row, index) => {
      const fact = factAt(row, index);
      if (fact.kind === 'request') return fact.name ?? '';
      return fact.paddr === undefined ? '' : `→ ${groupedHex(fact.paddr)}`;
    },
    describe: (row, index) => {
      const fact = factAt(row, index);
      return {
        title: 'mapping',
        sentence: set.isOneDomain
          ? `Mapped according to the dump (${set.note || set.title}).`
          : 'Mapped in an unknown domain: the trace does not name it. Overlapping mappings are in separate rows.',
        parts: [{ owner: set.title, range: { start: fact.start, last: fact.last }, provenance: [provenanceOf(fact)] }],
        values: valuesOf(fact),
      };
    },
  };
}

/** For each set of mappings: what is mapped, and below it what was refused. */
export function mappingsOfHost({ mappings, laneId }: HostSource): LaneContent<'mappings' | 'requests'>[] {
  return mappings.flatMap((state) => {
    const id = laneId(`mappings ${state.set.key}`);
    const hasSuccess =
      state.set.folded !== undefined || state.set.facts.some((fact) => fact.kind !== 'request' || fact.result === 0);
    return [...(hasSuccess ? [liveLane(id, state)] : []), ...refusedLane(`${id} refused`, state)];
  });
}
