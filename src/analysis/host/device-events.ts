// Trace events of one mapping come twice: the IOMMU's (iommu:map) name the pages and no device, those of the DMA API
// (dma:dma_map_page and others) the device and the bytes that its driver requested. The kernel traces one directly after
// the other. This finds the pairs while a trace is read, so that a live host's mappings are shown once too.
import type { FactOf } from '../../session/events.ts';

type TraceEvent = FactOf<'map'> | FactOf<'unmap'>;

/** The largest pages of IOMMUs: the DMA API maps bytes, the IOMMU the pages that they are in. */
const PAGE_MAX = 0x1_0000n;
/** Events of the DMA API among which one is looked for, before and after an event of the IOMMU. */
const NEAR = 16;
/** Events of the IOMMU that wait for one of the DMA API; of more, the older half waits no longer. */
const WAITING_MAX = 65_536;

/** An event of the DMA API, and the pages that were found for it. */
interface Named {
  readonly fact: TraceEvent;
  pagesStart: bigint;
  /** Below `pagesStart` if none were found. */
  pagesLast: bigint;
}

interface Waiting {
  readonly fact: TraceEvent;
  readonly position: number;
  /** Events of the DMA API that have followed. */
  followers: number;
  /** True if it waited when `releaseOld` was called before. */
  isOld: boolean;
}

/** Receives an event of the IOMMU that no event of the DMA API belongs to. */
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

  /** Ends the waiting of all events that waited at the call before: what is traced together is reported together. */
  releaseOld(): void {
    this.#releaseWhile(({ isOld }) => isOld);
    for (const waiting of this.#waiting) waiting.isOld = true;
  }

  /** Ends the waiting of all events: none follow. */
  releaseAll(): void {
    this.#releaseWhile(() => true);
  }

  /** Events are passed on in their order: the oldest ones are those that have waited longest. */
  #releaseWhile(isDone: (waiting: Waiting, i: number) => boolean): void {
    const keptFrom = this.#waiting.findIndex((waiting, i) => !isDone(waiting, i));
    const released = this.#waiting.splice(0, keptFrom < 0 ? this.#waiting.length : keptFrom);
    for (const { fact, position } of released) this.#onUnnamed(fact, position);
  }
}

/**
 * True if `pages` are some or all of the pages of what was requested, and no others were found there before: those are of
 * another domain, or of another use of the address.
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
  // Of a range that was joined from pieces of memory, the event has no physical address.
  if (pages.kind === 'map' && fact.kind === 'map' && pages.paddr !== undefined && fact.paddr !== undefined) {
    if (pages.start - pages.paddr !== fact.start - fact.paddr) return false;
  }
  if (pages.start <= named.pagesLast && pages.last >= named.pagesStart) return false;
  const isFirst = named.pagesLast < named.pagesStart;
  if (isFirst || pages.start < named.pagesStart) named.pagesStart = pages.start;
  if (pages.last > named.pagesLast) named.pagesLast = pages.last;
  return true;
}
