// What an operation line can refer to: the objects of a session's state, the devices of the open hosts, and useful addresses.
import { type Group, groupTitle, type Host } from '../../analysis/host/host.ts';
import { commonSpace } from '../../analysis/space/common-space.ts';
import { hex } from '../../iova/format.ts';
import { IOVA_MAX, type Iova, iova } from '../../iova/iova.ts';
import type { AddressSpaceView, KernelView } from '../../kernel/model.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import type { Completion, CompletionContext } from '../../operation-lines/complete.ts';
import { printOperation } from '../../operation-lines/print.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';

/** Maximum number of names of one kind that are offered: a host may have hundreds of devices. */
const NAMES_MAX = 60;
/** Maximum number of addresses of one kind that are offered. */
const ADDRESSES_MAX = 5;

type Names = NonNullable<CompletionContext['names']>;

/** Names of a state's objects by kind, then those of the hosts' devices and groups. */
function namesIn(state: KernelView, hosts: readonly Host[]): Names {
  const spaces = state.spaces();
  const domains = spaces.flatMap((space) => space.domains);
  const accesses = spaces.flatMap((space) => space.accesses);
  const ids = spaces.map(({ id }) => id);
  const allocated = spaces.flatMap(({ allocator }) => allocator?.devices.map(({ name }) => name) ?? []);
  const attached = [...domains.flatMap(({ devices }) => devices), ...allocated];
  const groups = hosts.flatMap((host) => host.groups);
  const unique = (names: readonly string[]) => [...new Set(names)].slice(0, NAMES_MAX);
  return {
    ioas: ids,
    container: ids,
    domain: ids,
    device: unique([...attached, ...groups.flatMap(({ devices }) => devices)]),
    group: unique([...domains.flatMap((domain) => domain.groups ?? []), ...groups.flatMap(({ group }) => group ?? [])]),
    hwpt: unique(domains.flatMap(({ hwpt }) => hwpt ?? [])),
    iommu: unique(domains.map(({ iommu }) => iommu)),
    access: unique(accesses.map(({ name }) => name)),
    pin: unique(accesses.flatMap(({ pins }) => pins.map(({ name }) => name))),
  };
}

/** The first free ranges of a space, without going through all of its areas. */
function firstFree(space: AddressSpaceView): Completion[] {
  const found: Completion[] = [];
  for (const { start, last } of usableRanges(space)) {
    space.visitHoles(start, last, space.alignment, (hole) => {
      found.push({ text: hex(hole.start), label: `free up to ${hex(hole.last)}` });
      return found.length >= ADDRESSES_MAX;
    });
    if (found.length >= ADDRESSES_MAX) break;
  }
  return found;
}

function firstAreas(space: AddressSpaceView): Completion[] {
  const found: Completion[] = [];
  for (const { start, last } of space.areas()) {
    if (found.length === ADDRESSES_MAX) break;
    found.push({ text: hex(start), label: `mapped up to ${hex(last)}` });
  }
  return found;
}

function firstReserved(space: AddressSpaceView): Completion[] {
  return space.reserved
    .slice(0, ADDRESSES_MAX)
    .flatMap(({ start, last, type }): Completion[] => [
      { text: hex(start), label: `${type} up to ${hex(last)}` },
      ...(last < IOVA_MAX ? [{ text: hex(iova(last + 1n)), label: `after ${type}` }] : []),
    ]);
}

/** Matches operations on mapped ranges; other operations need free ranges. */
const ABOUT_AREAS = /^\s*(?:unmap|copy|access)\b|^\s*dma\s+\S+\s+unmap\b/;

/** Addresses in the space that the line names, the most useful first. */
function addressesIn(state: KernelView, line: string): Completion[] {
  const words = line.split(/[\s:,]+/);
  const spaces = state.spaces();
  const space = spaces.find(({ id }) => words.includes(id)) ?? spaces[0];
  if (!space) return [];
  const [free, areas] = [firstFree(space), firstAreas(space)];
  return [...(ABOUT_AREAS.test(line) ? [...areas, ...free] : [...free, ...areas]), ...firstReserved(space)];
}

/** What a line can refer to in a state; `hosts` are those of the case. */
export function lineContext(
  state: KernelView,
  hosts: readonly Host[],
  line: string,
  model: string | undefined,
): CompletionContext {
  return { model, names: namesIn(state, hosts), addresses: addressesIn(state, line) };
}

/** The IOMMU domain of a group as the dumps of its host describe it; undefined if they do not show the aperture. */
function domainOf(host: Host, group: Group): { domain: DomainDescription; reserved: ReservedRegion[] } | undefined {
  const { apertures, reserved } = commonSpace(host, [group]);
  const [first] = apertures;
  if (!first) return undefined;
  const device = group.devices.find((name) => host.devices.get(name)?.iommu !== undefined);
  const named = device === undefined ? undefined : host.devices.get(device)?.iommu;
  const start = apertures.reduce<Iova>((max, a) => (a.start > max ? a.start : max), first.start);
  const last = apertures.reduce<Iova>((min, a) => (a.last < min ? a.last : min), first.last);
  if (start > last) return undefined;
  return {
    domain: {
      iommu: named ?? host.iommus[0]?.name ?? 'iommu',
      aperture: [start, last],
      pgsize_bitmap: iova(first.pageSizes ?? 0x4020_1000n),
      enforce_cache_coherency: true,
    },
    reserved: reserved.map(({ start: from, last: to, type }) => ({ start: from, last: to, type })),
  };
}

/** What follows the colon of an attach line, for a device or group of an open host. */
function domainText(host: Host, group: Group): string | undefined {
  const found = domainOf(host, group);
  if (!found) return undefined;
  const line = printOperation({ op: 'device.attach', device: 'd', ioas: 'a', ...found });
  return line.slice(line.indexOf(': ') + 2);
}

const ATTACH = /^\s*attach\s+(?:(group)\s+)?(\S+)\s+to\s+(?:hwpt\s+)?\S+?:\s*$/;

/** The rest of an attach line according to the dumps, offered once before the grammar's own completions. */
export function hostDomains(hosts: readonly Host[], line: string): Completion[] {
  const [, isGroup, name] = ATTACH.exec(line) ?? [];
  if (name === undefined) return [];
  return hosts.flatMap((host): Completion[] => {
    const group = host.groups.find(({ group: id, devices }) => (isGroup ? id === name : devices.includes(name)));
    const text = group && domainText(host, group);
    return group && text !== undefined ? [{ text, label: `${groupTitle(group)} of ${host.title}` }] : [];
  });
}
