import {
  type DragEvent,
  type KeyboardEvent,
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useVirtualRows } from '../lists/use-virtual-rows.ts';
import { useApp } from '../state/app-state.ts';
import { moveSource, renameHost, setDevice } from '../state/case-actions.ts';
import { isSourceDrag, SOURCE_DRAG } from '../state/case-drag.ts';
import { CONNECTION_LABELS } from '../state/connection-labels.ts';
import { selectOnlyGroup, setSelectedGroups } from '../state/documents.ts';
import {
  type CaseRow,
  caseRows,
  deviceKey,
  expandTo,
  leadingDevice,
  NO_FOLDS,
  parentOf,
  type Selected,
  selectedPart,
  toggleFold,
} from './case-rows.ts';
import { closeRow, RowMenu } from './row-menu.tsx';
import './case-tree.css';

/** In CSS pixels, before a row is measured. */
const ROW_HEIGHT = 30;
/** A tree that is not longer is rendered whole. */
const WHOLE_UP_TO = 60;

/** What rows do; one object for all of them, so that a row is drawn again only if it changed. */
interface RowActions {
  toggle(row: CaseRow): void;
  select(row: CaseRow, isSelected: boolean): void;
  rename(row: CaseRow): void;
  /** `name` undefined: it stays as it was. */
  endRename(row: CaseRow, name: string | undefined, box: HTMLElement): void;
  openMenu(row: CaseRow, button: HTMLElement): void;
  startDrag(row: CaseRow, event: DragEvent): void;
  endDrag(): void;
}

interface RowProps {
  readonly row: CaseRow;
  readonly part: Selected | undefined;
  readonly isTabStop: boolean;
  readonly isRenaming: boolean;
  /** True for the device to assign, and for its group while that is folded. */
  readonly isAssigned: boolean;
  /** The device that stands for a folded group. */
  readonly leading: string;
  readonly actions: RowActions;
}

function SelectBox({
  row,
  part,
  tabIndex,
  actions,
}: Pick<RowProps, 'row' | 'part' | 'actions'> & { tabIndex: number }) {
  const ref = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (ref.current) ref.current.indeterminate = part === 'some';
  }, [part]);
  return (
    <span className="select-box">
      <input
        ref={ref}
        type="checkbox"
        aria-label={`Select ${row.title}`}
        tabIndex={tabIndex}
        checked={part === 'all'}
        onChange={(event) => actions.select(row, event.target.checked)}
      />
    </span>
  );
}

/** The name of a host, without how many others are alike. */
function nameOf({ document, title }: CaseRow): string {
  return document.alike?.shown ?? title;
}

/** The name of a host while it is changed. Enter and leaving the box keep what was typed, Escape does not. */
function RenameBox({ row, actions }: Pick<RowProps, 'row' | 'actions'>) {
  const ref = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  const end = (name: string | undefined) => {
    if (isDone.current || !ref.current) return;
    isDone.current = true;
    actions.endRename(row, name, ref.current);
  };
  useEffect(() => {
    ref.current?.focus();
    ref.current?.select();
  }, []);
  return (
    <input
      ref={ref}
      className="rename-box"
      aria-label={`Name of ${row.title}`}
      title="Empty: the name that the sources give"
      defaultValue={nameOf(row)}
      spellCheck={false}
      onBlur={(event) => end(event.target.value)}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Enter') end(event.currentTarget.value);
        else if (event.key === 'Escape') end(undefined);
      }}
    />
  );
}

function LiveDot({ id }: { id: string }) {
  const connection = useApp((s) => s.live[id]?.connection);
  if (connection === undefined) return null;
  return (
    <span className="source-note">
      <span className={`live-dot live-${connection}`} aria-hidden="true" /> {CONNECTION_LABELS[connection]}{' '}
    </span>
  );
}

