// Reads the fields of a line one after the other, without patterns and without a string a number: for traces that have
// a million lines.
import type { Iova } from '../iova/iova.ts';
import { fromWords, TWO_32 } from '../iova/words.ts';

const ZERO = 48;
const NINE = 57;

/** The value of a hex digit by its character code, or -1. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** A place in a text. What a method finds is passed over; if it finds nothing the place stays, and it says so. */
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

  /** Hex digits without prefix, any number of them; undefined if there are none or the number exceeds 64 bits. */
  hex(): Iova | undefined {
    const from = this.at;
    let high = 0;
    let low = 0;
    for (;;) {
      const digit = hexDigit(this.#text.charCodeAt(this.at));
      if (digit < 0) break;
      if (high >= 0x1000_0000) this.tooLarge = true;
      high = ((high << 4) | (low >>> 28)) >>> 0;
      low = ((low << 4) | digit) >>> 0;
      this.at++;
    }
    if (this.at === from || this.tooLarge) {
      this.at = from;
      return undefined;
    }
    return fromWords(high, low) as Iova;
  }

  /** Decimal digits; undefined if there are none or the number exceeds 64 bits. */
  decimal(): Iova | undefined {
    const from = this.at;
    let high = 0;
    let low = 0;
    for (;;) {
      const code = this.#text.charCodeAt(this.at);
      if (!(code >= ZERO && code <= NINE)) break;
      const grown = low * 10 + (code - ZERO);
      low = grown % TWO_32;
      high = high * 10 + (grown - low) / TWO_32;
      if (high >= TWO_32) {
        this.tooLarge = true;
        high = 0;
      }
      this.at++;
    }
    if (this.at === from || this.tooLarge) {
      this.at = from;
      return undefined;
    }
    return fromWords(high, low) as Iova;
  }

  /** What stands before the next blank or the end; undefined if nothing does. */
  word(): string | undefined {
    const from = this.at;
    while (this.at < this.#text.length) {
      const code = this.#text.charCodeAt(this.at);
      if (code === 32 || code === 9) break;
      this.at++;
    }
    return this.at === from ? undefined : this.#text.slice(from, this.at);
  }

  /** True if a number or word does not go on here. */
  get atBoundary(): boolean {
    const code = this.#text.charCodeAt(this.at);
    return !(hexDigit(code) >= 0 || (code | 0x20) === 120 || (code >= 97 && code <= 122) || code === 95);
  }
}
