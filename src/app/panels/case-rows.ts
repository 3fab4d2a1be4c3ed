// The tree of the case as a list of rows: what is expanded and what the filter leaves. No React.
import { deviceTitle } from '../../analysis/host/devices.ts';
import type { DeviceNode, DocumentNode, GroupNode, SourceNode } from '../../engine/protocol/documents.ts';
import { counted } from '../../iova/format.ts';
import type { TreePlace } from '../state/app-state.ts';

export interface CaseRow {
  /** Unique in the tree. */
  readonly key: string;
  readonly kind: 'document' | 'sources' | 'source' | 'group' | 'device' | 'space';
  /** From 1 on. */
  readonly level: number;
  /** Among its siblings, from 1 on. */
  readonly position: number;
  readonly setSize: number;
  readonly document: DocumentNode;
  readonly title: string;
  readonly note: string;
  /** Undefined if there is nothing to expand. */
  readonly isExpanded?: boolean | undefined;
  /** Keys that its check box stands for; undefined: it has none. */
  readonly selects?: readonly string[] | undefined;
  readonly source?: SourceNode | undefined;
  readonly group?: GroupNode | undefined;
  readonly device?: DeviceNode | undefined;
}

/** Keys of the rows that a person expanded or folded: they are not as they would be by default. */
export interface Folds {
  /** Without a filter. */
  readonly all: ReadonlySet<string>;
  /** With `filter`; another filter starts with none. */
  readonly filter: string;
  readonly filtered: ReadonlySet<string>;
}

export const NO_FOLDS: Folds = { all: new Set(), filter: '', filtered: new Set() };

function foldsFor({ all, filter, filtered }: Folds, text: string): ReadonlySet<string> {
  if (text.trim() === '') return all;
  return filter === text ? filtered : new Set();
}

/** Expands what is folded and folds what is expanded. */
export function toggleFold(folds: Folds, filter: string, key: string): Folds {
  const next = new Set(foldsFor(folds, filter));
  if (!next.delete(key)) next.add(key);
  return filter.trim() === '' ? { ...folds, all: next } : { ...folds, filter, filtered: next };
}

/** Expands what a place is in, for a tree without a filter. */
export function expandTo(folds: Folds, { documentId, groupKey, device }: TreePlace): Folds {
  const all = new Set(folds.all);
  all.delete(documentId);
  if (device !== undefined) all.add(groupKey);
  return { ...folds, all };
}

/** A host with more sources than this shows them only when they are expanded. */
const SOURCES_SHOWN = 3;

type Unplaced = Omit<CaseRow, 'position' | 'setSize' | 'document'> & { readonly children?: readonly Unplaced[] };

/** Kept for each device: a filter of hundreds of groups is asked at every key. */
const deviceTexts = new WeakMap<DeviceNode, string>();

/** All that a person can type to find a device. */
function deviceText(node: DeviceNode): string {
  const known = deviceTexts.get(node);
  if (known !== undefined) return known;
  const { device, name = '', class: kind = '', ids = '', driver = '' } = node;
  const text = `${device} ${name} ${kind} ${ids} ${driver}`.toLowerCase();
  deviceTexts.set(node, text);
  return text;
}

/** What a filter asks for: every word has to be found; `group 7` names that group and no other. */
interface Filter {
  readonly words: readonly string[];
  readonly groups: readonly string[];
}

const GROUP = /\bgroup\s+(\d+)(?=\s|$)/g;

function parseFilter(text: string): Filter | undefined {
  const lower = text.trim().toLowerCase();
  if (lower === '') return undefined;
  const groups = [...lower.matchAll(GROUP)].map(([, number]) => `group ${number}`);
  const words = lower.replace(GROUP, ' ').split(/\s+/).filter(Boolean);
  return { words, groups };
}

function isMatch({ words }: Filter, text: string): boolean {
  return words.every((word) => text.includes(word));
}

/** The devices of a group that a filter asks for; undefined if the group is not found at all. */
function foundDevices(filter: Filter, document: DocumentNode, group: GroupNode): readonly DeviceNode[] | undefined {
  const { words, groups } = filter;
  if (groups.length > 0 && !groups.includes(group.title)) return undefined;
  const own = `${document.title} ${group.title} ${group.type ?? ''}`.toLowerCase();
  const rest = words.filter((word) => !own.includes(word));
  if (rest.length === 0) return [];
  const devices = group.devices.filter((device) => {
    const text = deviceText(device);
    return rest.every((word) => text.includes(word));
  });
  return devices.length > 0 ? devices : undefined;
}

