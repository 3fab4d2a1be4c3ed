// The guest that is tried: one that the sources define, or what a person chose instead.
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

/** The definition as the sources have it, or with other RAM: the same guest. */
function isSameGuest(a: GuestDefinition, b: GuestDefinition): boolean {
  return textOf({ ...a, ram: undefined }) === textOf({ ...b, ram: undefined });
}

function textOf(definition: GuestDefinition): string {
  return JSON.stringify(definition, (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
}

type Guests = Pick<AppState, 'guest' | 'definedGuests'>;

/** True if all hosts of the case are AMD's: their guests have its machines. */
export function isAmdCase({ documents }: Pick<AppState, 'documents'>): boolean {
  const hosts = documents.filter(({ kind }) => kind === 'host');
  return hosts.length > 0 && hosts.every(({ isAmd }) => isAmd);
}

/** The guests of the sources that are tried as long as a person chooses none. */
export function triedGuests({ definedGuests }: Pick<AppState, 'definedGuests'>): readonly DefinedGuest[] {
  return definedGuests.filter(({ isTried }) => isTried);
}

/** The guest of the sources that a choice is about; without a choice, the only one that is tried. */
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

/** The machine or definition that is tried now; undefined if nothing with RAM is. */
export function sizedChoice(state: Guests): SizedChoice | undefined {
  const { guest } = state;
  if (guest) return guest.kind === 'machine' || guest.kind === 'definition' ? guest : undefined;
  const defined = definedFor(state);
  return defined && { kind: 'definition', definition: defined.definition };
}

/** How the guest that is tried differs from what the sources define; undefined if it does not. */
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

/** Tries a choice. What the sources define anyway is no choice: it follows the sources. */
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

/** The documents that the present list was made for. */
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
