// The case as the page drives it: evidence in steps, joining, moving, undo, the device to assign, keeping it.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { CaseNode, Placement } from '../protocol/case.ts';
import type { InputFile } from '../protocol/documents.ts';
import { Asker, filesOf, sessionText } from '../testing/documents.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi';
const region = (group: number, text = MSI) => `/sys/kernel/iommu_groups/${group}/reserved_regions:${text}\n`;
const member = (group: number, device: string) => `/sys/kernel/iommu_groups/${group}/devices/${device}\n`;
const ERROR =
  'qemu-system-x86_64: vfio_dma_map(0x55d0c8f4a2e0, 0x40000000, 0x100000000, 0x7f1bc0000000) = -22 (Invalid argument)\n';
const DMESG = '[    0.004196] DMAR: Host address width 39\n';
const GROUPS = member(4, '0000:03:00.0') + member(7, '0000:04:00.0');
const REGIONS = region(4) + region(7);

class Case extends Asker {
  async add(texts: Readonly<Record<string, string>>): Promise<readonly Placement[]> {
    return (await this.ask('open', { title: 'drop', files: filesOf(texts) })).placements;
  }

  async addFiles(files: readonly InputFile[], sample?: string): Promise<void> {
    await this.ask('open', { title: 'drop', files, sample });
  }

  async hosts() {
    const { hosts } = await this.ask('case', null);
    return hosts.map(({ title, sources }) => [title, ...sources.map(({ name }) => name)]);
  }

  /** Conflicts of what is selected by default. */
  async conflicts(ram?: bigint) {
    const { hosts, sessions } = await this.ask('case', null);
    const selectedGroups = [...hosts, ...sessions].flatMap(({ groups, spaces, layers }) =>
      [
        ...groups.filter(({ isSelectedByDefault }) => isSelectedByDefault),
        ...spaces.filter(({ isShown }) => isShown),
        ...layers.filter(({ isShown }) => isShown),
      ].map(({ key }) => key),
    );
    const guest = ram === undefined ? undefined : ({ kind: 'machine', machine: 'q35', ram } as const);
    return (await this.ask('conflicts', { selectedGroups, guest })).rows;
  }
}

/** The conflict about the refused map of `ERROR`. */
async function refusedMap(open: Case) {
  const rows = await open.conflicts();
  return rows.find(({ marks }) => marks.some(({ role, start }) => role === 'requested' && start === 0x40000000n));
}

/** True if the host's own MSI window blocks it, not only one that such a platform has. */
function isExplained(row: Awaited<ReturnType<typeof refusedMap>>): boolean {
  const isMsi = row?.marks.some(({ role, start }) => role === 'obstacle' && start === 0xfee00000n) === true;
  return isMsi && row?.provenance.some(({ source }) => source === 'reserved_regions') === true;
}

