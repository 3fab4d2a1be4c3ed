// What a file is that is not text, for a message. Loaded when a file is not certainly text.
import { utf16 } from './file-kind.ts';

const KNOWN_BINARIES: readonly (readonly [magic: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive nested too deeply; unpack it with `unzip` and open what is in it'],
  [[0x50, 0x4b, 0x05, 0x06], 'an empty zip archive'],
  [[0x42, 0x5a, 0x68], 'bzip2 data; unpack it with `bunzip2` and open the result'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz data nested too deeply; unpack it with `xz -d` and open the result'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd data nested too deeply; unpack it with `zstd -d` and open the result'],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], 'a 7z archive; unpack it with `7z x` and open what is in it'],
  [[0x52, 0x61, 0x72, 0x21, 0x1a, 0x07], 'a RAR archive; unpack it with `unrar x` and open what is in it'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4 data; unpack it with `lz4 -d` and open the result'],
  [[0x4c, 0x5a, 0x49, 0x50], 'lzip data; unpack it with `lzip -d` and open the result'],
  [[0x89, 0x50, 0x4e, 0x47], 'a PNG image with no session in it; copy the text instead'],
  [[0xff, 0xd8, 0xff], 'a JPEG image; copy the text instead'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF document; copy the text instead'],
  [[0x7f, 0x45, 0x4c, 0x46], 'an ELF program'],
];

/** What the bytes are if they are not text, for a message; undefined for text. */
export function describeBinary(head: Uint8Array): string | undefined {
  const bytes = [...head.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  for (const [magic, what] of KNOWN_BINARIES) {
    if (magic.every((byte, i) => head[i] === byte)) return `${what} (starts with ${bytes})`;
  }
  if (utf16(head)) return undefined;
  let controls = 0;
  let nuls = 0;
  for (const byte of head) {
    if (byte === 0) nuls++;
    else if (byte < 0x20 && !(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) controls++;
  }
  const rest = head.length - nuls;
  if (rest === 0) return head.length > 0 ? 'only NUL bytes' : undefined;
  // Text may be padded with NULs at its end (files of sysfs in an archive), or have one after every letter (UTF-16).
  if (controls * 20 > rest) return `binary data (starts with ${bytes})`;
  const decoded = new TextDecoder().decode(head);
  let replaced = 0;
  for (let at = decoded.indexOf('\ufffd'); at >= 0; at = decoded.indexOf('\ufffd', at + 1)) replaced++;
  return replaced * 5 > decoded.length - nuls ? `binary data (starts with ${bytes})` : undefined;
}
