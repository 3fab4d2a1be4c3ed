import { lazy, useState } from 'react';
import type { ConflictRow } from '../../engine/protocol/answers.ts';
import { formatSize, hex, hexRange } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { conflictKey } from '../state/conflict-key.ts';
import { type ConflictGroup, conflictGroups, severityCounts, showConflict } from '../state/conflicts.ts';
import { showRange } from '../state/view.ts';
import { LoadBoundary } from './load-boundary.tsx';
import { Places } from './place-link.tsx';
import './conflicts.css';

const ConflictVersionsList = lazy(async () => ({
  default: (await import('./conflict-versions.tsx')).ConflictVersionsList,
}));

function Details({ row }: { row: ConflictRow }) {
  return (
    <div className="conflict-details">
      <p>{row.message}</p>
      <p>
        <strong>Fix:</strong> {row.remedy}
      </p>
      {(row.errno !== undefined || row.source !== undefined) && (
        <p className="second">
          {row.errno !== undefined && <code>{row.errno}</code>} {row.source}
        </p>
      )}
      <ul>
        {row.marks.map((mark) => (
          <li key={`${mark.role} ${mark.start} ${mark.last}`}>
            <button type="button" className="link mono" onClick={() => showRange(mark.start, mark.last)}>
              {mark.start === mark.last ? hex(mark.start) : hexRange(mark)}
            </button>{' '}
            <span className="second">
              {mark.message}, {formatSize(mark.last - mark.start + 1n)}
            </span>
          </li>
        ))}
      </ul>
      <Places places={row.provenance} first={6} />
    </div>
  );
}

interface TitleProps {
  readonly label: string;
  readonly severity: ConflictRow['severity'];
  readonly text: string;
  readonly host: string | undefined;
  readonly isOpen: boolean;
  onPress(): void;
}

function Title({ label, severity, text, host, isOpen, onPress }: TitleProps) {
  return (
    <button type="button" className="conflict-title" aria-expanded={isOpen} onClick={onPress}>
      <span className="conflict-number">{label}</span>
      <span>
        <span className="severity">{severity}</span> {text}
        {host !== undefined && <span className="second"> · {host}</span>}
      </span>
    </button>
  );
}

function Conflict({ row, host, isShown }: { row: ConflictRow; host: string | undefined; isShown: boolean }) {
  return (
    <li className={`conflict conflict-${row.severity}${isShown ? ' current' : ''}`}>
      <Title
        label={String(row.number)}
        severity={row.severity}
        text={row.title}
        host={host}
        isOpen={isShown}
        onPress={() => void showConflict(isShown ? undefined : row)}
      />
      {isShown && <Details row={row} />}
    </li>
  );
}

/** Conflicts of one kind: one line, which opens. It stays open while one of them is shown in the picture. */
function Group({ group, host, shown }: { group: ConflictGroup; host: string | undefined; shown: string | undefined }) {
  const [isOpened, setOpened] = useState(false);
  const hasShown = group.rows.some((row) => conflictKey(row) === shown);
  const isOpen = isOpened || hasShown;
  return (
    <li className={`conflict-group conflict-${group.severity}`}>
      <Title
        label={group.numbers}
        severity={group.severity}
        text={group.text}
        host={host}
        isOpen={isOpen}
        onPress={() => {
          setOpened(!isOpen);
          if (isOpen && hasShown) void showConflict(undefined);
        }}
      />
      {isOpen && (
        <ol>
          {group.rows.map((row) => (
            <Conflict key={conflictKey(row)} row={row} host={undefined} isShown={conflictKey(row) === shown} />
          ))}
        </ol>
      )}
    </li>
  );
}

/** The conflicts by version of the kernel; they are worked out while it is open. */
function ByVersion() {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="conflict-versions" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>By kernel version</summary>
      {isOpen && (
        <LoadBoundary>
          <ConflictVersionsList />
        </LoadBoundary>
      )}
    </details>
  );
}

/** The conflicts of the selection, numbered as in the picture, those of one kind as one item that opens. */
export function ConflictsPanel() {
  const conflicts = useApp((s) => s.conflicts);
  const shown = useApp((s) => s.conflict);
  const hosts = useApp((s) => s.documents.length);
  const hasHost = useApp((s) => (s.caseNode?.hosts.length ?? 0) > 0);
  const rows = conflicts?.rows ?? [];
  return (
    <section className="conflicts" aria-label="Conflicts" data-testid="conflicts">
      <h2>
        Conflicts <span className="second">{severityCounts(rows)}</span>
      </h2>
      {conflicts?.problem !== undefined && (
        <p className="severity-error">The guest was not checked: {conflicts.problem}.</p>
      )}
      {rows.length === 0 && (
        <p className="hint">No conflicts in the selection. Choose a guest to check it against the host.</p>
      )}
      <ol>
        {conflictGroups(conflicts).map((group) => {
          const [row] = group.rows;
          if (!row) return null;
          const host = hosts > 1 ? row.host : undefined;
          return group.rows.length === 1 ? (
            <Conflict key={conflictKey(row)} row={row} host={host} isShown={conflictKey(row) === shown} />
          ) : (
            <Group key={`group ${conflictKey(row)}`} group={group} host={host} shown={shown} />
          );
        })}
      </ol>
      {conflicts !== undefined && conflicts.more > 0 && <p className="hint">and {conflicts.more} more</p>}
      {hasHost && <ByVersion />}
    </section>
  );
}
