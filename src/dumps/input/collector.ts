// Collects what is found in one source (a file, an archive or a folder): passes events on and counts them for the summary.
import type { AlikeOperations } from '../../session/event-lines.ts';
import { type Fact, type FactOf, isFact, isOperation } from '../../session/events.ts';
import type { Severity } from '../diagnostic-rule.ts';
import {
  type DiagnosticCode,
  type DiagnosticParameters,
  diagnosticFact,
  diagnosticRule,
  ruleOf,
} from '../diagnostics.ts';
import { restore } from '../fields/damaged-numbers.ts';
import type { FactSink } from '../format.ts';
import type { DumpEvent, EventQueue } from './event-queue.ts';

/** Diagnostics of one code that a source may emit; the others are only counted. */
export const DIAGNOSTIC_LIMIT = 20;
const SAMPLE_LIMIT = 5;
const SAMPLE_LENGTH = 200;
/** Unrecognized lines whose numbers are kept, in all files of a source. */
const LEFTOVER_MAX = 100_000;

/** A line that no format recognized. */
export interface LineSample {
  /** The file, as in a fact's `source`. */
  readonly source: string;
  /** Counted from 1. */
  readonly line: number;
  /** Its text, cut to 200 characters. */
  readonly text: string;
}

/** Why a source counts as not read. */
export interface Unread {
  readonly code: DiagnosticCode;
  /** The message of the diagnostic with that code. */
  readonly message: string;
}

/** What was found in one source: a file, or an archive or folder as a whole. */
export interface SourceSummary {
  readonly name: string;
  /**
   * Set if it could not be read to its end, or if nothing in it was recognized: answers do not cover it. A file inside a
   * folder or an archive does not count.
   */
  readonly unread?: Unread | undefined;
  /** Bytes read (of a packed file: as it is stored). */
  readonly size: number;
  /** Files in it: 1, or the members of an archive or folder. */
  readonly files: number;
  /** Names of the formats that gave facts, and how many facts (diagnostics aside). */
  readonly formats: readonly { readonly name: string; readonly title: string; readonly facts: number }[];
  /** Number of facts by kind, diagnostics included. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly operations: number;
  /** Lines of text, blank ones included. */
  readonly lines: number;
  /** Lines with content that no format recognized, and the first of them. */
  readonly unrecognized: number;
  readonly samples: readonly LineSample[];
  /** Numbers of those lines by file, ascending; of the first `LEFTOVER_MAX` of them. */
  readonly leftover: ReadonlyMap<string, readonly number[]>;
  readonly diagnostics: readonly FactOf<'diagnostic'>[];
}

/** What keeps a source from being read to its end. */
const UNREAD_CODES: readonly DiagnosticCode[] = [
  'unreadable',
  'binary-file',
  'format-not-loaded',
  'unpacked-too-large',
  // What was before the damage counts; what came behind it is not known.
  'gzip-truncated',
  'gzip-damaged',
  'packed-damaged',
  'tar-damaged',
  'tar-truncated',
];

function isCode(code: string, codes: readonly DiagnosticCode[]): boolean {
  return codes.some((one) => one === code);
}

function explainsEmptySource(code: string): boolean {
  return diagnosticRule(code)?.explainsEmptySource === true;
}

/** Numbers in names and messages as they were. */
function restoreTexts(fact: Fact): void {
  const fields = fact as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(fields)) if (typeof value === 'string') fields[key] = restore(value);
}

interface FormatCount {
  readonly title: string;
  facts: number;
}

interface GroupState {
  type: string | undefined;
  readonly devices: Set<string>;
}

export class Collector {
  /** Changes if the archive that it is turns out to hold several hosts. */
  name: string;
  /** The archive of several hosts of which it is one. */
  archive: string | undefined;
  size = 0;
  files = 0;
  /** Bytes that packed files and archives in it held, so far. */
  unpacked = 0;
  lines = 0;
  unrecognized = 0;
  operations = 0;
  readonly samples: LineSample[] = [];
  /** Diagnostics so far, those that are only counted included. */
  reported = 0;
  /** Set if formats may have been given texts whose numbers `checkNumbers` hid. */
  hasDamagedNumbers = false;
  readonly #queue: EventQueue;
  readonly #formats = new Map<string, FormatCount>();
  readonly #kinds = new Map<string, { count: number }>();
  readonly #leftover = new Map<string, number[]>();
  readonly #diagnostics: FactOf<'diagnostic'>[] = [];
  readonly #repeated = new Map<DiagnosticCode, { severity: Severity; count: number; source: string }>();
  readonly #groups = new Map<string, GroupState>();

  constructor(name: string, queue: EventQueue) {
    this.name = name;
    this.#queue = queue;
  }

  /**
   * A sink for one format reading one file. It adds the fields `source` and `line`. `host` distinguishes machines as far
   * as that is known: facts about a group are merged only within one host.
   */
  sink(source: string, format: { readonly name: string; readonly title: string }, host = source): FactSink {
    // Looked up once: a trace has millions of facts.
    let counted: FormatCount | undefined;
    return {
      fact: (fact, line) => {
        counted ??= this.#countOf(format);
        counted.facts++;
        // Copying a fact would cost as much as finding it.
        fact.source = source;
        if (line !== undefined) fact.line = line;
        this.push(fact);
      },
      group: (group, about, line) => this.group(host, source, group, about, format, line),
      diagnostic: (code, parameters, line, severity) => {
        const { explainsEmptySource, isComplaint } = ruleOf(code);
        // A finding is something recognized, unless it says that there is nothing to read.
        if (!explainsEmptySource || isComplaint) this.noteFormat(format);
        this.diagnostic(source, code, parameters, line, severity);
      },
      recognized: () => this.noteFormat(format),
    };
  }