/** True if a filter finds a device. `more`: other words for it, such as its host's name and its group. */
export function isDeviceFound(text: string, device: DeviceNode, more: string): boolean {
  const filter = parseFilter(text);
  if (!filter) return true;
  const all = `${deviceText(device)} ${more.toLowerCase()}`;
  return isMatch(filter, all) && filter.groups.every((group) => `${all} `.includes(` ${group} `));
}

/** How many groups a filter finds. */
export function foundGroups(documents: readonly DocumentNode[], text: string): number {
  const filter = parseFilter(text);
  return documents.reduce(
    (sum, document) =>
      sum + document.groups.filter((group) => !filter || foundDevices(filter, document, group) !== undefined).length,
    0,
  );
}

/** `msi, 2 direct` */
function regionsLabel({ regions }: GroupNode): string {
  return regions.map((r) => (r.count > 1 ? `${r.count} ${r.type}` : r.type)).join(', ');
}

function deviceRow(group: GroupNode, device: DeviceNode): Unplaced {
  return {
    key: deviceKey(group.key, device.device),
    kind: 'device',
    level: 3,
    title: fullTitle(device),
    note: '',
    group,
    device,
  };
}

/** `0000:0b:00.0 NVIDIA GA104 (vfio-pci)` */
function fullTitle(device: DeviceNode): string {
  const title = deviceTitle(device);
  return title.startsWith(device.device)
    ? title
    : `${device.device}${title.slice(title.split(' ', 1)[0]?.length ?? 0)}`;
}

/** Key of the row of a device. */
export function deviceKey(groupKey: string, device: string): string {
  return `${groupKey}/${device}`;
}

/** The device that stands for its group while that is folded, and how many others there are. */
export function leadingDevice({ devices }: GroupNode, assigned: string | undefined): string {
  const first = devices.find(({ device }) => device === assigned) ?? devices[0];
  if (!first) return '';
  return devices.length > 1 ? `${deviceTitle(first)} and ${devices.length - 1} more` : deviceTitle(first);
}

function groupRow(group: GroupNode, isExpanded: boolean, devices: readonly DeviceNode[]): Unplaced {
  const note = [group.type, regionsLabel(group), group.refusal === undefined ? '' : 'cannot be assigned'];
  return {
    key: group.key,
    kind: 'group',
    level: 2,
    title: group.title,
    note: note.filter(Boolean).join(' · '),
    selects: [group.key],
    group,
    ...(group.devices.length > 0 ? { isExpanded } : {}),
    children: isExpanded ? devices.map((device) => deviceRow(group, device)) : [],
  };
}

const KIND_LABELS: Readonly<Record<SourceNode['kind'], string>> = {
  file: 'file',
  folder: 'folder or archive',
  paste: 'pasted',
  live: 'live',
  sample: 'sample',
};

/** A source with several texts is one row. */
function sourcesById(sources: readonly SourceNode[]): SourceNode[] {
  const found = new Map<string, SourceNode>();
  for (const source of sources) {
    const known = found.get(source.id);
    found.set(
      source.id,
      known
        ? {
            ...known,
            formats: [...new Set([...known.formats, ...source.formats])],
            facts: known.facts + source.facts,
            operations: known.operations + source.operations,
          }
        : source,
    );
  }
  return [...found.values()];
}

function sourceRow(source: SourceNode): Unplaced {
  const { id, kind, name, formats, facts, operations, diagnostics } = source;
  const note = [
    KIND_LABELS[kind],
    ...formats.filter((format) => format !== 'live host'),
    counted(facts, 'fact'),
    operations > 0 ? counted(operations, 'operation') : '',
    diagnostics > 0 ? counted(diagnostics, 'diagnostic') : '',
  ];
  return { key: `source ${id}`, kind: 'source', level: 3, title: name, note: note.filter(Boolean).join(' · '), source };
}

