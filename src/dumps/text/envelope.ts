// What surrounds a dump when people pass it on, and how it is taken off. One line, from the outside to the inside:
//
//   quote marks     `> >> `  `| `  `ab> `  `&gt; `
//   log prefixes    `фев 28 09:10:11 host qemu[1]: `  `2024-02-03T01:02:03.5+01:00 host kernel: `  `<6>`  `(XEN) `
//                   `[   12.345678] `  `[  +0,000021] `  `[Fri Feb  2 01:02:03 2024] `  `… stdout F `  `kernel: `
//   chat            `12:34 <nick> `  `<nick> `
//   containers      `time="…" level=error msg="…"`   `{"log":"…"}`   `{"return":"…"}` of QEMU's human-monitor-command
//   prompt          see shell.ts
//   annotations     ` <<<< here`   ` <-- this one`   at the end
//
// Quoted-printable is undone over several lines, see `softBreak`. Nothing here knows any format; whoever needs what
// was taken off (a time, a program's name) has the raw line.
import { type Prompt, splitPrompt } from './shell.ts';

export interface Cleaned {
  readonly text: string;
  readonly prompt?: Prompt;
}

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** What terminals understand: colours, the window's title. */
const ESCAPES = new RegExp(
  `${ESC}(?:\\[[0-9;?]{0,32}[A-Za-z]|\\][^${BEL}${ESC}]{0,256}(?:${BEL}|${ESC}\\\\)|[()][A-Z0-9])`,
  'g',
);
const ENTITIES = /&(gt|lt|amp|quot|nbsp|#39|#x27|#62|#60);/g;
const ENTITY_TEXT: Readonly<Record<string, string>> = {
  gt: '>',
  lt: '<',
  amp: '&',
  quot: '"',
  nbsp: ' ',
  '#39': "'",
  '#x27': "'",
  '#62': '>',
  '#60': '<',
};
const TAGS = /<\/?(?:pre|code|br|tt)\b[^<>]{0,200}>/gi;
/** One blank after the last mark belongs to the mark; more is indentation of what is quoted. */
const QUOTES = /^(?:[ \t]{0,8}(?:[A-Za-z]{0,4}>|\||»)){1,24} ?/;

const CLOCK = String.raw`\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`;
/** `host tag[pid]: ` after a time. The host is missing in some logs, so it must not look like a tag. */
const HOST_TAG = String.raw`(?:[^\s:]\S{0,62}[^\s:] |[^\s:] )?[^\s:[\]]{1,64}(?:\[\d{1,10}\])?:(?: |$)`;
const MONTH = String.raw`(?:\p{L}[\p{L}.]{1,11}|\d{1,2}月)`;
export const SYSLOG = new RegExp(
  `^(?:${MONTH} {1,2}\\d{1,2}|\\d{1,2}\\.? ${MONTH})(?: \\d{4})?,? ${CLOCK} (?:${HOST_TAG}|)`,
  'u',
);
const ISO = new RegExp(
  `^\\d{4}-\\d{2}-\\d{2}[T ]${CLOCK}(?:Z|[+-]\\d{2}:?\\d{2})?:? (?:(?:stdout|stderr) [FP] |${HOST_TAG}|)`,
);
/** For tests too, as is SYSLOG: both have a shorter way. */
export const STAMP = /^\[ {0,10}\+?\d{1,10}[.,]\d{1,9}\](?: ?\[ {0,8}[TC]\d{1,8}\])?(?: |$)/;
const DATE_STAMP = /^\[(?:\p{L}{2,9}\.? )?\p{L}{2,9}\.? {1,2}\d{1,2} [\d: ]{4,16}\](?: |$)/u;
/** `journalctl -o short-monotonic` and the like: host and tag after a stamp. Only for tags that carry no content. */
const AFTER_STAMP = /^[\w.-]{1,64} (?:kernel|systemd|qemu[\w-]{0,40})(?:\[\d{1,10}\])?: /;
/** A tag whose time and host somebody left out. */
const KERNEL_TAG = 'kernel: ';
const PRIORITY = /^<\d{1,3}>/;
const XEN = /^\(XEN\) ?/;
const CHAT = /^(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s{1,4})?<[ @+~&%]?[A-Za-z_[\]\\`^{}|][\w[\]\\`^{}|-]{0,31}> /;
const CHAT_BARE = /^\[?\d{1,2}:\d{2}(?::\d{2})?\]? +(?:\w[\w-]{0,31} (?:\||>) )/;
const LOGFMT = /^(?:[\w.]{1,32}=(?:"(?:[^"\\]|\\.){0,4000}"|[^\s"]{0,200}) ){1,12}?(?=(?:msg|error|err|log|message)=")/;
const LOGFMT_VALUE = /\b(?:msg|error|err|log|message)="((?:[^"\\]|\\.){0,60000})"/g;
const JSON_KEYS = ['log', 'msg', 'message', 'MESSAGE', 'error', 'err', 'return'];
const ANNOTATION = /(?<![ \t])[ \t]+(?:<{2,}|<-|←|⟵|<={2,}[ \t]|\/\/ )[^\n]*$/;

