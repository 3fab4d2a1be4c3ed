// One source of the case: a file, a paste, a folder, an archive, a link, a sample's file or a live host, as it was read.
import { isArchiveName } from '../../analysis/case/names.ts';
import { profileOf } from '../../analysis/case/profile.ts';
import { unpackedEvents } from '../../session/event-list.ts';
import { type Fact, isFact, type SessionEvent } from '../../session/events.ts';
import { type EngineDocument, hostAt, isEmpty } from '../documents/document.ts';
import { type ReadInputs, readHostInputs } from '../documents/read-document.ts';
import { loadPart } from '../load-part.ts';
import type { InputFile } from '../protocol/documents.ts';
import type { CallContext } from '../protocol/methods.ts';
import type { Fleet } from './fleet.ts';
import type { OpenedSource, OpenSources, ReadAgain, SourceInput } from './opened-source.ts';

export type { OpenedSource, SourceInput };

const partFleet = loadPart(() => import('./fleet.ts'));
const partParts = loadPart(() => import('./parts.ts'));
const partSplit = loadPart(() => import('./split-by-host.ts'));

/** Maximum number of other texts that the facts of a session file refer to; further ones keep their names. */
const FOREIGN_MAX = 300;

/** True if it contains nothing to show except problems of reading it, or a host's name. */
export function isEmptySource({ read }: OpenedSource): boolean {
  const isNameOnly = (event: SessionEvent) =>
    isFact(event) &&
    event.kind === 'host' &&
    [event.kernel, event.address_width, event.options, event.efr, event.ivinfo].every((field) => field === undefined);
  // Of most sources a glance is enough.
  if (read.session.events.some((event) => !isNameOnly(event) && !(isFact(event) && event.kind === 'diagnostic'))) {
    return false;
  }
  const events = read.session.events.filter((event) => !isNameOnly(event));
  return isEmpty({ ...read, session: { ...read.session, events }, host: hostAt('', '', events) });
}

/** Names of the texts of a source that were not read, or in which nothing was recognized. */
export function unreadNames({ read }: Pick<OpenedSource, 'read'>): string[] {
  return read.sources.filter(({ unread }) => unread !== undefined).map(({ name }) => name);
}

/** True for events that belong to a host: facts that describe a host or a guest, and reported problems. */
export function joinsHost(event: SessionEvent): event is Fact {
  return isFact(event);
}

function someUnpacked({ session }: Pick<ReadInputs, 'session'>, test: (event: SessionEvent) => boolean): boolean {
  for (const event of unpackedEvents(session.events)) if (test(event)) return true;
  return false;
}

/** True if it has only operations and diagnostics about reading them. */
export function isSessionOnly({ session, read }: OpenedSource): boolean {
  return (
    session !== undefined &&
    !someUnpacked(read, (event) => isFact(event) && event.kind !== 'diagnostic' && event.kind !== 'note')
  );
}

function textNames(name: string, { session }: Pick<ReadInputs, 'session'>): string[] {
  const names = new Set([name]);
  let last: string | undefined;
  for (const event of unpackedEvents(session.events)) {
    if (!isFact(event) || event.source === undefined || event.source === last) continue;
    last = event.source;
    if (!isWithin(last, name) && names.size < FOREIGN_MAX) names.add(last);
  }
  return [...names];
}

/** True if a fact's source is the text `name`, or inside the folder `name`. */
export function isWithin(source: string, name: string): boolean {
  return source === name || source.startsWith(`${name}/`);
}

/** Gives the texts of a source other labels. Its facts are changed in place, because there may be millions. */
export function relabel(source: OpenedSource, labels: Map<string, string>): void {
  const changes = [...labels].flatMap(([name, label]) => {
    const before = source.labels.get(name) ?? name;
    return before === label ? [] : [{ before, label }];
  });
  source.labels = labels;
  if (changes.length === 0) return;
  source.read.folded?.rename((name) => changedName(name, changes));
  let from: string | undefined;
  let to: string | undefined;
  for (const event of unpackedEvents(source.read.session.events)) {
    if (!isFact(event) || event.source === undefined) continue;
    if (event.source !== from) {
      from = event.source;
      to = changedName(from, changes);
    }
    if (to !== undefined) event.source = to;
  }
  for (const [index, diagnostic] of source.read.diagnostics.entries()) {
    const label = changedName(diagnostic.source, changes);
    if (label !== undefined) source.read.diagnostics[index] = { ...diagnostic, source: label };
  }
}

function changedName(
  source: string,
  changes: readonly { readonly before: string; readonly label: string }[],
): string | undefined {
  const change = changes.find(({ before }) => isWithin(source, before));
  return change && `${change.label}${source.slice(change.before.length)}`;
}

export interface ReadOptions {
  readonly context: CallContext;
  /** Name of a sample: used as the folder name of its files. */
  readonly sample?: string | undefined;
}

/** Reads the inputs as one source, even if they are an archive of several hosts. Rejects only when the context's signal is aborted. */
export async function readSource(
  id: string,
  inputs: readonly SourceInput[],
  options: ReadOptions,
): Promise<OpenedSource> {
  const [only] = await readHosts(id, inputs, options, true);
  return only;
}

