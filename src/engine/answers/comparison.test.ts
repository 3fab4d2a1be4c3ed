import { describe, expect, test } from 'vitest';
import type { EngineDocument } from '../documents/document.ts';
import { Asker, sessionDocument, sessionText } from '../testing/documents.ts';
import { compareDocument, comparisonOf } from './comparison.ts';

const map = (iova: string, length: string) => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read', 'write'], user_va: '0x0', length, iova },
});
/** An IOAS without a device can be mapped; a container without a group cannot. */
const LINES = [
  { op: 'ioas.alloc', ioas: 'a' },
  map('0x1000', '0x2000'),
  map('0x8000', '0x1000'),
  { op: 'ioas.unmap', ioas: 'a', iova: '0x5000', length: '0x1000' },
  { op: 'ioas.unmap', ioas: 'a', iova: '0x0', length: '0xffffffffffffffff' },
];
const MODELS = ['iommufd', 'type1'];

async function compare(document: EngineDocument, more: object = {}) {
  const params = { id: 'd', models: MODELS, offset: 0, limit: 10, position: document.session.events.length, ...more };
  const compared = await compareDocument(document, params);
  if (!compared.ok) throw new Error(compared.error.message);
  return compared.value;
}

describe('a comparison', () => {
  test('has a row for each operation, with what every model answered', async () => {
    const { rows, models } = await compare(await sessionDocument('d', LINES, { model: 'iommufd' }));
    expect(models).toEqual(MODELS);
    expect(rows.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5]);
    expect(rows.map(({ answers }) => answers.map(({ model }) => model))).toEqual(LINES.map(() => MODELS));
    expect(rows[1]?.answers[1]?.note).toContain('container.map_dma');
    expect(rows[1]?.text).toBe('IOAS a: map 8 KiB at 0x1000 rw, user address 0x0');
    expect(rows.slice(0, 3).map(({ differs }) => differs)).toEqual([false, true, true]);
    expect(rows[1]?.answers.map(({ answer }) => answer)).toEqual(['0 (iova 0x1000)', expect.stringMatching(/^-E/)]);
  });

  test('comes in pages; facts have no row', async () => {
    const document = await sessionDocument('d', [{ kind: 'host', name: 'x' }, ...LINES], { model: 'iommufd' });
    const positions = async (offset: number, limit: number) =>
      (await compare(document, { offset, limit })).rows.map(({ position }) => position);
    expect(await positions(0, 3)).toEqual([2, 3]);
    expect(await positions(4, 9)).toEqual([5, 6]);
    expect(await positions(-3, 5)).toEqual([2]);
    expect(await positions(9, 5)).toEqual([]);
  });

  test('finds where the models part, and what each lacks then', async () => {
    const document = await sessionDocument('d', LINES, { model: 'iommufd' });
    const { firstDivergence, differences } = await compare(document, { position: 3 });
    expect(firstDivergence).toBe(2);
    const ranges = [
      { start: 0x1000n, last: 0x2fffn },
      { start: 0x8000n, last: 0x8fffn },
    ];
    expect(differences).toContainEqual({ space: 'a', what: 'areas', model: 'type1', present: ['iommufd'], ranges });
    const earlier = await compare(document, { position: 2 });
    expect(earlier.differences.find(({ what }) => what === 'areas')?.ranges).toEqual(ranges.slice(0, 1));
    const end = await compare(document, { position: 99 });
    expect(end.differences.filter(({ what }) => what === 'areas')).toEqual([]);
  });

  test('has no divergence if all models answer alike', async () => {
    const { firstDivergence } = await compare(await sessionDocument('d', LINES.slice(0, 1), { model: 'iommufd' }));
    expect(firstDivergence).toBeUndefined();
  });

  test('is kept until other models are asked for', async () => {
    const document = await sessionDocument('d', LINES, { model: 'iommufd' });
    const first = await comparisonOf(document, MODELS);
    expect(await comparisonOf(document, MODELS)).toEqual(first);
    const again = await comparisonOf(document, MODELS);
    const other = await comparisonOf(document, ['type1', 'iommufd']);
    expect(first.ok && again.ok && first.value === again.value).toBe(true);
    expect(first.ok && other.ok && first.value === other.value).toBe(false);
  });

  test('needs models that are known', async () => {
    const document = await sessionDocument('d', LINES, { model: 'iommufd' });
    for (const models of [['iommufd', 'hurd'], ['iommufd'], []]) {
      expect(await comparisonOf(document, models)).toMatchObject({ ok: false, error: { code: 'unusable' } });
    }
  });
});

