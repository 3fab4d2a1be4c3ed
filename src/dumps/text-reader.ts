// Feeds the lines of one text to the readers of all line formats. Holds a few lines, never the text.
import { LineSplitter } from '../session/lines.ts';
import type { Collector } from './collector.ts';
import {
  cleanLine,
  decodeQuotedPrintable,
  hasWord,
  isDecoration,
  isElision,
  MARKS,
  plainText,
  plainTextBehindPrefix,
  showsQuotedPrintable,
  softBreak,
} from './envelope.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineFormat,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from './format.ts';
import { type InterestIndex, interestIndex } from './interest-index.ts';
import type { Prompt } from './shell.ts';
import { sysfsRoot } from './sysfs-path.ts';

/** Longer lines are cut: no dump has them, and binary junk must not fill the memory. In characters. */
export const LONGEST_LINE = 16_384;
const LINE_CUT = `a line of more than ${LONGEST_LINE} characters was cut`;
/** Most physical lines that quoted-printable may have made out of one. */
const SOFT_BREAKS = 8;
const WINDOW = LOOKAHEAD + 1;

/** A line in the window. */
interface WindowLine extends DumpLine {
  prompt?: Prompt;
  /** The formats that it is to be offered to, as the index of interests has them. */
  readonly interested: number;
  /** Whether somebody understood it. */
  claimed: boolean;
}

/** The marks of a line over which the index has just walked; undefined for any other line. */
type Marks = number | undefined;

interface Active {
  readonly format: LineFormat;
  readonly reader: LineReader;
  /** Lines ahead that this reader has taken already. */
  taken: number;
}

/** Push text in pieces of any size, then call `end`. */
export class TextReader {
  readonly #splitter = new LineSplitter({ loneCarriageReturn: true });
  readonly #collector: Collector;
  readonly #source: DumpSource;
  readonly #sink: FactSink;
  readonly #active: Active[];
  readonly #index: InterestIndex;
  /** Lines that are not yet offered, from `#first` on, around the end. */
  readonly #window: (WindowLine | undefined)[] = new Array(WINDOW).fill(undefined);
  #first = 0;
  #waiting = 0;
  readonly #ahead: Lookahead = (n) => (n < this.#waiting ? this.#window[(this.#first + n) % WINDOW] : undefined);
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(0);
  #number = 0;
  #ordinal = 0;
  #blanks = 0;
  #afterLoneReturn = false;
  #cutting = false;
  #quotedPrintable = false;
  #soft: { raw: string; number: number; parts: number } | undefined;

