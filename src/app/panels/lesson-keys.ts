// Keyboard shortcuts of the lesson reader, in the page and in the notes window.
import { nextStep, previousStep, revealAnswer, setPresenting, takeChoice, useLesson } from '../state/lesson-reader.ts';

/** Elements that use these keys themselves. */
const OWN_KEYS =
  'input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable], [role=treegrid], [role=menu], [role=listbox], [role=dialog], [role=slider], [role=tablist], [role=radiogroup], [role=separator]';
/** Elements that the space bar presses. */
const PRESSED_BY_SPACE = 'button, a, summary, input, [role=button]';

/** Covers the page with black, or uncovers it. */
function toggleBlack(): void {
  document.documentElement.toggleAttribute('data-black');
}

/** The action of a key in a lesson; undefined if it has none. */
function actionOf({ key, shiftKey }: KeyboardEvent, isPresenting: boolean): (() => unknown) | undefined {
  if (key === 'ArrowLeft' || key === 'PageUp' || (key === ' ' && shiftKey)) return previousStep;
  if (key === 'ArrowRight' || key === 'PageDown' || key === ' ') return nextStep;
  if (/^[1-9]$/.test(key)) return () => takeChoice(Number(key) - 1);
  const letter = shiftKey ? '' : key.toLowerCase();
  if (letter === 'v') return revealAnswer;
  if (letter === 'z') return () => setPresenting(!isPresenting);
  if (!isPresenting) return undefined;
  if (letter === 'b') return toggleBlack;
  return key === 'Escape' ? () => setPresenting(false) : undefined;
}

/** Runs the reader's action for a key, if it has one. */
export function handleLessonKey(event: KeyboardEvent): void {
  const { opened, isPresenting } = useLesson.getState();
  if (!opened || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  const isBlack = document.documentElement.hasAttribute('data-black');
  const { target } = event;
  // An element of the notes window is not an instance of this window's Element.
  if (target !== null && 'closest' in target) {
    const { closest } = target as Element;
    if (closest.call(target, OWN_KEYS)) return;
    if (event.key === ' ' && closest.call(target, PRESSED_BY_SPACE)) return;
  }
  // Any key shows the page again.
  const action = isBlack ? toggleBlack : actionOf(event, isPresenting);
  if (!action) return;
  event.preventDefault();
  event.stopPropagation();
  action();
}
