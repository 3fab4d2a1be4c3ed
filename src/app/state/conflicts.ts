// Conflicts of the selection, and the guest and page size that they are checked with.
import type { Answered, ConflictRow, GuestChoice } from '../../engine/protocol/answers.ts';
import { counted, hex } from '../../iova/format.ts';
import { useApp } from './app-state.ts';
import { conflictKey } from './conflict-key.ts';
import { engine } from './engine.ts';
import { announce } from './notices.ts';
import { arrange, arrangements, onArranged } from './picture.ts';
import { reveal } from './view.ts';

const { getState: get, setState: set } = useApp;

/** Conflicts of the same kind, as one item of the list. */
export interface ConflictGroup {
  /** The highest severity among them. */
  readonly severity: ConflictRow['severity'];
  readonly text: string;
  /** At least one, in the order of the list. */
  readonly rows: readonly ConflictRow[];
  /** Their numbers in the picture, such as `3` or `3–25`. */
  readonly numbers: string;
}

function numbersOf(rows: readonly ConflictRow[]): string {
  const [first, last] = [rows[0]?.number ?? 0, rows.at(-1)?.number ?? 0];
  if (rows.length === 1) return `${first}`;
  return last - first === rows.length - 1 ? `${first}–${last}` : `${first} … ${last}`;
}

/** The list of conflicts; conflicts of the same kind are one item. */
export function conflictGroups(conflicts: Answered | undefined): ConflictGroup[] {
  if (!conflicts) return [];
  const byKey = new Map(conflicts.rows.map((row) => [conflictKey(row), row]));
  return conflicts.items.map(({ severity, text, scope, conflicts: ids }) => {
    const rows = ids.flatMap((id) => byKey.get(conflictKey({ document: scope, id })) ?? []);
    return { severity, text, rows, numbers: numbersOf(rows) };
  });
}

/** `1 fatal, 2 warnings, 3 notes`. */
export function severityCounts(rows: readonly ConflictRow[]): string {
  const count = (severity: ConflictRow['severity']) => rows.filter((row) => row.severity === severity).length;
  const [fatal, warnings, notes] = [count('fatal'), count('warning'), count('note')];
  return [
    ...(fatal > 0 ? [`${fatal} fatal`] : []),
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
    ...(notes > 0 ? [counted(notes, 'note')] : []),
  ].join(', ');
}

/** Requests the answer to the case and the conflicts of the selection. It is dropped if the lanes or the page size changed. */
async function refreshConflicts(turn: number): Promise<void> {
  const { selectedGroups, guest, pageSize } = get();
  const found = await engine().call('answer', { selectedGroups, guest, pageSize });
  if (!arrangements.isCurrent(turn) || pageSize !== get().pageSize || !found.ok) return;
  const { conflict } = get();
  const isGone = conflict !== undefined && !found.value.rows.some((row) => conflictKey(row) === conflict);
  set({ conflicts: found.value, ...(isGone ? { conflict: undefined } : {}) });
}
onArranged(refreshConflicts);

/** A conflict as text for screen readers: its number, title, and the bounds of the request or the obstacle. */
function conflictSentence({ number, severity, title, marks: [mark] }: ConflictRow, total: number): string {
  const bounds = mark ? `, ${mark.message}: ${hex(mark.start)} to ${hex(mark.last)}` : '';
  return `Conflict ${number} of ${total}, ${severity}: ${title}${bounds}`;
}

/** Shows a conflict in the picture: the requested range and what blocks it; undefined: none. */
export async function showConflict(row: ConflictRow | undefined): Promise<void> {
  const key = row && conflictKey(row);
  if (get().conflict === key) return;
  set({ conflict: key, explained: undefined });
  if (row) announce(conflictSentence(row, get().conflicts?.rows.length ?? 0));
  // The fold scale keeps the ranges of a conflict visible.
  if (get().scale === 'fold') await arrange('view');
  const [first] = row?.marks ?? [];
  if (first) reveal(first);
}

/** Shows the conflict after the one that is shown now, out of `rows`; wraps around at the end. */
async function showNextOf(rows: readonly ConflictRow[]): Promise<void> {
  const at = rows.findIndex((row) => conflictKey(row) === get().conflict);
  await showConflict(rows[(at + 1) % Math.max(1, rows.length)]);
}

/** The answer to the case; the first one may still be pending while its picture is drawn. */
async function firstAnswer(): Promise<Answered> {
  const { conflicts } = get();
  if (conflicts) return conflicts;
  return await new Promise((resolve) => {
    const stop = useApp.subscribe((now) => {
      if (!now.conflicts) return;
      stop();
      resolve(now.conflicts);
    });
  });
}

export async function nextConflict(): Promise<void> {
  if (get().documents.length === 0) return;
  await showNextOf((await firstAnswer()).rows);
}

/** Shows the conflict of a flag in the picture; a flag may carry several. */
export async function showFlag(numbers: readonly number[]): Promise<void> {
  await showNextOf(get().conflicts?.rows.filter((row) => numbers.includes(row.number)) ?? []);
}

let isChecking = false;

/**
 * Checks a guest against the hosts. If choices come faster than answers, intermediate ones are skipped, but never the last
 * one.
 */
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

/** Sets the page size of the hosts' kernels in bytes; undefined: that of the dumps, or 4 KiB. */
export async function setPageSize(pageSize: bigint | undefined): Promise<void> {
  set({ pageSize });
  await refreshConflicts(arrangements.current);
}
