// The selected range and the measured one.

import type { RangeDetail } from '../../engine/protocol/picture.ts';
import { formatExactSize, groupedHex } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import { useApp } from './app-state.ts';
import { engine } from './engine.ts';
import { announce, notify } from './notices.ts';
import { arrange, onArranged } from './picture.ts';
import { Turns } from './turns.ts';
import { reveal } from './view.ts';

const { getState: get, setState: set } = useApp;

const selections = new Turns();

/** A range as text for screen readers: what it is, its bounds and its size. */
function rangeSentence({ title, laneTitle, target: { start, last } }: RangeDetail): string {
  const where = start === last ? `at ${groupedHex(start)}` : `${groupedHex(start)} to ${groupedHex(last)}`;
  return `${title}, ${laneTitle}, ${where}, ${formatExactSize(last - start + 1n)}`;
}

/** Selects a range of the picture; `reveal` moves the view there if it is not visible. */
export async function select(target: Target | undefined, options: { readonly reveal?: boolean } = {}): Promise<void> {
  const turn = selections.next();
  if (!target) {
    set({ selected: undefined });
    return;
  }
  const described = await engine().call('describe', target);
  if (!selections.isCurrent(turn)) return;
  set({ selected: described.ok ? described.value : undefined });
  if (!described.ok) return;
  announce(rangeSentence(described.value));
  if (options.reveal) reveal(described.value.target);
}

/** Called after the lanes changed: selects the same range again if it still exists. */
async function refreshSelected(): Promise<void> {
  const { selected } = get();
  if (!selected) return;
  const { target } = selected;
  const described = await engine().call('describe', target);
  // Another range was selected meanwhile.
  if (get().selected !== selected) return;
  const isSame =
    described.ok && described.value.target.start === target.start && described.value.target.last === target.last;
  set({ selected: isSame ? described.value : undefined });
}
onArranged(refreshSelected);

/** The last step: the next one starts where it ends, even if keys are pressed quickly. */
let lastStep: Promise<void> = Promise.resolve();

/** Selects the next or previous range of the picture, in the order of the lanes. */
export function step(direction: 'next' | 'previous'): Promise<void> {
  lastStep = lastStep.then(async () => {
    const found = await engine().call('step', { from: get().selected?.target, direction });
    if (found.ok && found.value) await select(found.value, { reveal: true });
  });
  return lastStep;
}

/** Selects the range that an event is drawn as. `isQuiet`: no message if it is not drawn. */
export async function selectEvent(id: string, position: number, { isQuiet = false } = {}): Promise<void> {
  const found = await engine().call('locate', { id, position });
  if (found.ok && found.value) await select(found.value, { reveal: true });
  else if (!isQuiet) notify('This fact is not drawn in the picture.');
}

/** Measures from one address to another, both inclusive, in either order. */
export function measure(from: bigint, to: bigint): void {
  set({ measured: from <= to ? range(from, to) : range(to, from) });
}

export function clearSelection(): void {
  const { explained, conflict } = get();
  void select(undefined);
  set({ measured: undefined, explained: undefined, conflict: undefined });
  // The fold scale made room for them.
  if (explained !== undefined || conflict !== undefined) void arrange('view');
}
