// What a text must hold for a pattern to match it: strings that can be looked for in all patterns at once. Known for
// the usual parts of a pattern (letters, classes, groups, quantifiers); whatever else is in one requires nothing.

/** A part of a pattern that is tested by itself: the pattern matches a text if any of its parts does. */
export interface PatternPart {
  readonly pattern: RegExp;
  /**
   * In lower case, ASCII only: a text of ASCII without any of them, whatever their case, does not match. (Beyond ASCII
   * there are letters that a pattern takes for others.) Undefined: unknown.
   */
  readonly literals?: readonly string[];
  /** A text that does not end with it, exactly, does not match. Empty: unknown. */
  readonly suffix: string;
  /** There if the pattern matches up to the end of a text only: it matches if it matches that many last characters. */
  readonly tail?: number;
  /** There if the pattern matches whole texts only: the length of the longest. */
  readonly longest?: number;
  /** By character code: 0 for characters with which no text begins that matches. Undefined: unknown. */
  readonly begins?: Uint8Array;
  /** The same for the first letter or digit of a text, which must have one. */
  readonly firstWord?: Uint8Array;
  /** The same for the last character of a text. */
  readonly ends?: Uint8Array;
}

/** Classes of more characters are not spelled out. Both cases of a letter are one. */
const MOST_LETTERS = 16;
/** Most strings that classes next to each other may stand for. */
const MOST_STRINGS = 32;

/** What needs the flag u. */
const UNICODE = /\\[pPu]|[^\0-\x7f]/;

/**
 * Parts of a pattern, as many as it has alternatives. For texts of ASCII: those that do without the flag u lose it,
 * as that makes them faster.
 */
export function partsOf(pattern: RegExp): PatternPart[] {
  // Patterns that remember a place or know of lines, and numbers of groups.
  const whole = [{ pattern, suffix: '' }];
  if (/[gyvm]/.test(pattern.flags)) return whole;
  if (/\\[1-9k]/.test(pattern.source)) return whole;
  const reader = new Reader(pattern.source, pattern.flags);
  const alternatives = reader.alternatives();
  if (alternatives === undefined || !reader.atEnd) return whole;
  return alternatives.map(({ source, literals, suffix, tail, longest, begins, firstWord, ends }) => ({
    pattern: new RegExp(source, UNICODE.test(source) ? pattern.flags : pattern.flags.replace('u', '')),
    ...(literals === undefined ? {} : { literals }),
    suffix: pattern.ignoreCase ? '' : suffix,
    ...(tail === undefined ? {} : { tail }),
    ...(longest === undefined ? {} : { longest }),
    ...(begins === undefined ? {} : { begins }),
    ...(firstWord === undefined ? {} : { firstWord }),
    ...(ends === undefined ? {} : { ends }),
  }));
}

/** What a part of a pattern can take first and last. */
interface Head {
  /** By character code: what it may begin with. */
  readonly begins: Uint8Array;
  /** By character code: what it may end with. */
  readonly ends: Uint8Array;
  /** True if it may take nothing. */
  readonly empty: boolean;
  /** By character code: letters and digits that may be the first it takes. */
  readonly firstWord: Uint8Array;
  /** True if it takes one in any case. */
  readonly hasWord: boolean;
}

const NONE = new Uint8Array(128);
const NOTHING: Head = { begins: NONE, ends: NONE, empty: true, firstWord: NONE, hasWord: false };
const WORD = Uint8Array.from({ length: 128 }, (_, code) => (/[A-Za-z0-9]/.test(String.fromCharCode(code)) ? 1 : 0));

/** Classes and letters that were tried, by flags and source: the patterns of all formats share most of them. */
const HEADS = new Map<string, Head>();

interface Alternative {
  readonly source: string;
  readonly literals: readonly string[] | undefined;
  readonly suffix: string;
  readonly tail: number | undefined;
  readonly longest: number | undefined;
  readonly begins: Uint8Array | undefined;
  readonly firstWord: Uint8Array | undefined;
  readonly ends: Uint8Array | undefined;
  readonly head: Head;
  /** Most characters that it takes; infinite if that is not known, or if it looks at what it does not take. */
  readonly most: number;
}

type Item =
  | {
      readonly kind: 'some';
      readonly most: number;
      readonly letters?: readonly string[];
      readonly exact?: string;
      readonly literals?: readonly string[] | undefined;
      readonly head?: Head;
    }
  /** Takes no letter: what stands before and behind it stays together. */
  | { readonly kind: 'place' }
  | { readonly kind: 'around' }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

