import { describe, expect, test } from 'vitest';
import type { EngineDocument } from '../documents/document.ts';
import type { GuestChoice } from '../protocol/answers.ts';
import { sessionDocument } from '../testing/documents.ts';
import { guestOf } from './guests.ts';
import { guestsOn, selectedHosts, spacesFor } from './spaces.ts';

const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const GROUPS = [
  { ...MSI, group: '1' },
  { ...MSI, group: '2' },
];
const WINDOW = { kind: 'window', start: '0x0', last: '0xffff', name: 'ram', depth: 0, type: 'ram' };
const FAULT = { kind: 'fault', address: '0x1000' };
const MAP = { kind: 'map', start: '0x1000', last: '0x1fff', origin: 'ftrace' };
const GUEST = { kind: 'guest', start: '0x0', last: '0xffff', name: 'ram', type: 'ram', source: 'vm' };

const open = (...documents: readonly EngineDocument[]) => new Map(documents.map((d) => [d.id, d]));
/** The spaces of a session with something selected. */
async function spacesOf(lines: readonly object[], selectedGroups: readonly string[], guest?: GuestChoice) {
  const params = { selectedGroups, expanded: [], scale: 'fold', guest } as const;
  return spacesFor(open(await sessionDocument('d', lines)), params);
}
const kinds = (space: { lanes: readonly { kind: string }[] } | undefined) => space?.lanes.map(({ kind }) => kind);

describe('selected hosts', () => {
  const hosts = async (lines: readonly object[], keys: readonly string[]) => {
    const document = await sessionDocument('d', lines);
    const groups = document.host.groups.map(({ key }) => key);
    return selectedHosts(open(document), new Set(keys.map((key) => (key === 'first' ? (groups[0] ?? '') : key))));
  };

  test('have the groups that are selected, of those they have', async () => {
    const [host, ...more] = await hosts(GROUPS, ['first']);
    expect(host?.space.groups.map(({ group }) => group)).toEqual(['1']);
    expect(more).toEqual([]);
    expect(await hosts(GROUPS, [])).toEqual([]);
  });

  test('are those with a selected layer, guest or set of mappings', async () => {
    expect(await hosts([...GROUPS, WINDOW], ['d/layer windows'])).toHaveLength(1);
    expect(await hosts([...GROUPS, FAULT], ['d/layer faults'])).toHaveLength(1);
    const [host] = await hosts([...GROUPS, GUEST], ['d/guest vm']);
    expect(host?.guests.map(({ source }) => source)).toEqual(['vm']);
    const document = await sessionDocument('d', [...GROUPS, MAP]);
    const key = `d/mappings ${document.mappings[0]?.key}`;
    expect(selectedHosts(open(document), new Set([key]))).toHaveLength(1);
    expect(selectedHosts(open(document), new Set(['other/layer windows']))).toEqual([]);
  });

  test('a dump without anything to select is shown for what else it says', async () => {
    expect(await hosts([{ kind: 'host', address_width: 39 }], [])).toHaveLength(1);
    expect(await hosts([{ kind: 'ineligible', device: 'a', reason: 'b' }], [])).toHaveLength(1);
    expect(await hosts([{ kind: 'diagnostic', severity: 'info', code: 'x', message: 'y' }], [])).toHaveLength(1);
    expect(await hosts([{ kind: 'host', name: 'maple' }], [])).toEqual([]);
    expect(await hosts([], [])).toEqual([]);
    for (const more of [WINDOW, FAULT, GUEST, MAP]) {
      expect(await hosts([{ kind: 'host', address_width: 39 }, more], [])).toEqual([]);
    }
  });

  test('an aperture of a reported space is no reason to show a host', async () => {
    expect(await hosts([{ kind: 'aperture', start: '0x0', last: '0xffff', container: 'c' }], [])).toEqual([]);
  });
});

describe('guests', () => {
  test('are a host’s own and the chosen one, once', async () => {
    const { host } = await sessionDocument('d', [GUEST]);
    const chosen = { title: 'q35', ranges: [] };
    const titles = (choice: GuestChoice | undefined, own = host.guests) =>
      guestsOn(own, choice, 'd', choice && chosen).map(({ title }) => title);
    expect(titles(undefined)).toEqual(['vm']);
    expect(titles({ kind: 'machine', machine: 'q35', ram: 1n })).toEqual(['vm', 'q35']);
    expect(titles({ kind: 'document', id: 'd', guest: 'vm' })).toEqual(['vm']);
    expect(titles({ kind: 'document', id: 'd', guest: 'vm' }, [])).toEqual(['q35']);
    expect(titles({ kind: 'document', id: 'e', guest: 'vm' })).toEqual(['vm', 'q35']);
  });

  test('a choice that cannot be tried has a problem', () => {
    expect(guestOf(new Map(), undefined)).toEqual({});
    expect(guestOf(new Map(), { kind: 'ranges', text: '' })).toEqual({ problem: expect.any(String) });
    expect(guestOf(new Map(), { kind: 'ranges', text: '1G@0x100000000' }).guest?.title).toBe('custom ranges');
  });
});

