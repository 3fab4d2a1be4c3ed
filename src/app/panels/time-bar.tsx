import { lazy, useEffect, useState } from 'react';
import { Slider, SliderThumb, SliderTrack } from 'react-aria-components';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventOverview } from '../../engine/protocol/sessions.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { seek } from '../state/documents.ts';
import { nextRate, stopPlaying, togglePlay, usePlay } from '../state/play.ts';
import { goToFailure, hideEvents, shownSession, showSession, stepEvent, stepFailure } from '../state/sessions.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { LoadBoundary } from './load-boundary.tsx';
import './slider.css';
import './time-bar.css';

const DensityStrip = lazy(async () => ({ default: (await import('./density-strip.tsx')).DensityStrip }));

/** Failures of a longer session are only looked for once its events are listed: all of it has to be run for them. */
const MARKED_MAX = 100_000;

/** The slider that goes to any moment of the session. */
function Scrubber({ document }: { document: DocumentNode }) {
  const { id, title, position, events } = document;
  return (
    <Slider
      aria-label={`Moment of ${title}`}
      className="scrubber"
      minValue={0}
      maxValue={events}
      value={position}
      onChange={(value) => {
        if (typeof value === 'number') void seek(id, value);
      }}
    >
      <SliderTrack className="track">
        <SliderThumb className="thumb" />
      </SliderTrack>
    </Slider>
  );
}

/** Marks of the failures over time, below the scrubber; arrow keys go from one to the next. */
function FailureStrip({ document, overview }: { document: DocumentNode; overview: EventOverview }) {
  const { position, events } = document;
  const { marks, failed } = overview;
  if (failed === 0) return null;
  const before = marks.reduce((sum, mark) => (mark.position <= position ? sum + mark.count : sum), 0);
  const goTo = (from: number, direction: 'next' | 'previous') => void goToFailure(document, from, direction);
  return (
    <div
      className="failure-strip"
      role="slider"
      tabIndex={0}
      aria-label="Failed events"
      aria-valuemin={0}
      aria-valuemax={failed}
      aria-valuenow={before}
      aria-valuetext={`event ${position} of ${events}, ${counted(failed, 'failed event')}`}
      data-testid="failures"
      onKeyDown={(event) => {
        const { key } = event;
        if (key === 'ArrowRight' || key === 'ArrowDown') goTo(position, 'next');
        else if (key === 'ArrowLeft' || key === 'ArrowUp') goTo(position, 'previous');
        else if (key === 'Home') goTo(0, 'next');
        else if (key === 'End') goTo(events + 1, 'previous');
        else return;
        event.preventDefault();
      }}
      onClick={(event) => {
        const { left, width } = event.currentTarget.getBoundingClientRect();
        const at = ((event.clientX - left) / width) * events;
        const nearest = marks.reduce((best, mark) =>
          Math.abs(mark.position - at) < Math.abs(best.position - at) ? mark : best,
        );
        goTo(nearest.position - 1, 'next');
      }}
    >
      {marks.map((mark) => (
        <span
          key={mark.position}
          className={mark.count > 1 ? 'failure-mark several' : 'failure-mark'}
          style={{ left: `${(100 * mark.position) / events}%` }}
        />
      ))}
      <span className="failure-now" style={{ left: `${(100 * position) / events}%` }} />
    </div>
  );
}

function Moments({ document }: { document: DocumentNode }) {
  const { id, events, isConcealed, densities } = document;
  const isListed = useApp((s) => s.tab === 'events');
  const params = isListed || events <= MARKED_MAX ? { id, filter: {} } : undefined;
  const { value: overview } = useAnswer('eventOverview', params, isConcealed, ...sinceOf(document));
  return (
    <div className="moments">
      <Scrubber document={document} />
      {overview && <FailureStrip document={document} overview={overview} />}
      {densities && (
        <LoadBoundary>
          {densities.map((density) => (
            <DensityStrip key={density.source} id={id} position={document.position} density={density} />
          ))}
        </LoadBoundary>
      )}
    </div>
  );
}

interface StepProps {
  readonly label: string;
  readonly keys: string;
  readonly sign: string;
  readonly isDisabled?: boolean;
  onPress(): void;
}

function Step({ label, keys, sign, isDisabled = false, onPress }: StepProps) {
  return (
    <button
      type="button"
      className="button"
      aria-label={label}
      title={`${label} (${keys})`}
      disabled={isDisabled}
      onClick={onPress}
    >
      {sign}
    </button>
  );
}

function PlayButton({ document: { id, events } }: { document: DocumentNode }) {
  const isPlaying = usePlay((s) => s.playing === id);
  const rate = usePlay((s) => s.rate);
  useEffect(() => stopPlaying, []);
  return (
    <>
      <Step
        label={isPlaying ? 'Pause' : 'Play'}
        keys="K"
        sign={isPlaying ? '❚❚' : '▶'}
        isDisabled={events === 0}
        onPress={togglePlay}
      />
      <button
        type="button"
        className="button"
        aria-label={`Speed: ${counted(rate, 'event')} per second`}
        title={`Speed: ${counted(rate, 'event')} per second`}
        onClick={nextRate}
      >
        {rate}/s
      </button>
    </>
  );
}

/** Hides what comes after the present moment, to be asked about before it is seen. */
function HideLater({ document: { id, position, isConcealed = false } }: { document: DocumentNode }) {
  const isOfLesson = useApp((s) => s.reader?.session === id);
  // What was chosen, until the engine has answered: the box does not wait for it.
  const [chosen, setChosen] = useState<boolean>();
  if (isOfLesson) return null;
  const choose = async (isHidden: boolean) => {
    setChosen(isHidden);
    await hideEvents(id, isHidden ? position : null);
    setChosen(undefined);
  };
  return (
    <label className="hide-later" title="Events after this one are hidden until you step to them">
      <input type="checkbox" checked={chosen ?? isConcealed} onChange={({ target }) => void choose(target.checked)} />{' '}
      Hide later events
    </label>
  );
}

/** The current session, its name and its moment: below the picture, whichever tab is open. */
export function TimeBar() {
  const documents = useApp((s) => s.documents);
  const shown = useApp(shownSession);
  const isListed = useApp((s) => s.tab === 'events');
  if (!shown || !(isListed || documents.some(({ hasHistory }) => hasHistory))) return null;
  const { id, title, position, events, hasHistory, isConcealed = false, live } = shown;
  return (
    <fieldset className="time-bar" aria-label="Session" data-testid="session">
      {documents.length > 1 ? (
        <select aria-label="Shown session" value={id} onChange={({ target }) => showSession(target.value)}>
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
          <span className="time-steps">
            <Step
              label="Previous event"
              keys="Shift Space"
              sign="‹"
              isDisabled={position === 0}
              onPress={() => void stepEvent(-1)}
            />
            <PlayButton key={id} document={shown} />
            <Step
              label="Next event"
              keys="Space"
              sign="›"
              isDisabled={position === events && !isConcealed}
              onPress={() => void stepEvent(1)}
            />
          </span>
          <span className="mono" data-testid="moment">
            {groupedDecimal(BigInt(position))} / {isConcealed ? '?' : groupedDecimal(BigInt(events))}
          </span>
          <Moments document={shown} />
          <Step label="Next failure" keys="R" sign="✗›" onPress={() => void stepFailure('next')} />
          {!live && <HideLater document={shown} />}
        </>
      )}
    </fieldset>
  );
}
