// Opens inputs: finds out what each is (packed, an archive, a session, text of any known format) and streams the
// events that are in it. Works in a browser's worker and in Node; knows no files, only names and bytes.
import type { SessionHeader } from '../../session/events.ts';
import { groupDevice, groupLink, iommuPlace, pathComponents, sysfsRoot } from '../fields/sysfs-path.ts';
import type { BinaryFormat, DumpFormat } from '../format.ts';
import { IOMMU_CLASS, iommuOf } from '../formats/sysfs/iommu-class.ts';
import { IOMMU_GROUPS } from '../formats/sysfs/iommu-groups.ts';
import { FORMATS } from '../registry.ts';
import { LineFormats } from '../text/dispatch.ts';
import { TextReader } from '../text/text-reader.ts';
import {
  type ByteStream,
  describeBinary,
  HEAD_BYTES,
  isGzip,
  isTar,
  type Peeked,
  peek,
  piecesOf,
  utf16,
} from './bytes.ts';
import { Collector, type SourceSummary } from './collector.ts';
import { type DumpEvent, EventQueue } from './event-queue.ts';
import type { GzipProblem } from './gunzip.ts';
import { Pacer } from './pacer.ts';
import { looksLikeSession, SESSION_FORMAT, SessionFileReader } from './session-file.ts';

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
  /** Gets the events in batches, in the order of the sources; within a source in the order of its lines. */
  onEvents(batch: readonly DumpEvent[]): void;
  onProgress?(progress: Progress): void;
  /** Noticed between pieces of 32 KiB: `openInputs` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The formats to look for; all of the registry if absent. */
  readonly formats?: readonly DumpFormat[];
  /** Gets the decoded text of every file of text, in pieces. `source` is as in the facts. */
  onText?(source: string, piece: string): void;
}

export interface OpenResult {
  /** In the order of the inputs; a tree is one source. */
  readonly sources: readonly SourceSummary[];
  /** Header of the session, if the only input was a session file. */
  readonly header?: SessionHeader;
}

/** Archives in archives are opened down to here. */
const DEEPEST = 4;

interface State {
  readonly formats: { readonly lines: LineFormats; readonly binary: readonly BinaryFormat[] };
  readonly queue: EventQueue;
  readonly pacer: Pacer;
  readonly headers: SessionHeader[];
  readonly onText: OpenOptions['onText'];
  collector: Collector;
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
  const queue = new EventQueue((batch) => options.onEvents(batch));
  const pacer = new Pacer(options.signal);
  const state: State = {
    formats: {
      lines: new LineFormats(formats.filter((format) => format.kind === 'lines')),
      binary: formats.filter((format) => format.kind === 'binary'),
    },
    queue,
    pacer,
    headers: [],
    onText: options.onText,
    collector: new Collector('', queue),
  };
  const sources: SourceSummary[] = [];
  const total = Array.isArray(inputs) ? totalSize(inputs) : undefined;
  let bytes = 0;
  let tree: string | undefined;
  let open = false;
  const close = () => {
    if (open)
      sources.push(
        finish(
          state.collector,
          formats.map(({ title }) => title),
        ),
      );
    open = false;
  };
  try {
    for await (const input of inputs) {
      await pacer.pause();
      if (!open || input.tree === undefined || input.tree !== tree) {
        close();
        tree = input.tree;
        state.collector = new Collector(tree ?? input.name, queue);
        open = true;
      }
      if (input.link !== undefined) {
        state.collector.files++;
        readLink(state, input.name, input.link);
        continue;
      }
      const counted = (length: number) => {
        bytes += length;
        state.collector.size += length;
        options.onProgress?.({ bytes, name: input.name, ...(total === undefined ? {} : { total }) });
      };
      await readInput(state, input, counted);
      queue.flush();
    }
    close();
    queue.flush();
  } finally {
    pacer.close();
  }
  const header = sources.length === 1 && state.headers.length === 1 ? state.headers[0] : undefined;
  return { sources, ...(header ? { header } : {}) };
}

function totalSize(inputs: readonly DumpInput[]): number | undefined {
  let total = 0;
  for (const input of inputs) {
    if (input.link !== undefined) continue;
    if (input.size === undefined) return undefined;
    total += input.size;
  }
  return total;
}

