import { describe, expect, test } from 'vitest';
import type { EngineDocument } from '../documents/document.ts';
import { sessionDocument } from '../testing/documents.ts';
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
