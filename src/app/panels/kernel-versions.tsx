import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { SessionVersions, VersionsAnswer } from '../../engine/protocol/sessions.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import { setKernel } from '../state/case-actions.ts';
import { seek } from '../state/documents.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { ComparisonInPicture, useShownComparison } from './comparison-in-picture.tsx';
import './kernel-versions.css';

/** Operations that are listed; the rest is counted. */
const ROWS_MAX = 200;

type Row = SessionVersions['rows'][number];

/** Some versions as text; pressed, the newest of them answers the whole case. */
export function VersionsButton({ versions, label }: { versions: readonly string[]; label: string }) {
  const newest = versions.at(-1) ?? '';
  return (
    <button
      type="button"
      className="link"
      title={`Use the rules of Linux ${newest}`}
      onClick={() => void setKernel(newest)}
    >
      {label}
    </button>
  );
}

function Answer({ answer: { versions, versionsLabel, answer, refused, hazard } }: { answer: VersionsAnswer }) {
  return (
    <li>
      <VersionsButton versions={versions} label={versionsLabel} />:{' '}
      <span className={refused ? 'mono severity-error' : 'mono'}>{answer ?? 'cannot be run'}</span>
      {refused && <span className="second"> {refused.message}</span>}
      {hazard !== undefined && <span className="hazard"> Kernel bug: {hazard}</span>}
    </li>
  );
}

function Why({ row: { verdict, changes } }: { row: Row }) {
  return (
    <>
      {verdict && (
        <p>
          Works on {verdict.works}, <span className="severity-error">fails on {verdict.fails}</span>
        </p>
      )}
      {changes.map(({ name, since, was, now, source }) => (
        <p key={name}>
          {since.replace(/^s/, 'S')}: {now}. <span className="second">Before: {was}.</span>{' '}
          <span className="second">({source})</span>
        </p>
      ))}
    </>
  );
}

/** The operations of a session that kernel versions answer differently: what each answers, since when, and why. */
export function KernelVersions({ document }: { document: DocumentNode }) {
  const { id, title } = document;
  const { value, error } = useAnswer('versions', { id, limit: ROWS_MAX }, ...sinceOf(document));
  const shows = useShownComparison(id, 'versions');
  const rows = value?.rows ?? [];
  const others = (value?.differing ?? 0) - rows.length;
  return (
    <section aria-label={`${title} under every kernel version`}>
      <h3>
        {title} {value && <span className="second">model {value.model}</span>}
      </h3>
      {error && <p className="severity-error">{error.message}</p>}
      {!value && !error && <p className="hint">Running the operations under every version…</p>}
      {value && (
        <p>
          {value.differing === 0
            ? `All versions from ${value.versions[0]} to ${value.versions.at(-1)} give the same answers.`
            : `${groupedDecimal(BigInt(value.differing))} of ${counted(value.operations, 'operation')} are answered differently by some version from ${value.versions[0]} to ${value.versions.at(-1)}.`}
        </p>
      )}
      {rows.length > 0 && (
        <p>
          <ComparisonInPicture id={id} under="versions" shows={shows} offered={['differences']} />
        </p>
      )}
      {rows.length > 0 && (
        <table className="kernel-versions" data-testid="kernel-versions">
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">Operation</th>
              <th scope="col">Answers by version</th>
              <th scope="col">What changed</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.position}>
                <td>
                  <button type="button" className="link" onClick={() => void seek(id, row.position)}>
                    {row.position}
                  </button>
                </td>
                <td className="mono">{row.text}</td>
                <td>
                  <ul>
                    {row.answers.map((answer) => (
                      <Answer key={answer.versionsLabel} answer={answer} />
                    ))}
                  </ul>
                </td>
                <td>
                  <Why row={row} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {others > 0 && <p className="hint">and {groupedDecimal(BigInt(others))} more</p>}
    </section>
  );
}
