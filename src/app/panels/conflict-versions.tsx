import type { ConflictVersions } from '../../engine/protocol/sessions.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { useAnswer } from '../state/use-answer.ts';
import { VersionsButton } from './kernel-versions.tsx';

type Row = ConflictVersions['rows'][number];

/** Rows that are one conflict with another errno, or another sentence, in other versions. */
function conflictsOf(rows: readonly Row[]): (readonly [Row, ...Row[]])[] {
  const byTitle = new Map<string, [Row, ...Row[]]>();
  for (const row of rows) {
    const key = [row.document, row.rule, row.title].join('\n');
    const known = byTitle.get(key);
    if (known) known.push(row);
    else byTitle.set(key, [row]);
  }
  return [...byTitle.values()];
}

const VERDICTS: Readonly<Record<ConflictVersions['verdicts'][number]['severity'], string>> = {
  fatal: 'Fails on',
  warning: 'Warnings on',
  note: 'Works, with notes, on',
  clean: 'Works on',
};

function Verdicts({ verdicts }: Pick<ConflictVersions, 'verdicts'>) {
  return (
    <p data-testid="version-verdicts">
      {verdicts.map(({ severity, versions, versionsLabel }, i) => (
        <span key={severity} className={severity === 'fatal' ? 'severity-error' : undefined}>
          {i === 0 ? VERDICTS[severity] : VERDICTS[severity].replace(/^[A-Z]/, (c) => c.toLowerCase())}{' '}
          <VersionsButton versions={versions} label={versionsLabel} />
          {i === verdicts.length - 1 ? '.' : '; '}
        </span>
      ))}
    </p>
  );
}

/** Which conflicts of the selection appear or disappear with the version of the kernel. */
export function ConflictVersionsList() {
  const selectedGroups = useApp((s) => s.selectedGroups);
  const guest = useApp((s) => s.guest);
  const pageSize = useApp((s) => s.pageSize);
  // The result depends on what is open, not on the chosen kernel.
  const documents = useApp((s) => s.documents);
  const { value, error } = useAnswer('conflictVersions', { selectedGroups, guest, pageSize }, documents);
  if (error) return <p className="severity-error">{error.message}</p>;
  if (!value) return <p className="hint">Checking under every version…</p>;
  const { versions, rows, common, verdicts } = value;
  const range = `${versions[0]} to ${versions.at(-1)}`;
  if (rows.length === 0) {
    return <p className="hint">The conflicts are the same on all versions from {range}.</p>;
  }
  const conflicts = conflictsOf(rows);
  return (
    <>
      {verdicts.length > 1 && <Verdicts verdicts={verdicts} />}
      <p>
        {counted(conflicts.length, 'conflict')} {conflicts.length === 1 ? 'depends' : 'depend'} on the version ({range}
        ), {common} {common === 1 ? 'does' : 'do'} not.
      </p>
      <ul>
        {conflicts.map(([first, ...more]) => (
          <li key={`${first.document} ${first.rule} ${first.title} ${first.versionsLabel}`}>
            <span className="severity">{first.severity}</span> {first.title}
            <ul>
              {[first, ...more].map((row) => (
                <li key={`${row.versionsLabel} ${row.errno} ${row.message}`}>
                  on <VersionsButton versions={row.versions} label={row.versionsLabel} />
                  {row.errno !== undefined && (
                    <>
                      {': '}
                      <code>{row.errno}</code>
                    </>
                  )}{' '}
                  <span className="second">{row.message}</span>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </>
  );
}