/** Ends a source; says so if nothing in it was of any use. */
function finish(collector: Collector, titles: readonly string[]): SourceSummary {
  if (!collector.foundAnything && !(collector.isExplained && collector.unrecognized === 0)) {
    const expected = [...titles, SESSION_FORMAT.title];
    collector.diagnostic(collector.name, 'nothing-recognized', { expected, samples: collector.samples });
  }
  return collector.finish();
}

/** Reads one input; every failure of the stream ends as a diagnostic, save an abort. */
async function readInput(state: State, input: DumpInput, counted: (length: number) => void): Promise<void> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of failures(async () => input.stream())) {
      await state.pacer.pause();
      counted(piece.length);
      yield piece;
    }
  }
  if (input.tree !== undefined) readPath(state, input.name);
  await guarded(state, input.name, () => readBytes(state, input.name, pieces(), input.tree !== undefined, 0));
}

/** What a stream threw, told apart from the bugs of whoever reads it. */
class StreamFailure extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The pieces of a stream; whatever opening or reading it throws comes out as a StreamFailure. */
async function* failures(open: () => Promise<ByteStream>): AsyncGenerator<Uint8Array, void, undefined> {
  let pieces: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  try {
    for (;;) {
      let next: IteratorResult<Uint8Array, void>;
      try {
        pieces ??= piecesOf(await open());
        next = await pieces.next();
      } catch (error) {
        throw new StreamFailure(error);
      }
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await pieces?.return();
  }
}

/** Makes the failure of a stream a diagnostic. An abort passes, being the caller's wish, and so do bugs. */
async function guarded(state: State, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    state.pacer.throwIfAborted();
    if (!(error instanceof StreamFailure)) throw error;
    state.collector.diagnostic(name, 'unreadable', { reason: error.message });
  }
}

async function readBytes(
  state: State,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
  inTree: boolean,
  depth: number,
): Promise<void> {
  const { collector } = state;
  const peeked = await peek(pieces);
  const { head } = peeked;
  const nested = depth < DEEPEST;
  if (nested && isGzip(head)) {
    const { gunzip } = await import('./gunzip.ts');
    const fault = (problem: GzipProblem) =>
      problem.code === 'gzip-damaged'
        ? collector.diagnostic(name, problem.code, { reason: problem.reason })
        : collector.diagnostic(name, problem.code, {});
    await readBytes(state, name, paced(state, gunzip(peeked.bytes, fault)), inTree, depth + 1);
    return;
  }
  if (nested && isTar(head)) {
    await readTar(state, name, peeked, depth + 1);
    return;
  }
  collector.files++;
  const binary = state.formats.binary.find((format) => format.matches(head));
  if (binary) {
    const source = { name, path: pathComponents(name) };
    await binary.read(peeked.bytes, source, collector.sink(name, binary));
    return;
  }
  if (head.length === 0) {
    // Empty files are common in sysfs: a tree is full of them.
    await drain(peeked.bytes);
    if (!inTree) collector.diagnostic(name, 'empty-file', {});
    return;
  }
  const what = describeBinary(head);
  if (what !== undefined) {
    if (!inTree) collector.diagnostic(name, 'binary-file', { what });
    await leave(peeked.bytes);
    return;
  }
  await readText(state, name, peeked);
}

async function readText(state: State, name: string, { head, bytes }: Peeked): Promise<void> {
  const { collector } = state;
  const decoder = new TextDecoder(utf16(head) ?? 'utf-8');
  const start = new TextDecoder(utf16(head) ?? 'utf-8').decode(head.subarray(0, HEAD_BYTES));
  const session = looksLikeSession(start) ? new SessionFileReader(name, collector) : undefined;
  const reader = session ?? new TextReader(state.formats.lines, { name, path: pathComponents(name) }, collector);
  try {
    const push = (text: string) => {
      reader.push(text);
      state.onText?.(name, text);
    };
    for await (const piece of bytes) {
      push(decoder.decode(piece, { stream: true }));
      await state.pacer.pause();
    }
    push(decoder.decode());
  } finally {
    // Also after a failure of the stream: the lines before it count.
    reader.end();
  }
  if (session?.header) {
    state.headers.push(session.header);
    collector.noteFormat(SESSION_FORMAT);
  }
}