  constructor(formats: readonly LineFormat[], source: DumpSource, collector: Collector) {
    this.#collector = collector;
    this.#source = source;
    this.#sink = collector.sink(source.name, { name: 'text', title: 'text' });
    this.#active = formats.map((format) => ({
      format,
      reader: format.open(source, collector.sink(source.name, format, sysfsRoot(source.path))),
      taken: 0,
    }));
    this.#index = interestIndex(formats.map(({ interest }) => interest));
  }

  push(text: string): void {
    const from = this.#pushWhole(text);
    for (const line of this.#splitter.push(from === 0 ? text : text.slice(from))) this.#physical(line);
    if (this.#splitter.openLength > LONGEST_LINE) {
      const [open = ''] = this.#splitter.end();
      if (!this.#cutting) {
        this.#sink.diagnostic('warning', 'long-line-cut', LINE_CUT, this.#number + 1);
        this.#line(open.slice(0, LONGEST_LINE), this.#number + 1);
      }
      this.#cutting = true;
    }
  }

  /**
   * The short way, for text of ASCII: takes lines that begin and end in it, and returns where the rest begins. Whatever
   * is unusual about their ends is left to the splitter.
   */
  #pushWhole(text: string): number {
    let from = 0;
    if (this.#splitter.openLength > 0) {
      from = text.indexOf('\n') + 1;
      if (from === 0) return 0;
      for (const line of this.#splitter.push(text.slice(0, from))) this.#physical(line);
    }
    if (this.#bytes.length < text.length) this.#bytes = new Uint8Array(text.length);
    const { read, written } = this.#encoder.encodeInto(text, this.#bytes);
    if (read !== written || read !== text.length) return from;
    const returns = text.includes('\r');
    for (;;) {
      const end = text.indexOf('\n', from);
      if (end < 0 || this.#afterLoneReturn) return from;
      let to = end;
      if (returns) {
        const first = text.indexOf('\r', from);
        if (first >= 0 && first < end - 1) return from;
        if (first === end - 1) to = first;
      }
      this.#number++;
      if (this.#cutting) this.#cutting = false;
      else if (to - from > LONGEST_LINE) this.#tooLong(text.slice(from, to));
      else this.#line(text.slice(from, to), this.#number, this.#index.walk(this.#bytes, from, to, MARKS));
      from = end + 1;
    }
  }

  end(): void {
    for (const line of this.#splitter.end()) this.#physical(line);
    // Nothing came behind the part of a long line that was taken.
    if (this.#cutting) this.#number++;
    this.#flushSoft();
    while (this.#waiting > 0) this.#step();
    for (const { reader } of this.#active) reader.end?.();
    this.#collector.lines += this.#number;
  }

  #physical(line: string): void {
    // "\r\r\n" ends one line: a second conversion of line ends put the extra "\r" there.
    if (this.#afterLoneReturn && line === '\r\n') {
      this.#afterLoneReturn = false;
      return;
    }
    this.#afterLoneReturn = line.endsWith('\r');
    this.#number++;
    if (this.#cutting) {
      this.#cutting = false;
      return;
    }
    let end = line.length;
    while (end > 0 && (line.charCodeAt(end - 1) === 10 || line.charCodeAt(end - 1) === 13)) end--;
    let raw = end === line.length ? line : line.slice(0, end);
    if (this.#number === 1 && raw.charCodeAt(0) === 0xfeff) raw = raw.slice(1);
    if (raw.length > LONGEST_LINE) this.#tooLong(raw);
    else this.#line(raw, this.#number);
  }

  #tooLong(raw: string): void {
    this.#sink.diagnostic('warning', 'long-line-cut', LINE_CUT, this.#number);
    this.#line(raw.slice(0, LONGEST_LINE), this.#number);
  }

  /** Joins what quoted-printable broke, then cleans. */
  #line(raw: string, number: number, marks?: Marks): void {
    if (!this.#quotedPrintable && raw.includes('=')) this.#quotedPrintable = showsQuotedPrintable(raw);
    const soft = this.#soft;
    if (soft) {
      const whole = soft.raw + raw.replace(/^(?:[ \t]{0,4}>){1,12} ?/, '');
      this.#soft = undefined;
      if (whole.endsWith('=') && softBreak(raw, true) && soft.parts < SOFT_BREAKS) {
        this.#soft = { raw: whole.slice(0, -1), number: soft.number, parts: soft.parts + 1 };
        return;
      }
      // That the encoding is quoted-printable may be a guess: `size=4096` is no escape then. Where it is not, `=3D` is.
      const encoded = this.#quotedPrintable || whole.includes('=3D');
      this.#clean(encoded ? decodeQuotedPrintable(whole) : whole, soft.number);
      return;
    }
    if (raw.endsWith('=') && softBreak(raw, this.#quotedPrintable)) {
      this.#soft = { raw: raw.slice(0, -1), number, parts: 1 };
      return;
    }
    if (this.#quotedPrintable) this.#clean(decodeQuotedPrintable(raw), number);
    else this.#clean(raw, number, marks);
  }

  #flushSoft(): void {
    const soft = this.#soft;
    this.#soft = undefined;
    if (soft) this.#clean(soft.raw, soft.number);
  }

  #clean(raw: string, number: number, marks?: Marks): void {
    if (marks !== undefined) {
      const plain = plainText(raw, marks);
      const text = plain ?? plainTextBehindPrefix(raw, marks);
      // Of a line with a prefix the marks say nothing of the rest.
      if (text !== undefined && (plain === undefined ? !isDecoration(text) : hasWord(marks))) {
        this.#take(number, raw, text, undefined, this.#index.interested(text));
        return;
      }
    }
    const cleaned = cleanLine(raw);
    if (cleaned.length === 0) this.#blanks++;
    for (const { text, prompt } of cleaned) {
      if (!prompt && isDecoration(text) && !isElision(text)) {
        this.#blanks++;
        continue;
      }
      // What was taken off leaves a part of the line, as a rule: the walk was over it too.
      const walked = marks !== undefined && raw.includes(text);
      this.#take(number, raw, text, prompt, walked ? this.#index.interested(text) : this.#index.interestedIn(text));
    }
  }

  #take(number: number, raw: string, text: string, prompt: Prompt | undefined, interested: number): void {
    const line: WindowLine = {
      number,
      raw,
      text,
      index: this.#ordinal++,
      blanksBefore: this.#blanks,
      elision: !prompt && isElision(text),
      interested,
      claimed: false,
    };
    if (prompt) line.prompt = prompt;
    this.#window[(this.#first + this.#waiting) % WINDOW] = line;
    this.#waiting++;
    this.#blanks = 0;
    if (this.#waiting === WINDOW) this.#step();
  }

  /** Offers the first line of the window to every reader and lets it go. */
  #step(): void {
    const line = this.#window[this.#first];
    if (!line) return;
    const { interested } = line;
    const always = line.prompt !== undefined || line.elision;
    for (let i = 0; i < this.#active.length; i++) {
      const active = this.#active[i] as Active;
      if (active.taken > 0) {
        active.taken--;
        continue;
      }
      if (!always && !this.#index.matches(interested, i, line.text)) continue;
      const taken = active.reader.line(line, this.#ahead);
      if (taken <= 0) continue;
      active.taken = taken - 1;
      for (let n = 0; n < taken && n < this.#waiting; n++) {
        const claimed = this.#window[(this.#first + n) % WINDOW];
        if (claimed) claimed.claimed = true;
      }
    }
    this.#window[this.#first] = undefined;
    this.#first = (this.#first + 1) % WINDOW;
    this.#waiting--;
    if (line.elision) {
      this.#sink.diagnostic('info', 'elision', `something was left out here: “${line.text.trim()}”`, line.number);
    } else if (!line.claimed && line.text !== '') {
      this.#collector.leftover(this.#source.name, line.number, line.text);
    }
  }
}
