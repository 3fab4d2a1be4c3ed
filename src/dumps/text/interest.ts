// Decides which formats a line is offered to. Most lines of a log match no format, so this is the hot path of reading: one
// pass over the line finds the words of all formats (an Aho-Corasick automaton), then the formats' shapes are tried
// (shapes.ts).
import type { LineInterest, LineMarks } from '../format.ts';
import type { RepeatedLines } from './repeated-lines.ts';
import { type IndexedShape, type NeedyShape, partsForLongTexts, ShapeSet } from './shapes.ts';

import type { WordFilter } from './word-filter.ts';

/** Words are made of ASCII characters. */
const ASCII = 128;
const NEWLINE = 10;
/** Shapes that need a literal: each has a bit of a number, which is never negative. */
const LITERALS_MAX = 30;

/**
 * Finds the interests that a line matches. Each has three indexes, `count` apart: for its own marks, those around the format
 * and those inside it.
 */
export class InterestMatcher {
  readonly #automaton: Automaton;
  #repeated: RepeatedLines | undefined;
  #filter: WordFilter | undefined;
  readonly #shapes: ShapeSet;
  readonly #innerShapes: readonly IndexedShape[];
  /** By index: the number of the last line that matched; then, by needy shape, of the last line with one of its literals. */
  readonly #matchedAt: Uint32Array;
  readonly #count: number;
  #line = 0;

