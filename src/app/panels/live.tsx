import { useState } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { LiveChange } from '../../engine/protocol/live.ts';
import type { Params } from '../../engine/protocol/methods.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { CONNECTION_LABELS } from '../state/connection-labels.ts';
import { seek } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { setFollowing } from '../state/live-hosts.ts';
import './live.css';

function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString('en-GB');
}

/** Facts that hold at one of two moments only. */
function Difference({ document, changes }: { document: DocumentNode; changes: readonly LiveChange[] }) {
  const [moments, setMoments] = useState<{ readonly from: number; readonly to: number }>();
  const [labels, setLabels] = useState<readonly string[]>();
  const first = changes[0];
  if (!first) return null;
  const stops = [{ position: Math.max(0, first.position - 1), time: first.time, labels: [] }, ...changes];
  const from = moments?.from ?? stops[0]?.position ?? 0;
  const to = moments?.to ?? stops.at(-1)?.position ?? 0;
  const choose = (label: string, value: number, set: (position: number) => void) => (
    <label>
      {label}{' '}
      <select value={value} onChange={(event) => set(Number(event.target.value))}>
        {stops.map((stop, i) => (
          <option key={stop.position} value={stop.position}>
            {i === 0 ? 'Before the first change' : `${clock(stop.time)}, event ${stop.position}`}
          </option>
        ))}
      </select>
    </label>
  );
  const compare = async () => {
    const answer = await engine().call('difference', { id: document.id, from, to });
    setLabels(answer.ok ? answer.value : [answer.error.message]);
  };
  return (
    <section aria-label="Difference between two moments">
      <div className="bar-row">
        {choose('From', from, (position) => setMoments({ from: position, to }))}
        {choose('To', to, (position) => setMoments({ from, to: position }))}
        <button type="button" className="button" onClick={() => void compare()}>
          Compare
        </button>
      </div>
      {labels && (
        <ul className="mono live-difference" data-testid="difference">
          {labels.map((line) => (
            <li key={line}>{line}</li>
          ))}
          {labels.length === 0 && <li>No differences</li>}
        </ul>
      )}
    </section>
  );
}

/** A live host: its connection, its latest changes, and a link to the moment of each. */
export function LivePanel({ document }: { document: DocumentNode }) {
  const live = useApp((s) => s.live[document.id]);
  const [isTracing, setTracing] = useState(false);
  if (!live) return null;
  const isFollowing = document.live?.isFollowing ?? false;
  const { id } = document;
  const request = (what: Params<'askLive'>['what']) => void engine().call('askLive', { id, what });
  return (
    <section className="live" aria-label={`Live: ${document.title}`} data-testid="live">
      <p>
        <span className={`live-dot live-${live.connection}`} aria-hidden="true" />{' '}
        <strong data-testid="connection">{CONNECTION_LABELS[live.connection]}</strong>{' '}
        <span className="second">
          {counted(document.events, 'event')}
          {live.lost > 0 && `, ${counted(live.lost, 'event')} lost`}
        </span>
      </p>
      {live.message !== '' && <p className="severity-error">{live.message}</p>}
      <p className="bar-row">
        <button type="button" className="button" onClick={() => void setFollowing(id, !isFollowing)}>
          {isFollowing ? 'Pause' : 'Resume'}
        </button>
        <button type="button" className="button" onClick={() => request('snapshot')}>
          Refresh
        </button>
        <button type="button" className="button" onClick={() => request('page_tables')}>
          Read page tables
        </button>
        <button
          type="button"
          className="button"
          aria-pressed={isTracing}
          onClick={() => {
            request(isTracing ? 'untrace' : 'trace');
            setTracing(!isTracing);
          }}
        >
          {isTracing ? 'Stop tracing' : 'Trace mappings'}
        </button>
      </p>
      <h3>Changes</h3>
      {live.changes.length === 0 && <p className="hint">No changes since the connection was made.</p>}
      <ol className="live-changes" data-testid="changes">
        {live.changes.toReversed().map((change) => (
          <li
            key={`${change.position}${change.lost === undefined ? '' : ' lost'}`}
            className={change.position === document.position ? 'current' : undefined}
          >
            <button type="button" className="event" onClick={() => void seek(id, change.position)}>
              <span className="mono second">{clock(change.time)}</span>
              <span>{change.labels.join(' · ')}</span>
            </button>
          </li>
        ))}
      </ol>
      <Difference document={document} changes={live.changes.filter(({ lost }) => lost === undefined)} />
    </section>
  );
}
