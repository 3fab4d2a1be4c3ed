import { useEffect } from 'react';
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventRow } from '../../engine/protocol/sessions.ts';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { seek, setModel } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { explain } from '../state/explanation.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { usePages } from '../state/use-pages.ts';
import { LivePanel } from './live.tsx';
import './events.css';
import './slider.css';

const ROW_HEIGHT = 25;
/** The scrubber stays visible above the list. */
const SCRUBBER_HEIGHT = 58;

/** The slider that goes to any moment of the session. */
function Scrubber({ document }: { document: DocumentNode }) {
  const { id, title, position, events } = document;
  return (
    <Slider
      className="scrubber"
      minValue={0}
      maxValue={events}
      value={position}
      onChange={(value) => {
        if (typeof value === 'number') void seek(id, value);
      }}
    >
      <Label>{title}</Label>
      <SliderOutput>{() => `after ${position} of ${events} events`}</SliderOutput>
      <SliderTrack className="track">
        <SliderThumb className="thumb" />
      </SliderTrack>
    </Slider>
  );
}

function ModelChoice({ document }: { document: DocumentNode }) {
  const { id, model, recordedModel } = document;
  const names = useModelNames();
  if (names.length === 0) return null;
  return (
    <label>
      Model{' '}
      <select value={model ?? ''} onChange={(event) => void setModel(id, event.target.value)}>
        {model === undefined && <option value="">none</option>}
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
            {name === recordedModel ? ' (as recorded)' : ''}
          </option>
        ))}
      </select>
    </label>
  );
}

function Event({ id, row, isTabStop }: { id: string; row: EventRow; isTabStop: boolean }) {
  const { position, text, answer, expected, refused } = row;
  return (
    <>
      <button
        type="button"
        className="event"
        data-row-focus
        tabIndex={isTabStop ? 0 : -1}
        onClick={() => void (refused ? explain(id, row) : seek(id, position))}
      >
        <span className="mono second">{position}</span>
        <span className="mono">{text}</span>
        {answer !== undefined && <span className="mono answer">→ {answer}</span>}
        {expected !== undefined && <span className="severity-error">recorded: {expected}</span>}
      </button>
      {refused && (
        <p className="refused">
          {refused.message}
          {refused.rule && (
            <span className="second">
              {' '}
              {refused.rule} · {refused.source}
            </span>
          )}
        </p>
      )}
    </>
  );
}

/** The events of a document, each with the model's answer. */
function EventList({ document }: { document: DocumentNode }) {
  const { id, title, position, events, model, live } = document;
  const pages = usePages(
    (offset, limit) => engine().call('events', { id, offset, limit }),
    // Another model answers the same events differently.
    model,
    events,
  );
  const list = useVirtualRows<HTMLOListElement>({
    count: events,
    rowHeight: ROW_HEIGHT,
    hasOwnHeights: true,
    covered: SCRUBBER_HEIGHT,
  });
  const [first, last] = list.toLoad;
  useEffect(() => pages.show(first, last));
  const { scrollTo } = list;
  const isFollowing = live !== undefined;
  // The list follows the scrubber; a live host must not take away what the user is looking at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `scrollTo` is another function at each rendering
  useEffect(() => {
    if (!isFollowing && position > 0) scrollTo(position - 1, 'auto');
  }, [position, isFollowing]);

  return (
    <ol
      ref={list.ref}
      className={list.isUniform ? 'events one-line' : 'events'}
      aria-label={`Events of ${title}`}
      style={{ height: list.height }}
      onFocus={list.onFocus}
      onKeyDown={list.onKeyDown}
    >
      {list.rows.map(({ index, top, isTabStop }) => {
        const row = pages.rowAt(index);
        const isCurrent = index + 1 === position;
        return (
          <li
            key={index}
            ref={list.measure}
            data-index={index}
            tabIndex={-1}
            aria-busy={row === undefined}
            aria-setsize={events}
            aria-posinset={index + 1}
            aria-current={isCurrent ? 'step' : undefined}
            className={isCurrent ? 'current' : index >= position ? 'future' : undefined}
            style={{ top }}
          >
            {row ? <Event id={id} row={row} isTabStop={isTabStop} /> : <span className="event">{index + 1}</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** Everything that happened, in order; the scrubber goes to any moment. */
export function EventsPanel() {
  const documents = useApp((s) => s.documents);
  if (documents.length === 0) return <p className="hint">Nothing is open.</p>;
  return documents.map((document) => (
    <section key={document.id} aria-label={document.title}>
      {document.live && <LivePanel document={document} />}
      {document.hasHistory && <Scrubber document={document} />}
      {document.operations > 0 && <ModelChoice document={document} />}
      <EventList document={document} />
    </section>
  ));
}
