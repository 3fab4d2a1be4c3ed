// Documents and an engine for tests, from lines as session files have them, or from any other text.
import type { EngineDocument } from '../documents/document.ts';
import { inputOf, readDocument } from '../documents/read-document.ts';
import { createEngine } from '../engine.ts';
import type { DocumentNode } from '../protocol/documents.ts';
import type { Engine, Method, Params, Value } from '../protocol/methods.ts';
import { inProcessEngine } from '../transport/in-process.ts';

const CONTEXT = { signal: new AbortController().signal, progress: () => undefined };

/** A session file of facts and operations, addresses in hex. */
export function sessionText(lines: readonly object[], header: object = {}): string {
  const all = [{ format: 'iova-trace', version: 1, ...header }, ...lines];
  return `${all.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

export function filesOf(texts: Readonly<Record<string, string>>) {
  return Object.entries(texts).map(([name, text]) => ({ name, data: new Blob([text]) }));
}

/** A document read from files, by their names. */
export function documentFrom(id: string, texts: Readonly<Record<string, string>>): Promise<EngineDocument> {
  const files = filesOf(texts);
  return readDocument(id, id, files.map(inputOf), CONTEXT, files);
}

/** A document of one session file, `ID.jsonl`. */
export function sessionDocument(id: string, lines: readonly object[], header?: object): Promise<EngineDocument> {
  return documentFrom(id, { [`${id}.jsonl`]: sessionText(lines, header) });
}

/** An engine whose failures are errors of the test. */
export class Asker {
  readonly engine: Engine;

  constructor(documents: readonly EngineDocument[] = []) {
    this.engine = inProcessEngine(createEngine(documents));
  }

  async ask<M extends Method>(method: M, params: Params<M>): Promise<Value<M>> {
    const result = await this.engine.call(method, params);
    if (!result.ok) throw new Error(`${method}: ${result.error.code}: ${result.error.message}`);
    return result.value;
  }

  /** Opens a text; returns the host that it went to, or its session if it has operations. */
  async open(id: string, text: string, name = `${id}.txt`): Promise<DocumentNode> {
    const { placements, case: all } = await this.ask('open', { id, title: name, files: filesOf({ [name]: text }) });
    const host = all.hosts.find((node) => node.id === placements[0]?.hostId);
    const node = all.sessions.find((session) => session.id === id) ?? host;
    if (!node) throw new Error(`${name} is neither in a host nor a session`);
    return node;
  }

  /** Arranges everything that is open. */
  async arrangeAll() {
    const documents = await this.ask('documents', null);
    const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
    return this.ask('arrange', { selectedGroups, expanded: [], scale: 'fold' });
  }
}
