// Finds where the content of most lines of a log begins, without patterns and without a string for each step: lines with
// the prefix of syslog and the kernel's stamp, or one of them, or none, whose content begins with a word and holds
// nothing that editors, forums and shells leave. For all others envelope.ts decides; for these it finds the same
// (plain-line.test.ts).
import { beginsWithName, mayBeHost } from './line-names.ts';
import {
  digitsEnd,
  hostTagEnd,
  isDigit,
  isFacility,
  isHexDigit,
  isLetter,
  isLevel,
  NAMED_FILE,
  nameEnd,
  stampEnd,
  syslogHost,
} from './log-prefix.ts';

const TAB = 9;
const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const SLASH = 47;
const COLON = 58;
const EQUALS = 61;
const GREATER = 62;
const BRACKET = 91;
const BACKSLASH = 92;
const CLOSING = 93;
const UNDERLINE = 95;
const TILDE = 126;

/** First letters of the levels of `dmesg -x`. */
const LEVEL_STARTS: ReadonlySet<number> = new Set([...'acdeinw'].map((letter) => letter.charCodeAt(0)));

/** What a byte may be a part of: a mark by itself, a tag of BBCode, or an escape of quoted-printable. */
const MARK = 1;
const TAG = 2;
const ESCAPE = 4;
/**
 * Marks of two bytes, `__`, `"_`, `//`, `\_` and `\>`: a bit for being the first one of each, and `SECOND` bits above it for
 * the second.
 */
const FIRST_UNDERLINE = 8;
const FIRST_QUOTE = 16;
const FIRST_SLASH = 32;
const FIRST_BACKSLASH = 64;
const SECOND = 4;
const SECONDS = (FIRST_UNDERLINE | FIRST_QUOTE | FIRST_SLASH | FIRST_BACKSLASH) << SECOND;

/** By byte. */
const KINDS = new Uint16Array(256).fill(MARK, 0, BLANK);
for (const letter of '&<*^`|\x7f') KINDS[letter.charCodeAt(0)] = MARK;
KINDS[BRACKET] = TAG;
KINDS[EQUALS] = ESCAPE;
KINDS[UNDERLINE] = FIRST_UNDERLINE | ((FIRST_UNDERLINE | FIRST_QUOTE | FIRST_BACKSLASH) << SECOND);
KINDS[GREATER] = FIRST_BACKSLASH << SECOND;
KINDS[BACKSLASH] = FIRST_BACKSLASH;
KINDS[QUOTE] = FIRST_QUOTE;
KINDS[SLASH] = FIRST_SLASH | (FIRST_SLASH << SECOND);

/** Where the content of a line is, from `start` to `end` (exclusive), in the text that it was looked for in. */
export class PlainLine {
  /** What stood before the content of the last line that had a prefix: before the next one, most often only digits differ. */
  #prefix = new Uint8Array(0);
  /** Where the name of the host is in it. */
  #hostFrom = 0;
  #hostTo = 0;
  start = 0;
  end = 0;
  /** Where the name of the host is; `hostEnd` is 0 if there is none. */
  hostStart = 0;
  hostEnd = 0;

  /** True if the content has marks that are to be removed. */
  hasMarks(bytes: Uint8Array): boolean {
    return hasMarks(bytes, this.start, this.end);
  }

  /**
   * Looks at the line in `text`, whose bytes are ASCII alone, from `from` to `to`, exclusive; false if envelope.ts must
   * clean it, as it must if the content `hasMarks`.
   */
  find(text: string, from: number, to: number, bytes: Uint8Array): boolean {
    const at = this.#hasSamePrefix(bytes, from, to) ? from + this.#prefix.length : this.#prefixEnd(text, from, bytes);
    if (at < 0) return false;
    const hasHost = this.hostEnd > 0;
    // A prefix without a host is a stamp, and with one it ends with `: ` or with a stamp.
    const hasStamp = at > from && bytes[at - 2] === CLOSING;
    let end = to;
    while (end > at && (text.charCodeAt(end - 1) === BLANK || text.charCodeAt(end - 1) === TAB)) end--;
    this.start = at;
    this.end = end;
    return isContent(text, at, end, hasStamp, hasHost);
  }

  /**
   * True if the line has the last prefix but for the digits: what a prefix is does not depend on their values. Not if
   * a bracket follows, which may be a part of it.
   */
  #hasSamePrefix(bytes: Uint8Array, from: number, to: number): boolean {
    const prefix = this.#prefix;
    const { length } = prefix;
    if (length === 0 || from + length >= to || bytes[from + length] === BRACKET) return false;
    for (let i = 0; i < length; i++) {
      const code = bytes[from + i] as number;
      const expected = prefix[i] as number;
      if (code !== expected && !(isDigit(code) && isDigit(expected))) return false;
    }
    this.hostStart = from + this.#hostFrom;
    this.hostEnd = this.#hostTo === 0 ? 0 : from + this.#hostTo;
    return true;
  }

  /** Where the prefix of the line ends; -1 if it is none that is known here. */
  #prefixEnd(text: string, from: number, bytes: Uint8Array): number {
    let at = from;
    this.hostEnd = 0;
    if (isLetter(text.charCodeAt(at))) {
      const host = syslogHost(text, at);
      const end = host === 0 ? 0 : hostTagEnd(text, host);
      if (end > 0) {
        this.hostStart = host;
        this.hostEnd = nameEnd(text, host);
        at = end;
      }
    }
    if (text.charCodeAt(at) === BRACKET) {
      const stamp = stampEnd(text, at);
      // Behind a host there may be a label.
      if (stamp === 0 && (at === from || !isLetter(text.charCodeAt(at + 1)))) return -1;
      at = Math.max(at, stamp);
    }
    if (at > from) {
      this.#prefix = bytes.slice(from, at);
      this.#hostFrom = this.hostStart - from;
      this.#hostTo = this.hostEnd === 0 ? 0 : this.hostEnd - from;
    }
    return at;
  }
}

