// Hex dumps of lines with addresses: xxd, hexdump, od, and debuggers.
import type { Endian } from '../node.ts';
import { Collected, type HexDump, type HexDumpProblem, isCommand, type Line, MAX_BYTES, pushDigits } from './bytes.ts';

interface Word {
  readonly digits: string;
  /** From 1, of its first digit. */
  readonly column: number;
}

export interface AddressedLine {
  readonly address: string;
  /** How the address is written: `0x…:` of debuggers, `…:` of xxd, or bare as hexdump and od have it. */
  readonly style: 'debugger' | 'xxd' | 'bare';
  readonly words: readonly Word[];
  /** The first word that is not a number, and its column; it ends the line. */
  readonly stray: { readonly column: number; readonly text: string } | undefined;
}

/** In bytes. What is behind a larger gap is not the same buffer, but another part of a memory, or a wrong address. */
const GAP_MAX = 4096;

const DEBUGGER = /^\s*(0x[0-9a-f]+)(?:\s*<[^>]*>)?:(?=\s|$)/i;
const XXD = /^\s*([0-9a-f]{4,16}):(?=\s|$)/i;
const BARE = /^([0-9a-f]{6,16})(?=\s|$)/i;

/** Splits a line that starts with an address; `undefined` for any other. */
export function splitAddressed({ text, skipped }: Line): AddressedLine | undefined {
  const debuggers = DEBUGGER.exec(text);
  const head = debuggers ?? XXD.exec(text) ?? BARE.exec(text);
  const address = head?.[1];
  if (!head || address === undefined) return undefined;
  const style = head === debuggers ? 'debugger' : head[0].endsWith(':') ? 'xxd' : 'bare';
  const words: Word[] = [];
  // hexdump -C and od -z separate the text column by a bar or an angle bracket, xxd by two blanks.
  const body = style === 'bare' ? text.replace(/\s+(?:\|.*|>.*<)$/, '') : text;
  const number = style === 'debugger' ? /(\s+)(0x)([0-9a-f]+)(?=\s|$)/iy : /(\s+)()([0-9a-f]+)(?=\s|$)/iy;
  let at = head[0].length;
  for (;;) {
    number.lastIndex = at;
    const match = number.exec(body);
    if (!match) break;
    const [all, blanks = '', prefix = '', digits = ''] = match;
    if (style === 'xxd' && words.length > 0 && blanks.length > 1) return { address, style, words, stray: undefined };
    words.push({ digits, column: skipped + at + blanks.length + prefix.length + 1 });
    at += all.length;
  }
  const rest = body.slice(at);
  const blanks = rest.length - rest.trimStart().length;
  const isText = style === 'xxd' && blanks > 1;
  const stray =
    rest.trim() === '' || isText
      ? undefined
      : { column: skipped + at + blanks + 1, text: rest.trim().split(/\s/)[0] ?? '' };
  return { address, style, words, stray };
}

/** Bytes of each word of a line, if all words have the same even number of digits. */
function wordBytes({ words }: AddressedLine): number | undefined {
  const length = words[0]?.digits.length ?? 0;
  return length > 0 && length % 2 === 0 && words.every(({ digits }) => digits.length === length)
    ? length / 2
    : undefined;
}

function addressInRadix(text: string, radix: 8 | 10 | 16): bigint | undefined {
  const digits = text.replace(/^0x/i, '');
  if (radix === 16) return BigInt(`0x${digits}`);
  if (radix === 8) return /^[0-7]+$/.test(digits) ? BigInt(`0o${digits}`) : undefined;
  return /^[0-9]+$/.test(digits) ? BigInt(digits) : undefined;
}

/**
 * True if the first number of the lines is an address: the numbers after it have one length, which is not its own, or it
 * counts them.
 */
export function areAddresses(lines: readonly (AddressedLine | undefined)[]): boolean {
  const withBytes = lines.filter((line): line is AddressedLine => line !== undefined && line.words.length > 0);
  if (withBytes.length === 0) return false;
  if (withBytes.some(({ style }) => style !== 'bare')) return true;
  const differs = withBytes.filter((line) => {
    const bytes = wordBytes(line);
    return bytes !== undefined && bytes * 2 !== line.address.length;
  });
  return differs.length * 2 > withBytes.length || countsOf(lines).follows > 0;
}

/**
 * Radices by descending likelihood for a line: od writes seven octal digits by default, hexdump seven hexadecimal ones
 * before words of two bytes. Other lengths are hexadecimal.
 */
function likelyRadices(line: AddressedLine | undefined): readonly (8 | 10 | 16)[] {
  if (line?.address.length !== 7) return [16];
  return wordBytes(line) === 2 ? [16, 8, 10] : [8, 10, 16];
}