async function readTar(state: State, name: string, { bytes }: Peeked, depth: number): Promise<void> {
  const { collector } = state;
  const iterator = bytes[Symbol.asyncIterator]();
  let failure: { readonly error: unknown } | undefined;
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        // The archive's decoder would throw away what it holds: end it here and pass the failure on below.
        failure = { error };
        controller.close();
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  // Most dumps are plain text: what unpacks the others is loaded when it is needed.
  const { createTarDecoder } = await import('modern-tar');
  const reader = source.pipeThrough(createTarDecoder()).getReader();
  try {
    for (;;) {
      let next: Awaited<ReturnType<typeof reader.read>>;
      try {
        next = await reader.read();
      } catch (error) {
        state.pacer.throwIfAborted();
        const reason = error instanceof Error ? error.message : String(error);
        collector.diagnostic(name, 'tar-damaged', { reason });
        break;
      }
      if (next.done) break;
      await state.pacer.pause();
      await readTarEntry(state, name, next.value.header, next.value.body, depth);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (failure) throw failure.error;
}

interface TarHeaderLike {
  readonly name: string;
  readonly size: number;
  readonly type?: string;
  readonly linkname?: string;
}

async function readTarEntry(
  state: State,
  archive: string,
  header: TarHeaderLike,
  body: ReadableStream<Uint8Array>,
  depth: number,
): Promise<void> {
  const { collector } = state;
  const shown = header.name.length > 200 ? `${header.name.slice(0, 200)}…` : header.name;
  const bad = (reason: string) => collector.diagnostic(archive, 'tar-bad-entry', { name: shown, reason });
  const skip = () => body.cancel().catch(() => undefined);
  const type = header.type ?? 'file';
  if (header.name === '' || hasControls(header.name)) {
    collector.diagnostic(archive, 'tar-bad-entry', { name: '', reason: 'its name is empty or has control characters' });
    await skip();
    return;
  }
  if (header.name.startsWith('/') && !collector.hasDiagnostic('tar-absolute-path')) {
    collector.diagnostic(archive, 'tar-absolute-path', { name: shown });
  }
  const components = pathComponents(header.name);
  if (components[0] === '..') {
    bad('its path leads out of the archive');
    await skip();
    return;
  }
  const name = `${archive}/${components.join('/')}`;
  if (type === 'file') {
    let size = 0;
    let ended = false;
    async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of failures(async () => body)) {
        size += piece.length;
        yield piece;
      }
      ended = true;
    }
    readPath(state, name);
    await guarded(state, name, () => readBytes(state, name, pieces(), true, depth));
    if (ended && size < header.size) {
      collector.diagnostic(archive, 'tar-truncated', { name: shown, size, expected: header.size });
    }
    await skip();
    return;
  }
  await skip();
  if (type === 'directory') {
    readPath(state, name);
  } else if (type === 'symlink') {
    readLink(state, name, header.linkname ?? '');
  } else if (type === 'link') {
    bad('it is a hard link, which is not followed');
  } else {
    bad(`it is a ${type.replace('-', ' ')}`);
  }
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}

/** Records which device is in which group, if the path says so. */
function readPath(state: State, name: string): void {
  const components = pathComponents(name);
  const found = groupDevice(components);
  if (found) addToGroup(state, name, sysfsRoot(components), found);
}

/** Records what a symlink of sysfs says: which device is in which group. It is not followed. */
function readLink(state: State, name: string, target: string): void {
  const components = pathComponents(name);
  const from = target.startsWith('/') ? [] : components.slice(0, -1);
  const whole = pathComponents([...from, target].join('/'));
  // An IOMMU of a driver that shows nothing of it is there as a link alone.
  const iommu = components.at(-2) === 'iommu' ? iommuPlace(whole) : undefined;
  if (iommu && iommu.name === components.at(-1)) {
    state.collector.sink(name, IOMMU_CLASS).fact(iommuOf(iommu), undefined);
    return;
  }
  const link = groupLink(components, whole);
  if (link) addToGroup(state, name, sysfsRoot(components.at(-1) === 'iommu_group' ? whole : components), link);
  else readPath(state, name);
}

function addToGroup(
  state: State,
  source: string,
  host: string | undefined,
  found: { group: string; device: string },
): void {
  state.collector.group(host ?? source, source, found.group, { devices: [found.device] }, IOMMU_GROUPS);
}

async function* paced(state: State, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of piecesOf(chunks)) {
    await state.pacer.pause();
    yield piece;
  }
}

/** Reads to the end without use, so that a failure is met. */
async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** Leaves a stream unread. */
async function leave(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes) break;
}
