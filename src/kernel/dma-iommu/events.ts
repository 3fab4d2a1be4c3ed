// What an allocator does for one operation, step by step: data for views.
import type { IovaRange } from '../../iova/range.ts';

/** One step. Addresses and ranges are IOVAs in bytes, inclusive; `order`: ranges of 2^order pages. */
export type AllocatorEvent =
  /** A PCI device tries 32 bits first, or the whole limit (inclusive) is tried. Caches are flushed only for the latter. */
  | { readonly event: 'try'; readonly limit: bigint; readonly bits: 32 | 'whole'; readonly pages: number }
  /** The 32 bits ran out: the device never tries them again. `bits` is the N of `Using N-bit DMA addresses`. */
  | { readonly event: 'wide'; readonly bits: number }
  /** A freed range is handed out again. `kept`: how many were kept before. */
  | { readonly event: 'cache-hit'; readonly order: number; readonly kept: number; readonly range: IovaRange }
  | { readonly event: 'cache-miss'; readonly order: number; readonly kept: number }
  /** A search goes down from a cursor: below `from`. */
  | { readonly event: 'search'; readonly cursor: '32-bit' | '64-bit'; readonly from: bigint }
  /** Nothing below the cursor: once more from the limit down, but only above the cursor. */
  | { readonly event: 'retry'; readonly from: bigint; readonly above: bigint }
  /** `skipped`: ranges between the cursor and the place, because no hole between them was large enough. */
  | { readonly event: 'found'; readonly range: IovaRange; readonly skipped: number }
  /** Not searched: this many pages or more did not fit before, and nothing was freed since. */
  | { readonly event: 'known-full'; readonly pages: number }
  | { readonly event: 'full' }
  /** The caches were emptied: `ranges` kept ranges became free. */
  | { readonly event: 'flush'; readonly ranges: number }
  /** Unmapped, but kept for the next mapping of this size. */
  | { readonly event: 'kept'; readonly order: number; readonly kept: number; readonly range: IovaRange }
  | { readonly event: 'freed'; readonly range: IovaRange };
