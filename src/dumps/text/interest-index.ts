// Finds out which of many patterns match a line without trying them all. One walk over the line looks for the strings
// that the patterns require (`required-literals.ts`), all at once, by an automaton of Aho and Corasick; only parts of
// patterns whose strings are there are tried. The answer is exactly that of trying every pattern.
import { type PatternPart, partsOf } from './required-literals.ts';

/** Patterns beyond that are not indexed: a set of patterns is the bits of one number. */
const MOST_PATTERNS = 30;
/** Strings of one character are nearly everywhere: nothing is gained by looking for them. */
const SHORTEST = 2;
/** Characters of ASCII. */
const LETTERS = 128;

interface Part {
  readonly bit: number;
  readonly pattern: RegExp;
  readonly suffix: string;
  /** Longer texts do not match. */
  readonly longest: number;
  /** Only so many last characters matter; 0: all. */
  readonly tail: number;
  readonly begins: Uint8Array | undefined;
  readonly firstWord: Uint8Array | undefined;
  readonly ends: Uint8Array | undefined;
}

let last:
  | { readonly patterns: readonly RegExp[]; readonly marks: Uint8Array; readonly index: InterestIndex }
  | undefined;

/**
 * The index of these patterns. It takes some time to make and is kept for the next call, as most have the same patterns;
 * between a walk and what is asked about it nothing else may use it.
 */
export function interestIndex(patterns: readonly RegExp[], marks: Uint8Array): InterestIndex {
  const isSame = last?.patterns.length === patterns.length && patterns.every((one, i) => one === last?.patterns[i]);
  if (!last || !isSame || last.marks !== marks) last = { patterns, marks, index: new InterestIndex(patterns, marks) };
  return last.index;
}

export class InterestIndex {
  readonly #patterns: readonly RegExp[];
  /** What requires no string. */
  readonly #always: readonly Part[];
  /** Of those what may match a text, by its first letter or digit (0: there is none) and its last character. */
  readonly #alwaysBy: (readonly Part[] | undefined)[] = new Array(LETTERS * LETTERS).fill(undefined);
  /** By the last character of their suffix. */
  readonly #bySuffix = new Map<number, Part[]>();
  readonly #parts: Part[] = [];
  /** By character code: its marks, and below them its column in the table of states. */
  readonly #letters: Uint16Array;
  /** The next state by state and column. A row has a power of two columns: as few as there are letters in strings. */
  readonly #next: Uint16Array | Uint32Array;
  readonly #shift: number;
  /** States from here on have strings that end there; which parts those belong to, by state less this one. */
  readonly #firstFound: number;
  readonly #found: readonly (readonly number[])[];
  /** Of the line at hand: states at which something was found, as indices of `#found`, without repetition. */
  readonly #hits: Uint16Array;
  #hitCount = 0;
  /** By index of `#found`: the last walk that came there. */
  readonly #reached: Uint32Array;
  /** By index of `#found`: where in the line that was last, as the number of characters up to its end. */
  readonly #reachedAt: Uint32Array;
  #walk = 0;
  /** By part: the last text on which it was tried. */
  readonly #tried: Uint32Array;
  #requested = 0;

