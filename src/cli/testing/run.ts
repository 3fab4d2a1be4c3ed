// Runs commands for tests, with files that exist only in memory.
import { main } from '../main.ts';
import type { Threads } from '../threads.ts';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The files that were written, by name; absent if there are none. */
  readonly written?: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * Runs the command line on these files, by name; any other name is not found. If `stdin` is an Error, reading standard
 * input fails with it.
 */
export async function runCli(
  args: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>> = {},
  stdin: string | Uint8Array<ArrayBuffer> | Error = '',
  threads?: Threads,
): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const written: Record<string, string | Uint8Array> = {};
  const bytes = (data: string | Uint8Array) => (typeof data === 'string' ? new TextEncoder().encode(data) : data);
  const code = await main(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    stdin: async () => {
      if (stdin instanceof Error) throw stdin;
      return typeof stdin === 'string' ? new TextEncoder().encode(stdin) : stdin;
    },
    readFile: async (path) => {
      const data = files[path];
      if (data === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return bytes(data);
    },
    // A folder is there if a file is in it.
    readFolder: async (path) => {
      const prefix = path === '.' ? '' : `${path.replace(/\/$/, '')}/`;
      const inside = Object.keys(files).filter((name) => name.startsWith(prefix));
      const code = Object.hasOwn(files, path) ? 'ENOTDIR' : 'ENOENT';
      if (inside.length === 0) throw Object.assign(new Error(`${code}: ${path}`), { code });
      return [...new Set(inside.map((name) => name.slice(prefix.length).replace(/\/.*$/, '')))];
    },
    writeFile: async (path, data) => {
      if (path.startsWith('/nowhere/')) throw new Error('no such file or directory');
      written[path] = data;
    },
    ...(threads ? { threads } : {}),
  });
  return { code, stdout, stderr, ...(Object.keys(written).length > 0 ? { written } : {}) };
}
