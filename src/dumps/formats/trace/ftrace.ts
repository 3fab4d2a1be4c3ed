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
//   time     = seconds with decimals. A counter, or microseconds since the start of the buffer, is no time.
//   "CPU:" n "[LOST" n "EVENTS]"   "[" n "EVENTS DROPPED]"   "entries-in-buffer/entries-written:" a/b
//
// The prefix may be missing; what comes before the time is not looked at, as a comm may hold anything. The second
// address is exclusive, missing in older kernels, and 0 for a range that ends at 2^64. An unmap may take more than was
// asked for: `unmapped_size` says how much.
// (include/trace/events/iommu.h, Linux 3.12 to 6.12; kernel/trace/trace_output.c; libtraceevent.)

import { fromWords, TWO_32 } from '../../../iova/address-halves.ts';
import { hex } from '../../../iova/format.ts';
import type { Iova } from '../../../iova/iova.ts';
import type { Fact, FactOf } from '../../../session/events.ts';
import { normalizeDevice, normalizePciAddress } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { FieldScanner } from '../../text/field-scanner.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';
import { FTRACE_SHORTCUT } from './ftrace-shortcut.ts';

const MARK = 'IOMMU:';
const EVENTS: readonly string[] = [
  'io_page_fault',
  'add_device_to_group',
  'remove_device_from_group',
  'attach_device_to_domain',
  'detach_device_from_domain',
  'attach_device_to_iommu',
  'detach_device_from_iommu',
];
/** A line that a mail program broke before the mark: behind a time, or an event's name and no more. */
const BROKEN_BEFORE_MARK =
  /\d: {0,24}(?:iommu:)?[a-z_]{0,26}(?:: {0,24}(?:I|IO|IOM|IOMM|IOMMU)?)?$|^(?:un)?map: ?(?:I|IO|IOM|IOMM|IOMMU)?$|(?:io_page_fault|device_\w{4,16}): ?(?:I|IO|IOM|IOMM|IOMMU)?$/;
/** What a damaged event begins with, so that prose about events is none. */
const FIELDS = /^ {0,4}(?:\S{1,80} \S{1,80} |dev=\S{1,80} )?(?:iova|groupID) ?= ?(?:0x)?[0-9a-f]/i;
const GROUP = /^ {0,4}groupID=?(\d{1,10}) {0,4}device=?(\S{1,128})$/;
/** A blank directly behind the mark: there is no driver. */
const FAULT = /^(?:([^\s=][^=]{0,79}?) {1,4}| {1,4})([^\s=]{1,128}) {1,4}$/;
const LOST = /\[ ?(?:LOST(?: (\d{1,20}))? EVENTS?|(\d{1,20})? ?EVENTS? DROPPED) ?\]/i;
const LOST_BY_PERF = /PERF_RECORD_LOST(?:_SAMPLES)? lost(?:-samples)? (\d{1,20})/;
const HEADER =
  /^tracer: \w|^entries-in-buffer\/entries-written:|^TASK-PID\b|^(?:[|/ ]{0,16})_-{1,6}=> |^[|]{1,8} ?\/ {1,8}delay\b|^[| ]{1,80}$/;
const OVERRUN = /^entries-in-buffer\/entries-written: (\d{1,20})\/(\d{1,20})/;
const DIGITS = /^\d{1,20}$/;
const HEX_DIGITS = /^[0-9a-f]{1,4}$/i;

/** With its dot: a double holds fifteen digits exactly. */
const MOST_TIME_DIGITS = 16;

interface GroupEvent {
  readonly kind: 'add' | 'remove';
  readonly group: string;
  readonly device: string;
}

type TraceEvent =
  | FactOf<'map'>
  | FactOf<'unmap'>
  | FactOf<'fault'>
  | GroupEvent
  | { readonly kind: 'attach' }
  | { readonly kind: 'empty'; readonly op: 'map' | 'unmap'; readonly start: Iova };

