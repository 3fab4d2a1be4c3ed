// Requests of a program that the kernel refused.

import { provenanceOf } from '../../analysis/host/host.ts';
import type { MappingState } from '../../analysis/host/mapping-state.ts';
import { isMap } from '../../analysis/host/mappings.ts';
import { counted, formatSize, groupedHex } from '../../iova/format.ts';
import { compareRanges, sizeOf } from '../../iova/range.ts';
import type { FactOf } from '../../session/events.ts';
import { type DescribedRange, describedLane, type LaneContent, stackRows } from './lane.ts';

/** Refused requests that are drawn; the list of conflicts contains all. */
const REFUSED_MAX = 500;

export function requestValues(fact: FactOf<'request'>): Record<string, string> {
  return {
    ...(fact.vaddr === undefined ? {} : { 'user address': groupedHex(fact.vaddr) }),
    ...(fact.name === undefined ? {} : { region: fact.name }),
  };
}

/** The refused requests of a set, equal ones once; no lane if there are none. */
export function refusedLane(id: string, state: MappingState): LaneContent<'requests'>[] {
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
      style: 'request-refused',
      caption: `${what}: ${fact.result}`,
      info: {
        title: `${isMap(fact) ? 'map' : 'unmap'} of ${formatSize(sizeOf(fact))} refused: ${fact.result}`,
        sentence: 'A program requested this and the kernel refused it. The list of conflicts shows what blocked it.',
        parts: [
          {
            owner: state.set.title,
            range: { start: fact.start, last: fact.last },
            provenance: [provenanceOf(fact)],
          },
        ],
        values: requestValues(fact),
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
