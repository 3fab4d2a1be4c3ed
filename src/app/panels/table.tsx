import { useEffect, useState } from 'react';
import type { TableRow } from '../../engine/protocol/picture.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { select } from '../state/selection.ts';
import { Pager } from './pager.tsx';

const PAGE = 200;

function sameTarget(a: TableRow['target'], b: TableRow['target'] | undefined): boolean {
  return b !== undefined && a.laneId === b.laneId && a.row === b.row && a.index === b.index;
}

/** Every range of the picture as a table, a page at a time, for keyboards, screen readers and copying. */
export function TablePanel() {
  const revision = useApp((s) => s.picture?.arrangement.revision);
  const selected = useApp((s) => s.selected?.target);
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<{ readonly rows: readonly TableRow[]; readonly total: number }>({
    rows: [],
    total: 0,
  });

  useEffect(() => {
    if (revision === undefined) return;
    let stale = false;
    void engine()
      .call('table', { offset, limit: PAGE })
      .then((answer) => {
        if (stale || !answer.ok) return;
        setPage(answer.value);
        if (offset >= answer.value.total) setOffset(0);
      });
    return () => {
      stale = true;
    };
  }, [revision, offset]);

  return (
    <div className="table-panel">
      <table data-testid="table">
        <caption className="visually-hidden">Every range of the picture, lane by lane</caption>
        <thead>
          <tr>
            <th scope="col">Lane</th>
            <th scope="col">Type</th>
            <th scope="col">Start</th>
            <th scope="col">Last (inclusive)</th>
            <th scope="col">Size</th>
            <th scope="col">Source</th>
          </tr>
        </thead>
        <tbody>
          {page.rows.map((row) => (
            <tr
              key={`${row.target.laneId} ${row.target.row} ${row.target.index}`}
              className={sameTarget(row.target, selected) ? 'current' : undefined}
              aria-current={sameTarget(row.target, selected) ? 'true' : undefined}
            >
              <td>{row.lane}</td>
              <td>
                <button type="button" className="link" onClick={() => void select(row.target, { reveal: true })}>
                  {row.caption}
                </button>
              </td>
              <td className="mono">{groupedHex(row.target.start)}</td>
              <td className="mono">{groupedHex(row.target.last)}</td>
              <td>{formatSize(row.target.last - row.target.start + 1n)}</td>
              <td className="second">{row.source}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Pager offset={offset} size={PAGE} total={page.total} of="ranges" back="Previous" on="Next" onTurn={setOffset} />
    </div>
  );
}
