// Quoted-printable, in which mail programs encode text (RFC 2045, section 6.7): lines broken softly with a `=` at their
// end, and bytes as `=3D`. Whether a text is encoded shows only while it is read.

/** A line of the text, without its line end. */
export interface NumberedLine {
  readonly raw: string;
  /** Of its first part, counted from 1. */
  readonly number: number;
}

/** Parts that are joined to one line at most: more are no encoding. */
const PARTS_MAX = 9;

/** Joins lines that were broken softly, and decodes. */
export class QuotedPrintable {
  #isEncoded = false;
  #open: (NumberedLine & { readonly parts: number }) | undefined;

  /** True if lines pass as they are: nothing shows that the text is encoded, and no line is open. */
  get isIdle(): boolean {
    return !this.#isEncoded && this.#open === undefined;
  }

  /** Takes a line; returns the whole line that it ends, or undefined if the next one continues it. */
  line(raw: string, number: number): NumberedLine | undefined {
    if (!this.#isEncoded && raw.includes('=')) this.#isEncoded = showsQuotedPrintable(raw);
    const open = this.#open;
    if (open) return this.#joined(open, raw);
    if (raw.endsWith('=') && isSoftBreak(raw, this.#isEncoded)) {
      this.#open = { raw: raw.slice(0, -1), number, parts: 1 };
      return undefined;
    }
    return { raw: this.#isEncoded ? decodeQuotedPrintable(raw) : raw, number };
  }

  #joined(open: NumberedLine & { readonly parts: number }, raw: string): NumberedLine | undefined {
    const whole = open.raw + raw.replace(/^(?:[ \t]{0,4}>){1,12} ?/, '');
    this.#open = undefined;
    if (whole.endsWith('=') && isSoftBreak(raw, true) && open.parts < PARTS_MAX - 1) {
      this.#open = { raw: whole.slice(0, -1), number: open.number, parts: open.parts + 1 };
      return undefined;
    }
    // That the text is encoded may be a guess: then `size=4096` is no escape, but `=3D` is.
    const isEncoded = this.#isEncoded || whole.includes('=3D');
    return { raw: isEncoded ? decodeQuotedPrintable(whole) : whole, number: open.number };
  }

  /** The line that is still open at the end of the text. */
  end(): NumberedLine | undefined {
    const open = this.#open;
    this.#open = undefined;
    return open;
  }
}

/**
 * True if the line is broken softly: it ends in a single `=` and the next line continues it, even inside a number.
 * Encoders break at 76 characters; quote marks that were added later may make it more. Shorter lines count only in a
 * text that is known to be encoded, because `=` ends other lines too.
 */
export function isSoftBreak(raw: string, isEncoded: boolean): boolean {
  if (!raw.endsWith('=') || raw.endsWith('==')) return false;
  return isEncoded || (raw.length >= 70 && raw.length <= 90 && !EMPTY_FIELD.test(raw));
}

/** The last field of the trace events of the DMA API, mostly without a value: `size=4096 attrs=`. */
const EMPTY_FIELD = /(?:^|\s)attrs=$/;

/** True if the line shows that its text is encoded. `=3D` alone could be part of a number. */
function showsQuotedPrintable(raw: string): boolean {
  if (UNESCAPED.test(raw)) return false;
  return /=3D(?:0x|"|=3D)|=20$|^Content-Transfer-Encoding:\s*quoted-printable/i.test(raw);
}

/** An equals sign that would have been escaped: `iova=0x1000 size=4096` is not encoded, `size=40` may be. */
const UNESCAPED = /=(?![0-9A-Fa-f]{2}|$)/;

/** Decodes the escapes in a line whose soft breaks are joined, if it has any. Bytes are read as UTF-8. */
export function decodeQuotedPrintable(raw: string): string {
  if (!/=[0-9A-F]{2}/.test(raw) || UNESCAPED.test(raw)) return raw;
  return raw.replace(/(?:=[0-9A-F]{2})+/g, (run) => {
    const bytes = run
      .slice(1)
      .split('=')
      .map((pair) => Number.parseInt(pair, 16));
    return new TextDecoder().decode(new Uint8Array(bytes));
  });
}