  /** Notes that a format was recognized, even if there are no facts in it. */
  noteFormat(format: { readonly name: string; readonly title: string }): void {
    this.#countOf(format);
  }

  countFormat(format: { readonly name: string; readonly title: string }): void {
    this.#countOf(format).facts++;
  }

  #countOf(format: { readonly name: string; readonly title: string }): FormatCount {
    const known = this.#formats.get(format.name) ?? { title: format.title, facts: 0 };
    this.#formats.set(format.name, known);
    return known;
  }

  /** Passes an event on as it is and counts it. */
  push(event: DumpEvent): void {
    if (this.hasDamagedNumbers && isFact(event)) restoreTexts(event);
    if (isFact(event)) this.#countKind(event.kind);
    else if (isOperation(event)) this.operations++;
    this.#queue.push(event);
  }

  /** Passes an operation on by its addresses (session/event-lines.ts). */
  pushAlike(operations: AlikeOperations, words: Uint32Array): void {
    this.operations++;
    this.#queue.pushAlike(operations, words);
  }

  #countKind(kind: string): void {
    const known = this.#kinds.get(kind);
    if (known) known.count++;
    else this.#kinds.set(kind, { count: 1 });
  }

  group(
    host: string,
    source: string,
    group: string,
    about: { readonly type?: string; readonly devices?: readonly string[] },
    format: { readonly name: string; readonly title: string },
    line?: number,
  ): void {
    const key = `${host}\0${group}`;
    let state = this.#groups.get(key);
    if (!state) {
      const fresh: GroupState = { type: undefined, devices: new Set() };
      state = fresh;
      this.#groups.set(key, fresh);
      this.countFormat(format);
      this.#countKind('group');
      this.#queue.hold(
        () => ({
          kind: 'group',
          group,
          ...(fresh.type === undefined ? {} : { type: fresh.type }),
          devices: [...fresh.devices],
          source,
          ...(line === undefined ? {} : { line }),
        }),
        () => this.#groups.delete(key),
      );
    }
    if (about.type !== undefined) state.type ??= about.type;
    for (const device of about.devices ?? []) state.devices.add(device);
  }

  diagnostic<C extends DiagnosticCode>(
    source: string,
    code: C,
    parameters: DiagnosticParameters<C>,
    line?: number,
    severity: Severity = ruleOf(code).severity,
  ): void {
    const repeated = this.#repeated.get(code) ?? { severity, count: 0, source };
    this.#repeated.set(code, repeated);
    repeated.count++;
    this.reported++;
    if (repeated.count > DIAGNOSTIC_LIMIT) return;
    const fact = diagnosticFact(code, parameters, severity);
    this.#emit({ ...fact, source, ...(line === undefined ? {} : { line }) });
  }

  #emit(diagnostic: FactOf<'diagnostic'>): void {
    this.#diagnostics.push(diagnostic);
    this.push(diagnostic);
  }

  leftover(source: string, line: number, text: string): void {
    this.unrecognized++;
    if (this.unrecognized <= LEFTOVER_MAX) {
      const lines = this.#leftover.get(source);
      if (lines) lines.push(line);
      else this.#leftover.set(source, [line]);
    }
    if (this.samples.length < SAMPLE_LIMIT) {
      const bare = restore(text.trim());
      this.samples.push({
        source,
        line,
        text: bare.length > SAMPLE_LENGTH ? `${bare.slice(0, SAMPLE_LENGTH)}…` : bare,
      });
    }
  }

  /** True if anything other than diagnostics was found. */
  get foundAnything(): boolean {
    return this.#formats.size > 0 || this.operations > 0;
  }

  /** True if a diagnostic with this code was emitted. */
  hasDiagnostic(code: DiagnosticCode): boolean {
    return this.#repeated.has(code);
  }

  /** True if a diagnostic explains why the source has no facts. */
  get isExplained(): boolean {
    return [...this.#repeated.keys()].some(explainsEmptySource);
  }

  get #unread(): Unread | undefined {
    const why = this.#diagnostics.find(({ code, source }) => {
      if (isCode(code, UNREAD_CODES)) return source === this.name || source === this.archive;
      if (this.foundAnything) return false;
      // The kernel prints nothing for a group without reserved regions.
      if (code === 'empty-file') return !/(?:^|\/)reserved_regions$/.test(this.name);
      return code === 'nothing-recognized' || explainsEmptySource(code);
    });
    return why && { code: why.code as DiagnosticCode, message: why.message };
  }

  /** Closes the source: emits the events that wait, and how many diagnostics were only counted. */
  finish(): SourceSummary {
    for (const [code, { severity, count, source }] of this.#repeated) {
      const more = count - DIAGNOSTIC_LIMIT;
      if (more > 0) {
        this.#emit({ kind: 'diagnostic', severity, code, message: `and ${more} more of this kind`, source });
      }
    }
    this.#queue.settleAll();
    const unread = this.#unread;
    return {
      name: this.name,
      ...(unread ? { unread } : {}),
      size: this.size,
      files: this.files,
      formats: [...this.#formats].map(([name, { title, facts }]) => ({ name, title, facts })),
      kinds: Object.fromEntries([...this.#kinds].map(([kind, { count }]) => [kind, count])),
      operations: this.operations,
      lines: this.lines,
      unrecognized: this.unrecognized,
      samples: this.samples,
      leftover: this.#leftover,
      diagnostics: this.#diagnostics,
    };
  }
}
