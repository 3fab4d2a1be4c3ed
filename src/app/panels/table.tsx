import { useEffect } from 'react';
import type { TableRow } from '../../engine/protocol/picture.ts';
import { type EngineResult, success } from '../../engine/protocol/result.ts';
import { formatSize, groupedHex, hex } from '../../iova/format.ts';
import { Cell, LongTable } from '../lists/long-table.tsx';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { select } from '../state/selection.ts';
import { usePages } from '../state/use-pages.ts';
import './table.css';

/** As table.css says. */
const ROW_HEIGHT = 27;
const HEADER_HEIGHT = 32;

const COLUMNS = ['Lane', 'Type', 'Start', 'Last (inclusive)', 'Size', 'Source'] as const;

function sameTarget(a: TableRow['target'] | undefined, b: TableRow['target'] | undefined): boolean {
  return a !== undefined && b !== undefined && a.laneId === b.laneId && a.row === b.row && a.index === b.index;
}

async function loadRows(offset: number, limit: number): Promise<EngineResult<readonly TableRow[]>> {
  const answer = await engine().call('table', { offset, limit });
  return answer.ok ? success(answer.value.rows) : answer;
}

/** Every range of the picture as a table, for keyboards, screen readers and copying. */
export function TablePanel() {
  const revision = useApp((s) => s.picture?.arrangement.revision);
  const total = useApp((s) => s.picture?.arrangement.total ?? 0);
  const selected = useApp((s) => s.selected?.target);
  const pages = usePages(loadRows, revision);
  const list = useVirtualRows<HTMLTableSectionElement>({
    count: total,
    rowHeight: ROW_HEIGHT,
    covered: HEADER_HEIGHT,
  });
  const [first, last] = list.toLoad;
  useEffect(() => pages.show(first, last));

  return (
    <LongTable
      list={list}
      rowCount={total}
      caption="All ranges of the picture, by lane"
      columns={COLUMNS}
      className="ranges-table"
      testId="table"
      copyText={(index) => {
        const row = pages.rowAt(index);
        return row && rowText(row);
      }}
      rowState={(index) => {
        const row = pages.rowAt(index);
        return { isLoaded: row !== undefined, current: sameTarget(row?.target, selected) ? 'true' : undefined };
      }}
    >
      {({ index }) => <Cells row={pages.rowAt(index)} />}
    </LongTable>
  );
}

/** A row for the clipboard: addresses as kernels and logs write them. */
function rowText({ lane, caption, target: { start, last }, source }: TableRow): string {
  return [lane, caption, hex(start), hex(last), formatSize(last - start + 1n), source].join('\t');
}

function Cells({ row }: { row: TableRow | undefined }) {
  if (!row) return <Cell>…</Cell>;
  const { target, lane, caption, source } = row;
  return (
    <>
      <Cell title={lane}>{lane}</Cell>
      <Cell title={caption}>
        <button
          type="button"
          className="link"
          data-row-focus
          tabIndex={-1}
          onClick={() => void select(target, { reveal: true })}
        >
          {caption}
        </button>
      </Cell>
      <Cell className="mono">{groupedHex(target.start)}</Cell>
      <Cell className="mono">{groupedHex(target.last)}</Cell>
      <Cell>{formatSize(target.last - target.start + 1n)}</Cell>
      <Cell className="second" title={source}>
        {source}
      </Cell>
    </>
  );
}
