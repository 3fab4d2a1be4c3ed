// Offers lines to the readers of the formats. A line waits until the lines are known that a reader may look ahead.
import { type CheckedNumbers, checkNumbers } from '../fields/damaged-numbers.ts';
import { sysfsRoot } from '../fields/sysfs-path.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineFormat,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../format.ts';
import type { Collector } from '../input/collector.ts';
import { InterestMatcher } from './interest.ts';

/** Formats and the matcher of their interests: made once for all texts that are read with them. */
export class LineFormats {
  readonly formats: readonly LineFormat[];
  #interests: InterestMatcher | undefined;

  constructor(formats: readonly LineFormat[]) {
    this.formats = formats;
  }

  /** Made when the first text is read: archives and formats of bytes do not need it. */
  get interests(): InterestMatcher {
    this.#interests ??= new InterestMatcher(this.formats.map(({ interest }) => interest));
    return this.#interests;
  }
}

/** A row of a table of numbers, which only its numbers make interesting. */
const MAY_BE_ROW =
  /^\s{0,64}(?:0[xX]|[0-9a-fA-FxX*…]{4}[0-9a-fA-FxX*….\s:|-]|[0-9a-f]{1,4}…|\[[0-9a-fA-F]{3,4}h?[\s\]])/;

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
  /** Its damaged and repaired numbers. */
  numbers: CheckedNumbers | undefined;
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
export class Dispatcher {
  readonly #interests: InterestMatcher;
  readonly #active: readonly Active[];
  readonly #source: DumpSource;
  readonly #collector: Collector;
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
  /** How many readers have taken lines ahead. */
  #taking = 0;

  constructor(lineFormats: LineFormats, source: DumpSource, collector: Collector, maxLength: number) {
    this.#interests = lineFormats.interests;
    this.#source = source;
    this.#collector = collector;
    this.#maxLength = maxLength;
    this.#sink = collector.sink(source.name, { name: 'text', title: 'text' });
    const host = sysfsRoot(source.path);
    this.#active = lineFormats.formats.map((format, index) => {
      const sink = collector.sink(source.name, format, host);
      return { index, format, sink, reader: format.open(source, sink), taken: 0 };
    });
  }

  add(line: WaitingLine): void {
    this.#waiting.push(line);
    if (this.#waiting.length > LOOKAHEAD) this.#offerFirst();
  }

  /** Offers all lines that wait. */
  flush(): void {
    while (this.#waiting.length > 0) this.#offerFirst();
  }

  /** Call it after the last line. */
  end(): void {
    this.flush();
    for (const { reader } of this.#active) reader.end?.();
  }

  reportCut(line: number): void {
    this.#collector.diagnostic(this.#source.name, 'long-line-cut', { limit: this.#maxLength, isSkipped: false }, line);
  }

  /** True if no reader looks beyond the waiting lines: each of them could have taken the shortcut. */
  get canFlushEarly(): boolean {
    return this.#taking === 0 && this.#waiting.every(({ isShortcut }) => isShortcut);
  }

  /** True if the text interests this format and no other. */
  interestsOnly(format: LineFormat, text: string): boolean {
    this.#interests.look(text);
    return this.#active.every((active) => this.#interests.matches(active.index) === (active.format === format));
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
    const isOfInterest = this.#interests.look(line.text);
    const { reported } = this.#collector;
    if (isOfInterest || isForAll || this.#taking > 0) {
      this.#check(line);
      this.#offer(line, isForAll);
    } else if (MAY_BE_ROW.test(line.text)) this.#check(line);
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
    if (!isOfInterest && !this.#interests.look(filled)) return;
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
      if (!isForAll && !this.#interests.matches(active.index)) continue;
      const taken = active.reader.line(line, this.#ahead);
      if (taken <= 0) continue;
      active.taken = taken - 1;
      if (taken > 1) this.#taking++;
      for (const recognized of this.#waiting.slice(0, taken)) this.#recognized.add(recognized);
    }
  }
}