describe('evidence in steps', () => {
  test('an error, then the dumps of its host: one host, and the error is explained by its MSI window', async () => {
    const open = new Case();
    await open.add({ 'pasted text': ERROR });
    expect((await refusedMap(open))?.title).toBeDefined();
    const placed = await open.add({ reserved_regions: REGIONS, dmesg: DMESG, groups: GROUPS });
    expect(placed.map(({ outcome, hostName }) => [outcome, hostName])).toEqual([
      ['joined', 'Host A'],
      ['joined', 'Host A'],
      ['joined', 'Host A'],
    ]);
    expect(await open.hosts()).toEqual([['Host A', 'pasted text', 'reserved_regions', 'dmesg', 'groups']]);
    const row = await refusedMap(open);
    expect(isExplained(row)).toBe(true);
    expect(JSON.stringify(row?.remedy ?? '')).not.toContain('reserved_regions');
  });

  test('the other order, and three steps, say the same', async () => {
    const other = new Case();
    await other.add({ reserved_regions: REGIONS, dmesg: DMESG, groups: GROUPS });
    await other.add({ 'pasted text': ERROR });
    expect(isExplained(await refusedMap(other))).toBe(true);
    const steps = new Case();
    for (const texts of [{ groups: GROUPS }, { 'pasted text': ERROR }, { reserved_regions: REGIONS }]) {
      await steps.add(texts as Readonly<Record<string, string>>);
    }
    expect(await steps.hosts()).toHaveLength(1);
    expect(isExplained(await refusedMap(steps))).toBe(true);
  });

  test('groups with other devices are another host, and texts of the same names are told apart', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS, reserved_regions: REGIONS });
    const [placed] = await open.add({ groups: member(4, '0000:81:00.0') });
    expect(placed).toMatchObject({ outcome: 'new-host', hostName: 'Host B' });
    expect(placed?.reason).toContain('group 4 has 0000:81:00.0, not 0000:03:00.0');
    await open.add({ reserved_regions: region(4, '0x0000000008000000 0x00000000080fffff msi') });
    expect(await open.hosts()).toEqual([
      ['Host A', 'Host A/groups', 'Host A/reserved_regions'],
      ['Host B', 'Host B/groups', 'Host B/reserved_regions'],
    ]);
    const { sources: named } = await open.arrangeAll();
    expect(named).toEqual(['Host A/groups', 'Host A/reserved_regions', 'Host B/groups', 'Host B/reserved_regions']);
    const { rows } = await open.ask('table', { offset: 0, limit: 50 });
    const sources = new Set(rows.map(({ source }) => source.replace(/:\d+.*/, '')));
    expect([...sources].some((source) => source.includes('Host A/reserved_regions'))).toBe(true);
    expect([...sources].some((source) => source.includes('Host B/reserved_regions'))).toBe(true);
    const [, second] = (await open.ask('case', null)).hosts;
    const text = await open.ask('text', {
      id: second?.id ?? '',
      source: 'Host B/reserved_regions',
      from: 1,
      limit: 5,
    });
    expect(text.lines[0]?.text).toContain('0x0000000008000000');
    expect(text.lines[0]?.facts).toHaveLength(1);
  });

  test('reserved regions that differ for the same groups: another host, or another moment', async () => {
    const open = new Case();
    await open.add({ a: region(4) });
    const [placed] = await open.add({ b: region(4) + region(4, '0x000000003f000000 0x000000003f7fffff direct') });
    expect(placed?.outcome).toBe('new-host');
    expect(placed?.reason).toContain('the same host at another time');
  });

  test('a file that nobody understands does not hide the others, and alone changes nothing', async () => {
    const open = new Case();
    const refused = await open.engine.call('open', { title: 'x', files: filesOf({ x: 'shopping list\n' }) });
    expect(refused).toMatchObject({ ok: false, error: { code: 'not-recognized' } });
    expect((await open.ask('case', null)).undo).toBeUndefined();
    await open.add({ x: 'shopping list\n', groups: GROUPS });
    expect(await open.hosts()).toEqual([['Host A', 'x', 'groups']]);
  });

  test('a session of operations is no host; its facts join one', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS });
    const text = sessionText([{ op: 'ioas.alloc', ioas: 'a' }], { model: 'iommufd' });
    const [placed] = await open.add({ 'a.jsonl': text });
    expect(placed).toMatchObject({ outcome: 'session', hostId: undefined });
    const { hosts, sessions } = await open.ask('case', null);
    expect([hosts.length, sessions.map(({ operations }) => operations)]).toEqual([1, [1]]);
    const fact = { kind: 'host', kernel: '6.1', address_width: 39 };
    await open.add({ 'b.jsonl': sessionText([fact, { op: 'ioas.alloc', ioas: 'a' }], { model: 'iommufd' }) });
    const after = await open.ask('case', null);
    expect(after.kernel).toEqual({ version: '6.1', isChosen: false });
    expect(after.sessions).toHaveLength(2);
  });
});

