// What `compare` needs of each of its paths. A path does not depend on the others, so that several threads can read them.
import { statSync } from 'node:fs';
import { commonSpace, rangesOf, type SpaceRanges } from '../analysis/space/common-space.ts';
import { loadFormats } from '../dumps/input/open.ts';
import { answerFor } from '../engine/answers/answer.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import { requireGuest } from '../lib/guest.ts';
import { choose, select } from '../lib/opened.ts';
import { type FleetPart, fleetParts, hostsOfParts, type ReadPart, readFleetPart } from './fleet-parts.ts';
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

/** What a thread does: it reads a path, or a part of one. */
type Job =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'part'; readonly path: string; readonly part: FleetPart };

/** Of a job; the second kind is undefined if the part cannot be read by itself. */
type JobResult = ComparedPath | { readonly part: ReadPart | undefined };

/** With less to read, threads take longer to start than they save. */
const THREADS_BYTES = 8 << 20;
/** Of a folder, of which it is not known before it is read. */
const FOLDER_BYTES = 1 << 18;

/** The jobs that a path is, and its bytes, roughly. */
async function jobsOf(
  path: string,
  options: ReadPathsOptions,
): Promise<{ readonly jobs: Job[]; readonly bytes: number }> {
  const whole: Job = { kind: 'path', path };
  try {
    const stats = isLink(path) ? undefined : statSync(path, { throwIfNoEntry: false });
    if (!stats) return { jobs: [whole], bytes: 0 };
    const isFolder = stats.isDirectory();
    const mayHaveParts = options.guest === undefined && (isFolder || (stats.isFile() && stats.size > THREADS_BYTES));
    const parts = mayHaveParts ? await fleetParts(path, isFolder) : undefined;
    return {
      jobs: parts?.map((part) => ({ kind: 'part', path, part })) ?? [whole],
      bytes: isFolder ? FOLDER_BYTES * (parts?.length ?? 1) : stats.size,
    };
  } catch {
    // Whoever reads the path says why it cannot be read.
    return { jobs: [whole], bytes: 0 };
  }
}

interface ReadPathsOptions extends CompareOptions {
  /** As on the command line. */
  readonly guestText: string | undefined;
}

/** Reads the paths, in their order: by several threads if there is much to read. */
export async function readPaths(
  paths: readonly string[],
  io: CliIo,
  options: ReadPathsOptions,
): Promise<ComparedPath[]> {
  const { threads } = io;
  const { kernel, guestText } = options;
  const one = async (path: string) => readPath(path, io, options);
  // Standard input can be read once only.
  if (!threads || threads.count < 2 || paths.includes('-') || guestText?.startsWith('-')) return inTurn(paths, one);
  const planned = await inTurn(paths, (path) => jobsOf(path, options));
  const jobs = planned.flatMap((plan) => plan.jobs);
  if (jobs.length < 2 || planned.reduce((sum, { bytes }) => sum + bytes, 0) <= THREADS_BYTES) return inTurn(paths, one);
  const task: CompareTask = { task: 'compare', kernel, guest: guestText };
  const lost = ({ path, ...job }: Job, reason: string): JobResult => {
    const source = job.kind === 'part' ? job.part.path : path;
    const unread = [{ source, code: 'reader-ended', message: `reading it failed: ${reason}` }];
    return job.kind === 'part' ? { part: { hosts: [], unread } } : { hosts: [], unread };
  };
  const results = await runInThreads(jobs, threads, task, lost);
  let done = 0;
  return inTurn(paths, async (path, i) => {
    const own = results.slice(done, done + (planned[i]?.jobs.length ?? 0));
    done += own.length;
    const [first] = own;
    if (first && 'hosts' in first) return first;
    const parts = own.map((result) => ('part' in result ? result.part : undefined));
    const isArchive = planned[i]?.jobs.some((job) => job.kind === 'part' && job.part.extents !== undefined) === true;
    return hostsOfParts(parts, isArchive) ?? one(path);
  });
}

async function inTurn<T, Result>(
  all: readonly T[],
  take: (one: T, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, one] of all.entries()) results.push(await take(one, index));
  return results;
}

/** In a thread: does the jobs that it gets. Resolves when it is ready for them. */
export async function servePaths(
  { kernel, guest: text }: CompareTask,
  thread: Pick<Thread, 'post' | 'onMessage'>,
  io: CliIo,
): Promise<void> {
  await loadFormats();
  const found = text === undefined ? undefined : await guestOf(text, io);
  // The main thread has read it before.
  const guest = typeof found === 'string' ? undefined : found;
  const resultOf = async (job: Job): Promise<JobResult> =>
    job.kind === 'part'
      ? { part: await readFleetPart(job.part, io, kernel) }
      : readPath(job.path, io, { kernel, guest });
  let last: Promise<void> = Promise.resolve();
  thread.onMessage((message) => {
    const { index, job } = message as JobMessage<Job>;
    last = last.then(async () => {
      thread.post({ index, result: await resultOf(job) } satisfies ResultMessage<JobResult>);
    });
  });
}

export function isCompareTask(task: unknown): task is CompareTask {
  return typeof task === 'object' && task !== null && 'task' in task && task.task === 'compare';
}
