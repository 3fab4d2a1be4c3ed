// Notes: on ranges and on the whole case, undone like any other change, in every form that leaves, and back again.
import { describe, expect, test } from 'vitest';
import { parseLink } from '../../session/sharing/link.ts';
import type { NoteParams } from '../protocol/case.ts';
import type { ShareForm, ShareParams } from '../protocol/share.ts';
import { Asker, filesOf, sessionText } from '../testing/documents.ts';

const host = (name: string, group: number) =>
  [
    `root@${name}:~# uname -a`,
    `Linux ${name} 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux`,
    `/sys/kernel/iommu_groups/${group}/devices/0000:0${group}:00.0`,
    `/sys/kernel/iommu_groups/${group}/reserved_regions:0x00000000fee00000 0x00000000feefffff msi`,
    '',
  ].join('\n');
const OPERATIONS = sessionText(
  [
    { op: 'ioas.alloc', ioas: 'a' },
    { op: 'ioas.alloc', ioas: 'b' },
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x10000', length: '0x2000', iova: '0x4000' },
  ],
  { model: 'iommufd' },
);
const MSI = { start: 0xfee00000n, last: 0xfeefffffn };

class Case extends Asker {
  async add(texts: Readonly<Record<string, string>>): Promise<this> {
    await this.ask('open', { title: 'drop', files: filesOf(texts) });
    return this;
  }

  /** Notes in the picture, by lane. */
  async pinned() {
    const { spaces } = await this.arrangeAll();
    const ids = spaces.flatMap(({ lanes }) => lanes.filter(({ title }) => title === 'notes').map(({ id }) => id));
    const { rows } = await this.ask('table', { offset: 0, limit: 100 });
    return rows.filter(({ target }) => ids.includes(target.laneId));
  }

  async laneId(title: string, space = ''): Promise<string> {
    const { spaces } = await this.arrangeAll();
    const found = spaces.filter(({ id }) => id.includes(space)).flatMap(({ lanes }) => lanes);
    return found.find((lane) => lane.title === title)?.id ?? `no lane ${title}`;
  }

  async texts() {
    return (await this.ask('notes', null)).map(({ text, range, where }) => [text, range?.start, where]);
  }

  async share(form: ShareForm, more: Partial<ShareParams> = {}) {
    const documents = await this.ask('documents', null);
    const selectedGroups = documents.flatMap((d) => [...d.groups, ...d.spaces, ...d.layers].map(({ key }) => key));
    return this.ask('share', { form, selectedGroups, expanded: [], scale: 'fold', version: '1.0', ...more });
  }
}