/** Reads the inputs of one source: several sources if it is an archive of several hosts. Rejects only for the context's signal. */
async function readHosts(
  id: string,
  inputs: readonly SourceInput[],
  { context, sample, kept }: ReadAllOptions,
  isTogether = false,
): Promise<readonly [OpenedSource, ...OpenedSource[]]> {
  const [input] = inputs;
  const whole = input?.input.tree ?? input?.input.name ?? '';
  const files = inputs.flatMap(({ file }) => file ?? []);
  const [first, ...others] = await readHostInputs(
    whole,
    inputs.map((one) => one.input),
    context,
    files,
    isTogether,
    kept,
  );
  const isFolder = input?.input.tree !== undefined || isArchiveName(whole);
  const ownTexts = isFolder || others.length > 0 ? (await partSplit()).ownTexts : undefined;
  const group = Symbol(whole);
  const sourceOf = (part: ReadInputs): OpenedSource => {
    const name = others.length > 0 ? (part.sources[0]?.name ?? whole) : whole;
    const folder = sample ?? (isFolder || others.length > 0 ? name : undefined);
    const own = folder === name ? { folder, texts: ownTexts?.(part, name) ?? [] } : {};
    return {
      id,
      name,
      textNames: textNames(name, part),
      folder,
      isSample: sample !== undefined,
      read: part,
      files,
      profile: profileOf(part.session.events, own),
      labels: new Map(),
      session: sessionOf(id, part, files),
      isLive: false,
      ...(others.length > 0 ? { fileParts: group } : {}),
    };
  };
  return [sourceOf(first), ...others.map(sourceOf)];
}

export interface ReadAllOptions extends ReadOptions {
  /** Bytes of all inputs, where known. */
  readonly total?: number | undefined;
  /** True to keep one of the hosts that are alike, if there are more than `FLEET_MIN`. */
  readonly isFolding?: boolean | undefined;
  /** The case whose hosts may be alike with those that are read. */
  readonly into?: OpenSources | undefined;
  /** How many mapping events of a source are kept one by one if there are more than twice as many. */
  readonly kept?: number | undefined;
}

/** With more hosts than this, those that are alike are shown as one. */
const FLEET_MIN = 20;

/** Reads the inputs of one source: several if they describe several hosts. Rejects only for the context's signal. */
export async function readGroup(group: readonly SourceInput[], options: ReadAllOptions): Promise<OpenedSource[]> {
  const [source, ...others] = await readHosts('', group, options);
  if (others.length > 0) return [source, ...others];
  const isParted = someUnpacked(source.read, (e) => isFact(e) && e.kind === 'host' && e.part !== undefined);
  if (!isParted) return [source];
  const { partsOf } = await partParts();
  return partsOf(source, { sessionOf: (read) => sessionOf('', read, []), textNames });
}

/**
 * Reads inputs source by source; the case assigns their ids. Sources with an id are those of the case that they changed.
 * Rejects only when the context's signal is aborted.
 */
export async function readSources(
  inputs: readonly SourceInput[],
  { context, sample, total, isFolding = false, into, kept }: ReadAllOptions,
): Promise<OpenedSource[]> {
  const sources: OpenedSource[] = [];
  const waiting: { readonly source: OpenedSource; readonly again: ReadAgain }[] = [];
  let fleet: Fleet | undefined;
  const isOfFleet = into?.sources.some(({ profile }) => profile.alike.size > 0);
  let before = 0;
  const hasFolders = inputs.some(({ input }) => input.tree !== undefined);
  for (const group of hasFolders ? (await partSplit()).hostsOf(inputs) : inputs.map((one) => [one])) {
    const progress: CallContext['progress'] = (state) =>
      context.progress({ ...state, done: before + state.done, ...(total === undefined ? {} : { total }) });
    const read = await readGroup(group, { context: { ...context, progress }, sample, kept });
    before += read[0]?.read.sources.reduce((sum, { size }) => sum + size, 0) ?? 0;
    const readAgain = (i: number): ReadAgain => {
      return async (other) => (await readGroup(group, { context: other, sample, kept }))[i];
    };
    waiting.push(...read.map((source, i) => ({ source, again: readAgain(i) })));
    // A single host is opened to be seen.
    if (!isFolding || (!fleet && waiting.length <= (isOfFleet ? 1 : FLEET_MIN))) continue;
    fleet ??= new (await partFleet()).Fleet(into);
    for (const { source, again } of waiting.splice(0)) sources.push(...fleet.add(source, again));
  }
  const changed = fleet?.finish() ?? [];
  return [...changed, ...sources, ...waiting.map(({ source }) => source)];
}

/** The operations of a source as a document; undefined if it has none. */
function sessionOf(id: string, read: ReadInputs, files: readonly InputFile[]): EngineDocument | undefined {
  if (read.operations === 0) return undefined;
  return {
    ...read,
    id,
    kind: 'session',
    host: hostAt(id, read.title, []),
    mappings: [],
    files,
    origins: [],
    position: read.session.events.length,
  };
}

/** The source with an id; the document of its operations gets the same id. */
export function withId(source: OpenedSource, id: string): OpenedSource {
  return { ...source, id, session: source.session && { ...source.session, id } };
}
