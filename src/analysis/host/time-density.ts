// When the events of a long trace happened, counted in a limited number of spans of time.

/** Maximum number of spans: the strip of a session has about as many pixels. */
const SPANS_MAX = 512;
/** Seconds of the first spans, a power of two: about a microsecond, as kernels print. */
const FINEST = 2 ** -20;
/** Seconds, exclusive: since 1970, until 2106. Up to there spans are counted exactly. */
const TIME_MAX = 2 ** 32;

/** Counts of events in spans of equal length, the first and the last of which have some. */
export interface TimeDensity {
  /** Start of the first span, and length of each, in seconds. */
  readonly start: number;
  readonly length: number;
  readonly counts: readonly number[];
}

/** Counts events by their times, in any order. The spans double in length when there are too many. */
export class TimeTable {
  #counts = new Float64Array(SPANS_MAX);
  #length = FINEST;
  /** The first span, as a multiple of the length; undefined until there is an event. */
  #base: number | undefined;

  /** `time`: in seconds. One that no clock shows is not counted. */
  add(time: number): void {
    if (!(Math.abs(time) < TIME_MAX)) return;
    let key = Math.floor(time / this.#length);
    this.#base ??= key;
    if (key < this.#base || key >= this.#base + SPANS_MAX) key = this.#makeRoom(time, this.#base);
    const index = key - this.#base;
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }

  /** Doubles the spans until one contains the time; returns it. */
  #makeRoom(time: number, from: number): number {
    let base = from;
    let key = Math.floor(time / this.#length);
    while (key < base || key >= base + SPANS_MAX) {
      // Free spans at the end are used for times before the first one.
      const used = this.#counts.findLastIndex((count) => count > 0) + 1;
      if (key < base && base - key + used <= SPANS_MAX) {
        this.#move(key - base, 1);
        base = key;
        break;
      }
      const lower = Math.floor(base / 2);
      this.#move(2 * lower - base, 2);
      base = lower;
      this.#length *= 2;
      key = Math.floor(time / this.#length);
    }
    this.#base = base;
    return key;
  }

  /** Begins `offset` spans later, with several together. */
  #move(offset: number, together: number): void {
    const counts = new Float64Array(SPANS_MAX);
    for (const [index, count] of this.#counts.entries()) {
      if (count === 0) continue;
      const to = Math.floor((index - offset) / together);
      counts[to] = (counts[to] as number) + count;
    }
    this.#counts = counts;
  }

  /** Undefined if there are no events. */
  get density(): TimeDensity | undefined {
    if (this.#base === undefined) return undefined;
    const first = this.#counts.findIndex((count) => count > 0);
    const last = this.#counts.findLastIndex((count) => count > 0);
    return {
      start: (this.#base + first) * this.#length,
      length: this.#length,
      counts: [...this.#counts.subarray(first, last + 1)],
    };
  }
}

/** The span of a time; not inside of the density if the time is not. */
export function spanOf({ start, length }: TimeDensity, time: number): number {
  // Starts are multiples of the length, which is a power of two.
  return Math.floor(time / length) - Math.round(start / length);
}
