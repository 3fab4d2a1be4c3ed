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

/** For names as they are listed, their indices in the order of names: many folders of a fleet have the same. */
const sortedIndices = new Map<string, readonly number[]>();
const SORTED_MAX = 10_000;

function indicesInOrder(names: readonly string[]): readonly number[] {
  const key = names.join('/');
  const known = sortedIndices.get(key);
  if (known) return known;
  if (sortedIndices.size >= SORTED_MAX) sortedIndices.clear();
  const indices = [...names.keys()].sort((a, b) => compareNames(names[a] ?? '', names[b] ?? ''));
  sortedIndices.set(key, indices);
  return indices;
}

/** Numbers in names count as numbers; names that are the same but for zeros are in the order of their characters. */
function compareNames(a: string, b: string): number {
  return byName.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

export function inOrder(names: readonly string[]): readonly string[] {
  return indicesInOrder(names).map((index) => names[index] ?? '');
}

/** Where small files are read to, before they are copied. */
let space: Uint8Array | undefined;
const SPACE_BYTES = 1 << 16;

/**
 * The contents of a small file; undefined for larger ones and for those that seem to be empty. `path`: of what is listed as a
 * file.
 */
function smallFile(path: string): Uint8Array | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    space ??= new Uint8Array(SPACE_BYTES);
    const length = readSync(file, space, 0, SPACE_BYTES, null);
    // Less than was asked for may be a part: only then nothing follows. That costs less than to ask for the size.
    if (length > 0 && length < SPACE_BYTES && readSync(file, space, length, SPACE_BYTES - length, null) === 0) {
      return space.slice(0, length);
    }
    return wholeFile(file);
  } finally {
    closeSync(file);
  }
}

/** The contents of a file of up to a certain size, read from its start. */
function wholeFile(file: number): Uint8Array | undefined {
  const stats = fstatSync(file);
  if (!stats.isFile() || stats.size === 0 || stats.size > SMALL_BYTES) return undefined;
  const bytes = Buffer.allocUnsafe(stats.size);
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(file, bytes, length, bytes.length - length, length);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
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
  for (const one of filesOfFolder(path, tree)) {
    // A file that may not be read says so when it is.
    const data = options.keepsData && one.atOnce ? await openAsBlob(one.name).catch(() => undefined) : undefined;
    yield data ? { ...one, data } : one;
  }
}

/** The same, at once: to wait for each takes longer than to look. */
function filesOfFolder(path: string, tree: string): DumpInput[] {
  const files: DumpInput[] = [];
  addFilesBelow(path, tree, files);
  return files;
}

function addFilesBelow(path: string, tree: string, files: DumpInput[]): void {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    files.push(failing(path, error, tree));
    return;
  }
  const above = path.endsWith('/') ? path : `${path}/`;
  for (const index of indicesInOrder(entries.map(({ name }) => name))) {
    const entry = entries[index];
    if (entry) addEntry(`${above}${entry.name}`, entry, tree, files);
  }
}

function addEntry(path: string, entry: Dirent, tree: string, files: DumpInput[]): void {
  try {
    // Some file systems do not list what an entry is.
    const kind = isKnownKind(entry) ? entry : lstatSync(path);
    if (kind.isFile()) files.push(fileOfFolder(path, tree));
    else if (kind.isSymbolicLink()) files.push({ name: path, tree, link: readlinkSync(path), stream: streamOfFile });
    else if (kind.isDirectory()) addFilesBelow(path, tree, files);
    else files.push(failing(path, 'not a plain file', tree));
  } catch (error) {
    files.push(failing(path, error, tree));
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

function isFolder(path: string): boolean {
  if (path === '-' || isLink(path)) return false;
  try {
    return statSync(path).isDirectory();
  } catch {
    // Whoever reads it says why it cannot be read.
    return false;
  }
}

/** The inputs for one path, all at once; see `dumpInputs`. */
export async function inputsAt(path: string, io: CliIo): Promise<InputToOpen[]> {
  if (isFolder(path)) return filesOfFolder(path, path);
  const inputs: InputToOpen[] = [];
  for await (const input of dumpInputs([path], io)) inputs.push(input);
  return inputs;
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
