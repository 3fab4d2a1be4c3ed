// Live hosts: connecting, and keeping the store up to date with what they tell.
import { parseLiveUrl } from '../../engine/live/live-url.ts';
import type { DocumentNode, LiveState, Progress } from '../../engine/protocol.ts';
import { arrange, ask, firstKeysOf, onClose, report, say, showMoved, useApp } from './store.ts';

/** Lanes are laid out anew at most once in so many milliseconds, however fast a host changes. */
const DRAW_EVERY = 250;

const { getState: get, setState: set } = useApp;

/** Hosts that have changed and are not drawn yet. */
const waiting = new Set<string>();
let isDrawing = false;

function drawSoon(id: string): void {
  waiting.add(id);
  if (isDrawing) return;
  isDrawing = true;
  setTimeout(() => void draw(), DRAW_EVERY);
}

async function draw(): Promise<void> {
  const ids = new Set(waiting);
  waiting.clear();
  // As they are now, and not as they were when they were told: somebody may have gone to another moment since.
  const all = await ask().call('documents', null);
  for (const node of all.ok ? all.value.filter(({ id }) => ids.has(id)) : []) {
    const known = get().documents.find((d) => d.id === node.id);
    if (!known) await show(node);
    else if (node.live?.isFollowing || known.title !== node.title) await showMoved(node, true);
    else set({ documents: get().documents.map((d) => (d.id === node.id ? node : d)) });
  }
  isDrawing = waiting.size > 0;
  if (isDrawing) setTimeout(() => void draw(), DRAW_EVERY);
}

/** A host that is seen for the first time: samples give way to it. */
async function show(node: DocumentNode): Promise<void> {
  const { sampleIds, documents, selectedGroups } = get();
  for (const id of sampleIds) await ask().call('close', { id });
  set({
    documents: [...documents.filter((d) => !sampleIds.includes(d.id)), node],
    sampleIds: [],
    selectedGroups: [...selectedGroups, ...firstKeysOf(node)],
  });
  await arrange('all');
}

function take(id: string, { live }: Progress): void {
  if (!live) return;
  const before = get().live[id];
  set({ live: { ...get().live, [id]: live.state } });
  announce(live.state, before, live.node.title);
  drawSoon(id);
}

/** Says what changed to those who do not look at the list. */
function announce(now: LiveState, before: LiveState | undefined, title: string): void {
  if (before && before.connection !== now.connection) {
    if (now.connection === 'waiting') say(`${title}: connection lost, connecting again`);
    else if (now.connection === 'live') say(`${title}: connected`);
  }
  const latest = now.changes.at(-1);
  if (latest && latest.position !== before?.changes.at(-1)?.position)
    say(`${title}: ${latest.labels.slice(0, 2).join(', ')}`);
}

/** Connects to the agent of an address as it printed it. Returns what is wrong with the address, if anything is. */
export function connectLive(address: string): string | undefined {
  const where = parseLiveUrl(address);
  if (typeof where === 'string') return where;
  const id = crypto.randomUUID();
  const controller = new AbortController();
  onClose(id, () => controller.abort());
  const title = where.url.replace(/^wss?:\/\//, '').replace(/\/live$/, '');
  const follow = async () => {
    for (;;) {
      const ended = await ask().call(
        'live',
        { id, title, ...where },
        { signal: controller.signal, onProgress: (progress) => take(id, progress) },
      );
      // After the engine was started again the host is followed anew.
      if (!ended.ok && ended.error.code === 'engine-restarted' && !controller.signal.aborted) continue;
      if (!ended.ok && ended.error.code !== 'cancelled') report(`${title} is not followed any more`, ended.error);
      return;
    }
  };
  void follow();
  return undefined;
}

/**
 * Connects to the agent whose page this is, if its address says so. The token is taken out of the address: it would stay
 * in the history and in screenshots.
 */
export function openAddressed(): boolean {
  if (!location.hash.includes('live=')) return false;
  const problem = connectLive(location.href);
  history.replaceState(null, '', location.pathname + location.search);
  if (problem !== undefined) report('The live host was not opened', { code: 'unusable', message: problem });
  return problem === undefined;
}

/** Follows what comes in, or stays at the moment that is shown. */
export async function setFollowing(id: string, follow: boolean): Promise<void> {
  const document = get().documents.find((d) => d.id === id);
  if (!document) return;
  const moved = await ask().call('seek', {
    id,
    position: follow ? Number.MAX_SAFE_INTEGER : document.position,
    follow,
  });
  if (moved.ok) await showMoved(moved.value, true);
}
