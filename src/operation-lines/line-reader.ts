// Reads a line word by word. At each place it records what could have followed: diagnostics and completions are made of
// that. After the first mistake every method returns an empty value, so that a grammar is written straight on; what it
// makes of a line with a mistake is dropped.
import { IOVA_MAX, type Iova } from '../iova/iova.ts';
import { parseAddress, parseRange, parseSize } from '../iova/parse.ts';
import { nearestWord } from './nearest.ts';
import type { Token } from './tokens.ts';

/** What an object of a session is, for its name. */
export type NameKind =
  | 'ioas'
  | 'container'
  | 'device'
  | 'group'
  | 'hwpt'
  | 'access'
  | 'pin'
  | 'iommu'
  | 'domain'
  | 'file'
  | 'word';

/** What may be at a place of a line. */
export type Expectation =
  | { readonly kind: 'keyword'; readonly word: string }
  | { readonly kind: 'mark'; readonly mark: string }
  | { readonly kind: 'name'; readonly of: NameKind; readonly isNew: boolean }
  | { readonly kind: 'address' | 'size' | 'range' | 'count' };

/** A mistake in a line. */
export interface LineMistake {
  /** What is wrong and what was expected, without a full stop. */
  readonly message: string;
  /** Index of the first wrong character in the line, and of the one after the last; both its length if the line is too short. */
  readonly start: number;
  readonly end: number;
  /** The known word that was probably meant. */
  readonly nearest?: string;
}

const NOUNS: Readonly<Record<NameKind, string>> = {
  ioas: 'an IOAS',
  container: 'a container',
  device: 'a device',
  group: 'a group',
  hwpt: 'a page table (hwpt)',
  access: 'an access',
  pin: 'a pin',
  iommu: 'an IOMMU',
  domain: 'a domain',
  file: 'a file',
  word: 'a word',
};

const ZERO = 0n as Iova;
/** Expectations that a message lists. */
const LISTED_MAX = 8;

function expectationText(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'keyword':
      return `'${expectation.word}'`;
    case 'mark':
      return `'${expectation.mark}'`;
    case 'name':
      return expectation.of === 'word' ? 'a word' : `the name of ${NOUNS[expectation.of]}`;
    case 'address':
      return 'an address such as 0x40000000';
    case 'size':
      return 'a size such as 4K or 0x1000';
    case 'range':
      return 'a range such as 0xfee00000-0xfeefffff';
    case 'count':
      return 'a number';
  }
}

