import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { sliceWindow } from '../timeline/axis/slice.ts';
import { fitAll } from '../timeline/axis/viewport.ts';
import type { GuestChoice } from './protocol/answers.ts';
import { Asker } from './testing/documents.ts';

const DUMP = `/sys/kernel/iommu_groups/3/reserved_regions:0x000000003f000000 0x000000003f7fffff direct
/sys/kernel/iommu_groups/3/reserved_regions:0x00000000fee00000 0x00000000feefffff msi
/sys/kernel/iommu_groups/4/reserved_regions:0x00000000fee00000 0x00000000feefffff msi
`;
const TRACE = `{"format":"iova-trace","version":1,"model":"iommufd","title":"a trace"}
{"op":"ioas.alloc","ioas":"a"}
{"op":"ioas.map","ioas":"a","flags":["fixed","read","write"],"user_va":"0x10000","length":"0x2000","iova":"0x4000","expect":{"ret":0,"iova":"0x4000"}}
{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x20000","length":"0x1000","iova":"0x5000","expect":{"ret":"-ENOENT"}}
{"op":"ioas.frobnicate","ioas":"a"}
`;

describe('the engine', () => {
  test('opens a dump, lays out its lanes and cuts them', async () => {
    const asker = new Asker();
    const node = await asker.open('d', DUMP);
    expect(node.groups.map((g) => g.title)).toEqual(['group 3', 'group 4']);
    expect(node.groups[0]?.regions).toEqual([
      { type: 'direct', count: 1 },
      { type: 'msi', count: 1 },
    ]);
    const arrangement = await asker.arrangeAll();
    expect(arrangement.spaces[0]?.lanes.map((l) => l.title)).toEqual(['aperture', 'reserved', 'usable']);
    const window = sliceWindow(fitAll(arrangement.scale, 1000));
    const [space] = await asker.ask('slice', { revision: arrangement.revision, window });
    const row = space?.lanes[1]?.rows[0];
    expect([...(row?.starts ?? [])]).toEqual([0x3f000000n, 0xfee00000n]);
    const stale = await asker.engine.call('slice', { revision: arrangement.revision - 1, window });
    expect(stale).toMatchObject({ ok: false, error: { code: 'outdated' } });
  });

  test('describes a range with its meaning, its origin and its neighbours', async () => {
    const asker = new Asker();
    await asker.open('d', DUMP);
    await asker.arrangeAll();
    const found = await asker.ask('find', { text: '0xfee00abc', limit: 10 });
    const hit = found.find(({ target }) => target?.laneId.endsWith('#reserved'))?.target;
    if (!hit) throw new Error('nothing found');
    const detail = await asker.ask('describe', hit);
    expect(detail).toMatchObject({ title: 'MSI window (msi)', style: 'msi', laneTitle: 'reserved' });
    expect(detail.target).toMatchObject({ start: 0xfee00000n, last: 0xfeefffffn });
    expect(detail.parts.map((p) => [p.owner, p.provenance[0]])).toEqual([
      ['group 3', { source: 'd.txt', line: 2 }],
      ['group 4', { source: 'd.txt', line: 3 }],
    ]);
    expect(detail.before).toMatchObject({ caption: 'direct', distance: 0xfee00000n - 0x3f800000n });
    expect(detail.after).toBeUndefined();
    const gone = await asker.engine.call('describe', { ...hit, laneId: 'nowhere' });
    expect(gone).toMatchObject({ ok: false, error: { code: 'no-such-range' } });
  });

  test('walks through all ranges and back, lane by lane', async () => {
    const asker = new Asker();
    await asker.open('d', DUMP);
    const { total } = await asker.arrangeAll();
    const table = await asker.ask('table', { offset: 0, limit: 100 });
    expect(table.total).toBe(total);
    expect(table.rows).toHaveLength(total);
    let target = await asker.ask('step', { direction: 'next' });
    const seen = [];
    for (let i = 0; i < total && target; i++) {
      seen.push(`${target.laneId} ${target.start}`);
      target = await asker.ask('step', { from: target, direction: 'next' });
    }
    expect(seen).toEqual(table.rows.map((r) => `${r.target.laneId} ${r.target.start}`));
    expect(target).toEqual(table.rows[0]?.target);
    const back = await asker.ask('step', { ...(target ? { from: target } : {}), direction: 'previous' });
    expect(back).toEqual(table.rows.at(-1)?.target);
    const middle = await asker.ask('table', { offset: 2, limit: 2 });
    expect(middle.rows).toEqual(table.rows.slice(2, 4));
  });

  test('runs a trace, shows its space at any moment, and says what was refused, recorded otherwise or unknown', async () => {
    const asker = new Asker();
    const node = await asker.open('t', TRACE, 't.jsonl');
    expect(node).toMatchObject({ title: 'a trace', model: 'iommufd', operations: 3, position: 4 });
    const arrangement = await asker.arrangeAll();
    expect(arrangement.spaces[0]?.lanes.map((l) => [l.title, l.total])).toEqual([
      ['aperture', 1],
      ['reserved', 0],
      ['areas', 1],
      ['holes', 2],
      ['usable', 1],
    ]);
    const events = await asker.ask('events', { id: 't', offset: 0, limit: 10 });
    expect(events[1]).toMatchObject({ position: 2, answer: '0 (iova 0x4000)' });
    expect(events[2]).toMatchObject({ answer: '-EEXIST', expected: '-ENOENT' });
    expect(events[2]?.refused).toMatchObject({
      requested: { start: 0x5000n, last: 0x5fffn },
      obstacle: { start: 0x4000n, last: 0x5fffn },
    });
    expect(events[2]?.refused?.message).toContain('0x4000 – 0x5fff');
    expect(events[3]?.refused?.message).toContain('ioas.frobnicate');
    const earlier = await asker.ask('seek', { id: 't', position: 1 });
    expect(earlier.spaces).toMatchObject([{ title: 'a', areas: 0 }]);
    expect((await asker.ask('seek', { id: 't', position: 0 })).spaces).toEqual([]);
    expect((await asker.ask('seek', { id: 't', position: 99 })).position).toBe(4);
  });

  test('saves what was opened as a session that opens again as the same', async () => {
    const asker = new Asker();
    const before = await asker.open('d', DUMP);
    const text = await (await asker.ask('save', { id: 'd' })).text();
    const after = await asker.open('again', text);
    expect(after.groups.map((g) => ({ ...g, key: '' }))).toEqual(before.groups.map((g) => ({ ...g, key: '' })));
    await asker.open('t', TRACE);
    expect(await (await asker.ask('save', { id: 't' })).text()).toBe(TRACE);
  });

  test('what a kernel reported of a container is an address space of its own', async () => {
    const asker = new Asker();
    const node = await asker.open(
      'r',
      [
        '{"format":"iova-trace","version":1}',
        '{"kind":"valid_range","start":"0x0","last":"0xfedfffff","container":"c1"}',
        '{"kind":"valid_range","start":"0xfef00000","last":"0xffffffffffff","container":"c1"}',
        '{"kind":"valid_range","start":"0x1000","last":"0x1fff","ioas":"i2"}',
        '{"kind":"aperture","start":"0x0","last":"0xffffffffffff","container":"c1","pgsize_bitmap":"0x40201000"}',
      ].join('\n'),
    );
    expect(node.spaces.map((s) => s.title)).toEqual(['c1', 'i2']);
    const { spaces } = await asker.arrangeAll();
    expect(spaces.map((s) => s.lanes.map((l) => [l.title, l.total]))).toEqual([
      [
        ['aperture', 2],
        ['valid', 2],
      ],
      [['valid', 1]],
    ]);
  });

  test('runs a session under three models, finds where they part and what they hold then', async () => {
    const asker = new Asker();
    const trace = readFileSync(new URL('../kernel/fixtures/qemu-viommu-unmap.iova.jsonl', import.meta.url), 'utf8');
    const { events, spaces } = await asker.open('q', trace);
    expect(await asker.ask('models', null)).toEqual(expect.arrayContaining(['iommufd', 'iommufd-rfc', 'type1']));
    const models = ['iommufd-rfc', 'iommufd', 'type1'];
    const compared = await asker.ask('compare', { id: 'q', models, offset: 0, limit: 10, position: events });
    expect(compared.firstDivergence).toBe(4);
    expect(compared.rows.map((r) => [r.differs, ...r.answers.map((a) => a.answer?.split(' ')[0])])).toEqual([
      [false, '0', '0', '0'],
      [false, '0', '0', '0'],
      [false, '0', '0', '0'],
      [true, '-ENOENT', '0', '0'],
      [true, '-EADDRINUSE', '0', '0'],
    ]);
    expect(compared.rows[2]?.answers[2]?.note).toContain('container.map_dma');
    expect(compared.differences).toEqual([
      {
        space: 'viommu',
        what: 'areas',
        model: 'iommufd-rfc',
        present: ['iommufd', 'type1'],
        ranges: [{ start: 0xfffc0000n, last: 0xffffefffn }],
      },
    ]);
    const rerun = await asker.ask('run', { id: 'q', model: 'iommufd' });
    expect(rerun).toMatchObject({ model: 'iommufd', recordedModel: 'iommufd-rfc' });
    const answers = await asker.ask('events', { id: 'q', offset: 3, limit: 1 });
    expect(answers[0]).toMatchObject({ answer: '0 (unmapped 4 KiB)', expected: '-ENOENT' });
    expect(await asker.engine.call('run', { id: 'q', model: 'hurd' })).toMatchObject({ ok: false });
    const [key = ''] = spaces.map((s) => s.key);
    const arrangement = await asker.ask('arrange', {
      selectedGroups: [key],
      expanded: [],
      scale: 'fold',
      compared: { id: 'q', under: models, shows: ['each'] },
    });
    expect(arrangement.spaces.map((s) => s.title.split(',')[0])).toEqual(models);
    const one = await asker.engine.call('compare', { id: 'q', models: ['iommufd'], offset: 0, limit: 1, position: 0 });
    expect(one).toMatchObject({ ok: false, error: { code: 'unusable' } });
  });

  test('the answer names what was opened beside dumps and is none: it does not call that clean', async () => {
    const asker = new Asker();
    const files = [
      { name: 'd', data: new Blob([DUMP]) },
      { name: 'x.log', data: new Blob(['hello\n']) },
    ];
    expect((await asker.engine.call('open', { id: 'd', title: 'd', files })).ok).toBe(true);
    const { answer } = await asker.ask('answer', { selectedGroups: [] });
    expect(answer.severity).not.toBe('clean');
    expect(answer.text).toMatch(/ Not read: x\.log\.$/);
    const source = (await asker.ask('case', null)).hosts
      .flatMap(({ sources }) => sources)
      .find((s) => s.name === 'x.log');
    await asker.ask('closeSource', { sourceId: source?.id ?? '' });
    expect((await asker.ask('answer', { selectedGroups: [] })).answer.text).not.toContain('Not read');
  });

  test('refuses what holds nothing, with the first lines, and keeps what was open', async () => {
    const asker = new Asker();
    await asker.open('d', DUMP);
    const refused = await asker.engine.call('open', {
      id: 'x',
      title: 'x',
      files: [{ name: 'x', data: new Blob(['hello\nworld\n']) }],
    });
    expect(refused).toMatchObject({ ok: false, error: { code: 'not-recognized' } });
    expect(refused.ok ? [] : refused.error.lines).toEqual([
      "nothing recognized: line 1: 'hello', line 2: 'world'",
      'Resembles no known format',
      expect.stringMatching(/^Try the output of: /),
    ]);
    expect((await asker.ask('documents', null)).map((d) => d.id)).toEqual(['d']);
    for (const method of ['close', 'save'] as const) {
      expect(await asker.engine.call(method, { id: 'x' })).toMatchObject({
        ok: false,
        error: { code: 'unknown-document' },
      });
    }
  });

  test('says why a file is refused: the first error, else the first diagnostic', async () => {
    const { engine } = new Asker();
    const line = (severity: string, message: string) =>
      `{"kind":"diagnostic","severity":"${severity}","code":"x","message":"${message}"}\n`;
    const refusal = async (...lines: readonly string[]) => {
      const text = `{"format":"iova-trace","version":1}\n${lines.join('')}`;
      const result = await engine.call('open', { id: 'x', title: 'x', files: [{ name: 'x', data: new Blob([text]) }] });
      return result.ok ? 'opened' : result.error.message;
    };
    expect(await refusal(line('warning', 'first'), line('error', 'second'))).toBe('second');
    expect(await refusal(line('warning', 'first'), line('warning', 'second'))).toBe('first');
  });

  test('opens lines that only say what went wrong', async () => {
    const asker = new Asker();
    const { groups, layers } = await asker.open('log', 'vfio_pin_pages_remote: RLIMIT_MEMLOCK (65536) exceeded\n');
    expect([groups, layers]).toEqual([[], []]);
    const { rows } = await asker.ask('conflicts', { selectedGroups: [] });
    expect(rows.map(({ rule, provenance }) => [rule, provenance])).toEqual([
      ['memlock-limit', [{ source: 'log.txt', line: 1 }]],
    ]);
  });

  test('a trace of a model that is not known is kept, and says that it is not run', async () => {
    const asker = new Asker();
    const node = await asker.open('t', TRACE.replace('"iommufd"', '"hurd"'));
    expect(node.spaces).toEqual([]);
    expect(node.diagnostics.map((d) => d.code)).toContain('unknown-model');
    expect(node.operations).toBe(3);
  });

  test('a cancelled open leaves nothing behind', async () => {
    const asker = new Asker();
    const controller = new AbortController();
    const files = [{ name: 'big', data: new Blob([DUMP.repeat(20_000)]) }];
    const opening = asker.engine.call('open', { id: 'big', title: 'big', files }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    expect(await opening).toMatchObject({ ok: false, error: { code: 'cancelled' } });
    expect(await asker.ask('documents', null)).toEqual([]);
  });

  test('bounds lists what lies in a window, to the byte', async () => {
    const asker = new Asker();
    await asker.open('d', DUMP);
    await asker.arrangeAll();
    const { lines, total } = await asker.ask('bounds', { start: 0xfeefffffn, last: 0xfef00000n, limit: 10 });
    expect(lines.map((l) => [l.what, l.start, l.last])).toEqual([
      ['aperture: aperture unknown', 0n, 0xffffffffffffffffn],
      ['reserved: MSI window (msi)', 0xfee00000n, 0xfeefffffn],
      ['usable: usable (largest)', 0xfef00000n, 0xffffffffffffffffn],
    ]);
    expect(total).toBe(3);
  });
});

describe('the text of a source', () => {
  const lines = (text: string) => Array.from({ length: 500 }, (_, i) => `line ${i + 1}\n`).join('') + text;

  test('of a file, of a packed member of an archive, and which line is which fact', async () => {
    const asker = new Asker();
    const packed = gzipSync(lines(DUMP));
    const archive = await packTar([
      { header: { name: 'deep/b.txt.gz', size: packed.length, type: 'file' }, body: packed },
    ]);
    await asker.ask('open', {
      id: 'd',
      title: 'd',
      files: [
        { name: 'plain.txt', data: new Blob([DUMP]) },
        { name: 'x.tar', data: new Blob([archive as Uint8Array<ArrayBuffer>]) },
      ],
    });
    const [node] = await asker.ask('documents', null);
    expect(node?.texts).toEqual(['plain.txt', 'x.tar/deep/b.txt.gz']);
    const plain = await asker.ask('text', { id: 'd', source: 'plain.txt', from: 1, limit: 10 });
    expect(plain.total).toBe(3);
    expect(plain.lines.map((line) => line.facts.map((fact) => fact.kind))).toEqual([
      ['reserved'],
      ['reserved'],
      ['reserved'],
    ]);
    const member = await asker.ask('text', { id: 'd', source: 'x.tar/deep/b.txt.gz', from: 499, limit: 3 });
    expect(member.lines).toMatchObject([
      { number: 499, text: 'line 499', isUnrecognized: true, facts: [] },
      { number: 500, isUnrecognized: true },
      { number: 501, isUnrecognized: false, facts: [{ kind: 'reserved' }] },
    ]);
    const position = member.lines[2]?.facts[0]?.position ?? 0;
    await asker.arrangeAll();
    expect(await asker.ask('locate', { id: 'd', position })).toMatchObject({ start: 0x3f000000n, last: 0x3f7fffffn });
    const missing = await asker.engine.call('text', { id: 'd', source: 'nothing', from: 1, limit: 1 });
    expect(missing).toMatchObject({ ok: false, error: { code: 'unusable' } });
  });
});

describe('questions', () => {
  test('conflicts of a guest, numbered; sizes that fit; places; holes; two hosts', async () => {
    const asker = new Asker();
    const a = await asker.open('a', '/sys/kernel/iommu_groups/4/reserved_regions:0xfee00000 0xfeefffff msi\n');
    const b = await asker.open(
      'b',
      '/sys/kernel/iommu_groups/4/reserved_regions:0xfee00000 0xfeefffff msi\n/sys/kernel/iommu_groups/4/reserved_regions:0xfd00000000 0xffffffffff reserved\n',
    );
    const selectedGroups = [a, b].flatMap((node) => node.groups.map(({ key }) => key));
    const guest = { kind: 'machine', machine: 'virt', ram: 4n << 30n } as const;
    const { rows, problem } = await asker.ask('conflicts', { selectedGroups, guest });
    expect([rows.map(({ number, document, rule }) => [number, document, rule]), problem]).toEqual([
      [
        [1, 'a', 'guest-over-reserved'],
        [2, 'b', 'guest-over-reserved'],
      ],
      undefined,
    ]);
    const wrong = await asker.ask('conflicts', { selectedGroups, guest: { kind: 'ranges', text: 'nonsense' } });
    expect(wrong.problem).toContain('nonsense');
    const sizes = await asker.ask('guestSizes', { machine: 'q35', selectedGroups });
    expect(sizes.message).toBe('up to 1010 GiB');
    expect(sizes.isApertureKnown).toBe(false);
    expect(sizes.hosts.map(({ message }) => message)).toEqual([expect.stringContaining('up to'), 'up to 1010 GiB']);
    const other = new Asker();
    const narrow = await other.open(
      'c',
      '/sys/kernel/iommu_groups/4/reserved_regions:0xfee00000 0xfeefffff msi\nDMAR: Host address width 39\n',
    );
    const alone = narrow.groups.map(({ key }) => key);
    expect(await other.ask('guestSizes', { machine: 'q35', selectedGroups: alone })).toMatchObject({
      isApertureKnown: true,
    });
    await asker.ask('arrange', { selectedGroups, expanded: [], scale: 'fold', guest });
    const fits = await asker.ask('fit', { size: 1n << 40n, alignment: 1n << 40n });
    expect(fits.map((answer) => answer.places[0]?.first)).toEqual([0x100_0000_0000n, 0x100_0000_0000n]);
    const holes = await asker.ask('holes', { alignments: [0x1000n] });
    expect(holes.map((space) => space.count)).toEqual([2, 3]);
    const compared = await asker.ask('compareHosts', { selectedGroups });
    expect([compared.line, compared.differences.length]).toEqual(['12G@1012G,1M@4078M', 1]);
  });

  test('several guests of one host: each is tried on the ranges of the process of its name, and where it is chosen', async () => {
    const asker = new Asker();
    const ram = (last: string, source: string) =>
      `{"kind":"guest","start":"0x0","last":"${last}","name":"ram","type":"ram","space":"memory","source":"${source}"}`;
    const node = await asker.open(
      'd',
      [
        '{"format":"iova-trace","version":1}',
        '{"kind":"valid_range","start":"0x0","last":"0xfedfffff","container":"pid 7 fd 9","guest":"aspen"}',
        '{"kind":"valid_range","start":"0x0","last":"0x3fffffff","container":"pid 8 fd 9","guest":"birch"}',
        ram('0xffffffff', 'QMP aspen'),
        ram('0x3fffffff', 'QMP birch'),
      ].join('\n'),
      'host.jsonl',
    );
    expect([node.guests, node.layers.map(({ note }) => note)]).toEqual([
      ['QMP aspen', 'QMP birch'],
      ['1 range · QMP aspen', '1 range · QMP birch'],
    ]);
    const spaces = node.spaces.map(({ key }) => key);
    const refused = async (guest?: GuestChoice) => {
      const { rows, problem } = await asker.ask('conflicts', { selectedGroups: spaces, guest });
      return problem ?? rows.map(({ title }) => title);
    };
    const outside = (space: string) => `Guest memory "ram" is not inside the valid ranges of ${space}`;
    expect(await refused()).toEqual([outside('pid 7 fd 9')]);
    expect(await refused({ kind: 'document', id: 'd', guest: 'QMP aspen' })).toEqual([
      outside('pid 7 fd 9'),
      outside('pid 8 fd 9'),
    ]);
    expect(await refused({ kind: 'document', id: 'd', guest: 'QMP cedar' })).toBe(
      'no open document contains a guest layout "QMP cedar"',
    );
    const arranged = await asker.ask('arrange', { selectedGroups: spaces, expanded: [], scale: 'fold' });
    expect(arranged.spaces.map(({ lanes }) => lanes.map(({ title }) => title))).toEqual([
      ['guest', 'valid'],
      ['guest', 'valid'],
    ]);
  });

  test('search finds what is drawn and what was read', async () => {
    const asker = new Asker();
    await asker.open('d', `${DUMP}DMAR: dmar7: reg_base_addr fed91000 ver 1:0 cap d2008c22260286 ecap f00f4a\n`);
    await asker.arrangeAll();
    const drawn = await asker.ask('find', { text: 'msi', limit: 5 });
    expect(drawn[0]?.target).toMatchObject({ start: 0xfee00000n });
    const read = await asker.ask('find', { text: 'dmar7', limit: 20 });
    expect(read.find(({ location }) => location)?.location).toEqual({ id: 'd', source: 'd.txt', line: 4 });
  });
});