/** True if the text begins with a word that no prefix, prompt or log entry begins with. */
function isContent(text: string, from: number, to: number, hasStamp: boolean, hasHost: boolean): boolean {
  if (beginsWithWord(text, from, to, hasStamp, hasHost)) return true;
  return beginsWithName(text, from, to, hasStamp, hasHost);
}

function beginsWithWord(text: string, from: number, to: number, hasStamp: boolean, hasHost: boolean): boolean {
  if (!isLetter(text.charCodeAt(from)) || isDigit(text.charCodeAt(from + 1))) return false;
  let end = from + 1;
  for (; end < to; end++) {
    const code = text.charCodeAt(end);
    if (!isLetter(code) && !isDigit(code) && code !== UNDERLINE && code !== MINUS) break;
  }
  if (end + 2 > to || end - from > 60 || isLevel(text, from, end)) return false;
  const code = text.charCodeAt(end);
  const next = text.charCodeAt(end + 1);
  if (code === COLON) return next === BLANK && isTag(text, from, end);
  if (code !== BLANK) return false;
  if (next === BLANK || next === COLON || next === SLASH || next === TILDE) return false;
  if (hasStamp && !hasHost && mayBeHost(text, end + 1)) return false;
  // `host kernel: ` behind a stamp.
  if (hasStamp && (next === 107 || next === 113 || next === 115)) return false;
  return !isDigit(next) || !mayBeDate(text, end + 1);
}

/** True for the tag of a message, `usb: `; false if it may be a prefix. */
function isTag(text: string, from: number, end: number): boolean {
  const last = text.charCodeAt(end - 1);
  // `dmesg`, `syslog`, `messages`
  if ((last === 103 || last === 115) && NAMED_FILE.test(text.slice(from, end))) return false;
  if (end === from + 6 && text.startsWith('kernel', from)) return false;
  // `kern: err: `
  return !LEVEL_STARTS.has(text.charCodeAt(end + 2)) || !isFacility(text, from);
}

/** True if the digits at `at`, behind a word, may be those of a day or a year. */
function mayBeDate(text: string, at: number): boolean {
  const end = digitsEnd(text, at);
  const code = text.charCodeAt(end);
  if (end - at <= 2) return code === BLANK || code === COMMA || code === COLON;
  return end - at === 4 && (code === MINUS || code === SLASH);
}

/** True if there may be a mark in the text that is to be removed, or if it may be quoted-printable. */
export function hasMarks(text: Uint8Array, from: number, to: number): boolean {
  let kinds = 0;
  let pairs = 0;
  let before = 0;
  // Of every byte of a log: without a branch.
  for (let at = from; at < to; at++) {
    const kind = KINDS[text[at] as number] as number;
    kinds |= kind;
    pairs |= (before << SECOND) & kind;
    before = kind;
  }
  if ((kinds & MARK) !== 0 || (pairs & SECONDS) !== 0) return true;
  if ((kinds & TAG) !== 0 && hasTagOfForum(text, from, to)) return true;
  return (kinds & ESCAPE) !== 0 && mayBeQuotedPrintable(text, from, to);
}

function hasTagOfForum(text: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (text[at] === BRACKET && isTagOfForum(text, at + 1, to)) return true;
  return false;
}

/** True if all equals signs begin an escape, as encoders escape every one, or if the last one may break the line. */
export function mayBeQuotedPrintable(text: Uint8Array, from: number, to: number): boolean {
  if (text[to - 1] === EQUALS) return true;
  let isEscaped = false;
  for (let at = from; at < to; at++) {
    if (text[at] !== EQUALS) continue;
    if (at + 2 >= to || !isHexDigit(text[at + 1] as number) || !isHexDigit(text[at + 2] as number)) return false;
    isEscaped = true;
  }
  return isEscaped;
}

/** True if a mark of BBCode may be behind a bracket: `/`, or a word that ends with the bracket or with `=`. */
function isTagOfForum(text: Uint8Array, from: number, to: number): boolean {
  if (text[from] === SLASH) return from < to;
  let at = from;
  while (at < to && isLetter(text[at] as number)) at++;
  return at > from && at < to && (text[at] === EQUALS || text[at] === CLOSING);
}
