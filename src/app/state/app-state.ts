// The state of the page: the selection, the view and the engine's latest answers. The engine itself keeps the data that it
// read.
// The actions are in the other files of this folder, one subject each.
import { create } from 'zustand';
import type { Answered, DefinedGuest, GuestChoice } from '../../engine/protocol/answers.ts';
import type { CaseNode, Placement } from '../../engine/protocol/case.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { LiveState } from '../../engine/protocol/live.ts';
import type { Progress } from '../../engine/protocol/methods.ts';
import type { Arrangement, ComparedInPicture, RangeDetail } from '../../engine/protocol/picture.ts';
import type { EngineError } from '../../engine/protocol/result.ts';
import type { EventFilter } from '../../engine/protocol/sessions.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import type { SpaceSlice } from '../../timeline/axis/slice.ts';
import type { Viewport } from '../../timeline/axis/viewport.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import type { ThemeName } from '../../timeline/scene/theme.ts';
import { type FrameState, initialFrame } from './initial-frame.ts';
import { chosenTheme, systemTheme } from './initial-theme.ts';

/** An error, shown until the user closes it. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  /** The lines of a message that has several parts; otherwise empty. */
  readonly lines: readonly string[];
  readonly samples: NonNullable<EngineError['samples']>;
}

/** The file that is being read. */
export interface Busy {
  readonly title: string;
  readonly progress: Progress | undefined;
  cancel(): void;
}

/** Scale, slices and window belong together: they are replaced as one, so that no frame mixes two pictures. */
export interface Picture {
  readonly arrangement: Arrangement;
  readonly slices: readonly SpaceSlice[];
  /** The window that the slices were cut for. */
  readonly window: Viewport;
}

/** The tabs below the timeline. */
export const TAB_NAMES = ['table', 'events', 'questions', 'hosts', 'models', 'buffer', 'text', 'diagnostics'] as const;
export type TabName = (typeof TAB_NAMES)[number];

/** A line of a source, counted from 1. */
export interface TextPlace {
  readonly id: string;
  readonly source: string;
  readonly line: number;
}

/** A refused operation, with the ranges that explain the refusal. */
export interface Explanation {
  readonly id: string;
  readonly position: number;
  readonly bands: readonly Band[];
}

/** Which hosts the most recently opened sources joined. */
export interface Placed {
  readonly text: string;
  readonly placements: readonly Placement[];
}

/** A place in the tree of the case. Always a new object, so that the same place can be shown again. */
export interface TreePlace {
  readonly documentId: string;
  readonly groupKey: string;
  /** PCI address in full; undefined for the group itself. */
  readonly device?: string | undefined;
}

/** Something that was opened by name or from a link; `part` is its part of the address bar. */
export interface Addressed {
  readonly part: string;
  /** Ids of its documents. */
  readonly ids: readonly string[];
}

export interface AppState {
  readonly documents: readonly DocumentNode[];
  /** The case as last reported by the engine; undefined while nothing is open. */
  readonly caseNode: CaseNode | undefined;
  /** Ids of the documents that are samples: the first file that a user opens replaces them. */
  readonly sampleIds: readonly string[];
  /** The sample or the session of a link that the address bar names, as long as nothing else is open. */
  readonly addressed: Addressed | undefined;
  readonly selectedGroups: readonly string[];
  /** The place to which the tree of the case was last asked to scroll. */
  readonly revealed: TreePlace | undefined;
  /** Ids of the lanes that show one row per contributor. */
  readonly expanded: readonly string[];
  readonly scale: ScaleKind;
  readonly picture: Picture | undefined;
  readonly view: Viewport | undefined;
  /** Width of the plot in CSS pixels; 0 until it is measured. */
  readonly plotWidth: number;
  readonly selected: RangeDetail | undefined;
  readonly measured: IovaRange | undefined;
  readonly explained: Explanation | undefined;
  /** The guest that the user chose to check against the hosts; undefined: those that the sources define. */
  readonly guest: GuestChoice | undefined;
  /** The guests that the sources define. */
  readonly definedGuests: readonly DefinedGuest[];
  /** Page size of the hosts' kernels in bytes; undefined: as the dumps say, or 4 KiB. */
  readonly pageSize: bigint | undefined;
  /** The answer to the case, and the conflicts of the selection. */
  readonly conflicts: Answered | undefined;
  /** True while picture and answer are those from before a change, and the new ones take longer than a moment. */
  readonly isOutdated: boolean;
  /** Key (`conflictKey`) of the conflict that is shown in the picture. */
  readonly conflict: string | undefined;
  /** Id of the chosen document whose events are listed and stepped through; see `shownSession`. */
  readonly session: string | undefined;
  /** Which of its events are listed. */
  readonly eventFilter: EventFilter;
  /** The lesson reader, with the session of its lesson and the step, counted from 0; undefined if it is closed. */
  readonly reader: { readonly session?: string | undefined; readonly step: number } | undefined;
  readonly tab: TabName;
  /** What the Text tab shows. */
  readonly text: TextPlace | undefined;
  /** The state of each live host, by document id. */
  readonly live: Readonly<Record<string, LiveState>>;
  readonly compared: ComparedInPicture | undefined;
  /** Whether the operation bar is open. */
  readonly isBarOpen: boolean;
  readonly busy: Busy | undefined;
  readonly problem: Problem | undefined;
  /** Content that the browser did not allow the page to copy, and its name. */
  readonly uncopied: { readonly what: string; readonly content: string | Blob } | undefined;
  /** Shown for a few seconds. */
  readonly notice: string;
  /** Text for screen readers: the latest notice, or the result of a key. */
  readonly announcement: string;
  /** Shown until the case changes again, or the user closes the notice. */
  readonly placed: Placed | undefined;
  /** What the browser has saved of the case; undefined if nothing. `isComplete` false: only names. */
  readonly kept: { readonly bytes: number; readonly isComplete: boolean } | undefined;
  readonly theme: ThemeName;
  /** True while the theme follows the system; false after a theme was chosen, here or by a link. */
  readonly isSystemTheme: boolean;
  readonly frame: FrameState;
  /** True once a picture has been drawn. */
  readonly drawn: boolean;
  /** How many times the engine was restarted: answers from an earlier engine are requested again. */
  readonly engineRestarts: number;
}

export const useApp = create<AppState>(() => ({
  documents: [],
  caseNode: undefined,
  sampleIds: [],
  addressed: undefined,
  selectedGroups: [],
  revealed: undefined,
  expanded: [],
  scale: 'fold',
  picture: undefined,
  view: undefined,
  plotWidth: 0,
  selected: undefined,
  measured: undefined,
  explained: undefined,
  guest: undefined,
  definedGuests: [],
  pageSize: undefined,
  conflicts: undefined,
  isOutdated: false,
  conflict: undefined,
  session: undefined,
  eventFilter: {},
  reader: undefined,
  tab: 'table',
  text: undefined,
  live: {},
  compared: undefined,
  isBarOpen: false,
  busy: undefined,
  problem: undefined,
  uncopied: undefined,
  notice: '',
  announcement: '',
  placed: undefined,
  kept: undefined,
  theme: chosenTheme() ?? systemTheme(),
  isSystemTheme: chosenTheme() === undefined,
  frame: initialFrame(),
  drawn: false,
  engineRestarts: 0,
}));
