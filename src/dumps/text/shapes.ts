// Many regular expressions on many lines: most lines match none, and calling each of them would take most of the time of
// reading. Those that are bound to the start of the line are joined, for each first character those that a line with it
// may match (first-character.ts); of the others, those that need a literal are only tried on
// lines that have it.
import { ANY_FIRST, alternatives, type FirstCharacters, firstCharacters, literalStarts } from './first-character.ts';

/** An expression, and the number of what it belongs to. */
export interface IndexedShape {
  readonly index: number;
  readonly shape: RegExp;
  /** For those in `tails` of marks, by ASCII character: whether it is one of the letters. */
  readonly tail?: Uint8Array;
  /** True for those in `broken` of an interest. */
  readonly isBroken?: true;
}

/** Expressions that are tried together. */
export interface JoinedShapes {
  /** Matches if one of the members does. */
  readonly any: RegExp;
  /** Matches what a match of one of them may begin with; made when it is needed. */
  beginning: RegExp | undefined;
  readonly members: readonly IndexedShape[];
}

/** An expression that only matches a text with one of the literals in it, whatever their case. */
export interface NeedyShape extends IndexedShape {
  readonly literals: readonly string[];
}

/** Its number would be another one in a longer expression. */
const REFERENCE = /\\[1-9]|\\k<|\(\?<[^=!]/;
/** A shorter literal is in too many lines. */
const LITERAL_MIN = 2;
/** Words that are judged as the beginning of a line, and the characters that they may have together. */
const BEGINNING_WORDS = 2;
const BEGINNING_LENGTH_MAX = 64;
/** Beginnings that are remembered. */
const BEGINNINGS_MAX = 4096;

type ForLongTexts = typeof import('./long-texts.ts');

/** Undefined until `loadForLongTexts` has loaded it. */
let parts: ForLongTexts | undefined;

/**
 * Loads what makes long texts faster: each beginning of a line is judged only once, and so are lines that differ in their
 * numbers. Without it every line is tried with all words and shapes: the results are the same.
 */
export async function loadForLongTexts(): Promise<void> {
  parts ??= await import('./long-texts.ts').catch(() => undefined);
}

/** What `loadForLongTexts` has loaded. */
export function partsForLongTexts(): ForLongTexts | undefined {
  return parts;
}

export class ShapeSet {
  readonly needy: readonly NeedyShape[];
  /** To be tried on every line. */
  readonly others: readonly IndexedShape[];
  readonly #bound: readonly (IndexedShape & { readonly first: FirstCharacters })[];
  /** By the first character's code, 128 for all that are not ASCII, 129 for none. */
  readonly #joinedByFirst: (readonly JoinedShapes[] | undefined)[] = new Array(130);
  /** By the places of their members. */
  readonly #joined = new Map<string, readonly JoinedShapes[]>();
  /** By beginning, with the blank behind it: whether lines with it may match. */
  readonly #beginnings = new Map<string, boolean>();

  constructor(shapes: readonly IndexedShape[]) {
    const needy: NeedyShape[] = [];
    const others: IndexedShape[] = [];
    const bound: (IndexedShape & { readonly first: FirstCharacters })[] = [];
    for (const one of shapes) {
      const parts = alternatives(one.shape.source);
      const literals = parts.flatMap(literalStarts);
      const isBound = parts.every((part) => part.startsWith('^')) && !REFERENCE.test(one.shape.source);
      if (isBound) bound.push({ ...one, first: firstCharacters(one.shape) });
      else if (literals.every((literal) => literal.length >= LITERAL_MIN)) needy.push({ ...one, literals });
      else others.push(one);
    }
    this.needy = needy;
    this.others = others;
    this.#bound = bound;
  }

  /**
   * The length of a beginning of the text, of some words, that shows that none of those bound to the start matches it or any
   * other text that goes on behind that beginning; 0 if none shows that. Most lines of a log begin with the words of one
   * before.
   */
  foreignBeginning(text: string): number {
    for (let words = 0, end = 0; parts && words < BEGINNING_WORDS; words++) {
      end = text.indexOf(' ', end) + 1;
      if (end === 0 || end === text.length || end > BEGINNING_LENGTH_MAX) break;
      if (!this.#mayBegin(text.slice(0, end), parts)) return end;
    }
    return 0;
  }

  /** True if none of those bound to the start matches a text that goes on behind `beginning`; false if that is not known. */
  isForeign(beginning: string): boolean {
    return parts !== undefined && !this.#mayBegin(beginning, parts);
  }

  /** True if one of those bound to the start matches. */
  matchesFromStart(text: string): boolean {
    if (this.foreignBeginning(text) > 0) return false;
    for (const { any } of this.joinedFor(text)) if (any.test(text)) return true;
    return false;
  }

  /** True if one of those bound to the start may match a text that goes on behind `beginning`. */
  #mayBegin(beginning: string, { beginningOf }: ForLongTexts): boolean {
    const known = this.#beginnings.get(beginning);
    if (known !== undefined) return known;
    let may = false;
    for (const joined of this.joinedFor(beginning)) {
      joined.beginning ??= beginningOf(joined.any);
      if (joined.beginning.test(beginning)) may = true;
    }
    if (this.#beginnings.size >= BEGINNINGS_MAX) this.#beginnings.clear();
    // Copied: a part of a string keeps the whole text in memory.
    this.#beginnings.set(Array.from(beginning).join(''), may);
    return may;
  }

  /** Those bound to the start that may match a text. */
  joinedFor(text: string): readonly JoinedShapes[] {
    const code = text.length === 0 ? 129 : Math.min(text.charCodeAt(0), 128);
    const known = this.#joinedByFirst[code];
    if (known) return known;
    const members = this.#bound.filter(({ first }) => code === 129 || first === ANY_FIRST || first.has(code));
    const key = members.map((member) => this.#bound.indexOf(member)).join(' ');
    const joined = this.#joined.get(key) ?? join(members);
    this.#joined.set(key, joined);
    this.#joinedByFirst[code] = joined;
    return joined;
  }
}

function join(shapes: readonly IndexedShape[]): JoinedShapes[] {
  const byFlags = new Map<string, IndexedShape[]>();
  for (const one of shapes) {
    const members = byFlags.get(one.shape.flags);
    if (members) members.push(one);
    else byFlags.set(one.shape.flags, [one]);
  }
  return [...byFlags].map(([flags, members]) => ({
    any: new RegExp(members.map(({ shape }) => `(?:${shape.source})`).join('|'), flags),
    beginning: undefined,
    members,
  }));
}
