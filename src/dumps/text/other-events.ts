// Traces of a real host are mostly events that no format reads: `sched_switch`, `kvm_exit`. Finds those lines of a trace
// that are neither cleaned nor may have a shape that is bound to the start of a line, without a pattern for each: both depend
// on the task before the number of the CPU, of which a trace has few, if what follows has no special characters. For all
// others envelope.ts decides (other-events.test.ts).
import type { EventPrefix } from '../format.ts';
import { cleanLine } from './envelope.ts';
import { isHexDigit, isLetter } from './log-prefix.ts';
import { mayBeQuotedPrintable } from './plain-line.ts';
import { isDecoration, isElision } from './separators.ts';

const NEWLINE = 10;
const BLANK = 32;
const EQUALS = 61;
const BAR = 124;
/** Names that kernels print for a task that has none. */
const NO_TASK = /^ {0,40}<(?:idle|\.{3})>-\d{1,10} {0,20}$/;
/** What may stand behind a task. */
const SAMPLE = '[000] ....... 12.000250: some_event: field=1 x';
/** Tasks that are remembered. */
const TASKS_MAX = 4096;
/** With more blanks at the end, the name of a host is looked for in the line. */
const BLANKS_MAX = 8;
/** A shorter beginning of a line does not show what it is. */
const BEGINNING_MIN = 6;

/** What a byte may be a part of: a mark that is cleaned away, or an escape of quoted-printable. */
const MARK = 1;
const ESCAPE = 2;
/** Marks of two bytes: `//`, `[/`, `\_` and `\>`; bits for being the first and the second one of each. */
const FIRST_SLASH = 4;
const FIRST_BACKSLASH = 8;
const SECOND = 2;
const SECONDS = (FIRST_SLASH | FIRST_BACKSLASH) << SECOND;

/** By byte. */
const KINDS = new Uint8Array(256).fill(MARK, 0, BLANK).fill(MARK, 127);
for (const letter of '&<"#$%`*^') KINDS[letter.charCodeAt(0)] = MARK;
KINDS[EQUALS] = ESCAPE;
KINDS['/'.charCodeAt(0)] = FIRST_SLASH | (FIRST_SLASH << SECOND);
KINDS['['.charCodeAt(0)] = FIRST_SLASH;
KINDS['\\'.charCodeAt(0)] = FIRST_BACKSLASH;
KINDS['_'.charCodeAt(0)] = FIRST_BACKSLASH << SECOND;
KINDS['>'.charCodeAt(0)] = FIRST_BACKSLASH << SECOND;

/** How lines that begin with a task are cleaned. */
type Task = 'foreign' | 'plain' | 'unknown';

/** What is asked of the formats (dispatch.ts). */
interface LineJudge {
  isDullEvent(bytes: Uint8Array, from: number, to: number, content: string, isEnded: boolean): boolean;
  isForeign(beginning: string): boolean;
}

export class OtherEvents {
  readonly #prefix: EventPrefix;
  readonly #lines: LineJudge;
  readonly #tasks = new Map<string, Task>();

  constructor(prefix: EventPrefix, lines: LineJudge) {
    this.#prefix = prefix;
    this.#lines = lines;
  }

  /**
   * Where the line ends that is in `text` from `from` to `to`, exclusive, without its trailing blanks, if it is an event
   * that stays as it is, and that no format is interested in; -1 if that is not certain. `bytes`: of the text, in ASCII
   * alone.
   */
  find(text: string, from: number, to: number, bytes: Uint8Array): number {
    const free = this.#prefix.freeTextEnd(bytes, from, to);
    if (free < 0) return -1;
    const name = this.#prefix.end(bytes, free, to);
    if (name < 0) return -1;
    const task = this.#taskOf(text.slice(from, free));
    if (task === 'unknown') return -1;
    let end = to;
    while (bytes[end - 1] === BLANK) end--;
    if (to - end > BLANKS_MAX || end <= name) return -1;
    let kinds = 0;
    let pairs = 0;
    let before = 0;
    for (let at = name; at < end; at++) {
      const kind = KINDS[bytes[at] as number] as number;
      kinds |= kind;
      pairs |= (before << SECOND) & kind;
      before = kind;
    }
    if ((kinds & ESCAPE) !== 0 && mayBeQuotedPrintable(bytes, task === 'plain' ? name : from, end)) return -1;
    const isPlain = task === 'plain' && (kinds & MARK) === 0 && (pairs & SECONDS) === 0 && bytes[end - 1] !== BAR;
    const content = text.slice(from, end);
    if (!isPlain && !staysAsItIs(text.slice(from, to), content)) return -1;
    const isEnded = isHexDigit(bytes[end - 1] as number) && this.#isBeforeEvent(text, to, bytes);
    return this.#lines.isDullEvent(bytes, from, end, content, isEnded) ? end : -1;
  }

  /** True if the line below the one that ends at `to` is known, and begins with a task. */
  #isBeforeEvent(text: string, to: number, bytes: Uint8Array): boolean {
    if (bytes[to] !== NEWLINE) return false;
    const free = this.#prefix.freeTextEnd(bytes, to + 1, bytes.length);
    return free >= 0 && this.#prefix.end(bytes, free, bytes.length) >= 0 && this.#endsNumber(text.slice(to + 1, free));
  }

  /** True if a line that begins with this task does not go on with a number. */
  #endsNumber(free: string): boolean {
    return NO_TASK.test(free) || this.#taskOf(free) === 'plain';
  }

  #taskOf(free: string): Task {
    const known = this.#tasks.get(free);
    if (known !== undefined) return known;
    if (this.#tasks.size >= TASKS_MAX) this.#tasks.clear();
    const task = this.#judge(free);
    // Copied: a part of a string keeps the whole text in memory.
    this.#tasks.set(Array.from(free).join(''), task);
    return task;
  }

  #judge(free: string): Task {
    const bare = free.trimStart();
    if (bare.length < BEGINNING_MIN || !this.#lines.isForeign(`${free}[`)) return 'unknown';
    const isUsual = isLetter(bare.charCodeAt(0)) && !/[^ -~]|[&<"#$%`*^\\=|]|\/\/|0x/i.test(free);
    return isUsual && staysAsItIs(free + SAMPLE, free + SAMPLE) ? 'plain' : 'foreign';
  }
}

/** True if a line is cleaned to itself, without its trailing blanks, and separates nothing. */
function staysAsItIs(raw: string, content: string): boolean {
  const [line, ...more] = cleanLine(raw);
  if (!line || more.length > 0 || line.prompt || line.raw !== undefined || line.text !== content) return false;
  return !isDecoration(content) && !isElision(content);
}
