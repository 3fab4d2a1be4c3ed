// What surrounds a dump when people pass it on, and how it is removed from a line, from the outside to the inside:
// terminal escapes, HTML entities and tags, typographic characters, marks of Markdown and BBCode (markup.ts); prefixes of
// logs and quote marks (log-prefix.ts); the log entry that it is a value of (structured-log.ts); a shell prompt (shell.ts);
// what a person wrote after it, ` <<<< here`.
//
// What follows a prompt is a command, unless it looks like output: kernels print on the console while the prompt waits, and
// `# ` marks comments. Then there is an empty command, and the text.
//
// Lines that quoted-printable broke have been joined before (quoted-printable.ts). Nothing here knows any format; a
// reader that needs what was removed (a time, a program's name) has the raw line.
import { removePrefixes } from './log-prefix.ts';
import { plainCharacters, removeMarkup, replaceEntities } from './markup.ts';
import { isPrinted, outputBehind, type Prompt, splitPrompt } from './shell.ts';
import { linesOfLogEntry } from './structured-log.ts';

export interface Cleaned {
  readonly text: string;
  /** The line with its prefixes, but without what terminals and editors put into it; absent if it had nothing of that. */
  readonly raw?: string;
  readonly prompt?: Prompt;
}

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** What terminals interpret: colours, the window's title. */
/** Also as `cat -v` shows them. */
const ESCAPES = new RegExp(
  `\\^\\[\\[[0-9;]{0,32}m|${ESC}(?:\\[[0-9;?]{0,32}[A-Za-z]|\\][^${BEL}${ESC}]{0,256}(?:${BEL}|${ESC}\\\\)|[()][A-Z0-9])`,
  'g',
);
const NO_BREAK = /&(?:amp;)?(?:nbsp|#160|#xa0);/gi;
const ANNOTATION = /(?<![ \t])[ \t]+(?:<{2,}|<-|←|⟵|<={2,}[ \t]|\/\/ )[^\n]*$/;
/** A line that is a string of a program or of a list. */
const QUOTED = /^(?:- )?"(?:[^"\\]|\\.){1,4000}",?$/;
/** The second line of an event, or of a device. */
const CONTINUED = /^[ \t]{1,80}\S|^[a-z]{2,12}=0x[0-9a-f]{1,16} /;
/** Values of files and rows of tables that say nothing alone: the type of a group, a register. */
const VALUE =
  /^(?:DMA|DMA-FQ|identity|blocked|unmanaged)$|^(?:Name[ \t]{1,24}Offset[ \t]{1,8}Contents|[A-Z]\w{1,15}[ \t]{1,24}0x[0-9a-f]{1,4}[ \t]{1,8}0x[0-9a-f]{1,16})$/;
/** Nesting of log entries. */
const DEPTH_MAX = 2;

/** A line without any of these has nothing around it but prefixes and trailing blanks: most lines. */
const SPECIAL = new RegExp(`[\\0${ESC}&<"#$%\`*^\\u0080-\\uffff]|//|\\[/|\\\\[_>]`);

/**
 * Cleans one line of text (without line end). Returns one line, except for log entries that hold several. A line of a
 * file that was padded with NULs is cut there.
 */
export function cleanLine(raw: string): Cleaned[] {
  if (!SPECIAL.test(raw) && !mayHaveMarkup(raw)) return [{ text: removePrefixes(raw).trimEnd() }];
  if (!raw.includes('\0')) return cleanPart(raw, 0);
  return raw
    .split(/\0{2,}/)
    .map((part) => part.replaceAll('\0', ''))
    .filter((part) => part.trim() !== '')
    .flatMap((part) => cleanPart(part, 0).map(({ raw: _, ...cleaned }) => cleaned));
}

/** True if it may start with a tag of BBCode, or be a row of a table. */
function mayHaveMarkup(raw: string): boolean {
  const code = raw.charCodeAt(1) | 0x20;
  return (raw.charCodeAt(0) === 91 && code >= 97 && code <= 122) || raw.charCodeAt(raw.length - 1) === 124;
}

function cleanPart(part: string, depth: number): Cleaned[] {
  const bared = plainCharacters(part.includes(ESC) || part.includes('^[[') ? part.replace(ESCAPES, '') : part);
  const marked = removeMarkup(bared.includes('&') ? plainCharacters(replaceEntities(bared)) : bared);
  const text = removePrefixes(marked).trimEnd();
  const bare = text.trimStart();
  if (depth < DEPTH_MAX && (/^\{ ?"/.test(bare) || bare.includes('="'))) {
    const lines = linesOfLogEntry(bare);
    if (lines) return lines.flatMap((line) => cleanPart(line, depth + 1).map((one) => ({ raw: line, ...one })));
  }
  // Other entities may be those of the dump itself.
  const raw = bared.includes('&') ? removeMarkup(bared.replace(NO_BREAK, ' ')) : marked;
  const own = raw === part ? {} : { raw };
  const quoted = depth < DEPTH_MAX && QUOTED.test(bare) ? linesOfString(bare) : undefined;
  if (quoted) return quoted.flatMap((line) => cleanPart(line, depth + 1).map((one) => ({ raw: line, ...one })));
  const shell = splitPrompt(bare) ?? (bare.startsWith('#\t') ? { prompt: {}, command: '' } : undefined);
  if (shell) {
    const output = outputBehind(bare, shell.command);
    if (output === undefined) return [{ text: withoutAnnotation(shell.command), prompt: shell.prompt, ...own }];
    const printed = withoutAnnotation(removePrefixes(output).trimEnd());
    // Without a host or directory it may be the mark of a comment, which ends nothing.
    return Object.keys(shell.prompt).length === 0
      ? [{ text: printed, ...own }]
      : [
          { text: '', prompt: shell.prompt, ...own },
          { text: printed, ...own },
        ];
  }
  return [{ text: withoutAnnotation(text), ...own }];
}

/** The lines in a string, if they are of a dump: other strings are arguments of commands, and names. */
function linesOfString(text: string): string[] | undefined {
  const inner = text
    .replace(/^(?:- )?"|",?$/g, '')
    .replace(/\\([nrt"\\])/g, (_, letter: string) => ({ n: '\n', r: '', t: '\t' })[letter] ?? letter);
  return isPrinted(inner) || CONTINUED.test(inner) || VALUE.test(inner)
    ? inner.replace(/\n$/, '').split('\n')
    : undefined;
}

/** Removes what a person wrote after a line: ` <<<< here`, ` <-- this one`. The frame `==> name <==` is none. */
function withoutAnnotation(text: string): string {
  if (!text.includes('<') && !text.includes('←') && !text.includes('⟵') && !text.includes('//')) return text;
  return text.replace(ANNOTATION, '');
}
