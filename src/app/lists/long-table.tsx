// A table of which only the rows near the visible ones exist: a grid, which is one tab stop and has the arrow keys inside.
// Its rows are laid out as CSS grids, which some browsers do not take for table rows any more: the roles are explicit.
import type { ClipboardEvent, ReactNode } from 'react';
import { notify } from '../state/notices.ts';
import type { VirtualRow, VirtualRows } from './use-virtual-rows.ts';
import './long-table.css';

interface CellProps {
  readonly className?: string | undefined;
  /** A tooltip, for text that may be cut off. */
  readonly title?: string | undefined;
  /** True if the focus begins here in each row. */
  readonly isMain?: boolean | undefined;
  readonly children?: ReactNode;
}

export function Cell({ className, title, isMain, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: see the top
    <td role="gridcell" tabIndex={-1} className={className} title={title} data-row-focus={isMain ? '' : undefined}>
      {children}
    </td>
  );
}

export function RowHeader({ children }: { readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top
    <th role="rowheader" scope="row" tabIndex={-1}>
      {children}
    </th>
  );
}

interface RowState {
  /** False while the row is being loaded. */
  readonly isLoaded: boolean;
  readonly current?: 'true' | 'step' | undefined;
  readonly className?: string | undefined;
}

interface LongTableProps {
  readonly list: VirtualRows<HTMLTableSectionElement>;
  /** Undefined if it is not known yet. */
  readonly rowCount: number | undefined;
  /** For screen readers. */
  readonly caption: string;
  readonly columns?: readonly ReactNode[] | undefined;
  /** `grid-template-columns` of every row, where the style sheet does not say it. */
  readonly gridTemplateColumns?: string | undefined;
  readonly className: string;
  readonly testId: string;
  rowState(index: number): RowState;
  /** A row as text for the clipboard; by default the text of its cells, separated by tabs. */
  copyText?(index: number): string | undefined;
  /** The cells of a row. */
  children(row: VirtualRow): ReactNode;
}

/** Copying without a selection copies the row that has the focus. */
function copyRow(event: ClipboardEvent, copyText: LongTableProps['copyText']): void {
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-index]') : null;
  if (!row || !(document.getSelection()?.isCollapsed ?? true)) return;
  const cells = [...row.querySelectorAll(':scope > :is(td, th)')].map((cell) => cell.textContent.trim());
  event.clipboardData.setData('text/plain', copyText?.(Number(row.dataset.index)) ?? cells.join('\t'));
  event.preventDefault();
  notify('Row copied');
}

/** See `useVirtualRows` for the list; the table's `rowHeight` must be that of its style sheet. */
export function LongTable(props: LongTableProps) {
  const { list, rowCount, caption, columns, gridTemplateColumns, className, testId, rowState, copyText, children } =
    props;
  const headRows = columns ? 1 : 0;
  return (
    <table
      className={`long-table ${className}${list.isUniform ? ' one-line' : ''}`}
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: see the top
      role="grid"
      aria-rowcount={rowCount === undefined ? -1 : rowCount + headRows}
      data-testid={testId}
    >
      <caption className="visually-hidden">{caption}</caption>
      {columns && (
        // biome-ignore lint/a11y/noRedundantRoles: see the top
        <thead role="rowgroup">
          {/* biome-ignore lint/a11y/noRedundantRoles: see the top */}
          <tr role="row" aria-rowindex={1} style={{ gridTemplateColumns }}>
            {columns.map((column, i) => (
              // biome-ignore lint/a11y/noRedundantRoles: see the top
              // biome-ignore lint/suspicious/noArrayIndexKey: columns do not change their places
              <th key={i} role="columnheader" scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody
        ref={list.ref}
        // biome-ignore lint/a11y/noRedundantRoles: see the top
        role="rowgroup"
        style={{ height: list.height }}
        onFocus={list.onFocus}
        onKeyDown={list.onKeyDown}
        onCopy={(event) => copyRow(event, copyText)}
      >
        {list.rows.map((row) => {
          const state = rowState(row.index);
          return (
            <tr
              key={row.index}
              ref={list.measure}
              // biome-ignore lint/a11y/noRedundantRoles: see the top
              role="row"
              data-index={row.index}
              aria-rowindex={row.index + 1 + headRows}
              aria-busy={!state.isLoaded}
              aria-current={state.current}
              tabIndex={-1}
              className={[state.className, state.current && 'current'].filter(Boolean).join(' ') || undefined}
              style={{ top: row.top, gridTemplateColumns }}
            >
              {children(row)}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