class FtraceReader implements LineReader {
  readonly #sink: FactSink;
  readonly #scanner = new FieldScanner();
  /** Why the last text was no event, if it began like one; empty if it may be anything. */
  #fault: string | undefined;
  #attached = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) return this.#header(line);
    if (line.elision) return 0;
    const event = this.#read(line.text);
    if (event) {
      const longer = this.#longer(event, line, ahead);
      return longer ? this.#emit(longer, line, 2) : this.#emit(event, line, 1);
    }
    const fault = this.#fault;
    if (fault !== undefined || BROKEN_BEFORE_MARK.test(line.text)) {
      const joined = joinWrapped(line, ahead, 3, (text) => this.#read(text));
      if (joined) return this.#emit(joined.value, line, joined.lines);
    }
    if (fault !== undefined) return this.#damaged(fault, line);
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

  /** The event with the rest of its last token on the next line, if it was broken there. */
  #longer(event: TraceEvent, line: DumpLine, ahead: Lookahead): TraceEvent | undefined {
    // Next to every line is followed by another event: its length is looked at before anything else.
    if (!this.#scanner.atEnd || (ahead(1)?.text.length ?? 100) > 40) return undefined;
    const rest = continuation(line, ahead)?.text.trim();
    if (rest === undefined) return undefined;
    switch (event.kind) {
      case 'map':
      case 'unmap':
      case 'empty':
        return DIGITS.test(rest) ? this.#read(line.text + rest) : undefined;
      case 'fault':
        return HEX_DIGITS.test(rest) ? this.#read(line.text + rest) : undefined;
      case 'attach':
        return undefined;
      default: {
        // A name may end anywhere; of a PCI address it can be seen that it did not.
        if (normalizePciAddress(event.device) !== undefined) return undefined;
        const whole = this.#read(line.text + rest);
        return whole && 'device' in whole && normalizePciAddress(whole.device ?? '') !== undefined ? whole : undefined;
      }
    }
  }

  /** The event in the text; undefined if there is none, and then `#fault` says whether it looked like one. */
  #read(text: string): TraceEvent | undefined {
    this.#fault = undefined;
    const mark = text.indexOf(MARK);
    if (mark < 0) return undefined;
    let end = mark;
    while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
    const separator = text.charCodeAt(end - 1);
    if (separator !== 58 && separator !== 40) return undefined;
    let begin = --end;
    for (; begin > 0; begin--) {
      const code = text.charCodeAt(begin - 1);
      if (code !== 95 && !(code >= 97 && code <= 122)) break;
    }
    const rest = mark + MARK.length;
    const length = end - begin;
    if (length === 3 && text.startsWith('map', begin)) return this.#mapping(text, rest, 'map', timeBefore(text, begin));
    if (length === 5 && text.startsWith('unmap', begin)) {
      return this.#mapping(text, rest, 'unmap', timeBefore(text, begin));
    }
    const name = text.slice(begin, end);
    if (!EVENTS.includes(name)) return undefined;
    switch (name) {
      case 'io_page_fault':
        return this.#pageFault(text, rest);
      case 'add_device_to_group':
      case 'remove_device_from_group':
        return this.#groupEvent(text, rest, name === 'add_device_to_group' ? 'add' : 'remove');
      default:
        if (!/^ {0,4}device=?\S{1,128}$/.test(text.slice(rest))) return undefined;
        this.#scanner.start(text, text.length);
        return { kind: 'attach' };
    }
  }

  #mapping(text: string, from: number, kind: 'map' | 'unmap', time: number | undefined): TraceEvent | undefined {
    const scanner = this.#scanner;
    scanner.start(text, from);
    scanner.blanks();
    let device: string | undefined;
    if (scanner.literal('dev=')) {
      device = scanner.word();
      scanner.blanks();
    }
    // In words: an event is a hundred bytes, and numbers of 64 bits are made only of what the fact holds.
    if (!this.#field('iova=', '0x') || !scanner.hexWords()) return this.#no(text, from);
    const startHigh = scanner.high;
    const startLow = scanner.low;
    scanner.blanks();
    const hasEnd = scanner.literal('-');
    let endHigh = 0;
    let endLow = 0;
    if (hasEnd) {
      scanner.blanks();
      if (!scanner.literal('0x') || !scanner.hexWords()) return this.#no(text, from);
      endHigh = scanner.high;
      endLow = scanner.low;
      scanner.blanks();
    }
    let paddr: Iova | undefined;
    if (kind === 'map') {
      paddr = this.#field('paddr=', '0x') ? scanner.hex() : undefined;
      if (paddr === undefined) return this.#no(text, from);
      scanner.blanks();
    }
    if (!this.#field('size=') || !this.#number()) return this.#no(text, from);
    const sizeHigh = scanner.high;
    const sizeLow = scanner.low;
    let unmapped: Iova | undefined;
    if (kind === 'unmap') {
      scanner.blanks();
      if (!this.#field('unmapped_size=') || !this.#number()) return this.#no(text, from);
      unmapped = fromWords(scanner.high, scanner.low) as Iova;
    }
    if (!scanner.atEnd && !scanner.atBoundary) return this.#no(text, from);
    const sumLow = startLow + sizeLow;
    const sumHigh = startHigh + sizeHigh + (sumLow >= TWO_32 ? 1 : 0);
    const nextLow = sumLow >>> 0;
    const nextHigh = sumHigh >>> 0;
    const start = fromWords(startHigh, startLow) as Iova;
    if (hasEnd && (nextHigh !== endHigh || nextLow !== endLow)) {
      const size = fromWords(sizeHigh, sizeLow);
      this.#fault = `${size} bytes at ${hex(start)} do not end at ${hex(fromWords(endHigh, endLow))}`;
      return undefined;
    }
    if (sizeHigh === 0 && sizeLow === 0) return { kind: 'empty', op: kind, start };
    // The sum may be 2^64 exactly: the range then ends at the top.
    if (sumHigh >= TWO_32 && (nextHigh !== 0 || nextLow !== 0)) {
      this.#fault = `${fromWords(sizeHigh, sizeLow)} bytes at ${hex(start)} end beyond 64 bits`;
      return undefined;
    }
    const last = fromWords(nextLow === 0 ? (nextHigh - 1) >>> 0 : nextHigh, (nextLow - 1) >>> 0) as Iova;
    const fact: FactOf<'map'> | FactOf<'unmap'> =
      paddr === undefined
        ? { kind: 'unmap', start, last, unmapped, origin: 'ftrace' }
        : { kind: 'map', start, last, paddr, origin: 'ftrace' };
    if (time !== undefined) fact.time = time;
    if (device !== undefined) fact.device = normalizeDevice(device);
    return fact;
  }

  /** A field's name. Its sign is lost if a mail program broke the line there: `=` at the end says that it goes on. */
  #field(name: string, prefix = ''): boolean {
    const scanner = this.#scanner;
    return (scanner.literal(name) || scanner.literal(name.slice(0, -1))) && scanner.literal(prefix);
  }

  #number(): boolean {
    return this.#scanner.literal('0x') ? this.#scanner.hexWords() : this.#scanner.decimalWords();
  }

