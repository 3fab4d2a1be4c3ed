// Reads the lines of long sessions. Most lines differ from an earlier one only in their numbers. Such a line is not checked
// again field by field: its numbers are put into a copy of the earlier event.
import { fromWords } from '../iova/address-halves.ts';
import { doubleAt, wordAt } from '../iova/typed-arrays.ts';
import { addressesIn } from './addresses.ts';
import { isReversed, type ParsedLine, parseEventLine } from './event-line.ts';
import { isFact, isOperation, type Operation, type SessionEvent } from './events.ts';
import { makerOf, type Value } from './makers.ts';
import { writeEvent } from './write.ts';

/** Maximum number of remembered spellings. A session whose names are all different has as many spellings as lines. */
const SPELLINGS_MAX = 512;

/**
 * What may differ between lines with the same spelling: addresses (lower-case, without leading zeros, up to 64 bits, each a
 * JSON string of its own), and the values of the fields `line` and `time`. Any such value is valid where another one is.
 */
const NUMBER = /"0x(?:0|[1-9a-f][\da-f]{0,15})"|(?<="(?:line|time)":)(?:0|[1-9]\d{0,14})(?=[,}])/g;

/** Placeholders for the numbers in a spelling. JSON has no control characters, so no valid line contains them. */
const ADDRESS_MARK = '\u0001';
const COUNT_MARK = '\u0002';
const MARK = new RegExp(`[${ADDRESS_MARK}${COUNT_MARK}]`, 'g');