describe('the spaces of a picture', () => {
  test('of a host: what is selected of it, and what it answers', async () => {
    const lines = [...GROUPS, WINDOW, FAULT, MAP, GUEST];
    const document = await sessionDocument('d', lines);
    const [group] = document.host.groups;
    const [all] = await spacesFor(open(document), {
      selectedGroups: [
        group?.key ?? '',
        'd/layer windows',
        'd/layer faults',
        'd/guest vm',
        `d/mappings ${document.mappings[0]?.key}`,
      ],
      expanded: [],
      scale: 'fold',
    });
    expect(kinds(all)).toEqual(['aperture', 'reserved', 'windows', 'guest', 'mappings', 'faults', 'usable']);
    expect(all).toMatchObject({ kind: 'host', title: 'd: group 1' });
    expect(all?.answers?.hasMappings).toBe(true);
    const [some] = await spacesOf(lines, ['d/layer windows']);
    expect(kinds(some)).toEqual(['aperture', 'windows']);
    expect(some?.answers).toBeUndefined();
  });

  test('mappings are those at the position of the document', async () => {
    const document = await sessionDocument('d', [...GROUPS, MAP]);
    document.position = 2;
    const [space] = await spacesFor(open(document), {
      selectedGroups: [`d/mappings ${document.mappings[0]?.key}`],
      expanded: [],
      scale: 'fold',
    });
    expect(space?.lanes.find(({ kind }) => kind === 'mappings')?.rows).toEqual([]);
  });

  test('of what a kernel reported, with the guest whose process holds it', async () => {
    const valid = { kind: 'valid_range', start: '0x0', last: '0xffff', container: 'c', guest: 'aspen' };
    const guest = { ...GUEST, source: 'QMP aspen' };
    expect(await spacesOf([valid], [])).toEqual([]);
    const [space] = await spacesOf([valid, guest], ['d/reported c']);
    expect(space).toMatchObject({ id: 'd/reported c', kind: 'reported', title: 'd: c' });
    expect(kinds(space)).toEqual(['guest', 'usable']);
    expect(space?.answers?.usable).toEqual([{ start: 0n, last: 0xffffn }]);
  });

  test('of a model, with the chosen guest; once for each model that is compared', async () => {
    const document = await sessionDocument('t', [{ op: 'ioas.alloc', ioas: 'a' }], { model: 'iommufd' });
    const arrange = (more: object) =>
      spacesFor(open(document), { selectedGroups: ['t/space a'], expanded: [], scale: 'fold', ...more });
    const [space] = await arrange({ guest: { kind: 'ranges', text: '1G@0x100000000' } });
    expect(space).toMatchObject({ id: 't/space a', kind: 'model', title: 't: a' });
    expect(kinds(space)).toEqual(['aperture', 'reserved', 'guest', 'areas', 'usable']);
    expect(space?.answers?.hasMappings).toBe(false);
    const compared = await arrange({ compared: { id: 't', under: ['iommufd', 'type1'], shows: ['each'] } });
    expect(compared.map(({ id, title }) => [id, title])).toEqual([
      ['t/space a under iommufd', 'iommufd, t: a'],
      ['t/space a under type1', 'type1, t: a'],
    ]);
    const [other] = await arrange({ compared: { id: 'u', under: ['iommufd', 'type1'], shows: ['each'] } });
    expect(other?.id).toBe('t/space a');
    expect(await arrange({ selectedGroups: [] })).toEqual([]);
  });

  test('expanded lanes are those with these ids', async () => {
    const document = await sessionDocument('d', GROUPS);
    const [space] = await spacesFor(open(document), {
      selectedGroups: document.host.groups.map(({ key }) => key),
      expanded: ['d#reserved'],
      scale: 'fold',
    });
    expect(space?.lanes.filter(({ expanded }) => expanded).map(({ kind }) => kind)).toEqual(['reserved']);
  });
});
