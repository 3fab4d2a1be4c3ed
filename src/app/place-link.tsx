import { showPlace, useApp } from './store.ts';

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
  const words = line === undefined ? source : `${source}, line ${line}`;
  if (!isOpen) return <span className="second">{words}</span>;
  return (
    <button type="button" className="link second" onClick={() => showPlace(source, line)}>
      {words}
    </button>
  );
}
