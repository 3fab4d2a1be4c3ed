import { describe, expect, test } from 'vitest';
import type { DeviceNode, DocumentNode, GroupNode, SourceNode } from '../../engine/protocol/documents.ts';
import {
  type CaseRow,
  caseRows,
  deviceKey,
  expandTo,
  foundGroups,
  isDeviceFound,
  leadingDevice,
  NO_FOLDS,
  parentOf,
  selectedPart,
  toggleFold,
} from './case-rows.ts';

const gpu: DeviceNode = {
  device: '0000:0b:00.0',
  name: 'NVIDIA Corporation GA104',
  class: 'VGA compatible controller',
  ids: '10de:2484',
  driver: 'vfio-pci',
};
const audio: DeviceNode = { device: '0000:0b:00.1', class: 'Audio device', ids: '10de:228b', driver: 'snd_hda_intel' };
const nic: DeviceNode = { device: '0000:04:00.0', name: 'Intel Corporation I350', driver: 'igb' };

function group(number: number, devices: readonly DeviceNode[], more: Partial<GroupNode> = {}): GroupNode {
  const title = `group ${number}`;
  return {
    key: `h/${title}`,
    title,
    devices,
    isSelectedByDefault: true,
    regions: [{ type: 'msi', count: 1 }],
    ...more,
  };
}

function source(id: string, name: string, more: Partial<SourceNode> = {}): SourceNode {
  const counts = { facts: 3, operations: 0, lines: 3, unrecognized: 0, diagnostics: 0, samples: [] };
  return { id, kind: 'file', name, isLive: false, formats: ['kernel log'], ...counts, ...more };
}

function host(more: Partial<DocumentNode> = {}): DocumentNode {
  return {
    id: 'h',
    kind: 'host',
    title: 'lab-3',
    sources: [source('s1', 'dmesg')],
    texts: ['dmesg'],
    isAmd: false,
    groups: [group(1, [nic]), group(15, [gpu, audio], { type: 'DMA-FQ' }), group(150, [])],
    spaces: [],
    layers: [],
    guests: [],
    hasHistory: false,
    diagnostics: [],
    diagnosticsMore: 0,
    events: 3,
    operations: 0,
    position: 3,
    ...more,
  };
}

/** A row a line, indented by its level: `▾` expanded, `▸` folded. */
function drawn(rows: readonly CaseRow[]): string[] {
  return rows.map(({ level, isExpanded, title }) => {
    const mark = isExpanded === undefined ? ' ' : isExpanded ? '▾' : '▸';
    return `${'  '.repeat(level - 1)}${mark} ${title}`;
  });
}

describe('the rows of the tree', () => {
  test('a host has its sources and its groups; groups are folded', () => {
    const rows = caseRows([host()], '', NO_FOLDS);
    expect(drawn(rows)).toEqual([
      '▾ lab-3',
      '  ▾ 1 source',
      '      dmesg',
      '  ▸ group 1',
      '  ▸ group 15',
      '    group 150',
    ]);
    expect(rows[0]).toMatchObject({ note: '3 groups', selects: ['h/group 1', 'h/group 15', 'h/group 150'] });
    expect(rows[2]?.note).toBe('file · kernel log · 3 facts');
    expect(rows[4]).toMatchObject({ note: 'DMA-FQ · msi', position: 3, setSize: 4 });
  });

  test('devices are named, and a refusal is said', () => {
    const groups = [group(3, [gpu, audio], { refusal: 'its region must stay mapped 1:1' })];
    const folds = toggleFold(NO_FOLDS, '', 'h/group 3');
    const rows = caseRows([host({ groups })], '', folds).filter(({ kind }) => kind === 'group' || kind === 'device');
    expect(drawn(rows)).toEqual([
      '  ▾ group 3',
      '      0000:0b:00.0 NVIDIA GA104 (vfio-pci)',
      '      0000:0b:00.1 Audio device 10de:228b (snd_hda_intel)',
    ]);
    expect(rows[0]?.note).toBe('msi · cannot be assigned');
  });

  test('a folded group is called by the device to assign, else by its first', () => {
    expect(leadingDevice(group(15, [gpu, audio]), undefined)).toBe('0b:00.0 NVIDIA GA104 (vfio-pci) and 1 more');
    expect(leadingDevice(group(15, [gpu, audio]), audio.device)).toMatch(/^0b:00\.1 .* and 1 more$/);
    expect(leadingDevice(group(1, []), undefined)).toBe('');
  });

  test('many sources are folded; a source with several texts is one row; its diagnostics are counted', () => {
    const many = ['a', 'b', 'c', 'd'].map((name) => source(name, name));
    const rows = caseRows([host({ sources: many })], '', NO_FOLDS);
    expect(rows[1]).toMatchObject({ title: '4 sources', note: 'a, b, c, d', isExpanded: false });
    const parts = [
      source('s1', 'sos', { kind: 'folder', diagnostics: 2 }),
      source('s1', 'sos', { kind: 'folder', formats: ['lspci'] }),
    ];
    const one = caseRows([host({ sources: parts })], '', NO_FOLDS).filter(({ kind }) => kind === 'source');
    expect(one.map(({ note }) => note)).toEqual(['folder or archive · kernel log · lspci · 6 facts · 2 diagnostics']);
  });

  test('a session has no sources of a host', () => {
    const rows = caseRows([host({ kind: 'session', groups: [], operations: 5 })], '', NO_FOLDS);
    expect(rows.map(({ title, note }) => [title, note])).toEqual([['lab-3', '5 operations']]);
    expect(rows[0]?.selects).toBeUndefined();
  });

  test('what contains a row', () => {
    const rows = caseRows([host()], '', toggleFold(NO_FOLDS, '', 'h/group 15'));
    const at = (title: string) => rows.findIndex((row) => row.title.startsWith(title));
    expect(rows[parentOf(rows, at('0000:0b:00.1'))]?.title).toBe('group 15');
    expect(rows[parentOf(rows, at('group 15'))]?.title).toBe('lab-3');
    expect(parentOf(rows, 0)).toBe(-1);
  });
});

