// Reads one text, whatever formats its lines are of. The way of a line:
//
//   piece of text
//     → text-lines.ts         cut into numbered lines
//     → shortcut.ts           for lines of which files have millions: to a fact at once, skipping everything below
//     → line-marks.ts         marks of a block are removed: comments, diffs, numbers of lines, tables
//     → other-events.ts       for events of a trace that no format needs: nothing more
//     → plain-line.ts         for most lines of a log: where their content begins, skipping the next three
//     → repeated-lines.ts     of these, for those like one that no format wanted: nothing more
//     → quoted-printable.ts   lines that a mail program broke softly are joined
//     → envelope.ts           quote marks, log prefixes and prompts are removed
//     → host-name.ts          the host's name in what was removed becomes a fact
//     → dispatch.ts           its damaged numbers are hidden (../fields/damaged-numbers.ts), and it is offered to the formats that it interests, once the next few lines are known
//     → ../formats/           facts, if the parser is loaded (needed-formats.ts); passed to ../input/collector.ts, which counts the lines that no format recognized
//
// Only a few lines are in memory at a time, never the text.
import type { Fact } from '../../session/events.ts';
import { checkNumbers } from '../fields/damaged-numbers.ts';
import { type DumpSource, type FactSink, JOINED_MAX } from '../format.ts';
import { Dispatcher, type LineFormats, type LineTaker, type WaitingLine } from './dispatch.ts';
import { cleanLine } from './envelope.ts';
import { HostNames } from './host-name.ts';
import { LineMarks } from './line-marks.ts';
import type { OtherEvents } from './other-events.ts';
import type { PlainLine } from './plain-line.ts';
import { type NumberedLine, QuotedPrintable } from './quoted-printable.ts';
import { isDecoration, isElision } from './separators.ts';
import { partsForLongTexts } from './shapes.ts';
import type { ShortcutReader } from './shortcut.ts';
import type { TextCollector } from './text-collector.ts';
import { TextLines } from './text-lines.ts';

/** Longer lines are cut: no dump has them, and binary junk must not fill the memory. In characters. */
const LINE_LENGTH_MAX = 16_384;

const ENCODER = new TextEncoder();

/** A line that took the shortcut. Its fact is emitted when the next line takes it too. */
interface HeldLine {
  /** Of the format that it is of. */
  sink: FactSink;
  fact: Fact;
  text: string;
  from: number;
  /** Exclusive. */
  to: number;
  number: number;
  index: number;
  blanksBefore: number;
}

/** What is known of a line beyond its text. */
type AboutLine = Pick<WaitingLine, 'prompt' | 'hostName' | 'isShortcut' | 'elision' | 'isDull'>;

const PLAIN_LINE: AboutLine = {
  prompt: undefined,
  hostName: undefined,
  isShortcut: false,
  elision: false,
  isDull: false,
};
const DULL_LINE: AboutLine = { ...PLAIN_LINE, isDull: true };
const SHORTCUT_LINE: AboutLine = { ...PLAIN_LINE, isShortcut: true };

/** A reader of a text whose facts go to the collector. */
export function textReader(formats: LineFormats, source: DumpSource, collector: TextCollector): TextReader {
  const dispatcher = new Dispatcher(formats, source, collector, LINE_LENGTH_MAX);
  const parts = partsForLongTexts();
  if (!parts) return new TextReader(dispatcher);
  let otherEvents: OtherEvents | undefined;
  const shortcuts = formats.formats.flatMap((format) => {
    const shortcut = formats.parserOf(format)?.shortcut;
    if (shortcut?.prefix) otherEvents = new parts.OtherEvents(shortcut.prefix, dispatcher);
    return shortcut ? [new parts.ShortcutReader(format, shortcut, dispatcher)] : [];
  });
  return new TextReader(dispatcher, shortcuts, otherEvents);
}

