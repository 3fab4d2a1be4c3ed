// A mapping has two trace events: the IOMMU's (iommu:map) names the pages but no device, that of the DMA API (dma:dma_map_page
// and others) the device and the bytes that its driver requested. The kernel traces one directly after the other. This pairs
// them while a trace is read, so that each mapping is shown once, also for a live host.
import type { FactOf } from '../../session/events.ts';

type TraceEvent = FactOf<'map'> | FactOf<'unmap'>;

/** The largest page size of IOMMUs: the DMA API maps bytes, the IOMMU the pages that contain them. */
const PAGE_MAX = 0x1_0000n;
/** How many DMA API events before and after an IOMMU event are searched. */
const NEAR = 16;
/** Maximum number of IOMMU events that wait for a DMA API event; beyond that the older half is released. */
const WAITING_MAX = 65_536;

/** A DMA API event, and the pages that were found for it. */
interface Named {
  readonly fact: TraceEvent;
  pagesStart: bigint;
  /** Below `pagesStart` if none were found. */
  pagesLast: bigint;
}

/** How the owner of IOMMU events calls them, and what becomes of them. */
export interface UnnamedEvents<T> {
  factOf(event: T): TraceEvent;
  /** There is no matching DMA API event. */
  onUnnamed(event: T): void;
  /** A DMA API event has its pages. */
  onPaired?(event: T): void;
}

/** The trace events of one source, in order. */
export class DeviceEvents<T> {
  readonly #owner: UnnamedEvents<T>;
  /** The last events with a device, the oldest first, and how many there were. */
  readonly #named: Named[] = [];
  #namedCount = 0;
  // Events without a device whose device may follow, the oldest first; in arrays, because there may be many. A fact is
  // there if it was needed, and `#entered` is the number of events with a device before.
  #waiting: T[] = [];
  #facts: (TraceEvent | undefined)[] = [];
  #entered: number[] = [];
  /** How many of them were already waiting at the previous call of `releaseOld`. */
  #old = 0;

  constructor(owner: UnnamedEvents<T>) {
    this.#owner = owner;
  }

  /** Number of events that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** An event that names a device. */
  addNamed(fact: TraceEvent): void {
    const named: Named = { fact, pagesStart: 0n, pagesLast: -1n };
    this.#named.push(named);
    if (this.#named.length > NEAR) this.#named.shift();
    this.#namedCount++;
    if (this.#waiting.length === 0) return;
    this.#takeWaiting(named);
    // Those in front have waited longest.
    let done = 0;
    while (done < this.#waiting.length && this.#namedCount - (this.#entered[done] ?? 0) >= NEAR) done++;
    this.#release(done);
  }

  /** Ends the wait of the events whose pages the event has. */
  #takeWaiting(named: Named): void {
    let left = 0;
    let old = 0;
    for (const [i, event] of this.#waiting.entries()) {
      const fact = this.#facts[i] ?? this.#owner.factOf(event);
      if (takePages(named, fact)) {
        this.#owner.onPaired?.(event);
        continue;
      }
      if (i < this.#old) old++;
      this.#waiting[left] = event;
      this.#facts[left] = fact;
      this.#entered[left++] = this.#entered[i] ?? 0;
    }
    this.#old = old;
    this.#waiting.length = left;
    this.#facts.length = left;
    this.#entered.length = left;
  }

  /** An event that names no device. */
  addUnnamed(event: T, fact: TraceEvent): void {
    if (this.#named.some((named) => takePages(named, fact))) {
      this.#owner.onPaired?.(event);
      return;
    }
    this.#waiting.push(event);
    this.#facts.push(this.#namedCount > 0 ? fact : undefined);
    this.#entered.push(this.#namedCount);
    if (this.#waiting.length > WAITING_MAX) this.#release(WAITING_MAX / 2);
  }

  /**
   * Releases all events that were already waiting at the previous call: events that are traced together are reported
   * together.
   */
  releaseOld(): void {
    this.#release(this.#old);
    this.#old = this.#waiting.length;
  }

  /** Releases all waiting events: no more events follow. */
  releaseAll(): void {
    this.#release(this.#waiting.length);
  }

  /** Passes the oldest events on, in order. */
  #release(count: number): void {
    if (count === 0) return;
    const released = this.#waiting.splice(0, count);
    this.#facts.splice(0, count);
    this.#entered.splice(0, count);
    this.#old = Math.max(0, this.#old - count);
    for (const event of released) this.#owner.onUnnamed(event);
  }
}

/**
 * True if `pages` are some or all of the requested pages and were not found before: otherwise they belong to another domain, or
 * to another use of the address.
 */
function takePages(named: Named, pages: TraceEvent): boolean {
  const { fact } = named;
  if (
    pages.kind !== fact.kind ||
    pages.start > fact.last ||
    pages.last < fact.start ||
    pages.start + PAGE_MAX <= fact.start ||
    pages.last >= fact.last + PAGE_MAX
  ) {
    return false;
  }
  // For a range that was joined from several pieces of memory, the event has no physical address.
  if (pages.kind === 'map' && fact.kind === 'map' && pages.paddr !== undefined && fact.paddr !== undefined) {
    if (pages.start - pages.paddr !== fact.start - fact.paddr) return false;
  }
  if (pages.start <= named.pagesLast && pages.last >= named.pagesStart) return false;
  const isFirst = named.pagesLast < named.pagesStart;
  if (isFirst || pages.start < named.pagesStart) named.pagesStart = pages.start;
  if (pages.last > named.pagesLast) named.pagesLast = pages.last;
  return true;
}
