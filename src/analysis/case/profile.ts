// What a source says about its machine: what distinguishes hosts, and what two sources from one host must agree on. A pure
// function of facts.
import { diagnosticRule } from '../../dumps/diagnostics.ts';
import type { Iova } from '../../iova/iova.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { type Fact, type FactOf, isFact } from '../../session/events.ts';
import { eventsAt } from '../host/build-host.ts';
import type { Provenance } from '../host/host.ts';

export type Architecture = 'x86' | 'arm' | 'riscv' | 's390';
export type IommuVendor = 'Intel' | 'AMD' | 'ARM';

/** A value and where it was read. */
interface Sourced<T> {
  readonly value: T;
  readonly provenance: Provenance;
}

/** What distinguishes a host from others. */
export interface HostProfile {
  /** Host names as written, by their normalized form. */
  readonly names: Map<string, string>;
  /** Folders and archives that its sources came from, each with the paths of the texts in it. */
  readonly folders: Map<string, Set<string>>;
  readonly architectures: Map<Architecture, Provenance>;
  readonly vendors: Map<IommuVendor, Provenance>;
  /** Devices of each group. */
  readonly groups: Map<string, Set<string>>;
  readonly groupOfDevice: Map<string, string>;
  /** Registers and address widths, by description: `cap register of dmar0`. */
  readonly registers: Map<string, Sourced<bigint>>;
  /** Reserved regions of each group as the kernel lists them, as sorted text. */
  readonly regions: Map<string, Set<string>>;
  /** Devices and groups that errors and faults name, without any other information about them. */
  readonly namedDevices: Set<string>;
  readonly namedGroups: Map<string, Provenance>;
  /** Names of the hosts of a fleet that are like this one, and what may differ between them. */
  readonly alike: Set<string>;
  readonly varies: Set<string>;
}

export function emptyProfile(): HostProfile {
  return {
    names: new Map(),
    folders: new Map(),
    architectures: new Map(),
    vendors: new Map(),
    groups: new Map(),
    groupOfDevice: new Map(),
    registers: new Map(),
    regions: new Map(),
    namedDevices: new Set(),
    namedGroups: new Map(),
    alike: new Set(),
    varies: new Set(),
  };
}

/** Names that any machine may have: they do not distinguish hosts. */
const COMMON_NAMES: ReadonlySet<string> = new Set(['localhost', 'localhost6', '(none)', 'none', 'unknown', 'host']);

/** Host names are compared in this form: lower case, without the domain. Undefined for a name that any machine may have. */
export function normalizedName(name: string): string | undefined {
  const [short = ''] = name.trim().toLowerCase().split('.');
  return short === '' || COMMON_NAMES.has(short) ? undefined : short;
}

function architectureOf(word: string): Architecture | undefined {
  if (/^(?:x86|i[3-6]86|amd64)/i.test(word)) return 'x86';
  if (/^(?:arm|aarch64)/i.test(word)) return 'arm';
  if (/^riscv/i.test(word)) return 'riscv';
  return /^s390/i.test(word) ? 's390' : undefined;
}

function vendorOf(driver: string): IommuVendor | undefined {
  if (driver === 'intel') return 'Intel';
  if (driver === 'amd') return 'AMD';
  return driver.startsWith('smmu') ? 'ARM' : undefined;
}

const placeOf = ({ source = 'this session', line }: Fact): Provenance => ({ source, line });

/** How many texts of a folder are remembered, to recognize a second folder with the same layout. */
const PATHS_MAX = 300;

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}

/** Keeps the first value; a source that contradicts itself is reported when its host is built. */
function keepFirst<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}

/** Collects what facts say about their host. */
class ProfileBuilder {
  readonly profile = emptyProfile();

  take(fact: Fact): void {
    const { profile } = this;
    switch (fact.kind) {
      case 'host':
        this.#host(fact);
        break;
      case 'iommu':
        this.#iommu(fact);
        break;
      case 'group':
        for (const device of fact.devices) this.#member(fact.group, device);
        break;
      case 'device':
        if (fact.group !== undefined) this.#member(fact.group, fact.device);
        break;
      case 'reserved':
        if (fact.origin === 'sysfs' && fact.group !== undefined) {
          addTo(profile.regions, fact.group, `${fact.start}-${fact.last} ${fact.type}`);
        }
        break;
      case 'ineligible':
      case 'request':
      case 'fault':
        if (fact.device !== undefined) profile.namedDevices.add(fact.device);
        break;
      case 'machine':
        for (const device of fact.assigned ?? []) profile.namedDevices.add(device);
        break;
      case 'diagnostic':
        this.#complaint(fact);
        break;
      default:
    }
  }