const MOST_PREFIXES = 8;

/** Takes one layer of a prefix off; undefined if there is none. The first character decides which can be there. */
function peel(text: string): string | undefined {
  const code = text.charCodeAt(0);
  if (code === 91) return peelStamp(text);
  let match: RegExpExecArray | null = null;
  if (isLetter(code)) {
    const end = syslogEnd(text);
    if (end > 0) return text.slice(end);
    if (text.startsWith(KERNEL_TAG)) return text.slice(KERNEL_TAG.length);
    match = /^[A-Za-z]{1,4}>/.test(text) ? QUOTES.exec(text) : SYSLOG.exec(text);
  } else if (isDigit(code)) {
    match = ISO.exec(text) ?? SYSLOG.exec(text) ?? CHAT.exec(text) ?? CHAT_BARE.exec(text);
  } else if (code === 62 || code === 124 || code === 187) {
    match = QUOTES.exec(text);
  } else if (code === 60) {
    match = PRIORITY.exec(text) ?? CHAT.exec(text);
  } else if (code === 40) {
    match = XEN.exec(text);
  } else if (code >= 128 && /^\p{L}/u.test(text)) {
    match = SYSLOG.exec(text);
  }
  return match ? text.slice(match[0].length) : undefined;
}

function peelStamp(text: string): string | undefined {
  const end = stampEnd(text);
  const stamp = end > 0 ? end : (STAMP.exec(text)?.[0].length ?? 0);
  if (stamp > 0) {
    const rest = text.slice(stamp);
    return mayBeginWithHost(rest) ? rest.replace(AFTER_STAMP, '') : rest;
  }
  const match = DATE_STAMP.exec(text) ?? CHAT.exec(text) ?? CHAT_BARE.exec(text);
  return match ? text.slice(match[0].length) : undefined;
}

/** Where the usual stamp of the kernel's ends, `[   12.345678] `, without a pattern; 0: `STAMP` must tell. */
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

/** Where the usual prefix of syslog ends, `Jan  3 12:00:01 host tag[17]: `, without a pattern; 0: `SYSLOG` must tell. */
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

