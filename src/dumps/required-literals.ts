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
}

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
  const reader = new Reader(pattern.source);
  const alternatives = reader.alternatives();
  if (alternatives === undefined || !reader.atEnd) return whole;
  return alternatives.map(({ source, literals, suffix, tail, longest }) => ({
    pattern: new RegExp(source, UNICODE.test(source) ? pattern.flags : pattern.flags.replace('u', '')),
    ...(literals === undefined ? {} : { literals }),
    suffix: pattern.ignoreCase ? '' : suffix,
    ...(tail === undefined ? {} : { tail }),
    ...(longest === undefined ? {} : { longest }),
  }));
}

interface Alternative {
  readonly source: string;
  readonly literals: readonly string[] | undefined;
  readonly suffix: string;
  readonly tail: number | undefined;
  readonly longest: number | undefined;
  /** Most characters that it takes; infinite if that is not known, or if it looks at what it does not take. */
  readonly most: number;
}

type Item =
  | { readonly kind: 'letter'; readonly letter: string; readonly exact: boolean }
  | { readonly kind: 'some'; readonly most: number; readonly literals?: readonly string[] | undefined }
  /** Takes no letter: what stands before and behind it stays together. */
  | { readonly kind: 'place' }
  | { readonly kind: 'around' }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

class Reader {
  readonly #source: string;
  #at = 0;
  #failed = false;

  constructor(source: string) {
    this.#source = source;
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
    let run = '';
    let exact = '';
    let suffix = '';
    let best: readonly string[] | undefined;
    let length = 0;
    let starts = false;
    let ends = false;
    const consider = (literals: readonly string[] | undefined) => {
      if (literals !== undefined && shortest(literals) > shortest(best ?? [''])) best = literals;
    };
    const flush = () => {
      if (run !== '') consider([run]);
      run = '';
      exact = '';
    };
    while (!this.atEnd && !this.#failed && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') {
      const item = this.#item();
      const first = this.#at === from + 1;
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
          continue;
      }
      length += most === 0 ? 0 : most * (item.kind === 'letter' ? 1 : item.most);
      if (item.kind === 'letter' && least > 0) {
        run += item.letter.toLowerCase();
        exact = item.exact ? exact + item.letter : '';
        if (most === 1) continue;
      }
      flush();
      if (item.kind === 'some' && least > 0) consider(item.literals);
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
      most: starts || ends ? Number.POSITIVE_INFINITY : length,
    };
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

  /** A class of the two cases of one letter is that letter, as the case does not matter. */
  #class(): Item {
    const from = this.#at;
    for (; !this.atEnd && this.#source[this.#at] !== ']'; this.#at++) if (this.#source[this.#at] === '\\') this.#at++;
    const inside = this.#source.slice(from, this.#at++);
    const twice = /^([A-Za-z])([A-Za-z])$/.exec(inside);
    if (twice?.[1] !== undefined && twice[1].toLowerCase() === twice[2]?.toLowerCase()) {
      return { kind: 'letter', letter: twice[1], exact: false };
    }
    return { kind: 'some', most: 1 };
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
  return letter.charCodeAt(0) < 128 ? { kind: 'letter', letter, exact: true } : { kind: 'some', most: 1 };
}

function shortest(literals: readonly string[]): number {
  return literals.reduce((least, { length }) => Math.min(least, length), Number.POSITIVE_INFINITY);
}