  #host(fact: FactOf<'host'>): void {
    const { name, arch, address_width: width, alike = [], varies = [] } = fact;
    for (const other of alike) this.profile.alike.add(other);
    for (const what of varies) this.profile.varies.add(what);
    const short = name === undefined ? undefined : normalizedName(name);
    if (name !== undefined && short !== undefined) keepFirst(this.profile.names, short, name);
    const architecture = arch === undefined ? undefined : architectureOf(arch);
    if (architecture) keepFirst(this.profile.architectures, architecture, placeOf(fact));
    if (width !== undefined) this.#register('address width of the host', BigInt(width), fact);
  }

  #iommu(fact: FactOf<'iommu'>): void {
    const { name, driver, cap, ecap, address_width: width } = fact;
    const vendor = vendorOf(driver);
    if (vendor) keepFirst(this.profile.vendors, vendor, placeOf(fact));
    const registers: readonly (readonly [string, Iova | bigint | undefined])[] = [
      ['cap register', cap],
      ['ecap register', ecap],
      ['address width', width === undefined ? undefined : BigInt(width)],
    ];
    for (const [what, value] of registers) {
      if (value !== undefined) this.#register(`${what} of ${name}`, value, fact);
    }
  }

  #register(what: string, value: bigint, fact: Fact): void {
    keepFirst(this.profile.registers, what, { value, provenance: placeOf(fact) });
  }

  #member(group: string, device: string): void {
    addTo(this.profile.groups, group, device);
    keepFirst(this.profile.groupOfDevice, device, group);
  }

  /** A problem that a program reported names devices and groups only in its text. */
  #complaint(fact: FactOf<'diagnostic'>): void {
    if (!diagnosticRule(fact.code)?.isComplaint) return;
    for (const [, group = ''] of fact.message.matchAll(/(?:\bgroup |\/dev\/vfio\/)(\d{1,9})\b/g)) {
      keepFirst(this.profile.namedGroups, group, placeOf(fact));
    }
    for (const [device] of fact.message.matchAll(/\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/g)) {
      this.profile.namedDevices.add(device);
    }
  }
}

/**
 * What the events of one source say about their host. `folder`: the folder or archive that the source is; `texts`: paths
 * of the texts in it, below the folder.
 */
export function profileOf(
  events: ReadonlyEventList,
  { folder, texts = [] }: { readonly folder?: string | undefined; readonly texts?: readonly string[] } = {},
): HostProfile {
  const builder = new ProfileBuilder();
  for (const event of eventsAt(events, events.length)) if (isFact(event)) builder.take(event);
  if (folder !== undefined) {
    builder.profile.folders.set(folder, new Set(texts.slice(0, PATHS_MAX)));
  }
  return builder.profile;
}

function mergeSets<K, V>(into: Map<K, Set<V>>, from: ReadonlyMap<K, ReadonlySet<V>>): void {
  for (const [key, values] of from) into.set(key, new Set([...(into.get(key) ?? []), ...values]));
}

function mergeFirst<K, V>(into: Map<K, V>, from: ReadonlyMap<K, V>): void {
  for (const [key, value] of from) keepFirst(into, key, value);
}

/** What several sources say about one host. */
export function mergeProfiles(profiles: Iterable<HostProfile>): HostProfile {
  const all = emptyProfile();
  for (const profile of profiles) {
    mergeFirst(all.names, profile.names);
    mergeSets(all.folders, profile.folders);
    mergeFirst(all.architectures, profile.architectures);
    mergeFirst(all.vendors, profile.vendors);
    mergeSets(all.groups, profile.groups);
    mergeFirst(all.groupOfDevice, profile.groupOfDevice);
    mergeFirst(all.registers, profile.registers);
    mergeSets(all.regions, profile.regions);
    for (const device of profile.namedDevices) all.namedDevices.add(device);
    mergeFirst(all.namedGroups, profile.namedGroups);
    for (const other of profile.alike) all.alike.add(other);
    for (const what of profile.varies) all.varies.add(what);
  }
  return all;
}
