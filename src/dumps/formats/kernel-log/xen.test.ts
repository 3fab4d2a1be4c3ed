import { expect, test } from 'vitest';
import { diagnosticsOf, openText, regionsOf } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.map((line) => `(XEN) ${line}`).join('\n')}\n`);

test('units, with the address width from their capabilities', async () => {
  const opened = await open(
    '[VT-D]Host address width 39',
    '[VT-D]found ACPI_DMAR_DRHD:',
    '[VT-D]  dmaru->address = fed90000',
    '[VT-D]drhd->address = fed90000 iommu->reg = ffff82c00021d000',
    '[VT-D]cap = 1c0000c40660462 ecap = 19e2ff0505e',
    '[VT-D] endpoint: 0000:00:02.0',
    '[VT-D]dmar.c:488: found ACPI_DMAR_DRHD:',
    '[VT-D]drhd->address = fed91000 iommu->reg = ffff82c00021f000',
    '[VT-D]cap = d2008c40660462 ecap = f050da',
    '[VT-D] IOAPIC: 0000:00:1e.7',
    '[VT-D] MSI HPET: 0000:00:1e.6',
    '[VT-D]  flags: INCLUDE_ALL',
  );
  expect(opened.facts).toEqual([
    expect.objectContaining({ kind: 'host', address_width: 39, line: 1 }),
    expect.objectContaining({
      kind: 'iommu',
      name: 'dmar0',
      driver: 'intel',
      address_width: 39,
      cap: 0x1c0000c40660462n,
      ecap: 0x19e2ff0505en,
      line: 5,
    }),
    expect.objectContaining({ kind: 'iommu', name: 'dmar1', cap: 0xd2008c40660462n, ecap: 0xf050dan, line: 9 }),
  ]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('an RMRR belongs to the devices above it', async () => {
  const opened = await open(
    '[VT-D]found ACPI_DMAR_RMRR:',
    '[VT-D] endpoint: 0000:65:00.0',
    '[VT-D] endpoint: 0000:65:00.1',
    '[VT-D]dmar.c:608:   RMRR region: base_addr bdf8f000 end_addr bdf92fff',
    '[VT-D]found ACPI_DMAR_RMRR:',
    '[VT-D]dmar.c:386:  endpoint: 0:1d.0',
    '[VT-D]dmar.c:520:  RMRR region: base_addr bd800000 end_address bfffffff',
    '[VT-D]found ACPI_DMAR_RMRR:',
    '[VT-D] bridge: 0000:00:1c.0 start=0 sec=3 sub=3',
    '[VT-D]  RMRR region: base_addr 1000',
    'end_addr 1fff',
    '[VT-D]found ACPI_DMAR_ATSR:',
    '[VT-D]  RMRR region: base_addr 2000 end_addr 2fff',
  );
  expect(regionsOf(opened)).toEqual([
    '0000:65:00.0: bdf8f000-bdf92fff direct',
    '0000:65:00.1: bdf8f000-bdf92fff direct',
    '0000:00:1d.0: bd800000-bfffffff direct',
    '0000:00:1c.0: 1000-1fff direct',
    '?: 2000-2fff direct',
  ]);
  expect(new Set(opened.facts.map((fact) => fact.kind === 'reserved' && fact.origin))).toEqual(new Set(['rmrr']));
  expect(diagnosticsOf(opened)).toEqual([]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('what Xen says about RMRRs', async () => {
  const opened = await open(
    '[VT-D]  RMRR address range 8d800000..8fffffff not in reserved memory; need "iommu_inclusive_mapping=1"?',
    '[VT-D]dmar.c:560:   RMRR address range not in reserved memory base = 8d800000 end = 8fffffff; iommu_inclusive_mapping=1 parameter may be needed.',
    "[VT-D]dmar.c:581:  Non-existent device (0000:00:16.7) is reported in RMRR (78907000, 78986fff)'s scope!",
    '[VT-D]dmar.c:596:   Ignore the RMRR (78907000, 78986fff) due to devices under its scope are not PCI discoverable!',
    '[VT-D]dmar.c:602:   The RMRR (78987000, 78986fff) is incorrect!',
    '[VT-D]dmar.c:608:   RMRR region: base_addr 2000 end_addr 1fff',
  );
  expect(regionsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual([
    'warning rmrr-not-reserved 1',
    'warning rmrr-not-reserved 2',
    'info rmrr-ignored 4',
    'warning rmrr-incorrect 5',
    'error start-above-last 6',
  ]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('IVMD, new and old', async () => {
  const opened = await open(
    'AMD-Vi: IVMD Block: type 0x22 phys 0xde000000 len 0x2000',
    'AMD-Vi: IVMD Block: Type 0x21',
    'AMD-Vi:  Start_Addr_Phys 0xdf000000',
    'AMD-Vi:  Mem_Length 0x1000',
    'AMD-Vi: IVMD Block: type 0x20 phys 0xffffffffffffe000 len 0x2001',
  );
  expect(regionsOf(opened)).toEqual(['?: de000000-de001fff direct', '?: df000000-df000fff direct']);
  expect(opened.facts.map((fact) => fact.line)).toEqual([1, 2, 5]);
  expect(diagnosticsOf(opened)).toEqual(['warning range-beyond-64-bits 5']);
});

test('the address width of an SMMU', async () => {
  const opened = await open('smmu: /axi/smmu@fd800000: Stage-2: 48-bit IPA -> 44-bit PA');
  expect(opened.facts).toEqual([
    expect.objectContaining({ kind: 'iommu', name: '/axi/smmu@fd800000', driver: 'smmu-v2', address_width: 48 }),
  ]);
});
