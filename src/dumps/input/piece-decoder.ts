// Decodes text that arrives in pieces. Most pieces of logs and traces are pure ASCII: they are decoded separately, which is
// faster, and their bytes are passed on.

/** A piece of text. */
export interface DecodedPiece {
  readonly text: string;
  /** Its bytes, one for each character, if it is known to be pure ASCII. */
  readonly bytes?: Uint8Array | undefined;
}

/** What decoders emit for invalid bytes. */
export const REPLACEMENT = '\uFFFD';

/** Pass all pieces in order, then call `end`. */
export class PieceDecoder {
  readonly #stream: TextDecoder;
  /** For pieces that begin and end at character boundaries. */
  readonly #single: TextDecoder | undefined;
  /** True if the last piece ended at a character boundary. False at first: the first piece may begin with a byte order mark. */
  #isBetween = false;

  constructor(encoding: string) {
    this.#stream = new TextDecoder(encoding);
    if (encoding === 'utf-8') this.#single = new TextDecoder(encoding, { ignoreBOM: true });
  }

  decode(piece: Uint8Array): DecodedPiece {
    const last = piece.at(-1);
    if (this.#single && this.#isBetween && (last === undefined || last < 0x80)) {
      const text = this.#single.decode(piece);
      // Characters outside ASCII have several bytes, or were replaced.
      const isAscii = text.length === piece.length && !text.includes(REPLACEMENT);
      return isAscii ? { text, bytes: piece } : { text };
    }
    const text = this.#stream.decode(piece, { stream: true });
    if (last !== undefined) this.#isBetween = last < 0x80;
    return { text };
  }

  /** The rest, if the last character was cut. */
  end(): DecodedPiece {
    return { text: this.#stream.decode() };
  }
}
