import { expect, test } from 'vitest';
import { diagnosticsOf, faultsOf, type Opened, openText } from '../../testing/read.ts';

function mapsOf({ facts }: Opened): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'map' || fact.kind === 'unmap'
      ? [
          `${fact.kind} ${fact.start.toString(16)}-${fact.last.toString(16)} ${fact.paddr?.toString(16) ?? '-'} ${fact.device ?? '?'}`,
        ]
      : [],
  );
}

test('the two messages about one access are one fault, with the access of one and the device of the other', async () => {
  const opened = await openText(
    [
      'qemu-system-x86_64: vtd_iova_to_slpte: detected slpte permission error (iova=0xfd200000, level=0x3, slpte=0x0, write=1, pasid=0xffffffff)',
      'qemu-system-x86_64: vtd_iommu_translate: detected translation failure (dev=03:00:01, iova=0xfd200000)',
      'qemu-system-x86_64: vtd_iommu_translate: detected translation failure (dev=04:00:00, iova=0x1000)',
    ].join('\n'),
  );
  expect(faultsOf(opened)).toEqual([
    '0000:03:00.1 write fd200000 (virtual IOMMU: slpte permission error)',
    '0000:04:00.0 ? 1000 (virtual IOMMU: translation failure)',
  ]);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});

test('faults of the traces of each kind', async () => {
  const opened = await openText(
    [
      'vtd_dmar_fault sid 0xb00 fault 5 addr 0xfee00000 write 1',
      'vtd_err_dmar_iova_overflow iova 0x8000000000',
      'smmuv3_translate_abort smmuv3-iommu-memory-region-24-3 sid=0x18 abort on iova:0xffffe000 is_write=0',
      'smmuv3_translate_abort smmuv3-iommu-memory-region-24-3 sid=24 abort on iova:0xffffd000 is_write=1',
      'qemu: smmuv3-iommu-memory-region-24-3 translation failed for iova=0x8000040 (SMMU_EVT_F_PERMISSION)',
      'amdvi_page_fault error: page fault accessing guest physical address 0x2000',
      'amdvi_mode_invalid error: translation level 0x7 translating addr 0x2800',
      'riscv_iommu_flt riscv,iommu: fault 0001:03.2 reason: 0x15 iova: 0x3000',
      'virtio_iommu_translate permission error on 0x4000(2): allowed=1',
    ].join('\n'),
  );
  expect(faultsOf(opened)).toEqual([
    'sid:0xb00 write fee00000 (virtual IOMMU: PTE Write access is not set)',
    '? ? 8000000000 (virtual IOMMU: iova overflow)',
    'sid:0x18 read ffffe000 (virtual IOMMU: access aborted)',
    'sid:0x18 write ffffd000 (virtual IOMMU: access aborted)',
    'smmuv3-iommu-memory-region-24-3 ? 8000040 (virtual IOMMU: F_PERMISSION)',
    '? ? 2000 (virtual IOMMU: page fault)',
    '? ? 2800 (virtual IOMMU: invalid translation level)',
    '0000:01:03.2 ? 3000 (virtual IOMMU: fault 0x15)',
    '? write 4000 (virtual IOMMU: permission error)',
  ]);
});

test('what was translated is mapped: the page that the trace prints, else one of 4 KiB', async () => {
  const opened = await openText(
    [
      'vtd_page_walk_one detected page level 0x2 iova 0xbfe00000 -> gpa 0x7fe00000 mask 0x1fffff perm 3',
      'vtd_page_walk_one detected page level 0x1 iova 0xbfe00000 -> gpa 0x0 mask 0xfff perm 0',
      'smmuv3_translate_success smmuv3-iommu-memory-region-24-3 sid=0x18 iova=0xffffe123 translated=0x12345123 perm=0x3',
      'vtd_dmar_translate dev 00:03.00 iova 0xffffd000 -> gpa 0x12345000 mask 0xffe',
    ].join('\n'),
  );
  expect(mapsOf(opened)).toEqual([
    'map bfe00000-bfffffff 7fe00000 ?',
    'unmap bfe00000-bfe00fff - ?',
    'map ffffe000-ffffefff 12345000 sid:0x18',
  ]);
  expect(diagnosticsOf(opened)).toEqual(['warning damaged-event 4']);
});

test.each([
  'vtd_iommu_translate: detected translation failure (dev=03:00:00, iova=0xfd2…)',
  'vtd_dmar_fault sid 0xb00 fault 6 addr 0xXXXXXXXX write 0',
  'smmuv3-iommu-memory-region-24-3 translation failed for iova=0x80[redacted] (SMMU_EVT_F_TRANSLATION)',
  'vtd_iova_to_slpte: detected slpte permission error (iova=0xfd2a10',
  'vtd_err_dmar_slpte_perm_error iova 0xffb7e0',
  'vtd_iova_to_slpte: detected slpte permission error (iova=0xfd2a10\nqemu-system-x86_64: terminating on signal 2',
])('a damaged address is a finding: %s', async (line) => {
  const opened = await openText(line);
  expect(faultsOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual(['warning damaged-fault 1']);
});

test('an address that is cut at the end of a broken line is no address', async () => {
  const opened = await openText(
    'vtd_iova_to_slpte: detected slpte permission\nerror (iova=0xfd2a10\nqemu-system-x86_64: terminating on signal 2',
  );
  expect(faultsOf(opened)).toEqual([]);
  expect(opened.sources[0]?.unrecognized).toBe(3);
});

test('what has no address, or is no fault', async () => {
  const opened = await openText(
    [
      'qemu: vtd_context_entry_rsvd_bits_check: invalid context entry: hi=0x0, lo=0x1c000 (reserved nonzero)',
      'qemu: virtio_iommu_translate sid=8 is not known!!',
      'qemu: virtio-iommu region-8-0 reports a page size mask 0xffff0000 incompatible with currently supported mask 0xfffff000',
      'qemu: IOMMU_HWPT_GET_DIRTY_BITMAP (iova: 0x40000000 size: 0x1000) failed: No such file or directory',
      'qemu: vfio 0000:7d:02.2: [iommufd=29] error attach 0000:7d:02.2 (38) to id=11: Invalid argument',
    ].join('\n'),
  );
  expect(diagnosticsOf(opened)).toEqual([
    'warning viommu-entry-invalid 1',
    'warning viommu-device-unknown 2',
    'error qemu-page-mask-mismatch 3',
    'error qemu-dirty-bitmap-failed 4',
    'error iommufd-device-not-attached 5',
  ]);
});

test('memory that other processes get: sizes are hexadecimal or decimal', async () => {
  const opened = await openText(
    [
      'vfio_user_dma_map  iova 0x0 size 0x80000000 off 0x0 flags 0x3 async_ops 1',
      'vfio_user_dma_unmap  iova 0xc0000 size 0x40000 flags 0x0 async_ops 1',
      'vfu_dma_register vfu: registering GPA 0x100000000, 4096 bytes',
    ].join('\n'),
  );
  expect(mapsOf(opened)).toEqual(['map 0-7fffffff - ?', 'unmap c0000-fffff - ?', 'map 100000000-100000fff - ?']);
});
