// Documents: how they are read, moved and shown.
import { describe, expect, test, vi } from 'vitest';
import { MappingCollector, mappingSets } from '../../analysis/host/mappings.ts';
import { createModel } from '../../kernel/models.ts';
import { replay } from '../../kernel/replay/replay.ts';
import { isFact, isOperation } from '../../session/events.ts';
import { PackedList } from '../../session/packed-list.ts';
import { readSession } from '../../session/read.ts';
import { eventsOf } from '../../timeline/testing/sources.ts';
import { documentFrom, filesOf, sessionDocument, sessionText } from '../testing/documents.ts';
import { isEmpty, moveTo, onlyDiagnostics, stateOf } from './document.ts';
import { documentNode, layersIn } from './document-node.ts';
import { guestKey, layerKey, mappingKey, reportedKey, spaceKey } from './keys.ts';
import { finalMappingState, mappingStateAt } from './mapping-states.ts';
import { DIAGNOSTICS_MAX, diagnosticOf, inputOf, readDocument } from './read-document.ts';

const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '1' };
const GONE = { kind: 'gone', event: 1 };
const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const MAP = { kind: 'map', start: '0x1000', last: '0x1fff', origin: 'ftrace' };
const INFO = { kind: 'diagnostic', severity: 'info', code: 'x', message: 'y' };
const WARNING = { ...INFO, severity: 'warning' };
const CONTEXT = { signal: new AbortController().signal, progress: () => undefined };

