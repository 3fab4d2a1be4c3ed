// Hex dumps as tools and people write them, read to bytes. Which form a text has is found out from its lines.
import { areAddresses, readAddressed, splitAddressed } from './addressed.ts';
import { type HexDump, type HexDumpOptions, linesOf } from './bytes.ts';
import { looksLikeC, readC } from './c.ts';
import { readPlain } from './plain.ts';

/**
 * Reads a hex dump: `xxd`, `hexdump` with and without -C, `od` with addresses of any radix, gdb's `x/32xb` (also h, w
 * and g), a C array or string, or plain digits. Lines that are damaged are named, and the rest is read; bytes that an
 * address says are missing are 0 and have no place. Never throws.
 */
export function readHexDump(text: string, options: HexDumpOptions = {}): HexDump {
  const endian = options.endian ?? 'little';
  const lines = linesOf(text);
  const addressed = lines.map(splitAddressed);
  const filled = lines.filter((line) => line.text.trim() !== '').length;
  // Quote marks give way to blanks, so that places stay true.
  const code = lines.map((line) => ' '.repeat(line.skipped) + line.text).join('\n');
  const isC = looksLikeC(code);
  // The text column of a dump may look like anything, so that most lines decide.
  const count = addressed.filter((line) => line !== undefined).length;
  if (areAddresses(addressed) && (!isC || count * 2 > filled)) return readAddressed(lines, addressed, endian);
  return isC ? readC(code, endian) : readPlain(lines);
}
