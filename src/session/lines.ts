/**
 * Splits text that arrives in chunks into lines, each with its line end "\n", so that joining them gives the text again. Buffers
 * only the last line until its end arrives.
 */
export class LineSplitter {
  #open = '';

  /** Lines that this chunk completes. */
  push(chunk: string): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', from)) {
      lines.push(this.#open + chunk.slice(from, end + 1));
      this.#open = '';
      from = end + 1;
    }
    this.#open += chunk.slice(from);
    return lines;
  }

  /** The last line without a line end, if there is one. */
  end(): string[] {
    const rest = this.#open;
    this.#open = '';
    return rest === '' ? [] : [rest];
  }

  /** Length of the unfinished line, for callers that limit it. */
  get openLength(): number {
    return this.#open.length;
  }
}
