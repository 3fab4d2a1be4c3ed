// Feeds the lines of one text to the readers of all line formats. Holds a few lines, never the text.
import { LineSplitter } from '../session/lines.ts';
import type { Collector } from './collector.ts';
import {
  cleanLine,
  decodeQuotedPrintable,
  isDecoration,
  isElision,
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
} from './format.ts';
import { sysfsRoot } from './sysfs-path.ts';

/** Longer lines are cut: no dump has them, and binary junk must not fill the memory. In characters. */
export const LONGEST_LINE = 16_384;
/** Most physical lines that quoted-printable may have made out of one. */
const SOFT_BREAKS = 8;

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
  readonly #window: DumpLine[] = [];
  /** Of each line in the window: whether somebody understood it. */
  readonly #claimed: boolean[] = [];
  #number = 0;
  #index = 0;
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
  }

  push(text: string): void {
    for (const line of this.#splitter.push(text)) this.#physical(line);
    if (this.#splitter.openLength > LONGEST_LINE) {
      const [open = ''] = this.#splitter.end();
      if (!this.#cutting) {
        this.#sink.diagnostic(
          'warning',
          'long-line-cut',
          `a line of more than ${LONGEST_LINE} characters was cut`,
          this.#number + 1,
        );
        this.#line(open.slice(0, LONGEST_LINE), this.#number + 1);
      }
      this.#cutting = true;
    }
  }

  end(): void {
    for (const line of this.#splitter.end()) this.#physical(line);
    this.#flushSoft();
    while (this.#window.length > 0) this.#step();
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
    if (raw.length > LONGEST_LINE) {
      const message = `a line of ${raw.length} characters was cut to ${LONGEST_LINE}`;
      this.#sink.diagnostic('warning', 'long-line-cut', message, this.#number);
      raw = raw.slice(0, LONGEST_LINE);
    }
    this.#line(raw, this.#number);
  }

  /** Joins what quoted-printable broke, then cleans. */
  #line(raw: string, number: number): void {
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
    this.#clean(this.#quotedPrintable ? decodeQuotedPrintable(raw) : raw, number);
  }

  #flushSoft(): void {
    const soft = this.#soft;
    this.#soft = undefined;
    if (soft) this.#clean(soft.raw, soft.number);
  }

  #clean(raw: string, number: number): void {
    const cleaned = cleanLine(raw);
    if (cleaned.length === 0) this.#blanks++;
    for (const { text, prompt } of cleaned) {
      const elision = !prompt && isElision(text);
      if (!prompt && !elision && isDecoration(text)) {
        this.#blanks++;
        continue;
      }
      this.#window.push({
        number,
        raw,
        text,
        index: this.#index++,
        blanksBefore: this.#blanks,
        elision,
        ...(prompt ? { prompt } : {}),
      });
      this.#claimed.push(false);
      this.#blanks = 0;
      if (this.#window.length > LOOKAHEAD) this.#step();
    }
  }

  /** Offers the first line of the window to every reader and lets it go. */
  #step(): void {
    const line = this.#window[0];
    if (!line) return;
    const ahead = (n: number) => this.#window[n];
    for (const active of this.#active) {
      if (active.taken > 0) {
        active.taken--;
        continue;
      }
      if (!line.prompt && !line.elision && !active.format.interest.test(line.text)) continue;
      const taken = active.reader.line(line, ahead);
      if (taken <= 0) continue;
      active.taken = taken - 1;
      for (let i = 0; i < taken && i < this.#claimed.length; i++) this.#claimed[i] = true;
    }
    this.#window.shift();
    const claimed = this.#claimed.shift();
    if (line.elision) {
      this.#sink.diagnostic('info', 'elision', `something was left out here: “${line.text.trim()}”`, line.number);
    } else if (!claimed && line.text !== '') this.#collector.leftover(this.#source.name, line.number, line.text);
  }
}
