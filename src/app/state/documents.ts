// The open documents: opening, closing, their positions, and what is selected in them.
import type { CaseNode, Placement } from '../../engine/protocol/case.ts';
import type { DocumentNode, InputFile } from '../../engine/protocol/documents.ts';
import type { CallOptions, Engine } from '../../engine/protocol/methods.ts';
import { defaultKeys, selectableKeys } from '../../engine/protocol/selection.ts';
import { counted } from '../../iova/format.ts';
import { type Busy, useApp } from './app-state.ts';
import { engine } from './engine.ts';
import { notify, showEngineError } from './notices.ts';
import { arrange } from './picture.ts';
import { placeOfDevice } from './tree.ts';

const { getState: get, setState: set } = useApp;

/** Selects only this group; other selections in its document do not change. */
export async function selectOnlyGroup(key: string): Promise<void> {
  const owner = get().documents.find(({ groups }) => groups.some((group) => group.key === key));
  if (!owner) return;
  const others = new Set([...owner.spaces, ...owner.layers].map((one) => one.key));
  await setSelectedGroups([key, ...get().selectedGroups.filter((other) => others.has(other))]);
}

export async function setSelectedGroups(selectedGroups: readonly string[]): Promise<void> {
  set({ selectedGroups });
  await arrange('view');
}

export interface OpenOptions {
  /** True for a sample: it is not saved, and is replaced by whatever is opened later. */
  readonly isSample?: boolean;
  /** How the address bar refers to these files. */
  readonly address?: string;
}

/** By engine: the promise of the last opening, while one is in progress. */
const openings = new WeakMap<Engine, Promise<void>>();
/** Incremented to drop the files that are waiting to be opened. */
let era = 0;

/** Cancels the current opening, and drops those that wait for it: for a new case. */
export function cancelOpenings(): void {
  era++;
  get().busy?.cancel();
}

/**
 * Opens files: their sources join the case. If that fails, nothing changes. Returns which hosts they joined. Openings are
 * queued: none of several pastes in a row is lost, and the hosts that they join do not depend on how fast each is read.
 */
export function open(
  title: string,
  files: readonly InputFile[],
  options: OpenOptions = {},
): Promise<readonly Placement[]> {
  const owner = engine();
  const own = era;
  const before = openings.get(owner);
  // The problem of an opening stays visible while the queued ones run.
  if (!before) set({ problem: undefined });
  const opening = before
    ? before.then(() => (own === era ? openNow(title, files, options) : []))
    : openNow(title, files, options);
  const end = opening
    .catch(() => undefined)
    .then(() => {
      if (openings.get(owner) === end) openings.delete(owner);
    });
  openings.set(owner, end);
  return opening;
}

/** Makes a call that may take long: its progress is shown, with a way to cancel it. */
export async function whileBusy<T>(title: string, call: (options: CallOptions) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const busy: Busy = { title, progress: undefined, cancel: () => controller.abort() };
  set({ busy, notice: '', announcement: '' });
  const result = await call({
    signal: controller.signal,
    onProgress: (progress) => {
      if (get().busy) set({ busy: { ...busy, progress } });
    },
  });
  set({ busy: undefined });
  return result;
}

/** More files than this are handed to the engine in parts. */
const AT_ONCE_MAX = 50;

async function openNow(
  title: string,
  files: readonly InputFile[],
  { isSample = false, address }: OpenOptions,
): Promise<readonly Placement[]> {
  const params = { title, files, ...(isSample ? { sample: title } : {}) };
  const opened = await whileBusy(title, async (options) =>
    files.length > AT_ONCE_MAX
      ? (await import('./staged-files.ts')).openStaged(params, options)
      : engine().call('open', params, options),
  );
  if (!opened.ok) {
    showEngineError(`${title} was not opened`, opened.error);
    return [];
  }
  const { placements, case: node } = opened.value;
  const ids = placements.map(({ hostId, sourceId }) => hostId ?? sourceId);
  set({
    sampleIds: isSample ? [...new Set(ids)] : [],
    addressed: address === undefined ? undefined : { part: address, ids: [...new Set(ids)] },
  });
  applyCase(node);
  const label = placedLabel(placements, node);
  const notice = isSample ? '' : label;
  const session = get().documents.findLast(({ id, hasHistory }) => hasHistory && ids.includes(id))?.id;
  set({
    conflict: undefined,
    selected: undefined,
    measured: undefined,
    ...(session === undefined ? {} : { session, eventFilter: {} }),
    notice,
    announcement: notice,
    placed: isSample ? undefined : { text: label, placements },
  });
  await arrange('all');
  return placements;
}

/** `qemu.log joined Host A`, `1,000 hosts of 8 kinds opened`. */
function placedLabel(placements: readonly Placement[], { hosts }: CaseNode): string {
  const [first] = placements;
  if (!first) return '';
  const opened = hosts.filter(({ id }) => placements.some(({ hostId }) => hostId === id));
  const count = opened.reduce((sum, { alike }) => sum + (alike?.count ?? 1), 0);
  if (count > opened.length) return `${counted(count, 'host')} of ${counted(opened.length, 'kind')} opened`;
  const more = placements.length > 1 ? ` and ${placements.length - 1} more` : '';
  if (first.outcome === 'session' || first.hostName === undefined) return `${first.sourceName}${more} opened`;
  const to = first.outcome === 'joined' ? `joined ${first.hostName}` : `opened as ${first.hostName}`;
  return `${first.sourceName}${more} ${to}`;
}

