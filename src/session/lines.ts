/**
 * Cuts text that arrives in chunks into lines, each with its line end, so that joining them gives the text again.
 * Lines end at "\n"; with `loneCarriageReturn` also at a "\r" that no "\n" follows. Nothing is held but the open line.
 */
export class LineSplitter {
  #open = '';
  readonly #pattern: RegExp;

  constructor(options: { readonly loneCarriageReturn?: boolean } = {}) {
    this.#pattern = options.loneCarriageReturn ? /\r\n|\n|\r(?!\n)/g : /\n/g;
  }

  /** Lines that are complete with this chunk. */
  push(chunk: string): string[] {
    const lines: string[] = [];
    let from = 0;
    const text = this.#open.endsWith('\r') ? this.#open + chunk : chunk;
    // A "\r" at the very end may be half of "\r\n": wait for the next chunk (this one may be empty) before judging it.
    const held = text.endsWith('\r') ? 1 : 0;
    const prefix = text === chunk ? this.#open : '';
    const limit = text.length - held;
    this.#pattern.lastIndex = 0;
    for (let match = this.#pattern.exec(text); match; match = this.#pattern.exec(text)) {
      const end = match.index + match[0].length;
      if (end > limit) break;
      lines.push(lines.length === 0 ? prefix + text.slice(from, end) : text.slice(from, end));
      from = end;
    }
    this.#open = from === 0 ? prefix + text : text.slice(from);
    return lines;
  }

  /** The open line, if there is one. */
  end(): string[] {
    const rest = this.#open;
    this.#open = '';
    return rest === '' ? [] : [rest];
  }

  /** Length of the line that is still open, for callers that limit it. */
  get openLength(): number {
    return this.#open.length;
  }
}
