// Opens inputs (files, folders, archives, pastes) and streams the events that are in them. Works in a browser's worker
// and in Node; knows no file system, only names and bytes. An input → file.ts (and archive.ts) → ../text/ → collector.ts.
import type { AlikeOperations } from '../../session/event-lines.ts';
import type { SessionHeader } from '../../session/events.ts';
import type { DumpFormat, LineFormat } from '../format.ts';
import { FORMATS } from '../registry.ts';
import { LineFormats } from '../text/dispatch.ts';
import { containsWord } from '../text/interest.ts';
import { loadForLongTexts } from '../text/shapes.ts';
import { Collector, type LineSample, type SourceSummary } from './collector.ts';
import { type DumpEvent, EventQueue } from './event-queue.ts';
import { readFile } from './file.ts';
import type { AtOnce } from './known-file.ts';
import { Pacer } from './pacer.ts';
import { reportFailure, type SourceReading } from './source-reading.ts';
import { type ByteStream, openPieces } from './streams.ts';
import { readLink } from './sysfs-tree.ts';

/** A file, whatever it comes from. */
export interface DumpInput {
  /** Path or name, as a person would know it: becomes `source` of the facts. Components are separated by `/`. */
  readonly name: string;
  /** In bytes, if it is known; used for progress only. */
  readonly size?: number;
  /**
   * Name of the folder that the file was found in. Inputs that follow each other with the same tree are one source:
   * one summary, one `group` fact a group, and files in it may well have nothing of interest.
   */
  readonly tree?: string;
  /** Target of a symbolic link. It is recorded, never followed; `stream` is not called. */
  readonly link?: string;
  /** Opens the file. May throw, or fail while it is read: that becomes a diagnostic. Called at most once. */
  stream(): ByteStream | Promise<ByteStream>;
  /**
   * The contents at once, where that is possible and they are small; otherwise undefined, and `stream` is called. May throw
   * like that. Called at most once, and only for the files of a folder.
   */
  atOnce?(): Uint8Array | undefined;
}

export interface Progress {
  /** Bytes read so far, as stored. */
  readonly bytes: number;
  /** Bytes of all inputs, if every size is known. */
  readonly total?: number;
  /** The input at hand. */
  readonly name: string;
}

export interface OpenOptions {
  /**
   * Gets the events in batches, in the order of the sources; within a source in the order of its lines. `source`: index in
   * `sources` of the result. Those of an archive of several hosts come as its entries do.
   */
  onEvents(batch: readonly DumpEvent[], source: number): void;
  /**
   * Gets an operation by its addresses, where it was read so, after all events before it. False: it will come as an event.
   * The words are valid until it returns.
   */
  onAlike?(operations: AlikeOperations, words: Uint32Array, source: number): boolean;
  onProgress?(progress: Progress): void;
  /** Noticed between pieces of 32 KiB: `openInputs` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The formats to look for; all of the registry if absent. */
  readonly formats?: readonly DumpFormat[];
  /** Gets the decoded text of every file of text, in pieces. `source` is as in the facts. */
  onText?(source: string, piece: string): void;
}

export interface OpenResult {
  /** In the order of the inputs; a tree is one source, and so is each host of an archive of several. */
  readonly sources: readonly SourceSummary[];
  /** Header of the session, if the only input was a session file. */
  readonly header?: SessionHeader;
}

/**
 * Opens all inputs, one after the other. Whatever is wrong with an input becomes a `diagnostic` fact, and everything
 * readable is still read: the promise is rejected only for an abort (and for errors thrown by the callbacks).
 */
