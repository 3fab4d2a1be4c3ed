// Formats of kernel logs whose lines are faults and nothing else.

import type { FactOf } from '../../../session/events.ts';
import { isRedacted } from '../../fields/redacted.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { LOWER_HEX_REST, matchLongest } from '../../text/match-longest.ts';

export type Fault = FactOf<'fault'>;

export interface FaultLine {
  /** Matches every fault, and the first part of one that a mail program broke. The interest has all such lines. */
  readonly start: RegExp;
  readonly pattern: RegExp;
  /** A form without an address, which has the same groups before it. The form with one may take several lines. */
  readonly shorter?: RegExp;
  /** The fault. A string instead: why it has no address; undefined: the line is malformed. */
  readonly read: (match: RegExpExecArray) => Fault | string | undefined;
}

/** A number, or what is left of one that was damaged. */
const NUMBERS = /\b0x|\b[0-9a-f]{4,}\b|[\ue030-\ue066]/i;

export class FaultLineReader implements LineReader {
  readonly #forms: readonly FaultLine[];
  readonly #sink: FactSink;

  constructor(forms: readonly FaultLine[], sink: FactSink) {
    this.#forms = forms;
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    for (const form of this.#forms) {
      const lines = this.#form(form, line, ahead);
      if (lines > 0) return lines;
    }
    return 0;
  }

  #form({ start, pattern, shorter, read }: FaultLine, line: DumpLine, ahead: Lookahead): number {
    const found =
      matchLongest(line, ahead, start, [pattern], LOWER_HEX_REST) ??
      (shorter && matchLongest(line, ahead, start, [shorter]));
    if (!found) return this.#damaged(start, line);
    const fault = read(found.match);
    if (typeof fault === 'object') this.#sink.fact({ ...fault, ...timeOf(line) }, line.number);
    else if (fault !== undefined) {
      this.#sink.recognized();
      this.#sink.diagnostic('fault-without-address', { what: fault }, line.number);
    } else {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    }
    return found.lines;
  }

  /** A line that starts like a fault and has the numbers of one. A sentence about faults has none. */
  #damaged(pattern: RegExp, line: DumpLine): number {
    const start = pattern.exec(line.text);
    const rest = start ? line.text.slice(start.index + start[0].length) : '';
    if (!start || !(NUMBERS.test(rest) || isRedacted(line.text))) return 0;
    this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    return 1;
  }
}

/** The parser of such lines. */
export function faultLines(form: FaultLine): LineParser {
  return { open: (_source: DumpSource, sink: FactSink) => new FaultLineReader([form], sink) };
}
