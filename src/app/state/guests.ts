// The tried guest: one that the sources define, or the user's choice.
import type { GuestDefinition } from '../../analysis/guest/guest-memory.ts';
import type { DefinedGuest, GuestChoice } from '../../engine/protocol/answers.ts';
import { iova } from '../../iova/iova.ts';
import { type AppState, useApp } from './app-state.ts';
import { setGuest } from './conflicts.ts';
import { engine } from './engine.ts';
import { onArranged } from './picture.ts';

const { getState: get, setState: set } = useApp;

/** A choice that has RAM. */
export type SizedChoice = Extract<GuestChoice, { kind: 'machine' | 'definition' }>;

/** True if two definitions are the same guest, apart from the RAM size. */
function isSameGuest(a: GuestDefinition, b: GuestDefinition): boolean {
  return textOf({ ...a, ram: undefined }) === textOf({ ...b, ram: undefined });
}

function textOf(definition: GuestDefinition): string {
  return JSON.stringify(definition, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}

type Guests = Pick<AppState, 'guest' | 'definedGuests'>;

/** True if all hosts of the case are AMD hosts: the AMD machines are then offered first. */
export function isAmdCase({ documents }: Pick<AppState, 'documents'>): boolean {
  const hosts = documents.filter(({ kind }) => kind === 'host');
  return hosts.length > 0 && hosts.every(({ isAmd }) => isAmd);
}

/** The guests of the sources that are tried unless the user chooses another one. */
export function triedGuests({ definedGuests }: Pick<AppState, 'definedGuests'>): readonly DefinedGuest[] {
  return definedGuests.filter(({ isTried }) => isTried);
}

/** The guest of the sources that a choice refers to; without a choice, the only tried one. */
export function definedFor({ guest, definedGuests }: Guests): DefinedGuest | undefined {
  if (guest?.kind === 'definition') {
    return definedGuests.find(({ definition }) => isSameGuest(definition, guest.definition));
  }
  const tried = triedGuests({ definedGuests });
  return tried.length === 1 ? tried[0] : undefined;
}

/** The RAM of a choice, in bytes. */
export function ramOf(choice: SizedChoice): bigint {
  return choice.kind === 'machine' ? choice.ram : (choice.definition.ram ?? 0n);
}

export function withRam(choice: SizedChoice, ram: bigint): SizedChoice {
  if (choice.kind === 'machine') return { ...choice, ram };
  return { ...choice, definition: { ...choice.definition, ram: iova(ram) } };
}

/** The tried machine or definition; undefined if the tried guest has no RAM size. */
export function sizedChoice(state: Guests): SizedChoice | undefined {
  const { guest } = state;
  if (guest) return guest.kind === 'machine' || guest.kind === 'definition' ? guest : undefined;
  const defined = definedFor(state);
  return defined && { kind: 'definition', definition: defined.definition };
}

/** How the tried guest differs from the definition in the sources; undefined if it does not. */
export function overrideOf(state: Guests): { readonly defined: DefinedGuest; readonly isRamOnly: boolean } | undefined {
  const { guest, definedGuests } = state;
  if (!guest || definedGuests.length === 0) return undefined;
  const same = definedFor(state);
  if (guest.kind === 'definition' && same) {
    return same.definition.ram === guest.definition.ram ? undefined : { defined: same, isRamOnly: true };
  }
  const [first] = triedGuests(state);
  return first && { defined: first, isRamOnly: false };
}

/** Tries a choice. Choosing what the sources define anyway counts as no choice, so that it follows the sources. */
export function chooseGuest(choice: GuestChoice | undefined): Promise<void> {
  const { definedGuests } = get();
  const tried = triedGuests({ definedGuests });
  const isAsDefined =
    choice?.kind === 'definition' &&
    tried.length === 1 &&
    tried[0] !== undefined &&
    textOf(tried[0].definition) === textOf(choice.definition);
  return setGuest(isAsDefined ? undefined : choice);
}

/** The documents for which the current list was made. */
let listed: AppState['documents'] | undefined;

/** Requests the guests of the sources again if the documents changed. */
async function refreshGuests(): Promise<void> {
  const { documents } = get();
  if (documents === listed) return;
  const found = await engine().call('guests', null);
  if (!found.ok || get().documents !== documents) return;
  listed = documents;
  set({ definedGuests: found.value });
}
onArranged(refreshGuests);