class Reader {
  readonly #source: string;
  readonly #flags: string;
  #at = 0;
  #failed = false;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#flags = flags;
  }

  get atEnd(): boolean {
    return this.#at >= this.#source.length;
  }

  /** Alternatives up to the end or the bracket that closes them; undefined if something is not known. */
  alternatives(): Alternative[] | undefined {
    const found: Alternative[] = [];
    for (;;) {
      found.push(this.#alternative());
      if (this.#failed) return undefined;
      if (this.#source[this.#at] !== '|') return found;
      this.#at++;
    }
  }

  #alternative(): Alternative {
    const from = this.#at;
    /** What the last characters may be together, and what exactly if that is one text. */
    let run: readonly string[] = [''];
    let exact = '';
    let suffix = '';
    let best: readonly string[] | undefined;
    let length = 0;
    let starts = false;
    let ends = false;
    /** True if nothing that takes a character stands behind the end. */
    let closed = false;
    let head = NOTHING;
    const consider = (literals: readonly string[] | undefined) => {
      if (literals !== undefined && isBetter(literals, best)) best = literals;
    };
    const flush = () => {
      if (run[0] !== '') consider(run);
      run = [''];
      exact = '';
    };
    while (!this.atEnd && !this.#failed && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') {
      const begin = this.#at;
      const item = this.#item();
      const first = begin === from && this.#at === from + 1;
      const source = this.#source.slice(begin, this.#at);
      const { least, most } = this.#quantifier();
      suffix = '';
      // Ends and starts in the middle, and what looks around: what is taken does not tell all that was looked at.
      if (ends) length = Number.POSITIVE_INFINITY;
      switch (item.kind) {
        case 'place':
          continue;
        case 'start':
          if (first) starts = true;
          else length = Number.POSITIVE_INFINITY;
          continue;
        case 'around':
          length = Number.POSITIVE_INFINITY;
          continue;
        case 'end':
          suffix = exact;
          ends = true;
          closed = true;
          continue;
      }
      closed = false;
      length += most === 0 ? 0 : most * item.most;
      const own = item.head ?? this.#headOf(source);
      head = behind(head, least > 0 ? own : { ...own, empty: true, hasWord: false });
      const letters = item.letters;
      if (!letters || least === 0) {
        flush();
        if (least > 0) consider(item.literals);
        continue;
      }
      // Of several the first stands behind what was before, and the last before what comes.
      if (run.length * letters.length > MOST_STRINGS) flush();
      run = run.flatMap((text) => letters.map((letter) => text + letter));
      exact = item.exact === undefined ? '' : exact + item.exact;
      if (most === 1) continue;
      flush();
      run = letters;
      exact = item.exact ?? '';
    }
    flush();
    const known = ends && Number.isFinite(length);
    return {
      source: this.#source.slice(from, this.#at),
      literals: best,
      suffix,
      // One more, so that the first character's neighbour can be seen.
      tail: known && !starts ? length + 1 : undefined,
      longest: known && starts ? length : undefined,
      begins: starts && !head.empty ? head.begins : undefined,
      firstWord: starts && head.hasWord ? head.firstWord : undefined,
      ends: closed && !head.empty ? head.ends : undefined,
      head,
      most: starts || ends ? Number.POSITIVE_INFINITY : length,
    };
  }

  /** For a part that takes exactly one character: tried with all there are. */
  #headOf(source: string): Head {
    const key = `${this.#flags} ${source}`;
    const known = HEADS.get(key);
    if (known) return known;
    const pattern = new RegExp(`^(?:${source})$`, this.#flags.replace(/[gys]/g, ''));
    const begins = Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
    const head = {
      begins,
      ends: begins,
      empty: false,
      firstWord: begins.map((can, code) => can & (WORD[code] as number)),
      hasWord: begins.every((can, code) => can === 0 || WORD[code] === 1),
    };
    HEADS.set(key, head);
    return head;
  }

  #item(): Item {
    const letter = this.#source[this.#at++] ?? '';
    switch (letter) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'some', most: 1 };
      case '[':
        return this.#class();
      case '(':
        return this.#group();
      case '\\':
        return this.#escape();
      default:
        return literal(letter);
    }
  }

  #escape(): Item {
    const letter = this.#source[this.#at++] ?? '';
    if (letter === 'b' || letter === 'B') return { kind: 'place' };
    const braced = /^[pPu]\{[^}]{0,40}\}/.exec(this.#source.slice(this.#at - 1, this.#at + 42));
    if (braced) {
      this.#at += braced[0].length - 1;
      return { kind: 'some', most: 1 };
    }
    if (letter === 'x' || letter === 'u') {
      this.#at += letter === 'x' ? 2 : 4;
      return { kind: 'some', most: 1 };
    }
    if (letter === 't') return literal('\t');
    if (letter === 'c') this.#at++;
    return /[A-Za-z0-9]/.test(letter) ? { kind: 'some', most: 1 } : literal(letter);
  }

  /** A class of few letters stands for each of them; their case does not matter. */
  #class(): Item {
    const from = this.#at;
    for (; !this.atEnd && this.#source[this.#at] !== ']'; this.#at++) if (this.#source[this.#at] === '\\') this.#at++;
    const source = this.#source.slice(from - 1, ++this.#at);
    const head = this.#headOf(source);
    const letters = new Set<string>();
    for (const [code, can] of head.begins.entries()) if (can) letters.add(String.fromCharCode(code).toLowerCase());
    // A class that is turned around holds letters beyond ASCII as well; texts of them are none of ours.
    if (letters.size === 0 || letters.size > MOST_LETTERS) return { kind: 'some', most: 1, head };
    return { kind: 'some', most: 1, letters: [...letters], head };
  }

  #group(): Item {
    const rest = this.#source.slice(this.#at, this.#at + 80);
    const around = /^\?<?[=!]/.exec(rest)?.[0];
    const opening = around ?? /^\?(?::|<[A-Za-z_]\w{0,60}>)/.exec(rest)?.[0] ?? '';
    if (opening === '' && rest.startsWith('?')) this.#failed = true;
    this.#at += opening.length;
    const alternatives = this.alternatives() ?? [];
    if (this.#source[this.#at++] !== ')') this.#failed = true;
    if (around !== undefined) return { kind: 'around' };
    const literals = alternatives.flatMap((alternative) => alternative.literals ?? []);
    return {
      kind: 'some',
      most: Math.max(...alternatives.map(({ most }) => most)),
      head: oneOf(alternatives.map((alternative) => alternative.head)),
      literals: alternatives.every((a) => a.literals !== undefined) ? literals : undefined,
    };
  }

  #quantifier(): { least: number; most: number } {
    const found = /^(?:([*+?])|\{(\d{1,6})(,)?(\d{1,6})?\})\??/.exec(this.#source.slice(this.#at, this.#at + 20));
    if (!found) return { least: 1, most: 1 };
    this.#at += found[0].length;
    const [, sign, least, comma, most] = found;
    if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    const atLeast = Number(least);
    return { least: atLeast, most: comma === undefined ? atLeast : Number(most ?? Number.POSITIVE_INFINITY) };
  }
}

