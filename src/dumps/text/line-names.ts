// Lines of a log that begin with more than a word: `pam_unix(cron:session): session opened`, `apt-daily.service: Started`, `[UFW BLOCK] `.
import { isDigit, isFacility, isLetter, isLevel, NAMED_FILE, nameEnd } from './log-prefix.ts';

const BLANK = 32;
const SLASH = 47;
const COLON = 58;
const AT = 64;
const BRACKET = 91;
const CLOSING = 93;
const TILDE = 126;

/** Longer names and labels at the beginning of a line are not looked at. */
const NAME_MAX = 80;
const LABEL_MAX = 32;
/** The longest name of a month, with a dot. */
const MONTH_MAX = 12;
/** By byte: what is not in a name, but in prompts, quote marks and settings. */
const NO_NAME = new Uint8Array(128).fill(1, 0, BLANK);
for (const letter of '=@#$%>"\x7f') NO_NAME[letter.charCodeAt(0)] = 1;

/** True if the text begins with a name or a label that no prefix, prompt or log entry begins with (plain-line.ts). */
export function beginsWithName(text: string, from: number, to: number, hasStamp: boolean, hasHost: boolean): boolean {
  if (text.charCodeAt(from) === BRACKET) return hasHost && beginsWithLabel(text, from, to);
  if (!isLetter(text.charCodeAt(from)) || isDigit(text.charCodeAt(from + 1))) return false;
  let letters = from;
  while (isLetter(text.charCodeAt(letters))) letters++;
  if (isLevel(text, from, letters) || isFacility(text, from) || text.startsWith('kernel:', from)) return false;
  const limit = Math.min(to, from + NAME_MAX);
  let colon = -1;
  let blank = from;
  for (; blank < limit; blank++) {
    const code = text.charCodeAt(blank);
    if (code === BLANK) break;
    if (NO_NAME[code] === 1) return false;
    if (code === COLON && colon < 0) colon = blank;
  }
  if (blank + 1 >= limit) return false;
  if (colon >= 0 && (isPath(text.charCodeAt(colon + 1)) || mayBeNamedFile(text, from, colon))) return false;
  const next = text.charCodeAt(blank + 1);
  // Two blanks or digits: behind a name, those of a date.
  if (next === BLANK || next === COLON || isPath(next) || (isDigit(next) && blank - from <= MONTH_MAX)) return false;
  // `host kernel: ` behind a stamp.
  if (hasStamp && (next === 107 || next === 113 || next === 115)) return false;
  return !hasStamp || hasHost || !mayBeHost(text, blank + 1);
}

/** True for words in brackets, at least two: `[UFW BLOCK] `. */
function beginsWithLabel(text: string, from: number, to: number): boolean {
  if (text.charCodeAt(from) !== BRACKET) return false;
  const limit = Math.min(to, from + LABEL_MAX);
  let words = 1;
  let at = from + 1;
  for (; at < limit; at++) {
    const code = text.charCodeAt(at);
    if (code === BLANK && isLetter(text.charCodeAt(at - 1))) words++;
    else if (!isLetter(code)) break;
  }
  const isClosed = text.charCodeAt(at) === CLOSING && isLetter(text.charCodeAt(at - 1)) && at + 2 < to;
  return isClosed && words > 1 && text.charCodeAt(at + 1) === BLANK;
}

/** True for the first character of a directory. */
function isPath(code: number): boolean {
  return code === SLASH || code === TILDE;
}

/** True if the name before a colon may be that of a file, as grep prints it. */
function mayBeNamedFile(text: string, from: number, colon: number): boolean {
  const last = text.charCodeAt(colon - 1);
  return (last === 103 || last === 115 || last === 116 || isDigit(last)) && NAMED_FILE.test(text.slice(from, colon));
}

/** True if a name behind a stamp may be the host's: a tag with a process is at `at`. */
export function mayBeHost(text: string, at: number): boolean {
  let end = nameEnd(text, at);
  while (text.charCodeAt(end) === SLASH || text.charCodeAt(end) === AT) end = nameEnd(text, end + 1);
  return text.charCodeAt(end) === BRACKET;
}
