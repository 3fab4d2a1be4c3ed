// Feeds the lines of one text to the readers of all line formats. Holds a few lines, never the text.
import type { Fact } from '../../session/events.ts';
import { LineSplitter } from '../../session/lines.ts';
import { sysfsRoot } from '../fields/sysfs-path.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineFormat,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
  type Shortcut,
} from '../format.ts';
import type { Collector } from '../input/collector.ts';
import {
  cleanLine,
  decodeQuotedPrintable,
  isDecoration,
  isElision,
  showsQuotedPrintable,
  softBreak,
} from './envelope.ts';
import { FreeTexts } from './free-texts.ts';
import { InterestMatcher } from './interest.ts';
import type { Prompt } from './shell.ts';

/** Longer lines are cut: no dump has them, and binary junk must not fill the memory. In characters. */
export const LONGEST_LINE = 16_384;
const LINE_CUT = { limit: LONGEST_LINE, isSkipped: false };
/** Most physical lines that quoted-printable may have made out of one. */
const SOFT_BREAKS = 8;
const WINDOW = LOOKAHEAD + 1;

/** A line in the window. */
interface WindowLine extends DumpLine {
  prompt?: Prompt;
  /** The line in the source whose end was cut off, if that was done to it. */
  readonly cut: number | undefined;
  /** Whether somebody understood it. */
  claimed: boolean;
}

/** How a line went by the shortcut: not at all, as far as the window let it, or all the way. */
type Went = 'not' | 'almost' | 'away';

interface Active {
  readonly format: LineFormat;
  readonly sink: FactSink;
  readonly reader: LineReader;
  /** Lines ahead that this reader has taken already. */
  taken: number;
}

/** Formats with what finds the lines that interest them: made once for all texts that are read with them. */
export class LineFormats {
  readonly formats: readonly LineFormat[];
  readonly interests: InterestMatcher;

  constructor(formats: readonly LineFormat[]) {
    this.formats = formats;
    this.interests = new InterestMatcher(formats.map(({ interest }) => interest));
  }
}

/** Push text in pieces of any size, then call `end`. */
export class TextReader {
  readonly #splitter = new LineSplitter({ loneCarriageReturn: true });
  readonly #collector: Collector;
  readonly #source: DumpSource;
  readonly #sink: FactSink;
  readonly #active: Active[];
  readonly #interests: InterestMatcher;
  /** How many readers have taken lines ahead. */
  #taking = 0;
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
  #cut: number | undefined;
  readonly #shortcut: { readonly by: Shortcut; readonly sink: FactSink; readonly texts: FreeTexts } | undefined;
  /** The fact of the last line, if that went by the shortcut: it leaves when the next does so too. */
  #held: Fact | undefined;
  #heldNumber = 0;
  #heldBlanks = 0;
  /** The text of that line, once the piece at hand is another; else where it stands in it. */
  #heldRaw: string | undefined;
  #heldFrom = 0;
  #heldTo = 0;
  #piece = '';
  /** How many of the last lines in the window could have gone by the shortcut. */
  #run = 0;

