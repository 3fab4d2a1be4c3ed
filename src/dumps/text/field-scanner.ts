// Reads the fields of a line one after the other, without patterns and without a string for each number: for traces with
// a million lines.

import { fromWords, TWO_32 } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';

const ZERO = 48;
const NINE = 57;

/** The value of a hex digit by its character code, or -1. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Any two words of 32 bits are an address. */
function addressOf(high: number, low: number): Iova {
  return fromWords(high, low) as Iova;
}

/** A position in a text. A method that finds something moves past it; otherwise it reports that and stays. */
export class FieldScanner {
  #text = '';
  at = 0;
  /** True if a number since `start` had more than 64 bits. */
  tooLarge = false;

  start(text: string, at: number): void {
    this.#text = text;
    this.at = at;
    this.tooLarge = false;
  }

  get atEnd(): boolean {
    return this.at >= this.#text.length;
  }

  /** Blanks and tabs, as many as there are, perhaps none. */
  blanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.at);
      if (code !== 32 && code !== 9) return;
      this.at++;
    }
  }

  literal(text: string): boolean {
    if (!this.#text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** The words of the last number that was found. */
  high = 0;
  low = 0;

  /** Hex digits without prefix, any number of them; undefined if there are none or the number exceeds 64 bits. */
  hex(): Iova | undefined {
    return this.hexWords() ? addressOf(this.high, this.low) : undefined;
  }

  /** The same, but left in `high` and `low`; false if there is none. */
  hexWords(): boolean {
    const text = this.#text;
    let at = this.at;
    // As signed integers, which are the fastest numbers there are.
    let high = 0;
    let low = 0;
    for (;;) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      if ((high & 0xf000_0000) !== 0) this.tooLarge = true;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
      at++;
    }
    if (at === this.at || this.tooLarge) return false;
    this.at = at;
    this.high = high >>> 0;
    this.low = low >>> 0;
    return true;
  }

  /** Decimal digits; undefined if there are none or the number exceeds 64 bits. */
  decimal(): Iova | undefined {
    return this.decimalWords() ? addressOf(this.high, this.low) : undefined;
  }

  /** The same, but left in `high` and `low`; false if there is none. */
  decimalWords(): boolean {
    const text = this.#text;
    let at = this.at;
    let high = 0;
    let low = 0;
    for (;;) {
      const digit = text.charCodeAt(at) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      if (low < 100_000_000 && high === 0) low = low * 10 + digit;
      else {
        const grown = low * 10 + digit;
        low = grown % TWO_32;
        high = high * 10 + (grown - low) / TWO_32;
        if (high >= TWO_32) {
          this.tooLarge = true;
          high = 0;
        }
      }
      at++;
    }
    if (at === this.at || this.tooLarge) return false;
    this.at = at;
    this.high = high;
    this.low = low;
    return true;
  }

  /** The characters before the next blank or the end; undefined if there are none. */
  word(): string | undefined {
    const from = this.at;
    while (this.at < this.#text.length) {
      const code = this.#text.charCodeAt(this.at);
      if (code === 32 || code === 9) break;
      this.at++;
    }
    return this.at === from ? undefined : this.#text.slice(from, this.at);
  }

  /** True if a number or word does not continue here. */
  get atBoundary(): boolean {
    const code = this.#text.charCodeAt(this.at);
    return !(hexDigit(code) >= 0 || (code | 0x20) === 120 || (code >= 97 && code <= 122) || code === 95);
  }
}
