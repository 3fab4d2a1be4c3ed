// What the verbs that ask the engine have in common: files opened as documents, and an engine that holds them.
import { type EngineDocument, isEmpty } from '../engine/documents/document.ts';
import { documentNode } from '../engine/documents/document-node.ts';
import { readDocument } from '../engine/documents/read-document.ts';
import { createEngine } from '../engine/engine.ts';
import type { Method, Params, Value } from '../engine/protocol/methods.ts';
import { inProcessEngine } from '../engine/transport/in-process.ts';
import { dumpInputs } from './dump-inputs.ts';
import type { CliIo } from './io.ts';

export type OpenedDocument =
  | { readonly ok: true; readonly document: EngineDocument }
  /** One line: what is unusable, and where. */
  | { readonly ok: false; readonly message: string };

/** Opens files as one document: what they say is put together as of one host. */
export async function openDocument(id: string, paths: readonly string[], io: CliIo): Promise<OpenedDocument> {
  if (paths.filter((path) => path === '-').length > 1) {
    return { ok: false, message: 'standard input can be read only once' };
  }
  const [first = ''] = paths;
  const title = paths.length > 1 ? `${first} and ${paths.length - 1} more` : first;
  const context = { signal: new AbortController().signal, progress: () => undefined };
  const document = await readDocument(id, title, dumpInputs(paths, io), context);
  const unread = document.diagnostics.find((d) => d.code === 'unreadable' && paths.includes(d.source));
  if (unread) return { ok: false, message: `${unread.source}: ${unread.message}` };
  if (isEmpty(document)) {
    const why = document.diagnostics.find((d) => d.severity !== 'info') ?? document.diagnostics[0];
    return { ok: false, message: `${why?.source ?? title}: ${why?.message ?? 'nothing to read there'}` };
  }
  return { ok: true, document };
}

/** Asks the engine; what it refuses is a bug here, because the verbs have checked their input. */
export type Ask = <M extends Method>(method: M, params: Params<M>) => Promise<Value<M>>;

/** An engine with the documents open. */
export function engineWith(documents: readonly EngineDocument[]): Ask {
  const engine = inProcessEngine(createEngine(documents));
  return async (method, params) => {
    const result = await engine.call(method, params);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  };
}

/** Keys of everything in a document, and of what a browser ticks when it is opened. */
export function keysOf(document: EngineDocument): {
  readonly all: readonly string[];
  readonly shown: readonly string[];
} {
  const { groups, spaces, layers } = documentNode(document);
  const keys = (nodes: readonly { readonly key: string }[]) => nodes.map(({ key }) => key);
  return {
    all: keys([...groups, ...spaces, ...layers]),
    shown: keys([...groups, ...spaces, ...layers.filter(({ isShown }) => isShown)]),
  };
}
