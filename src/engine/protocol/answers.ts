// Questions and their answers: conflicts, fit, holes, guests, hosts, buffers.
import type { CaseAnswer } from '../../analysis/answer/answer.ts';
import type { ConflictItem } from '../../analysis/answer/items.ts';
import type { Conflict } from '../../analysis/conflicts/conflict.ts';
import type { GuestDefinition } from '../../analysis/guest/guest-memory.ts';
import type { FittingSizes } from '../../analysis/guest/layouts.ts';
import type { Provenance } from '../../analysis/host/host.ts';
import type { FitAnswer, HoleStatistics } from '../../analysis/space/fit.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { UapiNode } from '../../uapi/node.ts';

/** A guest to check on the hosts. */
export type GuestChoice =
  | { readonly kind: 'machine'; readonly machine: string; readonly ram: bigint }
  /** A guest's own definition, from a text such as `pc-q35-7.2:16G,vendor=amd` or a file. */
  | { readonly kind: 'definition'; readonly definition: GuestDefinition }
  /** A guest layout of an open document, by its source. */
  | { readonly kind: 'document'; readonly id: string; readonly guest: string }
  /** No guest, although sources define some. */
  | { readonly kind: 'none' }
  /** Ranges entered by hand. */
  | { readonly kind: 'ranges'; readonly text: string };

/** A guest that the sources of a host define. */
export interface DefinedGuest {
  readonly hostId: string;
  readonly hostName: string;
  readonly definition: GuestDefinition;
  /** `win11: q35 7.2, 16 GiB` */
  readonly label: string;
  /** Where it was read first. */
  readonly provenance: Provenance;
  /** True if it is tried on its host unless the user chooses another guest. */
  readonly isTried: boolean;
  /** What had to be assumed about its layout. */
  readonly notes: readonly string[];
  /** Why it cannot be tried, if so. */
  readonly problem?: string | undefined;
}

/** What is checked for conflicts: the selected groups together, and a guest on them. */
export interface Trial {
  /** Keys of the selected groups, address spaces and layers. */
  readonly selectedGroups: readonly string[];
  readonly guest?: GuestChoice | undefined;
  /** Page size of the hosts' kernel in bytes, a power of two; by default what the dumps say. */
  readonly pageSize?: bigint | undefined;
}

/** A conflict as the list shows it. */
export interface ConflictRow extends Conflict<string> {
  /** From 1 on, over all hosts. */
  readonly number: number;
  /** Id of the document. */
  readonly document: string;
  readonly host: string;
}

export interface ConflictList {
  readonly rows: readonly ConflictRow[];
  /** Conflicts beyond those. */
  readonly more: number;
  /** Why the guest could not be checked. */
  readonly problem?: string | undefined;
}

/** The answer to the case: one or two sentences, and the conflicts that it is based on. */
export interface Answered extends ConflictList {
  readonly answer: CaseAnswer;
  /** The rows grouped by kind. `conflicts` are ids of rows. */
  readonly items: readonly ConflictItem[];
}

/** What blocks a range. Bounds are the obstacle's own. */
export interface Blocker extends IovaRange {
  readonly message: string;
}

/** The answer to "would this fit?" for one address space of the picture. */
export interface SpaceFit extends Omit<FitAnswer, 'blocked'> {
  readonly space: string;
  /** Places beyond those listed. */
  readonly placesMore: number;
  readonly blockers: readonly Blocker[];
}

export interface SpaceHoles extends HoleStatistics {
  readonly space: string;
  /** What counts as free here. */
  readonly note: string;
}

/** The RAM sizes of a machine that fit on the selected hosts. */
export interface GuestSizes {
  /** On all of them together. */
  readonly sizes: readonly FittingSizes[];
  readonly message: string;
  readonly hosts: readonly { readonly title: string; readonly message: string }[];
  /** The largest RAM for which the machine has a layout. */
  readonly maxRam: bigint;
  /** False if the aperture of any host is unknown: it may be too narrow for the sizes listed. */
  readonly isApertureKnown: boolean;
}

/** Hosts of a table that differ neither in a range nor in the answer. */
export interface HostTableRow {
  /** Ids of the documents that are shown for them. */
  readonly ids: readonly string[];
  readonly count: number;
  /** A few of their names, in words. */
  readonly names: string;
  /** What is different from the largest class, in words; empty if no range is. */
  readonly differs: string;
  /** The answer for them, with the guest that is tried. */
  readonly answer: Pick<CaseAnswer, 'severity' | 'text'>;
  /** What may differ between them, although no range does: see `AlikeNode`. */
  readonly varies: readonly string[];
}

/** The selected hosts side by side. Names of hosts are in words: all of them would be too long. */
export interface HostTable {
  /** How many are compared. */
  readonly hosts: number;
  readonly all: string;
  /** Those whose aperture is unknown; empty if none. */
  readonly apertureUnknown: string;
  /** The largest class first. */
  readonly rows: readonly HostTableRow[];
  /** Rows beyond those. */
  readonly more: number;
  readonly reservedUnion: readonly IovaRange[];
  readonly reservedIntersection: readonly IovaRange[];
  readonly usableUnion: readonly IovaRange[];
  /** For a guest that may move to any of them. */
  readonly usableIntersection: readonly IovaRange[];
  readonly differences: readonly (IovaRange & { readonly usableOn: string; readonly blockedOn: string })[];
  readonly differencesMore: number;
  /** What is reserved on any host, as a list to copy. */
  readonly line: string;
}

/** Several hosts side by side, all with their names. */
export interface HostsCompared {
  readonly hosts: readonly { readonly title: string; readonly isApertureKnown: boolean }[];
  readonly reservedUnion: readonly IovaRange[];
  readonly reservedIntersection: readonly IovaRange[];
  readonly usableUnion: readonly IovaRange[];
  readonly usableIntersection: readonly IovaRange[];
  readonly differences: readonly (IovaRange & {
    readonly usableOn: readonly string[];
    readonly blockedOn: readonly string[];
  })[];
  /** Hosts that do not differ in any range are one class; the largest first. `differs`: from that one, in words. */
  readonly classes: readonly { readonly hosts: readonly string[]; readonly differs: string }[];
  /** What is reserved on any host, as a list to copy. */
  readonly line: string;
}

/** A buffer of the kernel's UAPI, decoded as far as possible. */
export interface DecodedBuffer {
  readonly bytes: Uint8Array;
  /** Name of the structure that it was read as. */
  readonly structure: string;
  readonly root: UapiNode;
  /** Lines of the text that could not be read as hex. */
  readonly problems: readonly { readonly line: number; readonly column: number; readonly message: string }[];
  /** The ranges in it, and what they are. */
  readonly ranges: readonly IovaRange[];
  readonly rangesAre?: 'valid' | 'reserved' | undefined;
  readonly pageSizes?: bigint | undefined;
}
