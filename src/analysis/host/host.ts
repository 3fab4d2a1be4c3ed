// What facts put together say of a host. Made by build-host.ts.
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';

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
  readonly message: string;
  readonly pageSizes?: bigint | undefined;
  readonly group?: string | undefined;
  /** Name of the container or IOAS that it belongs to. */
  readonly space?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** A range that the kernel itself reported as mappable, and what it said with it. */
export interface ValidRange extends Aperture {
  /** Name of the container or IOAS. */
  readonly space: string;
  readonly pid?: number | undefined;
  readonly process?: string | undefined;
  /** Name of the virtual machine that the process runs. */
  readonly guest?: string | undefined;
  readonly mappingsLeft?: number | undefined;
}

/** Where a device writes its message-signalled interrupts, as it was programmed. */
export interface MsiMessage {
  readonly device: string;
  readonly address: Iova;
  readonly provenance: readonly Provenance[];
}

/** An IOMMU, as one or more sources describe it. */
export interface Iommu {
  readonly name: string;
  /** `intel`, `amd`, `smmu-v3` …; `unknown` where no source says. */
  readonly driver: string;
  readonly addressWidth?: number | undefined;
  readonly cap?: Iova | undefined;
  readonly ecap?: Iova | undefined;
  readonly provenance: readonly Provenance[];
}

/** A range of the host's physical addresses and what answers there. */
export interface HostWindow extends IovaRange {
  readonly name: string;
  /** Nesting in the dump: 0 for the outermost. */
  readonly depth: number;
  /** `ram`, `pci`, `ecam`, `mmio`, `reserved` or `other`. */
  readonly type: string;
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
  /** Name of the guest's address space, where the dump has several. */
  readonly space?: string | undefined;
  readonly provenance: readonly Provenance[];
}

/** The layout of one guest, as one source tells it. */
export interface Guest {
  /** Name of the source; of sources with the very same ranges, the first. */
  readonly source: string;
  /** In the order of the source. */
  readonly ranges: readonly GuestRange[];
}

/** A DMA that an IOMMU stopped. */
export interface Fault {
  readonly address: Iova;
  readonly device?: string | undefined;
  readonly access?: string | undefined;
  readonly reason?: string | undefined;
  readonly driver?: string | undefined;
  /** How often the same was said, in all sources. */
  readonly count: number;
  readonly provenance: readonly Provenance[];
}

/** A device that the kernel refused to give away. */
export interface Ineligible {
  readonly device: string;
  readonly reason: string;
  readonly provenance: readonly Provenance[];
}

/** What a program or a kernel complained of in words, without a range. */
export interface Complaint {
  /** Code of the diagnostic, such as `qemu-few-dma-mappings`. */
  readonly code: string;
  readonly severity: 'warning' | 'error';
  readonly message: string;
  readonly provenance: readonly Provenance[];
}

/** Something that sources say in ways that cannot both be true. */
export interface Contradiction {
  /** What is spoken of: `dmar0`, `group 7`, a device. */
  readonly about: string;
  readonly message: string;
  readonly provenance: readonly Provenance[];
}

/** What one opened set of dumps says of one host. */
export interface Host {
  readonly key: string;
  readonly title: string;
  readonly groups: readonly Group[];
  readonly apertures: readonly Aperture[];
  /** Ranges that the kernel itself reported as mappable. */
  readonly validRanges: readonly ValidRange[];
  /** Enabled ones only: what a disabled one holds is left over. */
  readonly msiMessages: readonly MsiMessage[];
  readonly iommus: readonly Iommu[];
  readonly windows: readonly HostWindow[];
  readonly bars: readonly Bar[];
  readonly guests: readonly Guest[];
  readonly faults: readonly Fault[];
  readonly ineligible: readonly Ineligible[];
  /** Regions as the firmware's tables or its log lines have them: also those that were given to groups. */
  readonly firmwareRegions: readonly (Region & { readonly device?: string | undefined })[];
  readonly contradictions: readonly Contradiction[];
  readonly complaints: readonly Complaint[];
  /** Kernel, architecture and name where a source says them. */
  readonly about: Readonly<Partial<Record<'name' | 'kernel' | 'arch', string>>>;
}

/** Natural order: numbers by value, then words. */
export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** What to call a group: by its number, by its device where only that is known, or as unknown. */
export function groupTitle(group: Pick<Group, 'group' | 'devices'>): string {
  if (group.group !== undefined) return `group ${group.group}`;
  return group.devices[0] ?? 'group not known';
}
