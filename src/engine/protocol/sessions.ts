// Events of a session, and comparisons of models.
import type { IovaRange } from '../../iova/range.ts';

/** Why an operation was refused, as text and for the picture. */
export interface Reason {
  readonly message: string;
  /** Name of the rule, and the kernel function that decides; undefined if the request never reached a kernel. */
  readonly rule?: string | undefined;
  readonly source?: string | undefined;
  /** What was requested, and what blocks it, if these are ranges. */
  readonly requested?: IovaRange | undefined;
  readonly obstacle?: (IovaRange & { readonly message: string }) | undefined;
}

export interface EventRow {
  /** Position after this event. */
  readonly position: number;
  /** Seconds, if the event has a time. */
  readonly time?: number | undefined;
  /** What it acts on or is about, such as `IOAS a` or `device nic`. */
  readonly object?: string | undefined;
  /** What was done or observed, such as `map 8 KiB at 0x6000 rw`. */
  readonly text: string;
  /** The model's answer to an operation, or the kernel's answer to a request from a log. */
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** An effect of a kernel bug in addition to the answer: a sentence with its source. */
  readonly hazard?: string | undefined;
  /** What was expected, if the answer differs. */
  readonly expected?: string | undefined;
  /** Where it was read. */
  readonly source?: string | undefined;
  readonly line?: number | undefined;
}

/** Which events of a session are listed: those that match all of these conditions. */
export interface EventFilter {
  /** Only what failed: refused operations and requests, and faults. */
  readonly failed?: boolean | undefined;
  /** An operation (`ioas.map`) or the kind of a fact (`reserved`). */
  readonly name?: string | undefined;
  /** As `EventRow` has it. */
  readonly object?: string | undefined;
  /** Text in the label, the object or the answer, ignoring case; an address also matches ranges that contain it. */
  readonly text?: string | undefined;
}

/** Adjacent failures in the strip of a session. */
export interface FailureMark {
  /** Position after the first of them. */
  readonly position: number;
  readonly count: number;
}

/** When the mapping events of a long trace happened, not all of which are listed. Times are in seconds. */
export interface EventDensity {
  readonly source: string;
  /** Start of the first span of time, and length of each. */
  readonly start: number;
  readonly length: number;
  /** By span: how many events happened in it, and how many of them are listed; the others are only counted. */
  readonly counts: readonly number[];
  readonly listed: readonly number[];
  /** By span: the position after the last event in it or before it that is listed. */
  readonly positions: readonly number[];
}

/** What kinds of events a session has, and how many match a filter. */
export interface EventOverview {
  /** The filter that `total` refers to. */
  readonly filter: EventFilter;
  readonly total: number;
  /** Operations and kinds of facts, the most frequent first. */
  readonly names: readonly { readonly name: string; readonly count: number }[];
  /** The objects of the events, the most frequent first; a limited number. */
  readonly objects: readonly { readonly name: string; readonly count: number }[];
  /** Events that failed: refused operations and requests, and faults. */
  readonly failed: number;
  /** Marks of the failures by position; failures that are too close to draw separately share a mark. */
  readonly marks: readonly FailureMark[];
  readonly hasTimes: boolean;
}

/** What one model answered to an operation. */
export interface ModelAnswer {
  readonly model: string;
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** How the operation was translated for this model, or that the model has no equivalent. */
  readonly note?: string | undefined;
}

export interface ComparisonRow {
  readonly position: number;
  readonly text: string;
  readonly answers: readonly ModelAnswer[];
  /** True if the models answer differently. */
  readonly differs: boolean;
}

/** Ranges that are missing in a model's state but present in others. */
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

/** An answer that several versions share. */
export interface VersionsAnswer {
  /** Oldest first. */
  readonly versions: readonly string[];
  /** The versions as text: `5.10, 6.1` or `6.18 to 7.3`. */
  readonly versionsLabel: string;
  readonly works: boolean;
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  readonly hazard?: string | undefined;
}

/** A change of the kernel that decides. */
export interface VersionChange {
  /** Stable. */
  readonly name: string;
  /** `since Linux 6.18`, `since about Linux 6.6`, with the stable versions that have it too. */
  readonly since: string;
  /** Sentences without a full stop. */
  readonly was: string;
  readonly now: string;
  readonly source: string;
}

/** A session under every kernel version that is known to differ. */
export interface SessionVersions {
  readonly model: string;
  /** Every version that was run, oldest first. */
  readonly versions: readonly string[];
  readonly operations: number;
  /** How many operations get different answers; `rows` has the first of them. */
  readonly differing: number;
  readonly rows: readonly {
    /** Position after this event. */
    readonly position: number;
    readonly text: string;
    /** The newest recorded versions that accept and that refuse it, if there are both. */
    readonly verdict?: { readonly works: string; readonly fails: string } | undefined;
    readonly answers: readonly VersionsAnswer[];
    readonly changes: readonly VersionChange[];
  }[];
}

/** The conflicts of the case that not every kernel version has. */
export interface ConflictVersions {
  /** Oldest first. */
  readonly versions: readonly string[];
  /** Groups of versions whose answers to the case are equally severe, ordered by oldest version. */
  readonly verdicts: readonly {
    readonly severity: 'fatal' | 'warning' | 'note' | 'clean';
    readonly versions: readonly string[];
    readonly versionsLabel: string;
  }[];
  readonly rows: readonly {
    readonly document: string;
    readonly severity: 'fatal' | 'warning' | 'note';
    readonly rule: string;
    readonly errno?: string | undefined;
    readonly title: string;
    readonly message: string;
    /** The versions that have it. */
    readonly versions: readonly string[];
    readonly versionsLabel: string;
  }[];
  /** How many conflicts every version has. */
  readonly common: number;
}