/** Shows a changed case. New items are selected; deselected ones stay deselected unless the device changed. */
export function applyCase(node: CaseNode): void {
  const before = get();
  const documents = [...node.hosts, ...node.sessions];
  const isOtherDevice = before.caseNode?.device?.device !== node.device?.device;
  const old = new Map(before.documents.map((document) => [document.id, document]));
  const selected = new Set(before.selectedGroups);
  const selectedGroups = documents.flatMap((document) => {
    const known = old.get(document.id);
    if (!known || isOtherDevice) return defaultKeys(document);
    const keys = new Set(selectableKeys(known));
    const added = new Set(defaultKeys(document).filter((key) => !keys.has(key)));
    return selectableKeys(document).filter((key) => selected.has(key) || added.has(key));
  });
  const assigned = isOtherDevice ? node.device : undefined;
  const host = assigned && documents.find(({ id }) => id === assigned.hostId);
  const revealed = host && assigned && placeOfDevice(host, assigned.device);
  set({ caseNode: node, documents, selectedGroups, ...(revealed ? { revealed } : {}) });
}

/** Adds a live host that the engine has opened; samples are closed for it. The caller lays out the lanes. */
export async function addDocument(document: DocumentNode): Promise<void> {
  const samples = new Set(get().sampleIds);
  for (const id of samples) await engine().call('close', { id });
  const kept = get().documents.filter(({ id }) => !samples.has(id));
  const keys = new Set(kept.flatMap(selectableKeys));
  set({
    documents: [...kept, document],
    sampleIds: [],
    selectedGroups: [...get().selectedGroups.filter((key) => keys.has(key)), ...defaultKeys(document)],
  });
}

/** By document id: what to close together with the document (the connection of a live host). */
const closers = new Map<string, () => void>();

export function onClose(id: string, end: () => void): void {
  closers.set(id, end);
}

export async function close(id: string): Promise<void> {
  closers.get(id)?.();
  closers.delete(id);
  const closed = await engine().call('close', { id });
  if (closed.ok) applyCase(closed.value);
  set({ selected: undefined, placed: undefined });
  await arrange('all');
}

/** Replaces a document by its new state; new items are selected. `isLatest`: its position is the requested one. */
export async function updateDocument(document: DocumentNode, isLatest: boolean): Promise<void> {
  const { documents, selectedGroups } = get();
  const old = documents.find(({ id }) => id === document.id);
  const known = new Set(old ? selectableKeys(old) : []);
  // What the user deselected stays deselected.
  const added = defaultKeys(document).filter((key) => !known.has(key) && !selectedGroups.includes(key));
  set({
    documents: documents.map((d) =>
      d.id === document.id ? { ...document, position: isLatest ? document.position : d.position } : d,
    ),
    selectedGroups: [...selectedGroups, ...added],
  });
  await arrange('view');
}

interface Moment {
  readonly id: string;
  readonly position: number;
}

let requested: Moment | undefined;

/** Moves a document to the state after its first `position` events. Intermediate requests may be skipped. */
export async function seek(id: string, position: number): Promise<void> {
  const isRunning = requested !== undefined;
  const { explained, documents } = get();
  if (explained && (explained.id !== id || explained.position !== position)) set({ explained: undefined });
  requested = { id, position };
  set({ documents: documents.map((d) => (d.id === id ? { ...d, position } : d)) });
  if (isRunning) return;
  for (;;) {
    const moment: Moment = requested;
    const moved = await engine().call('seek', moment);
    const isLatest = requested === moment;
    if (moved.ok) await updateDocument(moved.value, isLatest);
    if (requested === moment) break;
  }
  requested = undefined;
}

/** Runs a document's operations under another model; the position stays the same. */
export async function setModel(id: string, model: string): Promise<void> {
  const ran = await engine().call('run', { id, model });
  if (ran.ok) await updateDocument(ran.value, true);
  else showEngineError(`The operations cannot be run under ${model}`, ran.error);
}

/** The engine was restarted: requests everything again that it answered before. */
export async function refreshAfterRestart(reason: string): Promise<void> {
  const all = await engine().call('documents', null);
  if (!all.ok) return;
  const known = new Set(all.value.map((d) => d.id));
  const lost = get().documents.filter((d) => !known.has(d.id));
  set({ documents: all.value, engineRestarts: get().engineRestarts + 1 });
  notify(`The engine was restarted (${reason}). Your documents are still open.`);
  if (lost.length > 0) {
    showEngineError('Some documents were lost', {
      code: 'engine-restarted',
      message: `${lost.map((d) => d.title).join(', ')} could not be read again after the engine was restarted (${reason}).`,
    });
  }
  await arrange('view');
}
