// Facts, hosts and conflicts for tests, with short argument lists and plain bigints.
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { FactOf, SessionEvent } from '../../session/events.ts';
import type { Conflict } from '../conflicts/conflict.ts';
import { findConflicts } from '../conflicts/find-conflicts.ts';
import type { GuestLayout } from '../conflicts/guest.ts';
import { MACHINES, type MachineName } from '../guest/layouts.ts';
import { buildHost } from '../host/build-host.ts';
import { MappingState } from '../host/mapping-state.ts';
import { mappingSets } from '../host/mappings.ts';
import { type CommonSpace, commonSpace } from '../space/common-space.ts';

export const GIB = 1n << 30n;

type More<K extends SessionEvent> = Partial<K>;

export function reserved(
  start: bigint,
  last: bigint,
  type: string,
  group = '1',
  more: More<FactOf<'reserved'>> = {},
): FactOf<'reserved'> {
  return { kind: 'reserved', ...range(start, last), type, origin: 'sysfs', group, source: 'host', line: 1, ...more };
}

/** The MSI window of x86, of group 1. */
export const MSI = reserved(0xfee0_0000n, 0xfeef_ffffn, 'msi');
/** The software MSI window of ARM, of group 1. */
export const SW_MSI = reserved(0x800_0000n, 0x80f_ffffn, 'msi');

/** An IOMMU with so many address bits. */
export function width(bits: number, more: More<FactOf<'iommu'>> = {}): FactOf<'iommu'> {
  return { kind: 'iommu', name: 'dmar0', driver: 'intel', address_width: bits, source: 'log', line: 5, ...more };
}

export function aperture(start: bigint, last: bigint, more: More<FactOf<'aperture'>> = {}): FactOf<'aperture'> {
  return { kind: 'aperture', ...range(start, last), source: 'info', line: 4, ...more };
}

export function group(name: string, devices: string[], more: More<FactOf<'group'>> = {}): FactOf<'group'> {
  return { kind: 'group', group: name, devices, source: 'groups', line: 1, ...more };
}

export function fault(address: bigint, more: More<FactOf<'fault'>> = {}): FactOf<'fault'> {
  return {
    kind: 'fault',
    address: iova(address),
    device: '0000:03:00.0',
    access: 'write',
    source: 'log',
    line: 7,
    ...more,
  };
}

export function map(start: bigint, last: bigint, more: More<FactOf<'map'>> = {}): FactOf<'map'> {
  return { kind: 'map', ...range(start, last), origin: 'ftrace', source: 'trace', line: 3, ...more };
}

export function unmap(start: bigint, last: bigint, more: More<FactOf<'unmap'>> = {}): FactOf<'unmap'> {
  return { kind: 'unmap', ...range(start, last), origin: 'ftrace', source: 'trace', line: 3, ...more };
}

export function request(
  start: bigint,
  last: bigint,
  result: 0 | string,
  more: More<FactOf<'request'>> = {},
): FactOf<'request'> {
  return { kind: 'request', op: 'map', api: 'vfio', ...range(start, last), result, source: 'qemu', line: 2, ...more };
}

export function bar(start: bigint, last: bigint, more: More<FactOf<'bar'>> = {}): FactOf<'bar'> {
  return { kind: 'bar', ...range(start, last), device: '0000:01:00.0', index: 0, source: 'lspci', line: 6, ...more };
}

export function window(
  start: bigint,
  last: bigint,
  type: string,
  name: string,
  more: More<FactOf<'window'>> = {},
): FactOf<'window'> {
  return { kind: 'window', ...range(start, last), type, name, depth: 0, source: 'iomem', line: 8, ...more };
}

export function ineligible(device: string, reason: string): FactOf<'ineligible'> {
  return { kind: 'ineligible', device, reason, source: 'log', line: 9 };
}

/** The layout of a machine. `ram` in bytes. */
export function machine(name: MachineName, ram: bigint): GuestLayout {
  return { title: name, ranges: MACHINES[name].layout(ram), machine: { machine: MACHINES[name], ram } };
}

/** A guest with one range. */
export function guest(start: bigint, last: bigint, type = 'ram', name = 'pc.ram'): GuestLayout {
  return {
    title: 'guest',
    ranges: [{ ...range(start, last), name, type, provenance: [{ source: 'mtree', line: 4 }] }],
  };
}

/** The space of all groups of the facts. */
export function spaceOf(events: readonly SessionEvent[]): CommonSpace {
  const host = buildHost('h', 'host', events);
  return commonSpace(host, host.groups);
}

/** The mapping sets of the facts, each after all events. */
export function statesOf(events: readonly SessionEvent[], position = events.length): MappingState[] {
  return mappingSets(events).map((set) => {
    const state = new MappingState(set);
    state.seek(position);
    return state;
  });
}

/** All conflicts of the facts, all groups selected. */
export function conflictsOf(events: readonly SessionEvent[], tried?: GuestLayout, pageSize?: bigint): Conflict[] {
  return findConflicts({
    space: spaceOf(events),
    mappings: statesOf(events),
    guests: tried ? [tried] : [],
    pageSize,
  });
}

/** The only conflict of the facts. Throws if there are more, or none. */
export function onlyConflict(events: readonly SessionEvent[], tried?: GuestLayout, pageSize?: bigint): Conflict {
  const found = conflictsOf(events, tried, pageSize);
  const [first] = found;
  if (!first || found.length > 1)
    throw new Error(`one conflict expected: ${found.map(({ title }) => title).join('; ')}`);
  return first;
}

/** What a conflict marks: role and bounds. */
export function markBounds({ marks }: Conflict): [string, bigint, bigint][] {
  return marks.map(({ role, start, last }) => [role, start, last]);
}
