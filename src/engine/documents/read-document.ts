// Reads files into a document.
import { mappingSets } from '../../analysis/host/mappings.ts';
import type { DumpEvent } from '../../dumps/input/event-queue.ts';
import { type DumpInput, openInputs } from '../../dumps/input/open.ts';
import type { TextInput } from '../../dumps/input/source-lines.ts';
import type { AlikeOperations } from '../../session/event-lines.ts';
import { type EventList, type ReadonlyEventList, unpackedEntries } from '../../session/event-list.ts';
import { type FactOf, isFact, isOperation, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import type { PackedList } from '../../session/packed-list.ts';
import { newSession, SESSION_PROBLEM_CODES, type Session } from '../../session/session.ts';
import { loadPart } from '../load-part.ts';
import type { Diagnostic, InputFile } from '../protocol/documents.ts';
import type { CallContext } from '../protocol/methods.ts';
import { type EngineDocument, hostAt } from './document.ts';
import type { EventFolding, FoldedEvents } from './fold-events.ts';

const partStates = loadPart(() => import('./model-states.ts'));

/** Texts that a document lists. */
const TEXTS_MAX = 300;
/** Of the mapping events of a source, this many are kept one by one if there are twice as many. */
const KEPT_MAPPINGS = 250_000;
/** From this number of mapping events on they are gathered in columns, until it is known whether there are that many. */
const COLUMNS_FROM = 16_384;
/** Diagnostics that a document lists; the rest is counted. */
export const DIAGNOSTICS_MAX = 500;

/** Files of one folder belong together: they share the first component of their path. */
function treeOf(name: string): string | undefined {
  const slash = name.indexOf('/', 1);
  return slash > 0 ? name.slice(0, slash) : undefined;
}

/** Larger files are read ahead. */
const LARGE_BYTES = 2 ** 20;

/** A file from the page as an input of the dump readers. */
export function inputOf({ name, data, link }: InputFile): TextInput {
  const tree = treeOf(name);
  return {
    name,
    size: data.size,
    ...(link === undefined ? {} : { link }),
    ...(tree === undefined ? {} : { tree }),
    stream: async () => (data.size > LARGE_BYTES ? (await import('./read-ahead.ts')).readAhead(data) : data.stream()),
    streamFrom: (byte) => data.slice(byte).stream(),
  };
}

/** A diagnostic as a document lists it; one without a source belongs to the document itself. */
export function diagnosticOf(fact: FactOf<'diagnostic'>, title: string): Diagnostic {
  const { severity, code, message, source = title, line } = fact;
  return { severity, code, message, source, line };
}

/** Number of operations from which a document's events are kept in columns. */
const PACKED_FROM = 4096;

async function loadPackedList() {
  try {
    return (await import('../../session/packed-list.ts')).PackedList;
  } catch {
    return undefined;
  }
}

function plain(event: DumpEvent): SessionEvent {
  return isUnknownEvent(event) ? { unknown: event.unknown, name: event.name } : event;
}

/** True for a diagnostic about a line of a session file, which the file itself does not contain. */
function isReadingProblem(event: SessionEvent): boolean {
  return isFact(event) && event.kind === 'diagnostic' && SESSION_PROBLEM_CODES.some((code) => code === event.code);
}

function withoutReadingProblems(events: EventList): EventList {
  if (!events.unpacked) return events.filter((event) => !isReadingProblem(event));
  const problems = [...events.unpacked()].filter(([, event]) => isReadingProblem(event));
  for (const [index] of problems.toReversed()) events.splice(index, 1);
  return events;
}

/** Collects the events of all inputs, and counts them for the document. */
class EventCollector {
  events: EventList = [];
  /** Texts of the unknown events, in their order. */
  readonly unknown: string[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly texts = new Set<string>();
  diagnosticsMore = 0;
  operations = 0;
  hasGone = false;
  readonly #title: string;
  #lastText: string | undefined;
  readonly #kept: number;
  #mappings = 0;
  #hasParts = false;
  #folding: EventFolding | undefined;
  #loading: Promise<void> | undefined;
  #packing: Promise<void> | undefined;
  #packed: PackedList<SessionEvent> | undefined;
  /** The operations that were added last by their addresses, and the shape of those. */
  #alike: AlikeOperations | undefined;
  #shape = 0;

  /** `kept`: how many mapping events are kept one by one if there are twice as many. */
  constructor(title: string, kept: number) {
    this.#title = title;
    this.#kept = kept;
  }

  add(event: DumpEvent): void {
    if (isFact(event)) this.#addFact(event);
    else if (isUnknownEvent(event)) this.unknown.push(`${event.text}\n`);
    else if (isOperation(event)) this.#countOperation();
    const added = plain(event);
    if (this.#folding) this.#folding.take(added);
    else this.events.push(added);
  }

  #countOperation(): void {
    this.operations++;
    // A model needs that code too.
    if (this.operations === 1) void loadPackedList();
    if (this.operations === PACKED_FROM) this.#packing = this.#pack();
  }

  /** Adds an operation by its addresses; false if the events are not in columns, or it does not fit there. */
  addAlike(operations: AlikeOperations, words: Uint32Array): boolean {
    const packed = this.#packed;
    if (!packed) return false;
    if (this.#alike !== operations) {
      this.#alike = operations;
      this.#shape = packed.shapeNumberOf(operations.make(words));
    }
    if (this.#shape === 0) return false;
    packed.pushWords(this.#shape, words, operations.order);
    this.operations++;
    return true;
  }

  /** Ends the input. */
  async end(): Promise<FoldedEvents | undefined> {
    await this.#packing;
    await this.#loading;
    const { events, folded } = this.#folding?.end() ?? {};
    this.#folding = undefined;
    if (events) this.events = events;
    if (events && !folded && this.operations >= PACKED_FROM) await this.#pack();
    for (const fact of folded?.diagnostics.toReversed() ?? [])
      this.diagnostics.unshift(diagnosticOf(fact, this.#title));
    return folded;
  }

  /** Moves the events to columns. If the code for that cannot be loaded, or while they are folded, they stay in an array. */
  async #pack(): Promise<void> {
    const PackedList = await loadPackedList();
    if (!PackedList || this.#folding) return;
    this.#packed = new PackedList<SessionEvent>(this.events, isOperation);
    this.events = this.#packed;
  }

  /** The events of several hosts are separated later: those are all kept. If the part cannot be loaded, too. */
  #startFolding(): void {
    this.#loading ??= import('./fold-events.ts').then(
      ({ EventFolding: Folding }) => {
        if (this.#hasParts) return;
        // Of operations that are in columns, too.
        this.#folding = new Folding(this.events, this.#kept);
        this.events = [];
        this.#packed = undefined;
      },
      () => undefined,
    );
  }

  #addFact(fact: Extract<DumpEvent, { kind: string }>): void {
    if (fact.source !== this.#lastText) {
      this.#lastText = fact.source;
      if (fact.source !== undefined && this.texts.size < TEXTS_MAX) this.texts.add(fact.source);
    }
    if (fact.kind === 'map' || fact.kind === 'unmap') {
      this.#mappings++;
      const isPacked = this.operations >= PACKED_FROM;
      if (this.#mappings >= (isPacked ? 2 * this.#kept : Math.min(COLUMNS_FROM, 2 * this.#kept))) this.#startFolding();
      return;
    }
    if (fact.kind === 'gone') this.hasGone = true;
    if (fact.kind === 'host' && fact.part !== undefined) {
      this.#hasParts = true;
      this.#folding?.keepAll();
    }
    if (fact.kind !== 'diagnostic') return;
    if (this.diagnostics.length < DIAGNOSTICS_MAX) this.diagnostics.push(diagnosticOf(fact, this.#title));
    else this.diagnosticsMore++;
  }
}

/** The contents of all inputs, read together. */
export interface ReadInputs
  extends Pick<
    EngineDocument,
    'session' | 'hasGone' | 'sources' | 'texts' | 'operations' | 'states' | 'model' | 'diagnostics' | 'diagnosticsMore'
  > {
  /** The header's title, otherwise the given one. */
  readonly title: string;
  /** Set if only the last mapping events are kept one by one. */
  readonly folded?: FoldedEvents | undefined;
}

/** Reads the inputs together. Rejects only when the context's signal is aborted. */
export async function readInputs(
  title: string,
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  context: CallContext,
  files: readonly InputFile[] = [],
): Promise<ReadInputs> {
  const [read] = await readHostInputs(title, inputs, context, files, true);
  return read;
}

/**
 * Reads the inputs of one source: several if it is an archive of several hosts. Rejects only for the context's signal. `kept`:
 * how many mapping events of a source are kept one by one if there are more than twice as many.
 */
export async function readHostInputs(
  title: string,
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  context: CallContext,
  files: readonly InputFile[] = [],
  isTogether = false,
  kept = KEPT_MAPPINGS,
): Promise<readonly [ReadInputs, ...ReadInputs[]]> {
  const collectors: EventCollector[] = [];
  const collectorOf = (index: number) => {
    collectors[index] ??= new EventCollector(title, kept);
    return collectors[index];
  };
  const { sources, header } = await openInputs(inputs, {
    signal: context.signal,
    onProgress: ({ bytes, total, name }) => context.progress({ done: bytes, total, what: name }),
    onEvents: (batch, source) => {
      const collected = collectorOf(isTogether ? 0 : source);
      for (const event of batch) collected.add(event);
    },
    onAlike: (operations, words, source) => collectorOf(isTogether ? 0 : source).addAlike(operations, words),
  });
  const [own, others] = isTogether ? [sources, []] : [sources.slice(0, 1), sources.slice(1)];
  const read: [ReadInputs, ...ReadInputs[]] = [await readOf(collectorOf(0), { title, sources: own, header, files })];
  for (const [i, summary] of others.entries()) {
    const about = { title: summary.name, sources: [summary], header: undefined, files };
    read.push(await readOf(collectorOf(i + 1), about));
  }
  return read;
}

/** The texts of unknown events, by their index. */
function verbatimOf(events: ReadonlyEventList, texts: readonly string[]): Map<number, string> {
  if (texts.length === 0) return new Map();
  const indexes: number[] = [];
  for (const [index, event] of unpackedEntries(events)) if (isUnknownEvent(event)) indexes.push(index);
  return new Map(indexes.map((index, i) => [index, texts[i] ?? '\n']));
}

interface Collected {
  readonly title: string;
  readonly sources: ReadInputs['sources'];
  readonly header: Session['header'] | undefined;
  readonly files: readonly InputFile[];
}

async function readOf(collected: EventCollector, { title, sources, header, files }: Collected): Promise<ReadInputs> {
  const folded = await collected.end();
  const { events: all, unknown, diagnostics, diagnosticsMore, operations, hasGone, texts } = collected;
  // Problems of a session file are reported each time it is read, so they do not become part of the session.
  const events = header ? withoutReadingProblems(all) : all;
  events.trim?.();
  const session: Session = {
    ...newSession({ title }),
    ...(header ? { header } : {}),
    events,
    verbatim: { events: verbatimOf(events, unknown) },
  };
  const {
    states,
    model,
    found = [],
  } = operations > 0 ? await (await partStates()).firstStates(session, operations) : {};
  for (const fact of found) diagnostics.push(diagnosticOf(fact, title));
  return {
    title: header?.title ?? title,
    session,
    hasGone,
    sources,
    // A session file names the sources that it was made from. Their texts are not available.
    texts: [...texts].filter((text) => files.some(({ name }) => text === name || text.startsWith(`${name}/`))),
    operations,
    states,
    model,
    diagnostics,
    diagnosticsMore,
    folded,
  };
}

/**
 * Reads the inputs into one document, even if they describe several hosts. Rejects only when the context's signal is
 * aborted.
 */
export async function readDocument(
  id: string,
  title: string,
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  context: CallContext,
  files: readonly InputFile[] = [],
): Promise<EngineDocument> {
  const read = await readInputs(title, inputs, context, files);
  const { events } = read.session;
  return {
    ...read,
    id,
    kind: 'host',
    host: hostAt(id, read.title, events),
    mappings: read.folded?.setsIn(events, 0, events.length) ?? mappingSets(events),
    files,
    origins: [],
    position: events.length,
  };
}
