// A fault whose address somebody removed is still a fault: it is a finding in every format, and never an address.
import { expect, test } from 'vitest';
import { diagnosticRule } from './diagnostics.ts';
import { faultsOf, inputOf, openAll } from './testing/read.ts';

const FORMS: readonly ((address: string) => string)[] = [
  (address) =>
    `DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr ${address} [fault reason 0x06] PTE Read access is not set`,
  (address) => `AMD-Vi: Event logged [IO_PAGE_FAULT device=02:00.0 domain=0x0001 address=${address} flags=0x0020]`,
  (address) =>
    `arm-smmu-v3 a.iommu: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: ${address} ipa: 0x0`,
  (address) => `arm-smmu 5000000.iommu: Unhandled context fault: fsr=0x402, iova=${address}, fsynr=0x1, cb=2`,
  (address) => `virtio_iommu virtio0: page fault from EP 8 at ${address} [RW]`,
  (address) => `rk_iommu ff650800.iommu: Page fault at ${address} of type write`,
  (address) =>
    `apple-dart 231304000.iommu: translation fault: status:0x80000002 stream:3 code:0x2 (no PTE) at ${address}`,
  (address) => `mtk-iommu 1401a000.iommu: fault type=0x5 iova=${address} pa=0x0 larb=0 port=4 layer=1 read`,
  (address) => `sun50i-iommu 30f0000.iommu: Page fault for ${address} (master 2, dir: read)`,
  (address) =>
    `tegra-mc 70019000.mc: gpusrd: read @${address}: EMEM address decode error (SMMU translation error [--S])`,
  (address) => `omap-iommu 55082000.mmu: 55082000.mmu: errs:0x00000002 da:${address} pgd:0xca8a4000`,
  (address) => `io_page_fault: IOMMU:nvme 0000:01:00.0 iova=${address} flags=0x0000`,
  (address) => `qemu: virtio_iommu_translate no mapping for ${address} for sid=8`,
  (address) => `qemu: vtd_iommu_translate: detected translation failure (dev=03:00:00, iova=${address})`,
  (address) => `qemu: smmuv3-iommu-memory-region-24-3 translation failed for iova=${address} (SMMU_EVT_F_TRANSLATION)`,
];

test.each(['0xXXXXXXXX', '0xXXXXX000', '0x7cd8...', '[redacted]', '<removed>', '****'])('%s', async (address) => {
  for (const form of FORMS) {
    const opened = await openAll([inputOf('x', form(address))]);
    const findings = opened.facts.flatMap((fact) =>
      fact.kind === 'diagnostic' && diagnosticRule(fact.code)?.isComplaint === true ? [fact.code] : [],
    );
    expect([form(address), faultsOf(opened), findings]).toEqual([form(address), [], ['damaged-fault']]);
  }
});
