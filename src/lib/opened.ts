// What the functions of the library share: the hosts behind a `Dumps`, what is selected in them, and the engine.

import { chosenDevice, selectedGroups } from '../analysis/case/device.ts';
import { type Group, groupTitle, type Host as KnownHost } from '../analysis/host/host.ts';
import { underKernel } from '../analysis/host/iommu-aperture.ts';
import { commonSpace } from '../analysis/space/common-space.ts';
import type { DumpInput } from '../dumps/input/open.ts';
import { OpenCase } from '../engine/case/open-case.ts';
import { type OpenedSource, readSources, type SourceInput } from '../engine/case/source.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import { documentNode } from '../engine/documents/document-node.ts';
import { runUnder } from '../engine/documents/model-states.ts';
import { createEngine } from '../engine/engine.ts';
import type { Method, Params, Value } from '../engine/protocol/methods.ts';
import { inProcessEngine } from '../engine/transport/in-process.ts';
import { unpackedEvents } from '../session/event-list.ts';
import { isFact } from '../session/events.ts';
import type { Dumps, Host, Source } from './dumps.ts';

/** What was opened together: sources as they were read, and the hosts and sessions that they make up. */
export interface Opened {
  readonly documents: readonly EngineDocument[];
  readonly sources: readonly OpenedSource[];
}

const openedDumps = new WeakMap<Dumps, Opened>();
/** Distinguishes documents that are used together, such as a host and a guest. */
let calls = 0;

/** What is behind dumps that were read. Throws a TypeError for anything else. */
export function openedOf(dumps: Dumps): Opened {
  const opened = openedDumps.get(dumps);
  if (!opened) throw new TypeError('expected dumps that readDumps() returned');
  return opened;
}

/** The hosts and sessions of dumps that were read. Throws a TypeError for anything else. */
export function documentsOf(dumps: Dumps): readonly EngineDocument[] {
  return openedOf(dumps).documents;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** What to call a host that no source names. */
  readonly hostName?: string | undefined;
}

/** An input, with its bytes where they can be read again: reports quote their lines. */
export interface InputToOpen extends DumpInput {
  readonly data?: Blob;
}

function withFile(input: InputToOpen): SourceInput {
  const { data } = input;
  return data ? { input, file: { name: input.name, data } } : { input };
}

/** Reads inputs, which are one host unless they contradict each other. Rejects only with the signal's reason. */
export async function openInputsAsCase(
  inputs: Iterable<InputToOpen> | AsyncIterable<InputToOpen>,
  { signal = new AbortController().signal, hostName }: OpenOptions = {},
): Promise<Opened> {
  const all: SourceInput[] = [];
  // To wait for each of many that are there takes longer than to take them.
  if (Symbol.iterator in inputs) for (const input of inputs) all.push(withFile(input));
  else for await (const input of inputs) all.push(withFile(input));
  const read = await readSources(all, { context: { signal, progress: () => undefined } });
  const current = new OpenCase([], { prefix: `dumps ${++calls} ` });
  current.add(read);
  const [host] = current.hosts;
  if (hostName !== undefined && host && current.hosts.length === 1 && !current.isNamed(host.id)) {
    current.rename(host.id, hostName);
  }
  return { documents: [...current.documents.values()], sources: current.sources };
}

/** The same, with what the library shows of it. */
export async function openDumps(...[inputs, options]: Parameters<typeof openInputsAsCase>): Promise<Dumps> {
  const opened = await openInputsAsCase(inputs, options);
  const { documents, sources } = opened;
  const dumps: Dumps = {
    facts: sources.flatMap(({ read }) => [...unpackedEvents(read.session.events)].filter(isFact)),
    operations: sources.reduce((sum, { read }) => sum + read.operations, 0),
    sources: sources.flatMap(({ read }) => read.sources.map(sourceOf)),
    hosts: documents.filter(({ kind }) => kind === 'host').map(({ host: known }) => hostOf(known)),
  };
  openedDumps.set(dumps, opened);
  return dumps;
}

function sourceOf(summary: EngineDocument['sources'][number]): Source {
  const { name, formats, lines, unrecognized, unread, diagnostics } = summary;
  return { name, formats: formats.map(({ title }) => title), lines, unrecognized, unread, diagnostics };
}

