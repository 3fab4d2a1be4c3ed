// Session files (*.iova.jsonl) among the inputs: their facts and operations are passed on in order.

import { AsciiEncoder, asciiText, EventLines } from '../../session/event-lines.ts';
import { isFact, isOperation, type SessionEvent, type SessionHeader } from '../../session/events.ts';
import { LineSplitter } from '../../session/lines.ts';
import { SessionReader } from '../../session/read.ts';
import { isFactKind, isOperationName } from '../../session/schema.ts';
import type { SessionProblem } from '../../session/session.ts';
import type { Collector } from './collector.ts';
import { SESSION_FORMAT } from './session-start.ts';

/** A line of a session may be long (ranges, hex), but has to fit in memory. In characters. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;

/** True if the text begins like a session file: with its header, or with an event if somebody cut the header off. */
export function looksLikeSession(head: string): boolean {
  const first = head.replace(/^\uFEFF/, '').trimStart();
  if (!first.startsWith('{')) return false;
  const line = first.split('\n', 1)[0] ?? '';
  if (/"format"\s*:\s*"iova-trace"/.test(line)) return true;
  const name = /^\{\s*"(kind|op)"\s*:\s*"([\w.]+)"/.exec(line);
  if (!name) return false;
  return name[1] === 'kind' ? isFactKind(name[2] ?? '') : isOperationName(name[2] ?? '');
}

/** Push text in pieces of any size, then call `end`. Events go to the collector as they come; nothing is kept. */
export class SessionFileReader {
  /** As in the file; undefined until it was read, and if the file has none. */
  header: SessionHeader | undefined;
  readonly #splitter = new LineSplitter();
  readonly #lines = new EventLines();
  readonly #encoder = new AsciiEncoder();
  readonly #source: string;
  readonly #collector: Collector;
  #number = 0;
  #started = false;
  #skipping = false;

  constructor(source: string, collector: Collector) {
    this.#source = source;
    this.#collector = collector;
  }

  /** `bytes`: of the text, if it is known to be ASCII. */
  push(text: string, bytes?: Uint8Array): void {
    const rest = this.#wholeLines(text, bytes);
    for (const line of this.#splitter.push(rest === 0 ? text : text.slice(rest))) this.#line(line);
    if (this.#splitter.openLength > LINE_LENGTH_MAX) {
      this.#splitter.end();
      if (!this.#skipping) {
        const parameters = { limit: LINE_LENGTH_MAX, isSkipped: true };
        this.#collector.diagnostic(this.#source, 'long-line-cut', parameters, this.#number + 1, 'error');
      }
      this.#skipping = true;
    }
  }

  end(): void {
    for (const line of this.#splitter.end()) this.#line(line);
    this.#collector.lines += this.#number;
  }

  /** Reads the lines that end in a piece of text; returns where the rest begins. */
  #wholeLines(text: string, bytes: Uint8Array | undefined): number {
    const ascii = bytes ? asciiText(bytes) : this.#encoder.encode(text);
    let from = 0;
    for (;;) {
      // Nothing is open except before the first line end.
      const isPlain = ascii && this.#started && !this.#skipping && this.#splitter.openLength === 0;
      const end = isPlain ? this.#lines.readAscii(ascii, from) : -1;
      if (end >= 0 && this.#deliverRead()) {
        from = end;
        continue;
      }
      const lineEnd = text.indexOf('\n', from) + 1;
      if (lineEnd === 0) return from;
      for (const line of this.#splitter.push(text.slice(from, lineEnd))) this.#line(line);
      from = lineEnd;
    }
  }

  /** Passes on what was read of the bytes of a line; false if its text has to be read. */
  #deliverRead(): boolean {
    const { alike, words } = this.#lines;
    const event = alike ? undefined : this.#lines.event;
    if (!alike && !event) return false;
    this.#number++;
    if (alike) this.#collector.pushAlike(alike, words);
    else if (event) this.#deliver(event, '');
    return true;
  }

  #line(raw: string): void {
    this.#number++;
    if (this.#skipping) {
      this.#skipping = false;
      return;
    }
    const text = raw.replace(/^\uFEFF/, '').trim();
    if (text === '') return;
    if (!this.#started) {
      this.#started = true;
      // SessionReader keeps all events in memory, so it reads the header only.
      const reader = new SessionReader();
      reader.push(text);
      const session = reader.finish();
      for (const problem of reader.problems) this.#problem(problem);
      if (session.events.length === 0) {
        if (reader.problems.length === 0) this.header = session.header;
        return;
      }
    }
    this.#event(text);
  }

  #event(text: string): void {
    const { event, problem } = this.#lines.parse(text);
    if (problem) this.#problem(problem);
    this.#deliver(event, text);
  }

  /** `text`: the line, for an unknown event. */
  #deliver(event: SessionEvent, text: string): void {
    const source = this.#source;
    const line = this.#number;
    if (isFact(event)) {
      this.#collector.countFormat(SESSION_FORMAT);
      // A fact that has a source keeps it.
      this.#collector.push(event.source === undefined ? { ...event, source, line } : event);
    } else if (isOperation(event)) {
      this.#collector.push(event);
    } else {
      this.#collector.push({ ...event, text, source, line });
    }
  }

  #problem(problem: Omit<SessionProblem, 'line'>): void {
    const { severity, code, message } = problem;
    this.#collector.diagnostic(this.#source, code, { message }, this.#number, severity);
  }
}
