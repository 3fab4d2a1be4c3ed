// Decodes text that arrives in pieces. Nearly all of what logs and traces consist of is ASCII: such pieces are decoded by
// themselves, which is faster, and their bytes are passed on.

/** A piece of text. */
export interface DecodedPiece {
  readonly text: string;
  /** Its bytes, one for each character, if it is known to be ASCII alone. */
  readonly bytes?: Uint8Array | undefined;
}

/** What decoders put where bytes are no text. */
const REPLACEMENT = '\uFFFD';

/** Pass all pieces in order, then call `end`. */
export class PieceDecoder {
  readonly #stream: TextDecoder;
  /** For pieces that begin and end between two characters. */
  readonly #single: TextDecoder | undefined;
  /** True if the last piece cannot continue in the next one. The first one may begin with a mark of the byte order. */
  #isBetween = false;

  constructor(encoding: string) {
    this.#stream = new TextDecoder(encoding);
    if (encoding === 'utf-8') this.#single = new TextDecoder(encoding, { ignoreBOM: true });
  }

  decode(piece: Uint8Array): DecodedPiece {
    const last = piece.at(-1);
    if (this.#single && this.#isBetween && (last === undefined || last < 0x80)) {
      const text = this.#single.decode(piece);
      // Characters beyond ASCII have several bytes, or are replaced.
      const isAscii = text.length === piece.length && !text.includes(REPLACEMENT);
      return isAscii ? { text, bytes: piece } : { text };
    }
    const text = this.#stream.decode(piece, { stream: true });
    if (last !== undefined) this.#isBetween = last < 0x80;
    return { text };
  }

  /** What is left of a character that was cut at the end. */
  end(): DecodedPiece {
    return { text: this.#stream.decode() };
  }
}
