// What the facts of all sources together say about a host. Built by build-host.ts.
import type { Severity as DiagnosticSeverity } from '../../dumps/diagnostic-rule.ts';
import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { Fact } from '../../session/events.ts';

/** Where something was read. */
export interface Provenance {
  readonly source: string;
  /** Counted from 1. */
  readonly line?: number | undefined;
}

/** Where a fact was read; facts without a source belong to the session itself. */
export function provenanceOf({ source, line }: Pick<Fact, 'source' | 'line'>): Provenance {
  return { source: source ?? 'this session', line };
}

/** `dmesg.txt:7`, or only the source. */
export function placeText({ source, line }: Provenance): string {
  return line === undefined ? source : `${source}:${line}`;
}

/** The first place and how many more there are; empty if there are none. */
export function placesText([first, ...more]: readonly Provenance[]): string {
  if (!first) return '';
  return more.length > 0 ? `${placeText(first)} and ${more.length} more` : placeText(first);
}

/** A reserved region. A region that two sources name is one region with two places. */
export interface Region extends IovaRange {
  readonly type: string;
  readonly origin?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** An IOMMU group, or what is known about it: dumps may name only a device, or nothing. */
export interface Group {
  /** Unique within the host. */
  readonly key: string;
  /** Number (or name) of the group; absent if no source names it. */
  readonly group?: string | undefined;
  /** Domain type as the kernel prints it (`DMA`, `identity` …). */
  readonly type?: string | undefined;
  readonly devices: readonly string[];
  readonly regions: readonly Region[];
  readonly provenance: readonly Provenance[];
}

/** A device of a host. Unknown values are undefined. */
export interface HostDevice {
  /** PCI address in full, or another name that sysfs has. */
  readonly device: string;
  /** Names of vendor and device. */
  readonly name?: string | undefined;
  /** Name of the class: `VGA compatible controller`. */
  readonly class?: string | undefined;
  /** `10de:2484` */
  readonly ids?: string | undefined;
  readonly subsystem?: string | undefined;
  readonly driver?: string | undefined;
  readonly group?: string | undefined;
  readonly iommu?: string | undefined;
  readonly numaNode?: number | undefined;
  /** The bridge above it. */
  readonly parent?: string | undefined;
  /** Width of its DMA addresses after those below 4 GiB ran out, in bits. */
  readonly dmaBits?: number | undefined;
  readonly provenance: readonly Provenance[];
}

/** A range that some domain can translate. */
export interface Aperture extends IovaRange {
  readonly message: string;
  readonly pageSizes?: bigint | undefined;
  readonly group?: string | undefined;
  /** Name of the container or IOAS that it belongs to. */
  readonly space?: string | undefined;
  /** True if it was entered by hand: it replaces all others of the host. */
  readonly isManual?: boolean;
  /** Set if it was derived from the registers of an IOMMU and the rules of a kernel: the rule, and what is assumed. */
  readonly derivation?: { readonly rule: string; readonly assumed?: string | undefined };
  readonly provenance: readonly Provenance[];
}

/** A range that the kernel itself reported as mappable, with what it reported about the space. */
export interface ValidRange extends Aperture {
  /** Name of the container or IOAS. */
  readonly space: string;
  readonly pid?: number | undefined;
  readonly process?: string | undefined;
  /** Name of the virtual machine that the process runs. */
  readonly guest?: string | undefined;
  readonly mappingsLeft?: number | undefined;
}

/** Where a device was programmed to write its message-signalled interrupts. */
export interface MsiMessage {
  readonly device: string;
  readonly address: Iova;
  readonly provenance: readonly Provenance[];
}

/** An IOMMU, as one or more sources describe it. */
export interface Iommu {
  readonly name: string;
  /** `intel`, `amd`, `smmu-v3` …; `unknown` if no source names it. */
  readonly driver: string;
  readonly addressWidth?: number | undefined;
  readonly cap?: Iova | undefined;
  readonly ecap?: Iova | undefined;
  readonly provenance: readonly Provenance[];
}

const WINDOW_TYPES = ['ram', 'pci', 'ecam', 'mmio', 'reserved', 'other'] as const;

/** What responds to a range of physical addresses. */
export type WindowType = (typeof WINDOW_TYPES)[number];

export function isWindowType(word: string): word is WindowType {
  return (WINDOW_TYPES as readonly string[]).includes(word);
}

/** A range of the host's physical addresses and what responds there. */
export interface HostWindow extends IovaRange {
  readonly name: string;
  /** Nesting in the dump: 0 for the outermost. */
  readonly depth: number;
  readonly type: WindowType;
  readonly provenance: readonly Provenance[];
}

/** A memory BAR of a PCI device; index 6 is the expansion ROM. */
export interface Bar extends IovaRange {
  readonly device: string;
  readonly index: number;
  readonly prefetchable?: boolean | undefined;
  readonly bits?: number | undefined;
  readonly provenance: readonly Provenance[];
}

/** A range of a guest's physical addresses. */
export interface GuestRange extends IovaRange {
  readonly name: string;
  /** As QEMU prints it: `ram`, `rom`, `romd`, `ramd`, `i/o` … */
  readonly type: string;
  /** Name of the guest's address space, if the dump has several. */
  readonly space?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** The layout of one guest, from one source. */
export interface Guest {
  /** Name of the source; of sources with identical ranges, the first. */
  readonly source: string;
  /** In the order of the source. */
  readonly ranges: readonly GuestRange[];
}

/** A DMA access that an IOMMU blocked. */
export interface Fault {
  readonly address: Iova;
  readonly device?: string | undefined;
  /** `read`, `write`, or another value from the driver. */
  readonly access?: string | undefined;
  readonly reason?: string | undefined;
  readonly driver?: string | undefined;
  /** How often it was logged, in all sources. */
  readonly count: number;
  /** When it was logged first and last, in seconds, if the sources have times. */
  readonly time?: { readonly first: number; readonly last: number } | undefined;
  readonly provenance: readonly Provenance[];
}

/** A device that the kernel refused to assign. */
export interface Ineligible {
  readonly device: string;
  readonly reason: string;
  readonly provenance: readonly Provenance[];
}

/** A problem that a program or a kernel reported as text, without a range. */
export interface Complaint {
  /** Code of the diagnostic, such as `qemu-few-dma-mappings`. */
  readonly code: DiagnosticCode;
  readonly severity: Exclude<DiagnosticSeverity, 'info'>;
  readonly message: string;
  readonly provenance: readonly Provenance[];
}

/** What could not be used in the sources, and remarks that are not about a range. */
export interface ReadingNotes {
  /** Malformed lines and fields whose values were not used. */
  readonly malformed: number;
  /** The first of them. */
  readonly first?: Provenance | undefined;
  /** Full remarks, each once: an empty region, the default domain type. */
  readonly remarks: readonly string[];
}

/** Two statements of sources that cannot both be true. */
export interface Contradiction {
  /** The subject: `dmar0`, `group 7`, a device. */
  readonly about: string;
  readonly message: string;
  readonly provenance: readonly Provenance[];
}

/** What a set of dumps says about one host. */
export interface Host {
  readonly key: string;
  readonly title: string;
  readonly groups: readonly Group[];
  /** What is known about its devices, by address. Groups may have further devices. */
  readonly devices: ReadonlyMap<string, HostDevice>;
  readonly apertures: readonly Aperture[];
  /** Ranges that the kernel itself reported as mappable. */
  readonly validRanges: readonly ValidRange[];
  /** Enabled ones only: a disabled one may hold an old value. */
  readonly msiMessages: readonly MsiMessage[];
  readonly iommus: readonly Iommu[];
  readonly windows: readonly HostWindow[];
  readonly bars: readonly Bar[];
  readonly guests: readonly Guest[];
  readonly faults: readonly Fault[];
  readonly ineligible: readonly Ineligible[];
  /** Regions from firmware tables or log lines, including those that were assigned to groups. */
  readonly firmwareRegions: readonly (Region & { readonly device?: string | undefined })[];
  readonly contradictions: readonly Contradiction[];
  readonly complaints: readonly Complaint[];
  readonly reading: ReadingNotes;
  /** Name, kernel, architecture and the options of its command line about IOMMUs, if a source has them. */
  readonly about: Readonly<Partial<Record<'name' | 'kernel' | 'arch' | 'options', string>>>;
  /** The kernel whose rules answer, if the user chose one. */
  readonly chosenKernel?: string | undefined;
  /** AMD: the feature registers and the information field of the IVRS table, if a source has them. */
  readonly ivrs?: IvrsFeatures | undefined;
  /** ARM: how requester ids become stream ids, according to the IORT. */
  readonly streamIds?: readonly StreamIds[] | undefined;
  /** Physical address bits of its CPU, which guests with `host-phys-bits` get. Not those of its IOMMU. */
  readonly cpu?: { readonly physicalBits: number; readonly provenance: readonly Provenance[] } | undefined;
}

/** Stream ids of PCI devices: `count` ids from `stream` on correspond to the requester ids from `requester` on. */
export interface StreamIds {
  readonly segment: number;
  readonly requester: number;
  readonly count: number;
  readonly stream: number;
}

/** What the IVRS table of an AMD host says about its IOMMUs. The kernel follows it, not their registers. */
export interface IvrsFeatures {
  /** Zero if the table has none. */
  readonly efr?: bigint | undefined;
  readonly efr2?: bigint | undefined;
  readonly ivinfo?: bigint | undefined;
  readonly provenance: readonly Provenance[];
}

/** The kernel whose rules answer for a host: the chosen one, otherwise its own; `undefined` if neither is known. */
export function kernelOf({ chosenKernel, about }: Pick<Host, 'chosenKernel' | 'about'>): string | undefined {
  return chosenKernel ?? about.kernel;
}

const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** Natural order: decimal numbers by value, then words; PCI addresses, which are hexadecimal, by their text. */
export function compareNames(a: string, b: string): number {
  if (PCI_ADDRESS.test(a) && PCI_ADDRESS.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return a === b ? 0 : COLLATOR.compare(a, b);
}

/** The title of a group: its number, its device if only that is known, or unknown. */
export function groupTitle(group: Pick<Group, 'group' | 'devices'>): string {
  if (group.group !== undefined) return `group ${group.group}`;
  return group.devices[0] ?? 'unknown group';
}
