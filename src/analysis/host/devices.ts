// Merges what several sources say about one device: lspci, lists of groups, drivers in kernel logs, the probe.
import type { FactOf } from '../../session/events.ts';
import { type HostDevice, provenanceOf } from './host.ts';

/** Maximum number of places per device: a kernel log may name it in every line. */
const PLACES_MAX = 8;

/** The name of a device that is not in pci.ids: `Device 2484`. */
const NAMELESS = /\bDevice \[?[0-9a-f]{4}\]?$/i;

/**
 * True for a source that shows the state of a device. A kernel log names a driver only when the driver printed something,
 * possibly hours before.
 */
function isDescription({ name, ids, class: kind, group }: FactOf<'device'>): boolean {
  return (name ?? ids ?? kind ?? group) !== undefined;
}

/** The more descriptive name: one from pci.ids rather than a bare number, then the longer one. */
function betterName(known: string | undefined, other: string | undefined): string | undefined {
  if (known === undefined || other === undefined) return known ?? other;
  const [isBare, isOtherBare] = [NAMELESS.test(known), NAMELESS.test(other)];
  if (isBare !== isOtherBare) return isBare ? other : known;
  return other.length > known.length ? other : known;
}

/** Collects facts about devices, in order. */
export class DeviceCollector {
  readonly #devices = new Map<string, HostDevice>();
  /** The source that last showed the state of a device and its driver. */
  readonly #described = new Map<string, string>();

  /** Adds a fact. Later values replace earlier ones, except names. Returns what was known before, if anything. */
  add(fact: FactOf<'device'>): HostDevice | undefined {
    const { device, name, class: kind, ids, subsystem, driver, group, iommu, numa_node: numaNode, parent } = fact;
    const known = this.#devices.get(device);
    const isState = isDescription(fact);
    const place = provenanceOf(fact);
    // Within one source, later facts are newer.
    const isOlder = !isState && (this.#described.get(device) ?? place.source) !== place.source;
    const keepsDriver = driver === undefined || isOlder;
    if (driver !== undefined && isState) this.#described.set(device, place.source);
    const places = known?.provenance ?? [];
    const isNew = !places.some(({ source, line }) => source === place.source && line === place.line);
    this.#devices.set(device, {
      device,
      name: betterName(known?.name, name),
      class: kind ?? known?.class,
      ids: ids ?? known?.ids,
      subsystem: subsystem ?? known?.subsystem,
      driver: keepsDriver ? known?.driver : driver,
      group: group ?? known?.group,
      iommu: iommu ?? known?.iommu,
      numaNode: numaNode ?? known?.numaNode,
      parent: parent ?? known?.parent,
      dmaBits: fact.dma_bits ?? known?.dmaBits,
      provenance: isNew && places.length < PLACES_MAX ? [...places, place] : places,
    });
    return known;
  }

  /** By address, in the order of their first mention. */
  get devices(): ReadonlyMap<string, HostDevice> {
    return this.#devices;
  }
}

/** Short forms of company names. */
const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/^Advanced Micro Devices, Inc\.? (?:\[AMD(?:\/ATI)?\] )?/, 'AMD '],
  [/^ATI Technologies Inc /, 'AMD '],
  [/^Mellanox Technologies /, 'Mellanox '],
  [/^Hewlett[- ]Packard (?:Enterprise|Company) /, 'HP '],
  [/^(.{2,40}?),? Co\.?,? Ltd\.? /, '$1 '],
  [
    /^(.{2,40}?),? (?:Corporation|Corp\.?|Incorporated|Inc\.?|Limited|Ltd\.?|GmbH|AG|LLC)(?: and subsidiaries)?,? (?=\S)/,
    '$1 ',
  ],
];
const NAME_MAX = 60;

/** A device's name, short enough for a list: `NVIDIA GA104 [GeForce RTX 3070]`. */
export function shortDeviceName(name: string): string {
  let short = name.trim();
  for (const [pattern, replacement] of VENDORS) {
    if (!pattern.test(short)) continue;
    short = short.replace(pattern, replacement);
    break;
  }
  return short.length > NAME_MAX ? `${short.slice(0, NAME_MAX - 1).trimEnd()}…` : short;
}

export type Described = Pick<HostDevice, 'device'> & Partial<Pick<HostDevice, 'name' | 'class' | 'ids' | 'driver'>>;

/** What a device is, without its address and driver: its name, otherwise its class, otherwise its ids; undefined if unknown. */
export function deviceKind({ name, class: kind, ids }: Omit<Described, 'device'>): string | undefined {
  if (name !== undefined) return shortDeviceName(name);
  if (kind !== undefined && ids !== undefined) return `${kind} ${ids}`;
  return kind ?? ids;
}

/** An address followed by the name and the driver of its device. */
export function titled(address: string, about: Described): string {
  const kind = deviceKind(about);
  return [address, kind, about.driver === undefined ? undefined : `(${about.driver})`]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** A device for lists: `0b:00.0 NVIDIA GA104 (vfio-pci)`; domain 0 is left out. */
export function deviceTitle(about: Described): string {
  return titled(about.device.replace(/^0000:(?=[0-9a-f]{2}:)/, ''), about);
}

/** A device for sentences, by its address in full: `0000:0b:00.0 NVIDIA GA104 (vfio-pci)`. */
export function deviceLabel(devices: ReadonlyMap<string, HostDevice>, device: string): string {
  return titled(device, devices.get(device) ?? { device });
}