  constructor(interests: readonly LineInterest[]) {
    this.#count = interests.length;
    const around = interests.map((interest) => interest.around ?? {});
    const inside = interests.map((interest) => interest.inside ?? {});
    const broken = shapesOf(interests.map((interest) => ({ shapes: interest.broken ?? [] })));
    this.#shapes = new ShapeSet([
      ...shapesOf([...interests, ...around]),
      ...broken.map((one): IndexedShape => ({ ...one, isBroken: true })),
    ]);
    this.#innerShapes = shapesOf(inside);
    const { needy } = this.#shapes;
    this.#automaton = buildAutomaton([
      ...[...interests, ...around, ...inside].map(({ words = [] }) => words),
      ...needy.map(({ literals }) => literals),
    ]);
    this.#matchedAt = new Uint32Array(3 * this.#count + needy.length);
  }

  /** Undefined if it is not loaded, or if there are shapes that it cannot take into account. */
  #repeatedLines(): RepeatedLines | undefined {
    const { needy, others } = this.#shapes;
    const parts = partsForLongTexts();
    if (!parts || needy.length > LITERALS_MAX || others.length > 0) return undefined;
    const literalsAt = Int32Array.from(this.#automaton.found, (owners) => this.#literalsOf(owners));
    return new parts.RepeatedLines({ ...this.#automaton, literalsAt });
  }

  /** By shape that needs a literal, a bit; -1 if one of the owners is another. */
  #literalsOf(owners: readonly number[]): number {
    let literals = 0;
    for (const owner of owners) {
      if (owner < 3 * this.#count) return -1;
      literals |= 1 << (owner - 3 * this.#count);
    }
    return literals;
  }

  /** The state of one text: which formats are open, by index. */
  openFormats(): OpenFormats {
    return { isOpen: new Uint8Array(this.#count), innerShapes: [] };
  }

  /** The state in which every format is open. */
  everyFormat(): OpenFormats {
    return { isOpen: new Uint8Array(this.#count).fill(1), innerShapes: this.#innerShapes };
  }

  /**
   * Looks at a line, without its line end. True if it may match an interest; `matches` then tells which. Formats whose
   * interests it matches are open from now on.
   */
  look(text: string, open: OpenFormats): boolean {
    this.#line++;
    // Every state has a row of `next`, and every character a column: the indexes are always inside the tables.
    const { columns, next, shift, start, firstFound } = this.#automaton;
    let any = false;
    let state = start;
    for (let i = 0; i < text.length; i++) {
      state = next[(state << shift) | (columns[text.charCodeAt(i)] as number)] as number;
      if (state >= firstFound && this.#note(state, open)) any = true;
    }
    state = next[(state << shift) | (columns[NEWLINE] as number)] as number;
    if (state >= firstFound && this.#note(state, open)) any = true;
    const { needy, others } = this.#shapes;
    for (const { any: one, members } of this.#shapes.joinedFor(text)) {
      if (one.test(text) && this.#try(members, text, open)) any = true;
    }
    if (this.#tryNeedy(needy, text, open)) any = true;
    if (this.#try(others, text, open)) any = true;
    return (open.innerShapes.length > 0 && this.#lookInside(text, open)) || any;
  }

  /**
   * False if a line may match an interest. The line is `content`, and in ASCII the `bytes` from `from` to `to` (exclusive).
   * For interests inside open formats, only words are checked, not shapes. Opens no format. `event`: for a
   * line whose beginning `isForeign`, and whether the line below it goes on with something else (`LineInterest.broken`).
   */
  isDull(bytes: Uint8Array, from: number, to: number, content: string, event?: { readonly isEnded: boolean }): boolean {
    this.#line++;
    this.#filter ??= partsForLongTexts()?.WordFilter.of(this.#automaton);
    const filter = this.#filter;
    // Without it, the line takes the normal way.
    if (!filter) return false;
    const found = filter.find(bytes, from, to);
    for (let i = 0; i < found; i++) if (this.#noteNeeded(filter.states[i] as number)) return false;
    const { needy, others } = this.#shapes;
    if (!event && this.#shapes.matchesFromStart(content)) return false;
    for (const { shape } of others) if (shape.test(content)) return false;
    for (let i = 0; i < needy.length; i++) {
      if (this.#matchedAt[3 * this.#count + i] !== this.#line) continue;
      const { shape, isBroken, tail, literals } = needy[i] as NeedyShape;
      if (tail && !hasTail(tail, literals, bytes, from, to)) continue;
      if (!(isBroken && event?.isEnded) && shape.test(content)) return false;
    }
    return true;
  }

  /** True if no shape that is bound to the start matches a line that goes on behind `beginning`. */
  isForeign(beginning: string): boolean {
    return this.#shapes.others.length === 0 && this.#shapes.isForeign(beginning);
  }

  /** Notes a dull line, so that those like it are found sooner. `content`: as for `isDull`. */
  note(bytes: Uint8Array, from: number, to: number, content: string): void {
    this.#repeated ??= this.#repeatedLines();
    if (!this.#repeated?.wants(bytes, from, to)) return;
    const fixed = this.#shapes.foreignBeginning(content);
    if (fixed > 0) this.#repeated.note(bytes, from, to, fixed);
  }

  /** True for a line like one that was noted, but for its hexadecimal digits, if it is dull too. `text`: with the line from `from` to `to`. */
  isRepeated(bytes: Uint8Array, from: number, to: number, text: string): boolean {
    const repeated = this.#repeated;
    if (!repeated) return false;
    const literals = repeated.literalsOf(bytes, from, to);
    const { hasOtherBeginning } = repeated;
    if (literals < 0 || (literals === 0 && !hasOtherBeginning)) return literals === 0;
    const content = text.slice(from, to);
    if (hasOtherBeginning && this.#shapes.foreignBeginning(content) === 0) return false;
    return !this.#shapes.needy.some(({ shape }, i) => ((literals >> i) & 1) !== 0 && shape.test(content));
  }

  /** True if a line that is dull by itself matches a shape inside of an open format. */
  matchesInside(text: string, { innerShapes }: OpenFormats): boolean {
    for (const { shape } of innerShapes) if (shape.test(text)) return true;
    return false;
  }

  /** Called at a state where words end; true if one of them is a word of an interest, not only a literal of a shape. */
  #noteNeeded(state: number): boolean {
    const { found, firstFound } = this.#automaton;
    for (const index of found[state - firstFound] ?? []) {
      if (index < 3 * this.#count) return true;
      this.#matchedAt[index] = this.#line;
    }
    return false;
  }

  /** The same, but marks the interests and opens their formats. */
  #note(state: number, open: OpenFormats): boolean {
    const { found, firstFound } = this.#automaton;
    let any = false;
    for (const index of found[state - firstFound] ?? []) {
      this.#mark(index, open);
      if (index < 3 * this.#count) any = true;
    }
    return any;
  }

  #mark(index: number, open: OpenFormats): void {
    this.#matchedAt[index] = this.#line;
    if (index >= this.#count || open.isOpen[index] === 1) return;
    open.isOpen[index] = 1;
    open.innerShapes = this.#innerShapes.filter((inner) => open.isOpen[inner.index] === 1);
  }

  #try(shapes: readonly IndexedShape[], text: string, open: OpenFormats): boolean {
    let any = false;
    for (const { index, shape } of shapes) {
      if (this.#matchedAt[index] === this.#line || !shape.test(text)) continue;
      any = true;
      this.#mark(index, open);
    }
    return any;
  }

  #tryNeedy(shapes: readonly NeedyShape[], text: string, open: OpenFormats): boolean {
    let any = false;
    for (let i = 0; i < shapes.length; i++) {
      if (this.#matchedAt[3 * this.#count + i] !== this.#line) continue;
      const { index, shape } = shapes[i] as NeedyShape;
      if (this.#matchedAt[index] === this.#line || !shape.test(text)) continue;
      any = true;
      this.#mark(index, open);
    }
    return any;
  }

  #lookInside(text: string, { innerShapes }: OpenFormats): boolean {
    let any = false;
    for (const { index, shape } of innerShapes) {
      if (!shape.test(text)) continue;
      any = true;
      this.#matchedAt[2 * this.#count + index] = this.#line;
    }
    return any;
  }

  /** True if the last line looked at matches this interest. */
  matches(index: number, { isOpen }: OpenFormats): boolean {
    const at = this.#matchedAt;
    const count = this.#count;
    if (at[index] === this.#line || at[index + count] === this.#line) return true;
    return isOpen[index] === 1 && at[index + 2 * count] === this.#line;
  }

  /** True if the last line looked at has one of the interest's own marks, not only one around it or inside. */
  begins(index: number): boolean {
    return this.#matchedAt[index] === this.#line;
  }
}

function shapesOf(marks: readonly LineMarks[]): IndexedShape[] {
  return marks.flatMap(({ shapes = [], tails = [] }, index) => [
    ...tails.map(({ shape, letters }) => ({ index, shape, tail: tableOf(letters) })),
    ...shapes.map((shape) => ({ index, shape })),
  ]);
}

function tableOf(letters: string): Uint8Array {
  const table = new Uint8Array(ASCII);
  for (const letter of letters) table[letter.charCodeAt(0)] = 1;
  return table;
}

/** True if one of the literals is where the letters at the end of the line begin. */
function hasTail(tail: Uint8Array, literals: readonly string[], bytes: Uint8Array, from: number, to: number): boolean {
  let at = to - 1;
  while (at >= from && tail[bytes[at] as number] === 1) at--;
  return literals.some((text) => text.charCodeAt(0) === bytes[at] && text.charCodeAt(1) === bytes[at + 1]);
}

/** Which formats of a text have begun, by their index. */
export interface OpenFormats {
  readonly isOpen: Uint8Array;
  /** Shapes inside the open formats. */
  innerShapes: readonly IndexedShape[];
}

/** True if the line contains a word of the interest, not counting those inside the format. Slow: for single lines. */
export function containsWord(text: string, interest: LineInterest): boolean {
  const line = inLowerCase(`\n${text}\n`);
  return [...(interest.words ?? []), ...(interest.around?.words ?? [])].some((word) =>
    line.includes(inLowerCase(word)),
  );
}

/** Only ASCII letters become lower case: the lower case of others may be longer, or shared by several letters. */
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
  /** The first of the states at which words end. */
  readonly firstFound: number;
  /** By state less `firstFound`: the interests whose words end there. */
  readonly found: readonly (readonly number[])[];
}

/** `words`: the words of each interest. */
export function buildAutomaton(words: readonly (readonly string[])[]): Automaton {
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
  // Breadth first: where no word continues with a character, the state falls back to the longest suffix that starts a word.
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