/** Push text in pieces of any size, then call `end`. */
export class TextReader {
  readonly #taker: LineTaker;
  readonly #shortcuts: readonly ShortcutReader[];
  readonly #otherEvents: OtherEvents | undefined;
  /** True if the last such line was an event: the next one may be another. */
  #isEvent = false;
  /** Index of that of the last line that took one: it is tried first. */
  #lastShortcut = 0;
  readonly #lines = new TextLines(LINE_LENGTH_MAX, (text, from, to, number, isCut, bytes) =>
    this.#marked(text, from, to, number, isCut, bytes),
  );
  readonly #marks = new LineMarks((text, number, isCut) => this.#line(text, 0, text.length, number, isCut, undefined));
  readonly #quotedPrintable = new QuotedPrintable();
  /** Undefined if it is not loaded: all lines take the normal way. */
  readonly #plain: PlainLine | undefined;
  readonly #hostNames = new HostNames();
  /** The next line's `index` and `blanksBefore` (format.ts). */
  #index = 0;
  #blanks = 0;
  /** Number of a line that was cut, until it or a later line is dispatched: blank ones are not. */
  #cutLine: number | undefined;
  #held: HeldLine | undefined;

  constructor(taker: LineTaker, shortcuts: readonly ShortcutReader[] = [], otherEvents?: OtherEvents) {
    this.#taker = taker;
    this.#shortcuts = shortcuts;
    this.#otherEvents = otherEvents;
    const parts = partsForLongTexts();
    if (parts) this.#plain = new parts.PlainLine();
  }

  /** `bytes`: of the text, if it is ASCII alone: with them most lines are read faster. */
  push(text: string, bytes?: Uint8Array): void {
    this.#lines.push(text, bytes);
  }

  end(): void {
    this.#lines.end();
    this.#marks.end();
    this.#releaseHeld();
    const open = this.#quotedPrintable.end();
    if (open) this.#clean(open);
    this.#taker.flush();
    if (this.#cutLine !== undefined) this.#taker.reportCut(this.#cutLine);
    this.#taker.end(this.#lines.count);
  }

  #marked(text: string, from: number, to: number, number: number, isCut: boolean, bytes: Uint8Array | undefined): void {
    if (this.#marks.isFree(text, from)) this.#line(text, from, to, number, isCut, bytes);
    else this.#marks.line(text.slice(from, to), number, isCut);
  }

  #line(text: string, from: number, to: number, number: number, isCut: boolean, bytes: Uint8Array | undefined): void {
    if (!isCut && this.#takeFast(text, from, to, number, bytes)) return;
    this.#releaseHeld();
    if (isCut) this.#cutLine = number;
    const raw = text.slice(from, to);
    const whole = this.#quotedPrintable.line(number === 1 ? raw.replace(/^\uFEFF/, '') : raw, number);
    if (whole) this.#clean(whole);
  }

  /** Reads a line by its bytes; false if it must take the normal path, as all that are not of ASCII alone. */
  #takeFast(text: string, from: number, to: number, number: number, bytes: Uint8Array | undefined): boolean {
    if (this.#cutLine !== undefined || !this.#quotedPrintable.isIdle) return false;
    if (!bytes) {
      const line = text.slice(from, to);
      const own = ENCODER.encode(line);
      // Characters beyond ASCII have several.
      return own.length === line.length && this.#takeFast(line, 0, own.length, number, own);
    }
    // Lines of a trace follow each other, and so do those of a log.
    if (this.#held && this.#takeShortcut(text, from, to, number, bytes)) return true;
    if (this.#isEvent && this.#takeOtherEvent(text, from, to, number, bytes)) return true;
    if (this.#takePlain(text, from, to, number, bytes)) return true;
    if (!this.#isEvent && this.#takeOtherEvent(text, from, to, number, bytes)) return true;
    return !this.#held && this.#takeShortcut(text, from, to, number, bytes);
  }

  /**
   * Reads a line by the shortcut; false if it must take the normal path. Its format's reader may look one line ahead, so
   * the fact is held until the next line turns out to take the shortcut too.
   */
  #takeShortcut(text: string, from: number, to: number, number: number, bytes: Uint8Array): boolean {
    const fact = this.#readShortcut(text, from, to, bytes);
    if (!fact) return false;
    const held = this.#held;
    const { sink } = this.#shortcuts[this.#lastShortcut] as ShortcutReader;
    if (held) {
      held.sink.fact(held.fact, held.number);
      // The same object again, because there may be millions of lines.
      held.sink = sink;
      held.fact = fact;
      held.text = text;
      held.from = from;
      held.to = to;
      held.number = number;
      held.index = this.#index++;
      held.blanksBefore = this.#blanks;
      this.#blanks = 0;
      return true;
    }
    if (!this.#taker.canFlushEarly) {
      // Readers of the waiting lines may look at this one: it waits too.
      const raw = text.slice(from, to);
      this.#dispatch({ raw, number }, raw, SHORTCUT_LINE);
      return true;
    }
    this.#taker.flush();
    this.#held = { sink, fact, text, from, to, number, index: this.#index++, blanksBefore: this.#blanks };
    this.#blanks = 0;
    return true;
  }

  #readShortcut(text: string, from: number, to: number, bytes: Uint8Array): Fact | undefined {
    const shortcuts = this.#shortcuts;
    const fact = shortcuts[this.#lastShortcut]?.read(text, from, to, bytes);
    if (fact) return fact;
    for (let index = 0; index < shortcuts.length; index++) {
      if (index === this.#lastShortcut) continue;
      const other = shortcuts[index]?.read(text, from, to, bytes);
      if (!other) continue;
      this.#lastShortcut = index;
      return other;
    }
    return undefined;
  }

  /** Reads an event of a trace that is of no interest; false if it may be. */
  #takeOtherEvent(text: string, from: number, to: number, number: number, bytes: Uint8Array): boolean {
    const end = this.#otherEvents?.find(text, from, to, bytes) ?? -1;
    if (end < 0) return false;
    this.#isEvent = true;
    const content = text.slice(from, end);
    const held = this.#held;
    if (held && content.length > JOINED_MAX && !checkNumbers(content)) {
      // Its format's reader would look at this line in vain.
      held.sink.fact(held.fact, held.number);
      this.#held = undefined;
    }
    this.#takeDull(text, from, to, number, content);
    return true;
  }

  #takeDull(text: string, from: number, to: number, number: number, content: string): void {
    this.#releaseHeld();
    if (this.#taker.skip(number, content)) {
      this.#index++;
      this.#blanks = 0;
    } else this.#dispatch({ raw: text.slice(from, to), number }, content, DULL_LINE);
  }

  /** Reads a line that needs no cleaning; false if it must take the normal path. */
  #takePlain(text: string, from: number, to: number, number: number, bytes: Uint8Array): boolean {
    const plain = this.#plain;
    if (!plain?.find(text, from, to, bytes)) return false;
    this.#isEvent = false;
    const { start, end, hostStart, hostEnd } = plain;
    if (hostEnd > 0 && !this.#hostNames.isKnown(text, hostStart, hostEnd)) return false;
    const isRepeated = this.#taker.isRepeated(bytes, start, end, text);
    if (!isRepeated && plain.hasMarks(bytes)) return false;
    const content = text.slice(start, end);
    if (isElision(content)) return false;
    const isDull = isRepeated || this.#taker.isDull(bytes, start, end, content);
    if (isDull) this.#takeDull(text, from, to, number, content);
    else if (!this.#takeShortcut(text, from, to, number, bytes)) {
      this.#releaseHeld();
      this.#dispatch({ raw: text.slice(from, to), number }, content, PLAIN_LINE);
    }
    return true;
  }

  /** Sends the held line on the normal path, because the next line takes that. */
  #releaseHeld(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#index = held.index;
    this.#blanks = held.blanksBefore;
    const raw = held.text.slice(held.from, held.to);
    this.#dispatch({ raw, number: held.number }, raw, SHORTCUT_LINE);
  }

  #clean(line: NumberedLine): void {
    const cleaned = cleanLine(line.raw);
    if (cleaned.length === 0) this.#blanks++;
    for (const { text, prompt, raw } of cleaned) {
      if (!prompt && isDecoration(text) && !isElision(text)) this.#blanks++;
      else {
        const hostName = this.#hostNames.next(line.raw, text, prompt);
        const elision = !prompt && isElision(text);
        const own = raw === undefined ? line : { raw, number: line.number };
        const isDull = !prompt && !elision && hostName === undefined && this.#taker.isDullText(text);
        if (isDull && this.#cutLine === undefined && this.#taker.skip(line.number, text)) {
          this.#index++;
          this.#blanks = 0;
        } else this.#dispatch(own, text, { prompt, hostName, isShortcut: false, elision, isDull });
      }
    }
  }

  #dispatch({ raw, number }: NumberedLine, text: string, about: AboutLine): void {
    const { prompt, hostName, isShortcut, elision, isDull } = about;
    this.#taker.add({
      number,
      raw,
      text,
      index: this.#index++,
      blanksBefore: this.#blanks,
      prompt,
      elision,
      cutLine: this.#cutLine,
      isShortcut,
      hostName,
      isChecked: false,
      isDull,
      numbers: undefined,
    });
    this.#cutLine = undefined;
    this.#blanks = 0;
  }
}
