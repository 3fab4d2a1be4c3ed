// Tar archives: every entry is read as a file; paths and symbolic links are recorded. Nothing is written to disk.
import { pathComponents } from '../fields/sysfs-path.ts';
import { ArchiveHosts, type SeveralHosts } from './archive-hosts.ts';
import { reportFailure, type SourceReading } from './source-reading.ts';
import { openPieces } from './streams.ts';
import { readLink, readPath } from './sysfs-tree.ts';
import { TarDamage, type TarEntry, tarEntries } from './tar-entries.ts';

/** Reads the file called `name` of a source from its bytes. */
export type ReadEntry = (reading: SourceReading, name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** Names are cut to this many characters in messages. */
const NAME_LENGTH_MAX = 200;

/** Reads an archive called `archive`. A failure of `bytes` is thrown when everything before it was read. */
export async function readTar(
  reading: SourceReading,
  archive: string,
  bytes: AsyncIterable<Uint8Array>,
  several: SeveralHosts | undefined,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector, pacer } = reading;
  const hosts = several && new ArchiveHosts(reading, several);
  try {
    for await (const entry of tarEntries(bytes)) {
      await pacer.pause();
      await readTarEntry(hosts?.sourceOf(pathComponents(entry.name)) ?? reading, archive, entry, readEntry);
    }
  } catch (error) {
    if (!(error instanceof TarDamage)) throw error;
    collector.diagnostic(archive, 'tar-damaged', { reason: error.message });
  }
}

async function readTarEntry(
  reading: SourceReading,
  archive: string,
  entry: TarEntry,
  readEntry: ReadEntry,
): Promise<void> {
  const { collector } = reading;
  const { name, type, linkname } = entry;
  const path = entryPath(reading, archive, name);
  if (path === undefined) return;
  if (type === 'file') await readTarFile(reading, archive, path, entry, readEntry);
  else if (type === 'directory') readPath(collector, path);
  else if (type === 'symlink') readLink(collector, path, linkname);
  else {
    const reason = type === 'link' ? 'it is a hard link, which is not followed' : `it is a ${type.replace('-', ' ')}`;
    collector.diagnostic(archive, 'tar-bad-entry', { name: shortened(name), reason });
  }
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
  entry: TarEntry,
  readEntry: ReadEntry,
): Promise<void> {
  let size = 0;
  let hasEnded = false;
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of openPieces(async () => entry.body())) {
      size += piece.length;
      yield piece;
    }
    hasEnded = true;
  }
  readPath(reading.collector, path);
  await reportFailure(reading, path, () => readEntry(reading, path, counted()));
  if (hasEnded && size < entry.size) {
    const name = shortened(entry.name);
    reading.collector.diagnostic(archive, 'tar-truncated', { name, size, expected: entry.size });
  }
}

function shortened(name: string): string {
  return name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
