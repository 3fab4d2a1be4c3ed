// Where something was mapped, counted in a limited number of ranges, for histories that are not kept one by one.
import { below, fromWords } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import type { MapDensity } from './mappings.ts';

/** Maximum number of ranges: more than a picture has pixels. */
const BUCKETS_MAX = 4096;
const PAGES_PER_HIGH = 2 ** 20;

interface Bucket {
  maps: number;
  startHigh: number;
  startLow: number;
  lastHigh: number;
  lastLow: number;
}

function takeBounds(bucket: Bucket, startHigh: number, startLow: number, lastHigh: number, lastLow: number): void {
  if (below(startHigh, startLow, bucket.startHigh, bucket.startLow)) {
    bucket.startHigh = startHigh;
    bucket.startLow = startLow;
  }
  if (below(bucket.lastHigh, bucket.lastLow, lastHigh, lastLow)) {
    bucket.lastHigh = lastHigh;
    bucket.lastLow = lastLow;
  }
}

/** Counts maps by their start. Neighbouring starts share a bucket; the buckets double in size when there are too many. */
export class DensityTable {
  #buckets = new Map<number, Bucket>();
  /** Pages per bucket, a power of two. */
  #pages = 1;
  #last: { readonly key: number; readonly bucket: Bucket } | undefined;

  /** Counts a map of the inclusive range, whose bounds are given in words of 32 bits. */
  add(startHigh: number, startLow: number, lastHigh: number, lastLow: number): void {
    const page = startHigh * PAGES_PER_HIGH + (startLow >>> 12);
    const key = Math.floor(page / this.#pages);
    const known = this.#last?.key === key ? this.#last.bucket : this.#buckets.get(key);
    const bucket = known ?? { maps: 0, startHigh, startLow, lastHigh, lastLow };
    bucket.maps++;
    takeBounds(bucket, startHigh, startLow, lastHigh, lastLow);
    this.#last = { key, bucket };
    if (known) return;
    this.#buckets.set(key, bucket);
    while (this.#buckets.size > BUCKETS_MAX) this.#double();
  }

  #double(): void {
    this.#pages *= 2;
    this.#last = undefined;
    const merged = new Map<number, Bucket>();
    for (const [key, bucket] of this.#buckets) {
      const half = Math.floor(key / 2);
      const known = merged.get(half);
      if (!known) merged.set(half, bucket);
      else {
        known.maps += bucket.maps;
        takeBounds(known, bucket.startHigh, bucket.startLow, bucket.lastHigh, bucket.lastLow);
      }
    }
    this.#buckets = merged;
  }

  #sorted(): MapDensity[] {
    return [...this.#buckets.values()]
      .map(({ startHigh, startLow, lastHigh, lastLow, maps }) => ({
        ...range(fromWords(startHigh, startLow) as Iova, fromWords(lastHigh, lastLow) as Iova),
        maps,
      }))
      .sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  /** The bounds of all maps together; undefined if there were none. */
  get bounds(): IovaRange | undefined {
    const sorted = this.#sorted();
    const [first] = sorted;
    return (
      first &&
      range(
        first.start,
        sorted.reduce((last, one) => (one.last > last ? one.last : last), first.last),
      )
    );
  }

  /** Ascending and disjoint: a map that reaches into the next range is cut there. */
  ranges(): MapDensity[] {
    const sorted = this.#sorted();
    return sorted.map(({ start, last, maps }, index) => {
      const next = sorted[index + 1];
      return { ...range(start, next && next.start <= last ? ((next.start - 1n) as Iova) : last), maps };
    });
  }
}