describe('reading', () => {
  test('counts operations and facts, and lists diagnostics with their place', async () => {
    const document = await sessionDocument('d', [MSI, ALLOC, { ...WARNING, source: 'log', line: 3 }, INFO], {
      model: 'iommufd',
    });
    expect(document).toMatchObject({
      operations: 1,
      position: 4,
      model: 'iommufd',
      hasGone: false,
      diagnosticsMore: 0,
    });
    expect(document.diagnostics.slice(0, 2)).toEqual([
      { severity: 'warning', code: 'x', message: 'y', source: 'log', line: 3 },
      { severity: 'info', code: 'x', message: 'y', source: 'd.jsonl', line: 5 },
    ]);
    const bare = { kind: 'diagnostic', severity: 'info', code: 'x', message: 'y' } as const;
    expect(diagnosticOf(bare, 'title')).toMatchObject({ source: 'title', line: undefined });
    expect(document.states).toBeDefined();
  });

  test('needs no model without operations', async () => {
    const document = await sessionDocument('d', [MSI], { model: 'iommufd' });
    expect([document.states, document.model]).toEqual([undefined, undefined]);
  });

  test('lists five hundred diagnostics and counts the rest', async () => {
    const lines = (n: number) => Array.from({ length: n }, () => INFO);
    const exact = await sessionDocument('d', lines(DIAGNOSTICS_MAX));
    expect([exact.diagnostics.length, exact.diagnosticsMore]).toEqual([500, 0]);
    const more = await sessionDocument('d', lines(DIAGNOSTICS_MAX + 7));
    expect([more.diagnostics.length, more.diagnosticsMore]).toEqual([500, 7]);
  });

  test('keeps the events of a long session in columns: all of them, in their order', async () => {
    const at = (i: number) => `"0x${(i * 4096).toString(16)}"`;
    const lines = Array.from({ length: 6000 }, (_, i) => {
      const map = (name: string, more = '') =>
        `{"op":"ioas.map","ioas":"${name}","flags":["fixed","read"],"user_va":${at(i)},"length":"0x1000","iova":${at(i)}${more}}`;
      if (i % 11 === 1) return `{"op":"ioas.unmap","ioas":"a","iova":${at(i - 1)},"length":"0x1000"}`;
      if (i % 501 === 0) return `{"kind":"reserved","start":${at(i)},"last":${at(i + 1)},"type":"msi","group":"g${i}"}`;
      if (i % 503 === 0) return `{"kind":"later","at":${at(i)}}`;
      if (i % 509 === 0) return map('ä');
      if (i % 521 === 0) return map('a', ',"line":7');
      if (i % 17 === 5) return map('a').replace('"0x1000"', '"0xA000"');
      // More names than there are shapes, each several times.
      return i % 7 === 0 ? map(`n${i % 60}`) : map('a', i % 5 === 0 ? `,"expect":{"ret":0,"iova":${at(i)}}` : '');
    });
    const header = '{"format":"iova-trace","version":1,"model":"iommufd"}';
    const alloc = ['a', 'ä', ...Array.from({ length: 60 }, (_, i) => `n${i}`)].map(
      (ioas) => `{"op":"ioas.alloc","ioas":"${ioas}"}`,
    );
    const text = [header, ...alloc, ...lines, ''].join('\n');
    const addedByNumbers = vi.spyOn(PackedList.prototype, 'pushWords');
    const { session, states, operations } = await documentFrom('d', { 'd.jsonl': text });
    expect(addedByNumbers.mock.calls.length).toBeGreaterThan(0);
    addedByNumbers.mockRestore();
    const { session: plain } = readSession(text);
    expect(session.events.unpacked).toBeDefined();
    expect(operations).toBe(plain.events.filter(isOperation).length);
    const own = [...session.events].map((event) => {
      if (!isFact(event)) return event;
      const { source, line, ...fact } = event;
      return fact;
    });
    expect(own).toEqual([...plain.events]);
    expect([...session.verbatim.events.values()]).toEqual(
      plain.events.flatMap((event, i) => ('unknown' in event ? [`${lines[i - alloc.length]}\n`] : [])),
    );
    const one = createModel({ model: 'iommufd' });
    if (!one.ok) throw new Error(one.message);
    const steps = [...replay({ ...session, events: [...session.events] }, one.model)];
    expect(session.events.flatMap((_, i) => states?.stepAt(i) ?? [])).toEqual(steps);
    expect(states?.stateAt(session.events.length).space('a')?.areaCount).toBe(one.model.space('a')?.areaCount);
  });

  test('keeps problems of a session file out of its events, and unknown lines as they were', async () => {
    const text = `${sessionText([MSI])}{"kind":"later","x":1}\nnonsense\n${JSON.stringify(ALLOC)}\n`;
    const document = await documentFrom('d', { 'd.jsonl': text });
    expect(document.session.events.map((event) => ('unknown' in event ? event.unknown : 'known'))).toEqual([
      'known',
      'kind',
      'line',
      'known',
    ]);
    expect([...document.session.verbatim.events]).toEqual([
      [1, '{"kind":"later","x":1}\n'],
      [2, 'nonsense\n'],
    ]);
    expect(document.diagnostics.filter(({ code }) => code === 'unknown-kind' || code === 'not-json')).toHaveLength(2);
  });

  test('a title in the header is the title', async () => {
    expect((await sessionDocument('d', [MSI], { title: 'a trace' })).title).toBe('a trace');
    expect((await sessionDocument('d', [MSI])).title).toBe('d');
  });

  test('texts are files that facts were read from, and can be read again', async () => {
    const document = await sessionDocument('d', [
      { ...MSI, source: 'other' },
      { ...MSI, source: 'd.jsonl/member' },
      { ...MSI, source: 'd.jsonlx' },
    ]);
    expect(document.texts).toEqual(['d.jsonl/member']);
    const files = filesOf({ 'd.jsonl': sessionText([MSI]) });
    const unread = await readDocument('d', 'd', files.map(inputOf), CONTEXT);
    expect([unread.texts, unread.files]).toEqual([[], []]);
  });

  test('files of one folder belong together', () => {
    const tree = (name: string) => inputOf({ name, data: new Blob(['abc']) }).tree;
    expect(['a/b/c', '/a/b', 'a', 'a/', '/a'].map(tree)).toEqual(['a', '/a', undefined, 'a', undefined]);
    expect(inputOf({ name: 'x', data: new Blob(['abc']), link: 'y' })).toMatchObject({ size: 3, link: 'y' });
  });
});

