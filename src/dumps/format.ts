// What a dump format is. To add one: a file that exports its parser, a fixture, and a row in registry.ts, which loads the
// parser when a text needs it.
import type { Fact } from '../session/events.ts';
import type { Severity } from './diagnostic-rule.ts';
import type { DiagnosticCode, DiagnosticParameters } from './diagnostics.ts';
import type { Prompt } from './text/shell.ts';

/** A line that is not blank, after its envelope (quote marks, log prefixes, prompt …) was removed. */
export interface DumpLine {
  /** Line number in the source, counted from 1. A line that was joined has the number of its first part. */
  readonly number: number;
  /** As in the source, without the line end: for formats that need something that the cleaning removes. */
  readonly raw: string;
  /** Cleaned: no quote marks, time stamps, prompt, hand annotations or trailing blanks. Indentation is kept. */
  readonly text: string;
  /** Ordinal among the lines that are not blank, counted from 0: lines are adjacent if theirs differ by one. */
  readonly index: number;
  /** Number of blank (or purely decorative) lines directly before it. */
  readonly blanksBefore: number;
  /** The shell prompt that the line starts with; `text` is then the command. */
  readonly prompt: Prompt | undefined;
  /** True for a line that marks omitted text (`...`, `[output trimmed]`). Offered to every reader. */
  readonly elision: boolean;
}

/** Lines that a reader may look ahead, for text that a mail program wrapped. */
export const LOOKAHEAD = 4;

/** The n-th line that is not blank after the current one, 1 ≤ n ≤ LOOKAHEAD; undefined after the last. */
export type Lookahead = (n: number) => DumpLine | undefined;

/** Where a reader puts what it finds. */
export interface FactSink {
  /**
   * Adds a fact, with the number of its first line if there are lines. The sink keeps the object and sets its `source`
   * and `line`. Not for `group` facts.
   */
  fact(fact: Fact, line: number | undefined): void;
  /**
   * Adds what is known about a group. Everything that one file (or one tree of sysfs) says about a group becomes one
   * `group` fact at the position where the group was first seen. The first type wins.
   */
  group(group: string, about: { readonly type?: string; readonly devices?: readonly string[] }, line?: number): void;
  /**
   * A diagnostic of the table in diagnostics.ts. Repetitions beyond a limit are only counted. Without `line` it is about
   * the source as a whole; `severity` overrides the one of the table.
   */
  diagnostic<C extends DiagnosticCode>(
    code: C,
    parameters: DiagnosticParameters<C>,
    line?: number,
    severity?: Severity,
  ): void;
  /** Marks the source as having this format even if no fact comes of it. */
  recognized(): void;
}

export interface DumpSource {
  /** As in the facts' `source`. */
  readonly name: string;
  /**
   * Components of the path, for what a path says by itself: `…/iommu_groups/7/type` is about group 7. Formats are never
   * chosen by it.
   */
  readonly path: readonly string[];
}

/** Reads the lines of one source, in order. May keep state, but not the text. */
export interface LineReader {
  /**
   * Offers a line. Returns the number of lines that were recognized, starting with this one: 0 for none; with more than
   * 1, the lines ahead are not offered to this reader again (but to the others).
   */
  line(line: DumpLine, ahead: Lookahead): number;
  /** After the last line. */
  end?(): void;
}

/** A longer line, in characters, is not the rest of a number that was broken. */
export const JOINED_MAX = 40;

/**
 * A fast path from a line to its fact, without cleaning, lookahead and other formats: for lines of which files have
 * millions. Such a line starts with a free text, of which a file has few (`qemu-kvm-4575    `). A format that has one
 * promises for all lines that `read` returns a fact for: how they are cleaned and which other formats they interest
 * depends on their free text alone; and its `LineReader` finds the same fact, looks at most one line ahead, and does not
 * look if `read` of any format returns a fact for that line as well, nor does anything with that line if it has more than
 * `JOINED_MAX` characters.
 */
