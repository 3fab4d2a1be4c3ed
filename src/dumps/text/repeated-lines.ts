// Most lines of a long log are like one before, but for their numbers: `usb 1-2: new high-speed USB device number 7`. Whether a
// line has a word of a format is found by an automaton, one step for each character. Where a line is the same as one that
// was judged before, and the automaton in the same state, its steps are the same: only behind hexadecimal digits that differ they are
// made again, until it is in the state that it was in at that place of the other line.
//
// Such lines are alike in all that decides how a line is cleaned, too: all characters between their numbers are the same.
import { isDigit, isHexDigit, isLetter } from './log-prefix.ts';

const NEWLINE = 10;
const BLANK = 32;
const EQUALS = 61;
const BRACKET = 91;
const CLOSING = 93;
/** Places for lines; a power of 2. */
const PLACES = 512;
/** Other lines at its place until a line is replaced: noting one takes longer than judging one. */
const MISSES_MAX = 8;
/** Longer lines are not noted. */
const LENGTH_MAX = 400;

/** What finds the words in a line (interest.ts). */
interface WordAutomaton {
  readonly columns: Uint8Array;
  readonly next: Uint16Array;
  readonly shift: number;
  readonly start: number;
  readonly firstFound: number;
  /** By state less `firstFound`: a bit for each shape of which a literal ends there; negative if a word of an interest does. */
  readonly literalsAt: Int32Array;
}

/** A line that was judged. */
interface Known {
  readonly bytes: Uint8Array;
  /** By place, and behind the last character: the state before that character is read. */
  readonly states: Uint16Array;
  /** Where its first word ends. */
  readonly first: number;
  /** Where the beginning ends that shows that it has no shape of those bound to the start. */
  readonly fixed: number;
  /** The shapes, by bit, that may match it because of a literal in it. */
  readonly literals: number;
  misses: number;
}

export class RepeatedLines {
  readonly #automaton: WordAutomaton;
  /** True if the beginning of the line for which `literalsOf` found others differs from theirs behind the first word. */
  hasOtherBeginning = false;
  readonly #known: (Known | undefined)[] = new Array<Known | undefined>(PLACES).fill(undefined);

  constructor(automaton: WordAutomaton) {
    this.#automaton = automaton;
  }

  /**
   * The literals (`WordAutomaton.literalsAt`) that may be in a line that has no words of its own and is like one that was
   * noted, but for hexadecimal digits; -1 if there is no such line. The line is in `bytes`, of ASCII, from `from` to `to`, exclusive.
   */
  literalsOf(bytes: Uint8Array, from: number, to: number): number {
    const known = this.#known[placeOf(bytes, from, to)];
    if (!known) return -1;
    if (this.#isLike(known, bytes, from, to)) {
      known.misses = 0;
      return known.literals;
    }
    known.misses++;
    return -1;
  }

  /** True if `note` would keep a line. */
  wants(bytes: Uint8Array, from: number, to: number): boolean {
    return to - from <= LENGTH_MAX && (this.#known[placeOf(bytes, from, to)]?.misses ?? MISSES_MAX) >= MISSES_MAX;
  }

  /** Notes a line that has no words, and no shapes because of its first `fixed` characters. */
  note(bytes: Uint8Array, from: number, to: number, fixed: number): void {
    if (mayBecomeEscape(bytes, from, to) || mayBecomeTag(bytes, from, to)) return;
    const { columns, next, shift, start, firstFound, literalsAt } = this.#automaton;
    const states = new Uint16Array(to - from + 1);
    let state = start;
    let literals = 0;
    for (let at = from; at <= to; at++) {
      states[at - from] = state;
      const code = at < to ? (bytes[at] as number) : NEWLINE;
      state = next[(state << shift) | (columns[code] as number)] as number;
      if (state >= firstFound) literals |= literalsAt[state - firstFound] as number;
    }
    if (literals >= 0)
      this.#known[placeOf(bytes, from, to)] = {
        bytes: bytes.slice(from, to),
        first: bytes.indexOf(BLANK, from) - from,
        states,
        fixed,
        literals,
        misses: 0,
      };
  }

  #isLike(known: Known, bytes: Uint8Array, from: number, to: number): boolean {
    const { columns, next, shift, firstFound, literalsAt } = this.#automaton;
    const { bytes: other, states, first, fixed, literals } = known;
    this.hasOtherBeginning = false;
    const { length } = other;
    let at = from;
    let i = 0;
    /** That of this line, while it is not the one of the other line. */
    let state = -1;
    for (;;) {
      if (state < 0) {
        while (at < to && i < length && bytes[at] === other[i]) {
          at++;
          i++;
        }
      }
      const isEnd = at === to;
      if (isEnd && i === length && state < 0) return true;
      const code = isEnd ? NEWLINE : (bytes[at] as number);
      const expected = i < length ? (other[i] as number) : NEWLINE;
      if (code !== expected) {
        if (i < fixed) {
          // The first word decides too much of how a line is read.
          if (i <= first) return false;
          this.hasOtherBeginning = true;
        }
        if (!isInNumber(other, i, code, expected)) return false;
        if (state < 0) state = states[i] as number;
        while (i < length && isHexDigit(other[i] as number)) i++;
        while (at < to && isHexDigit(bytes[at] as number)) {
          state = next[(state << shift) | (columns[bytes[at++] as number] as number)] as number;
          if (state >= firstFound && ((literalsAt[state - firstFound] as number) & ~literals) !== 0) return false;
        }
      } else {
        state = next[(state << shift) | (columns[code] as number)] as number;
        if (state >= firstFound && ((literalsAt[state - firstFound] as number) & ~literals) !== 0) return false;
        if (isEnd) return true;
        at++;
        i++;
      }
      if (state === states[i]) state = -1;
    }
  }
}

/** True if digits differ, or if one of two numbers has more of them: no other characters are between others than before. */
function isInNumber(other: Uint8Array, at: number, code: number, expected: number): boolean {
  if (isHexDigit(code) && isHexDigit(expected)) return true;
  return at > 0 && isHexDigit(other[at - 1] as number) && (isHexDigit(code) || isHexDigit(expected));
}

/** True if all equals signs may be those of escapes of quoted-printable, in a line that is like this one (plain-line.ts). */
function mayBecomeEscape(bytes: Uint8Array, from: number, to: number): boolean {
  let hasEquals = false;
  for (let at = from; at < to; at++) {
    if (bytes[at] !== EQUALS) continue;
    hasEquals = true;
    if (at + 1 < to && !isHexDigit(bytes[at + 1] as number) && bytes[to - 1] !== EQUALS) return false;
  }
  return hasEquals;
}

/** True if there may be a tag of a forum in a line that is like this one. */
function mayBecomeTag(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] !== BRACKET) continue;
    let end = at + 1;
    while (end < to && (isLetter(bytes[end] as number) || isDigit(bytes[end] as number))) end++;
    if (end > at + 1 && end < to && (bytes[end] === EQUALS || bytes[end] === CLOSING)) return true;
  }
  return false;
}

/** By some of its characters, whatever its digits. */
function placeOf(bytes: Uint8Array, from: number, to: number): number {
  const first = ((bytes[from] as number) << 5) ^ withoutDigits(bytes[from + 2] as number);
  const last = (withoutDigits(bytes[to - 2] as number) << 3) ^ (withoutDigits(bytes[to - 1] as number) << 1);
  return (first ^ last) & (PLACES - 1);
}

function withoutDigits(code: number): number {
  return isHexDigit(code) ? 48 : code;
}
