// Free texts of lines that go by a shortcut (`format.ts`), and what is known of them. A trace has few: a name and a
// process each.

/** Then all are forgotten. */
const MOST = 1024;
/** If fewer lines than that have one that is known, there is nothing to be gained by looking. */
const LEAST_LINES_EACH = 4;

interface Known {
  readonly bytes: Uint8Array;
  readonly isPlain: boolean;
}

export class FreeTexts {
  /** By hash; of two that have the same the later one stays. */
  readonly #known = new Map<number, Known>();
  readonly #judge: (line: string) => boolean;
  #requested = 0;
  #judged = 0;

  /** `judge` answers for a whole line whether its free text is plain: that it needs no cleaning and interests no other. */
  constructor(judge: (line: string) => boolean) {
    this.#judge = judge;
  }

  /** True if the free text of the line is plain: the line stands in `bytes` from `from` to `to`, it up to `end`, exclusive. */
  isPlain(bytes: Uint8Array, from: number, end: number, to: number): boolean {
    this.#requested++;
    if (this.#judged >= MOST && this.#requested < LEAST_LINES_EACH * this.#judged) return false;
    let hash = 0;
    for (let i = from; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const known = this.#known.get(hash);
    if (known && isSame(known.bytes, bytes, from, end)) return known.isPlain;
    this.#judged++;
    const isPlain = this.#judge(String.fromCharCode(...bytes.subarray(from, to)));
    if (this.#known.size >= MOST) this.#known.clear();
    this.#known.set(hash, { bytes: bytes.slice(from, end), isPlain });
    return isPlain;
  }
}

function isSame(text: Uint8Array, bytes: Uint8Array, from: number, end: number): boolean {
  if (text.length !== end - from) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[from + i]) return false;
  return true;
}