  /** `marks`: bits by character code, for `walk`. */
  constructor(patterns: readonly RegExp[], marks: Uint8Array) {
    this.#patterns = patterns;
    const always: Part[] = [];
    const strings: [text: string, part: number][] = [];
    for (const [index, whole] of patterns.entries()) {
      if (index >= MOST_PATTERNS) break;
      const bit = 1 << index;
      const rest: PatternPart[] = [];
      for (const part of partsOf(whole)) {
        const literals = part.literals?.every((text) => text.length >= SHORTEST) ? part.literals : undefined;
        if (part.suffix !== '' && !literals) {
          const last = part.suffix.charCodeAt(part.suffix.length - 1);
          const others = this.#bySuffix.get(last) ?? [];
          this.#bySuffix.set(last, [...others, partOf(bit, part)]);
        } else if (literals) {
          for (const text of literals) strings.push([text, this.#parts.length]);
          this.#parts.push(partOf(bit, part));
        } else if (part.begins ?? part.firstWord ?? part.ends ?? part.longest ?? part.tail)
          always.push(partOf(bit, part));
        else rest.push(part);
      }
      // Together they are one test.
      if (rest.length > 0) {
        const source = rest.map(({ pattern }) => `(?:${pattern.source})`).join('|');
        always.push(partOf(bit, { pattern: new RegExp(source, whole.flags.replace(/[gy]/g, '')), suffix: '' }));
      }
    }
    this.#always = always;
    this.#tried = new Uint32Array(this.#parts.length);
    const automaton = buildAutomaton(strings);
    this.#letters = Uint16Array.from(automaton.columns, (column, code) => column | ((marks[code] as number) << 8));
    this.#next = automaton.next;
    this.#shift = automaton.shift;
    this.#found = automaton.found;
    this.#firstFound = automaton.firstFound;
    this.#hits = new Uint16Array(automaton.found.length);
    this.#reached = new Uint32Array(automaton.found.length);
    this.#reachedAt = new Uint32Array(automaton.found.length);
  }

  /**
   * Walks over a line, for `interested`: it stands in `bytes` from one place to another, exclusive, all of it ASCII.
   * Returns the bits of the marks of all its characters.
   */
  walk(bytes: Uint8Array, from: number, to: number): number {
    const letters = this.#letters;
    const next = this.#next;
    const shift = this.#shift;
    const firstFound = this.#firstFound;
    const reached = this.#reached;
    const reachedAt = this.#reachedAt;
    const hits = this.#hits;
    const walk = ++this.#walk;
    let state = 0;
    let marked = 0;
    let count = 0;
    for (let i = from; i < to; i++) {
      const letter = letters[bytes[i] as number] as number;
      marked |= letter;
      state = next[(state << shift) | (letter & 0xff)] as number;
      if (state < firstFound) continue;
      const hit = state - firstFound;
      reachedAt[hit] = i - from + 1;
      if (reached[hit] === walk) continue;
      reached[hit] = walk;
      hits[count++] = hit;
    }
    this.#hitCount = count;
    return marked >> 8;
  }

  /**
   * The patterns that match the text, as bits by their index. The last walk must have been over it, or over a line that
   * contains it; it begins there behind `skipped` characters or more.
   */
  interested(text: string, skipped = 0): number {
    this.#requested++;
    const begins = text.charCodeAt(0);
    const ends = text === '' ? 0 : text.charCodeAt(text.length - 1);
    const word = firstWordOf(text);
    let bits = 0;
    for (let i = 0; i < this.#hitCount; i++) {
      const hit = this.#hits[i] as number;
      if ((this.#reachedAt[hit] as number) < skipped + SHORTEST) continue;
      const parts = this.#found[hit] as readonly number[];
      for (let n = 0; n < parts.length; n++) {
        const index = parts[n] as number;
        if (this.#tried[index] === this.#requested) continue;
        this.#tried[index] = this.#requested;
        const part = this.#parts[index] as Part;
        if (isPossible(part, bits, begins, word, ends, text.length)) bits = tried(bits, part, text);
      }
    }
    const always = this.#alwaysFor(word, ends);
    for (let i = 0; i < always.length; i++) {
      const part = always[i] as Part;
      if (isPossible(part, bits, begins, word, ends, text.length)) bits = tried(bits, part, text);
    }
    const suffixed = this.#bySuffix.get(ends);
    if (suffixed) for (const part of suffixed) if ((bits & part.bit) === 0) bits = tried(bits, part, text);
    return bits;
  }

  #alwaysFor(word: number, ends: number): readonly Part[] {
    const at = word * LETTERS + ends;
    const known = this.#alwaysBy[at];
    if (known) return known;
    const parts = this.#always.filter((part) => (part.firstWord?.[word] ?? 1) === 1 && (part.ends?.[ends] ?? 1) === 1);
    this.#alwaysBy[at] = parts;
    return parts;
  }

  /** The same for any text, without a walk. */
  interestedIn(text: string): number {
    let bits = 0;
    for (let i = 0; i < this.#patterns.length && i < MOST_PATTERNS; i++) {
      if (this.#patterns[i]?.test(text)) bits |= 1 << i;
    }
    return bits;
  }

  /** True if the bits tell of all patterns. */
  get isComplete(): boolean {
    return this.#patterns.length <= MOST_PATTERNS;
  }

  /** True if the pattern of this index matches, given the bits that are known of the text. */
  matches(bits: number, index: number, text: string): boolean {
    return index < MOST_PATTERNS ? (bits & (1 << index)) !== 0 : (this.#patterns[index]?.test(text) ?? false);
  }
}

function partOf(bit: number, part: PatternPart): Part {
  const { pattern, suffix, longest, tail, begins, firstWord, ends } = part;
  return {
    bit,
    pattern,
    suffix,
    longest: longest ?? Number.POSITIVE_INFINITY,
    tail: tail ?? 0,
    begins,
    firstWord,
    ends,
  };
}

/** False if the part's pattern is known to match already, or cannot match for what the text begins or ends with. */
function isPossible(part: Part, bits: number, begins: number, word: number, ends: number, length: number): boolean {
  if ((bits & part.bit) !== 0 || length > part.longest) return false;
  if (part.ends !== undefined && part.ends[ends] !== 1) return false;
  if (part.begins !== undefined && part.begins[begins] !== 1) return false;
  return part.firstWord === undefined || part.firstWord[word] === 1;
}

function tried(bits: number, part: Part, text: string): number {
  if (part.suffix !== '' && !text.endsWith(part.suffix)) return bits;
  const seen = part.tail > 0 && part.tail < text.length ? text.slice(-part.tail) : text;
  return part.pattern.test(seen) ? bits | part.bit : bits;
}

/** The first letter or digit of a text of ASCII; 0 if there is none. */
function firstWordOf(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122)) return code;
  }
  return 0;
}

interface Automaton {
  /** By character code: which column of the table it has. Letters share one with the other case, the rest another. */
  readonly columns: Uint8Array;
  readonly next: Uint16Array | Uint32Array;
  readonly shift: number;
  readonly found: readonly (readonly number[])[];
  readonly firstFound: number;
}

/** `strings` in lower case; both cases of a letter lead to the same state. */
function buildAutomaton(strings: readonly (readonly [text: string, part: number])[]): Automaton {
  const { columns, count } = columnsOf(strings);
  const shift = Math.ceil(Math.log2(count));
  const width = 1 << shift;
  const most = strings.reduce((sum, [text]) => sum + text.length, 1);
  const next = new Uint32Array(most * width);
  const parts: Set<number>[] = [new Set()];
  for (const [text, part] of strings) {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      const at = state * width + (columns[text.charCodeAt(i)] as number);
      if (next[at] === 0) next[at] = parts.push(new Set()) - 1;
      state = next[at] as number;
    }
    parts[state]?.add(part);
  }
  // Breadth first: where a string does not go on, the longest one that ends here does.
  const back = new Uint32Array(parts.length);
  const queue = [...new Set(next.subarray(0, width))].filter((state) => state !== 0);
  for (let state = queue.shift(); state !== undefined; state = queue.shift()) {
    const other = back[state] as number;
    for (const part of parts[other] ?? []) parts[state]?.add(part);
    const children = new Set<number>();
    for (let column = 0; column < width; column++) {
      const at = state * width + column;
      const elsewhere = next[other * width + column] as number;
      if (next[at] === 0) next[at] = elsewhere;
      else {
        back[next[at] as number] = elsewhere;
        children.add(next[at] as number);
      }
    }
    queue.push(...children);
  }
  // States at which nothing is found come first, so that one comparison tells them apart.
  const finds = (state: number) => ((parts[state]?.size ?? 0) > 0 ? 1 : 0);
  const order = [...parts.keys()].sort((a, b) => finds(a) - finds(b) || a - b);
  const place = new Uint32Array(parts.length);
  for (const [index, state] of order.entries()) place[state] = index;
  // As small as can be: the rows that a line goes through should stay near.
  const ordered = new (parts.length <= 0xffff ? Uint16Array : Uint32Array)(parts.length * width);
  for (const state of parts.keys()) {
    for (let column = 0; column < width; column++) {
      ordered[(place[state] as number) * width + column] = place[next[state * width + column] as number] as number;
    }
  }
  const found = order.filter((state) => finds(state)).map((state) => [...(parts[state] ?? [])]);
  return { columns, next: ordered, shift, found, firstFound: parts.length - found.length };
}

/** Column 0 is that of all letters that no string has. */
function columnsOf(strings: readonly (readonly [text: string, part: number])[]): {
  columns: Uint8Array;
  count: number;
} {
  const columns = new Uint8Array(LETTERS);
  let count = 1;
  for (const [text] of strings) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (columns[code] !== 0) continue;
      columns[code] = count;
      if (code >= 97 && code <= 122) columns[code - 32] = count;
      count++;
    }
  }
  return { columns, count };
}
