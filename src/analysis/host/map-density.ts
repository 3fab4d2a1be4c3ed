// Where something was mapped, counted in a limited number of ranges, for histories that are not kept one by one.
import { highWord, lowWord } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import type { MapDensity } from './mappings.ts';

/** Maximum number of ranges: more than a picture has pixels. */
const BUCKETS_MAX = 4096;
const PAGES_PER_HIGH = 2 ** 20;

interface Bucket {
  maps: number;
  start: bigint;
  last: bigint;
}

/** Counts maps by their start. Neighbouring starts share a bucket; the buckets double in size when there are too many. */
export class DensityTable {
  #buckets = new Map<number, Bucket>();
  /** Pages per bucket, a power of two. */
  #pages = 1;
  #last: { readonly key: number; readonly bucket: Bucket } | undefined;

  add({ start, last }: IovaRange): void {
    const page = highWord(start) * PAGES_PER_HIGH + (lowWord(start) >>> 12);
    const key = Math.floor(page / this.#pages);
    const known = this.#last?.key === key ? this.#last.bucket : this.#buckets.get(key);
    const bucket = known ?? { maps: 0, start, last };
    bucket.maps++;
    if (start < bucket.start) bucket.start = start;
    if (last > bucket.last) bucket.last = last;
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
        if (bucket.start < known.start) known.start = bucket.start;
        if (bucket.last > known.last) known.last = bucket.last;
      }
    }
    this.#buckets = merged;
  }

  /** Ascending and disjoint: a map that reaches into the next range is cut there. */
  ranges(): MapDensity[] {
    const sorted = [...this.#buckets.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
    return sorted.map(({ start, last, maps }, index) => {
      const next = sorted[index + 1];
      return { ...range(start as Iova, next && next.start <= last ? next.start - 1n : last), maps };
    });
  }
}
