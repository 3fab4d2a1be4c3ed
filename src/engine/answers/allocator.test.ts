import { describe, expect, test } from 'vitest';
import { Asker } from '../testing/documents.ts';

const NIC = '0000:01:00.0';
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
