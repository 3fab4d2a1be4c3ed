// Serves the built explorer: its files and nothing else.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.sh': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.jsonl': 'application/jsonl; charset=utf-8',
  '.hex': 'text/plain; charset=utf-8',
};

export interface ServedFile {
  /** Media type. */
  readonly type: string;
  /** Bytes, or a file that is streamed as it is sent. */
  readonly body: Uint8Array | { readonly path: string; readonly size: number };
}

/**
 * The files below a folder by their URL path. The list is made once, and only paths in it are served, so that no path can
 * lead out of the folder.
 */
export async function servedFiles(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(
      `/${path
        .slice(folder.length)
        .replace(/^[\\/]+/, '')
        .replaceAll('\\', '/')}`,
      path,
    );
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}

export async function readServed(path: string): Promise<ServedFile> {
  return { type: TYPES[extname(path)] ?? 'application/octet-stream', body: await readFile(path) };
}
