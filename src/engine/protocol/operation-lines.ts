// Typed operations: what a line means, what the answer would be, and changes of a session.
import type { IovaRange } from '../../iova/range.ts';
import type { Completions } from '../../operation-lines/complete.ts';
import type { LineMistake } from '../../operation-lines/parse.ts';
import type { CaseNode } from './case.ts';
import type { EventRow, Reason } from './sessions.ts';

/** Where an operation line is tried: in a session, or in a new one if there is no `id`. */
export interface LinePlace {
  readonly id?: string | undefined;
  /** Model of a new session. */
  readonly model?: string | undefined;
  /** How many events of the session come before. */
  readonly position: number;
}

/** What is known about a line before it is run. Changes nothing. */
export interface LineTrial {
  /** The model for which the line is parsed. */
  readonly model: string;
  /** The line that this is about, and where the cursor was: a character index. */
  readonly line: string;
  readonly cursor: number;
  /** Completions for a part of it. */
  readonly completions: Completions;
  /** What is wrong with the line. */
  readonly mistake?: LineMistake | undefined;
  /** The operation in words, and what the model would answer. */
  readonly outcome?: LineOutcome | undefined;
}

export interface LineOutcome {
  readonly text: string;
  readonly answer?: string | undefined;
  readonly refused?: Reason | undefined;
  readonly hazard?: string | undefined;
  /** The range that it would map, unmap, reserve or pin. */
  readonly where?: IovaRange | undefined;
}

/** A change of a session; positions count events from 1. */
export type EventChange =
  /** Adds an operation after the first `position` events. */
  | { readonly kind: 'insert'; readonly position: number; readonly line: string }
  | { readonly kind: 'replace'; readonly position: number; readonly line: string }
  | { readonly kind: 'remove'; readonly position: number }
  | { readonly kind: 'undo' }
  | { readonly kind: 'redo' };

export interface ChangeParams {
  /** Undefined to make a new session of the operation. */
  readonly id?: string | undefined;
  /** Model of a new session. */
  readonly model?: string | undefined;
  readonly change: EventChange;
}

export interface EventsChanged {
  readonly case: CaseNode;
  /** The session, which may be new. */
  readonly id: string;
  /** The operation that was added or replaced another one, with its answer. */
  readonly row?: EventRow | undefined;
  /** Later operations whose answers changed: the position of the first, and how many of those that were compared. */
  readonly changedLater?: { readonly first: number; readonly count: number } | undefined;
}

/** An operation of a session as a line. */
export interface EventLine {
  readonly position: number;
  readonly line: string;
}