function hostOf(host: KnownHost): Host {
  const space = commonSpace(host, selectedGroups(host, undefined));
  return {
    name: host.about.name,
    title: host.title,
    kernel: host.about.kernel,
    arch: host.about.arch,
    groups: host.groups.map(({ group, type, devices, regions }) => ({
      group,
      type,
      devices,
      reserved: regions.map(({ start, last, type: word, provenance }) => ({ start, last, type: word, provenance })),
    })),
    apertures: space.apertures.map(({ start, last, provenance }) => ({ start, last, provenance })),
    usable: host.groups.length > 0 ? space.usable : undefined,
  };
}

/** What a call works on: keys of groups, address spaces and layers of documents. */
export interface Selection {
  readonly keys: readonly string[];
  /** The groups of each document. */
  readonly groups: ReadonlyMap<EngineDocument, readonly Group[]>;
}

/** Which groups a call works on. */
export interface GroupChoice {
  /** Numbers of groups. */
  readonly groups?: readonly string[] | undefined;
  /** True for all groups, also those that cannot be assigned. */
  readonly isAll?: boolean;
  /** True to leave out what a picture leaves out at first. */
  readonly isPicture?: boolean;
}

/**
 * Selects groups besides everything that is no group: those with these numbers, else those of the device to assign, else
 * all that can be assigned. Throws a RangeError for a group that no document has.
 */
export function select(
  documents: readonly EngineDocument[],
  { groups: names, isAll = false, isPicture = false }: GroupChoice = {},
): Selection {
  const all = documents.flatMap(({ host }) => host.groups);
  const missing = names?.find((name) => !all.some(({ group }) => group === name));
  if (missing !== undefined) {
    const known = all.map(groupTitle).join(', ') || 'none';
    throw new RangeError(`there is no group ${missing} in the dumps; found: ${known}`);
  }
  const groups = new Map(
    documents.map((document) => {
      const { host, assigned } = document;
      const own = names
        ? host.groups.filter(({ group }) => names.includes(group ?? ''))
        : isAll
          ? host.groups
          : selectedGroups(host, assigned);
      return [document, own] as const;
    }),
  );
  const keys = documents.flatMap((document) => {
    const { spaces, layers } = documentNode(document);
    const others = [
      ...spaces.filter(({ isShown }) => isShown),
      ...layers.filter(({ isShown }) => isShown || !isPicture),
    ];
    return [...(groups.get(document) ?? []), ...others].map(({ key }) => key);
  });
  return { keys, groups };
}

/**
 * Documents with a device chosen to be assigned, and a kernel whose rules answer. Throws a RangeError for a device that
 * no host has.
 */
export function choose(
  documents: readonly EngineDocument[],
  { device, kernel }: { readonly device?: string | undefined; readonly kernel?: string | undefined },
): readonly EngineDocument[] {
  if (device === undefined && kernel === undefined) return documents;
  const chosen = documents.map((document) => ({
    ...document,
    ...(device === undefined ? {} : { assigned: chosenDevice(document.host, device) }),
    ...(kernel === undefined || document.kind === 'session' ? {} : { kernel }),
    ...(kernel === undefined ? {} : { host: underKernel(document.host, kernel) }),
  }));
  if (device !== undefined && chosen.every(({ assigned }) => assigned === undefined)) {
    throw new RangeError(`no host in the dumps has the device ${device}`);
  }
  return chosen;
}

/** The same, with the operations of sessions run by the rules of the kernel. */
export async function chooseAndRun(
  ...[documents, choices]: Parameters<typeof choose>
): Promise<readonly EngineDocument[]> {
  const chosen = choose(documents, choices);
  if (choices.kernel !== undefined) await runUnder(chosen, choices.kernel);
  return chosen;
}

/** Asks the engine. Throws if it refuses: callers have checked their input. */
export type Ask = <M extends Method>(method: M, params: Params<M>) => Promise<Value<M>>;

/** An engine in this thread with the documents open. */
export function engineWith(open: readonly EngineDocument[]): Ask {
  const engine = inProcessEngine(createEngine(open));
  return async (method, params) => {
    const result = await engine.call(method, params);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  };
}
