import { type Answer, isFact, isOperation, type Operation, type SessionEvent } from '../session/events.ts';
import type { Session } from '../session/session.ts';
import type { KernelModel, Outcome } from './model.ts';

/** What is said of an operation line that cannot be put to any model. */
export interface UnrunnableEvent {
  readonly ok: false;
  readonly fault: { readonly code: 'unknown-operation' | 'unreadable-line'; readonly message: string };
  readonly refusal?: undefined;
}

export type StepOutcome = Outcome | UnrunnableEvent;

/** A recorded answer that the model did not give. `expected` is absent if the session records none: then `got` is a fault. */
export interface Mismatch {
  readonly expected: Answer | undefined;
  /** The model's answer, or why the operation could not be run. */
  readonly got: Answer | string;
  /** Names of the fields that differ. */
  readonly fields: readonly string[];
}

/** One operation of a session, run. */
export interface ReplayStep {
  /** Index of the event in the session. */
  readonly index: number;
  /** Line in the file, counted from 1; 0 for a session made in memory. */
  readonly line: number;
  /** As written: `ioas.map` …; `?` if the line cannot be read. */
  readonly op: string;
  readonly operation: Operation | undefined;
  readonly outcome: StepOutcome;
  readonly mismatch: Mismatch | undefined;
}

/** The answer as a session records it. A refusal answers its errno alone. */
export function answerOf(outcome: StepOutcome): Answer | undefined {
  if (outcome.ok) return outcome.answer;
  return outcome.refusal ? { ret: `-${outcome.refusal.errno}` } : undefined;
}

function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && equal(a[key as never], b[key as never]))
    );
  }
  return a === b;
}

/** Compares every field that was recorded; what the model says beyond that is no mismatch. */
function compare(expected: Answer | undefined, outcome: StepOutcome): Mismatch | undefined {
  const got = answerOf(outcome);
  if (!got) return { expected, got: outcome.ok ? '' : (outcome.fault?.message ?? ''), fields: [] };
  if (!expected) return undefined;
  const fields = Object.keys(expected).filter((key) => !equal(expected[key], got[key]));
  return fields.length > 0 ? { expected, got, fields } : undefined;
}

function unrunnable(event: SessionEvent): UnrunnableEvent | undefined {
  if (!('unknown' in event)) return undefined;
  if (event.unknown === 'kind') return undefined;
  return event.unknown === 'op'
    ? { ok: false, fault: { code: 'unknown-operation', message: `unknown operation “${event.name}”` } }
    : { ok: false, fault: { code: 'unreadable-line', message: String(event.name) } };
}

/** Runs one event on `model` (which is changed). `undefined` for a fact: there is nothing to run. */
export function runEvent(model: KernelModel, session: Session, index: number): ReplayStep | undefined {
  const event = session.events[index];
  if (!event) throw new RangeError(`the session has ${session.events.length} events, none at ${index}`);
  const line = session.lines[index] ?? 0;
  const impossible = unrunnable(event);
  if (impossible) {
    const op = 'unknown' in event && event.unknown === 'op' ? String(event.name) : '?';
    const mismatch = compare(undefined, impossible);
    return { index, line, op, operation: undefined, outcome: impossible, mismatch };
  }
  if (isFact(event) || !isOperation(event)) return undefined;
  const outcome = model.apply(event, index);
  return { index, line, op: event.op, operation: event, outcome, mismatch: compare(event.expect, outcome) };
}

/**
 * Runs the operations of a session on `model` (which is changed), in order, and compares each answer with what was
 * recorded. Facts are passed over. An operation that cannot be run is a mismatch, and the rest is run nevertheless.
 */
export function* replay(session: Session, model: KernelModel): Generator<ReplayStep> {
  for (let index = 0; index < session.events.length; index++) {
    const step = runEvent(model, session, index);
    if (step) yield step;
  }
}
