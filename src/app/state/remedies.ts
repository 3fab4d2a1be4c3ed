// Remedies that the page can apply itself.
import type { RemedyAction } from '../../analysis/conflicts/conflict.ts';
import type { GuestChoice } from '../../engine/protocol/answers.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { type AppState, useApp } from './app-state.ts';
import { setSelectedGroups } from './documents.ts';
import { chooseGuest, ramOf, type SizedChoice, sizedChoice, withRam } from './guests.ts';
import { notify } from './notices.ts';

const { getState: get } = useApp;

/** For machines without it: the machine whose RAM QEMU moves above 1 TiB on AMD hosts. */
const RELOCATING: ReadonlyMap<string, string> = new Map([
  ['q35', 'q35-amd'],
  ['pc', 'pc-amd'],
]);

/** The guest after a remedy; undefined if the remedy does not apply to the tried guest. */
function guestAfter(action: RemedyAction, guest: SizedChoice | undefined): GuestChoice | undefined {
  if (!guest) return undefined;
  switch (action.kind) {
    case 'set-ram':
      return withRam(guest, action.ram);
    case 'machine':
      return { kind: 'machine', machine: action.name, ram: ramOf(guest) };
    case 'relocate': {
      const machine = guest.kind === 'machine' ? RELOCATING.get(guest.machine) : undefined;
      return machine === undefined ? undefined : { kind: 'machine', machine, ram: ramOf(guest) };
    }
    case 'leave-out-groups':
      return undefined;
  }
}

/** Keys of groups by their names, as a host reports them. */
function groupKeys({ groups }: DocumentNode, names: readonly string[]): string[] {
  const titles = new Set(names.map((name) => `group ${name}`));
  return groups.filter(({ title }) => titles.has(title)).map(({ key }) => key);
}

/** True if the page can apply the remedy to the tried guest or the selection. */
export function isApplicable(action: RemedyAction, state: Pick<AppState, 'guest' | 'definedGuests'>): boolean {
  return action.kind === 'leave-out-groups' || guestAfter(action, sizedChoice(state)) !== undefined;
}

/** Applies a remedy. `documentId`: the host that it is about. */
export async function applyRemedy(action: RemedyAction, documentId: string | undefined): Promise<void> {
  if (action.kind === 'leave-out-groups') {
    const hosts = get().documents.filter(({ id }) => documentId === undefined || id === documentId);
    const left = new Set(hosts.flatMap((host) => groupKeys(host, action.groups)));
    await setSelectedGroups(get().selectedGroups.filter((key) => !left.has(key)));
    return;
  }
  const guest = guestAfter(action, sizedChoice(get()));
  if (guest) await chooseGuest(guest);
  else notify('Choose a guest machine first.');
}