describe('a document', () => {
  test('is empty if nothing is in it but what went wrong', async () => {
    const empty = async (lines: readonly object[]) => isEmpty(await sessionDocument('d', lines));
    expect(await empty([WARNING])).toBe(true);
    expect(await empty([INFO, WARNING])).toBe(true);
    expect(await empty([MSI, WARNING])).toBe(false);
    expect(await empty([INFO])).toBe(false);
    expect(isEmpty(await documentFrom('d', { x: 'hello\n' }))).toBe(true);
    const complaint = await documentFrom('d', { x: 'vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded\n' });
    expect([onlyDiagnostics(complaint), isEmpty(complaint)]).toEqual([true, false]);
    expect(onlyDiagnostics(await sessionDocument('d', [INFO, ALLOC]))).toBe(false);
  });

  test('moves within its events', async () => {
    const document = await sessionDocument('d', [ALLOC, { ...ALLOC, ioas: 'b' }], { model: 'iommufd' });
    const at = (position: number) => {
      moveTo(document, position);
      return [document.position, stateOf(document)?.spaces().length];
    };
    expect([at(1), at(-3), at(1.9), at(99)]).toEqual([
      [1, 1],
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  test('has the host of its position only if facts come and go', async () => {
    const document = await sessionDocument('d', [MSI, GONE]);
    expect(document.hasGone).toBe(true);
    expect(document.host.groups).toHaveLength(0);
    moveTo(document, 1);
    expect(document.host.groups).toHaveLength(1);
    moveTo(document, 0);
    expect(document.host.groups).toHaveLength(0);
    const fixed = await sessionDocument('d', [MSI]);
    moveTo(fixed, 0);
    expect(fixed.host.groups).toHaveLength(1);
  });

  test('of a live host follows from its end, or as it is told', async () => {
    const document = await sessionDocument('d', [MSI, MSI]);
    document.live = { isFollowing: true };
    const follows = (position: number, follow?: boolean) => {
      moveTo(document, position, follow);
      return document.live?.isFollowing;
    };
    expect([follows(1), follows(2), follows(2, false), follows(1, true)]).toEqual([false, true, false, true]);
  });
});

describe('in the tree of sources', () => {
  test('a document has its groups with their regions by type', async () => {
    const lines = [
      MSI,
      { ...MSI, start: '0x1000', last: '0x1fff' },
      { ...MSI, type: 'direct', start: '0x5000', last: '0x5fff' },
      { kind: 'group', group: '1', type: 'DMA', devices: ['x'] },
    ];
    const node = documentNode(await sessionDocument('d', lines));
    expect(node.groups).toEqual([
      {
        key: expect.any(String),
        title: 'group 1',
        type: 'DMA',
        devices: [{ device: 'x' }],
        refusal: 'its region 0x5000-0x5fff must stay mapped 1:1',
        isSelectedByDefault: true,
        regions: expect.arrayContaining([
          { type: 'msi', count: 2 },
          { type: 'direct', count: 1 },
        ]),
      },
    ]);
    expect(node.sources).toMatchObject([{ name: 'd.jsonl', facts: 4, operations: 0, unrecognized: 0 }]);
  });

  test('what a source has to say of itself is no fact', async () => {
    const node = documentNode(await sessionDocument('d', [MSI, INFO]));
    expect(node.sources[0]?.facts).toBe(1);
    expect(node.diagnostics).toHaveLength(1);
  });

  test('spaces are what kernels reported, then those of the model', async () => {
    const valid = { kind: 'valid_range', start: '0x0', last: '0xffff', container: 'c' };
    const open = { op: 'container.open', container: 'k', model: 'type1' };
    const node = documentNode(await sessionDocument('d', [valid, open], { model: 'type1' }));
    expect(node.spaces).toEqual([
      { key: 'd/reported c', title: 'c', isShown: true, note: 'reported by the kernel' },
      { key: 'd/space k', title: 'k', isShown: true, areas: 0, hasInfo: true },
    ]);
    expect(node).toMatchObject({ model: 'type1', recordedModel: 'type1', position: 2, events: 2 });
    const ioas = documentNode(await sessionDocument('d', [ALLOC], { model: 'iommufd' }));
    expect(ioas.spaces[0]?.hasInfo).toBe(false);
    const held = documentNode(await sessionDocument('d', [{ ...valid, process: 'qemu', pid: 7 }]));
    expect(held.spaces[0]?.note).toBe('qemu (7)');
  });

  test('layers are mappings, guests, and what the table of lanes has', async () => {
    const lines = [
      MAP,
      { kind: 'guest', start: '0x0', last: '0xffff', name: 'ram', type: 'ram', source: 'vm' },
      { kind: 'window', start: '0x0', last: '0xffff', name: 'ram', depth: 0, type: 'ram' },
      { kind: 'bar', device: 'x', index: 0, start: '0x10000', last: '0x1ffff' },
      { kind: 'fault', address: '0x1000' },
    ];
    const document = await sessionDocument('d', lines);
    const node = documentNode(document);
    expect(node.layers.map(({ key, title, note, isShown }) => [key, title, note, isShown])).toEqual([
      [`d/mappings ${document.mappings[0]?.key}`, expect.any(String), '1 event · unknown domain', true],
      ['d/guest vm', 'guest layout', '1 range', true],
      ['d/layer faults', 'faults', '1 fault', true],
      ['d/layer bars', 'BARs', 'physical · 1 BAR', false],
      ['d/layer windows', 'memory map', 'physical · 1 window', false],
    ]);
    expect(node.guests).toEqual(['vm']);
    expect(layersIn(document.host).map(({ kind }) => kind)).toEqual(['faults', 'bars', 'windows']);
  });

  test('physical addresses are shown at first only if there is nothing else', async () => {
    const window = { kind: 'window', start: '0x0', last: '0xffff', name: 'ram', depth: 0, type: 'ram' };
    const guest = { kind: 'guest', start: '0x0', last: '0xffff', name: 'ram', type: 'ram' };
    const shown = async (...lines: readonly object[]) =>
      documentNode(await sessionDocument('d', lines)).layers.find(({ title }) => title === 'memory map')?.isShown;
    expect([
      await shown(window),
      await shown(window, MSI),
      await shown(window, guest),
      await shown(window, MAP),
    ]).toEqual([true, false, false, false]);
  });

  test('of several guests each is named after its source', async () => {
    const guest = (source: string, last: string) => ({
      kind: 'guest',
      start: '0x0',
      last,
      name: 'ram',
      type: 'ram',
      source,
    });
    const node = documentNode(await sessionDocument('d', [guest('a', '0xfff'), guest('b', '0x1fff')]));
    expect(node.layers.map(({ note }) => note)).toEqual(['1 range · a', '1 range · b']);
    const live = await sessionDocument('d', [guest('a', '0xfff')]);
    live.live = { isFollowing: false };
    expect(documentNode(live)).toMatchObject({
      layers: [{ note: '1 range · a' }],
      live: { isFollowing: false },
      hasHistory: true,
    });
  });

  test('it has a history if its state changes over its events', async () => {
    const history = async (lines: readonly object[]) => documentNode(await sessionDocument('d', lines)).hasHistory;
    const table = { ...MAP, origin: 'page-table', device: 'x' };
    expect(await history([MSI])).toBe(false);
    expect(await history([ALLOC])).toBe(true);
    expect(await history([MSI, GONE])).toBe(true);
    expect(await history([MAP])).toBe(false);
    expect(await history([MAP, { ...MAP, start: '0x3000', last: '0x3fff' }])).toBe(true);
    expect(await history([table, { ...table, start: '0x3000', last: '0x3fff' }])).toBe(false);
  });
});

test('keys are part of links', () => {
  const owner = { id: 'd' };
  expect([spaceKey(owner, 'a'), reportedKey(owner, 'c'), layerKey(owner, 'bars')]).toEqual([
    'd/space a',
    'd/reported c',
    'd/layer bars',
  ]);
  expect([mappingKey(owner, { key: 'k' }), guestKey(owner, { source: 's' })]).toEqual(['d/mappings k', 'd/guest s']);
});

describe('states of mappings', () => {
  const second = { ...MAP, start: '0x3000', last: '0x3fff' };

  test('are kept for each set, one that moves and one at the end', () => {
    const [set] = mappingSets(eventsOf([MAP, second]));
    if (!set) throw new Error('no set');
    const state = mappingStateAt(set, 1);
    expect(state.size).toBe(1);
    expect(finalMappingState(set).size).toBe(2);
    expect([state.size, mappingStateAt(set, 2) === state, state.size]).toEqual([1, true, 2]);
    expect(finalMappingState(set)).not.toBe(state);
  });

  test('the end of a live host’s set moves on', () => {
    const collector = new MappingCollector();
    const [first, next] = eventsOf([MAP, second]);
    if (!first || !next) throw new Error('no events');
    collector.add(first, 1);
    const size = () => collector.all().map((set) => finalMappingState(set).size);
    expect(size()).toEqual([1]);
    collector.add(next, 2);
    expect(size()).toEqual([2]);
  });
});