function literal(letter: string): Item {
  if (letter.charCodeAt(0) >= 128) return { kind: 'some', most: 1 };
  return { kind: 'some', most: 1, letters: [letter.toLowerCase()], exact: letter };
}

/** A part with another behind it. */
function behind(first: Head, then: Head): Head {
  return {
    begins: first.empty ? either(first.begins, then.begins) : first.begins,
    ends: then.empty ? either(first.ends, then.ends) : then.ends,
    empty: first.empty && then.empty,
    firstWord: first.hasWord ? first.firstWord : either(first.firstWord, then.firstWord),
    hasWord: first.hasWord || then.hasWord,
  };
}

function oneOf(heads: readonly Head[]): Head {
  return {
    begins: heads.map(({ begins }) => begins).reduce(either),
    ends: heads.map(({ ends }) => ends).reduce(either),
    empty: heads.some(({ empty }) => empty),
    firstWord: heads.map(({ firstWord }) => firstWord).reduce(either),
    hasWord: heads.every(({ hasWord }) => hasWord),
  };
}

function either(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((can, code) => can | (b[code] as number));
}

/** Longer strings are rarer, and of equally long ones fewer. */
function isBetter(literals: readonly string[], than: readonly string[] | undefined): boolean {
  const [length, best] = [shortest(literals), shortest(than ?? [''])];
  return length > best || (length === best && than !== undefined && literals.length < than.length);
}

function shortest(literals: readonly string[]): number {
  return literals.reduce((least, { length }) => Math.min(least, length), Number.POSITIVE_INFINITY);
}
