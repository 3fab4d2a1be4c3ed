// Facts put together: which hosts, groups and devices there are, and what each of them reserves.
import type { Iova } from '../iova/iova.ts';
import type { IovaRange } from '../iova/range.ts';
import { type Fact, isFact, type SessionEvent } from '../session/events.ts';

/** Where something was read. */
export interface Provenance {
  readonly source: string;
  /** Counted from 1. */
  readonly line?: number | undefined;
}

/** A reserved region. The same region said twice is one region with two places. */
export interface Region extends IovaRange {
  readonly type: string;
  readonly origin?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** An IOMMU group, or what is known of one: dumps may name only a device, or nothing. */
export interface Group {
  /** Unique within the inventory. */
  readonly key: string;
  /** Number (or name) of the group; missing where the dump does not say. */
  readonly group?: string | undefined;
  /** Domain type as the kernel prints it (`DMA`, `identity` …). */
  readonly type?: string | undefined;
  readonly devices: readonly string[];
  readonly regions: readonly Region[];
  readonly provenance: readonly Provenance[];
}

/** A range that some domain can translate, and who says so. */
export interface Aperture extends IovaRange {
  readonly words: string;
  readonly pageSizes?: bigint | undefined;
  readonly group?: string | undefined;
  /** Name of the container or IOAS that it belongs to. */
  readonly space?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** Where a device writes its message-signalled interrupts, as it was programmed. */
export interface MsiMessage {
  readonly device: string;
  readonly address: Iova;
  readonly provenance: readonly Provenance[];
}

/** What one opened set of dumps says of one host. */
export interface Host {
  readonly key: string;
  readonly title: string;
  readonly groups: readonly Group[];
  readonly apertures: readonly Aperture[];
  /** Ranges that the kernel itself reported as mappable. */
  readonly validRanges: readonly Aperture[];
  /** Enabled ones only: what a disabled one holds is left over. */
  readonly msiMessages: readonly MsiMessage[];
  /** Facts a kind that nothing here draws yet, so that none of them goes unmentioned. */
  readonly otherFacts: Readonly<Record<string, number>>;
}

/** The container or IOAS of valid ranges that do not say whose they are. */
const UNNAMED_SPACE = 'as the kernel reports';

/** Key of the group of what comes without any. */
const UNKNOWN_GROUP = 'unknown';

interface GroupDraft {
  group?: string | undefined;
  type?: string | undefined;
  devices: string[];
  regions: Map<string, { region: Omit<Region, 'provenance'>; provenance: Provenance[] }>;
  provenance: Provenance[];
}

function provenanceOf(fact: Fact): Provenance {
  return { source: fact.source ?? 'this session', line: fact.line };
}

/** Origins of regions that firmware describes; its tables do not speak of groups. */
const FIRMWARE: ReadonlySet<string | undefined> = new Set(['rmrr', 'ivmd', 'rmr']);

/**
 * A region of the firmware, which knows no groups, is the same as that of the groups that have it: they get the further
 * place, and only what no group has stays without one. Regions of sysfs without a group are of groups that the dump does
 * not name: they are not given to others.
 */
function giveToGroups(groups: Map<string, GroupDraft>): void {
  const unknown = groups.get(UNKNOWN_GROUP);
  if (!unknown) return;
  for (const [id, { region, provenance }] of unknown.regions) {
    if (!FIRMWARE.has(region.origin)) continue;
    const owners = [...groups.values()].filter((draft) => draft !== unknown && draft.regions.has(id));
    for (const owner of owners) owner.regions.get(id)?.provenance.push(...provenance);
    if (owners.length > 0) unknown.regions.delete(id);
  }
  if (unknown.regions.size === 0) groups.delete(UNKNOWN_GROUP);
}

/** Natural order: numbers by value, then words. */
export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function widthAperture(bits: number, words: string, fact: Fact): Aperture | undefined {
  if (bits < 1 || bits > 64) return undefined;
  const last = ((1n << BigInt(bits)) - 1n) as IovaRange['last'];
  return { start: 0n as IovaRange['start'], last, words: `${words}, ${bits} bits`, provenance: [provenanceOf(fact)] };
}

/** Collects what the facts of one opened set say. Operations are passed over: their state belongs to the models. */
export function takeInventory(key: string, title: string, events: Iterable<SessionEvent>): Host {
  const groups = new Map<string, GroupDraft>();
  const apertures: Aperture[] = [];
  const validRanges: Aperture[] = [];
  const msiMessages: MsiMessage[] = [];
  const otherFacts: Record<string, number> = {};

  const groupOf = (group: string | undefined, device: string | undefined): GroupDraft => {
    const id = group !== undefined ? `group ${group}` : device !== undefined ? `device ${device}` : UNKNOWN_GROUP;
    const known = groups.get(id);
    if (known) return known;
    const draft: GroupDraft = {
      group,
      devices: group === undefined && device !== undefined ? [device] : [],
      regions: new Map(),
      provenance: [],
    };
    groups.set(id, draft);
    return draft;
  };

  for (const event of events) {
    if (!isFact(event)) continue;
    switch (event.kind) {
      case 'group': {
        const draft = groupOf(event.group, undefined);
        draft.type ??= event.type;
        for (const device of event.devices) if (!draft.devices.includes(device)) draft.devices.push(device);
        draft.provenance.push(provenanceOf(event));
        break;
      }
      case 'reserved': {
        const draft = groupOf(event.group, event.device);
        const { start, last, type, origin, device } = event;
        if (device !== undefined && !draft.devices.includes(device)) draft.devices.push(device);
        const id = `${start}-${last} ${type}`;
        const known = draft.regions.get(id);
        if (known) known.provenance.push(provenanceOf(event));
        else draft.regions.set(id, { region: { start, last, type, origin }, provenance: [provenanceOf(event)] });
        break;
      }
      case 'aperture': {
        const owner = event.iommu ?? (event.group !== undefined ? `group ${event.group}` : event.container);
        apertures.push({
          start: event.start,
          last: event.last,
          words: owner ?? 'aperture',
          pageSizes: event.pgsize_bitmap,
          group: event.group,
          space: event.container,
          provenance: [provenanceOf(event)],
        });
        break;
      }
      case 'host':
      case 'iommu': {
        if (event.address_width === undefined) break;
        const words = event.kind === 'host' ? 'host address width' : event.name;
        const aperture = widthAperture(event.address_width, words, event);
        if (aperture) apertures.push(aperture);
        break;
      }
      case 'valid_range':
        validRanges.push({
          start: event.start,
          last: event.last,
          words: event.container ?? event.ioas ?? UNNAMED_SPACE,
          space: event.container ?? event.ioas ?? UNNAMED_SPACE,
          provenance: [provenanceOf(event)],
        });
        break;
      case 'msi_message':
        if (event.enabled === false) break;
        msiMessages.push({ device: event.device, address: event.address, provenance: [provenanceOf(event)] });
        break;
      case 'diagnostic':
        break;
      default:
        otherFacts[event.kind] = (otherFacts[event.kind] ?? 0) + 1;
    }
  }

  giveToGroups(groups);
  return {
    key,
    title,
    groups: [...groups]
      .map(([id, draft]): Group => {
        const regions = [...draft.regions.values()].map(({ region, provenance }) => ({ ...region, provenance }));
        regions.sort((a, b) => (a.start !== b.start ? (a.start < b.start ? -1 : 1) : a.last < b.last ? -1 : 1));
        return {
          key: `${key}/${id}`,
          group: draft.group,
          type: draft.type,
          devices: draft.devices.toSorted(compareNames),
          regions,
          provenance: draft.provenance,
        };
      })
      .sort((a, b) => compareNames(groupTitle(a), groupTitle(b))),
    apertures,
    validRanges,
    msiMessages,
    otherFacts,
  };
}

/** What to call a group: by its number, by its device where only that is known, or as unknown. */
export function groupTitle(group: Pick<Group, 'group' | 'devices'>): string {
  if (group.group !== undefined) return `group ${group.group}`;
  return group.devices[0] ?? 'group not known';
}
