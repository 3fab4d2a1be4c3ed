// What `compare` needs of each of its paths. A path does not depend on the others, so that several threads can read them.
import { statSync } from 'node:fs';
import { commonSpace, rangesOf, type SpaceRanges } from '../analysis/space/common-space.ts';
import { answerFor } from '../engine/answers/answer.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import { requireGuest } from '../lib/guest.ts';
import { choose, select } from '../lib/opened.ts';
import { type GivenGuest, guestOf } from './guest-option.ts';
import type { CliIo } from './io.ts';
import { isLink } from './links.ts';
import { openAsCase, type UnreadInput } from './open-files.ts';
import { type JobMessage, type ResultMessage, runInThreads, type Thread } from './threads.ts';

/** How hosts are compared. */
export interface CompareOptions {
  readonly kernel: string | undefined;
  readonly guest: GivenGuest | undefined;
}

/** What a guest would meet on one host. */
export interface TriedOnHost {
  readonly host: string;
  readonly severity: string;
  readonly text: string;
}

export interface ComparedHost {
  readonly title: string;
  readonly space: SpaceRanges;
  readonly tried?: TriedOnHost | undefined;
}

export interface ComparedPath {
  readonly unread: readonly UnreadInput[];
  readonly hosts: readonly ComparedHost[];
}

/** The answer about the guest on one host, with all of its groups that can be assigned. */
function triedOn(document: EngineDocument, { guest, name }: GivenGuest): TriedOnHost {
  const { choice, document: own } = requireGuest(guest, name);
  const open = new Map([document, ...(own ? [own] : [])].map((one) => [one.id, one]));
  const { answer } = answerFor(open, { selectedGroups: select([document]).keys, guest: choice });
  return { host: document.title, severity: answer.severity, text: answer.text };
}

const withoutHosts = (unread: readonly UnreadInput[]): ComparedPath => ({ unread, hosts: [] });

/** Reads a path: a host, or a folder or archive of several. */
export async function readPath(path: string, io: CliIo, { kernel, guest }: CompareOptions): Promise<ComparedPath> {
  const opened = await openAsCase(path, io, { hostName: path });
  if (!opened.ok) {
    return withoutHosts([{ source: path, code: 'unusable', message: withoutPath(opened.message, path) }]);
  }
  if (opened.documents.every(({ host }) => host.groups.length === 0)) {
    const message = 'nothing says what is reserved (no IOMMU groups, no regions)';
    return withoutHosts([...opened.unread, { source: path, code: 'nothing-reserved', message }]);
  }
  const hosts = choose(opened.documents, { kernel })
    .filter(({ host }) => host.groups.length > 0)
    .map((document) => ({
      title: document.title,
      space: rangesOf(commonSpace(document.host, document.host.groups)),
      ...(guest ? { tried: triedOn(document, guest) } : {}),
    }));
  return { unread: opened.unread, hosts };
}

/** A message that begins with the path, without that. */
function withoutPath(message: string, path: string): string {
  return message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message;
}

/** What a thread must know that reads paths. */
interface CompareTask {
  readonly task: 'compare';
  readonly kernel: string | undefined;
  /** As on the command line. */
  readonly guest: string | undefined;
}

/** With less to read, threads take longer to start than they save. */
const THREADS_BYTES = 8 << 20;
/** Of a folder, of which it is not known before it is read. */
const FOLDER_BYTES = 1 << 18;

/** Bytes of a path, roughly; 0 for what cannot be read. */
function bytesOf(path: string): number {
  const stats = isLink(path) ? undefined : statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? FOLDER_BYTES : (stats?.size ?? 0);
}

/** Reads the paths, in their order. `guest`: as on the command line. */
export async function readPaths(
  paths: readonly string[],
  io: CliIo,
  options: CompareOptions & { readonly guestText: string | undefined },
): Promise<ComparedPath[]> {
  const { threads } = io;
  const { kernel, guestText } = options;
  // Standard input can be read once only.
  const isShared = paths.length > 1 && !paths.includes('-') && !guestText?.startsWith('-');
  if (threads && threads.count > 1 && isShared && paths.reduce((sum, path) => sum + bytesOf(path), 0) > THREADS_BYTES) {
    const task: CompareTask = { task: 'compare', kernel, guest: guestText };
    return runInThreads(paths, threads, task, (path, reason): ComparedPath => {
      return withoutHosts([{ source: path, code: 'reader-ended', message: `reading it failed: ${reason}` }]);
    });
  }
  const read: ComparedPath[] = [];
  for (const path of paths) read.push(await readPath(path, io, options));
  return read;
}

/** In a thread: reads the paths that it is told to. Resolves when it is ready for them. */
export async function servePaths(
  { kernel, guest: text }: CompareTask,
  thread: Pick<Thread, 'post' | 'onMessage'>,
  io: CliIo,
): Promise<void> {
  const found = text === undefined ? undefined : await guestOf(text, io);
  // The main thread has read it before.
  const guest = typeof found === 'string' ? undefined : found;
  let last: Promise<void> = Promise.resolve();
  thread.onMessage((message) => {
    const { index, job } = message as JobMessage<string>;
    last = last.then(async () => {
      const result = await readPath(job, io, { kernel, guest });
      thread.post({ index, result } satisfies ResultMessage<ComparedPath>);
    });
  });
}

export function isCompareTask(task: unknown): task is CompareTask {
  return typeof task === 'object' && task !== null && 'task' in task && task.task === 'compare';
}
