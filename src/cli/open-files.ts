// What the commands that answer from dumps have in common: files, folders and standard input, read as one case.
import { isEmptySource } from '../engine/case/source.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import type { Dumps, Source } from '../lib/dumps.ts';
import { type Opened, openDumps, openedOf, openInputsAsCase } from '../lib/opened.ts';
import { dumpInputs, type InputOptions, inputsAt } from './dump-inputs.ts';
import { type CliIo, type ExitCode, warn } from './io.ts';

/** An input that could not be read, or in which nothing was recognized. */
export interface UnreadInput {
  readonly source: string;
  readonly code: string;
  readonly message: string;
}

export interface FilesAsCase {
  readonly ok: true;
  /** The hosts and sessions that the files make up. */
  readonly documents: readonly EngineDocument[];
  /** Inputs of the call that are missing in `documents`: results must name them, and the exit code is 2. */
  readonly unread: readonly UnreadInput[];
}

interface NotOpened {
  readonly ok: false;
  /** One line: what is unusable, and where. */
  readonly message: string;
}

export type OpenedFiles = (FilesAsCase & { readonly dumps: Dumps }) | NotOpened;

/** Those of the inputs that were not read. A file inside of a folder or an archive does not count. */
export function unreadInputs(sources: readonly Pick<Source, 'name' | 'unread'>[]): UnreadInput[] {
  return sources.flatMap(({ name, unread }) => (unread ? [{ source: name, ...unread }] : []));
}

export interface FileOptions extends InputOptions {
  /** What to call a host that no file names. */
  readonly hostName?: string | undefined;
}

/** Opens files, which are one host unless they contradict each other. Fails only if none of them holds anything. */
export async function openFiles(
  paths: readonly string[],
  io: CliIo,
  { hostName, keepsData }: FileOptions = {},
): Promise<OpenedFiles> {
  if (paths.filter((path) => path === '-').length > 1) {
    return { ok: false, message: 'standard input can be read only once' };
  }
  const dumps = await openDumps(dumpInputs(paths, io, { keepsData }), { hostName });
  const opened = asCase(openedOf(dumps), paths);
  return opened.ok ? { ...opened, dumps } : opened;
}

/** The same for one path, without what the library shows of it. */
export async function openAsCase(path: string, io: CliIo, { hostName }: FileOptions): Promise<FilesAsCase | NotOpened> {
  return asCase(await openInputsAsCase(await inputsAt(path, io), { hostName }), [path]);
}

function asCase({ documents, sources }: Opened, paths: readonly string[]): FilesAsCase | NotOpened {
  const unread = unreadInputs(sources.flatMap(({ read }) => read.sources));
  if (!sources.every(isEmptySource)) return { ok: true, documents, unread };
  const diagnostics = sources.flatMap(({ read }) => read.diagnostics);
  const problem = unread[0] ?? diagnostics.find(({ severity }) => severity !== 'info') ?? diagnostics[0];
  return { ok: false, message: `${problem?.source ?? paths.join(', ')}: ${problem?.message ?? 'nothing recognized'}` };
}

/** Says on stderr by which kernel's rules sessions are answered where that is not simply what their headers name. */
export function warnOfKernels(command: string, dumps: Dumps, io: CliIo): void {
  const { documents, sources } = openedOf(dumps);
  for (const { severity, code, source, message } of sources.flatMap(({ read }) => read.diagnostics)) {
    if (code === 'assumed-kernel') warn(io, `${command}: ${source}: ${severity}: ${message}`);
  }
  const kernels = documents.flatMap(({ kind, session }) => (kind === 'session' ? (session.header.kernel ?? []) : []));
  const different = [...new Set(kernels)];
  if (different.length < 2) return;
  warn(
    io,
    `${command}: the sessions are of several kernels (${different.join(', ')}): each is answered by the rules of its own; use --kernel V for one`,
  );
}

/** Names on stderr what could not be read. Returns 2 if there is anything, else `code`. */
export function exitWith(code: ExitCode, command: string, unread: readonly UnreadInput[], io: CliIo): ExitCode {
  for (const { source, message } of unread) warn(io, `${command}: ${source}: ${message}`);
  return unread.length > 0 ? 2 : code;
}