/** `a`, `a or b`, `a, b or c`. */
export function alternatives(items: readonly string[]): string {
  const shown = items.length > LISTED_MAX ? [...items.slice(0, LISTED_MAX), '…'] : items;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

export class LineReader {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #at = 0;
  #expected: Expectation[] = [];
  #mistake: LineMistake | undefined;

  /** `end`: characters of the line. */
  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  get mistake(): LineMistake | undefined {
    return this.#mistake;
  }

  /** What could have been at the place that was reached. */
  get expected(): readonly Expectation[] {
    return this.#expected;
  }

  /** True if there is more of the line, and no mistake yet. */
  get hasMore(): boolean {
    return this.#mistake === undefined && this.#at < this.#tokens.length;
  }

  /** True if nothing is left, which is no mistake where it is asked. */
  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** True if a comma or colon is next. */
  get isAtMark(): boolean {
    return this.#next()?.kind === 'mark';
  }

  #next(): Token | undefined {
    return this.#mistake === undefined ? this.#tokens[this.#at] : undefined;
  }

  #expect(...expectations: Expectation[]): void {
    if (this.#mistake === undefined) this.#expected.push(...expectations);
  }

  #take(): void {
    this.#at++;
    this.#expected = [];
  }

  /** Records a mistake at the next word, or at the end; the first one counts. */
  fail(message: string, nearest?: string): void {
    if (this.#mistake !== undefined) return;
    const token = this.#tokens[this.#at];
    const start = token?.start ?? this.#end;
    const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    this.#mistake = {
      message: message + hint,
      start,
      end: token?.end ?? this.#end,
      ...(nearest === undefined ? {} : { nearest }),
    };
  }

  /** Records that none of what was expected is there. `more`: words that are nearer than the expected ones. */
  failExpected(more: readonly string[] = []): void {
    const token = this.#next();
    const wanted = alternatives([...new Set(this.#expected.map(expectationText))]);
    const found = token ? `found '${token.text.slice(0, 40)}'` : 'found the end of the line';
    const words = this.#expected.flatMap((item) => (item.kind === 'keyword' ? [item.word] : []));
    const nearest = token?.kind === 'word' ? nearestWord(token.text, [...words, ...more]) : undefined;
    this.fail(wanted === '' ? `nothing more was expected, ${found}` : `expected ${wanted}, ${found}`, nearest);
  }

  /** The next word if it is one of these. `quiet`: it is not offered. */
  word<W extends string>(words: readonly W[], quiet = false): W | undefined {
    const token = this.#next();
    const found = token?.kind === 'word' ? words.find((word) => word === token.text) : undefined;
    if (found !== undefined) this.#take();
    else if (!quiet) this.#expect(...words.map((word): Expectation => ({ kind: 'keyword', word })));
    return found;
  }

  /** One of these words, which must be there. */
  keyword<W extends string>(words: readonly W[]): W | undefined {
    const found = this.word(words);
    if (found === undefined) this.failExpected();
    return found;
  }

  mark(mark: ',' | ':' | '=>'): boolean {
    const token = this.#next();
    const found = token?.kind === 'mark' && token.text === mark;
    if (found) this.#take();
    return found;
  }

  /** A name. `isNew`: of an object that this line makes. */
  name(of: NameKind, isNew = false): string {
    this.#expect({ kind: 'name', of, isNew });
    const token = this.#next();
    if (!token || token.kind === 'mark') {
      this.failExpected();
      return '';
    }
    this.#take();
    return token.text;
  }

  /** A name if one is there. */
  optionalName(of: NameKind): string | undefined {
    const token = this.#next();
    if (token && token.kind !== 'mark') return this.name(of);
    this.#expect({ kind: 'name', of, isNew: false });
    return undefined;
  }

  #value<T>(kind: 'address' | 'size' | 'range' | 'count', parse: (text: string) => T | string, otherwise: T): T {
    this.#expect({ kind });
    const token = this.#next();
    if (token?.kind !== 'word' || !/^[\d.]/.test(token.text)) {
      this.failExpected();
      return otherwise;
    }
    const value = parse(token.text);
    if (typeof value === 'string') {
      this.fail(`'${token.text.slice(0, 60)}': ${value}`);
      return otherwise;
    }
    this.#take();
    return value;
  }

  /** 0 to 2^64−1. */
  address(): Iova {
    return this.#value('address', addressOf, ZERO);
  }

  /** The next word if it is an address or begins like one. */
  optionalAddress(): Iova | undefined {
    const token = this.#next();
    if (token?.kind === 'word' && /^\d/.test(token.text)) return this.address();
    this.#expect({ kind: 'address' });
    return undefined;
  }

  /** Bytes, 0 to 2^64−1. */
  size(): Iova {
    return this.#value('size', sizeOf, ZERO);
  }

  /** Both inclusive. The start may be above the last: what a kernel says about that is its business. */
  range(): readonly [Iova, Iova] {
    return this.#value('range', rangeOf, [ZERO, ZERO] as const);
  }

  /** A whole number, decimal or hexadecimal, that is exact as a JavaScript number. */
  count(): number {
    return this.#value('count', countOf, 0);
  }

  /** Sizes that are powers of two, joined by `+`, or a bitmap in hex: the bitmap. */
  pageSizes(): Iova {
    return this.#value('size', pageSizesOf, ZERO);
  }

  /** Bits of a mask from the lowest on, or the mask in hex. */
  mask(): Iova {
    return this.#value('count', maskOf, ZERO);
  }

  /** Records a mistake if anything is left. */
  finish(): void {
    if (this.hasMore) this.failExpected();
  }
}

function addressOf(text: string): Iova | string {
  const parsed = parseAddress(text);
  return parsed.ok ? parsed.value : parsed.error.message;
}

function sizeOf(text: string): Iova | string {
  const parsed = parseSize(text);
  if (!parsed.ok) return parsed.error.message;
  return parsed.value > IOVA_MAX ? 'larger than 64 bits' : (parsed.value as Iova);
}

function rangeOf(text: string): readonly [Iova, Iova] | string {
  const parsed = parseRange(text);
  if (parsed.ok) return [parsed.value.start, parsed.value.last];
  if (parsed.error.code !== 'start-above-last') return parsed.error.message;
  const [start, last] = text.split(/\.\.|[-–]/).map((end) => parseAddress(end));
  return start?.ok && last?.ok ? [start.value, last.value] : parsed.error.message;
}

function countOf(text: string): number | string {
  if (!/^(?:0x[\da-f]+|\d+)$/i.test(text)) return 'expected a whole number';
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : 'the number is too large';
}

function pageSizesOf(text: string): Iova | string {
  if (/^0x/i.test(text) && !text.includes('+')) return addressOf(text);
  let bitmap = 0n;
  for (const part of text.split('+')) {
    const size = sizeOf(part);
    if (typeof size === 'string') return size;
    if (size === 0n || (size & (size - 1n)) !== 0n) return `${part} is not a power of two`;
    bitmap |= size;
  }
  return bitmap as Iova;
}

function maskOf(text: string): Iova | string {
  if (/^0x/i.test(text)) return addressOf(text);
  const bits = countOf(text);
  if (typeof bits === 'string') return bits;
  return bits > 64 ? 'expected at most 64 bits, or the mask in hexadecimal' : (((1n << BigInt(bits)) - 1n) as Iova);
}
