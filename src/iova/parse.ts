import { IOVA_MAX, IOVA_SPACE, type Iova } from './iova.ts';
import { type IovaRange, rangeOfLength } from './range.ts';

/** Why a text could not be parsed. `position` is the 0-based index of the first character that is wrong. */
export interface ParseError {
  readonly code: 'empty' | 'not-a-number' | 'too-large' | 'not-whole-bytes' | 'start-above-last' | 'not-a-range';
  readonly message: string;
  readonly position: number;
}

export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ParseError };

const UNIT_SHIFT: Readonly<Record<string, bigint>> = { '': 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n, E: 60n };

function failure(code: ParseError['code'], message: string, position: number): { ok: false; error: ParseError } {
  return { ok: false, error: { code, message, position } };
}

/** True if a number is hexadecimal: it has a `0x`, digits that only hex has, or padding as dumps have. */
function looksHex(body: string): boolean {
  return /^0x/i.test(body) || /[a-f`]/i.test(body) || /^0[0-9_]{7,}$/.test(body);
}

/** Parses a whole number from 0 to `max`. */
function parseInteger(text: string, isHex: boolean, max: bigint): ParseResult<bigint> {
  const lead = text.length - text.trimStart().length;
  const body = text.trim();
  const prefixed = /^0x/i.test(body);
  const digits = prefixed ? body.slice(2) : body;
  const offset = lead + (prefixed ? 2 : 0);
  const allowed = isHex ? /[0-9a-f]/i : /[0-9]/;
  let plain = '';
  for (let i = 0; i < digits.length; i++) {
    const c = digits.charAt(i);
    if (allowed.test(c)) plain += c;
    else if ((c !== '_' && c !== '`') || i === 0 || i === digits.length - 1 || !allowed.test(digits.charAt(i - 1))) {
      const kind = isHex ? 'hexadecimal' : 'decimal';
      return failure('not-a-number', `expected a ${kind} digit, found '${c}'`, offset + i);
    }
  }
  if (plain === '') return failure('not-a-number', 'expected hexadecimal digits after 0x', offset);
  const value = BigInt(isHex ? `0x${plain}` : plain);
  if (value > max) {
    const count = isHex ? ` (${plain.replace(/^0+/, '').length} hexadecimal digits, at most 16 fit)` : '';
    return failure('too-large', `larger than 64 bits${count}`, lead);
  }
  return { ok: true, value };
}

/** A decimal number with a unit: `4K`, `1.5GiB`, `64 kB`, `2Gi`. */
const WITH_UNIT = /^(\d+(?:_\d+)*)(?:\.(\d+))?\s*([KMGTPE])(?:iB?|B)?$/i;
/** A decimal number in groups of three, as the page prints it. */
const WITH_COMMAS = /^\d{1,3}(?:,\d{3})+$/;

interface Scaled {
  readonly value: bigint;
  /** True if a fraction of a byte was dropped. */
  readonly isCut: boolean;
}

/** The bytes of a decimal number with a unit, rounded down; undefined if the text is none. */
function scaled(body: string): Scaled | undefined {
  const [, whole, fraction = '', letter = ''] = WITH_UNIT.exec(body) ?? [];
  if (whole === undefined) return undefined;
  const shift = UNIT_SHIFT[letter.toUpperCase()] ?? 0n;
  const bytes = BigInt(whole.replaceAll('_', '') + fraction) << shift;
  const divisor = 10n ** BigInt(fraction.length);
  return { value: bytes / divisor, isCut: bytes % divisor !== 0n };
}

/**
 * Parses an address, 0 to 2^64−1. Hex with `0x`; digits in groups by `_` or by a backtick as debuggers print them;
 * without `0x` a text is hex if it has a letter a–f, a backtick, or a leading zero and at least eight digits (as dumps
 * pad), and decimal otherwise. Decimal may have groups of three (`4,096`) or a unit, always a power of 1024 (`4G`,
 * `1.5 TiB`), unless that is a hex number too (`4E`). Blanks around it are ignored; `position` counts from the start of
 * the given text.
 */
export function parseAddress(text: string): ParseResult<Iova> {
  return parseAddressAs(text, looksHex(text.trim()));
}

function parseAddressAs(text: string, isHex: boolean): ParseResult<Iova> {
  const body = text.trim();
  if (body === '') return failure('empty', 'expected an address such as 0xfee00000', 0);
  const bytes = /^[\da-f_]+$/i.test(body) ? undefined : scaled(body);
  const lead = text.length - text.trimStart().length;
  if (bytes?.isCut) return failure('not-whole-bytes', `${body} is not a whole number of bytes`, lead);
  if (bytes && bytes.value > IOVA_MAX) return failure('too-large', 'larger than 64 bits', lead);
  if (bytes) return { ok: true, value: bytes.value as Iova };
  const result = parseInteger(WITH_COMMAS.test(body) ? text.replaceAll(',', '') : text, isHex, IOVA_MAX);
  return result.ok ? { ok: true, value: result.value as Iova } : result;
}

const SIZE_EXPECTED = 'expected a size such as 4096, 4K, 2M, 1.5GiB or 0x1000';

/**
 * Parses a size in bytes, 0 to 2^64: a decimal number, perhaps in groups of three (`4,096`), a hex number, which needs
 * its `0x`, or a decimal number with a unit (`4K`, `2M`, `1.5GiB`, `64 kB`, `1.2T`; always powers of 1024, as memory is
 * counted). What a fraction leaves of a byte is dropped, as QEMU does; less than one byte is refused.
 */
