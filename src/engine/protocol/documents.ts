// What is open, as the page shows it in the source tree.
import type { EventDensity } from './sessions.ts';

/** A file to open. `name` is its path relative to what was dropped; `link` the target if it is a symbolic link. */
export interface InputFile {
  readonly name: string;
  readonly data: Blob;
  readonly link?: string;
}

export interface Diagnostic {
  readonly severity: 'info' | 'warning' | 'error';
  readonly code: string;
  readonly message: string;
  readonly source: string;
  readonly line?: number | undefined;
}

/** The name of a text that was pasted. */
export const PASTED_NAME = 'pasted text';

/** What was found in one source: a file, or a whole folder or archive. */
export interface SourceNode {
  /** Id of the source in the case. */
  readonly id: string;
  readonly kind: 'file' | 'folder' | 'paste' | 'live' | 'sample';
  /** Unique in the case: the file's name, with the host or a number if another source has the same name. */
  readonly name: string;
  readonly isLive: boolean;
  readonly formats: readonly string[];
  readonly facts: number;
  readonly operations: number;
  readonly lines: number;
  readonly unrecognized: number;
  /** Warnings and errors of reading it. */
  readonly diagnostics: number;
  readonly samples: readonly { readonly line: number; readonly text: string }[];
}

/** A device of a group, as far as the sources describe it. */
export interface DeviceNode {
  /** PCI address in full, or another name that sysfs has. */
  readonly device: string;
  /** Names of vendor and device. */
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  /** `10de:2484` */
  readonly ids?: string | undefined;
  readonly driver?: string | undefined;
}

export interface GroupNode {
  readonly key: string;
  readonly title: string;
  readonly type?: string | undefined;
  readonly devices: readonly DeviceNode[];
  /** Why the kernel refuses to assign it, as a clause; undefined if it does not. */
  readonly refusal?: string | undefined;
  /** True if it is selected by default: it contains the device to assign or, if there is none, it can be assigned. */
  readonly isSelectedByDefault: boolean;
  /** How many regions of each type, for the badge beside the name. */
  readonly regions: readonly { readonly type: string; readonly count: number }[];
}

/** An address space of a model (an IOAS, a container), or one whose ranges a kernel reported. */
export interface SpaceNode {
  readonly key: string;
  readonly title: string;
  /** Whether it is shown when the document is opened: not if its ranges are those of the host. */
  readonly isShown: boolean;
  /** For ranges that a kernel reported: the process that owns the space. */
  readonly note?: string | undefined;
  /** Number of areas, of a model's space. */
  readonly areas?: number | undefined;
  /** True for a container: a model can answer VFIO_IOMMU_GET_INFO for it. */
  readonly hasInfo?: boolean | undefined;
}

/** Other contents of a host's dumps that have a lane: mappings, a guest, the memory map. */
export interface LayerNode {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  /** Whether it is shown when the document is opened: not if it would crowd the picture. */
  readonly isShown: boolean;
}

/** What hosts that are alike may differ in. A picture shows it of one of them. */
export type Varying = 'addresses' | 'names' | 'memory-map' | 'bars' | 'interrupts';

/** The hosts of a fleet that a host is shown for. */
export interface AlikeNode {
  /** The name of the host that is shown. */
  readonly shown: string;
  /** How many hosts are alike, with that one. */
  readonly count: number;
  /** What differs between them: `Varying`, or what a newer version wrote. */
  readonly varies: readonly string[];
}

/** A host of the case with its sources, or a session of operations. */
export interface DocumentNode {
  readonly id: string;
  readonly kind: 'host' | 'session';
  /** The host's name: given by the user, otherwise its host name, otherwise its folder, otherwise `Host A`. */
  readonly title: string;
  /** Set if other hosts are alike; the title then says how many. */
  readonly alike?: AlikeNode | undefined;
  readonly sources: readonly SourceNode[];
  /** Names of the texts that can be shown. */
  readonly texts: readonly string[];
  readonly groups: readonly GroupNode[];
  /** True if the host has an AMD IOMMU, or reserves the HyperTransport range like such hosts. */
  readonly isAmd: boolean;
  readonly spaces: readonly SpaceNode[];
  readonly layers: readonly LayerNode[];
  /** The sources of the guest layouts in its dumps: these guests can be checked on other hosts, too. */
  readonly guests: readonly string[];
  /** True if its state changes over its events: operations, mappings over time, a live host. */
  readonly hasHistory: boolean;
  /** Of long traces: when their events happened. */
  readonly densities?: readonly EventDensity[] | undefined;
  /** Of a live host: whether its position follows new events. */
  readonly live?: { readonly isFollowing: boolean } | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Diagnostics beyond those listed. */
  readonly diagnosticsMore: number;
  readonly events: number;
  /** True if more events follow, which are hidden. */
  readonly isConcealed?: boolean | undefined;
  readonly operations: number;
  /** For a session that was edited: the number of changes, and how many can be undone and redone. */
  readonly changes?: { readonly made: number; readonly undo: number; readonly redo: number } | undefined;
  /** Number of events that are applied; `events` at first. */
  readonly position: number;
  /** The model that runs the operations, and the one that the session was recorded for. */
  readonly model?: string | undefined;
  readonly recordedModel?: string | undefined;
}

/** A line of a source as it was read. */
export interface SourceLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Facts that begin in this line: their kinds, and the position of the first of them. */
  readonly facts: readonly { readonly kind: string; readonly position: number }[];
  /** True if no format recognized the line. */
  readonly isUnrecognized: boolean;
}

export interface SourceText {
  readonly source: string;
  readonly lines: readonly SourceLine[];
  /** Total number of lines; undefined until the source was read to its end. */
  readonly total?: number | undefined;
}
