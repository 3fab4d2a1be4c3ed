// A fleet opened in the page: one host for those that are alike, their names, and how one becomes a host of its own.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultKeys } from '../protocol/selection.ts';
import { Asker, filesOf } from '../testing/documents.ts';
import { type FleetMachine, fleetFiles, machines, tarOfMachines } from '../testing/fleet.ts';

const DIRECT = '0x000000007b800000 0x000000007bffffff direct\n';
const FAULT =
  '[    5.000000] DMAR: [DMA Write NO_PASID] Request device [3b:00.0] fault addr 0xdead0000 [fault reason 0x05] PTE Write access is not set\n';

class Fleet extends Asker {
  async add(files: ReturnType<typeof filesOf>) {
    return this.ask('open', { title: 'fleet', files });
  }

  async titles() {
    return (await this.ask('case', null)).hosts.map(({ title }) => title);
  }

  async keys() {
    const { hosts } = await this.ask('case', null);
    return hosts.flatMap(defaultKeys);
  }

  async host(title: string) {
    const host = (await this.ask('case', null)).hosts.find((one) => one.title.startsWith(title));
    if (!host) throw new Error(`no host ${title}`);
    return host;
  }
}

async function open(list: readonly FleetMachine[]): Promise<Fleet> {
  const fleet = new Fleet();
  await fleet.add(fleetFiles(list));
  return fleet;
}

const ODD = { 7: { region: DIRECT }, 11: { log: FAULT } } as const;
const FOLDED = ['n00 (28 hosts alike)', 'n07', 'n11'];

describe('hosts that are alike', () => {
  test('are one host; one with another region and one with a fault are shown', async () => {
    const fleet = await open(machines(30, ODD));
    expect(await fleet.titles()).toEqual(FOLDED);
    const { alike } = await fleet.host('n00');
    expect(alike).toEqual({ shown: 'n00', count: 28, varies: [] });
  });

  test('also as a tar of each, beside each other or in a folder, and as one tar', async () => {
    const list = machines(30, ODD);
    const tars = await Promise.all(
      list.map(async (one) => ({ name: `${one.name}.tar`, data: await tarOfMachines([one]) })),
    );
    const inFolder = tars.map(({ name, data }) => ({ name: `fleet/${name}`, data }));
    for (const files of [tars, inFolder, [{ name: 'fleet.tar', data: await tarOfMachines(list) }]]) {
      const fleet = new Fleet();
      await fleet.add(files);
      expect(await fleet.titles()).toEqual(FOLDED);
    }
  });

  test('few hosts are each shown', async () => {
    expect(await (await open(machines(20))).titles()).toHaveLength(20);
  });

  test('addresses of devices make no kind of their own, and it is said that they differ', async () => {
    const fleet = await open(machines(30, { 4: { bus: 'af' } }));
    expect(await fleet.titles()).toEqual(['n00 (30 hosts alike)']);
    expect((await fleet.host('n00')).alike?.varies).toEqual(['addresses']);
  });

  test('a driver does: what can be assigned depends on it', async () => {
    const fleet = await open(machines(30, { 4: { driver: 'vfio-pci' } }));
    expect(await fleet.titles()).toEqual(['n00 (29 hosts alike)', 'n04']);
  });

  test.each([
    ['kernel', { log: '[    0.000001] Linux version 6.12.1 (gcc)\n' }],
    [
      'register',
      { log: '[    0.020001] DMAR: dmar1: reg_base_addr e0ffc000 ver 1:0 cap 1c0000c40660462 ecap f020df\n' },
    ],
    ['option', { log: '[    0.000001] Command line: intel_iommu=on,sp_off\n' }],
    ['firmware region', { log: '[    0.030000] DMAR: RMRR base: 0x0000007b800000 end: 0x0000007bffffff\n' }],
    [
      'complaint',
      {
        log: '[    5.000000] vfio-pci 0000:3b:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.\n',
      },
    ],
  ])('another %s is shown', async (_, change) => {
    const titles = await (await open(machines(30, { 5: change }))).titles();
    expect(titles).toEqual(['n00 (29 hosts alike)', 'n05']);
  });

  test('two hosts of one name are two', async () => {
    const same = new Fleet();
    await same.add(machines(30).flatMap((one, i) => fleetFiles([{ ...one, name: 'same' }], `rack${i}`)));
    const [id = ''] = (await same.ask('case', null)).hosts.map((host) => host.id);
    const { rows } = await same.ask('members', { ids: [id], text: '', limit: 3 });
    expect(rows.map(({ name }) => name)).toEqual(['same', 'same (2)', 'same (3)']);
  });
});

