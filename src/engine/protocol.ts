// What the page asks of the engine and what it answers: one table of methods, the same whether the engine runs in a Web
// Worker, in the same thread (tests, command line) or, later, behind a socket. Every call has an id; answers, progress and
// failures carry it back, so that none depends on order. Failures are data, never exceptions across the border.
import type { Conflict } from '../analysis/conflicts/conflict.ts';
import type { FittingSizes } from '../analysis/guest/layouts.ts';
import type { FitAnswer, HoleStatistics } from '../analysis/space/fit.ts';
import type { IovaRange } from '../iova/range.ts';
import type { Scale, ScaleKind } from '../timeline/axis/scale.ts';
import type { SpaceSlice } from '../timeline/axis/slice.ts';
import type { Viewport } from '../timeline/axis/viewport.ts';
import type { Part } from '../timeline/lanes/lane.ts';
import type { BoundsLine } from '../timeline/scene/bounds-table.ts';
import type { Target } from '../timeline/scene/mark.ts';
import type { StyleName } from '../timeline/scene/styles.ts';
import type { UapiNode } from '../uapi/node.ts';

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

/** What was found in one file. */
export interface SourceNode {
  readonly name: string;
  readonly formats: readonly string[];
  readonly facts: number;
  readonly operations: number;
  readonly lines: number;
  readonly unrecognized: number;
  readonly samples: readonly { readonly line: number; readonly text: string }[];
}

export interface GroupNode {
  readonly key: string;
  readonly title: string;
  readonly type?: string | undefined;
  readonly devices: readonly string[];
  /** How many regions of each type, for the badge beside the name. */
  readonly regions: readonly { readonly type: string; readonly count: number }[];
}

/** An address space of a model (an IOAS, a container), or one whose ranges a kernel reported. */
export interface SpaceNode {
  readonly key: string;
  readonly title: string;
  /** Of a space whose ranges a kernel reported: who holds it. */
  readonly note?: string | undefined;
  /** Number of areas, of a model's space. */
  readonly areas?: number | undefined;
  /** True for a container, of which a model can tell what VFIO_IOMMU_GET_INFO answers. */
  readonly hasInfo?: boolean | undefined;
}

/** Something else that a host's dumps hold and that has a lane: mappings, a guest, its memory map. */
export interface LayerNode {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  /** Whether it is drawn at first: what would crowd the picture is not. */
  readonly isShown: boolean;
}

/** One opened set of files: a host. */
export interface DocumentNode {
  readonly id: string;
  readonly title: string;
  readonly sources: readonly SourceNode[];
  /** Names of the texts that can be shown. */
  readonly texts: readonly string[];
  readonly groups: readonly GroupNode[];
  readonly spaces: readonly SpaceNode[];
  readonly layers: readonly LayerNode[];
  /** The guests whose layouts its dumps hold, to be tried on other hosts too: the names of their sources. */
  readonly guests: readonly string[];
  /** True if its state changes over its events: operations, mappings that came and went, a live host. */
  readonly hasHistory: boolean;
  /** Of a live host: whether its position follows what comes in. */
  readonly live?: { readonly isFollowing: boolean } | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Diagnostics beyond those listed. */
  readonly diagnosticsMore: number;
  readonly events: number;
  readonly operations: number;
  /** How many events the state is after; `events` at first. */
  readonly position: number;
  /** The model that runs the operations, and the one that the session was recorded for. */
  readonly model?: string | undefined;
  readonly recordedModel?: string | undefined;
}

/** A guest to be tried on the hosts. */
export type GuestChoice =
  | { readonly kind: 'machine'; readonly machine: string; readonly ram: bigint }
  /** A guest whose layout an open document holds, by its source. */
  | { readonly kind: 'document'; readonly id: string; readonly guest: string }
  /** Ranges typed by hand. */
  | { readonly kind: 'ranges'; readonly text: string };

/** What is put to the test: the ticked groups together, and a guest on them. */
export interface Trial {
  /** Keys of the groups, address spaces and layers that are ticked. */
  readonly selectedGroups: readonly string[];
  readonly guest?: GuestChoice | undefined;
  /** Bytes, a power of two: the page size of the hosts' kernel, where a person knows it. */
  readonly pageSize?: bigint | undefined;
}

/** A conflict as the list shows it. */
export interface ConflictRow extends Conflict {
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
  /** Why the guest could not be tried. */
  readonly problem?: string | undefined;
}

/** What stands in a range that somebody wants. */
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

/** Which sizes of RAM a machine may have on the ticked hosts. */
export interface GuestSizes {
  /** On all of them together. */
  readonly sizes: readonly FittingSizes[];
  readonly message: string;
  readonly hosts: readonly { readonly title: string; readonly message: string }[];
  /** The largest RAM for which the machine has a layout. */
  readonly maxRam: bigint;
  /** False if the aperture of any of the hosts is not known: it may be too narrow for what is said to fit. */
  readonly isApertureKnown: boolean;
}

