// Serves files of the command line to the page that shows them, under a path that cannot be guessed.
import { randomBytes } from 'node:crypto';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { ServedFile } from '../agent/files.ts';
import type { ServedEntry } from '../session/served-files.ts';
import { SERVED_PATH } from '../session/served-files.ts';

/** A file of the call: on disk, or in memory (standard input). */
type Content = { readonly path: string } | { readonly bytes: Uint8Array } | { readonly link: string };

interface File {
  /** As a browser names a dropped file: below the folder that was given, with that folder's name first. */
  readonly name: string;
  readonly content: Content;
}

const byName = new Intl.Collator('en', { numeric: true });

/** Rejects with a system error if a path cannot be read. Symbolic links below a folder are recorded, not followed. */
async function filesBelow(path: string, name: string): Promise<File[]> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return [{ name, content: { link: await readlink(path) } }];
  if (stats.isFile()) return [{ name, content: { path } }];
  if (!stats.isDirectory()) return [];
  const names = (await readdir(path)).sort(byName.compare);
  return (await Promise.all(names.map((entry) => filesBelow(join(path, entry), `${name}/${entry}`)))).flat();
}

export class FileServer {
  readonly token = randomBytes(24).toString('base64url');
  readonly #files: File[] = [];

  /** Adds a file, or a folder with everything below it. Rejects with a system error. */
  async add(path: string): Promise<void> {
    const whole = resolve(path);
    const name = basename(whole) || 'root';
    const stats = await stat(whole);
    this.#files.push(...(stats.isDirectory() ? await filesBelow(whole, name) : [{ name, content: { path: whole } }]));
  }

  addBytes(name: string, bytes: Uint8Array): void {
    this.#files.push({ name, content: { bytes } });
  }

  get size(): number {
    return this.#files.length;
  }

  /** Answers a path below the token: the list of files, or one of them by its number. */
  answer(path: string): ServedFile | Promise<ServedFile> | undefined {
    const prefix = `${SERVED_PATH}${this.token}/`;
    if (!path.startsWith(prefix)) return undefined;
    const rest = path.slice(prefix.length);
    if (rest === '') return { type: 'application/json', body: new TextEncoder().encode(JSON.stringify(this.#list())) };
    return /^\d{1,9}$/.test(rest) ? this.#read(Number(rest)) : undefined;
  }

  #list(): readonly ServedEntry[] {
    return this.#files.map(({ name, content }) => ('link' in content ? { name, link: content.link } : { name }));
  }

  #read(index: number): Promise<ServedFile> | ServedFile | undefined {
    const content = this.#files[index]?.content;
    if (!content || 'link' in content) return undefined;
    const type = 'application/octet-stream';
    if ('bytes' in content) return { type, body: content.bytes };
    const { path } = content;
    return stat(path).then(({ size }) => ({ type, body: { path, size } }));
  }
}