export interface Shortcut {
  /** End of the free text of the line that is in `bytes`, of ASCII, from `from` to `to` (exclusive); -1: not such a line. */
  freeTextEnd(bytes: Uint8Array, from: number, to: number): number;
  /**
   * The fact of the line whose free text ends at `from`; undefined: the line must take the normal path, or its free text
   * ends elsewhere, even if what is before `from` is that of another line.
   */
  read(bytes: Uint8Array, from: number, to: number): Fact | undefined;
  /** For formats of traces: how all lines of such a trace begin, also those that `read` returns no fact for. */
  readonly prefix?: EventPrefix;
}

/** How the lines of a trace begin. */
export interface EventPrefix {
  /** As that of the shortcut, for any line of the trace. */
  freeTextEnd(bytes: Uint8Array, from: number, to: number): number;
  /** Where the name of an event begins, behind a free text that ends at `from`; -1 if there is none. */
  end(bytes: Uint8Array, from: number, to: number): number;
}

/** Marks of lines. */
export interface LineMarks {
  /**
   * In ASCII; case is ignored. A line break in a word stands for the start or end of the line: `\nFrom` matches lines
   * that start with `From`, `failed\n` lines that end with it.
   */
  readonly words?: readonly string[];
  /** For lines without a fixed word. Each is tried on every line: start it with `^` if possible. */
  readonly shapes?: readonly RegExp[];
  /**
   * Shapes that begin with two characters, of which the second is one of `letters` and the first is not, and of which all
   * others up to the end of the line are such letters: looked for from the end of the line.
   */
  readonly tails?: readonly { readonly shape: RegExp; readonly letters: string }[];
}

/**
 * Which lines a format is offered: those that contain one of the words or match one of the shapes. This saves time, and
 * loading the parsers of formats that a text does not hold: a reader must find the same when it is offered every line
 * (tests check that), and nothing in a text without such a line. Lines with a shell prompt are always offered, because a
 * command ends what the lines before it were about, and so are elisions.
 */
export interface LineInterest extends LineMarks {
  /** Marks of lines that say nothing alone, but belong to a line with one of the marks above before or after them. */
  readonly around?: LineMarks;
  /**
   * Shapes of lines that say something only if what follows them begins with a hexadecimal digit or with `0x`: their last number
   * was broken, or the next one was moved to the next line.
   */
  readonly broken?: readonly RegExp[];
  /** Marks of lines that say nothing before there was a line with one of the other marks. */
  readonly inside?: LineMarks;
}

/** How the lines of a format are read. */
export interface LineParser {
  readonly shortcut?: Shortcut;
  open(source: DumpSource, sink: FactSink): LineReader;
}

/** A format made of lines of text. One source may hold several. */
export interface LineFormat {
  readonly kind: 'lines';
  /** Kebab-case, stable. */
  readonly name: string;
  /** For people: the name of such a dump where it comes from. */
  readonly title: string;
  /** A command that prints such a dump, offered when nothing in a source is recognized and this format is nearest. */
  readonly command?: string;
  /** Lines that do not match are not offered; `index` shows that lines were skipped. */
  readonly interest: LineInterest;
  /** True if the parser emits no diagnostic of later-diagnostics.ts: it runs without them. */
  readonly isEarly?: true;
  /** Rejects if the parser cannot be loaded: it comes from the page's server. */
  load(): Promise<LineParser>;
}

/** How a whole file is read. */
export interface BinaryParser {
  /** Problems of the file become diagnostics and are not thrown. */
  read(bytes: AsyncIterable<Uint8Array>, source: DumpSource, sink: FactSink): Promise<void>;
}

/** A format that is a whole file, detected by its first bytes. */
export interface BinaryFormat {
  readonly kind: 'binary';
  readonly name: string;
  readonly title: string;
  readonly command?: string;
  /** `head` holds the first bytes of the file, up to 4096. */
  matches(head: Uint8Array): boolean;
  /** Rejects if the parser cannot be loaded. */
  load(): Promise<BinaryParser>;
}

export type DumpFormat = LineFormat | BinaryFormat;