  constructor({ formats, interests }: LineFormats, source: DumpSource, collector: Collector) {
    this.#collector = collector;
    this.#source = source;
    this.#sink = collector.sink(source.name, { name: 'text', title: 'text' });
    const host = sysfsRoot(source.path);
    this.#active = formats.map((format) => {
      const sink = collector.sink(source.name, format, host);
      return { format, sink, reader: format.open(source, sink), taken: 0 };
    });
    this.#interests = interests;
    const own = this.#active.find(({ format }) => format.shortcut !== undefined);
    const by = own?.format.shortcut;
    if (own && by) this.#shortcut = { by, sink: own.sink, texts: new FreeTexts((line) => this.#isOnlyFor(own, line)) };
  }

  push(text: string): void {
    this.#piece = text;
    const from = this.#pushWhole(text);
    if (this.#held) this.#heldRaw ??= text.slice(this.#heldFrom, this.#heldTo);
    this.#piece = '';
    for (const line of this.#splitter.push(from === 0 ? text : text.slice(from))) this.#physical(line);
    if (this.#splitter.openLength > LONGEST_LINE) {
      const [open = ''] = this.#splitter.end();
      if (!this.#cutting) this.#tooLong(open, this.#number + 1);
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
      for (const line of this.#splitter.push(text.slice(0, from))) this.#joined(line);
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
      else if (to - from > LONGEST_LINE) this.#tooLong(text.slice(from, to), this.#number);
      else {
        const went = this.#goShort(from, to);
        if (went !== 'away') {
          const run = went === 'almost' ? this.#run + 1 : 0;
          this.#line(text.slice(from, to), this.#number);
          this.#run = run;
        }
      }
      from = end + 1;
    }
  }

  /** A line that began in another piece than it ended in. */
  #joined(line: string): void {
    const to = line.length - 1;
    const isPlain = !this.#afterLoneReturn && !this.#cutting && to <= LONGEST_LINE && line.indexOf('\n') === to;
    if (this.#shortcut && isPlain && line.charCodeAt(to - 1) !== 13) {
      if (this.#bytes.length < line.length) this.#bytes = new Uint8Array(2 * line.length);
      const { read, written } = this.#encoder.encodeInto(line, this.#bytes);
      this.#number++;
      if (read === written && this.#goShort(0, to) === 'away') {
        this.#heldRaw = line.slice(0, to);
        return;
      }
      this.#number--;
    }
    this.#physical(line);
  }

  /**
   * Takes a line of the bytes by the shortcut. That is possible if all lines that still wait could have gone there: then
   * no reader looks beyond them, and they may leave.
   */
  #goShort(from: number, to: number): Went {
    const shortcut = this.#shortcut;
    if (!shortcut || this.#quotedPrintable || this.#soft || this.#cut !== undefined) return 'not';
    const bytes = this.#bytes;
    const free = shortcut.by.free(bytes, from, to);
    if (free < 0) return 'not';
    const fact = shortcut.by.read(bytes, free, to);
    if (!fact || !shortcut.texts.isPlain(bytes, from, free, to)) return 'not';
    if (this.#held) shortcut.sink.fact(this.#held, this.#heldNumber);
    else {
      if (this.#run < this.#waiting || this.#taking > 0) return 'almost';
      while (this.#waiting > 0) this.#step();
    }
    this.#held = fact;
    this.#heldNumber = this.#number;
    this.#heldBlanks = this.#blanks;
    this.#heldRaw = undefined;
    this.#heldFrom = from;
    this.#heldTo = to;
    this.#ordinal++;
    this.#blanks = 0;
    return 'away';
  }

  /** True if the line needs no cleaning and interests this format alone. */
  #isOnlyFor(own: Active, text: string): boolean {
    const [line, ...more] = cleanLine(text);
    if (!line || more.length > 0 || line.prompt || line.text !== text || isDecoration(text) || isElision(text)) {
      return false;
    }
    this.#interests.look(text);
    return this.#active.every((active, i) => this.#interests.matches(i) === (active === own));
  }

  /** The line whose fact is held goes the long way after all, as the next one does. */
  #settle(): void {
    const raw = this.#heldRaw ?? this.#piece.slice(this.#heldFrom, this.#heldTo);
    this.#held = undefined;
    this.#heldRaw = undefined;
    this.#ordinal--;
    this.#blanks = this.#heldBlanks;
    this.#take(this.#heldNumber, raw, raw, undefined);
    this.#run = 1;
  }

  end(): void {
    for (const line of this.#splitter.end()) this.#physical(line);
    if (this.#held) this.#settle();
    // Nothing came behind the part of a long line that was taken.
    if (this.#cutting) this.#number++;
    this.#flushSoft();
    while (this.#waiting > 0) this.#step();
    // It had nothing but blanks.
    if (this.#cut !== undefined) this.#sink.diagnostic('long-line-cut', LINE_CUT, this.#cut);
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
    if (raw.length > LONGEST_LINE) this.#tooLong(raw, this.#number);
    else this.#line(raw, this.#number);
  }

  #tooLong(raw: string, number: number): void {
    if (this.#held) this.#settle();
    this.#cut = number;
    this.#line(raw.slice(0, LONGEST_LINE), number);
  }

  /** Joins what quoted-printable broke, then cleans. */
  #line(raw: string, number: number): void {
    if (this.#held) this.#settle();
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
    else this.#clean(raw, number);
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
      if (!prompt && isDecoration(text) && !isElision(text)) {
        this.#blanks++;
        continue;
      }
      this.#take(number, raw, text, prompt);
    }
  }

  #take(number: number, raw: string, text: string, prompt: Prompt | undefined): void {
    const line: WindowLine = {
      number,
      raw,
      text,
      index: this.#ordinal++,
      blanksBefore: this.#blanks,
      elision: !prompt && isElision(text),
      cut: this.#cut,
      claimed: false,
    };
    this.#cut = undefined;
    this.#run = 0;
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
    if (line.cut !== undefined) this.#sink.diagnostic('long-line-cut', LINE_CUT, line.cut);
    const always = line.prompt !== undefined || line.elision;
    // Most lines interest nobody.
    if (this.#interests.look(line.text) || always || this.#taking > 0) this.#offer(line, always);
    this.#window[this.#first] = undefined;
    this.#first = (this.#first + 1) % WINDOW;
    this.#waiting--;
    if (line.elision) {
      this.#sink.diagnostic('elision', { text: line.text }, line.number);
    } else if (!line.claimed && line.text !== '') {
      this.#collector.leftover(this.#source.name, line.number, line.text);
    }
  }

  #offer(line: WindowLine, always: boolean): void {
    for (let i = 0; i < this.#active.length; i++) {
      const active = this.#active[i] as Active;
      if (active.taken > 0) {
        if (--active.taken === 0) this.#taking--;
        continue;
      }
      if (!always && !this.#interests.matches(i)) continue;
      const taken = active.reader.line(line, this.#ahead);
      if (taken <= 0) continue;
      active.taken = taken - 1;
      if (taken > 1) this.#taking++;
      for (let n = 0; n < taken && n < this.#waiting; n++) {
        const claimed = this.#window[(this.#first + n) % WINDOW];
        if (claimed) claimed.claimed = true;
      }
    }
  }
}