export async function openInputs(
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  options: OpenOptions,
): Promise<OpenResult> {
  const formats = options.formats ?? FORMATS;
  const lineFormats = lineFormatsOf(formats);
  const binaryFormats = formats.filter((format) => format.kind === 'binary');
  const pacer = new Pacer(options.signal);
  const headers: SessionHeader[] = [];
  const readings: { readonly reading: SourceReading; readonly queue: EventQueue }[] = [];
  const newSource = (name: string): SourceReading => {
    const index = readings.length;
    const queue = new EventQueue(
      (batch) => options.onEvents(batch, index),
      options.onAlike && ((operations, words) => options.onAlike?.(operations, words, index) === true),
    );
    const collector = new Collector(name, queue);
    const reading = { lineFormats, binaryFormats, collector, pacer, headers, onText: options.onText };
    readings.push({ reading, queue });
    return reading;
  };
  const total = Array.isArray(inputs) ? totalSize(inputs) : undefined;
  const sources: SourceSummary[] = [];
  const flush = () => {
    for (let i = sources.length; i < readings.length; i++) readings[i]?.queue.flush();
  };
  const finish = () => {
    for (const { reading } of readings.slice(sources.length)) sources.push(finishSource(reading));
  };
  let bytes = 0;
  let tree: string | undefined;
  let reading: SourceReading | undefined;
  let takeFromFolder: typeof import('./known-file.ts')['takeFromFolder'] | undefined;
  const iterator = Symbol.iterator in inputs ? inputs[Symbol.iterator]() : inputs[Symbol.asyncIterator]();
  try {
    for (;;) {
      const step = iterator.next();
      // To wait for each of many small files that are at hand takes longer than to read them.
      const next = 'then' in step ? await step : step;
      if (next.done) break;
      const input = next.value;
      if (pacer.isDue) await pacer.pause();
      if (reading && (input.tree === undefined || input.tree !== tree)) {
        finish();
        reading = undefined;
      }
      tree = input.tree;
      if (!reading) {
        const made = newSource(input.tree ?? input.name);
        reading = tree === undefined ? { ...made, newSource } : made;
      }
      const onBytes = (length: number) => {
        bytes += length;
        options.onProgress?.({ bytes, name: input.name, ...(total === undefined ? {} : { total }) });
      };
      if (input.tree === undefined) await readInput(reading, input, onBytes);
      else {
        takeFromFolder ??= (await import('./known-file.ts')).takeFromFolder;
        const whole = takeFromFolder(reading, input, onBytes);
        if (whole !== 'taken') await readInput(reading, input, onBytes, whole);
      }
      flush();
    }
    const last = sources.length;
    finish();
    for (const { queue } of readings.slice(last)) queue.flush();
  } finally {
    pacer.close();
    await iterator.return?.();
  }
  const [header] = headers;
  return { sources, ...(header && sources.length === 1 && headers.length === 1 ? { header } : {}) };
}

/** Above this number of bytes, loading what makes reading faster pays off. */
const LONG = 1 << 16;

/** By formats: made once, because it takes longer than reading a small file. */
const lineFormatsByFormats = new WeakMap<readonly DumpFormat[], LineFormats>();

function lineFormatsOf(formats: readonly DumpFormat[]): LineFormats {
  const known = lineFormatsByFormats.get(formats);
  if (known) return known;
  const lineFormats = new LineFormats(formats.filter((format) => format.kind === 'lines'));
  lineFormatsByFormats.set(formats, lineFormats);
  return lineFormats;
}

/**
 * Loads the parsers of all formats, so that texts are not searched for the ones that they need. For a program whose parsers
 * are at hand, before it reads many. What cannot be loaded is reported when it is needed.
 */
export async function loadFormats(): Promise<void> {
  const lineFormats = lineFormatsOf(FORMATS);
  await lineFormats.load(lineFormats.formats);
}

/** The bytes of all inputs; undefined if the size of one is not known. */
function totalSize(inputs: readonly DumpInput[]): number | undefined {
  let total = 0;
  for (const input of inputs) {
    if (input.link !== undefined) continue;
    if (input.size === undefined) return undefined;
    total += input.size;
  }
  return total;
}

/** The stream of an input, of which something may have been read at once. */
function streamOf(input: DumpInput, whole: AtOnce | undefined): ReturnType<DumpInput['stream']> {
  if (whole === undefined) return input.stream();
  if ('error' in whole) throw whole.error;
  return once(whole.bytes);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** `onBytes` gets the number of bytes of each piece that is read. */
async function readInput(
  reading: SourceReading,
  input: DumpInput,
  onBytes: (length: number) => void,
  whole?: AtOnce,
): Promise<void> {
  const { collector, pacer } = reading;
  if (input.link !== undefined) {
    collector.files++;
    readLink(collector, input.name, input.link);
    return;
  }
  const size = whole && 'bytes' in whole ? whole.bytes.length : input.size;
  if (size === undefined || size > LONG) await loadForLongTexts();
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of openPieces(async () => streamOf(input, whole))) {
      await pacer.pause();
      collector.size += piece.length;
      onBytes(piece.length);
      yield piece;
    }
  }
  const inTree = input.tree !== undefined;
  await reportFailure(reading, input.name, () => readFile(reading, input.name, pieces(), inTree));
}

/** Ends a source. If nothing in it was recognized, and nothing says why, that is reported. */
function finishSource({ collector, lineFormats, binaryFormats }: SourceReading): SourceSummary {
  const { samples } = collector;
  const isExplained =
    collector.hasDiagnostic('format-not-loaded') || (collector.isExplained && collector.unrecognized === 0);
  if (!collector.foundAnything && !isExplained) {
    const nearest = nearestFormat(lineFormats.formats, samples);
    const command =
      nearest?.command ?? [...lineFormats.formats, ...binaryFormats].find((format) => format.command)?.command;
    collector.diagnostic(collector.name, 'nothing-recognized', { samples, nearest: nearest?.title, command });
  }
  return collector.finish();
}

/** The format whose words are in most of the lines; undefined if no line has a word of any. */
function nearestFormat(formats: readonly LineFormat[], lines: readonly LineSample[]): LineFormat | undefined {
  const counts = formats.map((format) => lines.filter(({ text }) => containsWord(text, format.interest)).length);
  const max = Math.max(0, ...counts);
  return max === 0 ? undefined : formats[counts.indexOf(max)];
}
