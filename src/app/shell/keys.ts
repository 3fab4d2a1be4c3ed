import { useApp } from '../state/app-state.ts';
import { nextConflict } from '../state/conflicts.ts';
import { stepEvent } from '../state/documents.ts';
import { clearSelection, step } from '../state/selection.ts';
import { fitSelection, panBy, showAll, zoomBy } from '../state/view.ts';

const PAN_SHARE = 0.12;
const ZOOM_STEP = 1.5;

/** What the help shows, in its order. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['wheel', 'W', 'S', '↑', '↓'], does: 'zoom; the wheel zooms at the pointer' },
  { keys: ['drag', 'A', 'D', '←', '→'], does: 'move along the address space' },
  { keys: ['double click'], does: 'zoom in at the pointer' },
  { keys: ['0'], does: 'show everything' },
  { keys: ['F'], does: 'fit the selected range' },
  { keys: ['N', 'P'], does: 'next and previous range' },
  { keys: ['C'], does: 'next conflict' },
  { keys: [',', '.', 'Ctrl Z', 'Ctrl Y'], does: 'one event back and on, in a session with operations' },
  { keys: ['/'], does: 'search: an address, a type, a device, any word of the dumps' },
  { keys: ['Shift', 'drag'], does: 'measure a stretch' },
  { keys: ['Esc'], does: 'clear the selection and the measurement' },
  { keys: ['?'], does: 'this list' },
];

function zoomMiddle(factor: number): void {
  const { view } = useApp.getState();
  if (view) zoomBy(view.width / 2, factor);
}

function panShare(share: number): void {
  const { view } = useApp.getState();
  if (view) panBy(view.width * share);
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  w: () => zoomMiddle(ZOOM_STEP),
  ArrowUp: () => zoomMiddle(ZOOM_STEP),
  s: () => zoomMiddle(1 / ZOOM_STEP),
  ArrowDown: () => zoomMiddle(1 / ZOOM_STEP),
  a: () => panShare(PAN_SHARE),
  ArrowLeft: () => panShare(PAN_SHARE),
  d: () => panShare(-PAN_SHARE),
  ArrowRight: () => panShare(-PAN_SHARE),
  '0': showAll,
  f: fitSelection,
  n: () => void step('next'),
  p: () => void step('previous'),
  c: () => void nextConflict(),
  ',': () => void stepEvent(-1),
  '.': () => void stepEvent(1),
  Escape: clearSelection,
  '/': () => document.getElementById('search')?.focus(),
};

/** Places that use letters and arrows themselves: text fields, and widgets that are walked with the keyboard. */
const OWN_KEYS =
  'input, textarea, select, [contenteditable], [role=treegrid], [role=menu], [role=listbox], [role=dialog]';
/** Places where arrows scroll or move the focus, while letters are free. */
const OWN_ARROWS = '[role=tablist], [role=radiogroup], [role=tabpanel]';

/** Undo and redo are positions in the session. */
function handleUndo(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return false;
  event.preventDefault();
  void stepEvent(key === 'z' && !event.shiftKey ? -1 : 1);
  return true;
}

/** Runs the key's action, if it has one and nobody else wants the key. True if it did. */
export function handleKey(event: KeyboardEvent, showHelp: () => void): boolean {
  if (event.defaultPrevented || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest(OWN_KEYS)) return false;
  if (event.ctrlKey || event.metaKey) return handleUndo(event);
  if (event.key.startsWith('Arrow') && target.closest(OWN_ARROWS)) return false;
  const action = event.key === '?' ? showHelp : ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return false;
  event.preventDefault();
  action();
  return true;
}
