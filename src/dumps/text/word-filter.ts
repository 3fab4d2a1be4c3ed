// Finds the words of the formats in a line faster than by one step of the automaton (interest.ts) for each character, of
// which each waits for the one before: where no three characters in a row begin a word, there is none. From the few places
// where some do, the automaton goes on until it is in a state that three characters more lead to at the earliest.

const NEWLINE = 10;
/** Characters that begin a word together. */
const TOGETHER = 3;
/** Columns have so many bits at most: one bit for each three of them. */
const SHIFT_MAX = 6;

/** What finds the words in a line (interest.ts). */
export interface WordAutomaton {
  readonly columns: Uint8Array;
  readonly next: Uint16Array;
  readonly shift: number;
  readonly firstFound: number;
}

export class WordFilter {
  readonly #automaton: WordAutomaton;
  /** By state: how many of the last characters it stands for. */
  readonly #depths: Uint8Array;
  /** By the columns of three characters, a bit: whether they begin a word, or have one at their beginning. */
  readonly #begins: Uint8Array;
  /** The states that `find` found. */
  states = new Uint16Array(64);

  /** Undefined for an automaton with too many columns. */
  static of(automaton: WordAutomaton): WordFilter | undefined {
    return automaton.shift <= SHIFT_MAX ? new WordFilter(automaton) : undefined;
  }

  private constructor(automaton: WordAutomaton) {
    this.#automaton = automaton;
    const { next, shift, firstFound } = automaton;
    const width = 1 << shift;
    this.#depths = new Uint8Array(next.length >> shift).fill(255);
    this.#begins = new Uint8Array((1 << (TOGETHER * shift)) >> 3);
    // Breadth first, from the state without characters: the shortest way to a state is what it stands for.
    this.#depths[0] = 0;
    let level: { readonly state: number; readonly key: number }[] = [{ state: 0, key: 0 }];
    for (let depth = 1; level.length > 0; depth++) {
      const following: typeof level = [];
      for (const { state, key } of level) {
        for (let column = 0; column < width; column++) {
          const to = next[(state << shift) | column] as number;
          if (this.#depths[to] !== 255) continue;
          this.#depths[to] = depth;
          const one = { state: to, key: (key << shift) | column };
          following.push(one);
          if (depth === TOGETHER) this.#add(one.key, 1);
          else if (depth < TOGETHER && to >= firstFound) {
            const left = shift * (TOGETHER - depth);
            this.#add(one.key << left, 1 << left);
          }
        }
      }
      level = following;
    }
  }

  #add(key: number, count: number): void {
    for (let one = key; one < key + count; one++) {
      this.#begins[one >> 3] = (this.#begins[one >> 3] as number) | (1 << (one & 7));
    }
  }

  /**
   * How many times a word ends in the line that is in `bytes` from `from` to `to`, exclusive, between two line breaks; `states`
   * then holds the automaton's states there, in their order.
   */
  find(bytes: Uint8Array, from: number, to: number): number {
    const { columns, next, shift, firstFound } = this.#automaton;
    const begins = this.#begins;
    const depths = this.#depths;
    const mask = (1 << (TOGETHER * shift)) - 1;
    const newline = columns[NEWLINE] as number;
    let found = 0;
    /** Words that end up to there were found. */
    let done = from - 1;
    let key = newline;
    // The line break before the line is at `from - 1`, and one more character is behind that at its end.
    for (let at = from; at <= to + 1; at++) {
      const column = at < to ? (columns[bytes[at] as number] as number) : at === to ? newline : 0;
      key = ((key << shift) | column) & mask;
      if (((begins[key >> 3] as number) & (1 << (key & 7))) === 0) continue;
      let state = 0;
      let place = at - TOGETHER + 1;
      for (; place <= to; place++) {
        const code = place < from || place === to ? newline : (columns[bytes[place] as number] as number);
        state = next[(state << shift) | code] as number;
        key = ((key << shift) | code) & mask;
        if (state >= firstFound && place > done) {
          if (found === this.states.length) this.#grow();
          this.states[found++] = state;
        }
        if (place >= at && (depths[state] as number) < TOGETHER) break;
      }
      at = Math.max(at, place);
      done = place;
    }
    return found;
  }

  #grow(): void {
    const states = new Uint16Array(2 * this.states.length);
    states.set(this.states);
    this.states = states;
  }
}
