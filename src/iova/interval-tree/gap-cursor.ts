import { atMost, below, highWord, lowWord, TWO_32 } from '../address-halves.ts';
import type { GapVisitor } from './types.ts';

/** A walk over the gaps of first…last (inclusive): knows from where on addresses are still free. */
export class GapCursor {
  /** First address not yet passed. */
  nextHigh: number;
  nextLow: number;
  /** True when no address of the range remains. */
  ended = false;
  /** The shortest gap of interest, rounded to a double: to be compared with the tree's summaries only. */
  readonly length: number;
  readonly #lastHigh: number;
  readonly #lastLow: number;
  // The length minus 1, exactly: 2^64 does not fit two words.
  readonly #minSizeHigh: number;
  readonly #minSizeLow: number;
  readonly #visit: GapVisitor;

  constructor(first: bigint, last: bigint, length: bigint, visit: GapVisitor) {
    this.nextHigh = highWord(first);
    this.nextLow = lowWord(first);
    this.#lastHigh = highWord(last);
    this.#lastLow = lowWord(last);
    this.length = Number(length);
    this.#minSizeHigh = highWord(length - 1n);
    this.#minSizeLow = lowWord(length - 1n);
    this.#visit = visit;
  }

  /** Something used starts here: reports the gap before it, if long enough. True if the visitor ended the walk. */
  before(startHigh: number, startLow: number): boolean {
    if (below(this.#lastHigh, this.#lastLow, startHigh, startLow)) {
      const stop = this.finish();
      this.ended = true;
      return stop;
    }
    if (atMost(startHigh, startLow, this.nextHigh, this.nextLow)) return false;
    const stop = startLow === 0 ? this.#report(startHigh - 1, 0xffff_ffff) : this.#report(startHigh, startLow - 1);
    // A node and its first entry start at the same address: report the gap before them once.
    this.nextHigh = startHigh;
    this.nextLow = startLow;
    return stop;
  }

  /** Addresses up to here are used. */
  pass(lastHigh: number, lastLow: number): void {
    if (below(lastHigh, lastLow, this.nextHigh, this.nextLow)) return;
    if (lastLow === 0xffff_ffff) {
      if (lastHigh === 0xffff_ffff) {
        this.ended = true;
        return;
      }
      this.nextHigh = lastHigh + 1;
      this.nextLow = 0;
    } else {
      this.nextHigh = lastHigh;
      this.nextLow = lastLow + 1;
    }
    if (below(this.#lastHigh, this.#lastLow, this.nextHigh, this.nextLow)) this.ended = true;
  }

  /** Reports the gap from the last used address to the end of the range. */
  finish(): boolean {
    return this.ended ? false : this.#report(this.#lastHigh, this.#lastLow);
  }

  #report(high: number, low: number): boolean {
    let restHigh = high - this.nextHigh;
    let restLow = low - this.nextLow;
    if (restLow < 0) {
      restLow += TWO_32;
      restHigh--;
    }
    if (below(restHigh, restLow, this.#minSizeHigh, this.#minSizeLow)) return false;
    return this.#visit(this.nextHigh, this.nextLow, high, low) === true;
  }
}
