import { describe, expect, test } from 'vitest';
import { Asker, sessionDocument, sessionText } from '../testing/documents.ts';

const LINES = [
  { op: 'ioas.alloc', ioas: 'a' },
  { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova: '0x1000' },
  { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova: '0x1000' },
];

test('the steps of an operation, from the state before it, under the model that runs it', async () => {
  const asker = new Asker();
  await asker.open('s', sessionText(LINES, { model: 'iommufd' }), 's.jsonl');
  const steps = (position: number) => asker.ask('decision', { id: 's', position });
  expect((await steps(2)).at(-1)).toMatchObject({ verdict: 'yes', text: expect.stringContaining('0x1000') });
  expect((await steps(3)).at(-1)).toMatchObject({ verdict: 'no', range: { start: 0x1000n, last: 0x1fffn } });
  expect(await steps(0)).toEqual([]);
  await asker.ask('run', { id: 's', model: 'iommufd-vfio' });
  expect((await steps(3)).at(-1)?.text).toContain('-ENODEV (compat-no-ioas)');
  await asker.ask('run', { id: 's', model: 'dma-iommu' });
  expect(await steps(3)).toEqual([]);
});

const ATTACH = {
  op: 'dma.attach',
  device: 'nic',
  domain: 'd',
  aperture: ['0x0', '0xffffffffffff'],
  force_aperture: true,
  pgsize_bitmap: '0x1000',
  pci: true,
  forcedac: false,
  windows: [],
  reserved: [],
};
const MAP = { op: 'dma.map', device: 'nic', phys: '0x10000', size: '0x1000', dma_mask: '0xffffffffffffffff' };
const UNMAP = { op: 'dma.unmap', device: 'nic', dma_addr: '0xfffff000', size: '0x1000' };

describe('steps of the allocator', () => {
  const LINES = [ATTACH, MAP, UNMAP, { ...MAP, phys: '0x20000' }];
  test('are those of the operation before a position, from the state before it', async () => {
    const asker = new Asker([await sessionDocument('d', LINES, { model: 'dma-iommu' })]);
    const steps = async (position: number) =>
      (await asker.ask('decision', { id: 'd', position })).slice(0, -1).map(({ text }) => text);
    expect(await steps(2)).toEqual([
      'PCI device: addresses below 4 GiB are tried first',
      'no freed range of this size is kept',
      'search down from the 32-bit cursor at 0x100000000',
      'found 0xfffff000-0xffffffff',
    ]);
    expect(await steps(3)).toEqual(['0xfffff000 is kept for the next mapping of this size (1 kept)']);
    expect(await steps(4)).toEqual([
      'PCI device: addresses below 4 GiB are tried first',
      'the cache has 1 freed range of this size: 0xfffff000 is handed out again',
    ]);
    // Neither the start nor an attach searches; asking changed nothing.
    expect([await steps(0), await steps(1)]).toEqual([[], []]);
    expect((await steps(2)).length).toBe(4);
  });
});
