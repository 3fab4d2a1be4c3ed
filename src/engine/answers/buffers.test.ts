import { describe, expect, test } from 'vitest';
import { sessionDocument } from '../testing/documents.ts';
import { decodeText, getInfo, structures } from './buffers.ts';

const OPEN = { op: 'container.open', container: 'c', model: 'type1v2' };
const ATTACH = {
  ...{ op: 'container.attach_group', container: 'c', group: '1', reserved: [] },
  domain: { iommu: 'vtd', aperture: ['0x0', '0xffffffff'], pgsize_bitmap: '0x1000', enforce_cache_coherency: true },
};

describe('what VFIO_IOMMU_GET_INFO answers', () => {
  test('is decoded as what it is', async () => {
    const document = await sessionDocument('d', [OPEN, ATTACH], { model: 'type1' });
    const hex = getInfo(document, 'c');
    if (!hex.ok) throw new Error(hex.error.message);
    const decoded = decodeText(hex.value);
    if (!decoded.ok) throw new Error(decoded.error.message);
    expect(decoded.value.structure).toContain('vfio_iommu_type1_info');
    expect(decoded.value.ranges).toEqual([{ start: 0n, last: 0xffffffffn }]);
    expect(decoded.value.problems).toEqual([]);
    expect(structures()).toMatchObject({ ok: true });
    expect(decodeText(hex.value, decoded.value.structure).ok).toBe(true);
  });

  test('is that of the position', async () => {
    const document = await sessionDocument('d', [OPEN, ATTACH], { model: 'type1' });
    document.position = 0;
    expect(getInfo(document, 'c')).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/^GET_INFO of c: ./) },
    });
  });

  test('there is none without a model that has the call', async () => {
    const ioas = await sessionDocument('d', [{ op: 'ioas.alloc', ioas: 'a' }], { model: 'iommufd' });
    expect(getInfo(ioas, 'a').ok).toBe(false);
    const facts = await sessionDocument('d', [{ kind: 'host', name: 'x' }]);
    expect(getInfo(facts, 'a')).toMatchObject({
      ok: false,
      error: { message: 'GET_INFO of a: the model does not support this call' },
    });
  });
});

test('a text that is no buffer is refused, with the first thing that is wrong in it', () => {
  const refused = decodeText('00 01 zz');
  expect(refused).toMatchObject({
    ok: false,
    error: { code: 'unusable', message: expect.stringMatching(/^line 1, column 7: /) },
  });
  expect(decodeText('')).toMatchObject({ ok: false });
});
