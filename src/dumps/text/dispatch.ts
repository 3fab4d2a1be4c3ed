// Offers lines to the readers of the formats. A line waits until the lines are known that a reader may look ahead.
import { loadLaterDiagnostics } from '../diagnostics.ts';
import { type CheckedNumbers, checkNumbers } from '../fields/damaged-numbers.ts';
import { sysfsRoot } from '../fields/sysfs-path.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineFormat,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../format.ts';
import { InterestMatcher, type OpenFormats } from './interest.ts';
import type { RepeatedTexts } from './repeated-texts.ts';
import type { TextCollector } from './text-collector.ts';

const NONE: readonly LineFormat[] = [];

/**
 * Formats, the matcher of their interests, and the parsers that are loaded: made once for all texts that are read with
 * them.
 */
export class LineFormats {
  readonly formats: readonly LineFormat[];
  #interests: InterestMatcher | undefined;
  readonly #parsers = new Map<LineFormat, LineParser>();
  #repeated: Promise<RepeatedTexts> | undefined;
  #repeatedTexts: RepeatedTexts | undefined;
  /** Characters of texts so far in which it was looked for formats that are needed. */
  scouted = 0;

  constructor(formats: readonly LineFormat[]) {
    this.formats = formats;
  }

  /** Made when the first text is read: archives and formats of bytes do not need it. */
  get interests(): InterestMatcher {
    this.#interests ??= new InterestMatcher(this.formats.map(({ interest }) => interest));
    return this.#interests;
  }

