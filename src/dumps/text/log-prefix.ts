// What logs, mail and chat programs put before a line: times, hosts, tags, quote marks, nicknames.
//
//   quote marks     `> >> `  `| `  `ab> `
//   syslog          `Feb 28 09:10:11 host qemu[1]: `  `фев 28 09:10:11 host qemu[1]: `
//   journal, Docker `2024-02-03T01:02:03.5+01:00 host kernel: `  `… stdout F `
//   kernel          `<6>`  `[   12.345678] `  `[  +0,000021] `  `[Fri Feb  2 01:02:03 2024] `  `kernel: `
//   Xen             `(XEN) `
//   dmesg -x        `kern  :err   : `
//   RFC 5424        `<6>1 2024-01-03T12:00:01Z host kernel - - - `
//   grep            `12:`  `12-`  `dmesg.txt:12:`
//   CI systems      `[2024-01-03T12:00:01.123Z] `  `2024-01-03T12:00:01.123456Z 00O `  `##[error]`  `12:00:01  `
//   containers      `[pod/name/container] `  `name-1  | `  `E0103 12:00:01.000001    17 file.go:3] `
//   diffs, lists    `+`  `-`  `* `  `// `
//   chat            `12:34 <nick> `  `<nick> `

/** One blank after the last mark belongs to the mark; more are indentation of the quoted text. */
const QUOTES = /^(?:[ \t]{0,8}(?:[A-Za-z]{0,4}>|\||»)){1,24} ?/;

