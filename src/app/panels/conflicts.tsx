import type { ConflictRow } from '../../engine/protocol/answers.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { conflictKey } from '../state/conflict-key.ts';
import { showConflict } from '../state/conflicts.ts';
import { showRange } from '../state/view.ts';
import { Places } from './place-link.tsx';
import './conflicts.css';

function Details({ row }: { row: ConflictRow }) {
  return (
    <div className="conflict-details">
      <p>{row.message}</p>
      <p>
        <strong>Fix:</strong> {row.remedy}
      </p>
      {(row.errno !== undefined || row.source !== undefined) && (
        <p className="second">
          {row.errno !== undefined && <code>{row.errno}</code>} {row.source}
        </p>
      )}
      <ul>
        {row.marks.map((mark) => (
          <li key={`${mark.role} ${mark.start} ${mark.last}`}>
            <button type="button" className="link mono" onClick={() => showRange(mark.start, mark.last)}>
              {mark.start === mark.last
                ? groupedHex(mark.start)
                : `${groupedHex(mark.start)} – ${groupedHex(mark.last)}`}
            </button>{' '}
            <span className="second">
              {mark.message}, {formatSize(mark.last - mark.start + 1n)}
            </span>
          </li>
        ))}
      </ul>
      <Places places={row.provenance} first={6} />
    </div>
  );
}

/** The conflicts of the selection, numbered as in the picture, each with its rule, errno and fix. */
export function ConflictsPanel() {
  const conflicts = useApp((s) => s.conflicts);
  const shown = useApp((s) => s.conflict);
  const hosts = useApp((s) => s.documents.length);
  const rows = conflicts?.rows ?? [];
  return (
    <section className="conflicts" aria-label="Conflicts" data-testid="conflicts">
      <h2>
        Conflicts <span className="second">{rows.length + (conflicts?.more ?? 0) || ''}</span>
      </h2>
      {conflicts?.problem !== undefined && (
        <p className="severity-error">The guest was not checked: {conflicts.problem}.</p>
      )}
      {rows.length === 0 && (
        <p className="hint">No conflicts in the selection. Choose a guest to check it against the host.</p>
      )}
      <ol>
        {rows.map((row) => {
          const isShown = conflictKey(row) === shown;
          return (
            <li key={conflictKey(row)} className={`conflict conflict-${row.severity}${isShown ? ' current' : ''}`}>
              <button
                type="button"
                className="conflict-title"
                aria-expanded={isShown}
                onClick={() => void showConflict(isShown ? undefined : row)}
              >
                <span className="conflict-number">{row.number}</span>
                <span>
                  <span className="severity">{row.severity}</span> {row.title}
                  {hosts > 1 && <span className="second"> · {row.host}</span>}
                </span>
              </button>
              {isShown && <Details row={row} />}
            </li>
          );
        })}
      </ol>
      {conflicts !== undefined && conflicts.more > 0 && <p className="hint">and {conflicts.more} more</p>}
    </section>
  );
}