  /** The texts of folders and archives that were read with these formats. */
  repeated(): Promise<RepeatedTexts> {
    this.#repeated ??= import('./repeated-texts.ts').then((part) => {
      this.#repeatedTexts = new part.RepeatedTexts();
      return this.#repeatedTexts;
    });
    return this.#repeated;
  }

  /** The same, if there are any. */
  get repeatedTexts(): RepeatedTexts | undefined {
    return this.#repeatedTexts;
  }

  /** The parser of a format; undefined if it is not loaded. */
  parserOf(format: LineFormat): LineParser | undefined {
    return this.#parsers.get(format);
  }

  /** The formats whose parsers are not loaded. */
  get missing(): readonly LineFormat[] {
    // Asked for each text.
    if (this.#parsers.size === this.formats.length) return NONE;
    return this.formats.filter((format) => !this.#parsers.has(format));
  }

  /** Loads the parsers of formats. Resolves to why some of them could not be loaded. */
  async load(formats: readonly LineFormat[]): Promise<readonly LoadProblem[]> {
    const problems: LoadProblem[] = [];
    const load = async (format: LineFormat) => {
      try {
        const [parser] = await Promise.all([format.load(), format.isEarly ? undefined : loadLaterDiagnostics()]);
        this.#parsers.set(format, parser);
      } catch (error) {
        problems.push({ format, reason: error instanceof Error ? error.message : String(error) });
      }
    };
    await Promise.all(formats.filter((format) => !this.#parsers.has(format)).map(load));
    return problems;
  }
}

/** Why the parser of a format could not be loaded. */
export interface LoadProblem {
  readonly format: LineFormat;
  readonly reason: string;
}

const BLANK = 32;

/** A row of a table of numbers, which only its numbers make interesting. */
const MAY_BE_ROW =
  /^\s{0,64}(?:0[xX]|[0-9a-fA-FxX*…]{4}[0-9a-fA-FxX*….\s:|-]|[0-9a-f]{1,4}…|\[[0-9a-fA-F]{3,4}h?[\s\]])/;

/** What the first two characters of such a row may be, without blanks before it. */
const ROW_LETTERS: ReadonlySet<number> = new Set(
  [...'0123456789abcdefABCDEFxX*…['].map((letter) => letter.charCodeAt(0)),
);

/** The same, for a line of ASCII. */
function mayBeRow(text: string): boolean {
  if (text.charCodeAt(0) <= BLANK) return MAY_BE_ROW.test(text);
  return ROW_LETTERS.has(text.charCodeAt(0)) && ROW_LETTERS.has(text.charCodeAt(1)) && MAY_BE_ROW.test(text);
}

const ENCODER = new TextEncoder();
/** Longer lines are rare. */
const SCRATCH_BYTES = 2048;
const ENDED = { isEnded: true };
const OPEN = { isEnded: false };

/** A line that waits. */
export interface WaitingLine extends Omit<DumpLine, 'text'> {
  /** Number of the line that was cut because of its length: this one, or a blank one before it. */
  readonly cutLine: number | undefined;
  /** True if it could have taken the shortcut. */
  readonly isShortcut: boolean;
  /** The name of the host that its prefix or prompt has, if it is the first line with it. */
  readonly hostName: string | undefined;
  /** Without its damaged numbers, once they were looked for. */
  text: string;
  isChecked: boolean;
  /** True if it has no mark of any format, except perhaps of what is inside of one. */
  readonly isDull: boolean;
  /** Its damaged and repaired numbers. */
  numbers: CheckedNumbers | undefined;
}

/** Where the lines of a text go, in order. */
export interface LineTaker {
  add(line: WaitingLine): void;
  /** Nothing waits any longer for the lines that follow. */
  flush(): void;
  /**
   * True if a line has no mark of any format, except perhaps of what is inside of one: `bytes`, of ASCII, from `from` to
   * `to`, exclusive, which is `content`. The line has nothing that is to be cleaned.
   */
  isDull(bytes: Uint8Array, from: number, to: number, content: string): boolean;
  /** The same for a line that was cleaned. */
  isDullText(text: string): boolean;
  /** True for a line that is like one that was dull, but for its hexadecimal digits, and dull too. `text`: has it from `from` to `to`. */
  isRepeated(bytes: Uint8Array, from: number, to: number, text: string): boolean;
  /** Takes a dull line if no reader can look at it; false if it must be added. */
  skip(number: number, content: string): boolean;
  reportCut(line: number): void;
  /** After the last line. `lines`: of the text, blank ones included. */
  end(lines: number): void;
  /** True if no reader looks beyond the lines that were added. */
  readonly canFlushEarly: boolean;
}

interface Active {
  /** Of its interest. */
  readonly index: number;
  readonly format: LineFormat;
  readonly sink: FactSink;
  readonly reader: LineReader;
  /** Lines ahead that this reader has taken already. */
  taken: number;
}

/** Add the lines of one text in order, then call `end`. */
export class Dispatcher implements LineTaker {
  readonly #formats: readonly LineFormat[];
  readonly #interests: InterestMatcher;
  readonly #open: OpenFormats;
  readonly #active: readonly Active[];
  readonly #source: DumpSource;
  readonly #collector: TextCollector;
  readonly #sink: FactSink;
  readonly #maxLength: number;
  /** At most LOOKAHEAD + 1; the first is offered next. */
  readonly #waiting: WaitingLine[] = [];
  /** The waiting lines that a reader recognized. */
  readonly #recognized = new Set<DumpLine>();
  readonly #ahead: Lookahead = (n) => {
    const line = this.#waiting[n];
    if (line) this.#check(line);
    return line;
  };
  /** For the bytes of a line. */
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  /** How many readers have taken lines ahead. */
  #taking = 0;

  constructor(lineFormats: LineFormats, source: DumpSource, collector: TextCollector, maxLength: number) {
    this.#formats = lineFormats.formats;
    this.#interests = lineFormats.interests;
    this.#open = this.#interests.openFormats();
    this.#source = source;
    this.#collector = collector;
    this.#maxLength = maxLength;
    this.#sink = collector.sink(source.name, { name: 'text', title: 'text' });
    const host = sysfsRoot(source.path);
    this.#active = lineFormats.formats.flatMap((format, index) => {
      const parser = lineFormats.parserOf(format);
      if (!parser) return [];
      const sink = collector.sink(source.name, format, host);
      return [{ index, format, sink, reader: parser.open(source, sink), taken: 0 }];
    });
  }

  add(line: WaitingLine): void {
    this.#waiting.push(line);
    if (this.#waiting.length > LOOKAHEAD) this.#offerFirst();
    // Nobody looks ahead from a dull line.
    while (this.#taking === 0 && this.#waiting[0]?.isDull && !this.#isInside(this.#waiting[0].text)) this.#offerFirst();
  }

  isDull(bytes: Uint8Array, from: number, to: number, content: string): boolean {
    if (!this.#interests.isDull(bytes, from, to, content) || mayBeRow(content)) return false;
    this.#interests.note(bytes, from, to, content);
    return true;
  }

  isDullText(text: string): boolean {
    const { read, written } = ENCODER.encodeInto(text, this.#scratch);
    if (read !== text.length || written !== text.length || mayBeRow(text)) return false;
    return this.#interests.isDull(this.#scratch, 0, written, text);
  }

  /** As `isDull`, for a line whose beginning `isForeign`. `isEnded`: the line below it is another event. */
  isDullEvent(bytes: Uint8Array, from: number, to: number, content: string, isEnded: boolean): boolean {
    return this.#interests.isDull(bytes, from, to, content, isEnded ? ENDED : OPEN);
  }

  /** True if a line with this beginning has no shape that is bound to its start, and is no row of a table. */
  isForeign(beginning: string): boolean {
    return !MAY_BE_ROW.test(beginning) && this.#interests.isForeign(beginning);
  }

  isRepeated(bytes: Uint8Array, from: number, to: number, text: string): boolean {
    return this.#interests.isRepeated(bytes, from, to, text);
  }

  skip(number: number, content: string): boolean {
    if (this.#waiting.length > 0 || this.#taking > 0 || this.#isInside(content)) return false;
    this.#collector.leftover(this.#source.name, number, content);
    return true;
  }

  #isInside(text: string): boolean {
    return this.#open.innerShapes.length > 0 && this.#interests.matchesInside(text, this.#open);
  }

  /** Offers all lines that wait. */
  flush(): void {
    while (this.#waiting.length > 0) this.#offerFirst();
  }

  end(lines: number): void {
    this.flush();
    this.#collector.lines += lines;
    for (const { reader } of this.#active) reader.end?.();
  }

  reportCut(line: number): void {
    this.#collector.diagnostic(this.#source.name, 'long-line-cut', { limit: this.#maxLength, isSkipped: false }, line);
  }

  /** True if no reader looks beyond the waiting lines: each of them could have taken the shortcut. */
  get canFlushEarly(): boolean {
    return this.#taking === 0 && this.#waiting.every(({ isShortcut }) => isShortcut);
  }

  /** True if the text interests this format and no other, whatever has begun before it. */
  interestsOnly(format: LineFormat, text: string): boolean {
    const every = this.#interests.everyFormat();
    this.#interests.look(text, every);
    return this.#formats.every((other, index) => this.#interests.matches(index, every) === (other === format));
  }

  /** The sink of a format for this text. */
  sinkOf(format: LineFormat): FactSink {
    return this.#active.find((active) => active.format === format)?.sink ?? this.#sink;
  }

  #offerFirst(): void {
    const [line] = this.#waiting;
    if (!line) return;
    if (line.cutLine !== undefined) this.reportCut(line.cutLine);
    if (line.hostName !== undefined) {
      // No format: a name alone does not make a text a dump.
      this.#collector.push({ kind: 'host', name: line.hostName, source: this.#source.name, line: line.number });
    }
    const isForAll = line.prompt !== undefined || line.elision;
    // Most lines interest no format.
    const isOfInterest = line.isDull
      ? this.#isInside(line.text) && this.#interests.look(line.text, this.#open)
      : this.#interests.look(line.text, this.#open);
    const { reported } = this.#collector;
    if (isOfInterest || isForAll || this.#taking > 0) {
      this.#check(line);
      this.#offer(line, isForAll);
    } else if (!line.isDull && MAY_BE_ROW.test(line.text)) this.#check(line);
    if (line.numbers) this.#reportNumbers(line, line.numbers, isOfInterest, this.#collector.reported > reported);
    this.#waiting.shift();
    const isRecognized = this.#recognized.delete(line);
    if (line.elision) this.#collector.diagnostic(this.#source.name, 'elision', { text: line.text }, line.number);
    else if (!isRecognized && line.text !== '') this.#collector.leftover(this.#source.name, line.number, line.text);
  }

  /** Hides the damaged numbers of a line. */
  #check(line: WaitingLine): void {
    if (line.isChecked) return;
    line.isChecked = true;
    const numbers = checkNumbers(line.text);
    if (!numbers) return;
    this.#collector.hasDamagedNumbers = true;
    line.numbers = numbers;
    line.text = numbers.text;
  }

  /** Says which numbers of a line were not used, if a format could have used them and has not said so. */
  #reportNumbers(
    { number, text }: WaitingLine,
    { damaged, filled, repaired }: CheckedNumbers,
    isOfInterest: boolean,
    isReported: boolean,
  ): void {
    if (!isOfInterest && !this.#interests.look(filled, this.#open)) return;
    const source = this.#source.name;
    if (damaged.length > 0 && !isReported) {
      this.#collector.diagnostic(source, 'damaged-number', { numbers: damaged, text }, number);
    }
    for (const cross of repaired) {
      const digits = cross.replace('×', 'x');
      this.#collector.diagnostic(source, 'repaired-number', { number: cross, digits }, number);
    }
  }

  #offer(line: DumpLine, isForAll: boolean): void {
    for (const active of this.#active) {
      if (active.taken > 0) {
        if (--active.taken === 0) this.#taking--;
        continue;
      }
      if (!isForAll && !this.#interests.matches(active.index, this.#open)) continue;
      const taken = active.reader.line(line, this.#ahead);
      if (taken <= 0) continue;
      active.taken = taken - 1;
      if (taken > 1) this.#taking++;
      for (const recognized of this.#waiting.slice(0, taken)) this.#recognized.add(recognized);
    }
  }
}
