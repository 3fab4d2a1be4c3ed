import * as v from 'valibot';
import type { Fact, FactKind, Operation, OperationName, SessionEvent } from './events.ts';
import { FACTS, HEADER, isFactKind, isOperationName, OPERATIONS } from './schema.ts';
import { newSession, type Session, type SessionProblem } from './session.ts';
import { writeEvent } from './write.ts';

const FACT_SCHEMAS: Readonly<Record<FactKind, v.GenericSchema<unknown, Fact>>> = FACTS;
const OPERATION_SCHEMAS: Readonly<Record<OperationName, v.GenericSchema<unknown, Operation>>> = OPERATIONS;

interface ParsedLine {
  readonly event: SessionEvent;
  readonly problem?: Omit<SessionProblem, 'line'>;
}

/** Where in the line an issue is, and what was expected there. */
function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path ? `field '${path}': ${issue.message}` : issue.message;
}

function unreadable(code: SessionProblem['code'], message: string): ParsedLine {
  return { event: { unknown: 'line', name: message }, problem: { severity: 'error', code, message } };
}

/** The object; a string says why there is none. */
function parseJsonObject(text: string): Readonly<Record<string, unknown>> | string {
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
  const { start, last } = fact;
  // Every kind that has both is about the range from one to the other.
  const isReversed = typeof start === 'bigint' && typeof last === 'bigint' && start > last;
  return isReversed ? unreadable('bad-field', `${kind}: start is above last`) : { event: fact };
}

function parseOperation(op: OperationName, object: unknown): ParsedLine {
  const result = v.safeParse(OPERATION_SCHEMAS[op], object, { abortEarly: true });
  return result.success
    ? { event: result.output }
    : unreadable('bad-field', `${op}: ${describeIssue(result.issues[0])}`);
}

/**
 * Reads a session file line by line, in any chunks. Feed it whole lines with their line ends, then call `finish`.
 * Keeps what it does not understand, so that writing the session gives the bytes that were read.
 */
export class SessionReader {
  readonly problems: SessionProblem[] = [];
  readonly #session: Session = newSession();
  #header: Session['header'] | undefined;
  #line = 0;
  #pending = '';

  /** `text` is one line with its line end (the last one of a file may lack it). */
  push(text: string): void {
    this.#line++;
    const body = text.replace(/^\uFEFF/, '').trim();
    if (body === '') {
      this.#pending += text;
      return;
    }
    const raw = this.#pending + text;
    this.#pending = '';
    if (!this.#header) this.#readHeader(body, raw);
    else this.#readEvent(body, raw);
  }

  #readHeader(body: string, raw: string): void {
    const object = parseJsonObject(body);
    const result = typeof object === 'string' ? undefined : v.safeParse(HEADER, object, { abortEarly: true });
    if (result?.success) {
      this.#header = result.output;
      if (`${writeEvent(result.output)}\n` !== raw) this.#session.verbatim.header = raw;
      return;
    }
    const isEvent = typeof object !== 'string' && ('kind' in object || 'op' in object);
    const why = typeof object === 'string' ? object : result ? describeIssue(result.issues[0]) : '';
    this.#header = this.#session.header;
    this.problems.push(
      isEvent
        ? {
            line: this.#line,
            severity: 'warning',
            code: 'no-header',
            message: 'the header line is missing: assumed version 1',
          }
        : { line: this.#line, severity: 'error', code: 'bad-header', message: `invalid session header: ${why}` },
    );
    this.#session.verbatim.header = isEvent ? '' : raw;
    if (isEvent) this.#readEvent(body, raw);
  }

  #readEvent(body: string, raw: string): void {
    const { event, problem } = parseEventLine(body);
    if (problem) this.problems.push({ line: this.#line, ...problem });
    if ('unknown' in event || `${writeEvent(event)}\n` !== raw) {
      this.#session.verbatim.events.set(this.#session.events.length, raw);
    }
    this.#session.events.push(event);
    this.#session.lines.push(this.#line);
  }

  /** The session so far. An empty file gives an empty session and a problem. */
  finish(): Session {
    if (this.#pending !== '') this.#session.verbatim.end = this.#pending;
    if (!this.#header) {
      this.problems.push({
        line: 1,
        severity: 'error',
        code: 'no-header',
        message: 'the file is empty; expected a session header',
      });
      this.#session.verbatim.header = '';
    }
    return { ...this.#session, header: this.#header ?? this.#session.header };
  }
}

/** Reads a whole session file held as text. */
export function readSession(text: string): { session: Session; problems: readonly SessionProblem[] } {
  const reader = new SessionReader();
  for (const line of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) reader.push(line);
  return { session: reader.finish(), problems: reader.problems };
}
