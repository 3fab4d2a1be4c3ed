// Follows a live host: its document grows, and progress messages carry its state to the page.
import { MappingCollector } from '../../analysis/host/mappings.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import { type EngineDocument, hostAt } from '../documents/document.ts';
import { documentNode } from '../documents/document-node.ts';
import { DIAGNOSTICS_MAX, diagnosticOf } from '../documents/read-document.ts';
import type { CallContext, Params } from '../protocol/methods.ts';
import { LiveConnection, type OpenSocket } from './live.ts';

/** Least time between two updates of the document, in milliseconds. */
const UPDATE_INTERVAL = 100;

function liveDocument(id: string, title: string): EngineDocument {
  return {
    id,
    kind: 'host',
    title,
    session: newSession({ title }),
    host: hostAt(id, title, []),
    hasGone: false,
    mappings: [],
    files: [],
    origins: [],
    sources: [],
    texts: [],
    operations: 0,
    states: undefined,
    model: undefined,
    position: 0,
    diagnostics: [],
    diagnosticsMore: 0,
    live: { isFollowing: true },
  };
}

/**
 * Connects to an agent and keeps a document of what it reports, until the call is cancelled. Resolves then, or with a
 * problem that retrying cannot solve; the document stays open as it was.
 */
export async function follow(
  { id, title, url, token }: Params<'live'>,
  documents: Map<string, EngineDocument>,
  links: Map<string, LiveConnection>,
  context: CallContext,
  openSocket?: OpenSocket,
): Promise<string | undefined> {
  const document = liveDocument(id, title);
  documents.set(id, document);
  const { events } = document.session;
  const collector = new MappingCollector();
  const { diagnostics } = document;
  let isFactsDirty = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const report = () => {
    context.progress({
      done: events.length,
      what: document.title,
      live: { node: documentNode(document), state: link.state },
    });
  };
  const settle = () => {
    timer = undefined;
    if (link.state.name !== '' && link.state.name !== document.title) {
      document.title = link.state.name;
      isFactsDirty = true;
    }
    document.mappings = collector.sets();
    if (document.live?.isFollowing) {
      document.position = events.length;
      if (isFactsDirty) document.host = hostAt(id, document.title, events);
      isFactsDirty = false;
    }
    report();
  };
  const soon = () => {
    timer ??= setTimeout(settle, UPDATE_INTERVAL);
  };
  const sink = {
    get length() {
      return events.length;
    },
    add(event: SessionEvent, line = '') {
      events.push(event);
      collector.add(event, events.length);
      if (isUnknownEvent(event)) {
        document.session.verbatim.events.set(events.length - 1, `${line}\n`);
      } else if (isFact(event) && event.kind === 'gone') document.hasGone = true;
      else if (isFact(event) && event.kind === 'diagnostic' && diagnostics.length < DIAGNOSTICS_MAX) {
        diagnostics.push(diagnosticOf(event, document.title));
      }
    },
    settled(isFacts: boolean) {
      isFactsDirty ||= isFacts;
      soon();
    },
  };
  const link: LiveConnection = new LiveConnection({ url, token }, sink, soon, openSocket);
  links.set(id, link);
  try {
    return await link.run(context.signal);
  } finally {
    links.delete(id);
    clearTimeout(timer);
    settle();
  }
}
