// The fast path for lines of which files have millions, such as events of a trace: from the text of the line to a fact,
// without cleaning it and without asking other formats. format.ts says what a format promises for it (`Shortcut`).
import type { Fact } from '../../session/events.ts';
import { checkNumbers } from '../fields/damaged-numbers.ts';
import type { FactSink, LineFormat, Shortcut } from '../format.ts';
import { cleanLine } from './envelope.ts';
import { isDecoration, isElision } from './separators.ts';

/** Free texts that are remembered: a trace has few, a name and a process each. */
const FREE_TEXTS_MAX = 1024;
/** With fewer lines per free text, remembering them does not pay: the lines take the normal path. */
const LINES_EACH_MIN = 4;

/** What is asked of the formats (dispatch.ts). */
interface FormatJudge {
  sinkOf(format: LineFormat): FactSink;
  interestsOnly(format: LineFormat, text: string): boolean;
}

export class ShortcutReader {
  /** The sink of its format. */
  readonly sink: FactSink;
  readonly #format: LineFormat;
  readonly #shortcut: Shortcut;
  readonly #dispatcher: FormatJudge;
  /** By free text: whether lines that start with it need no cleaning and interest no other format. */
  readonly #isPlain = new Map<string, boolean>();
  /** The last plain one of them. */
  #lastPlain: Uint8Array | undefined;
  #lines = 0;
  #judged = 0;

  constructor(format: LineFormat, shortcut: Shortcut, dispatcher: FormatJudge) {
    this.#format = format;
    this.sink = dispatcher.sinkOf(format);
    this.#shortcut = shortcut;
    this.#dispatcher = dispatcher;
  }

  /**
   * The fact of the line that is in `text`, whose bytes are ASCII alone, from `from` to `to`, exclusive; undefined if it
   * must take the normal path.
   */
  read(text: string, from: number, to: number, bytes: Uint8Array): Fact | undefined {
    // Most lines have the free text of the line before.
    const last = this.#lastPlain;
    const same = last && beginsWith(last, bytes, from) ? this.#shortcut.read(bytes, from + last.length, to) : undefined;
    if (same) {
      this.#lines++;
      return same;
    }
    const end = this.#shortcut.freeTextEnd(bytes, from, to);
    if (end < 0) return undefined;
    const fact = this.#shortcut.read(bytes, end, to);
    if (!fact) return undefined;
    this.#lines++;
    if (!this.#isPlainLine(text, from, end, to)) return undefined;
    this.#lastPlain = bytes.slice(from, end);
    return fact;
  }

  #isPlainLine(text: string, from: number, end: number, to: number): boolean {
    const freeText = text.slice(from, end);
    const known = this.#isPlain.get(freeText);
    if (known !== undefined) return known;
    if (this.#judged >= FREE_TEXTS_MAX && this.#lines < LINES_EACH_MIN * this.#judged) return false;
    this.#judged++;
    if (this.#isPlain.size >= FREE_TEXTS_MAX) this.#isPlain.clear();
    const isPlain = this.#judge(text.slice(from, to));
    this.#isPlain.set(freeText, isPlain);
    return isPlain;
  }

  #judge(raw: string): boolean {
    const [line, ...more] = cleanLine(raw);
    if (!line || more.length > 0 || line.prompt || line.text !== raw || isDecoration(raw) || isElision(raw)) {
      return false;
    }
    // A damaged number in the free text is reported.
    return checkNumbers(raw) === undefined && this.#dispatcher.interestsOnly(this.#format, raw);
  }
}

/** True if what is in `bytes` from `from` on begins with `expected`. */
function beginsWith(expected: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < expected.length; i++) if (expected[i] !== bytes[from + i]) return false;
  return true;
}