/** Several hosts side by side. */
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
  /** What is reserved on any host, as a line to paste. */
  readonly line: string;
}

/** A line of a source as it was read. */
export interface SourceLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Facts that begin in this line: their kinds, and the position of the first of them. */
  readonly facts: readonly { readonly kind: string; readonly position: number }[];
  /** True if no format understood it. */
  readonly isLeftOver: boolean;
}

export interface SourceText {
  readonly source: string;
  readonly lines: readonly SourceLine[];
  /** Lines of the source in all; undefined while it was not read to its end. */
  readonly total?: number | undefined;
}

/** Something that a search found: in the picture, or a line of a source. */
export interface Found {
  readonly target?: Target | undefined;
  readonly location?: { readonly id: string; readonly source: string; readonly line: number } | undefined;
  /** What it is, and where. */
  readonly caption: string;
  readonly where: string;
}

export interface ArrangeParams extends Omit<Trial, 'pageSize'> {
  /** Ids of the lanes that are opened into rows. */
  readonly expanded: readonly string[];
  readonly scale: ScaleKind;
  /** Stretches that the fold scale keeps visible besides what the lanes show. */
  readonly keepVisible?: readonly IovaRange[];
  /** A document whose address spaces are shown once for each of these models. */
  readonly compared?: { readonly id: string; readonly models: readonly string[] } | undefined;
}

export interface Arrangement {
  /** Counts up with every arrangement; a slice belongs to one. */
  readonly revision: number;
  /** What the picture is of. */
  readonly title: string;
  /** Names of the sources that gave something. */
  readonly sources: readonly string[];
  readonly scale: Scale;
  readonly spaces: readonly {
    readonly id: string;
    readonly title: string;
    readonly subtitle: string;
    readonly lanes: readonly { readonly id: string; readonly title: string; readonly total: number }[];
  }[];
  /** Number of ranges in all lanes. */
  readonly total: number;
}

/** What stands beside the title of a picture: its scale and where its facts come from. */
export function subtitleOf({ scale, sources }: Pick<Arrangement, 'scale' | 'sources'>): string {
  const listed = sources.length > 3 ? [...sources.slice(0, 3), `${sources.length - 3} more`] : sources;
  return [`${scale.kind} scale`, ...listed].join(' · ');
}

export interface Neighbour {
  readonly caption: string;
  readonly target: Target;
  /** Bytes between; 0 if they touch. */
  readonly distance: bigint;
}

/** All that is known of one range, for the inspector. Bounds inclusive. */
export interface RangeDetail {
  readonly target: Target;
  readonly laneTitle: string;
  readonly spaceTitle: string;
  readonly style: StyleName;
  readonly title: string;
  readonly sentence: string;
  readonly parts: readonly Part[];
  readonly values: Readonly<Record<string, string>>;
  readonly before?: Neighbour | undefined;
  readonly after?: Neighbour | undefined;
}

export interface TableRow {
  readonly target: Target;
  readonly space: string;
  readonly lane: string;
  readonly caption: string;
  readonly source: string;
}

/** Why an operation was refused, for people and for the picture. */
export interface Reason {
  readonly message: string;
  /** Name of the rule, and the kernel's function that decides; missing where no kernel was asked. */
  readonly rule?: string | undefined;
  readonly source?: string | undefined;
  /** What was asked for, and what stands in the way, where these are ranges. */
  readonly requested?: IovaRange | undefined;
  readonly obstacle?: (IovaRange & { readonly message: string }) | undefined;
}

export interface EventRow {
  /** Position after this event. */
  readonly position: number;
  readonly text: string;
  /** What the model answered, for an operation. */
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** What was expected, if the answer differs. */
  readonly expected?: string | undefined;
}

/** A buffer of the kernel's UAPI, decoded as far as it holds. */
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

/** What one model made of an operation. */
export interface ModelAnswer {
  readonly model: string;
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** How the operation was put to this model, where it has another one of the same meaning; or that it has none. */
  readonly note?: string | undefined;
}

export interface ComparisonRow {
  readonly position: number;
  readonly text: string;
  readonly answers: readonly ModelAnswer[];
  /** True if the models do not answer alike. */
  readonly differs: boolean;
}

/** Ranges that a model's state lacks and that of others has. */
export interface StateDifference {
  readonly space: string;
  readonly what: 'areas' | 'reserved' | 'usable';
  readonly model: string;
  /** Models that have some of the ranges. */
  readonly present: readonly string[];
  readonly ranges: readonly IovaRange[];
}

export interface Comparison {
  readonly models: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** Position after the first event that the models answer differently. */
  readonly firstDivergence?: number | undefined;
  /** After the first `position` events. */
  readonly differences: readonly StateDifference[];
}

/** Something that changed on a live host. */
export interface LiveChange {
  /** How many events of the session there are up to and including it. */
  readonly position: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly labels: readonly string[];
}

