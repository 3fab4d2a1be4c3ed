// An explanation in the picture that one part of the page shows: it takes away only its own.
import { type Explanation, useApp } from './app-state.ts';

const { getState: get, setState: set } = useApp;

/** A function that shows an explanation in place of the one that it showed before; undefined: takes that one away. */
export function ownExplanation(): (next: Explanation | undefined) => void {
  let shown: Explanation | undefined;
  return (next) => {
    if (next || (shown !== undefined && get().explained === shown)) set({ explained: next });
    shown = next;
  };
}
