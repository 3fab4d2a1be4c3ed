// The entries of a tar archive, one after the other, as POSIX (pax) and GNU tar write them. Damaged headers are passed over
// block by block, as tar does. An entry costs no stream of its own: archives of a fleet have hundreds of thousands.

/** A failure of the archive itself, in words. */
export class TarDamage extends Error {}

export interface TarEntry {
  readonly name: string;
  /** In bytes; 0 for what has no contents. */
  readonly size: number;
  readonly type: TarEntryType;
  /** Target of a link; empty for others. */
  readonly linkname: string;
  /** The contents, in pieces; fewer than `size` bytes if the archive is cut off. To be read once, before the next entry. */
  body(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Where it is in the archive, in bytes: from the first of its headers to the end of its last block, exclusive. */
  readonly begin: number;
  readonly end: number;
  /** True if a header before it, which is about all that follow, says something about it. */
  readonly dependsOnEarlier: boolean;
  /** The contents if they are at hand as a whole: those of most small files. To be used before the next entry. */
  readonly whole: Uint8Array | undefined;
}

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'block-device' | 'fifo';

const BLOCK = 512;
/** Long names and attributes of an entry; a real one has some hundred bytes. */
const META_BYTES_MAX = 1 << 20;

/** By the character in the header; others are files (POSIX.1-2017, pax: "treated as regular files"). */
const TYPES: Readonly<Record<string, TarEntryType>> = {
  '1': 'link',
  '2': 'symlink',
  '3': 'character-device',
  '4': 'block-device',
  '5': 'directory',
  '6': 'fifo',
};

/** Bytes that come in pieces, taken in any portions. */
class Portions {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  /** Offset in the piece. */
  #at = 0;
  /** Bytes of the pieces before. */
  #before = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Bytes that were taken. */
  get position(): number {
    return this.#before + this.#at;
  }

  /** Up to `max` bytes; none after the last. */
  async some(max: number): Promise<Uint8Array> {
    while (this.#at >= this.#piece.length) {
      const next = await this.#pieces.next();
      if (next.done) return new Uint8Array();
      // Parts of a Buffer are Buffers, which take several times as long to make.
      const { buffer, byteOffset, byteLength } = next.value;
      this.#before += this.#piece.length;
      this.#piece = new Uint8Array(buffer, byteOffset, byteLength);
      this.#at = 0;
    }
    const taken = this.#piece.subarray(this.#at, this.#at + max);
    this.#at += taken.length;
    return taken;
  }