describe('more hosts of a fleet that is open', () => {
  test('become those that they are alike with; another kind is shown; both can be undone', async () => {
    const list = machines(60, { 7: { region: DIRECT }, 40: { region: DIRECT }, 50: { log: FAULT }, 52: { bus: 'af' } });
    const fleet = await open(list.slice(0, 30));
    const { placements } = await fleet.add(fleetFiles(list.slice(30)));
    expect(await fleet.titles()).toEqual(['n00 (57 hosts alike)', 'n07 (2 hosts alike)', 'n50']);
    expect(placements.map(({ hostName, outcome }) => [hostName, outcome])).toEqual([
      ['n00 (57 hosts alike)', 'joined'],
      ['n07 (2 hosts alike)', 'joined'],
      ['n50', 'new-host'],
    ]);
    expect((await fleet.host('n00')).alike?.varies).toEqual(['addresses']);
    const { id } = await fleet.host('n07');
    await fleet.ask('openMember', { id, name: 'n40' });
    expect(await fleet.titles()).toEqual(['n00 (57 hosts alike)', 'n07', 'n50', 'n40']);
    await fleet.ask('undo', null);
    await fleet.ask('undo', null);
    expect(await fleet.titles()).toEqual(['n00 (29 hosts alike)', 'n07']);
  });

  test('are the same as if all had been opened together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 21, max: 28 }),
        fc.array(fc.nat(2), { minLength: 30, maxLength: 30 }),
        async (first, kinds) => {
          const list = machines(
            30,
            Object.fromEntries(
              kinds.map((kind, i) => [
                i,
                kind === 0 ? {} : { region: `0x000000004${kind}000000 0x000000004${kind}ffffff reserved\n` },
              ]),
            ),
          );
          const inParts = await open(list.slice(0, first));
          await inParts.add(fleetFiles(list.slice(first)));
          const together = await open(list);
          expect(await inParts.titles()).toEqual(await together.titles());
          const trial = {
            selectedGroups: await together.keys(),
            guest: { kind: 'machine', machine: 'q35', ram: 8n << 30n },
          } as const;
          const [a, b] = [inParts, together].map((one) => one.ask('compareHosts', trial));
          const [answer, other] = [inParts, together].map((one) => one.ask('answer', trial));
          expect(await a).toEqual(await b);
          expect((await answer)?.answer.text).toBe((await other)?.answer.text);
        },
      ),
      { numRuns: 8 },
    );
  });

  test('the same dumps again are the same hosts, and after a saved case they can be opened by themselves again', async () => {
    const list = machines(30, ODD);
    const fleet = await open(list);
    const { data } = await fleet.ask('exportCase', { view: '' });
    const saved = new Fleet();
    await saved.ask('importCase', { data });
    const alike = (title: string) => title.includes('alike');
    for (const other of [fleet, saved]) {
      await other.add(fleetFiles(list));
      expect((await other.titles()).filter(alike)).toEqual(['n00 (28 hosts alike)']);
      const { id } = await other.host('n00');
      expect((await other.ask('members', { ids: [id], text: 'n29', limit: 5 })).rows[0]?.canOpen).toBe(true);
      await other.ask('openMember', { id, name: 'n29' });
      expect((await other.titles()).filter(alike)).toEqual(['n00 (27 hosts alike)']);
    }
  });

  test('a single host is shown, though it is like the others', async () => {
    const fleet = await open(machines(30));
    await fleet.add(fleetFiles(machines(31).slice(30)));
    expect(await fleet.titles()).toEqual(['n00 (30 hosts alike)', 'n30']);
  });
});

