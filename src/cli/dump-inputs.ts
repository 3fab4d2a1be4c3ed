// Files, folders and standard input as inputs of the dump readers.
import { createReadStream, lstatSync, openAsBlob, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { DumpInput } from '../dumps/input/open.ts';
import type { InputToOpen } from '../lib/opened.ts';
import { inputName } from './input.ts';
import type { CliIo } from './io.ts';
import { isLink } from './links.ts';

/** Node's messages are `CODE: reason, call 'path'`: the reason is what a person needs. */
function reasonOf(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(/^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message);
}

function failing(name: string, error: unknown, tree?: string): DumpInput {
  return {
    name,
    ...(tree === undefined ? {} : { tree }),
    stream() {
      throw reasonOf(error);
    },
  };
}

export interface InputOptions {
  /** True to keep the bytes of files and of standard input within reach: reports quote their lines. */
  readonly keepsData?: boolean | undefined;
}

async function fileInput(path: string, stats: Stats, { keepsData }: InputOptions, tree?: string): Promise<InputToOpen> {
  // A file that may not be read says so when it is.
  const data = keepsData && stats.isFile() ? await openAsBlob(path).catch(() => undefined) : undefined;
  return {
    name: path,
    ...(stats.isFile() ? { size: stats.size } : {}),
    ...(data ? { data } : {}),
    ...(tree === undefined ? {} : { tree }),
    async *stream() {
      try {
        // A stream costs more than reading a small file; what says that it is empty may be a pipe or a file of proc.
        if (stats.isFile() && stats.size > 0 && stats.size <= SMALL_BYTES) yield readFileSync(path);
        else for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
      } catch (error) {
        throw reasonOf(error);
      }
    },
  };
}

/** Files up to this size are read in one piece. */
const SMALL_BYTES = 1 << 20;

const byName = new Intl.Collator('en', { numeric: true });

/** A folder's files, whole and in the order of their names. Symbolic links are recorded, not followed. */
async function* folderInputs(
  path: string,
  tree: string,
  options: InputOptions,
): AsyncGenerator<InputToOpen, void, undefined> {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    yield failing(path, error, tree);
    return;
  }
  for (const name of names.sort(byName.compare)) {
    const inner = path.endsWith('/') ? `${path}${name}` : `${path}/${name}`;
    try {
      // At once: a fleet's folders have hundreds of thousands of files, and to wait for each takes longer than to look.
      const stats = lstatSync(inner);
      if (stats.isDirectory()) yield* folderInputs(inner, tree, options);
      else if (stats.isSymbolicLink()) {
        yield { ...failing(inner, 'a symbolic link', tree), link: readlinkSync(inner) };
      } else if (stats.isFile()) yield await fileInput(inner, stats, options, tree);
      else yield failing(inner, 'not a plain file', tree);
    } catch (error) {
      yield failing(inner, error, tree);
    }
  }
}

async function stdinInput(name: string, io: CliIo, { keepsData }: InputOptions): Promise<InputToOpen> {
  const bytes = await io.stdin();
  return {
    name,
    ...(keepsData ? { data: new Blob([bytes]) } : {}),
    async *stream() {
      yield bytes;
    },
  };
}

/**
 * The inputs for paths on the command line: a file, a folder with everything below it, `-` for standard input. What
 * cannot be read becomes an input that fails when it is opened.
 */
export async function* dumpInputs(
  paths: readonly string[],
  io: CliIo,
  options: InputOptions = {},
): AsyncGenerator<InputToOpen, void, undefined> {
  for (const path of paths) {
    if (isLink(path)) {
      yield {
        name: 'link',
        async *stream() {
          yield new TextEncoder().encode(path);
        },
      };
      continue;
    }
    const name = inputName(path);
    try {
      if (path === '-') {
        yield await stdinInput(name, io, options);
        continue;
      }
      const stats = await stat(path);
      if (stats.isDirectory()) yield* folderInputs(path, path, options);
      // Pipes are read too: a shell's <(…) is one.
      else yield await fileInput(path, stats, options);
    } catch (error) {
      yield failing(name, error);
    }
  }
}
