import { type Answer, isFact, isOperation, type Operation, type SessionEvent } from '../../session/events.ts';
import type { Session } from '../../session/session.ts';
import { DEFAULT_MODEL, type KernelModel, type Outcome } from '../model.ts';
import { type Translation, translate } from './translate.ts';

/** The outcome of an operation line that no model can run. */
export interface UnrunnableEvent {
  readonly ok: false;
  readonly invalid: { readonly code: 'unknown-operation' | 'unreadable-line'; readonly message: string };
  readonly refusal?: undefined;
}

export type StepOutcome = Outcome | UnrunnableEvent;

/** A recorded answer that the model did not give. `expected` is absent if the session records none: then `got` says why the operation is invalid. */
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
  /** What the model was asked instead, if the session was recorded with another model. */
  readonly translation?: Translation;
  /** Fields of the recorded answer that were not compared: this model's answer does not have them. */
  readonly uncompared?: readonly string[];
  readonly outcome: StepOutcome;
  readonly mismatch: Mismatch | undefined;
}

/** The answer as a session records it. A refusal answers its errno, and what the kernel reports beside it. */
export function answerOf(outcome: StepOutcome): Answer | undefined {
  if (outcome.ok) return outcome.answer;
  return outcome.refusal ? { ret: `-${outcome.refusal.errno}`, ...outcome.refusal.reported } : undefined;
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

/** Names of the fields that two answers share and in which they differ. */
export function differingFields(a: Answer, b: Answer): string[] {
  return Object.keys(a).filter((key) => Object.hasOwn(b, key) && !equal(a[key], b[key]));
}

/** Names of the fields of an expected answer that another answer does not have so. */
export function missedFields(expected: Answer, got: Answer): string[] {
  return Object.keys(expected).filter((key) => !equal(expected[key], got[key]));
}

/**
 * Compares every recorded field; further fields of the model's answer do not matter. The answer of a `foreign` model may
 * lack fields, and operations that it does not have are not compared.
 */
function compare(expected: Answer | undefined, outcome: StepOutcome, foreign = false): Mismatch | undefined {
  const got = answerOf(outcome);
  if (!got && foreign && !outcome.ok && outcome.invalid?.code === 'not-in-model') return undefined;
  if (!got) return { expected, got: outcome.ok ? '' : (outcome.invalid?.message ?? ''), fields: [] };
  if (!expected) return undefined;
  const fields = foreign ? differingFields(expected, got) : missedFields(expected, got);
  return fields.length > 0 ? { expected, got, fields } : undefined;
}

function unrunnable(event: SessionEvent): UnrunnableEvent | undefined {
  if (!('unknown' in event)) return undefined;
  if (event.unknown === 'kind') return undefined;
  return event.unknown === 'op'
    ? { ok: false, invalid: { code: 'unknown-operation', message: `unknown operation '${event.name}'` } }
    : { ok: false, invalid: { code: 'unreadable-line', message: String(event.name) } };
}

/** True if the session was recorded with another model; one whose header names none counts as the default model's. */
export function isForeign(session: Pick<Session, 'header'>, model: Pick<KernelModel, 'name'>): boolean {
  return (session.header.model ?? DEFAULT_MODEL) !== model.name;
}

/**
 * Runs one event on `model` (which is changed). `undefined` for a fact: there is nothing to run. Operations of a
 * session of another model are translated, and compared as far as the answers have the same fields.
 */
export function runEvent(model: KernelModel, session: Session, index: number): ReplayStep | undefined {
  const event = session.events.at(index);
  if (!event) throw new RangeError(`the session has ${session.events.length} events, none at ${index}`);
  const line = session.lines[index] ?? 0;
  const impossible = unrunnable(event);
  if (impossible) {
    const op = 'unknown' in event && event.unknown === 'op' ? String(event.name) : '?';
    const mismatch = compare(undefined, impossible);
    return { index, line, op, operation: undefined, outcome: impossible, mismatch };
  }
  if (isFact(event) || !isOperation(event)) return undefined;
  const { op } = event;
  if (!isForeign(session, model)) {
    const outcome = model.apply(event, index);
    return { index, line, op, operation: event, outcome, mismatch: compare(event.expect, outcome) };
  }
  const translation = translate(event, model);
  const lenient = translation.kind !== 'own' || session.header.model !== undefined;
  const outcome: Outcome =
    translation.kind === 'none'
      ? { ok: false, invalid: { code: 'not-in-model', message: translation.message } }
      : model.apply(translation.operation, index);
  const mismatch = compare(event.expect, outcome, lenient);
  const got = answerOf(outcome);
  const uncompared = lenient ? Object.keys(event.expect ?? {}).filter((key) => !got || !Object.hasOwn(got, key)) : [];
  const notCompared = uncompared.length > 0 ? { uncompared } : {};
  return { index, line, op, operation: event, translation, ...notCompared, outcome, mismatch };
}

/**
 * Runs the operations of a session on `model` (which is changed), in order, and compares each answer with what was
 * recorded. Facts are skipped. An operation that cannot be run is a mismatch; the rest is still run.
 */
export function* replay(session: Session, model: KernelModel): Generator<ReplayStep> {
  for (let index = 0; index < session.events.length; index++) {
    const step = runEvent(model, session, index);
    if (step) yield step;
  }
}
