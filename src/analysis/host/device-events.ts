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

interface Waiting {
  readonly fact: TraceEvent;
  readonly position: number;
  /** How many DMA API events have followed. */
  followers: number;
  /** True if it was already waiting at the previous call of `releaseOld`. */
  isOld: boolean;
}

/** Receives an IOMMU event that has no matching DMA API event. */
export type OnUnnamed = (fact: TraceEvent, position: number) => void;

/** The trace events of one source, in order. */
export class DeviceEvents {
  readonly #onUnnamed: OnUnnamed;
  /** The last events with a device, the oldest first. */
  readonly #named: Named[] = [];
  /** Events without a device whose device may follow, the oldest first. */
  #waiting: Waiting[] = [];

  constructor(onUnnamed: OnUnnamed) {
    this.#onUnnamed = onUnnamed;
  }

  /** Number of events that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The events that wait, the oldest first. */
  waitingFacts(): readonly TraceEvent[] {
    return this.#waiting.map(({ fact }) => fact);
  }

  /** An event that names a device. */
  addNamed(fact: TraceEvent): void {
    const named: Named = { fact, pagesStart: 0n, pagesLast: -1n };
    this.#named.push(named);
    if (this.#named.length > NEAR) this.#named.shift();
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((waiting) => {
      if (takePages(named, waiting.fact)) return false;
      waiting.followers++;
      return true;
    });
    this.#releaseWhile(({ followers }) => followers >= NEAR);
  }

  /** An event that names no device; `position` is passed on with it. */
  addUnnamed(fact: TraceEvent, position: number): void {
    if (this.#named.some((named) => takePages(named, fact))) return;
    this.#waiting.push({ fact, position, followers: 0, isOld: false });
    if (this.#waiting.length > WAITING_MAX) this.#releaseWhile((_, i) => i < WAITING_MAX / 2);
  }

  /**
   * Releases all events that were already waiting at the previous call: events that are traced together are reported
   * together.
   */
  releaseOld(): void {
    this.#releaseWhile(({ isOld }) => isOld);
    for (const waiting of this.#waiting) waiting.isOld = true;
  }

  /** Releases all waiting events: no more events follow. */
  releaseAll(): void {
    this.#releaseWhile(() => true);
  }

  /** Passes events on in order: the oldest have waited longest. */
  #releaseWhile(isDone: (waiting: Waiting, i: number) => boolean): void {
    const keptFrom = this.#waiting.findIndex((waiting, i) => !isDone(waiting, i));
    const released = this.#waiting.splice(0, keptFrom < 0 ? this.#waiting.length : keptFrom);
    for (const { fact, position } of released) this.#onUnnamed(fact, position);
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