describe('the hosts behind the one that is shown', () => {
  test('are found by name', async () => {
    const fleet = await open(machines(30, ODD));
    const { id } = await fleet.host('n00');
    const all = await fleet.ask('members', { ids: [id], text: '', limit: 5 });
    expect(all.found).toBe(28);
    expect(all.rows.map(({ name, isShown, canOpen }) => [name, isShown, canOpen])).toEqual([
      ['n00', true, false],
      ['n01', false, true],
      ['n02', false, true],
      ['n03', false, true],
      ['n04', false, true],
    ]);
    const found = await fleet.ask('members', { ids: [id], text: ' N2', limit: 50 });
    expect(found.rows.map(({ name }) => name)).toEqual(Array.from({ length: 10 }, (_, i) => `n2${i}`));
  });

  test.each(['folder', 'tar'])('one becomes a host of its own, and again one of them (%s)', async (form) => {
    const list = machines(30, ODD);
    const fleet = new Fleet();
    await fleet.add(form === 'tar' ? [{ name: 'fleet.tar', data: await tarOfMachines(list) }] : fleetFiles(list));
    const { id } = await fleet.host('n00');
    await fleet.ask('openMember', { id, name: 'n20' });
    expect(await fleet.titles()).toEqual(['n00 (27 hosts alike)', 'n07', 'n11', 'n20']);
    expect((await fleet.host('n20')).groups).toHaveLength(2);
    expect((await fleet.ask('members', { ids: [id], text: 'n20', limit: 5 })).found).toBe(0);
    const again = await fleet.engine.call('openMember', { id, name: 'n20' });
    expect(again).toMatchObject({ ok: false, error: { code: 'unusable' } });
    await fleet.ask('undo', null);
    expect(await fleet.titles()).toEqual(FOLDED);
    expect((await fleet.ask('members', { ids: [id], text: 'n20', limit: 5 })).rows[0]?.canOpen).toBe(true);
  });

  test('evidence of one machine joins none of them', async () => {
    const fleet = await open(machines(30));
    const { placements } = await fleet.add(
      filesOf({ 'qemu.log': 'qemu-system-x86_64: vfio 0000:3b:00.0: group 1 is not viable\n' }),
    );
    expect(placements[0]?.outcome).toBe('new-host');
    expect(placements[0]?.reason).toContain('30 hosts alike');
    const { id } = await fleet.host('n00');
    await fleet.ask('openMember', { id, name: 'n20' });
    const next = await fleet.add(
      filesOf({ 'n20.txt': 'root@n20:~# uname -a\nLinux n20 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux\n' }),
    );
    expect(next.placements[0]).toMatchObject({ outcome: 'joined', hostName: 'n20' });
  });

  test('are named in a saved case and in a session file, without their dumps', async () => {
    const fleet = await open(machines(30, ODD));
    const { data } = await fleet.ask('exportCase', { view: '' });
    const saved = new Fleet();
    await saved.ask('importCase', { data });
    const { text } = await fleet.ask('share', {
      form: 'session',
      selectedGroups: await fleet.keys(),
      expanded: [],
      scale: 'fold',
      version: '',
    });
    const opened = new Fleet();
    await opened.add(filesOf({ 'case.iova.jsonl': text }));
    for (const other of [saved, opened]) {
      expect(await other.titles()).toEqual(FOLDED);
      const { id } = await other.host('n00');
      const { found, rows } = await other.ask('members', { ids: [id], text: 'n29', limit: 5 });
      expect([found, rows[0]?.canOpen]).toEqual([1, false]);
      expect(await other.engine.call('openMember', { id, name: 'n29' })).toMatchObject({ ok: false });
    }
  });

  test('are not named in a redacted export', async () => {
    const fleet = await open(machines(30, ODD));
    const shared = {
      selectedGroups: await fleet.keys(),
      expanded: [],
      scale: 'fold',
      version: '',
      redact: {},
    } as const;
    for (const form of ['session', 'markdown', 'text'] as const) {
      const { text } = await fleet.ask('share', { form, ...shared });
      expect(text).not.toMatch(/\bn\d\d\b/);
      expect(text).toContain(form === 'session' ? '"alike"' : '28 hosts alike');
    }
  });

  test('a new name keeps how many there are', async () => {
    const fleet = await open(machines(30));
    const { id } = await fleet.host('n00');
    await fleet.ask('renameHost', { hostId: id, name: 'storage' });
    expect(await fleet.titles()).toEqual(['storage (30 hosts alike)']);
    const { data } = await fleet.ask('exportCase', { view: '' });
    const saved = new Fleet();
    await saved.ask('importCase', { data });
    expect(await saved.titles()).toEqual(['storage (30 hosts alike)']);
  });
});

describe('the answer and the table', () => {
  test('count hosts, and name those on which something is wrong', async () => {
    const fleet = await open(machines(30, ODD));
    const { answer } = await fleet.ask('answer', { selectedGroups: await fleet.keys() });
    expect(answer.text).toMatch(/^30 hosts of 3 kinds: .*on 1\. n11: /);
  });

  test('a row for each kind, with what differs and whether a guest fits', async () => {
    const fleet = await open(
      machines(30, { ...ODD, 9: { region: '0x0000000040000000 0x000000004fffffff reserved\n' } }),
    );
    const trial = {
      selectedGroups: await fleet.keys(),
      guest: { kind: 'machine', machine: 'q35', ram: 8n << 30n },
    } as const;
    const { rows, hosts, usableIntersection } = await fleet.ask('compareHosts', trial);
    expect(hosts).toBe(30);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(30);
    expect(rows[0]).toMatchObject({ count: 27, differs: '' });
    expect(rows[0]?.answer.text).toContain('fits');
    const odd = rows.find(({ names }) => names === 'n09');
    expect(odd?.differs).toContain('0x40000000-0x4fffffff');
    expect(odd?.answer.severity).toBe('fatal');
    expect(rows.find(({ names }) => names === 'n11')).toMatchObject({ count: 1, differs: '' });
    expect(usableIntersection[0]).toEqual({ start: 0n, last: 0x3fffffffn });
    const { answer } = await fleet.ask('answer', trial);
    expect(answer.text).toMatch(/^30 hosts of 4 kinds: .* fits on 29/);
  });

  test('one host shown for all is a table too', async () => {
    const fleet = await open(machines(30));
    const { rows, hosts, all } = await fleet.ask('compareHosts', { selectedGroups: await fleet.keys() });
    expect([rows.length, hosts, all]).toEqual([1, 30, 'all 30 hosts']);
  });
});
