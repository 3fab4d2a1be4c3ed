import * as v from 'valibot';
import type { Fact, FactKind, Operation, OperationName, SessionEvent } from './events.ts';
import { MEMORY_WORDS } from './memory-words.ts';
import { FACTS, isFactKind, isOperationName, OPERATIONS } from './schema.ts';
import type { SessionProblem } from './session.ts';

const FACT_SCHEMAS: Readonly<Record<FactKind, v.GenericSchema<unknown, Fact>>> = FACTS;
const OPERATION_SCHEMAS: Readonly<Record<OperationName, v.GenericSchema<unknown, Operation>>> = OPERATIONS;

export interface ParsedLine {
  readonly event: SessionEvent;
  readonly problem?: Omit<SessionProblem, 'line'>;
}

/** Describes an issue: the field, and what was expected there. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path ? `field '${path}': ${issue.message}` : issue.message;
}

function unreadable(code: SessionProblem['code'], message: string): ParsedLine {
  return { event: { unknown: 'line', name: message }, problem: { severity: 'error', code, message } };
}

/** Parses an object; returns a string that says why if that fails. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | string {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : 'expected a JSON object';
  } catch (error) {
    return `not JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads one line after the header. Never throws: a line that cannot be read becomes an unknown event with a problem.
 * A fact has `kind`; an operation has `op` and no `kind` (the fact `request` carries both).
 */
export function parseEventLine(text: string): ParsedLine {
  const object = parseJsonObject(text);
  if (typeof object === 'string') return unreadable('not-json', object);
  const { kind, op } = object;
  if (typeof kind === 'string') return isFactKind(kind) ? parseFact(kind, object) : unknownEvent('kind', kind);
  if (typeof op === 'string') return isOperationName(op) ? parseOperation(op, object) : unknownEvent('op', op);
  return unreadable('not-an-event', 'expected a fact with "kind" or an operation with "op"');
}

function unknownEvent(unknown: 'kind' | 'op', name: string): ParsedLine {
  const message =
    unknown === 'kind'
      ? `unknown kind '${name}': the line is kept but has no effect`
      : `unknown operation '${name}': the line is kept but not run`;
  return { event: { unknown, name }, problem: { severity: 'warning', code: `unknown-${unknown}`, message } };
}

function parseFact(kind: FactKind, object: unknown): ParsedLine {
  const result = v.safeParse(FACT_SCHEMAS[kind], object, { abortEarly: true });
  if (!result.success) return unreadable('bad-field', `${kind}: ${describeIssue(result.issues[0])}`);
  const fact = result.output;
  return isReversed(fact) ? unreadable('bad-field', `${kind}: start is above last`) : withMemoryChecked(fact);
}

const KNOWN_MEMORY: ReadonlySet<unknown> = new Set(['ram', ...MEMORY_WORDS]);

/** The event, with a problem if its `memory` is an unknown word. */
function withMemoryChecked(event: Fact | Operation): ParsedLine {
  if (!('memory' in event) || event.memory === undefined || KNOWN_MEMORY.has(event.memory)) return { event };
  const message = `unknown memory '${String(event.memory)}': it is kept, and assumed to be pinned like RAM`;
  return { event, problem: { severity: 'warning', code: 'unknown-memory', message } };
}

/** True if `start` is above `last`: in every kind that has both, they are the bounds of a range. */
export function isReversed({ start, last }: Readonly<Record<string, unknown>>): boolean {
  return typeof start === 'bigint' && typeof last === 'bigint' && start > last;
}

function parseOperation(op: OperationName, object: unknown): ParsedLine {
  const result = v.safeParse(OPERATION_SCHEMAS[op], object, { abortEarly: true });
  return result.success
    ? withMemoryChecked(result.output)
    : unreadable('bad-field', `${op}: ${describeIssue(result.issues[0])}`);
}
