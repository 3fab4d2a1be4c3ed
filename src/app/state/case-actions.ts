// Changes of the case by the user: undo, moving sources, the device to assign, the kernel, a new case.
import type { CaseNode, Placement } from '../../engine/protocol/case.ts';
import type { EngineResult } from '../../engine/protocol/result.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from './app-state.ts';
import { applyCase, cancelOpenings, close } from './documents.ts';
import { engine } from './engine.ts';
import { notify, showEngineError } from './notices.ts';
import { arrange } from './picture.ts';

const { getState: get, setState: set } = useApp;

/** Shows the case after a change; false if the engine did not make it. */
export async function showChange(
  title: string,
  changed: EngineResult<CaseNode>,
  keep: 'view' | 'all',
): Promise<boolean> {
  if (!changed.ok) {
    showEngineError(title, changed.error);
    return false;
  }
  set({ placed: undefined, selected: undefined });
  applyCase(changed.value);
  await arrange(keep);
  return true;
}

/** Undoes the last change of the case. */
export async function undo(): Promise<void> {
  const label = get().caseNode?.undo;
  if (await showChange('Nothing was undone', await engine().call('undo', null), 'all')) {
    notify(label === undefined ? 'Undone' : `Undone: ${label}`);
  }
}

/** Moves sources that joined a host to a new host. */
export async function makeAnotherHost(placements: readonly Placement[]): Promise<void> {
  const ids = placements.filter(({ outcome }) => outcome === 'joined').map(({ sourceId }) => sourceId);
  const [first, ...rest] = ids;
  if (first === undefined) return;
  let moved = await engine().call('moveSource', { sourceId: first, to: 'new-host' });
  const host = moved.ok ? moved.value.hosts.find(({ sources }) => sources.some(({ id }) => id === first)) : undefined;
  for (const sourceId of rest) {
    if (!moved.ok || !host) break;
    moved = await engine().call('moveSource', { sourceId, to: host.id });
  }
  if (await showChange('The sources were not moved', moved, 'all')) {
    notify(host ? `${host.title} is now a separate host` : 'Moved to another host');
  }
}

/** Moves a source to another host, or to a new one (`new-host`). */
export async function moveSource(sourceId: string, to: string): Promise<void> {
  const moved = await engine().call('moveSource', { sourceId, to });
  if (!(await showChange('The source was not moved', moved, 'all'))) return;
  const host = get().documents.find(({ sources }) => sources.some(({ id }) => id === sourceId));
  const source = host?.sources.find(({ id }) => id === sourceId);
  offerUndo(`${source?.name ?? 'The source'} moved to ${host?.title ?? 'another host'}`);
}

/** Renames a host; an empty name restores the name from its sources. */
export async function renameHost(hostId: string, name: string): Promise<void> {
  const renamed = await engine().call('renameHost', { hostId, name });
  if (await showChange('The host was not renamed', renamed, 'view')) {
    const title = get().documents.find(({ id }) => id === hostId)?.title;
    notify(`Renamed to ${title ?? name}`);
  }
}

/** Closes a source; a host without sources is closed with it. Can be undone. */
export async function closeSource(sourceId: string, name: string): Promise<void> {
  const closed = await engine().call('closeSource', { sourceId });
  if (await showChange(`${name} was not closed`, closed, 'all')) offerUndo(`${name} closed`);
}

/** Closes a host with all of its sources, or a session. Can be undone. */
export async function closeHost(id: string): Promise<void> {
  const title = get().documents.find((document) => document.id === id)?.title ?? 'The host';
  await close(id);
  offerUndo(`${title} closed`);
}

/** Closes several hosts or sessions. Each can be undone. */
export async function closeHosts(ids: readonly string[]): Promise<void> {
  for (const id of ids) await close(id);
  offerUndo(`${counted(ids.length, 'session')} closed`);
}

/** Shows what was done, with a button to undo it. */
function offerUndo(text: string): void {
  set({ notice: text, placed: { text, placements: [] } });
}

/**
 * Chooses the device to assign; null: none; undefined: what the evidence names. `hostId`: the host, if several have a device
 * with this address; by default all of them. False if no host has it.
 */
export async function setDevice(device: string | null | undefined, hostId?: string): Promise<boolean> {
  return showChange('The device was not chosen', await engine().call('setDevice', { device, hostId }), 'view');
}

/** Chooses the kernel whose rules answer; null: that of the sources. False if it is not a version. */
export async function setKernel(version: string | null): Promise<boolean> {
  return showChange('The kernel was not chosen', await engine().call('setKernel', { version }), 'view');
}

/** Closes everything; can be undone. */
export async function newCase(): Promise<void> {
  cancelOpenings();
  set({ guest: undefined, conflict: undefined, measured: undefined, explained: undefined, sampleIds: [] });
  await showChange('The case was not closed', await engine().call('newCase', null), 'all');
}

/** Closes everything and deletes the case from the browser's storage. Cannot be undone. */
export async function forget(): Promise<void> {
  cancelOpenings();
  set({ guest: undefined, conflict: undefined, measured: undefined, explained: undefined, sampleIds: [] });
  if (!(await showChange('The case was not forgotten', await engine().call('forget', null), 'all'))) return;
  const { BROWSER_STORE } = await import('./autosave.ts');
  try {
    await BROWSER_STORE.remove();
  } catch {
    // Storage is blocked, so nothing is saved there.
  }
  set({ kept: undefined });
  notify('Forgotten: the case was deleted from this browser.');
}