function unescapeLog(text: string): string {
  return text.replace(/\\(["\\nrt])/g, (_, c: string) => ({ n: '\n', r: '', t: '\t' })[c] ?? c);
}

/** Messages inside a structured log line, several lines each perhaps; undefined if the line is none. */
function unwrapLog(text: string): string[] | undefined {
  if (text.startsWith('{"') && text.endsWith('}')) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null) return undefined;
      const found = JSON_KEYS.flatMap((key) => {
        const entry = (value as Record<string, unknown>)[key];
        return typeof entry === 'string' ? [entry] : [];
      });
      return found.length > 0 ? found.flatMap((message) => message.split(/\r?\n/)) : undefined;
    } catch {
      return undefined;
    }
  }
  if (!text.includes('="') || !LOGFMT.test(text)) {
    if (!/^(?:msg|error|err|log|message)="/.test(text)) return undefined;
  }
  const values = [...text.matchAll(LOGFMT_VALUE)].map((match) => unescapeLog(match[1] ?? ''));
  return values.length > 0 ? values.flatMap((value) => value.split('\n')) : undefined;
}

function cleanOne(input: string, depth: number): Cleaned[] {
  let text = input;
  if (text.includes(ESC)) text = text.replace(ESCAPES, '');
  if (text.includes('&')) text = text.replace(ENTITIES, (_, name: string) => ENTITY_TEXT[name] ?? '');
  if (text.includes('<')) text = text.replace(TAGS, '');
  for (let round = 0; round < MOST_PREFIXES; round++) {
    // Blanks before a prefix go with it; blanks before anything else are indentation.
    const trimmed = text.trimStart();
    const rest = peel(trimmed);
    if (rest === undefined) break;
    text = rest;
  }
  text = text.trimEnd();
  const bare = text.trimStart();
  if (depth < 2 && (bare.startsWith('{"') || bare.includes('="'))) {
    const inner = unwrapLog(bare);
    if (inner) return inner.flatMap((line) => cleanOne(line, depth + 1));
  }
  const shell = splitPrompt(bare);
  if (shell) return [{ text: withoutAnnotation(shell.command), prompt: shell.prompt }];
  return [{ text: withoutAnnotation(text) }];
}

/** Takes off what a person wrote behind a line: ` <<<< here`, ` <-- this one`. The frame `==> name <==` is none. */
function withoutAnnotation(text: string): string {
  if (!text.includes('<') && !text.includes('←') && !text.includes('⟵') && !text.includes('//')) return text;
  return text.replace(ANNOTATION, '');
}

/**
 * Cleans one line of text (without line end). Gives one line, except for log entries that hold several. A line of a
 * file that was padded with NULs is cut there.
 */
export function cleanLine(raw: string): Cleaned[] {
  if (!raw.includes('\0')) return cleanOne(raw, 0);
  return raw
    .split(/\0{2,}/)
    .map((part) => part.replaceAll('\0', ''))
    .filter((part) => part.trim() !== '')
    .flatMap((part) => cleanOne(part, 0));
}

/** Marks of characters, for `plainText`: what a line holds decides how much of its cleaning can be left out. */
const MARK_WORD = 1;
const MARK_SPECIAL = 2;
const MARK_SLASH = 4;
/** By character code, ASCII only. */
export const MARKS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const letter = String.fromCharCode(code);
  if (/[A-Za-z0-9]/.test(letter)) return MARK_WORD;
  if (letter === '/') return MARK_SLASH;
  // Escapes, entities, tags, structured logs, prompts, padding.
  return letter === ESC || '\0&<"#$%'.includes(letter) ? MARK_SPECIAL : 0;
});

/**
 * The text of a line of ASCII that has no envelope, the usual case, found without patterns; undefined if it may have
 * one. `marks` are those of all its characters, together. The answer is that of `cleanLine`.
 */
export function plainText(raw: string, marks: number): string | undefined {
  if ((marks & MARK_SPECIAL) !== 0) return undefined;
  let at = 0;
  while (isBlank(raw.charCodeAt(at))) at++;
  const code = raw.charCodeAt(at);
  if (isLetter(code)) {
    if (mayBeginSyslog(raw, at) || raw.startsWith(KERNEL_TAG, at)) return undefined;
  } else if (code !== 48 || raw.charCodeAt(at + 1) !== 120) {
    // No `0x…`: digits, and what stands before quotations, stamps and chats.
    if (isDigit(code) || code === 62 || code === 124 || code === 91 || code === 40) return undefined;
  }
  if ((marks & MARK_SLASH) !== 0 && raw.includes('//')) return undefined;
  return isBlank(raw.charCodeAt(raw.length - 1)) ? raw.trimEnd() : raw;
}

/**
 * The same for a line that begins with prefixes of logs and marks of quotation, and has nothing else around it. `marks`
 * are those of the whole line.
 */
export function plainTextBehindPrefix(raw: string, marks: number): string | undefined {
  if ((marks & MARK_SPECIAL) !== 0) return undefined;
  let text = raw;
  for (let round = 0; round < MOST_PREFIXES; round++) {
    const rest = peel(text.trimStart());
    if (rest === undefined) return undefined;
    text = rest;
    const plain = plainText(text, marks);
    if (plain !== undefined) return plain;
  }
  return undefined;
}

