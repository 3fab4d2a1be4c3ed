// A session inside a PNG: a compressed iTXt chunk (PNG specification, section 11.3.3.4) with the keyword `iovascope`.
import { zlibSync } from 'fflate';
import { concatenated } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { EMBEDDED_MAX, type EmbeddedSession } from './embedded.ts';
import { isPng, PNG_SIGNATURE } from './png-signature.ts';
import { unpack } from './unpack.ts';

/** Keyword, NUL, compression flag and method, language and translated keyword with a NUL each; the packed text follows. */
const TEXT_HEAD = new TextEncoder().encode('iovascope\0\u0001\0\0\0');
/** RFC 1950: sizes of the header before raw deflate, and of the Adler-32 after it, which is redundant with the chunk's CRC. */
const ZLIB = { header: 2, trailer: 4 } as const;

interface Chunk {
  readonly type: string;
  /** Offset of the chunk in the file; its length field is first. */
  readonly offset: number;
  readonly data: Uint8Array;
  /** `cut`: the file ends inside it; `damaged`: its CRC is wrong. */
  readonly state: 'intact' | 'cut' | 'damaged';
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function* chunksOf(png: Uint8Array): Generator<Chunk> {
  const view = viewOf(png);
  let offset = PNG_SIGNATURE.length;
  while (offset + 8 <= png.length) {
    const end = offset + 8 + view.getUint32(offset);
    const isCut = end + 4 > png.length;
    const isIntact = !isCut && view.getUint32(end) === crc32(png.subarray(offset + 4, end));
    yield {
      type: String.fromCharCode(...png.subarray(offset + 4, offset + 8)),
      offset,
      data: png.subarray(offset + 8, end),
      state: isCut ? 'cut' : isIntact ? 'intact' : 'damaged',
    };
    offset = end + 4;
  }
}

/**
 * Adds the text of a session file to a PNG in a chunk before its end, or replaces an existing one. Throws a RangeError if the
 * bytes are not a PNG.
 */
export function pngWithSession(png: Uint8Array, text: string): Uint8Array<ArrayBuffer> {
  if (!isPng(png)) throw new RangeError('not a PNG file');
  const packed = zlibSync(new TextEncoder().encode(text), { level: 9 });
  const data = concatenated([new TextEncoder().encode('iTXt'), TEXT_HEAD, packed]);
  const chunk = new Uint8Array(data.length + 8);
  viewOf(chunk).setUint32(0, data.length - 4);
  chunk.set(data, 4);
  viewOf(chunk).setUint32(data.length + 4, crc32(data));
  const kept: Uint8Array[] = [png.subarray(0, PNG_SIGNATURE.length)];
  for (const { type, offset, data: content } of chunksOf(png)) {
    if (type === 'iTXt' && isOurs(content)) continue;
    if (type === 'IEND') kept.push(chunk);
    kept.push(png.subarray(offset, offset + content.length + 12));
  }
  return concatenated(kept);
}

/** True for the data of a text chunk with our keyword, packed or not. */
function isOurs(data: Uint8Array): boolean {
  return TEXT_HEAD.subarray(0, TEXT_HEAD.indexOf(0) + 1).every((byte, i) => data[i] === byte);
}

/** The session in a PNG file. */
export function sessionInPng(png: Uint8Array): EmbeddedSession {
  for (const { type, data, state } of chunksOf(png)) {
    if (type === 'iTXt' && isOurs(data)) return sessionInChunk(data, state);
  }
  return { state: 'none' };
}

function sessionInChunk(data: Uint8Array, state: Chunk['state']): EmbeddedSession {
  const isPacked = data[TEXT_HEAD.indexOf(0) + 1] === 1;
  // Programs that rewrite a picture may add a language or a translated keyword, or unpack the text.
  const language = data.indexOf(0, TEXT_HEAD.indexOf(0) + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  const content = translated < 0 ? new Uint8Array(0) : data.subarray(translated + 1);
  const packed = content.subarray(ZLIB.header, state === 'cut' ? undefined : -ZLIB.trailer);
  const { bytes, end } = isPacked ? unpack(packed, EMBEDDED_MAX) : ({ bytes: content, end: 'complete' } as const);
  const text = new TextDecoder().decode(bytes);
  if (end === 'complete' && state === 'intact') return { state: 'found', text };
  const what =
    state === 'cut' || end === 'cut' ? 'the PNG file was cut inside its session' : 'the session in the PNG is damaged';
  const problem =
    end === 'too-large' ? `the session in the PNG is larger than ${EMBEDDED_MAX / 1024 / 1024} MiB` : what;
  const whole = end === 'complete' ? text : text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole === '') return { state: 'unreadable', problem };
  return { state: 'found', text: whole, problem };
}
