// The engine's interface: one table of methods with their parameters and values, the same whether the engine runs in a
// Web Worker or in the same thread (tests, command line). Calls resolve to an `EngineResult`: failures are data, never
// exceptions.

import type { DecisionStep } from '../../analysis/decision/step.ts';
import type { GuestDefinition } from '../../analysis/guest/guest-memory.ts';
import type { NextDma } from '../../analysis/space/next-dma.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { LessonView, Question } from '../../lessons/lesson.ts';
import type { SpaceSlice } from '../../timeline/axis/slice.ts';
import type { Viewport } from '../../timeline/axis/viewport.ts';
import type { BoundsList } from '../../timeline/scene/bounds-table.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import type {
  Answered,
  ConflictList,
  DecodedBuffer,
  DefinedGuest,
  GuestSizes,
  HostTable,
  SpaceFit,
  SpaceHoles,
  Trial,
} from './answers.ts';
import type {
  CaseNode,
  ExportedCase,
  HandFact,
  ImportedCase,
  MemberParams,
  Members,
  NoteNode,
  NoteParams,
  Placement,
} from './case.ts';
import type { DocumentNode, InputFile, SourceText } from './documents.ts';
import type { Judged, OpenedLesson } from './lessons.ts';
import type { LiveState } from './live.ts';
import type { ChangeParams, EventLine, EventsChanged, LinePlace, LineTrial } from './operation-lines.ts';
import type { Arrangement, ArrangeParams, Found, RangeDetail, TableRow } from './picture.ts';
import type { EngineResult } from './result.ts';
import type {
  Comparison,
  ConflictVersions,
  EventFilter,
  EventOverview,
  EventRow,
  SessionVersions,
} from './sessions.ts';
import type { Shared, ShareParams, TextReportParts } from './share.ts';

export interface OpenParams {
  readonly id?: string | undefined;
  readonly title: string;
  readonly files: readonly InputFile[];
  /** True if the files that were handed over with `stage` are opened too, before `files`. */
  readonly isStaged?: boolean | undefined;
  readonly sample?: string | undefined;
}

