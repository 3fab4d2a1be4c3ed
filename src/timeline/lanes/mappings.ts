// Mappings that dumps tell of (traces, page tables, requests), at one moment.
import { isMap, type MappingFact, type MappingState } from '../../analysis/host/mappings.ts';
import { counted, formatSize, hex } from '../../iova/format.ts';
import { compareRanges, sizeOf } from '../../iova/range.ts';
import { type StyleName, styleIndex } from '../scene/theme.ts';
import { type DescribedRange, describedLane, type Lane, type LaneRow, type Part, stackRows } from './lane.ts';

/** Refused requests that are drawn; the list of conflicts has them all. */
const REFUSED_MAX = 500;

function provenanceOf(fact: MappingFact): Part['provenance'] {
  return [{ source: fact.source ?? 'this session', line: fact.line }];
}

function valuesOf(fact: MappingFact): Record<string, string> {
  const values: Record<string, string> = {};
  if (fact.kind === 'request') {
    if (fact.vaddr !== undefined) values['user address'] = hex(fact.vaddr);
    if (fact.name !== undefined) values.region = fact.name;
    return values;
  }
  if (fact.paddr !== undefined) values['physical address'] = hex(fact.paddr);
  if (fact.vaddr !== undefined) values['user address'] = hex(fact.vaddr);
  if (fact.time !== undefined) values.time = `${fact.time} s`;
  if (fact.domain !== undefined) values.domain = fact.domain;
  return values;
}

/** The mappings of a set that are there at the state's moment, a row for each layer. */
function liveLane(id: string, state: MappingState): Lane {
  const { set } = state;
  const style: StyleName = set.isOneDomain ? 'mapping' : 'mapping-unsure';
  const layers = state.layers();
  const rows = layers.map(
    (layer): LaneRow => ({
      starts: BigUint64Array.from(layer, (m) => m.start),
      lasts: BigUint64Array.from(layer, (m) => m.last),
      styles: new Uint8Array(layer.length).fill(styleIndex(style)),
      uniform: true,
    }),
  );
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
      return fact.paddr === undefined ? '' : `→ ${hex(fact.paddr)}`;
    },
    describe: (row, index) => {
      const fact = factAt(row, index);
      return {
        title: 'mapping',
        sentence: set.isOneDomain
          ? `Mapped, as told (${set.note || set.title}).`
          : 'Mapped in some domain: the trace does not say in which. What overlaps is drawn in rows of its own.',
        parts: [{ owner: set.title, range: { start: fact.start, last: fact.last }, provenance: provenanceOf(fact) }],
        values: valuesOf(fact),
      };
    },
  };
}

/** Requests of a set that were refused: what was asked for. */
function refusedLane(id: string, state: MappingState): Lane[] {
  const seen = new Map<string, DescribedRange>();
  let count = 0;
  for (const fact of state.set.facts) {
    if (fact.kind !== 'request' || fact.result === 0) continue;
    count++;
    const key = `${fact.op} ${fact.start}-${fact.last} ${fact.result}`;
    if (seen.has(key) || seen.size >= REFUSED_MAX) continue;
    const what = fact.name ?? fact.op;
    seen.set(key, {
      start: fact.start,
      last: fact.last,
      style: styleIndex('request-refused'),
      caption: `${what}: ${fact.result}`,
      info: {
        title: `${isMap(fact) ? 'map' : 'unmap'} of ${formatSize(sizeOf(fact))} refused: ${fact.result}`,
        sentence: 'A program asked for this and was refused. The list of conflicts says what stood in the way.',
        parts: [
          { owner: state.set.title, range: { start: fact.start, last: fact.last }, provenance: provenanceOf(fact) },
        ],
        values: valuesOf(fact),
      },
    });
  }
  if (count === 0) return [];
  const rows = stackRows([...seen.values()].sort(compareRanges)).map((ranges) => ({ ranges }));
  return [
    describedLane(
      { id, kind: 'requests', title: 'refused', subtitle: `${counted(count, 'request')}, ${state.set.title}` },
      rows,
    ),
  ];
}

/** The lanes of a set of mappings: what is mapped, and what was refused. */
export function mappingLanes(id: string, state: MappingState): Lane[] {
  const live = state.set.facts.some((fact) => fact.kind !== 'request' || fact.result === 0)
    ? [liveLane(id, state)]
    : [];
  return [...live, ...refusedLane(`${id} refused`, state)];
}
