import { describe, expect, test } from 'vitest';
import { Asker, sessionDocument, sessionText } from '../testing/documents.ts';

const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const map = (iova: string) => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read', 'write'], user_va: '0x10000', length: '0x1000' },
  iova,
});
const EVENTS = [ALLOC, map('0x1000'), map('0x2000'), map('0x1000')];
const LESSON =
  '---\ntitle: T\nmodel: iommufd\n---\n## One\n\n```ops\nalloc a => 0\nmap a 0x1000 4K rw => -EINVAL\n```\n';

async function opened() {
  const asker = new Asker();
  const data = new Blob([sessionText(EVENTS, { model: 'iommufd' })]);
  const { placements } = await asker.ask('open', { title: 's', files: [{ name: 's.iova.jsonl', data }] });
  return { asker, id: placements[0]?.sourceId ?? '' };
}

describe('hidden events', () => {
  test('are in no answer about the session', async () => {
    const { asker, id } = await opened();
    const overview = () => asker.ask('eventOverview', { id, filter: {} });
    expect(await overview()).toMatchObject({ total: 4, failed: 1 });
    const node = await asker.ask('conceal', { id, from: 2 });
    expect(node).toMatchObject({ events: 2, position: 2, isConcealed: true });
    expect(await overview()).toMatchObject({ total: 2, failed: 0, marks: [] });
    expect(await asker.ask('events', { id, offset: 0, limit: 9 })).toHaveLength(2);
    expect(await asker.ask('failure', { id, position: 0, direction: 'next' })).toBeNull();
    expect(await asker.ask('seek', { id, position: 4 })).toMatchObject({ position: 2 });
    const text = await asker.engine.call('text', { id, source: 's.iova.jsonl', from: 1, limit: 100 });
    expect(text).toMatchObject({ ok: false, error: { message: expect.stringContaining('hidden') } });
    expect(await (await asker.ask('save', { id })).text()).not.toContain('0x2000');
  });

  test('come back in order, some of them or all', async () => {
    const { asker, id } = await opened();
    await asker.ask('conceal', { id, from: 1 });
    expect(await asker.ask('conceal', { id, from: 3 })).toMatchObject({ events: 3, position: 1 });
    expect(await asker.ask('conceal', { id, from: 2 })).toMatchObject({ events: 2 });
    const all = await asker.ask('conceal', { id, from: null });
    expect([all.events, all.isConcealed]).toEqual([4, undefined]);
    await asker.ask('seek', { id, position: 4 });
    const rows = await asker.ask('events', { id, offset: 0, limit: 9 });
    expect(rows.map(({ answer }) => answer)).toEqual(['0', '0 (iova 0x1000)', '0 (iova 0x2000)', '-EEXIST']);
    expect((await asker.ask('text', { id, source: 's.iova.jsonl', from: 1, limit: 100 })).lines).toHaveLength(5);
  });
});

describe('lessons', () => {
  test('a lesson is read and run: its mistakes have lines, and the rest works', async () => {
    const lesson = await new Asker().ask('readLesson', { text: LESSON });
    expect(lesson.problems).toEqual([{ line: 9, message: 'expected -EINVAL, the model answers 0, iova 0x1000' }]);
    expect(lesson.steps).toEqual([{ from: 0, to: 2 }]);
    expect(lesson.session.split('\n')).toHaveLength(4);
  });

  test('an answer is judged at its moment, with why an operation would be refused and where', async () => {
    const document = await sessionDocument('s', EVENTS, { model: 'iommufd' });
    const asker = new Asker([document]);
    const question = { answer: { kind: 'operation' as const, line: 1 }, check: [] };
    const ask = (position: number, text: string) => asker.ask('judge', { id: 's', position, question, text });
    expect(await ask(1, 'map a 0x1000 4K rw')).toMatchObject({ isRight: true });
    expect(await ask(2, 'map a 0x1000 4K rw')).toMatchObject({
      isRight: false,
      lines: [
        {
          text: 'map a 0x1000 4K rw',
          answer: '-EEXIST',
          refused: { requested: { start: 0x1000n, last: 0x1fffn }, obstacle: { start: 0x1000n, last: 0x1fffn } },
        },
      ],
    });
    expect(await ask(2, 'mpa a 0x1000')).toMatchObject({ isRight: false, mistake: expect.stringContaining("'map'") });
    // Nothing of it is left in the session.
    expect(await asker.ask('documents', null)).toMatchObject([{ events: 4 }]);
  });

  test('a session becomes a lesson that the check accepts; a long one is refused', async () => {
    const document = await sessionDocument('s', EVENTS, { model: 'iommufd' });
    const asker = new Asker([document]);
    const text = await asker.ask('recordLesson', { id: 's', position: 4, title: 'Mine' });
    expect(await asker.ask('readLesson', { text })).toMatchObject({ problems: [], steps: [{}, {}, {}, { to: 4 }] });
    const refused = await asker.engine.call('recordLesson', { id: 's', position: 501, title: 'Mine' });
    expect(refused).toMatchObject({ ok: false, error: { message: expect.stringContaining('at most 500 events') } });
  });
});
