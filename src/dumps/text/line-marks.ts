// Marks that an editor, a tool or a person put before every line of a block: comments, diffs, numbers of lines, lists and
// rows of tables. One line does not show whether its first characters are such a mark or its own (`# ls`, `-m 8G`,
// `10: 00 ff`); three in a row do, and fewer if what is behind the mark is certainly the first line of a dump. A block ends at
// the first line without the mark.
//
//   comment    "#" [blank] line                     if one of them is certainly of a dump: settings may be commented out
//   diff       ("+" | "-") line                     likewise; after "@@ … @@" whatever it is
//   list       ("-" | "*" | "+") blank line         likewise
//   numbered   number (":" | "-") line              grep -n: ascending
//              name ":" number (":" | "-") line     grep -nH: the same name
//              blanks number tab line               cat -n, nl
//   table      "|" cell *("|" cell) "|"             a row of dashes, or a first cell that counts the rows
import { digitsEnd, isDigit, isLetter } from './log-prefix.ts';
import { isPrinted, isTypical } from './shell.ts';

/** Receives one line. `isCut`: the line was longer. */
export type OnMarkedLine = (text: string, number: number, isCut: boolean) => void;

interface Line {
  readonly text: string;
  readonly number: number;
  readonly isCut: boolean;
}

/** How the lines of a block are marked. */
interface Block {
  /** The line without its mark; undefined if it has none. */
  strip(text: string): string | undefined;
}

const DASH = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const UNDERLINE = 95;

/** Lines that show a block. */
const RUN = 3;

/** By the code of a line's first character: whether it may begin with a mark. */
const MAY_BEGIN = new Uint8Array(128);
for (const letter of '#+-*|@') MAY_BEGIN[letter.charCodeAt(0)] = 1;

const NUMBERED = /^([1-9]\d{0,6})[:-]/;
/** What follows a number that is the line's own: a clock, a device's function, the bytes of a hex dump. */
const OWN_NUMBER = /^(?:\d{2}(?!:[0-9a-f]{2}\.)\b|[0-9a-f]{2}[.:]| ?(?:[0-9a-f]{2} ){4}|0{0,8}\.)/i;
const NAMED =
  /^([\w./-]{0,100}(?:\.(?:log|txt|out|xml|conf|dmesg)|dmesg|syslog|messages)(?:\.\d)?)[:-](?:([1-9]\d{0,6})[:-])?/;
const COUNTED = /^(?=.{6}\t) {0,5}(\d{1,6})\t/;
const HUNK = /^@@ -\d{1,9}(?:,\d{1,9})? \+\d{1,9}(?:,\d{1,9})? @@/;
const ROW = /^\s{0,8}\|(.*)\|\s*$/;
const RULE = /^\s{0,8}\|?[ :|+-]*-{3,}[ :|+-]*$/;

/** Pass all lines of a text in order, then call `end`. */
export class LineMarks {
  readonly #onLine: OnMarkedLine;
  /** Lines that may be the first ones of a block. */
  #pending: Line[] = [];
  #block: Block | undefined;

  constructor(onLine: OnMarkedLine) {
    this.#onLine = onLine;
  }

