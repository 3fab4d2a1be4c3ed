// A table of which only the rows near the visible ones exist. Its rows are laid out as grids, which some browsers do not
// take for table rows any more: the roles are explicit.
import type { ReactNode } from 'react';
import type { VirtualRow, VirtualRows } from './use-virtual-rows.ts';
import './long-table.css';

interface CellProps {
  readonly className?: string | undefined;
  /** A tooltip, for text that may be cut off. */
  readonly title?: string | undefined;
  readonly children?: ReactNode;
}

export function Cell({ className, title, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top
    <td role="cell" className={className} title={title}>
      {children}
    </td>
  );
}

export function RowHeader({ children }: { readonly children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noRedundantRoles: see the top
    <th role="rowheader" scope="row">
      {children}
    </th>
  );
}

interface RowState {
  /** False while the row is being loaded. */
  readonly isLoaded: boolean;
  readonly current?: 'true' | 'step' | undefined;
  readonly className?: string | undefined;
  /** True if the row itself takes the focus, and not a control in it. */
  readonly takesFocus?: boolean | undefined;
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
  /** The cells of a row. */
  children(row: VirtualRow): ReactNode;
}

/** See `useVirtualRows` for the list; the table's `rowHeight` must be that of its style sheet. */
export function LongTable(props: LongTableProps) {
  const { list, rowCount, caption, columns, gridTemplateColumns, className, testId, rowState, children } = props;
  const headRows = columns ? 1 : 0;
  return (
    <table
      className={`long-table ${className}${list.isUniform ? ' one-line' : ''}`}
      // biome-ignore lint/a11y/noRedundantRoles: see the top
      role="table"
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
              tabIndex={state.takesFocus && row.isTabStop ? 0 : -1}
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
