import { useRef } from 'react';
import { Menu, MenuItem, Popover, Separator } from 'react-aria-components';
import { selectableKeys } from '../../engine/protocol/selection.ts';
import { useApp } from '../state/app-state.ts';
import { closeHost, closeSource, moveSource } from '../state/case-actions.ts';
import { setSelectedGroups } from '../state/documents.ts';
import { showText } from '../state/tabs.ts';
import type { CaseRow } from './case-rows.ts';

/** Closes the host, the session or the source of a row. */
export function closeRow({ source, document }: CaseRow): Promise<void> {
  return source ? closeSource(source.id, source.name) : closeHost(document.id);
}

interface RowMenuProps {
  readonly row: CaseRow;
  /** The button that opened it. */
  readonly button: HTMLElement;
  rename(): void;
  close(): void;
}

function DocumentItems({ row, rename }: Pick<RowMenuProps, 'row' | 'rename'>) {
  const { document } = row;
  const select = (isSelected: boolean) => {
    const keys = new Set(selectableKeys(document));
    const others = useApp.getState().selectedGroups.filter((key) => !keys.has(key));
    void setSelectedGroups(isSelected ? [...others, ...keys] : others);
  };
  return (
    <>
      {document.kind === 'host' && (
        <MenuItem className="menu-item" textValue="Rename" onAction={rename}>
          <span>Rename…</span>
          <kbd>F2</kbd>
        </MenuItem>
      )}
      <MenuItem className="menu-item" onAction={() => select(true)}>
        Select all
      </MenuItem>
      <MenuItem className="menu-item" onAction={() => select(false)}>
        Select none
      </MenuItem>
      <Separator className="separator" />
    </>
  );
}

function SourceItems({ row }: Pick<RowMenuProps, 'row'>) {
  const { source, document } = row;
  const hosts = useApp((s) => s.documents).filter(({ kind, id }) => kind === 'host' && id !== document.id);
  const isAlone = new Set(document.sources.map(({ id }) => id)).size === 1;
  const text = document.texts[0];
  if (!source) return null;
  const first = document.texts.find((name) => name === source.name || name.startsWith(`${source.name}/`));
  return (
    <>
      {first !== undefined && text !== undefined && (
        <MenuItem className="menu-item" onAction={() => showText({ id: document.id, source: first, line: 1 })}>
          Show text
        </MenuItem>
      )}
      {hosts.map(({ id, title }) => (
        <MenuItem key={id} className="menu-item" onAction={() => void moveSource(source.id, id)}>
          {`Move to ${title}`}
        </MenuItem>
      ))}
      {!isAlone && (
        <MenuItem className="menu-item" onAction={() => void moveSource(source.id, 'new-host')}>
          Move to a new host
        </MenuItem>
      )}
      <Separator className="separator" />
    </>
  );
}

/** What can be done with a host, a session or a source. */
export function RowMenu({ row, button, rename, close }: RowMenuProps) {
  const trigger = useRef(button);
  return (
    <Popover
      className="popover"
      triggerRef={trigger}
      isOpen
      placement="bottom end"
      onOpenChange={(isOpen) => {
        if (!isOpen) close();
      }}
    >
      <Menu className="menu" aria-label={`Actions for ${row.title}`} onClose={close}>
        {row.source ? <SourceItems row={row} /> : <DocumentItems row={row} rename={rename} />}
        <MenuItem className="menu-item" textValue="Close" onAction={() => void closeRow(row)}>
          <span>Close</span>
          <kbd>Delete</kbd>
        </MenuItem>
      </Menu>
    </Popover>
  );
}