describe('what the kernel reported of a container', () => {
  const valid = (...ranges: readonly (readonly [string, string])[]) =>
    sessionText(ranges.map(([start, last]) => ({ kind: 'valid_range', start, last, container: 'c' })));

  test.each([
    ['Intel', valid(['0x0', '0xfedfffff'], ['0xfef00000', '0x7fffffffff']), MSI, '0x7fffffffff', []],
    [
      'AMD',
      valid(['0x0', '0xfedfffff'], ['0xfef00000', '0xfcffffffff'], ['0x10000000000', '0xffffffffffff']),
      MSI,
      '0xffffffffffff',
      ['0xfd00000000'],
    ],
    [
      'ARM',
      valid(['0x0', '0x7ffffff'], ['0x8100000', '0xffffffffffff']),
      '0x0000000008000000 0x00000000080fffff msi',
      '0xffffffffffff',
      [],
    ],
  ])('is the aperture of the %s host, and its holes are not mappable', async (_, info, regions, last, holes) => {
    const open = new Case();
    await open.add({ groups: GROUPS, reserved_regions: region(4, regions) });
    await open.add({ 'info.jsonl': info });
    const { hosts } = await open.ask('case', null);
    expect(hosts).toHaveLength(1);
    expect(hosts[0]?.spaces).toMatchObject([{ title: 'c', isShown: false }]);
    const selectedGroups = (hosts[0]?.groups ?? []).map(({ key }) => key);
    const { spaces } = await open.ask('arrange', { selectedGroups, expanded: [], scale: 'fold' });
    expect(spaces).toHaveLength(1);
    const all = await open.ask('fit', { size: 0x1000n, alignment: 0x1000n });
    expect(all[0]?.places.at(-1)?.free.last).toBe(BigInt(last));
    for (const hole of holes) {
      const [answer] = await open.ask('fit', { size: 0x1000n, alignment: 1n, at: BigInt(hole) });
      expect(answer?.fits).toBe(false);
    }
  });
});

describe('names', () => {
  test('a prompt or a journal names the host; then a folder; then a letter', async () => {
    const open = new Case();
    await open.add({ 'a.txt': GROUPS });
    expect((await open.hosts())[0]?.[0]).toBe('Host A');
    await open.add({ 'b.txt': 'root@maple:~# dmesg\n[    0.004196] DMAR: Host address width 39\n' });
    expect((await open.hosts())[0]?.[0]).toBe('maple');
    const [placed] = await open.add({ 'c.txt': 'Feb 28 09:10:11 birch kernel: DMAR: Host address width 39\n' });
    expect(placed).toMatchObject({ outcome: 'new-host', hostName: 'birch' });
    expect(placed?.reason).toContain('its host name is birch, not maple');
    expect((await open.hosts()).map(([name]) => name)).toEqual(['maple', 'birch']);
    const other = new Case();
    await other.add({ 'pasted text': ERROR });
    await other.addFiles(filesOf({ 'lab-3/reserved_regions': REGIONS }));
    expect((await other.hosts()).map(([name]) => name)).toEqual(['lab-3']);
  });

  test('folders with the same files are two hosts, though built alike', async () => {
    const open = new Case();
    const layout = (folder: string) => ({ [`${folder}/sys/kernel/iommu_groups/4/reserved_regions`]: `${MSI}\n` });
    await open.addFiles(filesOf({ ...layout('east'), ...layout('west') }));
    expect((await open.hosts()).map(([name]) => name)).toEqual(['east', 'west']);
  });

  test('a folder with the folders of two hosts is two hosts, also when it is kept', async () => {
    const open = new Case();
    const layout = (host: string, last: string) => ({
      [`dumps/${host}/sys/kernel/iommu_groups/4/reserved_regions`]: `0x1000 ${last} reserved\n`,
      [`dumps/${host}/sys/kernel/iommu_groups/5/reserved_regions`]: `${MSI}\n`,
    });
    await open.addFiles(filesOf({ ...layout('east', '0x1fff'), ...layout('west', '0x2fff') }));
    const expected = [
      ['east', 'dumps/east'],
      ['west', 'dumps/west'],
    ];
    expect(await open.hosts()).toEqual(expected);
    const { data } = await open.ask('exportCase', { view: '' });
    const other = new Case();
    await other.ask('importCase', { data });
    expect(await other.hosts()).toEqual(expected);
    // The folders of groups are no hosts.
    const single = new Case();
    const groups = { 'iommu_groups/4/reserved_regions': `${MSI}\n`, 'iommu_groups/5/reserved_regions': `${MSI}\n` };
    await single.addFiles(filesOf(groups));
    expect(await single.hosts()).toEqual([['iommu_groups', 'iommu_groups']]);
  });

  test('a person renames, and an empty name gives the old one back', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS });
    const [host] = (await open.ask('case', null)).hosts;
    await open.ask('renameHost', { hostId: host?.id ?? '', name: 'rack 7' });
    expect((await open.hosts())[0]?.[0]).toBe('rack 7');
    await open.ask('renameHost', { hostId: host?.id ?? '', name: ' ' });
    expect((await open.hosts())[0]?.[0]).toBe('Host A');
  });
});

