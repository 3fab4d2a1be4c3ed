// Applies the view of a link or a lesson to what is open.
import { laneName } from '../../engine/protocol/picture.ts';
import { selectedBy } from '../../engine/share/selection-value.ts';
import type { LinkView } from '../../session/sharing/link.ts';
import { TAB_NAMES, useApp } from './app-state.ts';
import { setDevice, setKernel } from './case-actions.ts';
import { setGuest } from './conflicts.ts';
import { seek, setModel, setSelectedGroups } from './documents.ts';
import { showError } from './notices.ts';
import { arrange, arranged, setScale } from './picture.ts';
import { shownSession } from './sessions.ts';
import { showTab } from './tabs.ts';
import { showRange } from './view.ts';

const { getState: get, setState: set } = useApp;

/** A message as a sentence. */
export const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Applies the view of a link. Reports what cannot be applied, and applies the rest. */
export async function applyView(view: LinkView): Promise<void> {
  const { theme, kernel, device, model, at, groups, guest, lanes, scale, range, tab } = view;
  await arranged();
  if (theme) set({ theme, isSystemTheme: false });
  if (kernel !== undefined) await setKernel(kernel);
  if (device !== undefined) await setDevice(device);
  const session = shownSession(get());
  if (session && model !== undefined && session.operations > 0) await setModel(session.id, model);
  if (session && at !== undefined) await seek(session.id, at);
  if (groups !== undefined) await selectGroups(groups);
  if (guest !== undefined) await tryGuest(guest);
  const names = new Set(lanes ?? []);
  const ids = get().picture?.arrangement.spaces.flatMap((space) => space.lanes.map(({ id }) => id)) ?? [];
  const expanded = ids.filter((id) => names.has(laneName(id)));
  if (expanded.length > 0) set({ expanded });
  if (scale !== undefined && scale !== get().scale) setScale(scale);
  else if (expanded.length > 0) void arrange('view');
  const known = TAB_NAMES.find((name) => name === tab);
  if (known) showTab(known);
  await arranged();
  if (range) showRange(range.start, range.last, 0);
}

async function selectGroups(groups: readonly string[]): Promise<void> {
  const { keys, unknown } = selectedBy(get().documents, groups);
  await setSelectedGroups(keys);
  if (unknown.length > 0) showError('Not all of the selection was found', sentence(`not there: ${unknown.join(', ')}`));
}

async function tryGuest(text: string): Promise<void> {
  const { parseGuest } = await import('../../engine/picture/guests.ts');
  const parsed = parseGuest(text);
  if (parsed?.ok) await setGuest(parsed.choice);
  else showError('The guest of the link was not tried', sentence(`"${text}": ${parsed?.message ?? 'not a guest'}`));
}
