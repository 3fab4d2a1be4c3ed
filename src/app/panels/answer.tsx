import { useState } from 'react';
import type { CaseAnswer } from '../../analysis/answer/answer.ts';
import type { Remedy } from '../../analysis/conflicts/conflict.ts';
import type { Answered } from '../../engine/protocol/answers.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { showConflict } from '../state/conflicts.ts';
import { applyRemedy, isApplicable } from '../state/remedies.ts';
import { Places } from './place-link.tsx';
import './answer.css';

const SEVERITY_LABELS: Readonly<Record<CaseAnswer['severity'], string>> = {
  fatal: 'Does not work',
  warning: 'Warning',
  note: 'Note',
  clean: 'Nothing refused',
};

function RemedyRow({ remedy, documentId }: { remedy: Remedy; documentId: string | undefined }) {
  const { text, action, copy: copied, form } = remedy;
  const isButton = useApp((s) => action !== undefined && isApplicable(action, s));
  return (
    <li>
      {action && isButton ? (
        <button type="button" className="button" onClick={() => void applyRemedy(action, documentId)}>
          {text}
        </button>
      ) : (
        <span>{text}</span>
      )}
      {copied !== undefined && (
        <>
          {' '}
          {form !== undefined && <span className="answer-form">{`(${form}) `}</span>}
          <code className={copied.includes('\n') ? 'answer-lines' : undefined}>{copied}</code>{' '}
          <button
            type="button"
            className="link"
            aria-label={copied.includes('\n') ? `Copy: ${text}` : `Copy ${copied}`}
            onClick={() => void copy(copied, copied.includes('\n') ? text : copied)}
          >
            Copy
          </button>
        </>
      )}
    </li>
  );
}

/** The row that the answer is about first. */
function rowOf({ answer, rows }: Answered) {
  const [first] = answer.conflicts;
  return first === undefined ? undefined : rows.find(({ id }) => id === first);
}

function Details({ answered }: { answered: Answered }) {
  const { answer } = answered;
  const row = rowOf(answered);
  return (
    <>
      {answer.remedies.length > 0 && (
        <ul className="answer-remedies" aria-label="Ways to fix it">
          {answer.remedies.map((remedy) => (
            <RemedyRow key={remedy.text} remedy={remedy} documentId={row?.document} />
          ))}
        </ul>
      )}
      {(row || answer.provenance.length > 0) && (
        <div className="answer-more">
          {row && (
            <button type="button" className="link" onClick={() => void showConflict(row)}>
              Show conflict {row.number} in the picture
            </button>
          )}
          {answer.provenance.length > 0 && (
            <details>
              <summary>Evidence</summary>
              <Places places={answer.provenance} first={4} />
            </details>
          )}
        </div>
      )}
    </>
  );
}

/** The answer to the case, above the picture. A change of it is announced. */
export function AnswerCard() {
  const answered = useApp((s) => s.conflicts);
  const isOpen = useApp((s) => s.documents.length > 0);
  const [isFolded, setFolded] = useState(false);
  const answer = isOpen ? answered?.answer : undefined;
  return (
    <>
      {isOpen && !answered && (
        // Keeps the place of the first answer, so that the picture does not move below the pointer when it comes.
        <p className="case-answer answer-pending" aria-hidden="true">
          Checking…
        </p>
      )}
      <section
        className={`case-answer answer-${answer?.severity ?? 'none'}`}
        aria-label="Answer"
        data-testid="answer"
        data-severity={answer?.severity}
        hidden={answer === undefined}
      >
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
        {answered && answer && !isFolded && <Details answered={answered} />}
      </section>
    </>
  );
}
