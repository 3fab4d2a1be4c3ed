// An archive with the folders of several hosts, side by side in it or in one folder: each is a source of its own. What is
// packed is read once and in order, so the first host's files are the archive's until a second host is found.

import type { Collector } from './collector.ts';
import { OF_A_HOST } from './dump-of-host.ts';

/** Folders that every machine has: a copy of `sys` and `proc` is one host. */
const OF_ANY_MACHINE: ReadonlySet<string> = new Set(['sys', 'proc', 'etc', 'var', 'tmp', 'root', 'home', 'kernel']);
/** Paths of the first host that are remembered; another host has one of them too. */
const PATHS_MAX = 20_000;
/** How deep the folders of hosts may be. */
const DEPTH_MAX = 2;

/** What is known of the folders at one depth. */
interface Level {
  /** The folder with the first file that a dump of a host has. */
  first: string | undefined;
  /** Paths below the folder of each that came before; only until a second host is found. */
  readonly paths: Map<string, Set<string>>;
  kept: number;
}

/** What is told of a source. */
export interface NamedSource {
  readonly collector: Pick<Collector, 'name' | 'archive'>;
}

/** How the hosts of an archive become sources of their own. */
export interface SeveralHosts<Source extends NamedSource> {
  readonly archive: string;
  /** Makes a source. */
  readonly newSource: (name: string) => Source;
}

export class ArchiveHosts<Source extends NamedSource> {
  readonly #whole: Source;
  readonly #several: SeveralHosts<Source>;
  readonly #levels: readonly Level[] = Array.from({ length: DEPTH_MAX }, () => ({
    first: undefined,
    paths: new Map(),
    kept: 0,
  }));
  #depth = 0;
  readonly #hosts = new Map<string, Source>();

  /** `whole`: the source that the archive is as long as it has one host. */
  constructor(whole: Source, several: SeveralHosts<Source>) {
    this.#whole = whole;
    this.#several = several;
  }

  /** The source that an entry belongs to, by its path in the archive and the components of that. */
  sourceOf(components: readonly string[], whole: string): Source {
    if (this.#depth > 0) return this.#ofHost(components, this.#depth);
    for (const [i, level] of this.#levels.entries()) if (this.#isSecond(components, whole, i + 1, level)) break;
    return this.#depth > 0 ? this.#ofHost(components, this.#depth) : this.#whole;
  }

  /** How deep the folders of the hosts are; 0 as long as there is one host. */
  get depth(): number {
    return this.#depth;
  }

  #nameOf(folder: string): string {
    return `${this.#several.archive}/${folder}`;
  }

  #ofHost(components: readonly string[], depth: number): Source {
    // What lies beside the folders is the first host's, or that of the archive.
    if (components.length <= depth) return this.#whole;
    const folder = components.slice(0, depth).join('/');
    const known = this.#hosts.get(folder);
    if (known) return known;
    const made = this.#several.newSource(this.#nameOf(folder));
    made.collector.archive = this.#several.archive;
    this.#hosts.set(folder, made);
    return made;
  }

  /** Notes an entry; true if it is of a second host: it has a file that the first one has too. */
  #isSecond(components: readonly string[], whole: string, depth: number, level: Level): boolean {
    if (components.length <= depth || OF_ANY_MACHINE.has(components[depth - 1] ?? '')) return false;
    const folder = components.slice(0, depth).join('/');
    const path = whole.slice(folder.length + 1);
    if (level.first === undefined && OF_A_HOST.test(path)) level.first = folder;
    const { first } = level;
    if (first !== undefined && first !== folder && level.paths.get(first)?.has(path)) {
      this.#depth = depth;
      this.#hosts.set(first, this.#whole);
      this.#whole.collector.archive = this.#several.archive;
      this.#whole.collector.name = this.#nameOf(first);
      level.paths.clear();
      return true;
    }
    if (level.kept >= PATHS_MAX) return false;
    level.kept++;
    const own = level.paths.get(folder) ?? new Set();
    level.paths.set(folder, own.add(path));
    return false;
  }
}
