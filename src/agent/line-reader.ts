/** Default longest line in bytes; a longer one is dropped and counted. */
const LINE_MAX = 1 << 20;

/** Splits the bytes of a stream into lines, in whatever pieces they arrive. Holds one line at most. */
export class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #max: number;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #length = 0;
  #isSkipping = false;
  /** Lines that were too long. */
  tooLong = 0;

  constructor(onLine: (line: string) => void, max = LINE_MAX) {
    this.#onLine = onLine;
    this.#max = max;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (let end = chunk.indexOf(10, from); end >= 0; end = chunk.indexOf(10, from)) {
      this.#take(chunk.subarray(from, end));
      this.#flush();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
  }

  /** The end of the stream: a line without a line end counts. */
  end(): void {
    if (this.#length > 0) this.#flush();
  }

  #take(part: Uint8Array): void {
    if (part.length === 0 || this.#isSkipping) return;
    this.#length += part.length;
    if (this.#length > this.#max) {
      this.#isSkipping = true;
      this.#parts = [];
    } else this.#parts.push(part);
  }

  #flush(): void {
    if (this.#isSkipping) this.tooLong++;
    else {
      const [only] = this.#parts;
      const bytes = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
      this.#onLine(this.#decoder.decode(bytes).replace(/\r$/, ''));
    }
    this.#parts = [];
    this.#length = 0;
    this.#isSkipping = false;
  }
}
