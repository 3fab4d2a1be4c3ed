// What a file is, by its first bytes. Names and extensions do not matter.

export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

/**
 * True for a tar archive: its first block of 512 bytes holds its own checksum, the sum of its bytes with the
 * checksum's field (148 to 155) taken as blanks, in octal. That is so in every dialect; not all carry `ustar`.
 */
export function isTar(head: Uint8Array): boolean {
  if (head.length < 512 || head[0] === 0) return false;
  let sum = 0;
  let unsignedField = '';
  for (let i = 0; i < 512; i++) {
    const byte = head[i] ?? 0;
    if (i >= 148 && i < 156) {
      sum += 32;
      unsignedField += String.fromCharCode(byte);
    } else sum += byte;
  }
  const stored = /^ *([0-7]+)[ \0]*/.exec(unsignedField)?.[1];
  return stored !== undefined && Number.parseInt(stored, 8) === sum;
}

/** Begins like a compressed file or a document. */
const ASCII_MAGIC = /^(?:BZh|LZIP|%PDF)/;

/** True for plain text; for other bytes binary-kind.ts tells what they are, which may be text too. */
export function isPlainText(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head);
  return !/[^\t-\r -~]/.test(text) && !ASCII_MAGIC.test(text);
}

/** The encoding if the bytes start with a byte order mark of UTF-16 (as PowerShell writes text). */
export function utf16(head: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return undefined;
}

export type Packing = 'gzip' | 'xz' | 'zstd';

const PACKED: readonly (readonly [Packing, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 8]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** How a file that begins with `head` is packed; undefined if it is not, or in a way that cannot be read. */
export function packingOf(head: Uint8Array): Packing | undefined {
  return PACKED.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0];
}