  /** The next bytes if they are in one piece that is there already. */
  now(length: number): Uint8Array | undefined {
    if (this.#at + length > this.#piece.length) return undefined;
    this.#at += length;
    return this.#piece.subarray(this.#at - length, this.#at);
  }

  /** The next bytes if they are in one piece that is there already, without taking them. */
  ahead(length: number): Uint8Array | undefined {
    const end = this.#at + length;
    return length > 0 && end <= this.#piece.length ? this.#piece.subarray(this.#at, end) : undefined;
  }

  /** Exactly so many bytes; undefined if there are fewer. */
  async exactly(length: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const part = await this.some(length - at);
      if (part.length === 0) return undefined;
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  async skip(length: number): Promise<void> {
    if (this.now(length)) return;
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (part.length === 0) return;
      left -= part.length;
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

const DECODER = new TextDecoder();

/** Text up to the first NUL. */
function textAt(block: Uint8Array, offset: number, length: number): string {
  if (block[offset] === 0) return '';
  const end = block.indexOf(0, offset);
  const stop = end < 0 || end > offset + length ? offset + length : end;
  if (stop === offset) return '';
  return DECODER.decode(block.subarray(offset, stop));
}

/** `ustar` */
const USTAR = [0x75, 0x73, 0x74, 0x61, 0x72, 0];

/** A number in octal digits, or in base 256 if its first bit is set; undefined if it is neither, or beyond 2^53. */
function numberAt(block: Uint8Array, offset: number, length: number): number | undefined {
  const first = block[offset] ?? 0;
  let value = 0;
  if (first & 0x80) {
    value = first & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + (block[offset + i] ?? 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  for (let i = offset; i < offset + length; i++) {
    const byte = block[i] ?? 0;
    if (byte === 0) break;
    if (byte === 0x20) continue;
    if (byte < 0x30 || byte > 0x37) return undefined;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** What extended headers say about the entry that follows, or about all that follow. */
interface Attributes {
  name?: string;
  linkname?: string;
  size?: number;
}

const NO_ATTRIBUTES: Attributes = {};

/** Records `LENGTH KEY=VALUE\n` of a pax header. */
function paxAttributes(bytes: Uint8Array): Attributes {
  const found: Attributes = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    if (blank < 0) break;
    const length = Number.parseInt(DECODER.decode(bytes.subarray(at, blank)), 10);
    if (!(length > blank - at)) break;
    const record = DECODER.decode(bytes.subarray(blank + 1, at + length - 1));
    at += length;
    const equals = record.indexOf('=');
    const value = record.slice(equals + 1);
    const key = record.slice(0, Math.max(0, equals));
    if (key === 'path') found.name = value;
    else if (key === 'linkpath') found.linkname = value;
    else if (key === 'size' && /^\d{1,15}$/.test(value)) found.size = Number(value);
  }
  return found;
}

/** What a header that is about other entries says; undefined for the header of an entry. */
function attributesOf(flag: string, bytes: Uint8Array): Attributes {
  if (flag === 'L') return { name: textAt(bytes, 0, bytes.length) };
  if (flag === 'K') return { linkname: textAt(bytes, 0, bytes.length) };
  return paxAttributes(bytes);
}

/** Bytes up to the next block. */
const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

/**
 * The entries of a tar. Throws what reading `pieces` throws, and `TarDamage` if the archive cannot be read further; one
 * that is cut off just ends.
 */
export async function* tarEntries(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void, undefined> {
  const portions = new Portions(pieces);
  const forAll: Attributes = {};
  let forNext: Attributes = NO_ATTRIBUTES;
  let hasAttributes = false;
  let wasZero = false;
  /** Where the headers of the next entry begin. */
  let begin = 0;
  try {
    for (;;) {
      if (forNext === NO_ATTRIBUTES) begin = portions.position;
      const block = portions.now(BLOCK) ?? (await portions.exactly(BLOCK));
      if (!block) return;
      if (block[0] === 0 && isZero(block)) {
        if (wasZero) {
          // Two of them end an archive. What is behind them is not part of it, but a stream that fails there has failed.
          await portions.skip(Number.POSITIVE_INFINITY);
          return;
        }
        wasZero = true;
        continue;
      }
      wasZero = false;
      const size = numberAt(block, 124, 12);
      if (size === undefined) continue;
      const flag = String.fromCharCode(block[156] ?? 0);
      if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
        if (size > META_BYTES_MAX) throw new TarDamage(`an extended header of ${size} bytes`);
        const bytes = await portions.exactly(size);
        if (!bytes) return;
        await portions.skip(padding(size));
        hasAttributes = true;
        if (flag === 'g') Object.assign(forAll, attributesOf(flag, bytes));
        else forNext = { ...forNext, ...attributesOf(flag, bytes) };
        continue;
      }
      const about = hasAttributes ? { size, ...forAll, ...forNext } : { size };
      const entry = new Entry(block, flag, about, portions, begin, hasAttributes && Object.keys(forAll).length > 0);
      forNext = NO_ATTRIBUTES;
      yield entry;
      const end = entry.left + padding(entry.size);
      if (!portions.now(end)) await portions.skip(end);
    }
  } finally {
    await portions.close();
  }
}

class Entry implements TarEntry {
  readonly name: string;
  readonly size: number;
  readonly type: TarEntryType;
  readonly linkname: string;
  readonly begin: number;
  readonly end: number;
  readonly dependsOnEarlier: boolean;
  readonly whole: Uint8Array | undefined;
  /** Bytes of the contents that were not read. */
  left: number;
  readonly #portions: Portions;

  constructor(
    block: Uint8Array,
    flag: string,
    about: Attributes & { readonly size: number },
    portions: Portions,
    begin: number,
    dependsOnEarlier: boolean,
  ) {
    this.name = about.name ?? nameIn(block);
    this.type = TYPES[flag] ?? (this.name.endsWith('/') ? 'directory' : 'file');
    this.linkname = about.linkname ?? textAt(block, 157, 100);
    this.size = this.type === 'file' ? about.size : 0;
    this.left = this.size;
    this.begin = begin;
    this.end = portions.position + this.size + padding(this.size);
    this.dependsOnEarlier = dependsOnEarlier;
    this.whole = portions.ahead(this.left);
    this.#portions = portions;
  }

  async *body(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.left > 0) {
      const part = this.#portions.now(this.left) ?? (await this.#portions.some(this.left));
      if (part.length === 0) return;
      this.left -= part.length;
      yield part;
    }
  }
}

function nameIn(block: Uint8Array): string {
  const own = textAt(block, 0, 100);
  // In ustar alone this is a prefix; GNU's old headers (`ustar  `) have times there.
  const hasPrefix = block[345] !== 0 && USTAR.every((byte, i) => block[257 + i] === byte);
  return hasPrefix ? `${textAt(block, 345, 155)}/${own}` : own;
}
