// An explanation in the picture that is owned by one part of the page, which removes only its own.
import { type Explanation, useApp } from './app-state.ts';

const { getState: get, setState: set } = useApp;

/** Returns a function that shows an explanation and replaces the one that it showed before; `undefined` removes that one. */
export function ownExplanation(): (next: Explanation | undefined) => void {
  let shown: Explanation | undefined;
  return (next) => {
    if (next || (shown !== undefined && get().explained === shown)) set({ explained: next });
    shown = next;
  };
}
