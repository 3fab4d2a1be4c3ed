import { MODEL_NAMES, createModel as modelOf } from '../kernel/models.ts';
import { isForeign, replay } from '../kernel/replay/replay.ts';
import { parseEventLine } from '../session/event-line.ts';
import { isOperation } from '../session/events.ts';
import { readSession } from '../session/read.ts';

/** Names of the kernel models, for `createModel` and for the headers of session files. */
export const models: readonly string[] = MODEL_NAMES;

/**
 * What a model made of an operation: the kernel's answer (`ret`, `iova` …), a refusal with its errno and reason, or why
 * the operation was not run at all.
 */
export type OperationResult =
  | { readonly ok: true; readonly answer: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false;
      /** Such as `EADDRINUSE`; undefined if the operation is invalid, so that no kernel answered it. */
      readonly errno: string | undefined;
      readonly rule: string | undefined;
      readonly decidedBy: string | undefined;
      readonly text: string;
    };

/** A kernel's I/O address spaces, empty at first. */
export interface Model {
  readonly name: string;
  /** Runs one operation of the session format, such as `{ op: 'ioas.alloc', ioas: 'a' }`. Addresses: bigint or hex. */
  apply(operation: { readonly op: string; readonly [argument: string]: unknown }): OperationResult;
}

/** Makes a model. Throws a RangeError for a name that is not in `models`, or page sizes that are not powers of two. */
export function createModel(
  name: string,
  sizes: { readonly pageSize?: bigint; readonly hugePageSize?: bigint } = {},
): Model {
  const { pageSize: page_size, hugePageSize: huge_page_size } = sizes;
  const made = modelOf(headerOf({ page_size, huge_page_size }), name);
  if (!made.ok) throw new RangeError(made.message);
  const { model } = made;
  let applied = 0;
  return {
    name: model.name,
    apply(operation) {
      const { event, problem } = parseEventLine(jsonOf(operation));
      if (problem || !isOperation(event)) return invalid(problem?.message ?? 'expected an operation');
      const outcome = model.apply(event, applied++);
      if (outcome.ok) return { ok: true, answer: outcome.answer };
      if (!outcome.refusal) return invalid(outcome.invalid.message);
      const { errno, rule, source, message } = outcome.refusal;
      return { ok: false, errno, rule, decidedBy: source, text: message };
    },
  };
}

function invalid(text: string): OperationResult {
  return { ok: false, errno: undefined, rule: undefined, decidedBy: undefined, text };
}

/** A header's page sizes as the session reader makes them, which checks that they are 64-bit numbers. */
function headerOf(sizes: Readonly<Record<'page_size' | 'huge_page_size', bigint | undefined>>) {
  const { session, problems } = readSession(jsonOf({ format: 'iova-trace', version: 1, ...sizes }));
  const [problem] = problems;
  if (problem) throw new RangeError(problem.message);
  return session.header;
}

/** JSON of the session format: addresses as hex strings. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v));
}

/** An operation whose recorded answer the model did not give. */
export interface ReplayMismatch {
  /** Line in the session file, counted from 1. */
  readonly line: number;
  readonly op: string;
  readonly expected: Readonly<Record<string, unknown>> | undefined;
  /** The model's answer, or why the operation could not be run. */
  readonly got: Readonly<Record<string, unknown>> | string;
}

export interface ReplayResult {
  readonly model: string;
  /** True if the session was recorded in another model, so that operations were translated. */
  readonly isTranslated: boolean;
  readonly operations: number;
  readonly mismatches: readonly ReplayMismatch[];
}

/**
 * Runs the operations of a session file and compares each answer with the recorded one. `model` instead of the one that
 * the header names. Throws a RangeError for an unknown model.
 */
export function replaySession(text: string, options: { readonly model?: string } = {}): ReplayResult {
  const { session } = readSession(text);
  const made = modelOf(session.header, options.model);
  if (!made.ok) throw new RangeError(made.message);
  const { model } = made;
  const mismatches: ReplayMismatch[] = [];
  let operations = 0;
  for (const { line, op, mismatch } of replay(session, model)) {
    operations++;
    if (mismatch) mismatches.push({ line, op, expected: mismatch.expected, got: mismatch.got });
  }
  return { model: model.name, isTranslated: isForeign(session, model), operations, mismatches };
}
