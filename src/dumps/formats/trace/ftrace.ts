// The kernel's trace events of the IOMMU, as `trace`, `trace_pipe`, `perf script` and `trace-cmd report` print them:
//
//   [prefix] [time ":"] ["iommu:"] event ": IOMMU:" …
//   map:                     ["dev=" name] "iova=0x" hex ["- 0x" hex] "paddr=0x" hex "size=" number
//   unmap:                   ["dev=" name] "iova=0x" hex ["- 0x" hex] "size=" number "unmapped_size=" number
//   io_page_fault:           driver device "iova=0x" hex "flags=0x" hex       bit 0 of the flags: a write
//   add_device_to_group:     "groupID=" decimal "device=" name                (also remove_device_from_group)
//   attach_device_to_domain: "device=" name                                   (also detach_…; no domain is named)
//   number   = decimal | "0x" hex                                             the first kernels print hex
//   prefix   = comm "-" pid ["(" tgid ")"] "[" cpu "]" [flags]                ftrace, trace-cmd
//            | comm pid "[" cpu "]"                                           perf
//   time     = seconds with decimals. A counter, or microseconds since the start of the buffer, is not a time.
//   "CPU:" n "[LOST" n "EVENTS]"   "[" n "EVENTS DROPPED]"   "entries-in-buffer/entries-written:" a/b
//
// The prefix may be missing; what is before the time is ignored, as a comm may hold anything. The second address is
// exclusive, missing in older kernels, and 0 for a range that ends at 2^64. An unmap may unmap more than was requested:
// `unmapped_size` says how much.
// (include/trace/events/iommu.h, Linux 3.12 to 6.12; kernel/trace/trace_output.c; libtraceevent.)
import type { Fact } from '../../../session/events.ts';
import { normalizePciAddress } from '../../fields/pci-address.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  JOINED_MAX,
  type LineParser,
  type LineReader,
  type Lookahead,
} from '../../format.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';
import { EventParser, type TraceEvent } from './event-parser.ts';
import { FTRACE_SHORTCUT } from './ftrace-shortcut.ts';

/** A line that a mail program broke before the mark: after a time, or after an event's name. */
const BROKEN_BEFORE_MARK =
  /\d: {0,24}(?:iommu:)?[a-z_]{0,26}(?:: {0,24}(?:I|IO|IOM|IOMM|IOMMU)?)?$|^(?:un)?map: ?(?:I|IO|IOM|IOMM|IOMMU)?$|(?:io_page_fault|device_\w{4,16}): ?(?:I|IO|IOM|IOMM|IOMMU)?$/;
const LOST = /\[ ?(?:LOST(?: (\d{1,20}))? EVENTS?|(\d{1,20})? ?EVENTS? DROPPED) ?\]/i;
const LOST_BY_PERF = /PERF_RECORD_LOST(?:_SAMPLES)? lost(?:-samples)? (\d{1,20})/;
const HEADER =
  /^tracer: \w|^entries-in-buffer\/entries-written:|^TASK-PID\b|^(?:[|/ ]{0,16})_-{1,6}=> |^[|]{1,8} ?\/ {1,8}delay\b|^[| ]{1,80}$/;
const OVERRUN = /^entries-in-buffer\/entries-written: (\d{1,20})\/(\d{1,20})/;
const DIGITS = /^\d{1,20}$/;
const HEX_DIGITS = /^[0-9a-f]{1,4}$/i;

class FtraceReader implements LineReader {
  readonly #sink: FactSink;
  readonly #parser = new EventParser();
  #attached = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) return this.#header(line);
    if (line.elision) return 0;
    const event = this.#parser.read(line.text);
    if (event) {
      const longer = this.#longer(event, line, ahead);
      return longer ? this.#emit(longer, line, 2) : this.#emit(event, line, 1);
    }
    const { problem } = this.#parser;
    if (problem !== undefined || BROKEN_BEFORE_MARK.test(line.text)) {
      const joined = joinWrapped(line, ahead, 3, (text) => this.#parser.read(text));
      if (joined) {
        const longer = this.#longest(line, ahead, joined.lines);
        return longer ? this.#emit(longer, line, joined.lines + 1) : this.#emit(joined.value, line, joined.lines);
      }
    }
    if (isFaultWithoutAddress(line.text)) {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
      return 1;
    }
    if (problem !== undefined) return this.#damaged(problem, line);
    return this.#lost(line);
  }

