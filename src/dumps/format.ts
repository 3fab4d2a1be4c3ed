// What a dump format is. To add one: a file that exports a `DumpFormat`, a fixture, and a line in registry.ts.
import type { Fact } from '../session/events.ts';
import type { DiagnosticCode, DiagnosticParameters, Severity } from './diagnostics.ts';
import type { Prompt } from './text/shell.ts';

/** A line that is not blank, with its envelope (quote marks, log prefixes, prompt …) taken off. */
export interface DumpLine {
  /** Where it starts in the source, counted from 1. A joined or unwrapped line has the number of its first part. */
  readonly number: number;
  /** As it stands in the source, without the line end. For formats to which the cleaning takes away something. */
  readonly raw: string;
  /** Cleaned: no quote marks, time stamps, prompt, hand annotations or trailing blanks. Indentation is kept. */
  readonly text: string;
  /** Ordinal among the lines that are not blank: two lines follow each other if theirs differ by one. */
  readonly index: number;
  /** How many blank (or purely decorative) lines stand directly before it. */
  readonly blanksBefore: number;
  /** There if the line starts with a shell prompt; `text` is then the command. */
  readonly prompt?: Prompt;
  /** True for a line that says that something was left out (`...`, `[output trimmed]`). Offered to every reader. */
  readonly elision: boolean;
}

/** Lines a reader may look at in advance, for text that a mail program wrapped. */
export const LOOKAHEAD = 4;

/** The n-th line after the one at hand that is not blank, 1 ≤ n ≤ LOOKAHEAD; undefined behind the end. */
export type Lookahead = (n: number) => DumpLine | undefined;

/** Where a reader puts what it finds. The source's name is added here. */
export interface FactSink {
  /**
   * A new fact with the number of the line where it starts, if there are lines. The fact is taken over: `source` and
   * `line` are set here. Not for `group` facts.
   */
  fact(fact: Fact, line: number | undefined): void;
  /**
   * Something about a group. All that one file (or one tree of sysfs) says of a group becomes one `group` fact, placed
   * where the group was first seen. A later type replaces an earlier one only if there was none.
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
  /** Says that the source holds this format though it may give no fact: that its lines only tell of no address. */
  recognized(): void;
}

export interface DumpSource {
  /** As in the facts' `source`. */
  readonly name: string;
  /**
   * Components of the path, for what a path says by itself: that `…/iommu_groups/7/type` speaks of group 7.
   * A format is never chosen by it.
   */
  readonly path: readonly string[];
}

/** Reads the lines of one source, in order. May keep state; must not keep text. */
export interface LineReader {
  /**
   * Offers a line. Returns how many lines were understood, counted from this one: 0 leaves it alone, 1 takes it,
   * more takes the lines ahead too (they are not offered to this reader again, but to the others).
   */
  line(line: DumpLine, ahead: Lookahead): number;
  /** After the last line. */
  end?(): void;
}

/**
 * Reads a line straight to its fact, past the cleaning, the lookahead and the other formats: for lines that files have
 * millions of. Such a line begins with a free text, of which a file has few (`qemu-kvm-4575    `). For the lines that
 * `read` returns a fact for, the format promises: how they are cleaned and which other formats they interest depends on
 * their free text alone; its reader makes the same fact of each, looks at most one line ahead, and not at all if that
 * one has a fact as well.
 */
export interface Shortcut {
  /** Where the free text ends that a line in `text` from `from` to `to` (exclusive) begins with; -1: not such a line. */
  freeTextEnd(text: string, from: number, to: number): number;
  /** The fact of the line whose free text ends at `from`; undefined: the line must go the long way. */
  read(text: string, from: number, to: number): Fact | undefined;
}

/**
 * Which lines a format is offered: those that contain one of the words or match one of the shapes. It only saves time: a reader
 * must find the same when it is offered every line (a test holds that). Lines with a shell prompt are always offered,
 * because a command ends whatever the lines before it were about, and so are elisions.
 */
export interface LineInterest {
  /**
   * Of ASCII; either case of a letter will do. A line break in a word is a place: `\nFrom` is in a line that begins
   * with `From`, `failed\n` in one that ends so.
   */
  readonly words?: readonly string[];
  /** What words cannot tell. Tried on every line: begin them with `^` if you can. */
  readonly shapes?: readonly RegExp[];
}

/** A format made of lines of text. Several may find their own in one source. */
export interface LineFormat {
  readonly kind: 'lines';
  /** Kebab-case, stable. */
  readonly name: string;
  /** For people: what this is called where it comes from. */
  readonly title: string;
  /** A command that prints such a dump, offered when nothing in a source is recognized and this format is nearest. */
  readonly command?: string;
  /** Lines that do not match are not offered; `index` shows that lines were skipped. */
  readonly interest: LineInterest;
  /** At most one format has one. */
  readonly shortcut?: Shortcut;
  open(source: DumpSource, sink: FactSink): LineReader;
}

/** A format that is a whole file, known by its first bytes. */
export interface BinaryFormat {
  readonly kind: 'binary';
  readonly name: string;
  readonly title: string;
  readonly command?: string;
  /** `head` holds the first bytes of the file, up to 4096. */
  matches(head: Uint8Array): boolean;
  /** Reads the file from its first byte. What is wrong with it becomes diagnostics; it does not throw for that. */
  read(bytes: AsyncIterable<Uint8Array>, source: DumpSource, sink: FactSink): Promise<void>;
}

export type DumpFormat = LineFormat | BinaryFormat;
