import { useMemo, useState } from 'react';
import {
  Button,
  Checkbox,
  Collection,
  type Key,
  type Selection,
  Tree,
  TreeItem,
  TreeItemContent,
} from 'react-aria-components';
import type { DocumentNode, GroupNode } from '../../engine/protocol/documents.ts';
import type { LiveState } from '../../engine/protocol/live.ts';
import { counted } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { CONNECTION_LABELS } from '../state/connection-labels.ts';
import { close, selectableKeys, setSelectedGroups } from '../state/documents.ts';
import './sources.css';

interface Row {
  readonly key: string;
  readonly title: string;
  readonly note: string;
  readonly level: 'document' | 'group' | 'device';
  readonly children: readonly Row[];
  /** Of a live host. */
  readonly connection?: LiveState['connection'] | undefined;
}

function groupRow(group: GroupNode): Row {
  const regions = group.regions.map((r) => (r.count > 1 ? `${r.count} ${r.type}` : r.type)).join(', ');
  return {
    key: group.key,
    title: group.title,
    note: [group.type, regions].filter(Boolean).join(' · '),
    level: 'group',
    children: group.devices
      .filter((device) => device !== group.title)
      .map((device) => ({ key: `${group.key}/${device}`, title: device, note: '', level: 'device', children: [] })),
  };
}

function documentRow(document: DocumentNode, connection: LiveState['connection'] | undefined): Row {
  const count = document.groups.length;
  const parts = [
    connection === undefined ? '' : CONNECTION_LABELS[connection],
    count > 0 ? counted(count, 'group') : '',
    document.spaces.length > 0 ? counted(document.spaces.length, 'address space') : '',
    document.operations > 0 ? counted(document.operations, 'operation') : '',
  ];
  return {
    key: document.id,
    title: document.title,
    note: parts.filter(Boolean).join(' · '),
    level: 'document',
    connection,
    children: [
      ...document.groups.map(groupRow),
      ...document.spaces.map(
        (space): Row => ({
          key: space.key,
          title: space.title,
          note: space.note ?? counted(space.areas ?? 0, 'area'),
          level: 'group',
          children: [],
        }),
      ),
      ...document.layers.map(({ key, title, note }): Row => ({ key, title, note, level: 'group', children: [] })),
    ],
  };
}

/** The selected keys after a change in the tree: selecting a host selects everything below it. */
function keysAfter(documents: readonly DocumentNode[], before: ReadonlySet<Key>, after: ReadonlySet<Key>): string[] {
  return documents.flatMap((document) => {
    const keys = selectableKeys(document);
    const wasWhole = before.has(document.id);
    const isWhole = after.has(document.id);
    if (wasWhole !== isWhole) return isWhole ? keys : [];
    return keys.filter((key) => after.has(key));
  });
}

type Selected = 'none' | 'some' | 'all';

/** How much of a document is selected; `none` if it has nothing to select. */
function selectedPart(document: DocumentNode, selectedGroups: ReadonlySet<Key>): Selected {
  const keys = selectableKeys(document);
  const count = keys.filter((key) => selectedGroups.has(key)).length;
  if (count === 0) return 'none';
  return count < keys.length ? 'some' : 'all';
}

function SelectBox({ isPartly = false }: { isPartly?: boolean }) {
  return (
    <Checkbox slot="selection" className="select-box" isIndeterminate={isPartly}>
      <span className="select-box-mark" aria-hidden="true" />
    </Checkbox>
  );
}

/** Indeterminate if a part of the host is selected. */
function HostSelectBox({ id }: { id: string }) {
  const document = useApp((s) => s.documents.find((d) => d.id === id));
  const selectedGroups = useApp((s) => s.selectedGroups);
  const isPartly = useMemo(
    () => !!document && selectedPart(document, new Set(selectedGroups)) === 'some',
    [document, selectedGroups],
  );
  return <SelectBox isPartly={isPartly} />;
}

function Rows({ row }: { row: Row }) {
  return (
    <TreeItem id={row.key} textValue={row.title} className={`source source-${row.level}`}>
      <TreeItemContent>
        {({ hasChildItems, isExpanded, selectionMode }) => (
          <div className="source-row">
            {hasChildItems ? (
              <Button slot="chevron" className="chevron">
                <span aria-hidden="true">{isExpanded ? '▾' : '▸'}</span>
              </Button>
            ) : (
              row.level !== 'device' && <span className="chevron" />
            )}
            {selectionMode === 'multiple' && row.level === 'document' && <HostSelectBox id={row.key} />}
            {selectionMode === 'multiple' && row.level === 'group' && <SelectBox />}
            <span className="source-label">
              <span className="source-title">
                {row.connection && <span className={`live-dot live-${row.connection}`} aria-hidden="true" />}{' '}
                {row.title}
              </span>
              <span className="source-note">{row.note}</span>
            </span>
            {row.level === 'document' && (
              <Button className="quiet" aria-label={`Close ${row.title}`} onPress={() => void close(row.key)}>
                ×
              </Button>
            )}
          </div>
        )}
      </TreeItemContent>
      <Collection items={row.children.map((child) => ({ ...child, id: child.key }))}>
        {(child) => <Rows row={child} />}
      </Collection>
    </TreeItem>
  );
}

/** Hosts, groups and devices. The selected groups share one address space. */
export function SourcesPanel() {
  const documents = useApp((s) => s.documents);
  const selectedGroups = useApp((s) => s.selectedGroups);
  const live = useApp((s) => s.live);
  const rows = useMemo(() => documents.map((d) => documentRow(d, live[d.id]?.connection)), [documents, live]);
  const [folded, setFolded] = useState<ReadonlySet<Key>>(new Set());
  const devices = rows.flatMap((d) => d.children.flatMap((g) => g.children.map((device) => device.key)));
  const expanded = rows.map((d) => d.key).filter((key) => !folded.has(key));
  const [opened, setOpened] = useState<ReadonlySet<Key>>(new Set());
  const selected = useMemo(() => {
    const keys = new Set<Key>(selectedGroups);
    const whole = documents.filter((document) => selectedPart(document, keys) === 'all');
    return new Set([...keys, ...whole.map(({ id }) => id)]);
  }, [documents, selectedGroups]);

  const change = (selection: Selection) => {
    const after = selection === 'all' ? new Set<Key>([...documents.map((d) => d.id)]) : selection;
    void setSelectedGroups(keysAfter(documents, selected, after));
  };

  return (
    <section className="panel sources" aria-label="Sources">
      <h2>Sources</h2>
      {rows.length === 0 ? (
        <p className="hint">Nothing is open. Drop or paste a dump, or open a sample.</p>
      ) : (
        <Tree
          aria-label="Hosts, groups and devices"
          className="tree"
          selectionMode="multiple"
          selectionBehavior="toggle"
          selectedKeys={selected}
          onSelectionChange={change}
          disabledKeys={devices}
          disabledBehavior="selection"
          expandedKeys={[...expanded, ...opened]}
          onExpandedChange={(keys) => {
            const tops: Key[] = rows.map((row) => row.key);
            setFolded(new Set(tops.filter((key) => !keys.has(key))));
            setOpened(new Set([...keys].filter((key) => !tops.includes(key))));
          }}
          items={rows.map((row) => ({ ...row, id: row.key }))}
        >
          {(row) => <Rows row={row} />}
        </Tree>
      )}
    </section>
  );
}