  #header({ text, number }: DumpLine): number {
    if (!HEADER.test(text)) return 0;
    const counts = OVERRUN.exec(text);
    if (counts && BigInt(counts[1] ?? 0) < BigInt(counts[2] ?? 0)) {
      this.#sink.diagnostic('events-lost', { kept: counts[1] ?? '0', written: counts[2] ?? '0' }, number);
    }
    return 1;
  }

  #lost({ text, number }: DumpLine): number {
    const found = LOST.exec(text) ?? LOST_BY_PERF.exec(text);
    if (!found) return 0;
    this.#sink.diagnostic('events-lost', { count: found[1] ?? found[2] }, number);
    return 1;
  }

  #emit(event: TraceEvent, line: DumpLine, lines: number): number {
    switch (event.kind) {
      case 'add':
        this.#sink.group(event.group, { devices: [event.device] }, line.number);
        break;
      case 'remove':
        this.#sink.recognized();
        break;
      case 'attach':
        this.#sink.recognized();
        if (!this.#attached) {
          this.#sink.diagnostic('attach-without-domain', {}, line.number);
          this.#attached = true;
        }
        break;
      case 'empty':
        this.#sink.diagnostic('empty-range', { what: event.op, start: event.start }, line.number);
        break;
      default:
        this.#sink.fact(event satisfies Fact, line.number);
    }
    return lines;
  }

  /** The event with the rest of its last token from the next line, if the line was broken there. */
  #longer(event: TraceEvent, line: DumpLine, ahead: Lookahead): TraceEvent | undefined {
    // Almost every line is followed by another event: its length is the cheapest test.
    if (!this.#parser.atEnd || (ahead(1)?.text.length ?? 100) > JOINED_MAX) return undefined;
    const rest = continuation(line, ahead)?.text.trim();
    if (rest === undefined) return undefined;
    switch (event.kind) {
      case 'map':
      case 'unmap':
      case 'empty':
        return DIGITS.test(rest) ? this.#parser.read(line.text + rest) : undefined;
      case 'fault':
        return HEX_DIGITS.test(rest) ? this.#parser.read(line.text + rest) : undefined;
      case 'attach':
        return undefined;
      default: {
        // Any name may be complete; of a PCI address it is known.
        if (normalizePciAddress(event.device) !== undefined) return undefined;
        const whole = this.#parser.read(line.text + rest);
        return whole && 'device' in whole && normalizePciAddress(whole.device ?? '') !== undefined ? whole : undefined;
      }
    }
  }

  /** An event of several lines with the rest of its last number from the line below them. */
  #longest(line: DumpLine, ahead: Lookahead, lines: number): TraceEvent | undefined {
    const rest = this.#parser.atEnd && lines < 4 ? continuation(line, ahead, lines)?.text.trim() : undefined;
    if (rest === undefined || !DIGITS.test(rest)) return undefined;
    const isWhole = (text: string) => text.endsWith(rest) && !text.endsWith(` ${rest}`);
    return joinWrapped(line, ahead, 3, (text) => (isWhole(text) ? this.#parser.read(text) : undefined))?.value;
  }

  #damaged(reason: string, line: DumpLine): number {
    if (reason === '') return 0;
    this.#sink.diagnostic('damaged-event', { what: 'trace event', text: line.text, reason }, line.number);
    return 1;
  }
}

/** True for a fault whose address was cut or redacted: what is there is no event, but an access was blocked. */
function isFaultWithoutAddress(text: string): boolean {
  return (
    text.includes('io_page_fault') &&
    /\bio_page_fault: {1,8}IOMMU: ?\S.{0,120}\biova=(?!(?:0x)?[0-9a-f]{1,64}(?:\s|$))/i.test(text)
  );
}

export const FTRACE: LineParser = {
  shortcut: FTRACE_SHORTCUT,
  open: (_source: DumpSource, sink) => new FtraceReader(sink),
};
