import type { Provenance } from '../../analysis/host/host.ts';
import { useApp } from '../state/app-state.ts';
import { showPlace } from '../state/tabs.ts';

interface PlaceLinkProps {
  readonly source: string;
  /** Counted from 1. */
  readonly line: number | undefined;
}

/** Where something was read; if that is a source that is open, a way to its text. */
export function PlaceLink({ source, line }: PlaceLinkProps) {
  const isOpen = useApp((s) =>
    s.documents.some((d) => d.sources.some(({ name }) => source === name || source.startsWith(`${name}/`))),
  );
  const message = line === undefined ? source : `${source}, line ${line}`;
  if (!isOpen) return <span className="second">{message}</span>;
  return (
    <button type="button" className="link second" onClick={() => showPlace(source, line)}>
      {message}
    </button>
  );
}

/** Places that are folded away are at most so many; the rest is counted. */
const FOLDED_MAX = 200;

function Links({ places }: { readonly places: readonly Provenance[] }) {
  return (
    <ul>
      {places.map(({ source, line }) => (
        <li key={`${source}:${line}`}>
          <PlaceLink source={source} line={line} />
        </li>
      ))}
    </ul>
  );
}

/** Where something was read, several places perhaps: the first few, and more on request. */
export function Places({ places, first }: { readonly places: readonly Provenance[]; readonly first: number }) {
  // One more takes no more room than the words that it is there.
  if (places.length <= first + 1) return <Links places={places} />;
  const more = places.length - first;
  return (
    <>
      <Links places={places.slice(0, first)} />
      <details>
        <summary>and {more} more</summary>
        <Links places={places.slice(first, first + FOLDED_MAX)} />
        {more > FOLDED_MAX && <p className="second">and {more - FOLDED_MAX} more</p>}
      </details>
    </>
  );
}
