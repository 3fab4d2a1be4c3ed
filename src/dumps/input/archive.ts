// Tar archives: every entry is read as a file; paths and symbolic links are recorded. Nothing is written to disk.
import { createTarDecoder } from 'modern-tar';
import { pathComponents } from '../fields/sysfs-path.ts';
import { endAtFailure } from './end-at-failure.ts';
import { reportFailure, type SourceReading } from './source-reading.ts';
import { openPieces, reasonOf } from './streams.ts';
import { readLink, readPath } from './sysfs-tree.ts';

/** Reads the file called `name` from its bytes. */
export type ReadEntry = (name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** Of a tar entry, what is used of its header. */
interface EntryHeader {
  readonly name: string;
  readonly size: number;
  readonly type?: string;
  readonly linkname?: string;
}

/** Names are cut to this many characters in messages. */
const NAME_LENGTH_MAX = 200;

/** Reads an archive called `archive`. A failure of `bytes` is thrown when everything before it was read. */
export async function readTar(
  reading: SourceReading,
  archive: string,
  bytes: AsyncIterable<Uint8Array>,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector, pacer } = reading;
  const { stream, failure } = endAtFailure(bytes);
  const entries = stream.pipeThrough(createTarDecoder()).getReader();
  try {
    for (;;) {
      let next: Awaited<ReturnType<typeof entries.read>>;
      try {
        next = await entries.read();
      } catch (error) {
        pacer.throwIfAborted();
        collector.diagnostic(archive, 'tar-damaged', {
          reason: reasonOf(error),
        });
        break;
      }
      if (next.done) break;
      await pacer.pause();
      await readTarEntry(reading, archive, next.value.header, next.value.body, readEntry);
    }
  } finally {
    await entries.cancel().catch(() => undefined);
  }
  const failed = failure();
  if (failed) throw failed.error;
}

async function readTarEntry(
  reading: SourceReading,
  archive: string,
  header: EntryHeader,
  body: ReadableStream<Uint8Array>,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector } = reading;
  const path = entryPath(reading, archive, header.name);
  if (path !== undefined) {
    const type = header.type ?? 'file';
    if (type === 'file') await readTarFile(reading, archive, path, header, body, readEntry);
    else if (type === 'directory') readPath(collector, path);
    else if (type === 'symlink') readLink(collector, path, header.linkname ?? '');
    else {
      const reason = type === 'link' ? 'it is a hard link, which is not followed' : `it is a ${type.replace('-', ' ')}`;
      collector.diagnostic(archive, 'tar-bad-entry', { name: shortened(header.name), reason });
    }
  }
  // The decoder waits until the body was read or dropped.
  await body.cancel().catch(() => undefined);
}

/** The path of an entry, below the archive's name; undefined if it has none that can be used, which is reported. */
export function entryPath({ collector }: SourceReading, archive: string, name: string): string | undefined {
  if (name === '' || hasControls(name)) {
    collector.diagnostic(archive, 'tar-bad-entry', { name: '', reason: 'its name is empty or has control characters' });
    return undefined;
  }
  if (name.startsWith('/') && !collector.hasDiagnostic('tar-absolute-path')) {
    collector.diagnostic(archive, 'tar-absolute-path', { name: shortened(name) });
  }
  const components = pathComponents(name);
  if (components[0] === '..') {
    collector.diagnostic(archive, 'tar-bad-entry', {
      name: shortened(name),
      reason: 'its path leads out of the archive',
    });
    return undefined;
  }
  return `${archive}/${components.join('/')}`;
}

async function readTarFile(
  reading: SourceReading,
  archive: string,
  path: string,
  header: EntryHeader,
  body: ReadableStream<Uint8Array>,
  readEntry: ReadEntry,
): Promise<void> {
  let size = 0;
  let hasEnded = false;
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of openPieces(async () => body)) {
      size += piece.length;
      yield piece;
    }
    hasEnded = true;
  }
  readPath(reading.collector, path);
  await reportFailure(reading, path, () => readEntry(path, counted()));
  if (hasEnded && size < header.size) {
    const name = shortened(header.name);
    reading.collector.diagnostic(archive, 'tar-truncated', { name, size, expected: header.size });
  }
}

function shortened(name: string): string {
  return name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
