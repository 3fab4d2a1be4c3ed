// What the functions of the library share: the document behind a `Dumps`, what is selected in it, and the engine.

import { type Group, groupTitle, type Host as KnownHost } from '../analysis/host/host.ts';
import { commonSpace } from '../analysis/space/common-space.ts';
import type { DumpInput } from '../dumps/input/open.ts';
import type { EngineDocument } from '../engine/documents/document.ts';
import { documentNode } from '../engine/documents/document-node.ts';
import { readDocument } from '../engine/documents/read-document.ts';
import { createEngine } from '../engine/engine.ts';
import type { Method, Params, Value } from '../engine/protocol/methods.ts';
import { inProcessEngine } from '../engine/transport/in-process.ts';
import { isFact } from '../session/events.ts';
import type { Dumps, Host, Source } from './dumps.ts';

const documents = new WeakMap<Dumps, EngineDocument>();
/** Distinguishes documents that are used together, such as a host and a guest. */
let opened = 0;

/** The document of dumps that were read. Throws a TypeError for anything else. */
export function documentOf(dumps: Dumps): EngineDocument {
  const document = documents.get(dumps);
  if (!document) throw new TypeError('expected dumps that readDumps() returned');
  return document;
}

/** Reads inputs as one host. Rejects only with the signal's reason. */
export async function openDumps(
  title: string,
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Dumps> {
  const document = await readDocument(`dumps ${++opened}`, title, inputs, { signal, progress: () => undefined });
  const dumps: Dumps = {
    facts: document.session.events.filter(isFact),
    operations: document.operations,
    sources: document.sources.map(sourceOf),
    hosts: [hostOf(document.host)],
  };
  documents.set(dumps, document);
  return dumps;
}

function sourceOf(summary: EngineDocument['sources'][number]): Source {
  const { name, formats, lines, unrecognized, diagnostics } = summary;
  return { name, formats: formats.map(({ title }) => title), lines, unrecognized, diagnostics };
}

function hostOf(host: KnownHost): Host {
  const space = commonSpace(host, host.groups);
  return {
    name: host.about.name,
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

/** What a call works on: keys of groups, address spaces and layers of a document. */
export interface Selection {
  readonly keys: readonly string[];
  readonly groups: readonly Group[];
}

/**
 * Selects everything in a document, or only the groups with these numbers besides what is no group. `isPicture`: without
 * layers that a picture leaves out at first. Throws a RangeError for a group that the document does not have.
 */
export function select(document: EngineDocument, names: readonly string[] | undefined, isPicture = false): Selection {
  const { host } = document;
  const missing = names?.find((name) => !host.groups.some(({ group }) => group === name));
  if (missing !== undefined) {
    const known = host.groups.map(groupTitle).join(', ') || 'none';
    throw new RangeError(`there is no group ${missing} in the dumps; found: ${known}`);
  }
  const groups = host.groups.filter(({ group }) => names === undefined || names.includes(group ?? ''));
  const { spaces, layers } = documentNode(document);
  const others = [...spaces, ...layers.filter(({ isShown }) => isShown || !isPicture)];
  return { groups, keys: [...groups, ...others].map(({ key }) => key) };
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