export interface Methods {
  /** Hands over some of the files for the next `open`; `isFirst`: earlier ones are dropped. */
  stage: { params: { files: readonly InputFile[]; isFirst: boolean }; value: null };
  /**
   * Reads files and adds them to the case: each source joins a host, or becomes one. `id`: for the first host or session that is
   * created. `sample`: title of the sample that the files belong to; it is replaced by whatever is opened later.
   */
  open: { params: OpenParams; value: { placements: readonly Placement[]; case: CaseNode } };
  /** Closes a host with all of its sources, or a session. */
  close: { params: { id: string }; value: CaseNode };
  closeSource: { params: { sourceId: string }; value: CaseNode };
  /** Reads one of the hosts that a host is shown for again, as a host of its own. */
  openMember: { params: { id: string; name: string }; value: CaseNode };
  /** `to`: id of a host, or `new-host`. */
  moveSource: { params: { sourceId: string; to: string }; value: CaseNode };
  /** An empty name restores the name from the sources. */
  renameHost: { params: { hostId: string; name: string }; value: CaseNode };
  /** Undoes the last change of the case: opening, closing, moving, renaming, choosing. */
  undo: { params: null; value: CaseNode };
  /** Closes everything; `undo` brings it back. */
  newCase: { params: null; value: CaseNode };
  /** Closes everything for good. */
  forget: { params: null; value: CaseNode };
  /** The device to assign; null: none; undefined: what the evidence names. */
  setDevice: { params: { device?: string | null | undefined; hostId?: string | undefined }; value: CaseNode };
  /** The kernel whose rules answer; null: that of the sources. */
  setKernel: { params: { version: string | null }; value: CaseNode };
  /** Adds, changes or removes a note. */
  setNote: { params: NoteParams; value: CaseNode };
  /** Changes a fact of a host by hand, with a note that says so. */
  changeFact: { params: HandFact; value: CaseNode };
  /** All notes of the case. */
  notes: { params: null; value: readonly NoteNode[] };
  case: { params: null; value: CaseNode };
  /** The case as bytes; `view` is saved with it. */
  exportCase: { params: { view: string }; value: ExportedCase };
  /** Replaces the current case by an exported one. */
  importCase: { params: { data: Blob }; value: ImportedCase };
  /** Connects to an agent and follows it until the call is cancelled; progress carries the state. */
  live: { params: { id: string; title: string; url: string; token: string }; value: null };
  /** Requests something from a connected agent that it does not send by itself. */
  askLive: { params: { id: string; what: 'snapshot' | 'page_tables' | 'trace' | 'untrace' }; value: null };
  documents: { params: null; value: readonly DocumentNode[] };
  /** Runs the document's operations with another model from now on. */
  run: { params: { id: string; model: string }; value: DocumentNode };
  /** What an operation line means, the completions at the cursor, and what the model would answer; changes nothing. */
  tryLine: { params: LinePlace & { line: string; cursor: number }; value: LineTrial };
  /** Adds an operation to a session, replaces or removes one, or undoes that; later operations are run again. */
  changeEvents: { params: ChangeParams; value: EventsChanged };
  /** The operation at a position, or the nearest one in the given direction; null if there is none. */
  eventLine: { params: { id: string; position: number; direction: 'next' | 'previous' }; value: EventLine | null };
  /** `follow`: whether a live host's position follows new events; by default only from its end. */
  seek: { params: { id: string; position: number; follow?: boolean }; value: DocumentNode };
  /** Hides the events of a session after the first `from`; null: shows all. */
  conceal: { params: { id: string; from: number | null }; value: DocumentNode };
  /** Reads a lesson (docs/lessons.md) and runs it. */
  readLesson: { params: { text: string }; value: OpenedLesson };
  /** Decides about an answer to a question of a lesson, in the state after `position` events. */
  judge: {
    params: { id: string; position: number; question: Pick<Question, 'answer' | 'check'>; text: string };
    value: Judged;
  };
  /** The events of a session up to `position` as the text of a lesson. */
  recordLesson: {
    params: { id: string; position: number; title: string; view?: LessonView | undefined };
    value: string;
  };
  /** The facts of a document that hold after `to` events but not after `from` (`+ …`), and the reverse (`− …`). */
  difference: { params: { id: string; from: number; to: number }; value: readonly string[] };
  arrange: { params: ArrangeParams; value: Arrangement };
  slice: { params: { revision: number; window: Viewport }; value: readonly SpaceSlice[] };
  describe: { params: Target; value: RangeDetail };
  step: { params: { from?: Target | undefined; direction: 'next' | 'previous' }; value: Target | null };
  table: { params: { offset: number; limit: number }; value: { rows: readonly TableRow[]; total: number } };
  find: { params: { text: string; limit: number }; value: readonly Found[] };
  conflicts: { params: Trial; value: ConflictList };
  /** The answer to the case about everything that is selected: what is refused, what blocks it, the fix; or that all is well. */
  answer: { params: Trial; value: Answered };
  /** "Would this fit?", for every address space of the picture. */
  fit: { params: { size: bigint; alignment: bigint; at?: bigint | undefined }; value: readonly SpaceFit[] };
  holes: { params: { alignments: readonly bigint[] }; value: readonly SpaceHoles[] };
  /** The guests that the sources define, host by host. */
  guests: { params: null; value: readonly DefinedGuest[] };
  /** `definition`: of the guest, instead of one of the machines that a person can choose. */
  guestSizes: {
    params: { machine: string; definition?: GuestDefinition | undefined; selectedGroups: readonly string[] };
    value: GuestSizes;
  };
  /** With a guest: also whether it fits on them. */
  compareHosts: { params: Trial; value: HostTable };
  /** The names of the hosts that documents are shown for. */
  members: { params: MemberParams; value: Members };
  /** Lines of a source as they were read, `from` counted from 1. */
  text: { params: { id: string; source: string; from: number; limit: number }; value: SourceText };
  /** The range of the picture that the event at `position` (counted from 1) is drawn as. */
  locate: { params: { id: string; position: number }; value: Target | null };
  bounds: { params: { start: bigint; last: bigint; limit: number }; value: BoundsList };
  /** The events that match the filter: `limit` of them from `offset` on. */
  events: {
    params: { id: string; offset: number; limit: number; filter?: EventFilter | undefined };
    value: readonly EventRow[];
  };
  eventOverview: { params: { id: string; filter: EventFilter }; value: EventOverview };
  /** Index in the filtered list of the last event at or before a position, counted from 0; -1 if there is none. */
  eventIndex: { params: { id: string; filter: EventFilter; position: number }; value: number };
  /** The next or previous event that failed, from the moment after `position` events. */
  failure: { params: { id: string; position: number; direction: 'next' | 'previous' }; value: EventRow | null };
  models: { params: null; value: readonly string[] };
  compare: {
    params: { id: string; models: readonly string[]; offset: number; limit: number; position: number };
    value: Comparison;
  };
  /** A session under every kernel version that is known to differ. `model`: that of the document if left out. */
  versions: { params: { id: string; model?: string | undefined; limit: number }; value: SessionVersions };
  /** The conflicts that depend on the kernel version. */
  conflictVersions: { params: Trial; value: ConflictVersions };
  /** How the model decided about the operation before `position`, step by step; empty for other events. */
  decision: { params: { id: string; position: number }; value: readonly DecisionStep[] };
  /** Where the kernel's DMA API puts the next buffers of a device with this many address bits; by default any PCI device. */
  nextDma: {
    params: {
      device?: string | undefined;
      bits: number;
      size: bigint;
      selectedGroups: readonly string[];
    };
    value: readonly NextDma[];
  };
  structures: { params: null; value: readonly { readonly name: string; readonly title: string }[] };
  decode: { params: { text: string; struct?: string }; value: DecodedBuffer };
  /** The bytes that VFIO_IOMMU_GET_INFO would fill in for a container now, as hex digits. */
  getInfo: { params: { id: string; container: string }; value: string };
  save: { params: { id: string }; value: Blob };
  /** Picture and answer as ASCII text of at most 72 columns, for mail. `version`: of iovascope. */
  textReport: {
    params: Trial & {
      readonly range?: IovaRange | undefined;
      readonly title?: string | undefined;
      readonly notes?: string | undefined;
      readonly link?: string | undefined;
      readonly version: string;
      /** Names of the sources; those that are open if absent. */
      readonly sources?: readonly string[] | undefined;
      /** Address spaces that are not in the picture, which has too many. */
      readonly spacesMore?: number | undefined;
      readonly parts?: TextReportParts | undefined;
    };
    value: string;
  };
  /** The case as a picture, a report, a file or a link. */
  share: { params: ShareParams; value: Shared };
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
  /** In place of bytes, what is counted: `1,024 of 200,000 files`. */
  readonly label?: string | undefined;
  /** For a live host: the document of its host, and the state of the connection. */
  readonly live?: { readonly node: DocumentNode; readonly state: LiveState } | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** The engine's interface for its callers. */
export interface Engine {
  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<EngineResult<Value<M>>>;
}

/** What a method of the engine gets in addition to its parameters. */
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
