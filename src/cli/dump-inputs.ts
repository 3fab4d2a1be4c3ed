// Files, folders and standard input as inputs of the dump readers.
import {
  closeSync,
  constants,
  createReadStream,
  type Dirent,
  fstatSync,
  lstatSync,
  openAsBlob,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
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

/** Bytes of a file that are read at once: with 64 KiB, the default, a large file takes a fifth longer. */
export const CHUNK_BYTES = 1 << 20;

type ReadableBytes = AsyncGenerator<Uint8Array, void, undefined>;

async function* chunksOf(path: string): ReadableBytes {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) yield chunk as Uint8Array;
  } catch (error) {
    throw reasonOf(error);
  }
}

async function fileInput(path: string, stats: Stats, { keepsData }: InputOptions): Promise<InputToOpen> {
  // A file that may not be read says so when it is.
  const data = keepsData && stats.isFile() ? await openAsBlob(path).catch(() => undefined) : undefined;
  return {
    name: path,
    ...(stats.isFile() ? { size: stats.size } : {}),
    ...(data ? { data } : {}),
    async *stream() {
      // A stream costs more than reading a small file; what says that it is empty may be a pipe or a file of proc.
      if (stats.isFile() && stats.size > 0 && stats.size <= SMALL_BYTES) yield smallChunk(path);
      else yield* chunksOf(path);
    },
  };
}

function smallChunk(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw reasonOf(error);
  }
}

/** Files up to this size are read in one piece. */
const SMALL_BYTES = 1 << 20;

const byName = new Intl.Collator('en', { numeric: true });

/** Names in order, by the same names in the order of their characters: many folders of a fleet have the same. */
const sortedNames = new Map<string, readonly string[]>();
const SORTED_MAX = 10_000;

export function inOrder(names: string[]): readonly string[] {
  if (names.length < 2) return names;
  const key = names.sort().join('/');
  const known = sortedNames.get(key);
  if (known) return known;
  if (sortedNames.size >= SORTED_MAX) sortedNames.clear();
  const sorted = names.sort(byName.compare);
  sortedNames.set(key, sorted);
  return sorted;
}

/** The contents of a small file; undefined for others, and for those of proc, which say that they are empty. */
function smallFile(path: string): Uint8Array | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size === 0 || stats.size > SMALL_BYTES) return undefined;
    const bytes = Buffer.allocUnsafe(stats.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** A file of a folder. One object for each of a fleet's hundreds of thousands of files: its functions are shared. */
function fileOfFolder(path: string, tree: string): DumpInput {
  return { name: path, tree, stream: streamOfFile, atOnce: contentsOfFile };
}

function streamOfFile(this: DumpInput): ReadableBytes {
  return chunksOf(this.name);
}

function contentsOfFile(this: DumpInput): Uint8Array | undefined {
  try {
    return smallFile(this.name);
  } catch (error) {
    throw reasonOf(error);
  }
}

/** A folder's files, whole and in the order of their names. Symbolic links are recorded, not followed. */
async function* folderInputs(
  path: string,
  tree: string,
  options: InputOptions,
): AsyncGenerator<InputToOpen, void, undefined> {
  for (const one of filesBelow(path, tree)) {
    // A file that may not be read says so when it is.
    const data = options.keepsData && one.atOnce ? await openAsBlob(one.name).catch(() => undefined) : undefined;
    yield data ? { ...one, data } : one;
  }
}

/** The same, at once: to wait for each takes longer than to look. */
function* filesBelow(path: string, tree: string): Generator<DumpInput, void, undefined> {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    yield failing(path, error, tree);
    return;
  }
  const kinds = new Map(entries.map((entry) => [entry.name, entry]));
  for (const name of inOrder([...kinds.keys()])) {
    const inner = path.endsWith('/') ? `${path}${name}` : `${path}/${name}`;
    try {
      const listed = kinds.get(name);
      // Some file systems do not list what an entry is.
      const kind = listed && isKnownKind(listed) ? listed : lstatSync(inner);
      if (kind.isDirectory()) yield* filesBelow(inner, tree);
      else if (kind.isSymbolicLink()) {
        yield { name: inner, tree, link: readlinkSync(inner), stream: streamOfFile };
      } else if (kind.isFile()) yield fileOfFolder(inner, tree);
      else yield failing(inner, 'not a plain file', tree);
    } catch (error) {
      yield failing(inner, error, tree);
    }
  }
}

function isKnownKind(entry: Dirent): boolean {
  return entry.isFile() || entry.isDirectory() || entry.isSymbolicLink();
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
      const stats = statSync(path);
      if (stats.isDirectory()) yield* folderInputs(path, path, options);
      // Pipes are read too: a shell's <(…) is one.
      else yield await fileInput(path, stats, options);
    } catch (error) {
      yield failing(name, error);
    }
  }
}
