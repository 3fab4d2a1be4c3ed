import { useApp } from '../state/app-state.ts';
import { nextConflict } from '../state/conflicts.ts';
import { togglePanel } from '../state/frame.ts';
import { clearSelection, step } from '../state/selection.ts';
import { shownSession } from '../state/shown-session.ts';
import { fitSelection, panBy, showAll, zoomBy } from '../state/view.ts';

const PAN_SHARE = 0.12;
const ZOOM_STEP = 1.5;

function zoomMiddle(factor: number): void {
  const { view } = useApp.getState();
  if (view) zoomBy(view.width / 2, factor);
}

function panShare(share: number): void {
  const { view } = useApp.getState();
  if (view) panBy(view.width * share);
}

/** Loaded when it is used. */
const sessions = () => import('../state/sessions.ts');

function stepEvent(direction: 1 | -1): void {
  void sessions().then((actions) => actions.stepEvent(direction));
}

function stepFailure(direction: 'next' | 'previous'): void {
  void sessions().then((actions) => actions.stepFailure(direction));
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
  ',': () => stepEvent(-1),
  '.': () => stepEvent(1),
  ' ': () => stepEvent(1),
  k: () => void import('../state/play.ts').then(({ togglePlay }) => togglePlay()),
  r: () => stepFailure('next'),
  R: () => stepFailure('previous'),
  l: () => togglePanel('left'),
  b: () => togglePanel('details'),
  i: () => togglePanel('right'),
  Escape: clearSelection,
  '>': () => {
    useApp.setState({ isBarOpen: true });
    document.getElementById('operation-line')?.focus();
  },
  '/': () => document.getElementById('search')?.focus(),
};

/** Elements that use letters and arrow keys themselves: text fields and widgets with keyboard navigation. */
const OWN_KEYS =
  'input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], [role=treegrid], [role=menu], [role=listbox], [role=dialog]';
/** Elements where arrow keys scroll or move the focus, while letters are free. */
const OWN_ARROWS = '[role=tablist], [role=radiogroup], [role=tabpanel]';

/** Elements that the space bar presses or opens. */
const PRESSED_BY_SPACE = 'button, a, input, summary, [role=button], [role=tab], [role=option], [role=slider]';

/** Undo and redo move through the events of the session. */
function handleUndo(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return false;
  event.preventDefault();
  stepEvent(key === 'z' && !event.shiftKey ? -1 : 1);
  return true;
}

/** A letter is the same in both cases, unless Shift makes it another action. */
function actionName({ key, shiftKey }: KeyboardEvent): string {
  if (key.length > 1) return key;
  if (key === ' ' && shiftKey) return ',';
  const [lower, upper] = [key.toLowerCase(), key.toUpperCase()];
  return shiftKey && Object.hasOwn(ACTIONS, upper) ? upper : lower;
}

/** Runs the action of a key unless the focused element uses the key itself. Returns whether it did. */
export function handleKey(event: KeyboardEvent, showHelp: () => void): boolean {
  if (event.defaultPrevented || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : document.body;
  // Without a focus, a key belongs to the open dialog and not to the page beneath it.
  if (target.closest(OWN_KEYS) || (target === document.body && document.querySelector('.overlay'))) return false;
  if (event.ctrlKey || event.metaKey) return handleUndo(event);
  if (event.key.startsWith('Arrow') && target.closest(OWN_ARROWS)) return false;
  // Space presses what has the focus, and scrolls where there is nothing to step.
  if (event.key === ' ' && (target.closest(PRESSED_BY_SPACE) || !shownSession(useApp.getState())?.hasHistory))
    return false;
  const action = event.key === '?' ? showHelp : ACTIONS[actionName(event)];
  if (!action) return false;
  event.preventDefault();
  action();
  return true;
}