/** True if a line with these marks has a letter or digit: if it has no envelope, it is no decoration. */
export function hasWord(marks: number): boolean {
  return (marks & MARK_WORD) !== 0;
}

/** True if a month and a day may stand there, `Jan  3 ` or `Feb 28, `, or up to four letters and a `>`. */
function mayBeginSyslog(raw: string, from: number): boolean {
  let at = from;
  while (isLetter(raw.charCodeAt(at)) || raw.charCodeAt(at) === 46) at++;
  if (raw.charCodeAt(at) === 62) return true;
  if (raw.charCodeAt(at++) !== 32) return false;
  if (raw.charCodeAt(at) === 32) at++;
  if (!isDigit(raw.charCodeAt(at++))) return false;
  if (isDigit(raw.charCodeAt(at))) at++;
  return raw.charCodeAt(at) === 32 || raw.charCodeAt(at) === 44;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 97 && (code | 0x20) <= 122;
}

/** What is trimmed off a line, of ASCII. */
function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** True if there is neither a letter nor a digit: rules, boxes, `:::::`, `+++`. Such a line separates like a blank one. */
export function isDecoration(text: string): boolean {
  const code = text.charCodeAt(0);
  if (isLetter(code) || isDigit(code)) return false;
  return !/[\p{L}\p{N}]/u.test(text);
}

const ELISION =
  /^[\s\W_]{0,8}(?:(?:output |lines? |text |log |rest )?(?:snip(?:ped)?|trimmed|truncated|omitted|elided|skipped|cut|deleted)(?: here| output| lines?)?|--More--)[\s\W_]{0,8}$/i;

/** What the words of an elision begin with. */
const ELISION_LETTERS = 'cdelmorstCDELMORST';

/** True for a line that says that something was left out: `...`, `. . .`, `[...]`, `[output trimmed]`, `<snip>`. */
export function isElision(text: string): boolean {
  const bare = text.trim();
  if (bare.length > 60) return false;
  const code = bare.charCodeAt(0);
  if (isDigit(code) || (isLetter(code) && !ELISION_LETTERS.includes(bare.charAt(0)))) return false;
  if (/^[[(<]{0,2}\s?(?:\.\s?){3,}[\])>]{0,2}$/.test(bare) || /^\W{0,3}…\W{0,3}$/.test(bare)) return true;
  if (/^[-=~ ]{2,}8<[-=~ 8<]*$/.test(bare)) return true;
  return ELISION.test(bare);
}

/**
 * True if the line is broken softly by quoted-printable: it ends in a single `=` and the next line continues it, be
 * it inside a number. Encoders break at 76 characters; a mark of quotation added later may make it more. Short lines
 * count only where the encoding is `known` from elsewhere, because `=` ends other lines too.
 */
export function softBreak(raw: string, known: boolean): boolean {
  if (!raw.endsWith('=') || raw.endsWith('==')) return false;
  return known || (raw.length >= 70 && raw.length <= 90);
}

/** True if the line shows that its source is encoded as quoted-printable. `=3D` alone could be part of a number. */
export function showsQuotedPrintable(raw: string): boolean {
  if (!raw.includes('=') && !raw.includes('quoted-printable')) return false;
  if (NOT_ESCAPED.test(raw)) return false;
  return /=3D(?:0x|"|=3D)|=20$|^Content-Transfer-Encoding:\s*quoted-printable/i.test(raw);
}

/** An equals sign that quoted-printable would have escaped: `iova=0x1000 size=4096` is not encoded, `size=40` may be. */
const NOT_ESCAPED = /=(?![0-9A-Fa-f]{2}|$)/;

/** Decodes the escapes of quoted-printable in a line whose soft breaks are joined, if it has any. Bytes are read as UTF-8. */
export function decodeQuotedPrintable(raw: string): string {
  if (!/=[0-9A-F]{2}/.test(raw) || NOT_ESCAPED.test(raw)) return raw;
  return raw.replace(/(?:=[0-9A-F]{2})+/g, (run) => {
    const bytes = run
      .slice(1)
      .split('=')
      .map((pair) => Number.parseInt(pair, 16));
    return new TextDecoder().decode(new Uint8Array(bytes));
  });
}
