import type { IovaRange } from '../../../iova/range.ts';
import type { Place } from '../../fields/sysfs-path.ts';
import type { FactSink } from '../../format.ts';

interface KnownRegion extends IovaRange {
  readonly type: string;
  readonly line: number;
}

/** Groups and devices, and regions of each, beyond which nothing is compared: no machine has so many. */
const PLACES_MAX = 20_000;
const REGIONS_MAX = 256;

/** Reports regions that a group or device has twice, and those that overlap. Both are valid. */
export class KnownRegions {
  readonly #sink: FactSink;
  readonly #places = new Map<string, KnownRegion[]>();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  add(region: IovaRange & { readonly type: string }, place: Place, line: number): void {
    const owner =
      place.group !== undefined ? `group ${place.group}` : place.device !== undefined ? `device ${place.device}` : '';
    if (owner === '') return;
    const { start, last, type } = region;
    const known = this.#places.get(owner) ?? [];
    const same = known.find((other) => other.start === start && other.last === last && other.type === type);
    if (same) {
      this.#sink.diagnostic('repeated-region', { owner, line: same.line }, line);
      return;
    }
    for (const other of known) {
      if (start > other.last || other.start > last) continue;
      this.#sink.diagnostic('overlapping-regions', { owner, region, other }, line);
    }
    if (known.length >= REGIONS_MAX) return;
    if (known.length === 0) {
      if (this.#places.size >= PLACES_MAX) return;
      this.#places.set(owner, known);
    }
    known.push({ start, last, type, line });
  }
}
