import { useEffect, useState } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { type EngineResult, success } from '../../engine/protocol/result.ts';
import type { Comparison, ComparisonRow, ModelAnswer } from '../../engine/protocol/sessions.ts';
import { formatRange } from '../../iova/format.ts';
import { Cell, LongTable } from '../lists/long-table.tsx';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { compareInPicture } from '../state/comparison.ts';
import { seek } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { usePages } from '../state/use-pages.ts';
import { ComparisonInPicture, useShownComparison } from './comparison-in-picture.tsx';
import { KernelVersions } from './kernel-versions.tsx';
import './models.css';

const ROW_HEIGHT = 33;
const HEADER_HEIGHT = 32;
const RANGES_MAX = 6;

function AnswerCell({ answer: { answer, refused, note } }: { answer: ModelAnswer }) {
  return (
    <Cell>
      <span className={refused ? 'mono severity-error' : 'mono'}>{answer ?? '—'}</span>
      {refused && (
        <details>
          <summary tabIndex={-1}>{refused.rule ?? 'Reason'}</summary>
          <p>{refused.message}</p>
          <p className="second">{refused.source}</p>
        </details>
      )}
      {note !== undefined && <p className="second">{note}</p>}
    </Cell>
  );
}

/** `iommufd, iommufd-vfio and type1`. */
function namesLabel(names: readonly string[]): string {
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and ');
}

function Differences({ comparison, position }: { comparison: Comparison; position: number }) {
  const { differences } = comparison;
  if (differences.length === 0) return <p>After event {position}, all models have identical ranges.</p>;
  return (
    <ul aria-label={`Differences between the models after event ${position}`}>
      {differences.map(({ space, what, model, present, ranges }) => (
        <li key={`${space} ${what} ${model}`}>
          {space}: <strong>{model}</strong> lacks {what} that {namesLabel(present)}{' '}
          {present.length > 1 ? 'have' : 'has'}:{' '}
          <span className="mono">{ranges.slice(0, RANGES_MAX).map(formatRange).join(', ')}</span>
          {ranges.length > RANGES_MAX && ` and ${ranges.length - RANGES_MAX} more`}
        </li>
      ))}
    </ul>
  );
}

/** The rows of a page of events, one for each event; undefined for a fact, which no model runs. */
async function loadRows(
  id: string,
  models: readonly string[],
  offset: number,
  limit: number,
): Promise<EngineResult<readonly (ComparisonRow | 'fact')[]>> {
  const answer = await engine().call('compare', { id, models, offset, limit, position: 0 });
  if (!answer.ok) return answer;
  const byPosition = new Map(answer.value.rows.map((row) => [row.position, row]));
  return success(Array.from({ length: limit }, (_, i) => byPosition.get(offset + i + 1) ?? 'fact'));
}

function ComparisonTable({ document, models }: { document: DocumentNode; models: readonly string[] }) {
  const { id, position, events } = document;
  const pages = usePages((offset, limit) => loadRows(id, models, offset, limit), models, ...sinceOf(document));
  const list = useVirtualRows<HTMLTableSectionElement>({
    count: events,
    rowHeight: ROW_HEIGHT,
    hasOwnHeights: true,
    covered: HEADER_HEIGHT,
  });
  const [first, last] = list.toLoad;
  useEffect(() => pages.show(first, last));
  const { scrollTo } = list;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `scrollTo` is another function at each rendering
  useEffect(() => {
    if (position > 0) scrollTo(position - 1, 'auto');
  }, [position]);
  return (
    <LongTable
      list={list}
      rowCount={events}
      caption="The same operations under several models"
      columns={[
        '#',
        'Operation',
        ...models,
        <span key="difference" className="visually-hidden">
          Difference
        </span>,
      ]}
      gridTemplateColumns={`4em minmax(20em, 2fr) repeat(${models.length}, minmax(13em, 1fr)) 5em`}
      className="comparison"
      testId="comparison"
      rowState={(index) => ({
        isLoaded: pages.rowAt(index) !== undefined,
        current: index + 1 === position ? 'step' : undefined,
      })}
    >
      {({ index }) => (
        <>
          <Cell>
            <button
              type="button"
              className="link"
              data-row-focus
              tabIndex={-1}
              onClick={() => void seek(id, index + 1)}
            >
              {index + 1}
            </button>
          </Cell>
          <ComparisonCells row={pages.rowAt(index)} />
        </>
      )}
    </LongTable>
  );
}

function ComparisonCells({ row }: { row: ComparisonRow | 'fact' | undefined }) {
  if (row === undefined) return <Cell>…</Cell>;
  if (row === 'fact') return <Cell className="second">not an operation</Cell>;
  return (
    <>
      <Cell className="mono wrap">{row.text}</Cell>
      {row.answers.map((answer) => (
        <AnswerCell key={answer.model} answer={answer} />
      ))}
      <Cell>{row.differs && <strong className="differs">differs</strong>}</Cell>
    </>
  );
}

function DocumentComparison({ document, names }: { document: DocumentNode; names: readonly string[] }) {
  const { id, position, title, recordedModel } = document;
  const [models, setModels] = useState<readonly string[]>(names);
  const shows = useShownComparison(id, 'models');
  const { value: comparison, error } = useAnswer(
    'compare',
    { id, models, offset: 0, limit: 0, position },
    ...sinceOf(document),
  );

  const choose = (chosen: readonly string[]) => {
    setModels(chosen);
    if (shows.length > 0) compareInPicture({ id, under: chosen, shows });
  };
  const first = comparison?.firstDivergence;
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
              checked={models.includes(name)}
              onChange={(event) =>
                choose(names.filter((n) => (n === name ? event.target.checked : models.includes(n))))
              }
            />{' '}
            {name}
          </label>
        ))}
        <ComparisonInPicture id={id} under={models} shows={shows} offered={['each', 'differences']} />
      </fieldset>
      {error && <p className="refused">{error.message}</p>}
      {comparison && (
        <>
          <p>
            {first === undefined ? (
              'All models agree.'
            ) : (
              <button type="button" className="button" onClick={() => void seek(id, first)}>
                First difference: event {first}
              </button>
            )}
          </p>
          <Differences comparison={comparison} position={position} />
          <ComparisonTable document={document} models={comparison.models} />
        </>
      )}
    </section>
  );
}

const KINDS = [
  { id: 'models', label: 'Models' },
  { id: 'versions', label: 'Kernel versions' },
] as const;

/** The same session under several models, step by step, or under every kernel version. */
export function ModelsPanel() {
  const [kind, setKind] = useState<(typeof KINDS)[number]['id']>('models');
  const documents = useApp((s) => s.documents);
  const names = useModelNames();
  const sessions = documents.filter((document) => document.operations > 0);
  if (sessions.length === 0 || names.length === 0) {
    return (
      <p className="hint">
        Open a session with operations to run it under several kernel models, for example the sample "QEMU unmap on
        three kernels".
      </p>
    );
  }
  return (
    <>
      <fieldset className="comparison-kind">
        <legend className="visually-hidden">What to compare</legend>
        {KINDS.map(({ id, label }) => (
          <label key={id}>
            <input
              type="radio"
              name="comparison-kind"
              checked={kind === id}
              onChange={({ target }) => target.checked && setKind(id)}
            />{' '}
            {label}
          </label>
        ))}
      </fieldset>
      {sessions.map((document) =>
        kind === 'models' ? (
          <DocumentComparison key={document.id} document={document} names={names} />
        ) : (
          <KernelVersions key={document.id} document={document} />
        ),
      )}
    </>
  );
}
