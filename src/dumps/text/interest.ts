// Which formats a line is offered to. Most lines of a log interest no format, so this is the hot path of reading: one
// pass over the line finds the words of all formats (an Aho-Corasick automaton), then the formats' shapes are tried.
import type { LineInterest } from '../format.ts';

/** Words are made of ASCII characters. */
const ASCII = 128;
const NEWLINE = 10;

/** Finds the interests that a line matches. */
export class InterestMatcher {
  readonly #automaton: Automaton;
  readonly #shapes: readonly { readonly index: number; readonly shape: RegExp }[];
  /** By interest: the number of the last line that matched it. */
  readonly #matchedAt: Uint32Array;
  #line = 0;

  constructor(interests: readonly LineInterest[]) {
    this.#automaton = buildAutomaton(interests.map(({ words }) => words ?? []));
    this.#shapes = interests.flatMap(({ shapes = [] }, index) => shapes.map((shape) => ({ index, shape })));
    this.#matchedAt = new Uint32Array(interests.length);
  }

  /** Looks at a line, without its line end. True if it matches any interest; `matches` then tells which. */
  look(text: string): boolean {
    const line = ++this.#line;
    // Every state has a row of `next`, and every character a column: the indexes are always inside the tables.
    const { columns, next, shift, start, firstFound } = this.#automaton;
    let any = false;
    let state = start;
    for (let i = 0; i < text.length; i++) {
      state = next[(state << shift) | (columns[text.charCodeAt(i)] as number)] as number;
      if (state < firstFound) continue;
      any = true;
      this.#note(state);
    }
    state = next[(state << shift) | (columns[NEWLINE] as number)] as number;
    if (state >= firstFound) {
      any = true;
      this.#note(state);
    }
    for (const { index, shape } of this.#shapes) {
      if (this.#matchedAt[index] === line || !shape.test(text)) continue;
      any = true;
      this.#matchedAt[index] = line;
    }
    return any;
  }

  #note(state: number): void {
    const { found, firstFound } = this.#automaton;
    for (const index of found[state - firstFound] ?? []) this.#matchedAt[index] = this.#line;
  }

  /** True if the last line looked at matches this interest. */
  matches(index: number): boolean {
    return this.#matchedAt[index] === this.#line;
  }
}

/** True if the line contains a word of the interest. Slow: for one line at a time. */
export function containsWord(text: string, { words = [] }: LineInterest): boolean {
  const line = inLowerCase(`\n${text}\n`);
  return words.some((word) => line.includes(inLowerCase(word)));
}

/** With the letters of ASCII in lower case; others have forms that are longer or belong to several letters. */
function inLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

interface Automaton {
  /** By UTF-16 code unit: its column in `next`. Both cases of a letter share one; 0 is for characters of no word. */
  readonly columns: Uint8Array;
  /** The next state, by `(state << shift) | column`. */
  readonly next: Uint16Array;
  readonly shift: number;
  /** The state after the line break before a line. */
  readonly start: number;
  /** At states from this on words end. */
  readonly firstFound: number;
  /** By state less `firstFound`: the interests whose words end there. */
  readonly found: readonly (readonly number[])[];
}

/** `words`: the words of each interest. */
function buildAutomaton(words: readonly (readonly string[])[]): Automaton {
  const columns = new Uint8Array(0x1_0000);
  let width = 1;
  const columnOf = (letter: string): number => {
    const code = letter.toLowerCase().charCodeAt(0);
    if (code >= ASCII) throw new Error(`a word of an interest is not ASCII: ${letter}`);
    if (columns[code] === 0) {
      columns[code] = width++;
      columns[letter.toUpperCase().charCodeAt(0)] = columns[code] ?? 0;
    }
    return columns[code] ?? 0;
  };
  // The trie of all words: by state, the next state by column, and the interests whose words end there.
  const children: Map<number, number>[] = [new Map()];
  const ends: Set<number>[] = [new Set()];
  for (const [interest, texts] of words.entries()) {
    for (const word of texts) {
      let state = 0;
      for (const letter of word) {
        const column = columnOf(letter);
        const child = children[state]?.get(column) ?? children.length;
        children[state]?.set(column, child);
        if (child === children.length) {
          children.push(new Map());
          ends.push(new Set());
        }
        state = child;
      }
      ends[state]?.add(interest);
    }
  }
  if (children.length > 0x1_0000) throw new Error('too many words');
  // Breadth first: where no word continues with a character, the longest suffix of the input that starts a word does.
  const shift = Math.ceil(Math.log2(Math.max(2, width)));
  const steps = new Uint16Array(children.length << shift);
  const fallbacks = new Uint16Array(children.length);
  const queue = [0];
  for (const state of queue) {
    const fallback = fallbacks[state] ?? 0;
    for (const interest of ends[fallback] ?? []) ends[state]?.add(interest);
    // The root falls back to itself, and its row is still empty.
    steps.copyWithin(state << shift, fallback << shift, (fallback + 1) << shift);
    for (const [column, child] of children[state] ?? []) {
      fallbacks[child] = state === 0 ? 0 : (steps[(state << shift) | column] ?? 0);
      steps[(state << shift) | column] = child;
      queue.push(child);
    }
  }
  // States at which words end come last, so that one comparison recognizes them.
  const isFound = (state: number) => (ends[state]?.size ?? 0) > 0;
  const order = [...queue.filter((state) => !isFound(state)), ...queue.filter(isFound)];
  const numbers = new Uint16Array(order.length);
  for (const [number, state] of order.entries()) numbers[state] = number;
  const next = new Uint16Array(steps.length);
  for (const [number, state] of order.entries()) {
    const row = steps.subarray(state << shift, (state + 1) << shift).map((to) => numbers[to] ?? 0);
    next.set(row, number << shift);
  }
  const found = order.filter(isFound).map((state) => [...(ends[state] ?? [])]);
  const start = next[((numbers[0] ?? 0) << shift) | (columns[NEWLINE] ?? 0)] ?? 0;
  return { columns, next, shift, start, firstFound: order.length - found.length, found };
}