describe('a note on a range of a host', () => {
  test('is in the picture and the table, is described, changed, removed and undone', async () => {
    const open = await new Case().add({ 'a.txt': host('alpha', 1) });
    const laneId = await open.laneId('reserved');
    await open.ask('setNote', { text: '  This one.\nSee the log. ', on: { ...MSI, laneId } });
    const [row] = await open.pinned();
    expect(row).toMatchObject({ caption: 'This one.', source: '', target: MSI });
    if (!row) throw new Error('no note in the picture');
    const detail = await open.ask('describe', row.target);
    expect(detail).toMatchObject({ sentence: 'This one.\nSee the log.', laneTitle: 'notes' });
    const { note: ref } = detail;
    const changed = await open.ask('setNote', { text: 'Another.', ref });
    expect(changed.undo).toBe('Change the note “This one. See the log.”');
    expect(await open.texts()).toEqual([['Another.', 0xfee00000n, 'alpha']]);
    await open.ask('setNote', { text: 'A second one.', on: { start: 0xfee01000n, last: 0xfee01fffn, laneId } });
    expect((await open.pinned()).map(({ caption }) => caption)).toEqual(['Another.', 'A second one.']);
    await open.ask('setNote', { text: '', ref });
    expect((await open.pinned()).map(({ caption }) => caption)).toEqual(['A second one.']);
    for (const expected of [2, 1, 1, 0]) {
      await open.ask('undo', null);
      expect(await open.pinned()).toHaveLength(expected);
    }
    expect((await open.ask('case', null)).hosts[0]?.sources.map(({ name }) => name)).toEqual(['a.txt']);
  });

  test('is kept with the case, and can still be changed', async () => {
    const open = await new Case().add({ 'a.txt': host('alpha', 1) });
    await open.ask('setNote', { text: 'Kept.', on: { ...MSI, laneId: await open.laneId('reserved') } });
    const { data } = await open.ask('exportCase', { view: '' });
    const again = new Case();
    await again.ask('importCase', { data });
    expect(await again.texts()).toEqual([['Kept.', 0xfee00000n, 'alpha']]);
    const [note] = await again.ask('notes', null);
    await again.ask('setNote', { text: 'Changed.', ref: note?.ref });
    expect(await again.texts()).toEqual([['Changed.', 0xfee00000n, 'alpha']]);
  });

  test('does not move the moment that is shown', async () => {
    const lines = [0, 1, 2].map((i) => ({
      ...{ kind: 'map', start: `0x${i}000`, last: `0x${i}fff`, paddr: '0x0', device: '0000:01:00.0', time: i },
    }));
    const open = await new Case().add({ 'a.iova.jsonl': sessionText([{ kind: 'host', name: 'alpha' }, ...lines]) });
    const [node] = (await open.ask('case', null)).hosts;
    await open.ask('seek', { id: node?.id ?? '', position: 2 });
    for (const text of ['one', 'two']) await open.ask('setNote', { text, on: MSI });
    expect((await open.ask('case', null)).hosts.map(({ position, events }) => [position, events])).toEqual([[2, 6]]);
  });

  test('of a case that was exported and opened twice is there once, and goes at once', async () => {
    const open = await new Case().add({ 'a.txt': host('alpha', 1) });
    await open.ask('setNote', { text: 'Once.', on: { ...MSI, laneId: await open.laneId('reserved') } });
    const { session } = await open.share('session');
    const again = await new Case().add({ 'case.iova.jsonl': session });
    await again.add({ 'copy.iova.jsonl': session });
    expect((await again.ask('case', null)).hosts.map(({ sources }) => sources.length)).toEqual([2]);
    expect((await again.pinned()).map(({ caption }) => caption)).toEqual(['Once.']);
    const [note] = await again.ask('notes', null);
    await again.ask('setNote', { text: '', ref: note?.ref });
    expect(await again.texts()).toEqual([]);
    await again.ask('undo', null);
    expect(await again.texts()).toEqual([['Once.', 0xfee00000n, 'alpha']]);
  });

  test('cannot be empty, and one that is gone cannot be changed', async () => {
    const open = await new Case().add({ 'a.txt': host('alpha', 1) });
    const refused = async (params: NoteParams) => {
      const result = await open.engine.call('setNote', params);
      return result.ok ? 'done' : result.error.message;
    };
    expect(await refused({ text: ' ' })).toBe('the note has no text');
    expect(await refused({ text: 'x', ref: { id: 'host 1', position: 1 } })).toContain('no longer there');
    expect(await refused({ text: 'x', on: { ...MSI, laneId: 'gone#reserved' } })).toContain('nothing is open');
  });
});

describe('notes leave with the case', () => {
  const FORMS = ['session', 'link', 'picture', 'text', 'markdown'] as const;

  async function withNotes(): Promise<Case> {
    const open = await new Case().add({ 'a.txt': host('alpha', 1), 'ops.iova.jsonl': OPERATIONS });
    await open.ask('setNote', { text: 'Pinned here.', on: { ...MSI, laneId: await open.laneId('reserved') } });
    await open.ask('setNote', {
      text: 'On area.',
      on: { start: 0x4000n, last: 0x5fffn, laneId: await open.laneId('areas') },
    });
    await open.ask('setNote', { text: 'About all of it.' });
    return open;
  }

  test.each(FORMS)('%s: with their texts, redacted or not', async (form) => {
    const open = await withNotes();
    for (const redact of [undefined, { notes: true }]) {
      const { text, session, scene } = await open.share(form, { redact, notes: 'For this export.' });
      const { target } = parseLink(form === 'link' ? text : '');
      const all =
        form === 'link' && target?.kind === 'session' ? target.text : `${text}${JSON.stringify(scene?.marks)}`;
      for (const note of ['Pinned here.', 'On area.', 'About all of it.', 'For this export.']) {
        // Markdown escapes what could be markup.
        expect(all.replaceAll('\\', '')).toContain(note);
        expect(session).toContain(note);
      }
      if (redact) expect(session).not.toMatch(/alpha|a\.txt/);
    }
    const { text, session } = await open.share(form, { redact: {} });
    expect(text + session).not.toMatch(/Pinned|On area|About all/);
  });

  test.each([undefined, { notes: true }])('they come back to where they were (redaction: %j)', async (redact) => {
    const first = await withNotes();
    const { session } = await first.share('session', { redact, notes: 'For this export.' });
    const again = await new Case().add({ 'case.iova.jsonl': session });
    const place = redact ? ['host-1', 'ioas-1'] : ['alpha', 'a'];
    const found = await again.texts();
    expect(found.map(([text, start, where]) => [text, start, String(where).split(': ').at(-1)])).toEqual([
      ['About all of it.', undefined, place[0]],
      ['For this export.', undefined, place[0]],
      ['Pinned here.', 0xfee00000n, place[0]],
      ['On area.', 0x4000n, place[1]],
    ]);
    const spaces = (await again.pinned()).map(({ caption, space }) => [caption, space]);
    expect(spaces).toHaveLength(2);
    expect(spaces[1]?.[1]).toContain(place[1]);
  });

  test('with several hosts each note stays with its own', async () => {
    const open = await new Case().add({
      'a.txt': host('alpha', 1),
      'b.txt': host('beta', 2),
      'ops.iova.jsonl': OPERATIONS,
    });
    const { hosts } = await open.ask('case', null);
    for (const { id, title } of hosts) {
      await open.ask('setNote', { text: `On ${title}`, on: { ...MSI, laneId: await open.laneId('reserved', id) } });
    }
    await open.ask('setNote', {
      text: 'On area',
      on: { start: 0x4000n, last: 0x5fffn, laneId: await open.laneId('areas') },
    });
    const { session } = await open.share('session');
    const again = await new Case().add({ 'case.iova.jsonl': session });
    expect(await again.texts()).toEqual([
      ['On alpha', 0xfee00000n, 'alpha'],
      ['On beta', 0xfee00000n, 'beta'],
      ['On area', 0x4000n, expect.stringMatching(/: a$/)],
    ]);
    expect((await again.share('session')).session).toBe(session);
  });
});

