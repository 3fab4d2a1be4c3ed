// Cuts text that arrives in pieces into lines and numbers them as an editor does. A line ends at "\n", "\r\n" or "\r",
// and at "\r\r\n", which is what converting line ends twice leaves.

/**
 * Receives one line: `text` from `from` to `to`, exclusive, without its line end. `number` counts from 1. `isCut`: the line
 * is longer, and the rest of it is skipped. `bytes`: of the same text, one for each character, if it is ASCII alone and
 * they are known.
 */
export type OnLine = (
  text: string,
  from: number,
  to: number,
  number: number,
  isCut: boolean,
  bytes: Uint8Array | undefined,
) => void;

/** Push pieces of any size, then call `end`. Holds the line that is still open, nothing else. */
export class TextLines {
  readonly #maxLength: number;
  readonly #onLine: OnLine;
  /** The beginning of a line whose end has not arrived. */
  #open = '';
  /** Carriage returns at the end of the last piece: what comes next decides how many line ends they are. */
  #returns = '';
  #isSkipping = false;
  #count = 0;

  constructor(maxLength: number, onLine: OnLine) {
    this.#maxLength = maxLength;
    this.#onLine = onLine;
  }

  /** Lines so far, without the open one. */
  get count(): number {
    return this.#count;
  }

  /** `bytes`: of the piece, one for each character, if it is ASCII alone. */
  push(piece: string, bytes?: Uint8Array): void {
    const text = this.#returns === '' ? piece : this.#returns + piece;
    // Two at most: of more, the first is a line end by itself whatever follows.
    this.#returns = text.endsWith('\r\r') ? '\r\r' : text.endsWith('\r') ? '\r' : '';
    const limit = text.length - this.#returns.length;
    const from = this.#wholeLines(text, limit, text === piece ? bytes : undefined);
    if (from >= limit) return;
    if (!this.#isSkipping) this.#open += text.slice(from, limit);
    if (this.#open.length > this.#maxLength) {
      this.#onLine(this.#open, 0, this.#maxLength, this.#count + 1, true, undefined);
      this.#isSkipping = true;
      this.#open = '';
    }
  }

  end(): void {
    const returns = this.#returns;
    this.#returns = '';
    this.#wholeLines(returns, returns.length, undefined);
    if (this.#open !== '' || this.#isSkipping) this.#line('', 0, 0, undefined);
  }

  /** Passes on the lines that end before `limit`; returns where the open one begins. */
  #wholeLines(text: string, limit: number, bytes: Uint8Array | undefined): number {
    let from = 0;
    let newline = text.indexOf('\n');
    let carriageReturn = text.indexOf('\r');
    for (;;) {
      if (newline >= 0 && newline < from) newline = text.indexOf('\n', from);
      if (carriageReturn >= 0 && carriageReturn < from) carriageReturn = text.indexOf('\r', from);
      const isReturn = carriageReturn >= 0 && (newline < 0 || carriageReturn < newline);
      const end = isReturn ? carriageReturn : newline;
      if (end < 0 || end >= limit) return from;
      this.#line(text, from, end, bytes);
      from = isReturn ? behindReturns(text, end) : end + 1;
    }
  }

  /** The rest of the open line, which ends here. */
  #line(text: string, from: number, to: number, bytes: Uint8Array | undefined): void {
    this.#count++;
    if (this.#isSkipping) {
      this.#isSkipping = false;
      return;
    }
    const open = this.#open;
    this.#open = '';
    if (open === '') this.#emit(text, from, to, bytes);
    else this.#emit(open + text.slice(from, to), 0, open.length + to - from, undefined);
  }

  #emit(text: string, from: number, to: number, bytes: Uint8Array | undefined): void {
    const isCut = to - from > this.#maxLength;
    this.#onLine(text, from, isCut ? from + this.#maxLength : to, this.#count, isCut, bytes);
  }
}

/** Where the next line begins if a line ends with the carriage return at `at`. */
function behindReturns(text: string, at: number): number {
  if (text[at + 1] === '\n') return at + 2;
  return text[at + 1] === '\r' && text[at + 2] === '\n' ? at + 3 : at + 1;
}
