import type { Provenance } from '../../analysis/host/host.ts';
import { useApp } from '../state/app-state.ts';
import { hasSource, showPlace } from '../state/tabs.ts';

interface PlaceLinkProps {
  readonly source: string;
  /** Counted from 1. */
  readonly line: number | undefined;
}

/** Where a fact was read; a link to the text if the source is open. */
export function PlaceLink({ source, line }: PlaceLinkProps) {
  const isOpen = useApp((s) => s.documents.some((document) => hasSource(document, source)));
  const message = line === undefined ? source : `${source}, line ${line}`;
  if (!isOpen) return <span className="second">{message}</span>;
  return (
    <button type="button" className="link second" onClick={() => showPlace(source, line)}>
      {message}
    </button>
  );
}

/** At most this many places are listed when the list is expanded; the rest is counted. */
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

/** Where a fact was read: the first places, and more on request. */
export function Places({ places, first }: { readonly places: readonly Provenance[]; readonly first: number }) {
  // One more place takes no more room than the line that says so.
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
