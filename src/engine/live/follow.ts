// Follows a live host: its source in the case grows, and progress messages carry the document of its host to the page.
import { emptyProfile, normalizedName } from '../../analysis/case/profile.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import type { OpenCase } from '../case/open-case.ts';
import type { OpenedSource } from '../case/opened-source.ts';
import { documentNode } from '../documents/document-node.ts';
import { nothingRead } from '../documents/nothing-read.ts';
import { DIAGNOSTICS_MAX, diagnosticOf, type ReadInputs } from '../documents/read-document.ts';
import type { LiveState } from '../protocol/live.ts';
import type { CallContext, Params } from '../protocol/methods.ts';
import { LiveConnection, type OpenSocket } from './live.ts';

/** Minimum time between two updates of the document, in milliseconds. */
const UPDATE_INTERVAL = 100;

interface LiveInputs extends ReadInputs {
  hasGone: boolean;
  diagnosticsMore: number;
}

/** Converts positions in a live source to positions in its host's document. */
function moved(state: LiveState, offset: number): LiveState {
  if (offset === 0) return state;
  return { ...state, changes: state.changes.map((change) => ({ ...change, position: change.position + offset })) };
}

/**
 * Connects to an agent and adds what it reports to a source of the case, until the call is cancelled or the source is closed.
 * Resolves then, or with a problem that retrying cannot solve; the source stays open.
 */
export async function follow(
  { id, title, url, token }: Params<'live'>,
  open: OpenCase,
  links: Map<string, LiveConnection>,
  context: CallContext,
  openSocket?: OpenSocket,
): Promise<string | undefined> {
  const read: LiveInputs = { ...nothingRead(title) };
  const source = liveSource(id, title, read);
  open.addLive(source);
  const { events, verbatim } = read.session;
  let isFactsDirty = false;
  let isPlaced = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = (isLast = false) => {
    timer = undefined;
    const { name } = link.state;
    const short = normalizedName(name);
    if (short !== undefined && !source.profile.names.has(short)) {
      source.profile.names.set(short, name);
      isFactsDirty = true;
      open.renamed();
    }
    // The first facts identify the host.
    if (!isPlaced && events.length > 0) {
      isPlaced = true;
      open.placeLive(source);
    }
    const host = open.liveDocument(id);
    // The source was closed.
    if (!host) return;
    if (host.grow(isFactsDirty, open.choices, isLast)) soon();
    if (host.document.live?.isFollowing) isFactsDirty = false;
    context.progress({
      done: events.length,
      what: host.document.title,
      live: { node: documentNode(host.document), state: moved(link.state, host.liveOffset) },
    });
  };
  const soon = () => {
    timer ??= setTimeout(() => settle(), UPDATE_INTERVAL);
  };
  const sink = {
    get length() {
      return events.length;
    },
    add(event: SessionEvent, line = '') {
      events.push(event);
      if (isUnknownEvent(event)) verbatim.events.set(events.length - 1, `${line}\n`);
      else if (isFact(event) && event.kind === 'gone') read.hasGone = true;
      else if (isFact(event) && event.kind === 'diagnostic') {
        if (read.diagnostics.length < DIAGNOSTICS_MAX) read.diagnostics.push(diagnosticOf(event, title));
        else read.diagnosticsMore++;
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
    settle(true);
  }
}

/** A live host before its first facts. `read` grows as it reports facts. */
function liveSource(id: string, title: string, read: ReadInputs): OpenedSource {
  return {
    id,
    name: title,
    textNames: [],
    isSample: false,
    read,
    files: [],
    profile: emptyProfile(),
    labels: new Map(),
    session: undefined,
    isLive: true,
  };
}