function Label({ row, isAssigned, leading, isRenaming, actions }: Omit<RowProps, 'part' | 'isTabStop'>) {
  const { kind, title, note, document, group } = row;
  if (isRenaming) return <RenameBox row={row} actions={actions} />;
  return (
    <span className="source-label" title={group?.refusal && `Cannot be assigned: ${group.refusal}`}>
      <span className="source-head">
        <span className="source-title">{title}</span>
        <span className="source-note" title={kind === 'source' || kind === 'sources' ? note : undefined}>
          {kind === 'document' && <LiveDot id={document.id} />}
          {note}
        </span>
      </span>
      {leading !== '' && (
        <span className="source-device-line" title={leading}>
          {leading}
        </span>
      )}
      {isAssigned && <span className="assigned">device to assign</span>}
    </span>
  );
}

const RowCell = memo(function RowCell(props: RowProps) {
  const { row, part, isTabStop, isRenaming, isAssigned, actions } = props;
  const { kind, title, isExpanded, document, source, group, device } = row;
  const tabIndex = isTabStop ? 0 : -1;
  const hasMenu = kind === 'document' || (source !== undefined && document.kind === 'host');
  const canMove = source !== undefined && document.kind === 'host';
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: its row takes the focus
    // biome-ignore lint/a11y/useSemanticElements: rows of a tree are no rows of a table
    <div
      role="gridcell"
      className="source-row"
      draggable={canMove && !isRenaming}
      onDragStart={canMove ? (event) => actions.startDrag(row, event) : undefined}
      onDragEnd={actions.endDrag}
    >
      {isExpanded === undefined ? (
        <span className="chevron" />
      ) : (
        <button
          type="button"
          className="chevron"
          tabIndex={-1}
          aria-label={`${isExpanded ? 'Collapse' : 'Expand'} ${title}`}
          onClick={() => actions.toggle(row)}
        >
          <span aria-hidden="true">{isExpanded ? '▾' : '▸'}</span>
        </button>
      )}
      {part !== undefined && <SelectBox row={row} part={part} tabIndex={tabIndex} actions={actions} />}
      <Label {...props} />
      {kind === 'group' && group && (
        <button
          type="button"
          className="row-action"
          tabIndex={tabIndex}
          aria-label={`Only ${title}`}
          title="Select only this group"
          onClick={() => void selectOnlyGroup(group.key)}
        >
          only
        </button>
      )}
      {device && !isAssigned && (
        <button
          type="button"
          className="row-action"
          tabIndex={tabIndex}
          aria-label={`Assign ${device.device}`}
          onClick={() => void setDevice(device.device, document.id)}
        >
          assign
        </button>
      )}
      {hasMenu && (
        <button
          type="button"
          className="quiet row-menu"
          tabIndex={tabIndex}
          aria-haspopup="menu"
          aria-label={`Actions for ${title}`}
          onClick={(event) => actions.openMenu(row, event.currentTarget)}
        >
          <span aria-hidden="true">⋯</span>
        </button>
      )}
      {kind === 'document' && (
        <button
          type="button"
          className="quiet"
          tabIndex={tabIndex}
          aria-label={`Close ${title}`}
          onClick={() => void closeRow(row)}
        >
          ×
        </button>
      )}
    </div>
  );
});

interface DragState {
  readonly sourceId: string;
  readonly from: string;
  /** The host that the pointer is over, or `new-host`. */
  readonly over?: string | undefined;
}

interface CaseTreeProps {
  readonly filter: string;
  clearFilter(): void;
}

