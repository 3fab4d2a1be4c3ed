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
    const { columns, next, shift, found, start } = this.#automaton;
    let any = false;
    let state = start;
    for (let i = 0; i <= text.length; i++) {
      const code = i < text.length ? text.charCodeAt(i) : NEWLINE;
      // Every state has a row and every ASCII character a column: the index is always inside of the table.
      const column = code < ASCII ? (columns[code] as number) : 0;
      state = next[(state << shift) | column] as number;
      const interests = found[state];
      if (interests === undefined) continue;
      any = true;
      for (const index of interests) this.#matchedAt[index] = line;
    }
    for (const { index, shape } of this.#shapes) {
      if (this.#matchedAt[index] === line || !shape.test(text)) continue;
      any = true;
      this.#matchedAt[index] = line;
    }
    return any;
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
  /** By character code: its column in `next`. Both cases of a letter share one; 0 is that of characters in no word. */
  readonly columns: Uint8Array;
  /** The next state, by `(state << shift) | column`. */
  readonly next: Uint16Array;
  readonly shift: number;
  /** By state: the interests whose words end there. */
  readonly found: readonly (readonly number[] | undefined)[];
  /** The state after the line break before a line. */
  readonly start: number;
}

/** `words`: the words of each interest. */
function buildAutomaton(words: readonly (readonly string[])[]): Automaton {
  const columns = new Uint8Array(ASCII);
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
  const found: Set<number>[] = [new Set()];
  for (const [interest, texts] of words.entries()) {
    for (const word of texts) {
      let state = 0;
      for (const letter of word) {
        const column = columnOf(letter);
        const child = children[state]?.get(column) ?? children.length;
        children[state]?.set(column, child);
        if (child === children.length) {
          children.push(new Map());
          found.push(new Set());
        }
        state = child;
      }
      found[state]?.add(interest);
    }
  }
  // Breadth first: where no word continues with a character, the longest suffix of the input that starts a word does.
  const shift = Math.ceil(Math.log2(Math.max(2, width)));
  const next = new Uint16Array(children.length << shift);
  const fallback = new Uint16Array(children.length);
  const queue = [0];
  for (const state of queue) {
    const back = fallback[state] ?? 0;
    for (const interest of found[back] ?? []) found[state]?.add(interest);
    for (let column = 0; column < width; column++) {
      const otherwise = state === 0 ? 0 : (next[(back << shift) | column] ?? 0);
      const child = children[state]?.get(column);
      next[(state << shift) | column] = child ?? otherwise;
      if (child === undefined) continue;
      fallback[child] = otherwise;
      queue.push(child);
    }
  }
  return {
    columns,
    next,
    shift,
    found: found.map((interests) => (interests.size > 0 ? [...interests] : undefined)),
    start: next[columns[NEWLINE] ?? 0] ?? 0,
  };
}