  #pageFault(text: string, from: number): TraceEvent | undefined {
    const scanner = this.#scanner;
    const field = text.indexOf(' iova', from) + 1;
    scanner.start(text, field);
    const who = field === 0 ? null : FAULT.exec(text.slice(from, field));
    const device = who?.[2];
    const address = device !== undefined && this.#field('iova=', '0x') ? scanner.hex() : undefined;
    scanner.blanks();
    const flags = address !== undefined && this.#field('flags=', '0x') ? scanner.hex() : undefined;
    if (device === undefined || address === undefined || flags === undefined || !scanner.atBoundary)
      return this.#no(text, from);
    const driver = who?.[1];
    return {
      kind: 'fault',
      address,
      device: normalizeDevice(device),
      access: (flags & 1n) === 0n ? 'read' : 'write',
      ...(driver ? { driver } : {}),
    };
  }

  #groupEvent(text: string, from: number, kind: 'add' | 'remove'): TraceEvent | undefined {
    const [, group, device] = GROUP.exec(text.slice(from)) ?? [];
    if (group === undefined || device === undefined) return this.#no(text, from);
    this.#scanner.start(text, text.length);
    return { kind, group: String(Number(group)), device: normalizeDevice(device) };
  }

  #no(text: string, from: number): undefined {
    if (this.#scanner.tooLarge) this.#fault = 'a number has more than 64 bits';
    // Else the fields may stand on the next line.
    else this.#fault = FIELDS.test(text.slice(from)) ? 'its fields do not match the event' : '';
    return undefined;
  }

  #damaged(why: string, line: DumpLine): number {
    if (why === '') return 0;
    this.#sink.diagnostic('damaged-event', { what: 'trace event', text: line.text, reason: why }, line.number);
    return 1;
  }
}

/** The time in seconds before the name of an event that begins at `at`; undefined if there is none with decimals. */
function timeBefore(text: string, at: number): number | undefined {
  let end = at;
  if (text.startsWith('iommu:', at - 6)) end -= 6;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  // perf may print a count of events between the time and the name.
  if (isDigit(text.charCodeAt(end - 1))) {
    while (end > 0 && isDigit(text.charCodeAt(end - 1))) end--;
    while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  }
  if (text.charCodeAt(end - 1) !== 58) return undefined;
  let begin = --end;
  while (begin > 0 && isDigit(text.charCodeAt(begin - 1))) begin--;
  if (begin === end || text.charCodeAt(begin - 1) !== 46) return undefined;
  const dot = --begin;
  while (begin > 0 && isDigit(text.charCodeAt(begin - 1))) begin--;
  if (begin === dot || dot - begin > 12 || end - dot > 10) return undefined;
  if (end - begin > MOST_TIME_DIGITS) return Number(text.slice(begin, end));
  // Both numbers are exact, so that their quotient is the number nearest to what is written.
  let value = 0;
  let scale = 1;
  for (let i = begin; i < end; i++) {
    if (i === dot) continue;
    value = value * 10 + (text.charCodeAt(i) - 48);
    if (i > dot) scale *= 10;
  }
  return value / scale;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export const FTRACE: LineFormat = {
  kind: 'lines',
  name: 'ftrace',
  title: 'Kernel trace: IOMMU events',
  interest: {
    words: ['IOMMU:', 'LOST ', 'EVENT DROPPED', 'EVENTS DROPPED', 'PERF_RECORD_LOST'],
    shapes: [BROKEN_BEFORE_MARK],
  },
  shortcut: FTRACE_SHORTCUT,
  open: (_source: DumpSource, sink) => new FtraceReader(sink),
};
