import type { Remedy } from '../../analysis/conflicts/conflict.ts';
import type { Answered } from '../../engine/protocol/answers.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { showConflict } from '../state/conflicts.ts';
import { applyRemedy, isApplicable } from '../state/remedies.ts';
import { Places } from './place-link.tsx';

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

/** What can be done about the answer, and where it was read. Loaded after the first picture. */
export function AnswerDetails({ answered }: { answered: Answered }) {
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
