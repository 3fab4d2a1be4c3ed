import { describe, expect, test } from 'vitest';
import { Asker, sessionDocument } from '../testing/documents.ts';

const NIC = '0000:01:00.0';
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
    const steps = async (position: number) => await asker.ask('allocatorSteps', { id: 'd', position });
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

  test('exist for this model alone', async () => {
    const lines = [{ op: 'ioas.alloc', ioas: 'a' }];
    const asker = new Asker([await sessionDocument('d', lines, { model: 'iommufd' })]);
    expect(await asker.ask('allocatorSteps', { id: 'd', position: 1 })).toEqual([]);
    expect(await asker.engine.call('allocatorSteps', { id: 'x', position: 1 })).toMatchObject({ ok: false });
  });
});

describe('where the next buffers go', () => {
  const DUMP = [
    'DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c222f0686 ecap f00f5a',
    '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
    `/sys/kernel/iommu_groups/1/devices/${NIC}`,
    '/sys/kernel/iommu_groups/2/reserved_regions:0x00000000fffff000 0x00000000ffffffff reserved',
    '/sys/kernel/iommu_groups/2/devices/0000:02:00.0',
    '',
  ].join('\n');

  test('of a device, or of any PCI device of the selection', async () => {
    const asker = new Asker();
    await asker.open('h', DUMP);
    const documents = await asker.ask('documents', null);
    const selectedGroups = documents.flatMap(({ groups }) => groups.map(({ key }) => key));
    const places = async (device?: string) =>
      (await asker.ask('nextDma', { device, bits: 64, size: 0x1000n, selectedGroups })).map(
        ({ addresses }) => addresses,
      );
    expect(await places(NIC)).toEqual([[0xffff_f000n, 0xffff_e000n, 0xffff_d000n]]);
    expect(await places()).toEqual([[0xffff_e000n, 0xffff_d000n, 0xffff_c000n]]);
    expect(
      await asker.engine.call('nextDma', { device: '0000:7f:00.0', bits: 64, size: 1n, selectedGroups }),
    ).toMatchObject({ ok: false, error: { message: 'no selected host has a device 0000:7f:00.0' } });
  });
});
