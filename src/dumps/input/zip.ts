// Zip archives: every entry is read as a file, in the order of the archive. Nothing is written to disk.
import { Unzip, type UnzipFile, UnzipInflate, UnzipPassThrough } from 'fflate';
import { pathComponents } from '../fields/sysfs-path.ts';
import { entryPath, type ReadEntry } from './archive.ts';
import { ArchiveHosts, type SeveralHosts } from './archive-hosts.ts';
import { reportFailure, type SourceReading } from './source-reading.ts';
import { reasonOf } from './streams.ts';
import { readPath } from './sysfs-tree.ts';
import { limited } from './unpack.ts';

/** Entries that are looked at. */
const ENTRIES_MAX = 100_000;

type Step =
  | { readonly kind: 'entry'; readonly file: UnzipFile }
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end'; readonly problem?: string };

interface Steps {
  /** Undefined at the end of the archive. */
  next(): Promise<Step | undefined>;
  putBack(step: Step): void;
}

/** Reads an archive called `archive`. A failure of `bytes` is thrown when everything before it was read. */
export async function readZip(
  reading: SourceReading,
  archive: string,
  bytes: AsyncIterable<Uint8Array>,
  several: SeveralHosts<SourceReading> | undefined,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector, pacer } = reading;
  const hosts = several && new ArchiveHosts(reading, several);
  const steps: Step[] = [];
  const unzip = new Unzip((file) => {
    steps.push({ kind: 'entry', file });
    file.ondata = (error, chunk, isLast) => {
      if (error) steps.push({ kind: 'end', problem: error.message });
      else {
        if (chunk.length > 0) steps.push({ kind: 'data', bytes: chunk });
        if (isLast) steps.push({ kind: 'end' });
      }
    };
    try {
      file.start();
    } catch (error) {
      steps.push({ kind: 'end', problem: reasonOf(error) });
    }
  });
  unzip.register(UnzipInflate);
  unzip.register(UnzipPassThrough);
  const iterator = bytes[Symbol.asyncIterator]();
  let hasEnded = false;
  let problem: string | undefined;
  let failure: { readonly error: unknown } | undefined;
  /** The next step; undefined at the end of the archive. */
  const next = async (): Promise<Step | undefined> => {
    while (steps.length === 0 && !hasEnded) {
      await pacer.pause();
      try {
        const piece = await iterator.next();
        hasEnded = piece.done === true;
        push(piece.done ? new Uint8Array(0) : piece.value, hasEnded);
      } catch (error) {
        pacer.throwIfAborted();
        hasEnded = true;
        failure = { error };
      }
    }
    return steps.shift();
  };
  const push = (piece: Uint8Array, isLast: boolean) => {
    try {
      unzip.push(piece, isLast);
    } catch (error) {
      hasEnded = true;
      problem = reasonOf(error);
    }
  };
  let entries = 0;
  try {
    for (; ; entries++) {
      const step = await next();
      if (!step) break;
      // What is left of an entry that was not read to its end.
      if (step.kind !== 'entry') continue;
      if (entries >= ENTRIES_MAX) {
        problem = `it has more than ${ENTRIES_MAX} entries`;
        break;
      }
      const components = pathComponents(step.file.name);
      const own = hosts?.sourceOf(components, components.join('/')) ?? reading;
      await readZipEntry(own, archive, step.file.name, { next, putBack: (one) => steps.unshift(one) }, readEntry);
    }
  } finally {
    await iterator.return?.();
  }
  if (entries === 0 && !failure) problem ??= 'it ends before its first file';
  if (problem !== undefined) collector.diagnostic(archive, 'tar-damaged', { reason: problem });
  if (failure) throw failure.error;
}

async function readZipEntry(
  reading: SourceReading,
  archive: string,
  name: string,
  { next, putBack }: Steps,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector } = reading;
  const path = entryPath(reading, archive, name);
  let reason: string | undefined;
  let hasEnded = false;
  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    while (!hasEnded) {
      const step = await next();
      if (step?.kind === 'data') {
        yield step.bytes;
        continue;
      }
      hasEnded = true;
      if (step?.kind === 'entry') putBack(step);
      reason = step === undefined ? 'the archive ends inside of it' : step.kind === 'end' ? step.problem : undefined;
    }
  }
  if (path !== undefined) {
    readPath(collector, path);
    if (!name.endsWith('/'))
      await reportFailure(reading, path, () => readEntry(reading, path, limited(reading, path, content())));
  }
  // The rest belongs to this entry, whatever was read of it.
  for await (const _ of content());
  if (reason !== undefined) collector.diagnostic(archive, 'zip-bad-entry', { name, reason });
}
