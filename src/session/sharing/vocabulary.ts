// Technical terms that say nothing about a person or a machine, for redact.ts. A term that is missing here is only
// replaced; nothing breaks.

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Types, origins, drivers, states: values of fields that hold one term. */
export const TERMS = words(`
  msi direct direct-relaxable reserved sw-msi manual sysfs rmrr ivmd rmr ftrace dyndbg page-table kernel-log qemu dpdk
  spdk probe acpi swiotlb dma-debug
  dma dma-fq identity blocked auto unmanaged
  ram rom romd i/o ramd pci ecam mmio other container alias nvram reservation
  read write fixed execute all nest-parent dirty-tracking pasid interrupt
  map unmap vfio iommufd iommufd-vfio iommufd-rfc type1 type1v2 dma-iommu
  intel amd smmu smmu-v2 smmu-v3 virtio s390 riscv apple-dart rockchip exynos mediatek tegra ipmmu sun50i unknown
  arm hygon zhaoxin
  x86_64 i386 i686 aarch64 arm64 riscv64 ppc64le s390x
  kvm tcg hvf xen libvirt cloud-hypervisor crosvm kata firecracker bhyve proxmox kubevirt
  memfd hugetlb file tail-hole hole past-eof read-only pfnmap pfnmap-off disk-file other-file no-file
  intel-iommu amd-iommu virtio-iommu smmuv3
  info warning error on off
  vfio-pci pci-stub nvme nvidia nouveau i915 xe amdgpu radeon ahci xhci_hcd ehci-pci snd_hda_intel e1000e igb igc ixgbe
  ice i40e r8169 bnxt_en mlx4_core mlx5_core tg3 pcieport iwlwifi ath11k_pci mpt3sas megaraid_sas qla2xxx lpfc idxd
  ioatdma mei_me i2c_i801 thunderbolt virtio-pci ast mgag200 none
`);

/** Names of windows in a map of physical memory, and of memory regions of QEMU. */
export const REGION_NAME = new RegExp(
  `^(?:${[
    'System RAM(?: \\(kmem\\))?',
    'RAM buffer',
    'Reserved',
    'reserved',
    'Unknown E820 type',
    '(?:System|Video|Adapter|Option) (?:ROM|RAM area)',
    'ACPI (?:Tables|Non-volatile Storage)',
    'Kernel (?:code|data|rodata|bss)',
    'Crash kernel',
    'Persistent Memory(?: \\(legacy\\))?',
    'Soft Reserved',
    'Local APIC',
    'IOAPIC \\d+',
    'HPET \\d+',
    'GIC\\w*',
    'dmar\\d+',
    'amd_iommu',
    'PCI Bus [0-9a-f]{4}:[0-9a-f]{2}',
    'PCI (?:MMCONFIG|ECAM) [0-9a-f]{4} \\[bus [0-9a-f]{2}-[0-9a-f]{2}\\]',
    'PCI (?:MMCONFIG|ECAM)\\S*',
    '(?:pc|virt|mach-virt|q35|riscv_virt_board|ppc_spapr|ram-node\\d+|dimm\\d*|mem\\d*|nvdimm\\d*)?\\.?(?:ram|bios|rom|pflash\\d?|flash\\d?|system\\.flash\\d?)',
    'dimm\\d*|mem\\d*|ram-node\\d+|pc\\.dimm\\d*|virtio-mem\\d*',
    'pci|system|memory|vga\\.\\w+|isa-bios|kvmvapic-rom|tpm-\\w+|smram\\w*|tseg-\\w+',
    '[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7] BAR \\d',
  ].join('|')})$`,
);

/** Names of machines and CPUs in QEMU and other VMMs. */
export const MACHINE_NAME =
  /^(?:pc|q35|virt|microvm|pseries|s390-ccw-virtio|pc-(?:q35|i440fx)|virt)(?:-(?:rhel|rhel-)?\d+(?:\.\d+)*)?(?:-amd)?$/;
export const CPU_NAME =
  /^(?:host(?:-passthrough|-model)?|max|qemu(?:32|64)|kvm(?:32|64)|(?:EPYC|Opteron|Skylake|Cascadelake|Icelake|Sapphire|Granite|Haswell|Broadwell|IvyBridge|SandyBridge|Westmere|Nehalem|Penryn|Conroe|Denverton|Snowridge|Cooperlake|KnightsMill|Dhyana|cortex|neoverse|a64fx|power)[A-Za-z0-9_-]{0,32})$/;

/** Words that occur in reasons of faults and refusals. */
export const REASON_WORDS = words(`
  a access address addresses are at attach be because bit bits blocked bus by cannot clear code context could data
  descriptor device devices direct dma domain due entry error event exceeds execute failed fault fetch field for from
  granule group has hardware high id in index ineligible input instruction internal interrupt interrupts invalid iommu
  ioptes is iotlb iova irq it iova legacy level limit map mapped mapping mask memory mode msi must no no_pasid non-zero
  not null of on only or out page paging pasid pending permission physical platform posted present privilege process
  protection pte ptes range read region register request requests requested requester requirement requirements reserved
  rmrr root set size smmu space stage status stream table target the this timeout to too transaction translated
  translation type unknown unmapped unsupported user valid violation was which width with within write zero
  firmware requires 1:1 identity nmi cpu c_bad_ste c_bad_streamid f_translation f_permission f_access f_addr_size
  f_ste_fetch f_cd_fetch s1 s2 sm
`);
