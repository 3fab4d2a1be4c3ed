// Live hosts: connecting, and keeping the page up to date with what they report.
import { parseLiveUrl } from '../../engine/live/live-url.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { LiveState } from '../../engine/protocol/live.ts';
import type { Progress } from '../../engine/protocol/methods.ts';
import { useApp } from './app-state.ts';
import { addDocument, onClose, updateDocument } from './documents.ts';
import { engine } from './engine.ts';
import { forgetAgent, keepAgent, keptAgents } from './kept-agents.ts';
import { notify, showEngineError } from './notices.ts';
import { arrange } from './picture.ts';

/** Minimum time between two layouts of the lanes in milliseconds, even if a host changes faster. */
const DRAW_INTERVAL = 250;

const { getState: get, setState: set } = useApp;

/** Ids of the hosts that changed since they were drawn. */
const changed = new Set<string>();
let isScheduled = false;

function scheduleDrawing(id: string): void {
  changed.add(id);
  if (isScheduled) return;
  isScheduled = true;
  setTimeout(() => void drawChanged(), DRAW_INTERVAL);
}

async function drawChanged(): Promise<void> {
  const ids = new Set(changed);
  changed.clear();
  // Uses the current documents, not the reported ones: the user may have moved to another position since.
  const found = await engine().call('case', null);
  if (found.ok) {
    const documents = [...found.value.hosts, ...found.value.sessions];
    for (const node of documents.filter(({ id }) => ids.has(id))) await showHost(node);
    set({ caseNode: found.value });
  }
  isScheduled = changed.size > 0;
  if (isScheduled) setTimeout(() => void drawChanged(), DRAW_INTERVAL);
}

async function showHost(node: DocumentNode): Promise<void> {
  const known = get().documents.find((d) => d.id === node.id);
  if (!known) {
    await addDocument(node);
    await arrange('all');
  } else if (node.live?.isFollowing || known.title !== node.title) await updateDocument(node, true);
  else set({ documents: get().documents.map((d) => (d.id === node.id ? node : d)) });
}

/** Stores a live host's state under the id of its document: it may have joined an open host. */
function receive({ live }: Progress): void {
  if (!live) return;
  const { id } = live.node;
  const before = get().live[id];
  set({ live: { ...get().live, [id]: live.state } });
  announce(live.state, before, live.node.title);
  scheduleDrawing(id);
}

/** Announces changes to users who are not watching the list. */
function announce(now: LiveState, before: LiveState | undefined, title: string): void {
  if (before && before.connection !== now.connection) {
    if (now.connection === 'waiting') notify(`${title}: connection lost, reconnecting…`);
    else if (now.connection === 'live') notify(`${title}: connected`);
  }
  const latest = now.changes.at(-1);
  if (latest && latest.position !== before?.changes.at(-1)?.position)
    notify(`${title}: ${latest.labels.slice(0, 2).join(', ')}`);
}

/** Connects to an agent by the URL that it printed. Returns what is wrong with the URL, if anything is. */
export function connectLive(address: string): string | undefined {
  const parsed = parseLiveUrl(address);
  if (typeof parsed === 'string') return parsed;
  const id = crypto.randomUUID();
  const controller = new AbortController();
  onClose(id, () => {
    controller.abort();
    forgetAgent(address);
  });
  keepAgent(address);
  const title = parsed.url.replace(/^wss?:\/\//, '').replace(/\/live$/, '');
  const follow = async () => {
    for (;;) {
      const ended = await engine().call(
        'live',
        { id, title, ...parsed },
        { signal: controller.signal, onProgress: receive },
      );
      // A restarted engine has to connect again.
      if (!ended.ok && ended.error.code === 'engine-restarted' && !controller.signal.aborted) continue;
      if (controller.signal.aborted) return;
      forgetAgent(address);
      if (!ended.ok && ended.error.code !== 'cancelled') showEngineError(`${title}: disconnected`, ended.error);
      return;
    }
  };
  void follow();
  return undefined;
}

/**
 * Connects to the agent that served this page, if the page's URL has its token. The token is removed from the URL, where it
 * would stay in the history and in screenshots. Returns whether a host was connected.
 */
export function connectFromUrl(): boolean {
  if (!location.hash.includes('live=')) return false;
  const problem = connectLive(location.href);
  history.replaceState(null, '', location.pathname + location.search);
  if (problem !== undefined) showEngineError('The live host was not opened', { code: 'unusable', message: problem });
  return problem === undefined;
}

/**
 * Reconnects to the agents that this tab was connected to before a reload. Returns whether one of them serves this page.
 */
export function reconnect(): boolean {
  const addresses = keptAgents();
  for (const address of addresses) connectLive(address);
  return addresses.some((address) => address.startsWith(`${location.origin}/`));
}

/** Follows a host's events as they arrive, or stays at the current position. */
export async function setFollowing(id: string, follow: boolean): Promise<void> {
  const document = get().documents.find((d) => d.id === id);
  if (!document) return;
  const moved = await engine().call('seek', {
    id,
    position: follow ? Number.MAX_SAFE_INTEGER : document.position,
    follow,
  });
  if (moved.ok) await updateDocument(moved.value, true);
}
