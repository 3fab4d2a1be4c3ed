// Ranges and sizes that platforms have by design. This is the only place that states them.
import { type IovaRange, range } from '../../iova/range.ts';

/** Writes to this range are interrupts on x86. Source: Intel SDM volume 3, message address register. */
export const X86_MSI_WINDOW: IovaRange = range(0xfee0_0000n, 0xfeef_ffffn);

/** The software MSI window, unless the platform moves it. Source: Linux, MSI_IOVA_BASE of the SMMU drivers. */
export const DEFAULT_SW_MSI_WINDOW: IovaRange = range(0x800_0000n, 0x80f_ffffn);

/** The HyperTransport range below 1 TiB on AMD. Source: Linux, HT_RANGE_START and HT_RANGE_END. */
export const HYPERTRANSPORT_RANGE: IovaRange = range(0xfd_0000_0000n, 0xff_ffff_ffffn);

/** Page size of x86 kernels, in bytes: assumed if no source gives another. */
export const DEFAULT_PAGE_SIZE = 0x1000n;

/** Huge page size with pages of 4 KiB, in bytes. */
export const DEFAULT_HUGE_PAGE_SIZE = 0x20_0000n;

/** What the kernel maps one to one for an ISA bridge: 24 address bits. Source: Linux, intel_iommu_get_resv_regions. */
export const ISA_BRIDGE_RANGE: IovaRange = range(0n, 0xff_ffffn);
