// What logs, mail and chat programs put before a line: times, hosts, tags, quote marks, nicknames.
//
//   quote marks     `> >> `  `| `  `ab> `
//   syslog          `Feb 28 09:10:11 host qemu[1]: `  `фев 28 09:10:11 host qemu[1]: `
//   journal, Docker `2024-02-03T01:02:03.5+01:00 host kernel: `  `… stdout F `
//   kernel          `<6>`  `[   12.345678] `  `[  +0,000021] `  `[Fri Feb  2 01:02:03 2024] `  `kernel: `
//   Xen             `(XEN) `
//   chat            `12:34 <nick> `  `<nick> `

/** One blank after the last mark belongs to the mark; more are indentation of the quoted text. */
const QUOTES = /^(?:[ \t]{0,8}(?:[A-Za-z]{0,4}>|\||»)){1,24} ?/;

const CLOCK = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`;
/** `host tag[pid]: ` after a time. Some logs have no host, so it must not look like a tag. */
const HOST_TAG = String.raw`(?:[^\s:]\S{0,62}[^\s:] |[^\s:] )?[^\s:[\]]{1,64}(?:\[\d{1,10}\])?:(?: |$)`;
const MONTH = String.raw`(?:\p{L}[\p{L}.]{1,11}|\d{1,2}月)`;
export const SYSLOG = new RegExp(
  `^(?:${MONTH} {1,2}\\d{1,2}|\\d{1,2}\\.? ${MONTH})(?: \\d{4})?,? ${CLOCK} (?:${HOST_TAG}|)`,
  'u',
);
const ISO = new RegExp(
  `^\\d{4}-\\d{2}-\\d{2}[T ]${CLOCK}(?:Z|[+-]\\d{2}:?\\d{2})?:? (?:(?:stdout|stderr) [FP] |${HOST_TAG}|)`,
);
/** For tests too, as is SYSLOG: both have a faster way. */
export const STAMP = /^\[ {0,10}\+?\d{1,10}[.,]\d{1,9}\](?: ?\[ {0,8}[TC]\d{1,8}\])?(?: |$)/;
const DATE_STAMP = /^\[(?:\p{L}{2,9}\.? )?\p{L}{2,9}\.? {1,2}\d{1,2} [\d: ]{4,16}\](?: |$)/u;
/** `journalctl -o short-monotonic` and the like: host and tag after a stamp. Only for tags that have no content. */
const AFTER_STAMP = /^[\w.-]{1,64} (?:kernel|systemd|qemu[\w-]{0,40})(?:\[\d{1,10}\])?: /;
/** A tag whose time and host somebody removed. */
const KERNEL_TAG = 'kernel: ';
const PRIORITY = /^<\d{1,3}>/;
const XEN = /^\(XEN\) ?/;
/** Without a time it may be a tag of XML that blanks follow. */
const CHAT =
  /^(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s{1,4}<[ @+~&%]?[A-Za-z_[\]\\`^{}|][\w[\]\\`^{}|-]{0,31}> |<[ @+~&%]?[A-Za-z_[\]\\`^{}|][\w[\]\\`^{}|-]{0,31}> (?=\s*\S))/;
const CHAT_BARE = /^\[?\d{1,2}:\d{2}(?::\d{2})?\]? +(?:\w[\w-]{0,31} (?:\||>) )/;

const PREFIXES_MAX = 8;

/** Removes all prefixes of a line. Blanks before a prefix go with it; blanks before the rest stay: they indent it. */
export function removePrefixes(line: string): string {
  let text = line;
  for (let round = 0; round < PREFIXES_MAX; round++) {
    const rest = removePrefix(text.trimStart());
    if (rest === undefined) break;
    text = rest;
  }
  return text;
}

/** Removes one prefix; undefined if there is none. The first character decides which are possible. */
function removePrefix(text: string): string | undefined {
  const code = text.charCodeAt(0);
  switch (code) {
    case 91: // [
      return removeStamp(text);
    case 62: // >
    case 124: // |
    case 187: // »
      return without(text, QUOTES);
    case 60: // <
      return without(text, PRIORITY) ?? without(text, CHAT);
    case 40: // (
      return without(text, XEN);
  }
  if (isLetter(code)) {
    const end = syslogEnd(text);
    if (end > 0) return text.slice(end);
    if (text.startsWith(KERNEL_TAG)) return text.slice(KERNEL_TAG.length);
    if (!mayBeginSyslogOrQuote(text)) return undefined;
    return /^[A-Za-z]{1,4}>/.test(text) ? without(text, QUOTES) : without(text, SYSLOG);
  }
  if (isDigit(code)) {
    // `0x…` is a number.
    if (code === 48 && text.charCodeAt(1) === 120) return undefined;
    return without(text, ISO) ?? without(text, SYSLOG) ?? without(text, CHAT) ?? without(text, CHAT_BARE);
  }
  return code >= 128 && /^\p{L}/u.test(text) ? without(text, SYSLOG) : undefined;
}

function without(text: string, prefix: RegExp): string | undefined {
  const match = prefix.exec(text);
  return match ? text.slice(match[0].length) : undefined;
}

function removeStamp(text: string): string | undefined {
  const stamp = stampEnd(text) || (STAMP.exec(text)?.[0].length ?? 0);
  if (stamp === 0) return without(text, DATE_STAMP) ?? without(text, CHAT) ?? without(text, CHAT_BARE);
  const rest = text.slice(stamp);
  return mayBeginWithHost(rest) ? rest.replace(AFTER_STAMP, '') : rest;
}

// What follows finds the usual prefixes without a pattern, for logs that have one on every line.

/** Where the kernel's usual stamp ends, `[   12.345678] `; 0: `STAMP` must decide. */
export function stampEnd(text: string): number {
  let at = 1;
  while (at < 11 && text.charCodeAt(at) === 32) at++;
  const seconds = digitsEnd(text, at);
  if (seconds === at || seconds - at > 10 || text.charCodeAt(seconds) !== 46) return 0;
  const end = digitsEnd(text, seconds + 1);
  if (end === seconds + 1 || end - seconds > 10) return 0;
  // A thread or CPU may follow.
  return text.charCodeAt(end) === 93 && text.charCodeAt(end + 1) === 32 && text.charCodeAt(end + 2) !== 91
    ? end + 2
    : 0;
}

/** True if the second word may be one of those in `AFTER_STAMP`. */
function mayBeginWithHost(text: string): boolean {
  const blank = text.indexOf(' ');
  const code = text.charCodeAt(blank + 1);
  return blank > 0 && (code === 107 || code === 113 || code === 115);
}

/** Where the usual prefix of syslog ends, `Jan  3 12:00:01 host tag[17]: `; 0: `SYSLOG` must decide. */
export function syslogEnd(text: string): number {
  for (let i = 0; i < 3; i++) if (!isLetter(text.charCodeAt(i))) return 0;
  let at = text.charCodeAt(4) === 32 ? 5 : 4;
  const day = digitsEnd(text, at);
  if (text.charCodeAt(3) !== 32 || day === at || day - at > 2) return 0;
  at = day;
  for (const mark of [32, 58, 58]) {
    const end = digitsEnd(text, at + 1);
    if (text.charCodeAt(at) !== mark || end - at !== 3) return 0;
    at = end;
  }
  const host = nameEnd(text, at + 1);
  if (text.charCodeAt(at) !== 32 || host - at < 3 || host - at > 60 || text.charCodeAt(host) !== 32) return 0;
  const tag = nameEnd(text, host + 1);
  if (tag === host + 1 || tag - host > 60) return 0;
  at = tag;
  if (text.charCodeAt(at) === 91) {
    const process = digitsEnd(text, at + 1);
    if (process === at + 1 || process - at > 10 || text.charCodeAt(process) !== 93) return 0;
    at = process + 1;
  }
  return text.charCodeAt(at) === 58 && text.charCodeAt(at + 1) === 32 ? at + 2 : 0;
}

/** False if a text that begins with an ASCII letter begins neither like `Feb 28 `, `Feb 28, ` nor like `ab> `. */
function mayBeginSyslogOrQuote(text: string): boolean {
  let at = 0;
  for (; ; at++) {
    const code = text.charCodeAt(at);
    // The name of a month may have letters beyond ASCII.
    if (code >= 128) return true;
    if (!isLetter(code) && code !== 46) break;
  }
  if (text.charCodeAt(at) === 62) return true;
  if (text.charCodeAt(at++) !== 32) return false;
  if (text.charCodeAt(at) === 32) at++;
  return isDigit(text.charCodeAt(at));
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** Behind letters, digits and `_-.`. */
function nameEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== 95 && code !== 45 && code !== 46) return at;
    at++;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 97 && (code | 0x20) <= 122;
}