/** Hosts with their sources, groups and devices; only the rows near the visible ones are rendered. */
export function CaseTree({ filter, clearFilter }: CaseTreeProps) {
  const documents = useApp((s) => s.documents);
  const selectedGroups = useApp((s) => s.selectedGroups);
  const assigned = useApp((s) => s.caseNode?.device);
  const revealed = useApp((s) => s.revealed);
  const [folds, setFolds] = useState(NO_FOLDS);
  const [renaming, setRenaming] = useState<string>();
  const [menu, setMenu] = useState<{ readonly row: CaseRow; readonly button: HTMLElement }>();
  const [drag, setDrag] = useState<DragState>();
  const rows = useMemo(() => caseRows(documents, filter, folds), [documents, filter, folds]);
  const selected = useMemo(() => new Set(selectedGroups), [selectedGroups]);
  const keyOf = useCallback((index: number) => rows[index]?.key ?? '', [rows]);
  const list = useVirtualRows<HTMLDivElement>({
    count: rows.length,
    rowHeight: ROW_HEIGHT,
    hasOwnHeights: true,
    keyOf,
    wholeUpTo: WHOLE_UP_TO,
  });
  const { ref: grid, scrollTo } = list;

  /** The row to scroll to as soon as it is there, and again when the panel gets another height, until a person scrolls. */
  const wanted = useRef<{ readonly key: string; isDone: boolean }>(undefined);
  useEffect(() => {
    if (!revealed) return;
    const { groupKey, device } = revealed;
    wanted.current = { key: device === undefined ? groupKey : deviceKey(groupKey, device), isDone: false };
    clearFilter();
    setFolds((before) => expandTo(before, revealed));
  }, [revealed, clearFilter]);
  const showWanted = () => {
    const index = rows.findIndex(({ key }) => key === wanted.current?.key);
    if (index < 0 || !wanted.current) return;
    wanted.current.isDone = true;
    scrollTo(index, 'auto');
  };
  const latestShow = useRef(showWanted);
  useLayoutEffect(() => {
    latestShow.current = showWanted;
    if (wanted.current && !wanted.current.isDone) showWanted();
  });
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!scroller.current) return;
    const observer = new ResizeObserver(() => latestShow.current());
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  const release = () => {
    wanted.current = undefined;
  };

  const actions = useMemo(
    (): RowActions => ({
      toggle: ({ key }) => setFolds((before) => toggleFold(before, filter, key)),
      select: ({ selects = [] }, isSelected) => {
        const keys = new Set(selects);
        const others = useApp.getState().selectedGroups.filter((key) => !keys.has(key));
        void setSelectedGroups(isSelected ? [...others, ...selects] : others);
      },
      rename: ({ key }) => setRenaming(key),
      endRename: (row, name, box) => {
        const place = box.closest<HTMLElement>('[role=row]');
        // Where the box had the focus, its row gets it.
        if (box === box.ownerDocument.activeElement) place?.focus({ preventScroll: true });
        setRenaming(undefined);
        if (name !== undefined && name.trim() !== nameOf(row)) void renameHost(row.document.id, name);
      },
      openMenu: (row, button) => setMenu({ row, button }),
      startDrag: ({ source, document }, event) => {
        if (!source) return;
        event.dataTransfer.setData(SOURCE_DRAG, source.id);
        event.dataTransfer.effectAllowed = 'move';
        // A page that changes while the browser begins the drag would end it.
        setTimeout(() => setDrag({ sourceId: source.id, from: document.id }));
      },
      endDrag: () => setDrag(undefined),
    }),
    [filter],
  );

  const openMenuOf = (row: CaseRow, index: number) => {
    const button = grid.current?.querySelector<HTMLElement>(`[data-index="${index}"] .row-menu`);
    if (button) actions.openMenu(row, button);
  };
  /** Runs the action of a key on a row; false if it has none. */
  const runKey = (key: string, row: CaseRow, index: number): boolean => {
    const { kind, isExpanded, selects, device, source, document } = row;
    const isClosable = kind === 'document' || (source !== undefined && document.kind === 'host');
    if (key === 'ArrowRight' && isExpanded === false) actions.toggle(row);
    else if (key === 'ArrowRight' && isExpanded) list.focus(index + 1);
    else if (key === 'ArrowLeft' && isExpanded) actions.toggle(row);
    else if (key === 'ArrowLeft') list.focus(Math.max(0, parentOf(rows, index)));
    else if (key === ' ' && selects) actions.select(row, selectedPart(selects, selected) !== 'all');
    else if (key === 'Enter' && device) void setDevice(device.device, document.id);
    else if (key === 'Enter' && isExpanded !== undefined) actions.toggle(row);
    else if (key === 'F2' && kind === 'document' && document.kind === 'host') actions.rename(row);
    else if (key === 'Delete' && isClosable) void closeRow(row);
    else if (key === 'ContextMenu' && isClosable) openMenuOf(row, index);
    else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target;
    // Keys on a row itself; its buttons and its check box have their own.
    if (target instanceof HTMLElement && target.matches('[role=row]') && !event.ctrlKey && !event.metaKey) {
      const index = Number(target.dataset.index);
      const row = rows[index];
      const key = event.key === 'F10' && event.shiftKey ? 'ContextMenu' : event.key;
      if (row && runKey(key, row, index)) {
        event.preventDefault();
        return;
      }
    }
    list.onKeyDown(event);
  };

  const hostAt = (event: DragEvent) =>
    event.target instanceof Element ? event.target.closest<HTMLElement>('[data-host]')?.dataset.host : undefined;
  const onDragOver = (event: DragEvent) => {
    if (!isSourceDrag(event.dataTransfer)) return;
    const host = hostAt(event);
    const over = host === drag?.from ? undefined : host;
    if (drag && over !== drag.over) setDrag({ ...drag, over });
    if (over === undefined) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'move';
  };
  const onDrop = (event: DragEvent) => {
    const sourceId = event.dataTransfer.getData(SOURCE_DRAG);
    const to = hostAt(event);
    if (sourceId === '' || to === undefined) return;
    event.preventDefault();
    setDrag(undefined);
    if (to !== drag?.from) void moveSource(sourceId, to);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what the mouse can drag, the menu of a source can move
    <div
      ref={scroller}
      className="tree-scroller"
      data-scroller
      onWheel={release}
      onPointerDown={release}
      onKeyDown={release}
      onDragOver={onDragOver}
      onDragLeave={(event) => {
        const { currentTarget, relatedTarget } = event;
        const isInside = relatedTarget instanceof Node && currentTarget.contains(relatedTarget);
        if (drag?.over !== undefined && !isInside) setDrag({ ...drag, over: undefined });
      }}
      onDrop={onDrop}
    >
      <div
        ref={grid}
        role="treegrid"
        aria-label="Hosts, groups and devices"
        aria-multiselectable="true"
        aria-rowcount={rows.length}
        className="tree"
        style={{ height: list.height }}
        onFocus={list.onFocus}
        onKeyDown={onKeyDown}
      >
        {list.rows.map(({ index, top, isTabStop }) => {
          const row = rows[index];
          if (!row) return null;
          const { key, kind, level, position, setSize, title, isExpanded, selects, document, group, device } = row;
          const part = selects && selectedPart(selects, selected);
          const isOwn = assigned !== undefined && assigned.hostId === document.id;
          const isOfAssigned = isOwn && group?.devices.some((one) => one.device === assigned.device) === true;
          const isAssigned = isOfAssigned && (kind === 'group' ? !isExpanded : device?.device === assigned.device);
          return (
            // biome-ignore lint/a11y/useSemanticElements: rows of a tree are no rows of a table
            <div
              key={key}
              ref={list.measure}
              role="row"
              data-index={index}
              data-testid={kind === 'document' && document.kind === 'host' ? 'host' : undefined}
              data-host={document.kind === 'host' ? document.id : undefined}
              tabIndex={isTabStop ? 0 : -1}
              aria-label={title}
              aria-level={level}
              aria-posinset={position}
              aria-setsize={setSize}
              aria-rowindex={index + 1}
              aria-expanded={isExpanded}
              aria-selected={part === undefined ? undefined : part === 'all'}
              className={`source source-${kind}`}
              data-drop={drag?.over !== undefined && drag.over === document.id ? true : undefined}
              style={{ top }}
            >
              <RowCell
                row={row}
                part={part}
                isTabStop={isTabStop}
                isRenaming={renaming === key}
                isAssigned={isAssigned}
                leading={
                  kind === 'group' && group && !isExpanded
                    ? leadingDevice(group, isOfAssigned ? assigned.device : undefined)
                    : ''
                }
                actions={actions}
              />
            </div>
          );
        })}
      </div>
      {drag && (
        <p className="new-host" data-host="new-host" data-drop={drag.over === 'new-host' || undefined}>
          Drop here for a new host
        </p>
      )}
      {menu && (
        <RowMenu
          row={menu.row}
          button={menu.button}
          rename={() => actions.rename(menu.row)}
          close={() => setMenu(undefined)}
        />
      )}
    </div>
  );
}
