import { useEffect, useState } from 'react';
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventRow } from '../../engine/protocol/sessions.ts';
import { useApp } from '../state/app-state.ts';
import { seek, setModel } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { explain } from '../state/explanation.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { LivePanel } from './live.tsx';
import { Pager } from './pager.tsx';

const PAGE = 100;

/** What happened, in order, with the model's answers; the scrubber goes to any moment. */
function DocumentEvents({ document }: { document: DocumentNode }) {
  const { id, position, events, operations, hasHistory, model, recordedModel } = document;
  const [offset, setOffset] = useState(Math.max(0, events - PAGE));
  const [rows, setRows] = useState<readonly EventRow[]>([]);
  const names = useModelNames();

  // biome-ignore lint/correctness/useExhaustiveDependencies: under another model the same events are answered otherwise
  useEffect(() => {
    let stale = false;
    void engine()
      .call('events', { id, offset, limit: PAGE })
      .then((answer) => {
        if (!stale && answer.ok) setRows(answer.value);
      });
    return () => {
      stale = true;
    };
  }, [id, offset, model]);
  useEffect(() => {
    // The page follows the scrubber.
    setOffset((now) => (position > now && position <= now + PAGE ? now : Math.max(0, position - PAGE / 2)));
  }, [position]);

  return (
    <section aria-label={document.title}>
      {document.live && <LivePanel document={document} />}
      {hasHistory && (
        <Slider
          className="scrubber"
          minValue={0}
          maxValue={events}
          value={position}
          onChange={(value) => void seek(id, value as number)}
        >
          <Label>{document.title}</Label>
          <SliderOutput>{() => `after ${position} of ${events} events`}</SliderOutput>
          <SliderTrack className="track">
            <SliderThumb className="thumb" />
          </SliderTrack>
        </Slider>
      )}
      {operations > 0 && names.length > 0 && (
        <label>
          run under{' '}
          <select value={model ?? ''} onChange={(event) => void setModel(id, event.target.value)}>
            {model === undefined && <option value="">no model</option>}
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
                {name === recordedModel ? ' (as recorded)' : ''}
              </option>
            ))}
          </select>
        </label>
      )}
      <Pager offset={offset} size={PAGE} total={events} of="events" back="Earlier" on="Later" onTurn={setOffset} />
      <ol className="events" start={offset + 1}>
        {rows.map((row) => (
          <li
            key={row.position}
            className={row.position === position ? 'current' : row.position > position ? 'future' : undefined}
            aria-current={row.position === position ? 'step' : undefined}
          >
            <button
              type="button"
              className="event"
              onClick={() => void (row.refused ? explain(id, row) : seek(id, row.position))}
            >
              <span className="mono second">{row.position}</span>
              <span className="mono">{row.text}</span>
              {row.answer !== undefined && <span className="mono answer">→ {row.answer}</span>}
              {row.expected !== undefined && <span className="severity-error">recorded: {row.expected}</span>}
            </button>
            {row.refused && (
              <p className="refused">
                {row.refused.message}
                {row.refused.rule && (
                  <span className="second">
                    {' '}
                    {row.refused.rule} · {row.refused.source}
                  </span>
                )}
              </p>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

export function EventsPanel() {
  const documents = useApp((s) => s.documents);
  if (documents.length === 0) return <p className="hint">Nothing is open.</p>;
  return documents.map((document) => <DocumentEvents key={document.id} document={document} />);
}