describe('moving, closing and undoing', () => {
  test('a source is made another host, moved back, and each is undone', async () => {
    const open = new Case();
    const [error] = await open.add({ error: ERROR });
    await open.add({ groups: GROUPS });
    const sourceId = error?.sourceId ?? '';
    const moved = await open.ask('moveSource', { sourceId, to: 'new-host' });
    expect(moved.hosts).toHaveLength(2);
    expect(moved.undo).toBe('Move error');
    const target = moved.hosts.find(({ sources }) => sources.some(({ name }) => name === 'groups'))?.id ?? '';
    expect((await open.ask('moveSource', { sourceId, to: target })).hosts).toHaveLength(1);
    expect((await open.ask('undo', null)).hosts).toHaveLength(2);
    expect((await open.ask('undo', null)).hosts).toHaveLength(1);
    const wrong = await open.engine.call('moveSource', { sourceId, to: 'nowhere' });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'unusable' } });
  });

  test('closing takes what follows from a source away, and undo brings it back', async () => {
    const open = new Case();
    await open.add({ 'pasted text': ERROR });
    const [regions] = await open.add({ reserved_regions: REGIONS });
    await open.ask('closeSource', { sourceId: regions?.sourceId ?? '' });
    expect(isExplained(await refusedMap(open))).toBe(false);
    await open.ask('undo', null);
    expect(isExplained(await refusedMap(open))).toBe(true);
    await open.ask('undo', null);
    expect(await open.hosts()).toEqual([['Host A', 'pasted text']]);
  });

  test('a new case can be undone; what is forgotten cannot', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS });
    expect((await open.ask('newCase', null)).hosts).toEqual([]);
    expect((await open.ask('undo', null)).hosts).toHaveLength(1);
    expect(await open.ask('forget', null)).toMatchObject({ hosts: [], undo: undefined });
    expect(await open.engine.call('undo', null)).toMatchObject({ ok: false, error: { message: 'nothing to undo' } });
  });
});

const SAMPLE = ['dmesg.txt', 'groups-after.txt', 'iommu_groups.txt', 'tail-reserved_regions.txt'];

function sampleFiles(): InputFile[] {
  const folder = new URL('../../../public/samples/x86-vtd-39bit-rmrr/', import.meta.url);
  return SAMPLE.map((name) => ({ name, data: new Blob([readFileSync(new URL(name, folder))]) }));
}

