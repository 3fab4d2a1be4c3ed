// What surrounds a dump when people pass it on, and how it is removed from a line, from the outside to the inside:
// terminal escapes, HTML entities and tags; prefixes of logs and quote marks (log-prefix.ts); the log entry that it is
// a value of (structured-log.ts); a shell prompt (shell.ts); what a person wrote after it, ` <<<< here`.
//
// Lines that quoted-printable broke have been joined before (quoted-printable.ts). Nothing here knows any format; a
// reader that needs what was removed (a time, a program's name) has the raw line.
import { removePrefixes } from './log-prefix.ts';
import { type Prompt, splitPrompt } from './shell.ts';
import { linesOfLogEntry } from './structured-log.ts';

export interface Cleaned {
  readonly text: string;
  readonly prompt?: Prompt;
}

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** What terminals interpret: colours, the window's title. */
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
const ANNOTATION = /(?<![ \t])[ \t]+(?:<{2,}|<-|←|⟵|<={2,}[ \t]|\/\/ )[^\n]*$/;
/** Nesting of log entries. */
const DEPTH_MAX = 2;

/** A line without any of these has nothing around it but prefixes and trailing blanks: most lines. */
const SPECIAL = new RegExp(`[\\0${ESC}&<"#$%\\u0080-\\uffff]|//`);

/**
 * Cleans one line of text (without line end). Returns one line, except for log entries that hold several. A line of a
 * file that was padded with NULs is cut there.
 */
export function cleanLine(raw: string): Cleaned[] {
  if (!SPECIAL.test(raw)) return [{ text: removePrefixes(raw).trimEnd() }];
  if (!raw.includes('\0')) return cleanPart(raw, 0);
  return raw
    .split(/\0{2,}/)
    .map((part) => part.replaceAll('\0', ''))
    .filter((part) => part.trim() !== '')
    .flatMap((part) => cleanPart(part, 0));
}

function cleanPart(part: string, depth: number): Cleaned[] {
  let text = part;
  if (text.includes(ESC)) text = text.replace(ESCAPES, '');
  if (text.includes('&')) text = text.replace(ENTITIES, (_, name: string) => ENTITY_TEXT[name] ?? '');
  if (text.includes('<')) text = text.replace(TAGS, '');
  text = removePrefixes(text).trimEnd();
  const bare = text.trimStart();
  if (depth < DEPTH_MAX && (bare.startsWith('{"') || bare.includes('="'))) {
    const lines = linesOfLogEntry(bare);
    if (lines) return lines.flatMap((line) => cleanPart(line, depth + 1));
  }
  const shell = splitPrompt(bare);
  if (shell) return [{ text: withoutAnnotation(shell.command), prompt: shell.prompt }];
  return [{ text: withoutAnnotation(text) }];
}

/** Removes what a person wrote after a line: ` <<<< here`, ` <-- this one`. The frame `==> name <==` is none. */
function withoutAnnotation(text: string): string {
  if (!text.includes('<') && !text.includes('←') && !text.includes('⟵') && !text.includes('//')) return text;
  return text.replace(ANNOTATION, '');
}
