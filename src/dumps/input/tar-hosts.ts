// The hosts of a tar with the folders of several hosts, without reading what is in them: each part of it can be read by
// itself, as an archive of fewer hosts.
import { isResolved, pathComponents } from '../fields/sysfs-path.ts';
import { hasControls, pathIn } from './archive.ts';
import { ArchiveHosts, type NamedSource } from './archive-hosts.ts';
import { isTar, isZip, packingOf } from './file-kind.ts';
import { peek } from './streams.ts';
import { TarDamage, type TarEntry, tarEntries } from './tar-entries.ts';

/** Bytes of an archive: from `begin` to `end`, exclusive. */
export interface Extent {
  readonly begin: number;
  readonly end: number;
}

/** Entries of one host that follow each other. */
interface Run {
  readonly folder: string;
  /** What the paths of its entries begin with. */
  readonly below: string;
  readonly begin: number;
  end: number;
  /** Paths of the entries: of the first run of a part all, else the first. */
  readonly paths: string[];
}

/**
 * Parts of a tar with about `size` hosts each, in the order of their first entries. Read one by one as archives with the same
 * name, they have the same hosts with the same contents as the whole. Undefined if that cannot be said: if it is no tar, or
 * packed, damaged, has one host, or has anything outside of their folders.
 */
export async function partsOfTar(
  pieces: AsyncIterable<Uint8Array>,
  archive: string,
  size: number,
): Promise<readonly (readonly Extent[])[] | undefined> {
  const { head, bytes } = await peek(pieces);
  if (!isTar(head) || isZip(head) || packingOf(head) !== undefined) {
    await bytes[Symbol.asyncIterator]().return?.();
    return undefined;
  }
  const runs = new Runs(archive, size);
  try {
    for await (const entry of tarEntries(bytes)) if (!runs.add(entry)) return undefined;
  } catch (error) {
    if (error instanceof TarDamage) return undefined;
    throw error;
  }
  const parts = runs.parts();
  return parts?.map((part) => part.map(({ begin, end }) => ({ begin, end })));
}

class Runs {
  readonly #archive: string;
  readonly #size: number;
  readonly #hosts: ArchiveHosts<NamedSource>;
  /** The entries until the second host is found. */
  #first: TarEntry[] | undefined = [];
  readonly #runs: Run[] = [];
  #last: Run | undefined;
  /** True if the last run keeps all of its paths. */
  #keepsPaths = false;
  /** Folders of the hosts in the order of their first entries, each with its part. */
  readonly #parts = new Map<string, number>();

  constructor(archive: string, size: number) {
    this.#archive = archive;
    this.#size = size;
    this.#hosts = newHosts(archive);
  }

  /** False if the archive must be read as a whole. */
  add(entry: TarEntry): boolean {
    const { name, dependsOnEarlier } = entry;
    const last = this.#last;
    // Most entries are of the same host as the one before.
    if (last && !dependsOnEarlier && name.startsWith(last.below) && isResolved(name) && !hasControls(name)) {
      return this.#extend(last, entry.end, name);
    }
    const components = pathComponents(name);
    if (dependsOnEarlier || name === '' || name.startsWith('/') || components[0] === '..' || hasControls(name)) {
      return false;
    }
    if (!this.#first) return this.#add(entry, components);
    const source = this.#hosts.sourceOf(components, pathIn(name, components));
    this.#first.push(entry);
    if (this.#hosts.depth === 0) return true;
    const before = this.#first;
    this.#first = undefined;
    if (!before.every((one) => this.#add(one, pathComponents(one.name)))) return false;
    // What was read before the second host was found is the first one's, whatever its folder is.
    const [first, second] = this.#runs;
    return this.#runs.length === 2 && second?.paths.length === 1 && source.collector.name !== this.#nameOf(first);
  }

  #nameOf(run: Run | undefined): string {
    return `${this.#archive}/${run?.folder}`;
  }

  #add({ name, type, begin, end }: TarEntry, components: readonly string[]): boolean {
    const { depth } = this.#hosts;
    if (components.length <= depth) {
      // A folder without a file says nothing: it is in no part.
      this.#last = undefined;
      return type === 'directory';
    }
    const folder = components.slice(0, depth).join('/');
    const isKnown = this.#parts.has(folder);
    if (!isKnown) this.#parts.set(folder, Math.floor(this.#parts.size / this.#size));
    if (this.#last?.folder !== folder) {
      const last = { folder, below: `${folder}/`, begin, end, paths: [pathIn(name, components)] };
      this.#runs.push(last);
      this.#last = last;
      this.#keepsPaths = !isKnown && (this.#parts.size - 1) % this.#size === 0;
      return true;
    }
    return this.#extend(this.#last, end, pathIn(name, components));
  }

  /** Adds an entry to the last run. */
  #extend(last: Run, end: number, path: string): true {
    last.end = end;
    if (this.#keepsPaths) last.paths.push(path);
    return true;
  }

  /** The runs of each part; undefined if the archive must be read as a whole. */
  parts(): readonly (readonly Run[])[] | undefined {
    if (this.#first) return undefined;
    const parts: Run[][] = [];
    // A part has two hosts or more: an archive of one host is a source by itself.
    const count = Math.max(1, Math.floor(this.#parts.size / this.#size) + (this.#parts.size % this.#size > 1 ? 1 : 0));
    for (const run of this.#runs) {
      const part = Math.min(this.#parts.get(run.folder) ?? 0, count - 1);
      parts[part] ??= [];
      parts[part].push(run);
    }
    return parts.every((part) => this.#isByItself(part)) ? parts : undefined;
  }

  /** True if an archive of these entries has the same hosts, and the entries of each. */
  #isByItself([first, second]: readonly Run[]): boolean {
    const hosts = newHosts(this.#archive);
    const sourceOf = (path: string) => hosts.sourceOf(pathComponents(path), path).collector.name;
    for (const path of first?.paths ?? []) if (sourceOf(path) !== this.#archive) return false;
    return sourceOf(second?.paths[0] ?? '') === this.#nameOf(second) && hosts.depth === this.#hosts.depth;
  }
}

function newHosts(archive: string): ArchiveHosts<NamedSource> {
  const newSource = (name: string): NamedSource => ({ collector: { name, archive } });
  return new ArchiveHosts(newSource(archive), { archive, newSource });
}