const CLOCK = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`;
/** `host tag[pid]: ` after a time. Some logs have no host, so it must not look like a tag. */
const HOST_TAG = String.raw`(?:[^\s:]\S{0,62}[^\s:] |[^\s:] )?[^\s:[\]]{1,64}(?:\[\d{1,10}\])?:(?: |$)`;
/** Behind the times of containers and CI systems, in UTC, is what a program printed. */
const CERTAIN_TAG = String.raw`(?:[\w.-]{1,64} )?(?:kernel|[^\s:[\]]{1,64}\[\d{1,10}\]):(?: |$)`;
const MONTH = String.raw`(?:\p{L}[\p{L}.]{1,11}|\d{1,2}月)`;
export const SYSLOG = new RegExp(
  `^(?:${MONTH} {1,2}\\d{1,2}|\\d{1,2}\\.? ${MONTH})(?: \\d{4})?,? ${CLOCK} (?:${HOST_TAG}|)`,
  'u',
);
const ISO = new RegExp(
  `^(?:\\p{L}{2,4}\\.? )?\\d{4}[-/]\\d{2}[-/]\\d{2}[T ]${CLOCK}(?:Z (?:(?:stdout|stderr) [FP] |\\d{2}[OE][ +]|${CERTAIN_TAG}|)|(?: ?(?:Z|UTC|CES?T|[+-]\\d{2}:?\\d{2}))?:? (?:(?:stdout|stderr) [FP] |\\d{2}[OE][ +]|${HOST_TAG}|))`,
  'u',
);
/** In brackets: Jenkins and many programs. */
const BRACKETED = new RegExp(
  `^\\[(?:\\d{4}[-/]\\d{2}[-/]\\d{2}[T ])?${CLOCK}(?: ?(?:Z|UTC|CES?T|[+-]\\d{2}:?\\d{2}))?\\](?: |$)`,
);
/** With one digit behind the seconds it would be a device. */
const CLOCK_ALONE = new RegExp(`^\\d{1,2}:\\d{2}:\\d{2}(?:[.,]\\d{3,9})? (?:${HOST_TAG}|)`);
const UNIX_TIME = new RegExp(`^\\d{9,11}\\.\\d{1,9} ${HOST_TAG}`);
/** The level of a message behind its time. */
const LEVEL =
  /^(?:\[(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRIT(?:ICAL)?)\]|(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL):?) {1,5}/;
/** `dmesg -x`. */
const FACILITY =
  /^(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local[0-7]) {0,6}: ?(?:emerg|alert|crit|err|warn|notice|info|debug) {0,6}: ?/;
const RFC_5424 = /^<\d{1,3}>1 \S{10,40} \S{1,100} \S{1,60} \S{1,60} \S{1,60} (?:-|\[[^\]]{0,200}\]) /;
const PHONE = /^\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3} +\d{1,7} +\d{1,7} [VDIWEF] [^:]{1,60}: /;
const GLOG = /^[IWEF]\d{4} \d{2}:\d{2}:\d{2}\.\d{1,9} +\d{1,10} [\w./-]{1,80}:\d{1,6}\] /;
const COMPOSE = /^[\w.-]{1,60}[-_]\d{1,3} {1,20}\| /;
const POD = /^\[pod\/[^\]\s]{1,200}\] /;
/** `gh run view --log`: the job and the step. */
const STEP = /^[^\t]{1,80}\t[^\t]{1,80}\t\uFEFF?(?=\d{4}-\d{2}-\d{2}T)/;
const ANNOTATED = /^##\[[a-z]{3,12}\]/;
/** What a line of a dump begins with: only before it, a mark or number is one of grep, a diff or a list. */
const DUMP_LINE =
  '(?=\\[ {0,10}\\d{1,10}[.,]\\d|<\\d|\\(XEN\\)|0x[0-9a-f]|[0-9a-f]{8,16}-[0-9a-f]{8}|[ \\t]{2,}\\S|\\t|\\d{4}-\\d{2}-\\d{2}[T ]|[A-Z][a-z]{2} [ \\d]\\d |(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7] |[A-Za-z][\\w.-]{1,60}(?:\\[\\d{1,10}\\])?: |[A-Za-z][\\w-]{1,40} [\\w.:@-]{1,60}: |(?:vfio|iommufd|virtio_iommu)_\\w{1,60} )';
const NUMBERED = new RegExp(
  `^(?:[1-9]\\d{0,2}[:-]|[1-9]\\d{3,6}[:-](?![0-9a-f]{2}:))(?!0x|\\d{2} )${DUMP_LINE}|^(?:[\\w./-]{0,100}(?:\\.(?:log|txt|out)|dmesg|syslog|messages)(?:\\.\\d)?):(?:\\d{1,7}:)?${DUMP_LINE}`,
);
/** A minus may also be the middle of a range that a mail program broke: only what is no number makes it a mark. */
const LOG_LINE =
  '(?=\\[ {0,10}\\d{1,10}[.,]\\d|<\\d|\\(XEN\\)|[0-9a-f]{8,16}-[0-9a-f]{8}|\\d{4}-\\d{2}-\\d{2}[T ]|[A-Z][a-z]{2} [ \\d]\\d )';
const MARKED = new RegExp(
  `^(?:[+*•] ?)${DUMP_LINE}|^- ?${LOG_LINE}|^-(?=0x[0-9a-f]{16} 0x|[ \\t]{2,}[0-9a-f]{8,16}-|\\t[A-Z])`,
);
const SLASHES = /^\/\/ ?(?=[ \t]*\S)/;
/** For tests too, as is SYSLOG: both have a faster way. */
export const STAMP =
  /^\[ {0,10}\+?\d{1,10}[.,]\d{1,9}(?:@\d{1,3}| <[ \d.]{3,20}>)?\](?: ?\[ {0,8}[TC]\d{1,8}\])?(?: |$)/;
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
    const bare = text.trimStart();
    const rest = removePrefix(bare) ?? (round > 0 && mayBeLevel(bare) ? without(bare, LEVEL) : undefined);
    if (rest === undefined) break;
    text = rest;
  }
  return text;
}

/** True if a text begins like `ERROR `, `[WARN] `: two capital letters. */
function mayBeLevel(text: string): boolean {
  const at = text.charCodeAt(0) === 91 ? 1 : 0;
  const [first, second] = [text.charCodeAt(at), text.charCodeAt(at + 1)];
  return first >= 67 && first <= 87 && second >= 65 && second <= 90;
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
      return without(text, RFC_5424) ?? without(text, PRIORITY) ?? without(text, CHAT);
    case 40: // (
      return without(text, XEN);
    case 43: // +
    case 42: // *
    case 45: // -
      return without(text, MARKED);
    case 47: // /
      return without(text, SLASHES) ?? without(text, NUMBERED);
    case 35: // #
      return without(text, ANNOTATED);
  }
  if (isLetter(code)) {
    const end = syslogEnd(text);
    if (end > 0) return text.slice(end);
    if (text.startsWith(KERNEL_TAG)) return text.slice(KERNEL_TAG.length);
    const other = otherPrefix(text);
    if (other !== undefined) return other;
    if (!mayBeginSyslogOrQuote(text)) return undefined;
    return /^[A-Za-z]{1,4}>/.test(text) ? without(text, QUOTES) : without(text, SYSLOG);
  }
  if (isDigit(code)) {
    // `0x…` is a number.
    if (code === 48 && text.charCodeAt(1) === 120) return undefined;
    return (
      without(text, ISO) ??
      without(text, SYSLOG) ??
      without(text, CHAT) ??
      without(text, CHAT_BARE) ??
      without(text, NUMBERED) ??
      without(text, CLOCK_ALONE) ??
      without(text, UNIX_TIME) ??
      without(text, PHONE)
    );
  }
  return code >= 128 && /^\p{L}/u.test(text) ? without(text, SYSLOG) : undefined;
}

const FACILITIES: ReadonlySet<string> = new Set([
  'kern',
  'user',
  'mail',
  'daem',
  'auth',
  'sysl',
  'lpr ',
  'news',
  'uucp',
  'cron',
  'ftp ',
  'loca',
]);
export const NAMED_FILE = /(?:\.(?:log|txt|out)|dmesg|syslog|messages)(?:\.\d)?$/;

/** True if the text may have the prefix of `dmesg -x` at `at`. */
export function isFacility(text: string, at: number): boolean {
  return FACILITIES.has(text.slice(at, at + 4));
}

const LEVELS: ReadonlySet<string> = new Set([
  ...['TRACE', 'DEBUG', 'INFO', 'NOTICE', 'WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL'],
]);

/** True if the word from `from` to `end`, exclusive, is the level of a message. */
export function isLevel(text: string, from: number, end: number): boolean {
  return end - from >= 4 && end - from <= 8 && isCapital(text, from + 1) && LEVELS.has(text.slice(from, end));
}

function isCapital(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 65 && code <= 90;
}

/** Prefixes that begin with a letter, beside those of syslog; each is looked for only where its marks are. */
function otherPrefix(text: string): string | undefined {
  const blank = text.indexOf(' ');
  const colon = text.indexOf(':');
  if (colon > 2 && colon < 12 && isFacility(text, 0)) {
    const rest = without(text, FACILITY);
    if (rest !== undefined) return rest;
  }
  if (isDigit(text.charCodeAt(1))) {
    const rest = without(text, GLOG);
    if (rest !== undefined) return rest;
  }
  if (colon > 0 && (blank < 0 || colon < blank) && NAMED_FILE.test(text.slice(0, colon)))
    return without(text, NUMBERED);
  // `Wed 2024-01-03 12:00:01 CET `
  if (blank >= 2 && blank <= 5 && isDigit(text.charCodeAt(blank + 1)) && text.charCodeAt(blank + 5) === 45) {
    return without(text, ISO);
  }
  const bar = text.indexOf(' | ');
  if (bar > 0 && bar <= blank + 20 && blank > 0) return without(text, COMPOSE);
  return text.includes('\t') ? without(text, STEP) : undefined;
}

function without(text: string, prefix: RegExp): string | undefined {
  const match = prefix.exec(text);
  return match ? text.slice(match[0].length) : undefined;
}

function removeStamp(text: string): string | undefined {
  const stamp = stampEnd(text) || (STAMP.exec(text)?.[0].length ?? 0);
  if (stamp === 0) {
    return (
      without(text, DATE_STAMP) ??
      without(text, CHAT) ??
      without(text, CHAT_BARE) ??
      without(text, BRACKETED) ??
      without(text, POD)
    );
  }
  const rest = text.slice(stamp);
  return mayBeginWithHost(rest) ? rest.replace(AFTER_STAMP, '') : rest;
}

// What follows finds the usual prefixes without a pattern, for logs that have one on every line.

/** Where the kernel's usual stamp at `from` ends, `[   12.345678] `; 0: `STAMP` must decide. */
export function stampEnd(text: string, from = 0): number {
  let at = from + 1;
  while (at < from + 11 && text.charCodeAt(at) === 32) at++;
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

/** Where the usual prefix of syslog at `from` ends, `Jan  3 12:00:01 host tag[17]: `; 0: `SYSLOG` must decide. */
export function syslogEnd(text: string, from = 0): number {
  const host = syslogHost(text, from);
  return host === 0 ? 0 : hostTagEnd(text, host);
}

/** The same for a prefix whose host begins at `from`: `host tag[17]: `. */
export function hostTagEnd(text: string, from: number): number {
  let at = from;
  const host = nameEnd(text, at);
  if (host - at < 2 || host - at > 59 || text.charCodeAt(host) !== 32) return 0;
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

/** Where the host begins behind the usual time of syslog at `from`, `Jan  3 12:00:01 `; 0 if there is no such time. */
export function syslogHost(text: string, from: number): number {
  for (let i = from; i < from + 3; i++) if (!isLetter(text.charCodeAt(i))) return 0;
  let at = from + (text.charCodeAt(from + 4) === 32 ? 5 : 4);
  const day = digitsEnd(text, at);
  if (text.charCodeAt(from + 3) !== 32 || day === at || day - at > 2) return 0;
  at = day;
  if (!isTwoDigits(text, at, 32) || !isTwoDigits(text, at + 3, 58) || !isTwoDigits(text, at + 6, 58)) return 0;
  return text.charCodeAt(at + 9) === 32 ? at + 10 : 0;
}

/** True for a mark and two digits, and no digit after them. */
function isTwoDigits(text: string, at: number, mark: number): boolean {
  return text.charCodeAt(at) === mark && digitsEnd(text, at + 1) === at + 3;
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

/** Behind the decimal digits that begin at `from`. */
export function digitsEnd(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

/** Behind letters, digits and `_-.`. */
export function nameEnd(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (!isLetter(code) && !isDigit(code) && code !== 95 && code !== 45 && code !== 46) return at;
    at++;
  }
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

export function isLetter(code: number): boolean {
  return (code | 0x20) >= 97 && (code | 0x20) <= 122;
}

export function isHexDigit(code: number): boolean {
  return isDigit(code) || ((code | 0x20) >= 97 && (code | 0x20) <= 102);
}
