import { useApp } from '../state/app-state.ts';
import { makeAnotherHost, undo } from '../state/case-actions.ts';
import { dismissPlaced } from '../state/notices.ts';
import './placed.css';

/** Where the sources that were opened last went, until the case changes again. */
export function PlacedNotice() {
  const placed = useApp((s) => s.placed);
  if (!placed) return null;
  const { text, placements } = placed;
  const reasons = [...new Set(placements.map(({ reason }) => reason))].join(' ');
  const hasJoined = placements.some(({ outcome }) => outcome === 'joined');
  return (
    <section className="placed" aria-label="Opened" data-testid="placed">
      <span title={reasons}>{text}.</span>
      <button type="button" className="link" onClick={() => void undo()}>
        Undo
      </button>
      {hasJoined && (
        <button type="button" className="link" onClick={() => void makeAnotherHost(placements)}>
          Make it another host
        </button>
      )}
      <button type="button" className="quiet" aria-label="Close the notice" onClick={dismissPlaced}>
        ×
      </button>
    </section>
  );
}
