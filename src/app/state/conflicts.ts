// Conflicts of the selection, and the guest and page size that they are checked with.
import type { ConflictRow, GuestChoice } from '../../engine/protocol/answers.ts';
import { useApp } from './app-state.ts';
import { conflictKey } from './conflict-key.ts';
import { engine } from './engine.ts';
import { arrange, arrangements, onArranged } from './picture.ts';
import { reveal } from './view.ts';

const { getState: get, setState: set } = useApp;

/** Requests the answer to the case and the conflicts of the selection; it is dropped if the lanes or the page size changed meanwhile. */
async function refreshConflicts(turn: number): Promise<void> {
  const { selectedGroups, guest, pageSize } = get();
  const found = await engine().call('answer', { selectedGroups, guest, pageSize });
  if (!arrangements.isCurrent(turn) || pageSize !== get().pageSize || !found.ok) return;
  const { conflict } = get();
  const isGone = conflict !== undefined && !found.value.rows.some((row) => conflictKey(row) === conflict);
  set({ conflicts: found.value, ...(isGone ? { conflict: undefined } : {}) });
}
onArranged(refreshConflicts);

/** Shows a conflict in the picture: the requested range and what blocks it; undefined: none. */
export async function showConflict(row: ConflictRow | undefined): Promise<void> {
  const key = row && conflictKey(row);
  if (get().conflict === key) return;
  set({ conflict: key, explained: undefined });
  // The fold scale keeps the ranges of a conflict visible.
  if (get().scale === 'fold') await arrange('view');
  const [first] = row?.marks ?? [];
  if (first) reveal(first);
}

/** Of some conflicts, shows the one after the one that is shown; after the last one comes the first. */
async function showNextOf(rows: readonly ConflictRow[]): Promise<void> {
  const at = rows.findIndex((row) => conflictKey(row) === get().conflict);
  await showConflict(rows[(at + 1) % Math.max(1, rows.length)]);
}

export async function nextConflict(): Promise<void> {
  await showNextOf(get().conflicts?.rows ?? []);
}

/** Shows the conflict of a flag in the picture; a flag may carry several. */
export async function showFlag(numbers: readonly number[]): Promise<void> {
  await showNextOf(get().conflicts?.rows.filter((row) => numbers.includes(row.number)) ?? []);
}

let isChecking = false;

/** Checks a guest against the hosts. Choices that come faster than the answers are skipped, the last one never is. */
export async function setGuest(guest: GuestChoice | undefined): Promise<void> {
  set({ guest });
  if (isChecking) return;
  isChecking = true;
  for (;;) {
    const now = get().guest;
    await arrange('view');
    if (get().guest === now) break;
  }
  isChecking = false;
}

/** Sets the page size of the hosts' kernels in bytes; undefined: as the dumps say, or 4 KiB. */
export async function setPageSize(pageSize: bigint | undefined): Promise<void> {
  set({ pageSize });
  await refreshConflicts(arrangements.current);
}
