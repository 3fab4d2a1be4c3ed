import { type ComponentType, lazy, useEffect, useState } from 'react';
import type { CaseAnswer } from '../../analysis/answer/answer.ts';
import type { Answered } from '../../engine/protocol/answers.ts';
import { useApp } from '../state/app-state.ts';
import { LoadBoundary } from './load-boundary.tsx';
import './answer.css';

const loadDetails = () => import('./answer-details.tsx').then(({ AnswerDetails }) => ({ default: AnswerDetails }));
/** If they could not be loaded before the first answer: tries once more, and the boundary around it says so. */
const LateDetails = lazy(loadDetails);

const SEVERITY_LABELS: Readonly<Record<CaseAnswer['severity'], string>> = {
  fatal: 'Does not work',
  warning: 'Warning',
  note: 'Note',
  clean: 'Nothing refused',
};

/** The answer to the case, above the picture. A change of it is announced. */
export function AnswerCard() {
  const answered = useApp((s) => s.conflicts);
  const isOutdated = useApp((s) => s.isOutdated);
  const isOpen = useApp((s) => s.documents.length > 0);
  const [isFolded, setFolded] = useState(false);
  const isDrawn = useApp((s) => s.drawn);
  const [Details, setDetails] = useState<ComponentType<{ answered: Answered }>>();
  useEffect(() => {
    if (!isDrawn) return;
    loadDetails().then(
      (loaded) => setDetails(() => loaded.default),
      () => setDetails(() => LateDetails),
    );
  }, [isDrawn]);
  const answer = isOpen && Details ? answered?.answer : undefined;
  return (
    <>
      {isOpen && !answer && (
        // Keeps the place of the first answer, which then has its full height at once: the picture does not move below the
        // pointer when it comes.
        <p className="case-answer answer-pending" aria-hidden="true">
          Checking…
        </p>
      )}
      <section
        className={`case-answer answer-${answer?.severity ?? 'none'}`}
        aria-label="Answer"
        data-testid="answer"
        data-severity={answer?.severity}
        aria-busy={isOutdated}
        hidden={answer === undefined}
      >
        {/* It covers a corner of the answer, so that nothing below moves. */}
        {isOutdated && <p className="answer-outdated">Updating… This is from before the change.</p>}
        <div className="answer-head">
          {/* Only the sentence is read when it changes, not the buttons below it. */}
          <p aria-live="polite">
            {answer && (
              <>
                <strong className="answer-severity">{SEVERITY_LABELS[answer.severity]}.</strong> {answer.text}
              </>
            )}
          </p>
          {answer && answer.remedies.length > 0 && (
            <button
              type="button"
              className="quiet"
              aria-expanded={!isFolded}
              aria-label="Ways to fix it"
              onClick={() => setFolded(!isFolded)}
            >
              <span aria-hidden="true">{isFolded ? '▸' : '▾'}</span>
            </button>
          )}
        </div>
        <LoadBoundary>{answered && answer && Details && !isFolded && <Details answered={answered} />}</LoadBoundary>
      </section>
    </>
  );
}
