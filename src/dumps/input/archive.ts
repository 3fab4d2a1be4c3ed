// Tar archives: every entry is read as a file; paths and symbolic links are recorded. Nothing is written to disk.
import { pathComponents } from '../fields/sysfs-path.ts';
import type { DumpSource } from '../format.ts';
import { ArchiveHosts, type SeveralHosts } from './archive-hosts.ts';
import { reportFailure, type SourceReading } from './source-reading.ts';
import { openPieces } from './streams.ts';
import { readLink, readPath } from './sysfs-tree.ts';
import { TarDamage, type TarEntry, tarEntries } from './tar-entries.ts';

/** Reads the file called `name` of a source from its bytes. */
export type ReadEntry = (reading: SourceReading, name: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** Takes a file at once if its contents are known; false if it must be read (known-file.ts). */
type TakeKnown = (reading: SourceReading, source: DumpSource, bytes: Uint8Array) => boolean;

/** Names are cut to this many characters in messages. */
const NAME_LENGTH_MAX = 200;

/** Reads an archive called `archive`. A failure of `bytes` is thrown when everything before it was read. */
export async function readTar(
  reading: SourceReading,
  archive: string,
  bytes: AsyncIterable<Uint8Array>,
  several: SeveralHosts<SourceReading> | undefined,
  readEntry: ReadEntry,
  takeKnown?: TakeKnown,
): Promise<void> {
  const { collector, pacer } = reading;
  const hosts = several && new ArchiveHosts(reading, several);
  const above = pathComponents(archive);
  try {
    for await (const entry of tarEntries(bytes)) {
      if (pacer.isDue) await pacer.pause();
      const components = pathComponents(entry.name);
      const whole = pathIn(entry.name, components);
      const own = hosts?.sourceOf(components, whole) ?? reading;
      if (!isUsable(own, archive, entry.name, components)) continue;
      const path = `${archive}/${whole}`;
      const source = { name: path, path: [...above, ...components] };
      if (entry.type !== 'file') takeOther(own, archive, source, entry);
      else {
        readPath(own.collector, path, source.path);
        if (!entry.whole || !takeKnown?.(own, source, entry.whole)) {
          await readTarFile(own, archive, path, entry, readEntry);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TarDamage)) throw error;
    collector.diagnostic(archive, 'tar-damaged', { reason: error.message });
  }
}

/** Takes what is not a file. */
function takeOther(
  { collector }: SourceReading,
  archive: string,
  { name: path, path: components }: DumpSource,
  entry: TarEntry,
): void {
  const { name, type, linkname } = entry;
  if (type === 'directory') readPath(collector, path, components);
  else if (type === 'symlink') readLink(collector, path, linkname, components);
  else {
    const reason = type === 'link' ? 'it is a hard link, which is not followed' : `it is a ${type.replace('-', ' ')}`;
    collector.diagnostic(archive, 'tar-bad-entry', { name: shortened(name), reason });
  }
}

/** The path of an entry, below the archive's name; undefined if it has none that can be used, which is reported. */
export function entryPath(reading: SourceReading, archive: string, name: string): string | undefined {
  const components = pathComponents(name);
  return isUsable(reading, archive, name, components) ? `${archive}/${pathIn(name, components)}` : undefined;
}

/** The path that the components of a name are. */
export function pathIn(name: string, components: readonly string[]): string {
  let length = components.length - 1;
  for (const component of components) length += component.length;
  // Nothing of most names is resolved.
  return length === name.length ? name : components.join('/');
}

/** False for an entry with a path that cannot be used, which is reported. `components`: of the name. */
function isUsable({ collector }: SourceReading, archive: string, name: string, components: readonly string[]): boolean {
  if (name === '' || hasControls(name)) {
    collector.diagnostic(archive, 'tar-bad-entry', { name: '', reason: 'its name is empty or has control characters' });
    return false;
  }
  if (name.startsWith('/') && !collector.hasDiagnostic('tar-absolute-path')) {
    collector.diagnostic(archive, 'tar-absolute-path', { name: shortened(name) });
  }
  if (components[0] === '..') {
    collector.diagnostic(archive, 'tar-bad-entry', {
      name: shortened(name),
      reason: 'its path leads out of the archive',
    });
    return false;
  }
  return true;
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
  await reportFailure(reading, path, () => readEntry(reading, path, counted()));
  if (hasEnded && size < entry.size) {
    const name = shortened(entry.name);
    reading.collector.diagnostic(archive, 'tar-truncated', { name, size, expected: entry.size });
  }
}

function shortened(name: string): string {
  return name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name;
}

export function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}
