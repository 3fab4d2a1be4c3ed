// Formats of kernel logs whose lines are faults and nothing else.

import type { FactOf } from '../../../session/events.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';

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

/** The rest of a hexadecimal number that a mail program broke at the end of a line. */
const HEX_REST = /^[0-9a-f]{1,15}$/;
/** A number, or what is left of one that was damaged. */
const NUMBERS = /\b0x|\b[0-9a-f]{4,}\b|[\ue030-\ue066]/i;

class FaultLineReader implements LineReader {
  readonly #form: FaultLine;
  readonly #sink: FactSink;

  constructor(form: FaultLine, sink: FactSink) {
    this.#form = form;
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const { start, pattern, shorter, read } = this.#form;
    const found =
      matchLongest(line, ahead, start, [pattern], HEX_REST) ?? (shorter && matchLongest(line, ahead, start, [shorter]));
    if (!found) return this.#damaged(line);
    const fault = read(found.match);
    if (typeof fault === 'object') this.#sink.fact(fault, line.number);
    else if (fault !== undefined) {
      this.#sink.recognized();
      this.#sink.diagnostic('fault-without-address', { what: fault }, line.number);
    } else {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    }
    return found.lines;
  }

  /** A line that starts like a fault and has the numbers of one. A sentence about faults has none. */
  #damaged(line: DumpLine): number {
    const start = this.#form.start.exec(line.text);
    if (!start || !NUMBERS.test(line.text.slice(start.index + start[0].length))) return 0;
    this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    return 1;
  }
}

/** The parser of such lines. */
export function faultLines(form: FaultLine): LineParser {
  return { open: (_source: DumpSource, sink: FactSink) => new FaultLineReader(form, sink) };
}