test('a session with notes has the same operations and answers, and no host', async () => {
  const open = await new Case().add({ 'ops.iova.jsonl': OPERATIONS });
  await open.ask('setNote', {
    text: 'One.',
    on: { start: 0x4000n, last: 0x4fffn, laneId: await open.laneId('areas') },
  });
  const { session } = await open.share('session');
  expect(session.startsWith(OPERATIONS)).toBe(true);
  const again = await new Case().add({ 'ops.iova.jsonl': session });
  const { hosts, sessions } = await again.ask('case', null);
  expect([hosts.length, sessions.map(({ operations, events, position }) => [operations, events, position])]).toEqual([
    0,
    [[3, 4, 4]],
  ]);
  const [note] = await again.ask('notes', null);
  await again.ask('setNote', { text: 'Two.', ref: note?.ref });
  expect((await again.pinned()).map(({ caption }) => caption)).toEqual(['Two.']);
});

test('a note among operations made by hand: what can be undone stays so, and no undo loses an operation', async () => {
  const open = new Case();
  const change = async (line: string) => {
    const [session] = (await open.ask('case', null)).sessions;
    const params = session ? { id: session.id } : { model: 'iommufd' };
    const position = session?.position ?? 0;
    return open.ask('changeEvents', { ...params, change: { kind: 'insert', position, line } });
  };
  const repeat = async (kind: 'undo' | 'redo') => {
    const [session] = (await open.ask('case', null)).sessions;
    await open.ask('changeEvents', { id: session?.id, change: { kind } });
  };
  const lines = async () => {
    const [session] = (await open.ask('case', null)).sessions;
    return [session?.operations, session?.changes?.undo, session?.changes?.redo];
  };
  await change('alloc a');
  await change('map a 0x4000 4K r');
  await open.ask('setNote', {
    text: 'Here.',
    on: { start: 0x4000n, last: 0x4fffn, laneId: await open.laneId('areas') },
  });
  await change('map a 0x8000 4K r');
  // The first one began the session.
  expect(await lines()).toEqual([3, 2, 0]);
  // The operation came after the note: undoing the note by going back to the session before it would lose it.
  expect((await open.ask('case', null)).undo ?? '').not.toContain('note');
  for (const [kind, expected] of [
    ['undo', [2, 1, 1]],
    ['undo', [1, 0, 2]],
    ['redo', [2, 1, 1]],
  ] as const) {
    await repeat(kind);
    expect(await lines()).toEqual(expected);
  }
  const [note] = await open.ask('notes', null);
  await open.ask('setNote', { text: '', ref: note?.ref });
  await repeat('redo');
  expect(await lines()).toEqual([3, 2, 0]);
  const { session } = await open.share('session');
  const written = session.trim().split('\n').slice(1);
  expect(written.map((line) => JSON.parse(line).iova)).toEqual([undefined, '0x4000', '0x8000']);
});