describe('the device to assign', () => {
  test('the Intel sample with a guest of 8 GiB: groups that cannot be assigned are left out', async () => {
    const open = new Case();
    await open.addFiles(sampleFiles(), 'Intel host');
    const [host, ...more] = (await open.ask('case', null)).hosts;
    expect([host?.title, more]).toEqual(['Intel host', []]);
    expect(host?.groups.filter(({ refusal }) => refusal !== undefined).map(({ title }) => title)).toContain('group 3');
    expect(host?.groups.every((group) => group.isSelectedByDefault === (group.refusal === undefined))).toBe(true);
    const rows = await open.conflicts(8n << 30n);
    expect(rows.filter(({ rule }) => rule.startsWith('guest-'))).toEqual([]);
  });

  test('such a device, chosen, is refused', async () => {
    const open = new Case();
    await open.addFiles(sampleFiles(), 'Intel host');
    const node = await open.ask('setDevice', { device: '00:05.0' });
    expect(node.device).toMatchObject({ device: '0000:00:05.0', groups: ['3'], origin: 'chosen' });
    expect(node.hosts[0]?.groups.filter((g) => g.isSelectedByDefault).map(({ title }) => title)).toEqual(['group 3']);
    const rows = await open.conflicts(8n << 30n);
    expect(rows.some(({ severity, title }) => severity === 'fatal' && title.includes('0000:00:05.0'))).toBe(true);
    expect((await open.ask('undo', null)).device?.device).not.toBe('0000:00:05.0');
    const unknown = await open.engine.call('setDevice', { device: '0000:ff:00.0' });
    expect(unknown).toMatchObject({ ok: false, error: { message: 'no host of the case has 0000:ff:00.0' } });
  });

  test('of two hosts with a device of one address, the one that was chosen; it is kept with the case', async () => {
    const open = new Case();
    const evidence = { groups: GROUPS, regions: REGIONS };
    for (const name of ['oak', 'elm']) {
      const texts = Object.entries(evidence).map(([file, text]) => [file, `root@${name}:~# cat\n${text}`]);
      await open.add(Object.fromEntries(texts));
    }
    const [oak, elm, ...more] = (await open.ask('case', null)).hosts;
    expect([oak?.title, elm?.title, more]).toEqual(['oak', 'elm', []]);
    const selected = (node: CaseNode) =>
      node.hosts.map(({ groups }) => groups.filter((g) => g.isSelectedByDefault).map(({ title }) => title));
    const both = await open.ask('setDevice', { device: '03:00.0' });
    expect(selected(both)).toEqual([['group 4'], ['group 4']]);
    const one = await open.ask('setDevice', { device: '03:00.0', hostId: elm?.id });
    expect(one.device).toMatchObject({ device: '0000:03:00.0', hostId: elm?.id });
    expect(selected(one)).toEqual([['group 4', 'group 7'], ['group 4']]);
    const { data } = await open.ask('exportCase', { view: '' });
    const other = new Case();
    expect(selected((await other.ask('importCase', { data })).case)).toEqual(selected(one));
    const wrong = await open.engine.call('setDevice', { device: '03:00.0', hostId: 'host 99' });
    expect(wrong).toMatchObject({ ok: false, error: { message: expect.stringContaining('host 99') } });
  });

  test('a guest definition names it; null chooses none', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS, reserved_regions: REGIONS });
    await open.add({ cmd: 'qemu-system-x86_64 -machine q35 -m 4G -device vfio-pci,host=04:00.0\n' });
    const node = await open.ask('case', null);
    expect(node.device).toMatchObject({ device: '0000:04:00.0', groups: ['7'], origin: 'guest' });
    expect(node.devices.map(({ device }) => device)).toEqual(['0000:03:00.0', '0000:04:00.0']);
    const none = await open.ask('setDevice', { device: null });
    expect(none.device).toBeUndefined();
    expect(none.hosts[0]?.groups.every((group) => group.isSelectedByDefault)).toBe(true);
  });

  test('an error names a group that the dump of the host does not have', async () => {
    const open = new Case();
    await open.add({ error: 'qemu-system-x86_64: vfio: error: group 28 is not viable\n' });
    await open.add({ groups: GROUPS });
    const { missing, hosts } = await open.ask('case', null);
    expect(missing).toEqual([
      expect.stringContaining('The error names group 28, which the dump of Host A does not have'),
    ]);
    expect(hosts[0]?.diagnostics[0]).toMatchObject({ code: 'not-in-dump', severity: 'warning', source: 'error' });
  });
});

