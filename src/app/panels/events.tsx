import { useEffect } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventOverview, EventRow } from '../../engine/protocol/sessions.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import { Cell, LongTable } from '../lists/long-table.tsx';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { setModel } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { setEventFilter, showEvent, shownSession, stepFailure } from '../state/sessions.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { usePages } from '../state/use-pages.ts';
import { DecisionSteps } from './decision-steps.tsx';
import { LivePanel } from './live.tsx';
import { PlaceLink } from './place-link.tsx';
import { ReasonText } from './reason.tsx';
import './events.css';

const ROW_HEIGHT = 27;
const HEADER_HEIGHT = 30;

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

interface ChoiceProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: EventOverview['names'];
  onChange(value: string | undefined): void;
}

/** One of the names that events have, or all. */
function Choice({ label, value, options, onChange }: ChoiceProps) {
  const isListed = value === undefined || options.some(({ name }) => name === value);
  return (
    <label>
      {label}{' '}
      <select value={value ?? ''} onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}>
        <option value="">all</option>
        {!isListed && <option value={value}>{value}</option>}
        {options.map(({ name, count }) => (
          <option key={name} value={name}>
            {name} ({groupedDecimal(BigInt(count))})
          </option>
        ))}
      </select>
    </label>
  );
}

function Filters({ document, overview }: { document: DocumentNode; overview: EventOverview | undefined }) {
  const filter = useApp((s) => s.eventFilter);
  const { failed = false, name, object, text = '' } = filter;
  // Of very many events the answer takes a moment; until then the list is that of the filter before.
  const isCurrent = overview !== undefined && JSON.stringify(overview.filter) === JSON.stringify(filter);
  const { events, operations } = document;
  const isFiltered = failed || name !== undefined || object !== undefined || text !== '';
  return (
    <search className="bar-row event-filters" aria-label="Filter the events">
      <label>
        <input type="checkbox" checked={failed} onChange={({ target }) => setEventFilter({ failed: target.checked })} />{' '}
        Failed only{overview ? ` (${groupedDecimal(BigInt(overview.failed))})` : ''}
      </label>
      <span className="event-steps">
        <button
          type="button"
          className="button"
          aria-label="Previous failure"
          title="Previous failure (Shift R)"
          onClick={() => void stepFailure('previous')}
        >
          ‹
        </button>
        <button
          type="button"
          className="button"
          aria-label="Next failure"
          title="Next failure (R)"
          onClick={() => void stepFailure('next')}
        >
          ›
        </button>
      </span>
      <Choice
        label="Event"
        value={name}
        options={overview?.names ?? []}
        onChange={(value) => setEventFilter({ name: value })}
      />
      <Choice
        label="Object"
        value={object}
        options={overview?.objects ?? []}
        onChange={(value) => setEventFilter({ object: value })}
      />
      <label>
        Text{' '}
        <input
          type="search"
          value={text}
          placeholder="0x6000, unmap, EINVAL"
          spellCheck={false}
          onChange={({ target }) => setEventFilter({ text: target.value })}
        />
      </label>
      <span className="second" data-testid="event-count">
        {!isCurrent && 'Filtering… '}
        {isCurrent && isFiltered && `${groupedDecimal(BigInt(overview.total))} of `}
        {counted(events, 'event')}
      </span>
      {operations > 0 && <ModelChoice document={document} />}
    </search>
  );
}

function timeLabel(time: number | undefined): string {
  return time === undefined ? '' : time.toFixed(6);
}

interface RowProps {
  readonly document: DocumentNode;
  readonly row: EventRow | undefined;
  readonly index: number;
  readonly hasTimes: boolean;
}