describe('what differs, as a lane', () => {
  const OPEN = { op: 'container.open', container: 'c', model: 'type1v2' };
  const ATTACH = {
    ...{ op: 'container.attach_group', container: 'c', group: '1', reserved: [] },
    domain: { iommu: 'vtd', aperture: ['0x0', '0xffffffff'], pgsize_bitmap: '0x1000' },
  };
  const MAP = {
    op: 'container.map_dma',
    container: 'c',
    flags: ['read'],
    vaddr: '0x1000',
    size: '0x1000',
    iova: '0x0',
  };
  // Linux 5.10 does not know the flag.
  const ALL = { op: 'container.unmap_dma', container: 'c', flags: ['all'], iova: '0x0', size: '0x0' };

  async function tableAt(position: number, shows: readonly ('each' | 'differences')[]) {
    const asker = new Asker();
    const text = sessionText([OPEN, ATTACH, MAP, ALL], { model: 'type1', title: 'S' });
    const { spaces } = await asker.open('s', text, 's.iova.jsonl');
    await asker.ask('seek', { id: 's', position });
    const selectedGroups = spaces.map(({ key }) => key);
    const compared = { id: 's', under: 'versions' as const, shows };
    const arranged = await asker.ask('arrange', { selectedGroups, expanded: [], scale: 'fold', compared });
    const { rows } = await asker.ask('table', { offset: 0, limit: 500 });
    return { spaces: arranged.spaces, rows: rows.filter(({ target }) => target.laneId.endsWith('#differences')) };
  }

  test('of kernel versions: the state, and the last operation', async () => {
    const { spaces, rows } = await tableAt(4, ['differences']);
    expect(spaces.map(({ title, lanes }) => [title, lanes[0]?.title])).toEqual([['S: c', 'what differs']]);
    expect(rows.map(({ lane, caption, target }) => [lane, caption, target.start, target.last])).toEqual([
      ['what differs', 'differs', 0n, 0xfffn],
    ]);
    expect((await tableAt(3, ['differences'])).rows).toEqual([]);
  });

  test('has a heading of its own where each version is drawn', async () => {
    const { spaces, rows } = await tableAt(4, ['each', 'differences']);
    expect(spaces.length).toBeGreaterThan(4);
    expect(spaces[0]?.title).toMatch(/^Linux 5\.10/);
    expect(spaces.at(-1)).toMatchObject({ title: 'S: c', lanes: [{ title: 'what differs' }] });
    expect(rows).toHaveLength(1);
    expect(new Set(spaces.flatMap(({ lanes }) => lanes.map(({ id }) => id))).size).toBe(
      spaces.reduce((sum, { lanes }) => sum + lanes.length, 0),
    );
  });

  test('of models: the range of an operation that one refuses', async () => {
    const asker = new Asker();
    const { spaces } = await asker.open('d', sessionText(LINES.slice(0, 2), { model: 'iommufd' }), 'd.iova.jsonl');
    const compared = { id: 'd', under: MODELS, shows: ['differences' as const] };
    const selectedGroups = spaces.map(({ key }) => key);
    await asker.ask('arrange', { selectedGroups, expanded: [], scale: 'fold', compared });
    const { rows } = await asker.ask('table', { offset: 0, limit: 500 });
    const row = rows.find(({ lane }) => lane === 'event 2');
    if (!row) throw new Error('no answers');
    const { sentence, values } = await asker.ask('describe', row.target);
    expect(sentence).toMatch(/^The answers to event 2 differ\. type1: ./);
    expect(values).toEqual({ iommufd: '0 (iova 0x1000)', type1: expect.stringMatching(/^-E/) });
  });
});
