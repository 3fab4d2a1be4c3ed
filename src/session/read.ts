import * as v from 'valibot';
import { describeIssue, parseJsonObject } from './event-line.ts';
import { EventLines } from './event-lines.ts';
import { isUnknownEvent } from './events.ts';
import { HEADER } from './schema.ts';
import { newSession, type Session, type SessionProblem } from './session.ts';
import { writeEvent } from './write.ts';

/**
 * Reads a session file line by line, in any chunks. Feed it whole lines with their line ends, then call `finish`.
 * Keeps unknown lines and fields, so that writing the session gives the bytes that were read.
 */
export class SessionReader {
  readonly problems: SessionProblem[] = [];
  readonly #session: Session = newSession();
  readonly #lines = new EventLines();
  #header: Session['header'] | undefined;
  #line = 0;
  #pending = '';

  /** `text` is one line with its line end (which the last line of a file may lack). */
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
    const { event, problem, isCanonical } = this.#lines.parse(body);
    if (problem) this.problems.push({ line: this.#line, ...problem });
    if (isUnknownEvent(event) || `${isCanonical ? body : writeEvent(event)}\n` !== raw) {
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
