import { type ComponentType, useEffect, useState } from 'react';
import { SEARCH_HINT, SEARCH_ID, SEARCH_LABEL } from './search-field.ts';

/** The search box. Until it is loaded a text field takes what is typed; the box goes on with it. */
export function SearchSlot({ isComplete }: { readonly isComplete: boolean }) {
  const [Box, setBox] = useState<ComponentType>();
  const [problem, setProblem] = useState<Error>();
  useEffect(() => {
    if (!isComplete) return;
    import('./search-box.tsx').then(
      (loaded) => setBox(() => loaded.SearchBox),
      (error: unknown) => setProblem(error instanceof Error ? error : new Error(String(error))),
    );
  }, [isComplete]);
  // For the boundary around it.
  if (problem) throw problem;
  return Box ? (
    <Box />
  ) : (
    <div className="search">
      <input id={SEARCH_ID} aria-label={SEARCH_LABEL} placeholder={SEARCH_HINT} autoComplete="off" spellCheck={false} />
    </div>
  );
}
