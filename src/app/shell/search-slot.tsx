import { type ComponentType, useEffect, useState } from 'react';

/** Id of the text field for search: the key `/` focuses it. */
export const SEARCH_ID = 'search';
export const SEARCH_LABEL = 'Find an address, size, type, group, device or text';
export const SEARCH_HINT = '0xfee00000, msi, 00:1f.0…';

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