describe('the filter of the tree', () => {
  const found = (filter: string, documents = [host()]) => drawn(caseRows(documents, filter, NO_FOLDS));

  test.each(['0b:00.0', '0000:0B:00.0', 'nvidia ga104', 'VFIO-PCI', '10de:2484', 'vga', 'lab-3 ga104', 'dma-fq vga'])(
    '%s finds the device in its group',
    (filter) => {
      expect(found(filter)).toEqual(['▾ lab-3', '  ▾ group 15', '      0000:0b:00.0 NVIDIA GA104 (vfio-pci)']);
    },
  );

  test('a number of a group finds no other group', () => {
    expect(found('group 15')).toEqual(['▾ lab-3', '  ▸ group 15']);
    expect(found('group 1')).toEqual(['▾ lab-3', '  ▸ group 1']);
    expect(found('group 15 audio')).toEqual([
      '▾ lab-3',
      '  ▾ group 15',
      '      0000:0b:00.1 Audio device 10de:228b (snd_hda_intel)',
    ]);
  });

  test('a name of a source, of a host, of nothing', () => {
    expect(found('dmesg')).toEqual(['▾ lab-3', '  ▾ 1 source', '      dmesg']);
    const other = host({ id: 'o', title: 'lab-4', groups: [], sources: [] });
    expect(found('lab-4', [host(), other])).toEqual(['  lab-4']);
    expect(found('quadro')).toEqual([]);
    expect(['', 'igb', 'group 15', 'quadro'].map((text) => foundGroups([host()], text))).toEqual([3, 1, 1, 0]);
  });

  test('a host stands for what the filter leaves', () => {
    expect(caseRows([host()], 'igb', NO_FOLDS)[0]?.selects).toEqual(['h/group 1']);
  });

  test('what is folded while filtered stays folded until the filter changes', () => {
    const folds = toggleFold(NO_FOLDS, 'vga', 'h/group 15');
    expect(drawn(caseRows([host()], 'vga', folds))).toEqual(['▾ lab-3', '  ▸ group 15']);
    expect(drawn(caseRows([host()], 'nvidia', folds))).toHaveLength(3);
    expect(drawn(caseRows([host()], '', folds))).toEqual(drawn(caseRows([host()], '', NO_FOLDS)));
    expect(toggleFold(folds, 'vga', 'h/group 15').filtered.size).toBe(0);
  });

  test('a place is expanded to', () => {
    const place = { documentId: 'h', groupKey: 'h/group 15', device: gpu.device };
    const folds = expandTo(toggleFold(NO_FOLDS, '', 'h'), place);
    const keys = caseRows([host()], '', folds).map(({ key }) => key);
    expect(keys).toContain(deviceKey('h/group 15', gpu.device));
  });
});

test('a device is found by what it is, its host and its group', () => {
  for (const text of ['', '0b:00.0', 'ga104 vfio', 'lab-3 10de', 'group 15', 'group 15 nvidia']) {
    expect(isDeviceFound(text, gpu, 'lab-3 group 15')).toBe(true);
  }
  for (const text of ['0c:00.0', 'group 1', 'ga104 igb'])
    expect(isDeviceFound(text, gpu, 'lab-3 group 15')).toBe(false);
});

test('how much is selected of what a box stands for', () => {
  const selected = new Set(['a', 'b']);
  expect(selectedPart(['a', 'b'], selected)).toBe('all');
  expect(selectedPart(['a', 'c'], selected)).toBe('some');
  expect(selectedPart(['c'], selected)).toBe('none');
  expect(selectedPart([], selected)).toBe('none');
});
