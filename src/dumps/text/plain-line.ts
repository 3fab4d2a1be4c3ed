// Finds where the content of most lines of a log begins, without patterns and without a string for each step: lines with
// the prefix of syslog and the kernel's stamp, or one of them, or none, whose content begins with a word and holds
// nothing that editors, forums and shells leave. For all others envelope.ts decides; for these it finds the same
// (plain-line.test.ts).
import {
  digitsEnd,
  hostTagEnd,
  isDigit,
  isFacility,
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
const AT = 64;
const BRACKET = 91;
const CLOSING = 93;
const UNDERLINE = 95;
const TILDE = 126;

/** First letters of the levels of `dmesg -x`. */
const LEVEL_STARTS: ReadonlySet<number> = new Set([...'acdeinw'].map((letter) => letter.charCodeAt(0)));

/** By character code: 1 where a mark may be, 2 where it depends on what follows. */
const MARKS = new Uint8Array(128).fill(1, 0, BLANK);
for (const letter of '&<*^`|\x7f') MARKS[letter.charCodeAt(0)] = 1;
for (const letter of '/[="_') MARKS[letter.charCodeAt(0)] = 2;

/** Where the content of a line is, from `start` to `end` (exclusive), in the text that it was looked for in. */
export class PlainLine {
  start = 0;
  end = 0;
  /** Where the name of the host is; `hostEnd` is 0 if there is none. */
  hostStart = 0;
  hostEnd = 0;

  /**
   * Looks at the line in `text`, whose bytes are ASCII alone, from `from` to `to`, exclusive; false if envelope.ts must
   * clean it.
   */
  find(text: string, from: number, to: number, bytes: Uint8Array): boolean {
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
    const hasStamp = text.charCodeAt(at) === BRACKET;
    if (hasStamp) {
      at = stampEnd(text, at);
      if (at === 0) return false;
    }
    let end = to;
    while (end > at && (text.charCodeAt(end - 1) === BLANK || text.charCodeAt(end - 1) === TAB)) end--;
    this.start = at;
    this.end = end;
    return isContent(text, at, end, hasStamp, this.hostEnd > 0) && !hasMarks(bytes, at, end);
  }
}

/** True if the text begins with a word that no prefix, prompt or log entry begins with. */
function isContent(text: string, from: number, to: number, hasStamp: boolean, hasHost: boolean): boolean {
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

/** True if a name behind a stamp may be the host's: a tag with a process is at `at`. */
function mayBeHost(text: string, at: number): boolean {
  let end = nameEnd(text, at);
  while (text.charCodeAt(end) === SLASH || text.charCodeAt(end) === AT) end = nameEnd(text, end + 1);
  return text.charCodeAt(end) === BRACKET;
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
function hasMarks(text: Uint8Array, from: number, to: number): boolean {
  let isEscaped = false;
  let isUnescaped = false;
  for (let at = from; at < to; at++) {
    const code = text[at] as number;
    const kind = MARKS[code];
    if (kind === 0) continue;
    if (kind === 1) return true;
    const next = at + 1 < to ? (text[at + 1] as number) : 0;
    if (code === EQUALS) {
      if (next === 0) return true;
      if (isHexDigit(next) && at + 2 < to && isHexDigit(text[at + 2] as number)) isEscaped = true;
      else isUnescaped = true;
    } else if (code === BRACKET ? isTagOfForum(text, at + 1, to) : next === (code === QUOTE ? UNDERLINE : code))
      return true;
  }
  // Encoders escape every equals sign.
  return isEscaped && !isUnescaped;
}

/** True if a mark of BBCode may be behind a bracket: `/`, or a word that ends with the bracket or with `=`. */
function isTagOfForum(text: Uint8Array, from: number, to: number): boolean {
  if (text[from] === SLASH) return from < to;
  let at = from;
  while (at < to && isLetter(text[at] as number)) at++;
  return at > from && at < to && (text[at] === EQUALS || text[at] === CLOSING);
}

function isHexDigit(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 97 && (code | 0x20) <= 102);
}
