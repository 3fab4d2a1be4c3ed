interface PagerProps {
  /** First shown, counted from 0, and how many a page shows. */
  readonly offset: number;
  readonly size: number;
  readonly total: number;
  /** What is counted, such as `events`. */
  readonly of: string;
  readonly back: string;
  readonly on: string;
  onTurn(offset: number): void;
}

/** Turns the pages of a long list; nothing if one page holds it all. */
export function Pager({ offset, size, total, of, back, on, onTurn }: PagerProps) {
  if (total <= size) return null;
  const last = Math.min(offset + size, total);
  return (
    <p className="pager">
      <button
        type="button"
        className="button"
        disabled={offset === 0}
        onClick={() => onTurn(Math.max(0, offset - size))}
      >
        {back}
      </button>
      <span>
        {of} {offset + 1} to {last} of {total}
      </span>
      <button type="button" className="button" disabled={last >= total} onClick={() => onTurn(offset + size)}>
        {on}
      </button>
    </p>
  );
}