function sourcesRow(document: DocumentNode, sources: readonly SourceNode[], isExpanded: boolean): Unplaced {
  return {
    key: sourcesKey(document.id),
    kind: 'sources',
    level: 2,
    title: counted(sources.length, 'source'),
    note: isExpanded ? '' : sources.map(({ name }) => name).join(', '),
    isExpanded,
    children: isExpanded ? sources.map(sourceRow) : [],
  };
}

function sourcesKey(documentId: string): string {
  return `${documentId} sources`;
}

function otherRows({ spaces, layers }: DocumentNode): Unplaced[] {
  const row = (key: string, title: string, note: string): Unplaced => ({
    key,
    kind: 'space',
    level: 2,
    title,
    note,
    selects: [key],
  });
  return [
    ...spaces.map((space) => row(space.key, space.title, space.note ?? counted(space.areas ?? 0, 'area'))),
    ...layers.map((layer) => row(layer.key, layer.title, layer.note)),
  ];
}

function documentRow(
  document: DocumentNode,
  filter: Filter | undefined,
  toggled: ReadonlySet<string>,
): Unplaced | undefined {
  const { id, title, groups, spaces, operations } = document;
  const isFound = (text: string) =>
    !filter || (filter.groups.length === 0 && isMatch(filter, `${title} ${text}`.toLowerCase()));
  const all = document.kind === 'host' ? sourcesById(document.sources) : [];
  const sources = all.filter(({ name, formats }) => isFound(`${name} ${formats.join(' ')}`));
  const children: Unplaced[] = [];
  if (sources.length > 0) {
    const byDefault = filter !== undefined || all.length <= SOURCES_SHOWN;
    children.push(sourcesRow(document, sources, byDefault !== toggled.has(sourcesKey(id))));
  }
  const selects: string[] = [];
  for (const group of groups) {
    const devices = filter ? foundDevices(filter, document, group) : group.devices;
    if (!devices) continue;
    const byDefault = filter !== undefined && devices.length > 0;
    children.push(groupRow(group, byDefault !== toggled.has(group.key), devices.length > 0 ? devices : group.devices));
    selects.push(group.key);
  }
  for (const row of otherRows(document)) {
    if (!isFound(`${row.title} ${row.note}`)) continue;
    children.push(row);
    selects.push(row.key);
  }
  if (filter && children.length === 0 && !isFound('')) return undefined;
  const parts = [
    groups.length > 0 ? counted(groups.length, 'group') : '',
    spaces.length > 0 ? counted(spaces.length, 'address space') : '',
    operations > 0 ? counted(operations, 'operation') : '',
  ];
  const isExpanded = !toggled.has(id);
  return {
    key: id,
    kind: 'document',
    level: 1,
    title,
    note: parts.filter(Boolean).join(' · '),
    ...(children.length > 0 ? { isExpanded } : {}),
    ...(selects.length > 0 ? { selects } : {}),
    children: isExpanded ? children : [],
  };
}

/** The rows of all documents that are visible or could be scrolled to, from top to bottom. */
export function caseRows(documents: readonly DocumentNode[], text: string, folds: Folds): CaseRow[] {
  const filter = parseFilter(text);
  const toggled = foldsFor(folds, text);
  const rows: CaseRow[] = [];
  const add = (document: DocumentNode, siblings: readonly Unplaced[]) => {
    for (const [index, { children = [], ...row }] of siblings.entries()) {
      rows.push({ ...row, document, position: index + 1, setSize: siblings.length });
      add(document, children);
    }
  };
  const tops = documents.flatMap((document) => {
    const row = documentRow(document, filter, toggled);
    return row ? [{ document, row }] : [];
  });
  for (const [index, { document, row }] of tops.entries()) {
    const { children = [], ...top } = row;
    rows.push({ ...top, document, position: index + 1, setSize: tops.length });
    add(document, children);
  }
  return rows;
}

export type Selected = 'none' | 'some' | 'all';

/** How much is selected of what a check box stands for. */
export function selectedPart(selects: readonly string[], selected: ReadonlySet<string>): Selected {
  const count = selects.filter((key) => selected.has(key)).length;
  if (count === 0) return 'none';
  return count < selects.length ? 'some' : 'all';
}

/** The row that contains a row: the nearest one above it with a lower level; -1 for a top row. */
export function parentOf(rows: readonly CaseRow[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let i = index - 1; i >= 0; i--) {
    if ((rows[i]?.level ?? 1) < level) return i;
  }
  return -1;
}
