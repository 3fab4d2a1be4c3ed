// Reads one text, whatever formats its lines are of. The way of a line:
//
//   piece of text
//     → text-lines.ts         cut into numbered lines
//     → shortcut.ts           millions of lines of one kind: straight to their facts, past everything below
//     → quoted-printable.ts   lines that a mail program broke softly are joined
//     → envelope.ts           quote marks, log prefixes and prompts are removed
//     → dispatch.ts           offered to the formats that it interests, once the lines ahead are known
//     → formats/…             facts, by the sinks of ../input/collector.ts; lines that nobody took are counted there
//
// Only a few lines are in memory at a time, never the text.
import type { Fact } from '../../session/events.ts';
import type { DumpSource } from '../format.ts';
import type { Collector } from '../input/collector.ts';
import { Dispatcher, type LineFormats } from './dispatch.ts';
import { cleanLine } from './envelope.ts';
import { type NumberedLine, QuotedPrintable } from './quoted-printable.ts';
import { isDecoration, isElision } from './separators.ts';
import type { Prompt } from './shell.ts';
import { ShortcutReader } from './shortcut.ts';
import { TextLines } from './text-lines.ts';

/** Longer lines are cut: no dump has them, and binary junk must not fill the memory. In characters. */
const LINE_LENGTH_MAX = 16_384;

/** A line whose fact came by the shortcut. The fact is emitted once the next line has one too. */
interface HeldLine {
  readonly fact: Fact;
  readonly text: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly number: number;
  readonly index: number;
  readonly blanksBefore: number;
}

/** Push text in pieces of any size, then call `end`. */
export class TextReader {
  readonly #collector: Collector;
  readonly #dispatcher: Dispatcher;
  readonly #shortcut: ShortcutReader | undefined;
  readonly #lines = new TextLines(LINE_LENGTH_MAX, (text, from, to, number, isCut) =>
    this.#line(text, from, to, number, isCut),
  );
  readonly #quotedPrintable = new QuotedPrintable();
  /** The next line's `index` and `blanksBefore` (format.ts). */
  #index = 0;
  #blanks = 0;
  /** The number of a line that was cut, until a line that is not blank follows or is it. */
  #cutLine: number | undefined;
  #held: HeldLine | undefined;

  constructor(formats: LineFormats, source: DumpSource, collector: Collector) {
    this.#collector = collector;
    this.#dispatcher = new Dispatcher(formats, source, collector, LINE_LENGTH_MAX);
    for (const format of formats.formats) {
      if (format.shortcut) this.#shortcut = new ShortcutReader(format, format.shortcut, this.#dispatcher);
    }
  }

  push(text: string): void {
    this.#lines.push(text);
  }

  end(): void {
    this.#lines.end();
    this.#settle();
    const open = this.#quotedPrintable.end();
    if (open) this.#clean(open);
    this.#dispatcher.flush();
    if (this.#cutLine !== undefined) this.#dispatcher.reportCut(this.#cutLine);
    this.#dispatcher.end();
    this.#collector.lines += this.#lines.count;
  }

  #line(text: string, from: number, to: number, number: number, isCut: boolean): void {
    if (!isCut && this.#goesShort(text, from, to, number)) return;
    this.#settle();
    if (isCut) this.#cutLine = number;
    const raw = text.slice(from, to);
    const whole = this.#quotedPrintable.line(number === 1 ? raw.replace(/^\uFEFF/, '') : raw, number);
    if (whole) this.#clean(whole);
  }

  /**
   * Takes a line by the shortcut, if it is one for that. A reader may look at such a line from the one before, but not
   * beyond: its fact is held until the next line turns out to have one as well.
   */
  #goesShort(text: string, from: number, to: number, number: number): boolean {
    const shortcut = this.#shortcut;
    if (!shortcut || this.#cutLine !== undefined || !this.#quotedPrintable.isIdle) return false;
    const fact = shortcut.read(text, from, to);
    if (!fact) return false;
    if (this.#held) this.#dispatcher.sinkOf(shortcut.format).fact(this.#held.fact, this.#held.number);
    else if (this.#dispatcher.canFlushEarly) this.#dispatcher.flush();
    else {
      // Lines that wait are for readers that may look at this one: it waits too.
      const raw = text.slice(from, to);
      this.#dispatch({ raw, number }, raw, { isShortcut: true });
      return true;
    }
    this.#held = { fact, text, from, to, number, index: this.#index++, blanksBefore: this.#blanks };
    this.#blanks = 0;
    return true;
  }

  /** Sends the line whose fact is held the long way after all: the next one goes that way. */
  #settle(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#index = held.index;
    this.#blanks = held.blanksBefore;
    const raw = held.text.slice(held.from, held.to);
    this.#dispatch({ raw, number: held.number }, raw, { isShortcut: true });
  }

  #clean(line: NumberedLine): void {
    const cleaned = cleanLine(line.raw);
    if (cleaned.length === 0) this.#blanks++;
    for (const { text, prompt } of cleaned) {
      if (!prompt && isDecoration(text) && !isElision(text)) this.#blanks++;
      else this.#dispatch(line, text, { prompt });
    }
  }

  #dispatch(
    { raw, number }: NumberedLine,
    text: string,
    about: { readonly prompt?: Prompt | undefined; readonly isShortcut?: boolean },
  ): void {
    const { prompt, isShortcut = false } = about;
    this.#dispatcher.add({
      number,
      raw,
      text,
      index: this.#index++,
      blanksBefore: this.#blanks,
      elision: !prompt && isElision(text),
      cutLine: this.#cutLine,
      isShortcut,
      ...(prompt && { prompt }),
    });
    this.#cutLine = undefined;
    this.#blanks = 0;
  }
}
