import { fromWords, highWord, lowWord, TWO_32 } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';

/** How versions of the kernel differ in their test of a gap. */
export interface GapFitOptions {
  /** Rounding up past 2^64−1 wraps to 0 instead of disqualifying the gap. */
  readonly wraps?: boolean;
  /** The last byte of a gap alone may be used. */
  readonly lastByte?: boolean;
}

/**
 * The test of one gap: its start is rounded up to the alignment (the gap is disqualified above 2^64−1, unless `wraps`),
 * the offset inside the page is added, and the length must fit in the rest. It works on 32-bit words, because a search
 * may test a gap per microsecond. A rest of one byte is refused, unless `lastByte`.
 */
export class GapFit {
  readonly visit = (startHigh: number, startLow: number, lastHigh: number, lastLow: number): boolean =>
    this.tryGap(startHigh, startLow, lastHigh, lastLow);
  readonly #maskHigh: number;
  readonly #maskLow: number;
  readonly #offsetHigh: number;
  readonly #offsetLow: number;
  readonly #restHigh: number;
  readonly #restLow: number;
  readonly #wraps: boolean;
  readonly #lastByte: boolean;
  #high = 0;
  #low = 0;

  /** `length` in bytes, 1 or more; `alignment`: a power of two; `offset`: below the page size. */
  constructor(length: bigint, alignment: bigint, offset: bigint, options: GapFitOptions = {}) {
    this.#maskHigh = highWord(alignment - 1n);
    this.#maskLow = lowWord(alignment - 1n);
    this.#offsetHigh = highWord(offset);
    this.#offsetLow = lowWord(offset);
    this.#restHigh = highWord(length - 1n);
    this.#restLow = lowWord(length - 1n);
    this.#wraps = options.wraps === true;
    this.#lastByte = options.lastByte === true;
  }

  /** The address that the last successful test found. */
  get iova(): Iova {
    return fromWords(this.#high, this.#low) as Iova;
  }

  /** Both ends inclusive. */
  tryGap(startHigh: number, startLow: number, lastHigh: number, lastLow: number): boolean {
    const sum = startLow + this.#maskLow;
    const carry = sum >= TWO_32 ? 1 : 0;
    const raised = startHigh + this.#maskHigh + carry;
    if (raised >= TWO_32 && !this.#wraps) return false;
    const high = ((raised & ~this.#maskHigh) | this.#offsetHigh) >>> 0;
    const low = ((sum & ~this.#maskLow) | this.#offsetLow) >>> 0;
    if (high > lastHigh || (high === lastHigh && (low > lastLow || (low === lastLow && !this.#lastByte)))) return false;
    let leftHigh = lastHigh - high;
    let leftLow = lastLow - low;
    if (leftLow < 0) {
      leftLow += TWO_32;
      leftHigh--;
    }
    if (leftHigh < this.#restHigh || (leftHigh === this.#restHigh && leftLow < this.#restLow)) return false;
    this.#high = high;
    this.#low = low;
    return true;
  }
}
