// Reads the lines of long sessions. Most lines differ from an earlier one only in their numbers. Such a line is not checked
// again field by field: its numbers are put into a copy of the earlier event.
import { isReversed, type ParsedLine, parseEventLine } from './event-line.ts';
import { isFact, type SessionEvent } from './events.ts';
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

type Value = bigint | number;
type Make = (numbers: readonly Value[]) => unknown;

/** How an event is made from the numbers of its line. */
interface Spelling {
  readonly count: number;
  readonly make: (numbers: readonly Value[]) => SessionEvent;
  /** True if writing the event gives the text of the line. */
  readonly isCanonical: boolean;
}

/** Reads events line by line. */
export class EventLines {
  /** `undefined`: seen once. `none`: lines with this spelling are always read field by field. */
  readonly #spellings = new Map<string, Spelling | 'none' | undefined>();
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
    if (spelling === 'none' || spelling.count !== numbers.length) return parseEventLine(text);
    const event = spelling.make(numbers);
    // parseEventLine has the message for a reversed range.
    if (isFact(event) && isReversed(event)) return parseEventLine(text);
    return { event, isCanonical: spelling.isCanonical };
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
    if (this.#spellings.size >= SPELLINGS_MAX) this.#spellings.clear();
    this.#spellings.set(key, isSecond ? (spellingOf(key) ?? 'none') : undefined);
  }
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
  const make = maker(event, places, found) as Spelling['make'] | undefined;
  if (!make || found.length !== places.size || new Set(found).size !== places.size) return undefined;
  return { count: places.size, make, isCanonical: writeEvent(event) === text };
}

/**
 * A function that makes the value from the numbers; undefined if the value is constant. Adds the places of its numbers to
 * `found`.
 */
function maker(value: unknown, places: ReadonlyMap<Value, number>, found: number[]): Make | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') {
    const place = places.get(value);
    if (place === undefined) return undefined;
    found.push(place);
    return (numbers) => numbers[place];
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const parts = Object.entries(value).flatMap(([key, part]) => {
    const make = maker(part, places, found);
    return make ? [{ key, make }] : [];
  });
  if (parts.length === 0) return undefined;
  if (Array.isArray(value)) {
    return (numbers) => {
      const made = [...value];
      for (const { key, make } of parts) made[Number(key)] = make(numbers);
      return made;
    };
  }
  // An object from JSON.parse has room for exactly its fields, and so have copies of it.
  const blank: Record<string, unknown> = JSON.parse(
    JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? 0 : part)),
  );
  Object.assign(blank, value);
  return (numbers) => {
    const made = { ...blank };
    for (const { key, make } of parts) made[key] = make(numbers);
    return made;
  };
}