/** Text of ASCII characters only, one byte each, and a view of the same bytes. */
export interface AsciiText {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The text of bytes that are known to be ASCII. */
export function asciiText(bytes: Uint8Array): AsciiText {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Encodes text into memory that it uses again. */
export class AsciiEncoder {
  readonly #encoder = new TextEncoder();
  #buffer = new Uint8Array(0);

  /** Undefined if a character is not ASCII. The bytes are valid until the next call. */
  encode(text: string): AsciiText | undefined {
    const { length } = text;
    if (this.#buffer.length < length) this.#buffer = new Uint8Array(length);
    const { read, written } = this.#encoder.encodeInto(text, this.#buffer);
    if (read < length || written > length) return undefined;
    return { bytes: this.#buffer.subarray(0, length), view: new DataView(this.#buffer.buffer, 0, length) };
  }
}

/** A constant part of a line: its bytes, and the same four at a time, little-endian, without the rest. */
interface Literal {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** Operations that differ only in their addresses. Those are in words: two each, first the upper one. */
export interface AlikeOperations {
  /** For each address, in the order of the operation's fields: its place among those of the line. */
  readonly order: readonly number[];
  /** The operation whose addresses are in the words, in the order of the line. */
  make(words: Uint32Array): Operation;
}

/** How an event is made from the numbers of its line. */
interface Spelling {
  /** The text before each number, and after the last one with its line end, as ASCII; absent if it is not ASCII. */
  readonly literals: readonly Literal[] | undefined;
  /** For each number: true if it is an address, false if it is the value of a field. */
  readonly areAddresses: readonly boolean[];
  readonly make: (numbers: readonly Value[], from: number) => SessionEvent;
  /** Set if the line is an operation, and its numbers are addresses. */
  readonly alike: AlikeOperations | undefined;
  /** True if writing the event gives the text of the line. */
  readonly isCanonical: boolean;
}

/** Number of spellings with which the bytes of a line are compared. */
const RECENT_MAX = 4;

const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_A = 0x61;
const LOWER_F = 0x66;
const LOWER_X = 0x78;

/** Numbers of a line by their places: addresses in two words each, first the upper one, and values of fields. */
interface LineNumbers {
  words: Uint32Array;
  counts: Float64Array;
}

/** Numbers for which there is room at first. */
const FIRST_NUMBERS = 16;

/** Reads events line by line. */
export class EventLines {
  /** `undefined`: seen once. `none`: lines with this spelling are always read field by field. */
  readonly #spellings = new Map<string, Spelling | 'none' | undefined>();
  /** The spellings of the latest lines that were read by one, the latest first. */
  #recent: Spelling[] = [];
  /** The numbers of the latest line of bytes. A bigint is used again where it is equal. */
  readonly #latest: Value[] = [];
  readonly #numbers: LineNumbers = {
    words: new Uint32Array(FIRST_NUMBERS * 2),
    counts: new Float64Array(FIRST_NUMBERS),
  };
  /** The numbers of the previous line, as written and as parsed. */
  #before: { readonly texts: readonly string[]; readonly numbers: readonly Value[] } = { texts: [], numbers: [] };

  /**
   * Like `parseEventLine`. Events share their common parts, so they must not be modified. `isCanonical` tells whether writing
   * the event gives `text` again; undefined if that was not checked.
   */
  parse(text: string): ParsedLine & { readonly isCanonical?: boolean } {
    const numbers: Value[] = [];
    const texts: string[] = [];
    const key = text.replace(NUMBER, (number) => {
      const isAddress = number.startsWith('"');
      numbers.push(isAddress ? this.#address(number, texts, numbers) : Number(number));
      texts.push(number);
      return isAddress ? ADDRESS_MARK : COUNT_MARK;
    });
    this.#before = { texts, numbers };
    const spelling = this.#spellings.get(key);
    if (spelling === undefined) {
      this.#remember(key);
      return parseEventLine(text);
    }
    if (spelling === 'none' || spelling.areAddresses.length !== numbers.length) return parseEventLine(text);
    if (this.#recent[0] !== spelling) {
      this.#recent = [spelling, ...this.#recent.filter((other) => other !== spelling)].slice(0, RECENT_MAX);
    }
    const event = spelling.make(numbers, 0);
    // parseEventLine has the message for a reversed range.
    if (isFact(event) && isReversed(event)) return parseEventLine(text);
    return { event, isCanonical: spelling.isCanonical };
  }

  /**
   * Reads the line that begins at `from` in ASCII text, if it is spelled like one of the latest lines: as `parse` would, several
   * times faster. Returns the index after its line end; −1 if `parse` has to read the line.
   */
  readAscii(text: AsciiText, from: number): number {
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const spelling = recent[i];
      const end = spelling ? readNumbers(text, from, spelling, this.#numbers) : -1;
      if (end < 0) continue;
      if (i > 0) recent.unshift(...recent.splice(i, 1));
      return end;
    }
    return -1;
  }

  /** What the line that `readAscii` read is like, if it is an operation and its numbers are addresses: those are in `words`. */
  get alike(): AlikeOperations | undefined {
    return this.#recent[0]?.alike;
  }

  /** The addresses of that line, until the next one is read. */
  get words(): Uint32Array {
    return this.#numbers.words;
  }

  /** The event of the line that `readAscii` read; undefined if `parse` has to read it. */
  get event(): SessionEvent | undefined {
    const [spelling] = this.#recent;
    const event = spelling?.make(this.#values(spelling), 0);
    return event && isFact(event) && isReversed(event) ? undefined : event;
  }

  /** The numbers of the line that was read. */
  #values({ areAddresses }: Spelling): readonly Value[] {
    const { words, counts } = this.#numbers;
    for (let i = 0; i < areAddresses.length; i++) {
      const value = areAddresses[i] ? fromWords(wordAt(words, i * 2), wordAt(words, i * 2 + 1)) : doubleAt(counts, i);
      if (this.#latest[i] !== value) this.#latest[i] = value;
    }
    return this.#latest;
  }

  /** Parses an address. Reuses the bigint if the address is already in this line or at the same place in the previous line. */
  #address(text: string, texts: readonly string[], numbers: readonly Value[]): Value {
    const known = numbers[texts.indexOf(text)];
    if (known !== undefined) return known;
    const place = texts.length;
    const before = this.#before.texts[place] === text ? this.#before.numbers[place] : undefined;
    return before ?? BigInt(text.slice(1, -1));
  }

  #remember(key: string): void {
    const isSecond = this.#spellings.has(key);
    if (this.#spellings.size >= SPELLINGS_MAX) {
      this.#spellings.clear();
      this.#recent = [];
    }
    const spelling = isSecond ? (spellingOf(key) ?? 'none') : undefined;
    this.#spellings.set(key, spelling);
    if (typeof spelling !== 'object') return;
    const { length } = spelling.areAddresses;
    if (this.#numbers.counts.length >= length) return;
    this.#numbers.words = new Uint32Array(length * 2);
    this.#numbers.counts = new Float64Array(length);
  }
}

/**
 * Reads the numbers of the line at `from`; returns the index after its line end, −1 if it is spelled differently. It finds what
 * `NUMBER` finds: no match can begin inside of a literal, because what follows a literal begins, and what precedes it ends,
 * with the same character in every line.
 */
function readNumbers(
  text: AsciiText,
  from: number,
  { literals, areAddresses }: Spelling,
  { words, counts }: LineNumbers,
): number {
  if (!literals) return -1;
  let at = from;
  for (let i = 0; i < literals.length; i++) {
    at = afterLiteral(text, at, literals[i]);
    if (at < 0 || i === areAddresses.length) return at;
    at = areAddresses[i] ? readAddress(text.bytes, at, words, i * 2) : readCount(text.bytes, at, counts, i);
    if (at < 0) return -1;
  }
  return at;
}

/** The index after a literal that is at `from`; −1 if it is not there. */
function afterLiteral({ bytes, view }: AsciiText, from: number, literal: Literal | undefined): number {
  // Reading outside of an array, even once, would make these loops several times slower.
  if (!literal || from + literal.bytes.length > bytes.length) return -1;
  const { words, bytes: expected } = literal;
  for (let i = 0; i < words.length; i++) if (view.getInt32(from + i * 4, true) !== words[i]) return -1;
  for (let i = words.length * 4; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return -1;
  return from + expected.length;
}

/** Reads an address with its quotes at `from` into two words at `place`; returns the index after it, −1 if there is none. */
function readAddress(text: Uint8Array, from: number, words: Uint32Array, place: number): number {
  if (from + 5 > text.length || text[from] !== QUOTE || text[from + 1] !== ZERO || text[from + 2] !== LOWER_X)
    return -1;
  const first = from + 3;
  let high = 0;
  let low = 0;
  let at = first;
  let code = 0;
  for (; at < text.length; at++) {
    code = text[at] ?? 0;
    let digit: number;
    if (code >= ZERO && code <= NINE) digit = code - ZERO;
    else if (code >= LOWER_A && code <= LOWER_F) digit = code - LOWER_A + 10;
    else break;
    high = (high << 4) | (low >>> 28);
    low = (low << 4) | digit;
  }
  const digits = at - first;
  if (code !== QUOTE || digits === 0 || digits > 16 || (digits > 1 && text[first] === ZERO)) return -1;
  words[place] = high;
  words[place + 1] = low;
  return at + 1;
}

/** The same for the number of a field without quotes. */
function readCount(text: Uint8Array, from: number, counts: Float64Array, place: number): number {
  let value = 0;
  let at = from;
  for (; at < text.length; at++) {
    const code = text[at] ?? 0;
    if (code < ZERO || code > NINE) break;
    value = value * 10 + (code - ZERO);
  }
  const digits = at - from;
  if (digits === 0 || digits > 15 || (digits > 1 && text[from] === ZERO)) return -1;
  counts[place] = value;
  return at;
}

/** The parts of a spelling around its numbers, with a line end; undefined if it is not ASCII. */
function literalsOf(key: string): Literal[] | undefined {
  const encoder = new AsciiEncoder();
  if (!encoder.encode(key)) return undefined;
  return `${key}\n`.split(MARK).map((part) => {
    const bytes = new TextEncoder().encode(part);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return { bytes, words: Int32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getInt32(i * 4, true)) };
  });
}

function alikeOf(make: Spelling['make'], order: readonly number[]): AlikeOperations {
  return {
    order,
    make: (words) => {
      const addresses = order.map((_, place) => fromWords(wordAt(words, place * 2), wordAt(words, place * 2 + 1)));
      // A spelling makes events of one kind.
      return make(addresses, 0) as Operation;
    },
  };
}

/** How to read lines with this spelling; undefined if they must be read field by field. */
function spellingOf(key: string): Spelling | undefined {
  // Unusual numbers, each used once, show which field a number ends up in.
  const places = new Map<Value, number>();
  const text = key.replaceAll(MARK, (mark) => {
    const place = places.size;
    const value = 0x16a09e667f3b + place;
    places.set(mark === ADDRESS_MARK ? BigInt(value) : value, place);
    return mark === ADDRESS_MARK ? `"0x${value.toString(16)}"` : String(value);
  });
  // Assigning to a property of this name would set the prototype.
  if (text.includes('__proto__')) return undefined;
  const { event, problem } = parseEventLine(text);
  if (problem) return undefined;
  const found: number[] = [];
  const make = makerOf(event, places, found) as Spelling['make'] | undefined;
  if (!make || found.length !== places.size || new Set(found).size !== places.size) return undefined;
  const areAddresses = (key.match(MARK) ?? []).map((mark) => mark === ADDRESS_MARK);
  return {
    literals: literalsOf(key),
    areAddresses,
    make,
    alike:
      isOperation(event) && areAddresses.every((isAddress) => isAddress) && addressesIn(event).length === found.length
        ? alikeOf(make, found)
        : undefined,
    isCanonical: writeEvent(event) === text,
  };
}