  /** True if a line that begins at `at` in a text certainly has no mark, and no line waits. */
  isFree(text: string, at: number): boolean {
    if (this.#block || this.#pending.length > 0) return false;
    const code = text.charCodeAt(at);
    if (code === 32) return text.charCodeAt(at + 6) !== 9;
    if (code >= 128) return code !== 0xfeff;
    return isDigit(code) ? !mayBeNumbered(text, at) : MAY_BEGIN[code] === 0 && !mayBeNamed(text, at);
  }

  line(whole: string, number: number, isCut: boolean): void {
    const text = number === 1 ? whole.replace(/^\uFEFF/, '') : whole;
    if (this.#block) {
      const bare = this.#block.strip(text);
      if (bare !== undefined || text.trim() === '') {
        this.#onLine(bare ?? text, number, isCut);
        return;
      }
      this.#block = undefined;
    }
    this.#pending.push({ text, number, isCut });
    if (HUNK.test(text)) {
      this.#flush(this.#pending.length);
      this.#block = DIFF;
      return;
    }
    for (;;) {
      const block = blockOf(this.#pending);
      if (block === 'perhaps') return;
      if (block !== 'none') {
        this.#block = block;
        for (const line of this.#pending.splice(0)) {
          this.#onLine(block.strip(line.text) ?? line.text, line.number, line.isCut);
        }
        return;
      }
      if (this.#pending.length === 1) {
        this.#flush(1);
        return;
      }
      // The last one may begin another block.
      this.#flush(this.#pending.length - 1);
    }
  }

  end(): void {
    this.#flush(this.#pending.length);
  }

  #flush(count: number): void {
    const lines = this.#pending.splice(0, count);
    const block = lines.length > 0 && lines.length < RUN ? blockOf(lines, true) : 'none';
    for (const { text, number, isCut } of lines) {
      this.#onLine(typeof block === 'string' ? text : (block.strip(text) ?? text), number, isCut);
    }
  }
}

/** Below the head of a part of a diff: lines that are new, gone, or neither. */
const DIFF: Block = { strip: (text) => (/^[ +-]/.test(text) ? text.slice(1) : undefined) };

/** True if a number, and a mark behind it, may be those of a line: no date, no clock. */
function mayBeNumbered(text: string, at: number): boolean {
  const end = digitsEnd(text, at);
  const code = text.charCodeAt(end);
  if (text.charCodeAt(at) === 48 || end - at > 7 || (code !== 58 && code !== 45)) return false;
  return !(
    isDigit(text.charCodeAt(end + 1)) &&
    isDigit(text.charCodeAt(end + 2)) &&
    !isDigit(text.charCodeAt(end + 3))
  );
}

/** True if a line begins with characters of a file's name, and a dash or a colon is in them or behind them. */
function mayBeName(text: string, at: number): boolean {
  for (let end = at; ; end++) {
    const code = text.charCodeAt(end);
    if (code === COLON || code === DASH) return true;
    if (!isLetter(code) && !isDigit(code) && code !== UNDERLINE && code !== DOT && code !== SLASH) return false;
  }
}

/** True for a name and a colon at the beginning of a line, as `grep -H` prints them. */
function mayBeNamed(text: string, at: number): boolean {
  // A pattern for all lines takes too long, and so does looking for the colon: the text goes on for many lines.
  if (!mayBeName(text, at)) return false;
  const start = text.slice(at, at + 111);
  const colon = start.indexOf(':');
  const code = start.charCodeAt(colon - 1);
  // g, t, s, l or f
  if (colon < 0 || !(code === 103 || code === 116 || code === 115 || code === 108 || code === 102)) return false;
  return NAMED.test(start.slice(0, colon + 1));
}

/** The block that the lines begin; `perhaps` if more lines must show it. `isAll`: no more lines belong to it. */
function blockOf(lines: readonly Line[], isAll = false): Block | 'perhaps' | 'none' {
  const texts = lines.map(({ text }) => text);
  for (const kind of KINDS) {
    const found = kind(texts, isAll);
    if (found !== 'none') return found;
  }
  return 'none';
}

type Kind = (texts: readonly string[], isAll: boolean) => Block | 'perhaps' | 'none';

/** What the number of lines alone tells: without a reason to go on, more of them are needed, or they are no block. */
function tooFew(contents: readonly string[], isAll: boolean, min = 2): 'perhaps' | 'none' | undefined {
  if (contents.length >= RUN) return undefined;
  if (!isAll) return 'perhaps';
  return contents.length >= min && isTypical(contents[0] ?? '') ? undefined : 'none';
}

/** A block whose lines begin with a pattern; `isBlock` judges what is behind it in the first lines. */
function prefixed(
  pattern: RegExp,
  isBlock: (contents: readonly string[]) => boolean,
  first?: (texts: readonly string[]) => RegExp,
): Kind {
  return (texts, isAll) => {
    if (!texts.every((text) => pattern.test(text))) return 'none';
    const mark = first?.(texts) ?? pattern;
    const contents = texts.map((text) => text.replace(mark, ''));
    const few = tooFew(contents, isAll);
    if (few !== undefined) return few;
    if (contents.length >= RUN && !isBlock(contents)) return 'none';
    return { strip: (text) => (mark.test(text) ? text.replace(mark, '') : undefined) };
  };
}

const count = (contents: readonly string[], test: (content: string) => boolean) => contents.filter(test).length;

const COMMENT = prefixed(
  /^#/,
  (contents) =>
    !contents.some((content) => /^ ?tracer: /.test(content)) && contents.some((content) => isTypical(content)),
  (texts) => (texts.every((text) => /^#(?:[ \t]|$)/.test(text)) ? /^#[ \t]?/ : /^#/),
);
const PLUS = prefixed(/^\+(?!\+\+ )/, (contents) => count(contents, isPrinted) >= 2);
const MINUS = prefixed(/^-(?!-- |\[)/, (contents) => count(contents, isTypical) >= 2);
const LIST = prefixed(/^[-*+] (?=\S| {3})/, (contents) => count(contents, isTypical) >= 2);

/** A block whose lines begin with ascending numbers. */
function numbered(
  pattern: RegExp,
  step: (before: number, after: number) => boolean,
  isOwn: (rest: string) => boolean,
  min?: number,
): Kind {
  return (texts, isAll) => {
    const found = texts.map((text) => pattern.exec(text));
    const numbers = found.map((match) => Number(match?.[1]));
    if (found.some((match) => match === null)) return 'none';
    if (numbers.some((number, i) => i > 0 && !step(numbers[i - 1] ?? 0, number))) return 'none';
    const contents = texts.map((text) => text.replace(pattern, ''));
    if (contents.some(isOwn)) return 'none';
    const few = tooFew(contents, isAll, min);
    if (few !== undefined) return few;
    let last = 0;
    return {
      strip: (text) => {
        const number = Number(pattern.exec(text)?.[1]);
        if (!(number > last)) return undefined;
        last = number;
        return text.replace(pattern, '');
      },
    };
  };
}

const GREP = numbered(
  NUMBERED,
  (before, after) => after > before,
  (rest) => OWN_NUMBER.test(rest),
);
const CAT = numbered(
  COUNTED,
  (before, after) => after === before + 1,
  () => false,
  1,
);

const NAMED_LINES: Kind = (texts, isAll) => {
  const name = NAMED.exec(texts[0] ?? '')?.[1];
  const strip = (text: string): string | undefined => {
    const found = NAMED.exec(text);
    return found && found[1] === name ? text.slice(found[0].length) : undefined;
  };
  const contents = texts.map(strip).filter((content) => content !== undefined);
  if (name === undefined || contents.length < texts.length) return 'none';
  return tooFew(contents, isAll) ?? { strip };
};

/** Rows whose first cell counts them, or below a row of dashes. One cell, or bars of the dump itself: see markup.ts. */
const TABLE: Kind = (texts, isAll) => {
  const cellsOf = (text: string) => ROW.exec(text)?.[1]?.split('|');
  const rows = texts.map(cellsOf);
  if (rows.some((cells) => cells === undefined || cells.length < 2)) return 'none';
  const hasRule = texts.some((text) => RULE.test(text));
  const first = rows.map((cells) => (/^ {0,8}\d{1,7} {0,8}$/.test(cells?.[0] ?? '') ? Number(cells?.[0]) : Number.NaN));
  const isCounted = first.every((number, i) =>
    i === 0 ? Number.isInteger(number) : number === (first[i - 1] ?? 0) + 1,
  );
  if (!hasRule && !isCounted) return texts.length < RUN && !isAll ? 'perhaps' : 'none';
  const few = tooFew(
    rows.map((cells) => (isCounted ? (cells?.[1] ?? '').trim() : '')),
    isAll,
  );
  if (few !== undefined) return few;
  return {
    strip: (text) => {
      if (RULE.test(text)) return '';
      const cells = cellsOf(text);
      if (!cells) return undefined;
      // The blank behind a bar is the bar's; more are the indentation of what is in the cell.
      const own = (isCounted ? cells.slice(1) : cells).map((cell) => cell.replace(/^ | $/g, ''));
      return own.length === 1 || isCounted ? own.join('|') : own.map((cell) => cell.trim()).join(' ');
    },
  };
};

const KINDS: readonly Kind[] = [COMMENT, LIST, PLUS, MINUS, NAMED_LINES, GREP, CAT, TABLE];