/** How a live host is connected, and what happened lately. */
export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'waiting' | 'ended';
  /** Why it is not live, or what is wrong with the probe; empty if nothing is. */
  readonly message: string;
  /** The host's name, once it is known. */
  readonly name: string;
  /** Number of the last message. */
  readonly sequence: number;
  /** Facts that could not be carried. */
  readonly lost: number;
  readonly changes: readonly LiveChange[];
}

export interface Methods {
  open: { params: { id: string; title: string; files: readonly InputFile[] }; value: DocumentNode };
  close: { params: { id: string }; value: null };
  /** Connects to an agent and follows it until the call is cancelled; progress carries the state. */
  live: { params: { id: string; title: string; url: string; token: string }; value: null };
  /** Asks a connected agent for something that is not told by itself. */
  askLive: { params: { id: string; what: 'snapshot' | 'page_tables' | 'trace' | 'untrace' }; value: null };
  documents: { params: null; value: readonly DocumentNode[] };
  /** Runs the document's operations under another model from now on. */
  run: { params: { id: string; model: string }; value: DocumentNode };
  /** `follow`: whether a live host's position goes on with what comes in; if left out, at its end only. */
  seek: { params: { id: string; position: number; follow?: boolean }; value: DocumentNode };
  /** What holds after `to` events of a document and not after `from`, and the other way round: `+ …`, `− …`. */
  difference: { params: { id: string; from: number; to: number }; value: readonly string[] };
  arrange: { params: ArrangeParams; value: Arrangement };
  slice: { params: { revision: number; window: Viewport }; value: readonly SpaceSlice[] };
  describe: { params: Target; value: RangeDetail };
  step: { params: { from?: Target | undefined; direction: 'next' | 'previous' }; value: Target | null };
  table: { params: { offset: number; limit: number }; value: { rows: readonly TableRow[]; total: number } };
  find: { params: { text: string; limit: number }; value: readonly Found[] };
  conflicts: { params: Trial; value: ConflictList };
  /** "Would this fit?", asked of every address space of the picture. */
  fit: { params: { size: bigint; alignment: bigint; at?: bigint | undefined }; value: readonly SpaceFit[] };
  holes: { params: { alignments: readonly bigint[] }; value: readonly SpaceHoles[] };
  guestSizes: { params: { machine: string; selectedGroups: readonly string[] }; value: GuestSizes };
  compareHosts: { params: { selectedGroups: readonly string[] }; value: HostsCompared };
  /** Lines of a source as they were read, `from` counted from 1. */
  text: { params: { id: string; source: string; from: number; limit: number }; value: SourceText };
  /** The range of the picture that the event at `position` (counted from 1) is drawn as. */
  locate: { params: { id: string; position: number }; value: Target | null };
  bounds: { params: { start: bigint; last: bigint; limit: number }; value: readonly BoundsLine[] };
  events: { params: { id: string; offset: number; limit: number }; value: readonly EventRow[] };
  models: { params: null; value: readonly string[] };
  compare: {
    params: { id: string; models: readonly string[]; offset: number; limit: number; position: number };
    value: Comparison;
  };
  structures: { params: null; value: readonly { readonly name: string; readonly title: string }[] };
  decode: { params: { text: string; struct?: string }; value: DecodedBuffer };
  /** The bytes that VFIO_IOMMU_GET_INFO would fill in for a container now, as hex digits. */
  getInfo: { params: { id: string; container: string }; value: string };
  save: { params: { id: string }; value: Blob };
}

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]['params'];
export type Value<M extends Method> = Methods[M]['value'];

export interface Progress {
  /** Bytes read so far. */
  readonly done: number;
  /** Bytes in all, where known. */
  readonly total?: number | undefined;
  readonly what: string;
  /** Of a live host: the document as it is now, and how it is connected. */
  readonly live?: { readonly node: DocumentNode; readonly state: LiveState } | undefined;
}

export interface EngineError {
  readonly code:
    | 'cancelled'
    | 'not-recognized'
    | 'unknown-document'
    | 'no-such-range'
    | 'unusable'
    | 'outdated'
    | 'engine-restarted'
    | 'bug';
  readonly message: string;
  /** The first lines that were not understood, where that helps. */
  readonly samples?: readonly { readonly source: string; readonly line: number; readonly text: string }[];
}

export type EngineResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: EngineError };

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The engine as its users see it. */
export interface Engine {
  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<EngineResult<Value<M>>>;
}

/** What a method of the engine is given besides its parameters. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export type Handlers = {
  readonly [M in Method]: (
    params: Params<M>,
    context: CallContext,
  ) => EngineResult<Value<M>> | Promise<EngineResult<Value<M>>>;
};

export type Request =
  | { readonly type: 'call'; readonly id: number; readonly method: Method; readonly params: unknown }
  | { readonly type: 'cancel'; readonly id: number };

export type Response =
  | { readonly type: 'result'; readonly id: number; readonly result: EngineResult<unknown> }
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress };

export function failure(code: EngineError['code'], message: string, more: Partial<EngineError> = {}) {
  return { ok: false as const, error: { code, message, ...more } };
}

export function success<T>(value: T) {
  return { ok: true as const, value };
}