/** The radix in which most addresses follow from the line before, and how many do. */
function countsOf(lines: readonly (AddressedLine | undefined)[]): { radix: 8 | 10 | 16; follows: number } {
  const isBare = (line: AddressedLine | undefined): line is AddressedLine => line?.style === 'bare';
  let best: { radix: 8 | 10 | 16; follows: number } | undefined;
  for (const radix of likelyRadices(lines.find(isBare))) {
    let follows = 0;
    let isRadix = true;
    for (const [i, line] of lines.entries()) {
      if (!isBare(line)) continue;
      const before = lines[i - 1];
      const here = addressInRadix(line.address, radix);
      isRadix &&= here !== undefined;
      const there = isBare(before) ? addressInRadix(before.address, radix) : undefined;
      if (!isBare(before) || here === undefined || there === undefined) continue;
      const size = before.words.reduce((sum, { digits }) => sum + digits.length / 2, 0);
      const step = Number(here - there);
      // The last word may be padded.
      if (step <= size && step > size - (wordBytes(before) ?? 1)) follows++;
    }
    if (isRadix && follows > (best?.follows ?? -1)) best = { radix, follows };
  }
  return best ?? { radix: 16, follows: 0 };
}

export function readAddressed(
  lines: readonly Line[],
  addressed: readonly (AddressedLine | undefined)[],
  endian: Endian,
): HexDump {
  const to = new Collected();
  const problems: HexDumpProblem[] = [];
  const { radix } = countsOf(addressed);
  let base: bigint | undefined;
  /** Index in `to` of the first byte of the last line. */
  let lineStart = 0;
  /** Bytes of each of its words. */
  let lastWord = 1;
  let repeats: Line | undefined;
  for (const [i, line] of lines.entries()) {
    const split = addressed[i];
    if (!split) {
      if (line.text.trim() === '*') repeats = line;
      else if (line.text.trim() !== '' && !isCommand(line.text)) problems.push(notHex(line));
      continue;
    }
    const { style, words, stray } = split;
    const bare = style === 'bare';
    const address = addressInRadix(split.address, bare ? radix : 16);
    const place = { line: line.number, column: line.skipped + 1 };
    if (address === undefined) {
      problems.push({ code: 'not-hex', ...place, message: `'${split.address}' is not an address in base ${radix}` });
      continue;
    }
    base ??= address;
    const gap = address - base - BigInt(to.size);
    if (gap > BigInt(repeats ? MAX_BYTES - to.size : GAP_MAX)) {
      const message = repeats
        ? `only the first ${MAX_BYTES} bytes are read`
        : `${missing(gap)} before this line: it is not taken for the same buffer, and was skipped`;
      problems.push({ code: 'too-large', ...place, message });
      continue;
    }
    if (repeats && gap > 0n) {
      const size = to.size - lineStart;
      if (size === 0) {
        const message = 'an asterisk repeats the line before it, but there is none';
        problems.push({ code: 'repeat-without-line', line: repeats.number, column: repeats.skipped + 1, message });
      }
      for (let n = 0n; n < gap && size > 0; n++) to.push(to.at(to.size - size), repeats.number, repeats.skipped + 1);
    } else if (words.length === 0 && gap < 0n && -gap < BigInt(lastWord)) {
      // Tools that print words pad the last one; the final address shows where the bytes end.
      to.truncate(to.size + Number(gap));
    } else if (gap !== 0n) {
      const end = `0x${(base + BigInt(to.size)).toString(16)}`;
      const what = gap > 0n ? `${missing(gap)}, assumed 0` : 'the line is appended';
      const message = `the address is 0x${address.toString(16)}; expected ${end}: ${what}`;
      problems.push({ code: 'address-jumps', ...place, message });
      for (let n = 0n; n < gap; n++) to.push(0, 0, 0);
    }
    repeats = undefined;
    if (stray) {
      problems.push({
        code: 'not-hex',
        line: line.number,
        column: stray.column,
        message: `'${stray.text}' is not a hexadecimal number; the rest of the line is skipped`,
      });
    }
    if (words.length === 0) continue;
    lineStart = to.size;
    lastWord = wordBytes(split) ?? 1;
    // Words of xxd are bytes in order, except with -e, which the output does not show.
    const reversed = style !== 'xxd' && endian === 'little' && lastWord > 1;
    for (const { digits, column } of words) {
      if (digits.length % 2 !== 0) {
        const message = `'${digits}' has an odd number of digits; the rest of the line is skipped`;
        problems.push({ code: 'odd-digits', line: line.number, column, message });
        break;
      }
      if (!pushDigits(to, digits, line.number, column, reversed)) {
        problems.push({
          code: 'too-large',
          line: line.number,
          column,
          message: `only the first ${MAX_BYTES} bytes are read`,
        });
        return to.finish('addressed', base, problems);
      }
    }
  }
  return to.finish('addressed', base, problems);
}

function missing(gap: bigint): string {
  return `${gap === 1n ? '1 byte is' : `${gap} bytes are`} missing`;
}

function notHex(line: Line): HexDumpProblem {
  const blanks = line.text.length - line.text.trimStart().length;
  const message = 'the line is not part of a hex dump and was skipped';
  return { code: 'not-hex', line: line.number, column: line.skipped + blanks + 1, message };
}