function EventCells({ document, row, index, hasTimes }: RowProps) {
  if (!row) return <Cell>{index + 1}</Cell>;
  const { position, time, object = '', text, answer, expected, refused, hazard, source, line } = row;
  const label = answer ?? (refused ? 'refused' : '');
  return (
    <>
      <Cell className="mono second">{position}</Cell>
      {hasTimes && <Cell className="mono second">{timeLabel(time)}</Cell>}
      <Cell className="event-object" title={object}>
        {object}
      </Cell>
      <Cell className="event-text" title={text}>
        <button
          type="button"
          className="event"
          data-row-focus
          tabIndex={-1}
          onClick={() => void showEvent(document, row)}
        >
          {text}
        </button>
        {source !== undefined && line !== undefined && <PlaceLink source={source} line={line} />}
      </Cell>
      <Cell title={refused ? `${label}: ${refused.message}` : (hazard ?? answer)}>
        <span className={refused ? 'mono severity-error' : 'mono'}>{label}</span>
        {refused && (
          <span>
            {label === '' ? '' : ': '}
            <ReasonText reason={refused} />
          </span>
        )}
        {hazard !== undefined && <span className="hazard"> Kernel bug: {hazard}</span>}
        {expected !== undefined && <span className="severity-error"> recorded: {expected}</span>}
      </Cell>
    </>
  );
}

/** The events that the filter leaves, each with what was answered. */
function EventList({ document, overview }: { document: DocumentNode; overview: EventOverview }) {
  const { id, title, position, live } = document;
  const { filter, total, hasTimes } = overview;
  const pages = usePages(
    (offset, limit) => engine().call('events', { id, offset, limit, filter }),
    // Another model answers the same events differently.
    id,
    filter,
    ...sinceOf(document),
  );
  const list = useVirtualRows<HTMLTableSectionElement>({
    count: total,
    rowHeight: ROW_HEIGHT,
    hasOwnHeights: true,
    covered: HEADER_HEIGHT,
  });
  const [first, last] = list.toLoad;
  useEffect(() => pages.show(first, last));
  const { scrollTo } = list;
  const isFollowing = live !== undefined;
  const at = useAnswer('eventIndex', isFollowing ? undefined : { id, filter, position }, ...sinceOf(document)).value;
  // The list follows the scrubber; a live host must not take away what the user is looking at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `scrollTo` is another function at each rendering
  useEffect(() => {
    if (at !== undefined && at >= 0) scrollTo(at, 'auto');
  }, [at, filter]);

  return (
    <LongTable
      list={list}
      rowCount={total}
      caption={`Events of ${title}`}
      columns={['#', ...(hasTimes ? ['Time (s)'] : []), 'Object', 'Event', 'Answer']}
      className={hasTimes ? 'events with-times' : 'events'}
      testId="events"
      rowState={(index) => {
        const row = pages.rowAt(index);
        return {
          isLoaded: row !== undefined,
          current: row?.position === position ? 'step' : undefined,
          className: row && row.position > position ? 'future' : undefined,
        };
      }}
      copyText={(index) => {
        const row = pages.rowAt(index);
        return (
          row && [row.position, row.object ?? '', row.text, row.answer ?? '', row.refused?.message ?? ''].join('\t')
        );
      }}
    >
      {({ index }) => <EventCells document={document} row={pages.rowAt(index)} index={index} hasTimes={hasTimes} />}
    </LongTable>
  );
}

function SessionEvents({ document }: { document: DocumentNode }) {
  const { id, title } = document;
  const filter = useApp((s) => s.eventFilter);
  const { value: overview, error } = useAnswer('eventOverview', { id, filter }, ...sinceOf(document));
  return (
    <section className="events-panel" aria-label={`Events of ${title}`}>
      <Filters document={document} overview={overview} />
      {error && <p className="severity-error">{error.message}</p>}
      {document.operations > 0 && <DecisionSteps document={document} />}
      <div className="events-list" data-scroller>
        {overview?.total === 0 ? (
          <p className="hint">No event matches the filter.</p>
        ) : (
          overview && <EventList document={document} overview={overview} />
        )}
      </div>
    </section>
  );
}

/** The log of the session that is shown: everything that happened, in order; the scrubber goes to any moment. */
export function EventsPanel() {
  const document = useApp(shownSession);
  const documents = useApp((s) => s.documents);
  if (!document) return <p className="hint">Nothing is open.</p>;
  return (
    <>
      {documents.map((live) => live.live && <LivePanel key={live.id} document={live} />)}
      <SessionEvents key={document.id} document={document} />
    </>
  );
}
