// Events of a session, and several models side by side.
import type { IovaRange } from '../../iova/range.ts';

/** Why an operation was refused, for people and for the picture. */
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
  readonly text: string;
  /** What the model answered, for an operation. */
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** What was expected, if the answer differs. */
  readonly expected?: string | undefined;
}

/** What one model answered to an operation. */
export interface ModelAnswer {
  readonly model: string;
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  /** How the operation was translated for this model, or that the model has none like it. */
  readonly note?: string | undefined;
}

export interface ComparisonRow {
  readonly position: number;
  readonly text: string;
  readonly answers: readonly ModelAnswer[];
  /** True if the models answer differently. */
  readonly differs: boolean;
}

/** Ranges that are missing in a model's state and present in that of others. */
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
