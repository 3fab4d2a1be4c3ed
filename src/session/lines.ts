/**
 * Cuts text that arrives in chunks into lines, each with its line end "\n", so that joining them gives the text again.
 * Holds the line whose end has not arrived, nothing else.
 */
export class LineSplitter {
  #open = '';

  /** Lines that are complete with this chunk. */
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

  /** The open line, if there is one. */
  end(): string[] {
    const rest = this.#open;
    this.#open = '';
    return rest === '' ? [] : [rest];
  }

  /** Length of the open line, for callers that limit it. */
  get openLength(): number {
    return this.#open.length;
  }
}
