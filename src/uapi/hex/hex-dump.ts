// Reads hex dumps of tools and people. The form of a text is detected from its lines.
import { areAddresses, readAddressed, splitAddressed } from './addressed.ts';
import { type HexDump, type HexDumpOptions, linesOf } from './bytes.ts';
import { looksLikeC, readC } from './c.ts';
import { readPlain } from './plain.ts';

/**
 * Reads a hex dump: `xxd`, `hexdump` with and without -C, `od` with addresses of any radix, gdb's `x/32xb` (also h, w
 * and g), a C array or string, or plain digits. Malformed lines are reported and the rest is read; bytes that are missing
 * according to an address are 0 and have no position. Never throws.
 */
export function readHexDump(text: string, options: HexDumpOptions = {}): HexDump {
  const endian = options.endian ?? 'little';
  const lines = linesOf(text);
  const addressed = lines.map(splitAddressed);
  const filled = lines.filter((line) => line.text.trim() !== '').length;
  // Quote marks become blanks, so that positions stay the same.
  const code = lines.map((line) => ' '.repeat(line.skipped) + line.text).join('\n');
  const isC = looksLikeC(code);
  // The text column of a dump may look like anything: the majority of the lines decides.
  const count = addressed.filter((line) => line !== undefined).length;
  if (areAddresses(addressed) && (!isC || count * 2 > filled)) return readAddressed(lines, addressed, endian);
  return isC ? readC(code, endian) : readPlain(lines);
}
