import { useApp } from '../state/app-state.ts';
import { closeHosts, makeAnotherHost, undo } from '../state/case-actions.ts';
import { dismissPlaced } from '../state/notices.ts';
import './placed.css';

/** Where the sources that were opened last went, until the case changes again. */
export function PlacedNotice() {
  const placed = useApp((s) => s.placed);
  const documents = useApp((s) => s.documents);
  if (!placed) return null;
  const { text, placements } = placed;
  const reasons = [...new Set(placements.map(({ reason }) => reason))].join(' ');
  const isSession = placements.some(({ outcome }) => outcome === 'session');
  const others = isSession
    ? documents.filter(({ id, kind }) => kind === 'session' && !placements.some(({ sourceId }) => sourceId === id))
    : [];
  const hasJoined = placements.some(({ outcome }) => outcome === 'joined');
  return (
    <section className="placed" aria-label="Opened" data-testid="placed">
      <span title={reasons}>{text}.</span>
      <button type="button" className="link" onClick={() => void undo()}>
        Undo
      </button>
      {hasJoined && (
        <button type="button" className="link" onClick={() => void makeAnotherHost(placements)}>
          Make it a separate host
        </button>
      )}
      {others.length > 0 && (
        <button type="button" className="link" onClick={() => void closeHosts(others.map(({ id }) => id))}>
          Close the other {others.length === 1 ? 'session' : 'sessions'}
        </button>
      )}
      <button type="button" className="quiet" aria-label="Close the notice" onClick={dismissPlaced}>
        ×
      </button>
    </section>
  );
}
