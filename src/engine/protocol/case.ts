// The case that the user works on. It has hosts, each with its sources, and sessions of operations.
import type { DeviceChoice } from '../../analysis/case/device.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { NoteRef } from '../../timeline/lanes/lane.ts';
import type { DocumentNode } from './documents.ts';

/** Which host an opened source joined. */
export interface Placement {
  readonly sourceId: string;
  readonly sourceName: string;
  /** Undefined for a session of operations, which belongs to no host. */
  readonly hostId: string | undefined;
  readonly hostName: string | undefined;
  readonly outcome: 'joined' | 'new-host' | 'first' | 'session';
  /** Why, as a sentence. */
  readonly reason: string;
}

/** A device that can be chosen, and the host that has it. */
export interface CaseDevice extends DeviceChoice {
  readonly hostId: string;
  readonly hostName: string;
}

/** The device to assign. */
export interface AssignedNode {
  readonly device: string;
  readonly hostId: string;
  /** Names of the groups that are assigned with it. */
  readonly groups: readonly string[];
  /** `chosen` by the user; named by a guest's definition (`guest`) or by an `error`. */
  readonly origin: 'chosen' | 'guest' | 'error';
}

/** A note of the user. */
export interface NoteNode {
  readonly text: string;
  readonly ref: NoteRef;
  /** The host, or the session and its address space. */
  readonly where: string;
  /** Inclusive; undefined: about the whole case. */
  readonly range?: IovaRange | undefined;
}

export interface NoteParams {
  /** An empty one removes the note. */
  readonly text: string;
  /** The note that is changed; undefined: a new one. */
  readonly ref?: NoteRef | undefined;
  /** The range of a new note (inclusive), in the address space of the lane; undefined: the whole case. */
  readonly on?: { readonly start: bigint; readonly last: bigint; readonly laneId?: string | undefined } | undefined;
}

/** A fact of a host that a person changes, to ask what would be if it were so. Ranges are inclusive. */
export interface HandFact {
  readonly hostId: string;
  readonly start: bigint;
  readonly last: bigint;
  /** `reserve` adds a reserved region; `aperture` replaces the host's apertures; `ignore` takes regions with these bounds out. */
  readonly change: 'reserve' | 'aperture' | 'ignore';
  /** Of a region that is added: as the kernel prints it. */
  readonly type?: string | undefined;
  /** The group whose region is added or ignored; of those that are ignored every group if absent. */
  readonly group?: string | undefined;
}

/** Which of the hosts that are shown together are listed. */
export interface MemberParams {
  /** Ids of the documents that are shown for them. */
  readonly ids: readonly string[];
  /** A part of their names; empty: all. */
  readonly text: string;
  readonly limit: number;
}

export interface Members {
  readonly rows: readonly {
    /** Id of the document that is shown for it. */
    readonly id: string;
    readonly name: string;
    /** True for the host that is shown itself. */
    readonly isShown: boolean;
    /** True if it can be read again, as a host of its own. */
    readonly canOpen: boolean;
  }[];
  /** How many have the text in their names, the rows included. */
  readonly found: number;
}

export interface CaseNode {
  readonly hosts: readonly DocumentNode[];
  /** Sessions with operations. */
  readonly sessions: readonly DocumentNode[];
  /** The device to assign; undefined if no one chose one and nothing names one that a host has. */
  readonly device?: AssignedNode | undefined;
  /** Devices and groups that the evidence names and no dump has, as sentences. */
  readonly missing: readonly string[];
  readonly devices: readonly CaseDevice[];
  /**
   * The kernel whose rules answer: chosen by the user (`isChosen`), otherwise that of the sources. Undefined: the newest
   * known.
   */
  readonly kernel?: { readonly version: string; readonly isChosen: boolean } | undefined;
  /**
   * The kernel versions that the sources name, each once with the first source that has it, hosts before sessions. Without a
   * choice, each host and session uses its own.
   */
  readonly toldKernels: readonly { readonly version: string; readonly source: string }[];
  /** Kernels whose answers were recorded, oldest first: offered as choices. */
  readonly knownKernels: readonly string[];
  /** What `undo` would undo, such as `Close dmesg`. */
  readonly undo?: string | undefined;
}

/** A case as it is saved outside the engine. */
export interface ExportedCase {
  /** What `importCase` reads. */
  readonly data: Blob;
  /** False if the sources are too large to be saved: `data` then has only their names. */
  readonly isComplete: boolean;
  /** Names of the sources. */
  readonly names: readonly string[];
}

export interface ImportedCase {
  readonly case: CaseNode;
  /** As it was given to `exportCase`. */
  readonly view: string;
  /** Names of sources that were not saved and have to be opened again. */
  readonly missing: readonly string[];
  /** Names of live hosts: what they had reported was saved, but not the connection. */
  readonly disconnected: readonly string[];
}
