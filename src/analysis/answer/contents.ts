// Other contents of dumps, apart from conflicts and groups: so that "nothing was refused" says what was checked.
import { counted, hex, hexRange } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { joinNames } from '../conflicts/conflict.ts';
import type { Host } from '../host/host.ts';
import type { MappingState } from '../host/mapping-state.ts';
import { factAt, isMap } from '../host/mappings.ts';

/** The bounds of several ranges together; undefined if there are none. A loop, because there may be a million of them. */
function hull(ranges: Iterable<{ readonly start: bigint; readonly last: bigint }>): string {
  let low: bigint | undefined;
  let high = 0n;
  for (const { start, last } of ranges) {
    if (low === undefined || start < low) low = start;
    if (last > high) high = last;
  }
  return low === undefined ? '' : ` (${hexRange(range(low, high))})`;
}

/** `3 maps and 1 unmap (0xf8000000-0xfa001fff), 2 mappings remain`; several traces together. */
function mappingsText(states: readonly MappingState[]): string[] {
  let maps = 0;
  let unmaps = 0;
  for (const { set } of states) {
    const { folded } = set;
    maps += folded?.maps ?? 0;
    unmaps += folded?.unmaps ?? 0;
    for (let i = folded?.live ?? 0; i < set.facts.length; i++) {
      if (isMap(factAt(set, i))) maps++;
      else unmaps++;
    }
  }
  if (maps + unmaps === 0) return [];
  const isSnapshot = states.every(({ set }) => set.isSnapshot);
  function* mapped() {
    for (const { set } of states) {
      if (set.folded?.bounds) yield set.folded.bounds;
      for (const fact of set.facts) if (isMap(fact)) yield fact;
    }
  }
  const bounds = hull(mapped());
  if (isSnapshot) return [`${counted(maps, 'mapping')} in page tables${bounds}`];
  const left = states.reduce((sum, { size }) => sum + size, 0);
  const remain = `${counted(left, 'mapping')} ${left === 1 ? 'remains' : 'remain'}`;
  const parts = [maps > 0 ? counted(maps, 'map') : '', unmaps > 0 ? counted(unmaps, 'unmap') : ''];
  return [`${joinNames(parts.filter(Boolean))}${bounds}, after which ${remain}`];
}

/** What a host's dumps contain, one entry per kind: `2 BARs of 1 device (0xf8000000-0xfa000fff)`. */
export function contentsOf(
  host: Pick<Host, 'bars' | 'windows' | 'msiMessages' | 'iommus'>,
  mappings: readonly MappingState[],
) {
  const { bars, windows, msiMessages, iommus } = host;
  const tables = windows.filter(({ name }) => name.startsWith('MSI-X table of '));
  const others = windows.length - tables.length;
  const devices = new Set(bars.map(({ device }) => device)).size;
  return [
    ...mappingsText(mappings),
    ...(bars.length > 0 ? [`${counted(bars.length, 'BAR')} of ${counted(devices, 'device')}${hull(bars)}`] : []),
    ...(tables.length > 0 ? [`${counted(tables.length, 'MSI-X table')}${hull(tables)}`] : []),
    ...(others > 0 ? [`${counted(others, 'range')} of physical addresses`] : []),
    ...(msiMessages.length > 0
      ? [
          `${counted(msiMessages.length, 'MSI message')} (to ${joinNames([...new Set(msiMessages.map(({ address }) => hex(address)))])})`,
        ]
      : []),
    ...(iommus.length > 0
      ? [`${counted(iommus.length, 'IOMMU')} (${joinNames(iommus.map(({ name }) => name))}) without a known width`]
      : []),
  ];
}
