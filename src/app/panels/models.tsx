import { useEffect, useState } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { Comparison, ComparisonRow, ModelAnswer } from '../../engine/protocol/sessions.ts';
import { groupedHex } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { seek } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { compareInPicture } from '../state/picture.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { Pager } from './pager.tsx';

const PAGE = 100;
const RANGES_MAX = 6;

function AnswerCell({ answer }: { answer: ModelAnswer }) {
  return (
    <td className={answer.refused ? 'answer-refused' : undefined}>
      <span className="mono">{answer.answer ?? '—'}</span>
      {answer.refused && (
        <details>
          <summary>{answer.refused.rule ?? 'why'}</summary>
          <p>{answer.refused.message}</p>
          <p className="second">{answer.refused.source}</p>
        </details>
      )}
      {answer.note !== undefined && <p className="second">{answer.note}</p>}
    </td>
  );
}

function Row({ row, document }: { row: ComparisonRow; document: DocumentNode }) {
  const isCurrent = row.position === document.position;
  return (
    <tr className={isCurrent ? 'current' : undefined} aria-current={isCurrent ? 'step' : undefined}>
      <td>
        <button type="button" className="link" onClick={() => void seek(document.id, row.position)}>
          {row.position}
        </button>
      </td>
      <td className="mono wrap">{row.text}</td>
      {row.answers.map((answer) => (
        <AnswerCell key={answer.model} answer={answer} />
      ))}
      <td>{row.differs && <strong className="differs">differs</strong>}</td>
    </tr>
  );
}

function Differences({ comparison, position }: { comparison: Comparison; position: number }) {
  const { differences } = comparison;
  if (differences.length === 0) return <p>After event {position} the models hold the same ranges.</p>;
  return (
    <ul aria-label={`What the states after event ${position} differ in`}>
      {differences.map(({ space, what, model, present, ranges }) => (
        <li key={`${space} ${what} ${model}`}>
          {space}: <strong>{model}</strong> lacks {what} that {present.join(' and ')}{' '}
          {present.length > 1 ? 'have' : 'has'}:{' '}
          <span className="mono">
            {ranges
              .slice(0, RANGES_MAX)
              .map((r) => `${groupedHex(r.start)} – ${groupedHex(r.last)}`)
              .join(', ')}
          </span>
          {ranges.length > RANGES_MAX && ` and ${ranges.length - RANGES_MAX} more`}
        </li>
      ))}
    </ul>
  );
}

function DocumentComparison({ document, names }: { document: DocumentNode; names: readonly string[] }) {
  const { id, position, events, title, recordedModel } = document;
  const [chosen, setChosen] = useState<readonly string[]>(names);
  const [offset, setOffset] = useState(0);
  const [comparison, setComparison] = useState<Comparison>();
  const [problem, setProblem] = useState('');

  useEffect(() => {
    let stale = false;
    void engine()
      .call('compare', { id, models: chosen, offset, limit: PAGE, position })
      .then((answer) => {
        if (stale) return;
        setComparison(answer.ok ? answer.value : undefined);
        setProblem(answer.ok ? '' : answer.error.message);
      });
    return () => {
      stale = true;
    };
  }, [id, chosen, offset, position]);

  const inPicture = useApp((s) => s.compared?.id === id);
  const show = (models: readonly string[], isShown: boolean) =>
    compareInPicture(isShown && models.length > 1 ? { id, models } : undefined);
  const choose = (models: readonly string[]) => {
    setChosen(models);
    if (inPicture) show(models, true);
  };
  const first = comparison?.firstDivergence;
  const goToFirst = () => {
    if (first === undefined) return;
    setOffset(Math.max(0, first - PAGE / 2));
    void seek(id, first);
  };
  return (
    <section aria-label={`${title} under several models`}>
      <fieldset className="models">
        <legend>
          {title} <span className="second">recorded for {recordedModel ?? 'no model'}</span>
        </legend>
        {names.map((name) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={(event) =>
                choose(names.filter((n) => (n === name ? event.target.checked : chosen.includes(n))))
              }
            />{' '}
            {name}
          </label>
        ))}
        <label>
          <input type="checkbox" checked={inPicture} onChange={(event) => show(chosen, event.target.checked)} /> each in
          the picture
        </label>
      </fieldset>
      {problem !== '' && <p className="refused">{problem}</p>}
      {comparison && (
        <>
          <p>
            {first === undefined ? (
              'The models answer alike.'
            ) : (
              <button type="button" className="button" onClick={goToFirst}>
                First difference: event {first}
              </button>
            )}
          </p>
          <Differences comparison={comparison} position={position} />
          <table className="comparison" data-testid="comparison">
            <caption className="visually-hidden">The same operations under several models</caption>
            <thead>
              <tr>
                <th scope="col">#</th>
                <th scope="col">Operation</th>
                {comparison.models.map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
                <th scope="col">
                  <span className="visually-hidden">Difference</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {comparison.rows.map((row) => (
                <Row key={row.position} row={row} document={document} />
              ))}
            </tbody>
          </table>
          <Pager offset={offset} size={PAGE} total={events} of="events" back="Earlier" on="Later" onTurn={setOffset} />
        </>
      )}
    </section>
  );
}

/** The same session under several kernels, step by step: who answers what, where they part, what their states differ in. */
export function ModelsPanel() {
  const documents = useApp((s) => s.documents);
  const names = useModelNames();
  const sessions = documents.filter((document) => document.operations > 0);
  if (sessions.length === 0 || names.length === 0) {
    return (
      <p className="hint">
        A session with operations can be run under several models of the kernel. Open one, or take the sample “QEMU’s
        unmap, three kernels”.
      </p>
    );
  }
  return sessions.map((document) => <DocumentComparison key={document.id} document={document} names={names} />);
}