describe('keeping a case', () => {
  test('opened again it has the same hosts, names, device, moments and view', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS, error: ERROR });
    await open.add({ groups: member(4, '0000:81:00.0') });
    const trace = sessionText(
      [
        { op: 'ioas.alloc', ioas: 'a' },
        { op: 'ioas.alloc', ioas: 'b' },
      ],
      { model: 'iommufd' },
    );
    const [session] = await open.add({ 'a.jsonl': trace });
    const [first] = (await open.ask('case', null)).hosts;
    await open.ask('renameHost', { hostId: first?.id ?? '', name: 'rack 7' });
    await open.ask('setDevice', { device: '0000:04:00.0' });
    await open.ask('setKernel', { version: '6.1' });
    await open.ask('seek', { id: session?.sourceId ?? '', position: 1 });
    const before = await open.ask('case', null);
    const { data, isComplete, names } = await open.ask('exportCase', { view: '{"x":1}' });
    expect([isComplete, names]).toEqual([true, ['groups', 'error', 'groups', 'a.jsonl']]);
    const other = new Case();
    const back = await other.ask('importCase', { data: new Blob([await data.arrayBuffer()]) });
    expect(back.view).toBe('{"x":1}');
    expect({ ...back.case, undo: '' }).toEqual({ ...before, undo: '' });
    expect(back.case.sessions[0]?.position).toBe(1);
    // What is opened later gets ids of its own.
    await other.add({ more: DMESG });
    expect((await other.ask('case', null)).hosts).toHaveLength(2);
  });

  test('what is no saved case is refused', async () => {
    const open = new Case();
    for (const text of ['', 'x\n', '{"format":"other"}\n']) {
      const result = await open.engine.call('importCase', { data: new Blob([text]) });
      expect(result).toMatchObject({ ok: false, error: { code: 'unusable' } });
    }
  });

  test('beyond 64 MiB only the names are kept', async () => {
    const open = new Case();
    await open.add({ groups: GROUPS });
    await open.addFiles([{ name: 'big', data: new Blob([DMESG, new Uint8Array(64 * 1024 * 1024)]) }]);
    const { data, isComplete } = await open.ask('exportCase', { view: '' });
    expect([isComplete, data.size < 10_000]).toEqual([false, true]);
    const other = new Case();
    expect(await other.ask('importCase', { data })).toMatchObject({ missing: ['groups', 'big'], case: { hosts: [] } });
  });
});

describe('ids', () => {
  test('are the same in an engine that repeats the calls that succeeded', async () => {
    const first = new Case();
    await first.engine.call('open', { title: 'x', files: filesOf({ x: 'shopping list\n' }) });
    await first.add({ groups: GROUPS });
    await first.add({ groups: member(4, '0000:81:00.0') });
    const second = new Case();
    await second.add({ groups: GROUPS });
    await second.add({ groups: member(4, '0000:81:00.0') });
    expect(await second.ask('case', null)).toEqual(await first.ask('case', null));
  });

  test('of what is read at the same time differ', async () => {
    const open = new Case();
    const placed = await Promise.all([open.add({ a: GROUPS }), open.add({ b: REGIONS }), open.add({ c: ERROR })]);
    expect(new Set(placed.flat().map(({ sourceId }) => sourceId)).size).toBe(3);
    expect((await open.hosts())[0]).toHaveLength(4);
  });
});

describe('a trace in a host with other sources', () => {
  test('keeps its moments when another source joins, and its removed facts stay removed', async () => {
    const open = new Case();
    const gone = sessionText([
      { kind: 'group', group: '4', devices: ['0000:03:00.0'] },
      { kind: 'group', group: '9', devices: [] },
      { kind: 'gone', event: 2 },
    ]);
    await open.add({ groups: GROUPS });
    await open.add({ 'a.jsonl': gone });
    const [host] = (await open.ask('case', null)).hosts;
    expect(host?.groups.map(({ title }) => title)).toEqual(['group 4', 'group 7']);
    const id = host?.id ?? '';
    const before = (host?.events ?? 0) - 1;
    expect((await open.ask('seek', { id, position: before })).groups.map(({ title }) => title)).toContain('group 9');
    await open.add({ dmesg: DMESG });
    expect((await open.ask('case', null)).hosts[0]).toMatchObject({ position: before, events: before + 2 });
  });
});
