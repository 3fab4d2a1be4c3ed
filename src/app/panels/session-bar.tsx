import { groupedDecimal } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { shownSession, showSession, stepEvent } from '../state/sessions.ts';

/** The session that the keys `,` and `.` step, its name and its moment: beside the tabs, whichever is open. */
export function SessionBar() {
  const documents = useApp((s) => s.documents);
  const shown = useApp(shownSession);
  const isListed = useApp((s) => s.tab === 'events');
  if (!shown || !(isListed || documents.some(({ hasHistory }) => hasHistory))) return null;
  const { id, title, position, events, hasHistory } = shown;
  return (
    <fieldset className="session-bar" aria-label="Session" data-testid="session">
      {documents.length > 1 ? (
        <select aria-label="Session that is shown" value={id} onChange={({ target }) => showSession(target.value)}>
          {documents.map((document) => (
            <option key={document.id} value={document.id}>
              {document.title}
            </option>
          ))}
        </select>
      ) : (
        <span className="session-name" title={title}>
          {title}
        </span>
      )}
      {hasHistory && (
        <>
          <button
            type="button"
            className="button"
            aria-label="Previous event"
            disabled={position === 0}
            onClick={() => void stepEvent(-1)}
          >
            ‹
          </button>
          <span className="mono" data-testid="moment">
            {groupedDecimal(BigInt(position))} / {groupedDecimal(BigInt(events))}
          </span>
          <button
            type="button"
            className="button"
            aria-label="Next event"
            disabled={position === events}
            onClick={() => void stepEvent(1)}
          >
            ›
          </button>
        </>
      )}
    </fieldset>
  );
}
