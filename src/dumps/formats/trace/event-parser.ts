// The IOMMU events of a trace, one text each; the grammar is in ftrace.ts.
import { fromWords, TWO_32 } from '../../../iova/address-halves.ts';
import { hex } from '../../../iova/format.ts';
import type { Iova } from '../../../iova/iova.ts';
import type { FactOf } from '../../../session/events.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import { normalizeDevice } from '../../fields/pci-address.ts';
import { FieldScanner } from '../../text/field-scanner.ts';
import { timeBefore } from './event-time.ts';

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
/** What a malformed event starts with: prose about events does not. */
const FIELDS = /^ {0,4}(?:\S{1,80} \S{1,80} |dev=\S{1,80} )?(?:iova|groupID) ?= ?(?:0x)?[0-9a-f]/i;
const GROUP = /^ {0,4}groupID=?(\d{1,10}) {0,4}device=?(\S{1,128})$/;
/** Without a driver, the blank after the mark is the first character. */
const FAULT = /^(?:([^\s=][^=]{0,79}?) {1,4}| {1,4})([^\s=]{1,128}) {1,4}$/;

export interface GroupEvent {
  readonly kind: 'add' | 'remove';
  readonly group: string;
  readonly device: string;
}

/** An event of the kernel; `attach` is also a detach. */
export type TraceEvent =
  | FactOf<'map'>
  | FactOf<'unmap'>
  | FactOf<'fault'>
  | GroupEvent
  | { readonly kind: 'attach' }
  | { readonly kind: 'empty'; readonly op: 'map' | 'unmap'; readonly start: Iova };

/** The address of two words of 32 bits: any two are one. */
function addressOf(high: number, low: number): Iova {
  return fromWords(high, low) as Iova;
}

/** Reads events without a string or bigint for each number: traces have millions. */
export class EventParser {
  readonly #scanner = new FieldScanner();
  #problem: string | undefined;

  /** Why the last text is no event though it looks like one; empty if its fields may be on the next line. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** True if the last event ends with its text, so that its last number or word may go on in the next line. */
  get atEnd(): boolean {
    return this.#scanner.atEnd;
  }

  /** The event in a text. Undefined if there is none; `problem` then says whether it looks like one. */
  read(text: string): TraceEvent | undefined {
    this.#problem = undefined;
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
        return this.#pageFault(text, rest, timeBefore(text, begin));
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
    // In words of 32 bits: bigints are created only for the fields of the fact.
    if (!this.#field('iova=', '0x') || !scanner.hexWords()) return this.#reject(text, from);
    const startHigh = scanner.high;
    const startLow = scanner.low;
    scanner.blanks();
    const hasEnd = scanner.literal('-');
    let endHigh = 0;
    let endLow = 0;
    if (hasEnd) {
      scanner.blanks();
      if (!scanner.literal('0x') || !scanner.hexWords()) return this.#reject(text, from);
      endHigh = scanner.high;
      endLow = scanner.low;
      scanner.blanks();
    }
    let paddr: Iova | undefined;
    if (kind === 'map') {
      paddr = this.#field('paddr=', '0x') ? scanner.hex() : undefined;
      if (paddr === undefined) return this.#reject(text, from);
      scanner.blanks();
    }
    if (!this.#field('size=') || !this.#number()) return this.#reject(text, from);
    const sizeHigh = scanner.high;
    const sizeLow = scanner.low;
    let unmapped: Iova | undefined;
    if (kind === 'unmap') {
      scanner.blanks();
      if (!this.#field('unmapped_size=') || !this.#number()) return this.#reject(text, from);
      unmapped = addressOf(scanner.high, scanner.low);
    }
    if (!scanner.atEnd && !scanner.atBoundary) return this.#reject(text, from);
    const sumLow = startLow + sizeLow;
    const sumHigh = startHigh + sizeHigh + (sumLow >= TWO_32 ? 1 : 0);
    const nextLow = sumLow >>> 0;
    const nextHigh = sumHigh >>> 0;
    const start = addressOf(startHigh, startLow);
    if (hasEnd && (nextHigh !== endHigh || nextLow !== endLow)) {
      const size = fromWords(sizeHigh, sizeLow);
      this.#problem = `${size} bytes at ${hex(start)} do not end at ${hex(fromWords(endHigh, endLow))}`;
      return undefined;
    }
    if (sizeHigh === 0 && sizeLow === 0) return { kind: 'empty', op: kind, start };
    // The sum may be 2^64 exactly: the range then ends at the top.
    if (sumHigh >= TWO_32 && (nextHigh !== 0 || nextLow !== 0)) {
      this.#problem = `${fromWords(sizeHigh, sizeLow)} bytes at ${hex(start)} end beyond 64 bits`;
      return undefined;
    }
    const last = addressOf(nextLow === 0 ? (nextHigh - 1) >>> 0 : nextHigh, (nextLow - 1) >>> 0);
    const fact: FactOf<'map'> | FactOf<'unmap'> =
      paddr === undefined
        ? { kind: 'unmap', start, last, unmapped, origin: 'ftrace' }
        : { kind: 'map', start, last, paddr, origin: 'ftrace' };
    if (time !== undefined) fact.time = time;
    if (device !== undefined) fact.device = normalizeDevice(device);
    return fact;
  }

  /** A field's name. The `=` is lost if a mail program broke the line there: quoted-printable ends such a line with it. */
  #field(name: string, prefix = ''): boolean {
    const scanner = this.#scanner;
    return (scanner.literal(name) || scanner.literal(name.slice(0, -1))) && scanner.literal(prefix);
  }

  #number(): boolean {
    return this.#scanner.literal('0x') ? this.#scanner.hexWords() : this.#scanner.decimalWords();
  }

  #pageFault(text: string, from: number, time: number | undefined): TraceEvent | undefined {
    const scanner = this.#scanner;
    const field = text.indexOf(' iova', from) + 1;
    scanner.start(text, field);
    const who = field === 0 ? null : FAULT.exec(text.slice(from, field));
    const device = who?.[2];
    const address = device !== undefined && this.#field('iova=', '0x') ? scanner.hex() : undefined;
    scanner.blanks();
    const flags = address !== undefined && this.#field('flags=', '0x') ? scanner.hex() : undefined;
    if (device === undefined || address === undefined || flags === undefined || !scanner.atBoundary)
      return this.#reject(text, from);
    const driver = who?.[1];
    return {
      kind: 'fault',
      address,
      device: normalizeDevice(device),
      access: faultAccess((flags & 1n) !== 0n),
      ...(driver ? { driver } : {}),
      ...(time === undefined ? {} : { time }),
    };
  }

  #groupEvent(text: string, from: number, kind: 'add' | 'remove'): TraceEvent | undefined {
    const [, group, device] = GROUP.exec(text.slice(from)) ?? [];
    if (group === undefined || device === undefined) return this.#reject(text, from);
    this.#scanner.start(text, text.length);
    return { kind, group: String(Number(group)), device: normalizeDevice(device) };
  }

  #reject(text: string, from: number): undefined {
    if (this.#scanner.tooLarge) this.#problem = 'a number has more than 64 bits';
    // Otherwise the fields may be on the next line.
    else this.#problem = FIELDS.test(text.slice(from)) ? 'its fields do not match the event' : '';
    return undefined;
  }
}
