/** Recorded on real kernels in virtual machines; served unchanged from public/samples. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly files: readonly string[];
}

const FILES = ['iommu_groups.txt', 'groups-after.txt', 'tail-reserved_regions.txt'] as const;

export const SAMPLES: readonly [Sample, ...Sample[]] = [
  {
    id: 'x86-vtd-39bit-rmrr',
    title: 'Intel host with RMRRs',
    hint: 'VT-d, 39 bits: MSI window, RMRRs and the ISA bridge',
    files: [...FILES, 'dmesg.txt'],
  },
  {
    id: 'x86-amd-vi',
    title: 'AMD host with the hole below 1 TiB',
    hint: 'AMD-Vi: MSI window and HyperTransport range',
    files: FILES,
  },
  {
    id: 'arm64-smmuv3',
    title: 'ARM host with its MSI window',
    hint: 'SMMUv3: software MSI window at 0x8000000',
    files: FILES,
  },
  {
    id: 'qemu-viommu-unmap',
    title: 'QEMU unmap on three kernels',
    hint: 'The sequence that io_pagetable refused in 2022; see the Models tab',
    files: ['qemu-viommu-unmap.iova.jsonl'],
  },
];
