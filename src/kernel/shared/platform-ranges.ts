// Ranges and sizes that platforms have by design. This is the only place that states them.
import { type IovaRange, range } from '../../iova/range.ts';

/** Writes to this range are interrupts on x86. Source: Intel SDM volume 3, message address register. */
export const X86_MSI_WINDOW: IovaRange = range(0xfee0_0000n, 0xfeef_ffffn);

/** Where the software MSI window lies unless a platform moves it. Source: Linux, MSI_IOVA_BASE of the SMMU drivers. */
export const DEFAULT_SW_MSI_WINDOW: IovaRange = range(0x800_0000n, 0x80f_ffffn);

/** What HyperTransport takes below 1 TiB on AMD. Source: Linux, HT_RANGE_START and HT_RANGE_END. */
export const HYPERTRANSPORT_RANGE: IovaRange = range(0xfd_0000_0000n, 0xff_ffff_ffffn);

/** Page size in bytes of an x86 kernel, and of most others: taken where no source gives another. */
export const DEFAULT_PAGE_SIZE = 0x1000n;

/** Huge page size in bytes that goes with pages of 4 KiB. */
export const DEFAULT_HUGE_PAGE_SIZE = 0x20_0000n;
