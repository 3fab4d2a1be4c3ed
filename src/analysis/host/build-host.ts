// Merges the facts of several sources into one host: a fact from two sources becomes one entry with two places, and statements
// that cannot both be true are kept as contradictions.
import { type DiagnosticCode, diagnosticRule } from '../../dumps/diagnostics.ts';
import { hex } from '../../iova/format.ts';
import type { Iova } from '../../iova/iova.ts';
import { compareRanges, type IovaRange, rangeOfBits } from '../../iova/range.ts';
import { type ReadonlyEventList, unpackedEntries } from '../../session/event-list.ts';
import { type Fact, type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { DeviceCollector } from './devices.ts';
import {
  type Aperture,
  type Bar,
  type Complaint,
  type Contradiction,
  compareNames,
  type Fault,
  type Group,
  type Guest,
  type GuestRange,
  groupTitle,
  type Host,
  type HostWindow,
  type Ineligible,
  type IvrsFeatures,
  isWindowType,
  type MsiMessage,
  type Provenance,
  provenanceOf,
  type Region,
  type StreamIds,
  type ValidRange,
} from './host.ts';
import { derivedApertures, hasDerivedWidth } from './iommu-aperture.ts';
import { isFirmwareOrigin } from './region-types.ts';

/** Name for the container or IOAS of valid ranges that do not name one. */
const UNNAMED_SPACE = 'the container';
/** Key of the group of regions without a group or device. */
const UNKNOWN_GROUP = 'unknown';
/** Maximum number of places per entry: a fault may repeat thousands of times. */
const PLACES_MAX = 20;
interface RegionDraft {
  readonly region: Omit<Region, 'provenance'>;
  readonly provenance: Provenance[];
}

interface GroupDraft {
  /** Number of drafts before it. */
  readonly index: number;
  group?: string | undefined;
  type?: string | undefined;
  devices: string[];
  readonly regions: RegionDrafts;
  provenance: Provenance[];
}

/** The regions of a group: one for each range and type, found by range. */
class RegionDrafts {
  readonly #byRange = new Map<string, RegionDraft[]>();
  readonly #all: RegionDraft[] = [];

  /** In the order in which they were added. */
  get all(): readonly RegionDraft[] {
    return this.#all;
  }

  /** Those of exactly this range, the first first. */
  of({ start, last }: IovaRange): readonly RegionDraft[] {
    return this.#byRange.get(`${start}-${last}`) ?? [];
  }

  /** The one of exactly this range and type. */
  get({ start, last, type }: RegionDraft['region']): RegionDraft | undefined {
    return this.of({ start, last }).find(({ region }) => region.type === type);
  }

  /** Adds one whose range and type are new. */
  add(draft: RegionDraft): void {
    const { start, last } = draft.region;
    const key = `${start}-${last}`;
    const same = this.#byRange.get(key);
    if (same) same.push(draft);
    else this.#byRange.set(key, [draft]);
    this.#all.push(draft);
  }

  /** Adds it, or its provenance to the one of its range and type. */
  merge({ region, provenance }: RegionDraft): void {
    const known = this.get(region);
    if (known) known.provenance.push(...provenance);
    else this.add({ region, provenance: [...provenance] });
  }
}

interface IommuDraft {
  readonly name: string;
  driver: string;
  addressWidth?: number | undefined;
  cap?: Iova | undefined;
  ecap?: Iova | undefined;
  readonly provenance: Provenance[];
}

/** An entry with the places where it was read. */
type Sourced<T> = T & { readonly provenance: Provenance[] };

function addPlace(places: Provenance[], fact: Fact): void {
  const place = provenanceOf(fact);
  if (places.length >= PLACES_MAX) return;
  if (!places.some((p) => p.source === place.source && p.line === place.line)) places.push(place);
}

/** True for codes of diagnostics that pass on a problem of a program or a kernel; others are about reading. */
function isComplaint(code: string): code is DiagnosticCode {
  return diagnosticRule(code)?.isComplaint === true;
}

/** Diagnostics about values that were not used, in addition to those of malformed lines (`damaged-…`). */
const UNUSED: ReadonlySet<string> = new Set<DiagnosticCode>([
  'bad-address-width',
  'range-beyond-64-bits',
  'start-above-last',
  'too-many-digits',
]);
/** Diagnostics that say something about the host, though not about a range. */
const REMARKS: ReadonlySet<string> = new Set<DiagnosticCode>(['default-domain-type', 'empty-range']);
const REMARKS_MAX = 4;

/** True if regions of this type are mapped 1:1, relaxable or not. */
function isDirect(type: string): boolean {
  return type === 'direct' || type === 'direct-relaxable';
}

const DEVICE_SPAN = /^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])-([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/;

/** The bounds of a range of PCI devices, `0000:42:00.0-0000:43:00.0`; `undefined` for one device. */
function deviceSpan(device: string): readonly [string, string] | undefined {
  const [, first, last] = DEVICE_SPAN.exec(device) ?? [];
  return first !== undefined && last !== undefined ? [first, last] : undefined;
}

/** True if `device` is the one that firmware names, or is in the named range. */
function namesDevice(named: string, device: string): boolean {
  const span = deviceSpan(named);
  // PCI addresses of the same form and length sort like their text.
  return span ? span[0] <= device && device <= span[1] : named === device;
}

class HostBuilder {
  readonly #groups = new Map<string, GroupDraft>();
  readonly #draftsOfDevice = new Map<string, GroupDraft[]>();
  #drafts = 0;
  readonly #devices = new DeviceCollector();
  readonly #firmware = new Map<
    string,
    Sourced<Omit<Region, 'provenance'> & { readonly device?: string | undefined }>
  >();
  readonly #apertures: Sourced<Omit<Aperture, 'provenance'>>[] = [];
  readonly #validRanges: ValidRange[] = [];
  readonly #ignored: FactOf<'ignored'>[] = [];
  readonly #msiMessages = new Map<string, Sourced<Omit<MsiMessage, 'provenance'>>>();
  readonly #iommus = new Map<string, IommuDraft>();
  readonly #windows = new Map<string, Sourced<Omit<HostWindow, 'provenance'>>>();
  readonly #firstBars = new Map<string, FactOf<'bar'>>();
  readonly #bars = new Map<string, Sourced<Omit<Bar, 'provenance'>>>();
  /** The ranges of each source: two sources may be about two guests. */
  readonly #guests = new Map<string, Map<string, Sourced<Omit<GuestRange, 'provenance'>>>>();
  readonly #faults = new Map<
    string,
    Sourced<Omit<Fault, 'provenance' | 'count' | 'time'> & { count: number; time?: Fault['time'] }>
  >();
  readonly #ineligible = new Map<string, Sourced<Omit<Ineligible, 'provenance'>>>();
  readonly #complaints = new Map<string, Sourced<Omit<Complaint, 'provenance'>>>();
  #malformed = 0;
  #firstMalformed: Provenance | undefined;
  readonly #remarks = new Set<string>();
  readonly #contradictions: Contradiction[] = [];
  readonly #about: Partial<Record<'name' | 'kernel' | 'arch' | 'options', string>> = {};
  /** The source that named the kernel first. */
  #kernelSource: string | undefined;
  readonly #hostWidths: FactOf<'host'>[] = [];
  readonly #iommuWidths: FactOf<'iommu'>[] = [];
  readonly #ivrs: FactOf<'host'>[] = [];
  readonly #streamIds: StreamIds[] = [];
  #cpu: Host['cpu'];

  take(fact: Fact): void {
    switch (fact.kind) {
      case 'host':
        this.#host(fact);
        break;
      case 'iommu':
        this.#iommu(fact);
        break;
      case 'group':
        this.#group(fact);
        break;
      case 'reserved':
        this.#reserved(fact);
        break;
      case 'aperture':
        this.#aperture(fact);
        break;
      case 'ignored':
        this.#ignored.push(fact);
        break;
      case 'valid_range':
        this.#validRange(fact);
        break;
      case 'window': {
        const { start, last, name, depth, type } = fact;
        this.#once(this.#windows, `${start}-${last} ${name}`, fact, () => ({
          start,
          last,
          name,
          depth,
          type: isWindowType(type) ? type : 'other',
        }));
        break;
      }
      case 'bar':
        this.#bar(fact);
        break;
      case 'msi_message': {
        const { device, address, enabled } = fact;
        if (enabled === false) return;
        this.#once(this.#msiMessages, `${device} ${address}`, fact, () => ({ device, address }));
        break;
      }
      case 'guest': {
        const { start, last, name, type, space } = fact;
        const key = `${start}-${last} ${name} ${type} ${space}`;
        const { source } = provenanceOf(fact);
        const ranges = this.#guests.get(source) ?? new Map();
        this.#guests.set(source, ranges);
        this.#once(ranges, key, fact, () => ({ start, last, name, type, space }));
        break;
      }
      case 'fault': {
        const { address, device, access, reason, driver, time } = fact;
        const key = `${address} ${device} ${access} ${reason}`;
        const known = this.#faults.get(key);
        if (known) {
          known.count++;
          if (time !== undefined) known.time = { first: known.time?.first ?? time, last: time };
        }
        const timed = time === undefined ? {} : { time: { first: time, last: time } };
        this.#once(this.#faults, key, fact, () => ({ address, device, access, reason, driver, count: 1, ...timed }));
        break;
      }
      case 'ineligible': {
        const { device, reason } = fact;
        this.#once(this.#ineligible, `${device} ${reason}`, fact, () => ({ device, reason }));
        break;
      }
      case 'map':
      case 'unmap':
      case 'request':
      case 'gone':
      case 'machine':
        break;
      case 'device':
        this.#device(fact);
        break;
      case 'diagnostic': {
        const { code, severity, message } = fact;
        if (!isComplaint(code)) {
          this.#note(fact);
          break;
        }
        if (severity === 'info') break;
        this.#once(this.#complaints, `${code} ${message}`, fact, () => ({ code, severity, message }));
        break;
      }
    }
  }

  /** What a reader reports about the text itself. */
  #note(fact: FactOf<'diagnostic'>): void {
    const { code, severity, message } = fact;
    if (REMARKS.has(code) && this.#remarks.size < REMARKS_MAX) this.#remarks.add(message);
    if (severity === 'info' || !(code.startsWith('damaged-') || UNUSED.has(code))) return;
    this.#malformed++;
    this.#firstMalformed ??= provenanceOf(fact);
  }

  /** Adds an entry under its key; if it exists already, adds only the place of the fact. */
  #once<T extends object>(things: Map<string, Sourced<T>>, key: string, fact: Fact, make: () => NoInfer<T>): void {
    const known = things.get(key);
    if (known) addPlace(known.provenance, fact);
    else things.set(key, { ...make(), provenance: [provenanceOf(fact)] });
  }

  #contradicts(about: string, message: string, places: readonly Provenance[], fact: Fact): void {
    this.#contradictions.push({ about, message, provenance: [...places.slice(0, 1), provenanceOf(fact)] });
  }

  #host(fact: FactOf<'host'>): void {
    const { source } = provenanceOf(fact);
    for (const field of ['name', 'kernel', 'arch', 'options'] as const) {
      const value = fact[field];
      if (value === undefined) continue;
      // A log continues after an update: its last line counts.
      const isUpdate = field === 'kernel' && this.#kernelSource === source;
      if (isUpdate) this.#about.kernel = value;
      else this.#about[field] ??= value;
      if (field === 'kernel') this.#kernelSource ??= source;
    }
    if (fact.cpu_physical_bits !== undefined) {
      this.#cpu ??= { physicalBits: fact.cpu_physical_bits, provenance: [provenanceOf(fact)] };
    }
    if (fact.efr !== undefined || fact.ivinfo !== undefined) this.#ivrs.push(fact);
    for (const [segment, requester, count, stream] of fact.stream_ids ?? []) {
      this.#streamIds.push({ segment, requester, count, stream });
    }
    const bits = fact.address_width;
    if (bits === undefined) return;
    const other = this.#hostWidths.find((known) => known.address_width !== bits);
    if (other && !this.#hostWidths.some((known) => known.address_width === bits)) {
      const message = `address width of the host: ${other.address_width} vs ${bits} bits`;
      this.#contradicts('host', message, [provenanceOf(other)], fact);
    }
    this.#hostWidths.push(fact);
  }

  /** Adds an aperture with this many bits, once for the same name and width. */
  #addWidth(bits: number, what: string, fact: Fact): void {
    if (bits < 1 || bits > 64) return;
    this.#addAperture({ ...rangeOfBits(bits), message: `${what}, ${bits} bits` }, fact);
  }

  #addAperture(aperture: Omit<Aperture, 'provenance'>, fact: Fact): void {
    const { start, last, message, group, space } = aperture;
    const known = this.#apertures.find(
      (a) => a.start === start && a.last === last && a.message === message && a.group === group && a.space === space,
    );
    if (known) addPlace(known.provenance, fact);
    else this.#apertures.push({ ...aperture, provenance: [provenanceOf(fact)] });
  }

  #iommu(fact: FactOf<'iommu'>): void {
    const { name, driver, address_width: addressWidth, cap, ecap } = fact;
    const known = this.#iommus.get(name);
    if (!known) {
      this.#iommus.set(name, { name, driver, addressWidth, cap, ecap, provenance: [provenanceOf(fact)] });
    } else {
      if (known.driver === 'unknown') known.driver = driver;
      else if (driver !== 'unknown' && driver !== known.driver) {
        this.#contradicts(name, `driver of ${name}: ${known.driver} vs ${driver}`, known.provenance, fact);
      }
      if (known.addressWidth !== undefined && addressWidth !== undefined && known.addressWidth !== addressWidth) {
        const message = `address width of ${name}: ${known.addressWidth} vs ${addressWidth} bits`;
        this.#contradicts(name, message, known.provenance, fact);
      }
      for (const [field, value] of [
        ['cap', cap],
        ['ecap', ecap],
      ] as const) {
        const before = known[field];
        if (before !== undefined && value !== undefined && before !== value) {
          const message = `${field} register of ${name}: ${hex(before)} vs ${hex(value)}`;
          this.#contradicts(name, message, known.provenance, fact);
        }
      }
      known.addressWidth ??= addressWidth;
      known.cap ??= cap;
      known.ecap ??= ecap;
      addPlace(known.provenance, fact);
    }
    if (addressWidth !== undefined) this.#iommuWidths.push(fact);
  }

  /** Adds the IOMMU widths that sources state as apertures, unless they are only a field of a register. */
  #widthsToApertures(): void {
    for (const fact of this.#iommuWidths) {
      const { name, address_width: addressWidth = 0 } = fact;
      const known = this.#iommus.get(name);
      if (known && hasDerivedWidth({ ...known, addressWidth })) continue;
      this.#addWidth(addressWidth, name, fact);
    }
  }

  /** The features of the IVRS table: each field from the first source that has it. */
  #ivrsFeatures(): IvrsFeatures | undefined {
    if (this.#ivrs.length === 0) return undefined;
    const first = (field: 'efr' | 'efr2' | 'ivinfo') => this.#ivrs.find((fact) => fact[field] !== undefined)?.[field];
    const provenance: Provenance[] = [];
    for (const fact of this.#ivrs) addPlace(provenance, fact);
    return { efr: first('efr'), efr2: first('efr2'), ivinfo: first('ivinfo'), provenance };
  }

  #draft(group: string | undefined, device: string | undefined): GroupDraft {
    const id = group !== undefined ? `group ${group}` : device !== undefined ? `device ${device}` : UNKNOWN_GROUP;
    const known = this.#groups.get(id);
    if (known) return known;
    const draft: GroupDraft = {
      index: this.#drafts++,
      group,
      devices: [],
      regions: new RegionDrafts(),
      provenance: [],
    };
    if (group === undefined && device !== undefined) this.#addDevice(draft, device);
    this.#groups.set(id, draft);
    return draft;
  }

  #addDevice(draft: GroupDraft, device: string): void {
    draft.devices.push(device);
    const drafts = this.#draftsOfDevice.get(device);
    if (drafts) drafts.push(draft);
    else this.#draftsOfDevice.set(device, [draft]);
  }

  #group(fact: FactOf<'group'>): void {
    const draft = this.#draft(fact.group, undefined);
    if (draft.type !== undefined && fact.type !== undefined && draft.type !== fact.type) {
      const message = `domain type of group ${fact.group}: ${draft.type} vs ${fact.type}`;
      this.#contradicts(`group ${fact.group}`, message, draft.provenance, fact);
    }
    draft.type ??= fact.type;
    for (const device of fact.devices) {
      if (draft.devices.includes(device)) continue;
      const others = (this.#draftsOfDevice.get(device) ?? []).filter(({ group }) => group !== undefined);
      for (const other of others.sort((a, b) => a.index - b.index)) {
        const message = `group of ${device}: ${other.group} vs ${fact.group}`;
        this.#contradicts(device, message, other.provenance, fact);
      }
      this.#addDevice(draft, device);
    }
    addPlace(draft.provenance, fact);
  }

  #reserved(fact: FactOf<'reserved'>): void {
    const { start, last, type, origin, device, group } = fact;
    if (isFirmwareOrigin(origin) && group === undefined) {
      const key = `${start}-${last} ${type} ${origin} ${device}`;
      this.#once(this.#firmware, key, fact, () => ({ start, last, type, origin, device }));
      return;
    }
    const draft = this.#draft(group, device);
    if (device !== undefined && !draft.devices.includes(device)) this.#addDevice(draft, device);
    const region = { start, last, type, origin };
    const known = draft.regions.get(region);
    if (known) {
      addPlace(known.provenance, fact);
      return;
    }
    const [same] = draft.regions.of(region);
    if (same && group !== undefined && !same.provenance.some((p) => p.source === fact.source)) {
      const message = `type of ${hex(start)}-${hex(last)} of group ${group}: ${same.region.type} vs ${type}`;
      this.#contradicts(`group ${group}`, message, same.provenance, fact);
    }
    draft.regions.add({ region, provenance: [provenanceOf(fact)] });
  }

  #aperture(fact: FactOf<'aperture'>): void {
    const { start, last, group, container: space, pgsize_bitmap: pageSizes } = fact;
    const message = fact.iommu ?? (group !== undefined ? `group ${group}` : space) ?? 'aperture';
    if (fact.origin === 'manual') {
      this.#addAperture({ start, last, message: 'aperture entered by hand', pageSizes, isManual: true }, fact);
    } else this.#addAperture({ start, last, message, pageSizes, group, space }, fact);
  }

  #validRange(fact: FactOf<'valid_range'>): void {
    const { start, last, pid, process, guest, mappings_left: mappingsLeft, pgsize_bitmap: pageSizes } = fact;
    const space = fact.container ?? fact.ioas ?? UNNAMED_SPACE;
    const provenance = [provenanceOf(fact)];
    this.#validRanges.push({
      start,
      last,
      message: space,
      space,
      pid,
      process,
      guest,
      mappingsLeft,
      pageSizes,
      provenance,
    });
  }

  #device(fact: FactOf<'device'>): void {
    const { device, ids, group, source, line } = fact;
    const known = this.#devices.add(fact);
    if (known?.ids !== undefined && ids !== undefined && known.ids !== ids) {
      this.#contradicts(device, `ids of ${device}: ${known.ids} vs ${ids}`, known.provenance, fact);
    }
    if (group !== undefined) this.#group({ kind: 'group', group, devices: [device], source, line });
  }

  #bar(fact: FactOf<'bar'>): void {
    const { start, last, device, index, prefetchable, bits } = fact;
    const name = `${device} ${index}`;
    const first = this.#firstBars.get(name);
    if (!first) this.#firstBars.set(name, fact);
    else if ((first.start !== start || first.last !== last) && first.source !== fact.source) {
      const message = `address of BAR ${index} of ${device}: ${hex(first.start)} vs ${hex(start)}`;
      this.#contradicts(device, message, [provenanceOf(first)], fact);
    }
    this.#once(this.#bars, `${device} ${index} ${start}-${last}`, fact, () => ({
      start,
      last,
      device,
      index,
      prefetchable,
      bits,
    }));
  }

  /** Moves the regions of a device to the device's group, if a source names it. */
  #devicesToGroups(): void {
    for (const [id, draft] of this.#groups) {
      if (draft.group !== undefined || id === UNKNOWN_GROUP) continue;
      const owner = [...this.#groups.values()].find(
        (other) => other.group !== undefined && draft.devices.every((device) => other.devices.includes(device)),
      );
      if (!owner) continue;
      for (const region of draft.regions.all) owner.regions.merge(region);
      this.#groups.delete(id);
    }
  }

  /**
   * Firmware tables have no groups. If groups list the same region, the firmware's place is added to theirs. Otherwise the
   * region goes to the group of the device that it names, or to the device; if it names none, it stands alone. If the kernel's
   * list for that group does not have it, the sources contradict each other.
   */
  #firmwareToGroups(): void {
    for (const found of this.#firmware.values()) {
      const { device, provenance, ...region } = found;
      const sameIn = ({ regions }: GroupDraft) =>
        regions
          .of(region)
          .find(({ region: { type } }) => type === region.type || (isDirect(type) && isDirect(region.type)));
      const drafts = [...this.#groups.values()].filter((draft) => draft.group !== undefined);
      const named = device === undefined ? [] : drafts.filter((d) => d.devices.some((own) => namesDevice(device, own)));
      let isTaken = false;
      for (const draft of drafts) {
        const known = sameIn(draft);
        if (!known) continue;
        isTaken = true;
        known.provenance.push(...provenance);
      }
      for (const draft of named) {
        if (sameIn(draft)) continue;
        isTaken = true;
        const listed = draft.regions.all.find(({ region: other }) => other.origin === 'sysfs');
        if (listed) {
          const place = `${hex(region.start)}-${hex(region.last)}`;
          const message = `firmware declares ${place} (${region.type}) for ${device}, but the kernel does not list it for group ${draft.group}`;
          this.#contradictions.push({
            about: `group ${draft.group}`,
            message,
            provenance: [...provenance.slice(0, 1), ...listed.provenance.slice(0, 1)],
          });
        } else {
          draft.regions.add({ region, provenance: [...provenance] });
        }
      }
      if (isTaken) continue;
      this.#draft(undefined, device).regions.merge({ region, provenance });
    }
  }

  /** The address width of the host is used as an aperture if no source has the width of an IOMMU. */
  #hostWidthsToApertures(): void {
    if ([...this.#iommus.values()].some((one) => one.addressWidth !== undefined || hasDerivedWidth(one))) return;
    for (const fact of this.#hostWidths) this.#addWidth(fact.address_width ?? 0, 'host address width', fact);
  }

  /** The guests: sources with identical ranges are about one guest. */
  #mergedGuests(): Guest[] {
    const guests: Guest[] = [];
    const known = new Map<string, Map<string, Sourced<Omit<GuestRange, 'provenance'>>>>();
    for (const [source, ranges] of this.#guests) {
      const identity = [...ranges.keys()].sort().join('\n');
      const same = known.get(identity);
      if (!same) {
        known.set(identity, ranges);
        guests.push({ source, ranges: [...ranges.values()] });
        continue;
      }
      for (const [id, { provenance }] of ranges) same.get(id)?.provenance.push(...provenance);
    }
    return guests;
  }

  #isIgnored({ start, last }: Region, group: string | undefined): boolean {
    return this.#ignored.some(
      (one) => one.start === start && one.last === last && (one.group === undefined || one.group === group),
    );
  }

  finish(key: string, title: string): Host {
    this.#devicesToGroups();
    this.#firmwareToGroups();
    this.#widthsToApertures();
    this.#hostWidthsToApertures();
    const ivrs = this.#ivrsFeatures();
    const iommus = [...this.#iommus.values()];
    const told = { iommus, about: this.#about, ...(ivrs ? { ivrs } : {}) };
    return {
      ...told,
      ...(this.#cpu ? { cpu: this.#cpu } : {}),
      ...(this.#streamIds.length > 0 ? { streamIds: this.#streamIds } : {}),
      key,
      title,
      groups: [...this.#groups]
        .map(([id, draft]): Group => {
          const regions = draft.regions.all
            .map(({ region, provenance }) => ({ ...region, provenance }))
            .filter((region) => !this.#isIgnored(region, draft.group));
          return {
            key: `${key}/${id}`,
            group: draft.group,
            type: draft.type,
            devices: draft.devices.toSorted(compareNames),
            regions: regions.sort(compareRanges),
            provenance: draft.provenance,
          };
        })
        .sort((a, b) => compareNames(groupTitle(a), groupTitle(b))),
      devices: this.#devices.devices,
      apertures: [...this.#apertures, ...derivedApertures(told)],
      validRanges: this.#validRanges,
      msiMessages: [...this.#msiMessages.values()],
      windows: [...this.#windows.values()],
      bars: [...this.#bars.values()],
      guests: this.#mergedGuests(),
      faults: [...this.#faults.values()],
      ineligible: [...this.#ineligible.values()],
      firmwareRegions: [...this.#firmware.values()],
      contradictions: this.#contradictions,
      complaints: [...this.#complaints.values()],
      reading: { malformed: this.#malformed, first: this.#firstMalformed, remarks: [...this.#remarks] },
    };
  }
}

function isArray(events: ReadonlyEventList): events is readonly SessionEvent[] {
  return Array.isArray(events);
}

/**
 * The first `position` events, without those that a later one of them removes (`gone`). Operations that are kept in columns are
 * left out.
 */
export function eventsAt(events: ReadonlyEventList, position: number): readonly SessionEvent[] {
  if (!isArray(events)) {
    const known = [...unpackedEntries(events)].filter(([index]) => index < position);
    const removed = new Set(known.flatMap(([, e]) => (isFact(e) && e.kind === 'gone' ? [e.event - 1] : [])));
    return known.flatMap(([index, event]) => (removed.has(index) ? [] : [event]));
  }
  const gone = new Set<number>();
  for (let i = 0; i < position; i++) {
    const event = events[i];
    if (event && isFact(event) && event.kind === 'gone') gone.add(event.event - 1);
  }
  if (gone.size === 0) return position >= events.length ? events : events.slice(0, position);
  return events.slice(0, position).filter((_, i) => !gone.has(i));
}

/** Builds the host of one opened set of facts. Operations are skipped: their state belongs to the models. */
export function buildHost(key: string, title: string, events: Iterable<SessionEvent>): Host {
  const builder = new HostBuilder();
  for (const event of events) if (isFact(event)) builder.take(event);
  return builder.finish(key, title);
}