export function parseSize(text: string): ParseResult<bigint> {
  const lead = text.length - text.trimStart().length;
  const body = text.trim();
  if (body === '') return failure('empty', 'expected a size such as 4K, 2M or 1.5GiB', 0);
  const bytes = scaled(body);
  if (!bytes) return parseByteCount(body, lead);
  if (bytes.value > IOVA_SPACE) return failure('too-large', 'larger than the 64-bit space (16 EiB)', lead);
  if (bytes.value === 0n && bytes.isCut) return failure('not-whole-bytes', `${body} is less than one byte`, lead);
  return { ok: true, value: bytes.value };
}

/** A size without one of the larger units: a count of bytes. `lead`: where `body` begins in the text. */
function parseByteCount(body: string, lead: number): ParseResult<bigint> {
  const isHex = /^0x/i.test(body);
  const digits = isHex ? body : body.replace(/\s*(?:B|bytes?)$/i, '');
  const plain = parseInteger(WITH_COMMAS.test(digits) ? digits.replaceAll(',', '') : digits, isHex, IOVA_SPACE);
  if (plain.ok) {
    // Dumps pad hex numbers so: read as decimal it would be another size.
    const isPadded = !isHex && /^0[\d_]{7,}$/.test(digits);
    return isPadded ? failure('not-a-number', `write 0x${digits} for a hexadecimal size`, lead) : plain;
  }
  const { code, message, position } = plain.error;
  if (code === 'too-large') return failure(code, message, lead);
  if (isHex) return failure(code, message, lead + position);
  if (/^[\da-f_]+$/i.test(body)) return failure(code, `${SIZE_EXPECTED} (hexadecimal needs 0x: 0x${body})`, lead);
  return failure(code, SIZE_EXPECTED, lead + (/^\d[\d_.]*\s*/.exec(body)?.[0].length ?? 0));
}

/** True if a text is a decimal number with a unit and not a hex number too. */
function hasUnit(text: string): boolean {
  const body = text.trim();
  return WITH_UNIT.test(body) && !/^[\da-f_]+$/i.test(body);
}

/**
 * Parses a range: `START-LAST` and `START..LAST` (inclusive), `START+SIZE`, `SIZE@START`, or with a blank between
 * `START LAST`, as `reserved_regions` has it, and `START SIZE` if the second number has a unit (`0x0 2G`). An en dash
 * counts as a dash. A range may end at 0xffffffffffffffff and not beyond. If neither end has `0x`, both are hex or both
 * are decimal: `10000000-1fffffff` is one range of a dump, not a decimal and a hex number.
 */
export function parseRange(text: string): ParseResult<IovaRange> {
  const separator = /\s*(?:\.\.|[-–+@])\s*/.exec(text.trimEnd()) ?? /(?<=\S)\s+(?=\S)/.exec(text);
  if (!separator || separator.index === 0) {
    if (text.trim() === '') return failure('empty', 'expected a range such as 0xfee00000-0xfeefffff', 0);
    return failure('not-a-range', 'expected START-LAST, START+SIZE or SIZE@START', text.length);
  }
  const cut = separator.index + separator[0].length;
  const left = text.slice(0, separator.index);
  const right = text.slice(cut);
  const shifted = (error: ParseError) => failure(error.code, error.message, error.position + cut);
  const kind = separator[0].trim() || (hasUnit(right) ? '+' : ' ');
  if (kind === '+' || kind === '@') {
    const start = parseAddress(kind === '+' ? left : right);
    const size = parseSize(kind === '+' ? right : left);
    if (!start.ok) return kind === '+' ? start : shifted(start.error);
    if (!size.ok) return kind === '+' ? shifted(size.error) : size;
    const value = rangeOfLength(start.value, size.value);
    if (value) return { ok: true, value };
    const message = size.value === 0n ? 'a range needs at least one byte' : 'the range ends beyond 0xffffffffffffffff';
    return failure(size.value === 0n ? 'not-a-range' : 'too-large', message, kind === '+' ? cut : 0);
  }
  // Is the byte at 2G the last one, or the one before it? People mean the latter, the notation says the former.
  if (hasUnit(right)) return failure('not-a-range', 'a last address has no unit: write START+SIZE, such as 1G+1G', cut);
  const prefixed = /^\s*0x/i.test(left) || /^\s*0x/i.test(right);
  const bothHex = !prefixed && (looksHex(left.trim()) || looksHex(right.trim()));
  const isBareHex = (part: string) => looksHex(part.trim()) && !/^\s*0x/i.test(part);
  if (kind === ' ' && prefixed && isBareHex(right)) {
    return failure('not-a-number', 'expected a last address or a size: hexadecimal needs 0x', cut);
  }
  const start = bothHex ? parseAddressAs(left, true) : parseAddress(left);
  if (!start.ok) return start;
  const last = bothHex ? parseAddressAs(right, true) : parseAddress(right);
  if (!last.ok) return shifted(last.error);
  if (start.value <= last.value) return { ok: true, value: { start: start.value, last: last.value } };
  const hint = kind === ' ' ? ': for a size write START+SIZE' : '';
  return failure('start-above-last', `the range ends before it starts${hint}`, cut);
}
