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

/**
 * Parses an address, 0 to 2^64−1. Hex with `0x`; digits in groups by `_` or by a backtick as debuggers print them;
 * without `0x` a text is hex if it has a letter a–f, a backtick, or a leading zero and at least eight digits (as dumps
 * pad), and decimal otherwise. Blanks around it are ignored; `position` counts from the start of the given text.
 */
export function parseAddress(text: string): ParseResult<Iova> {
  return parseAddressAs(text, looksHex(text.trim()));
}

function parseAddressAs(text: string, isHex: boolean): ParseResult<Iova> {
  if (text.trim() === '') return failure('empty', 'expected an address such as 0xfee00000', 0);
  const result = parseInteger(text, isHex, IOVA_MAX);
  return result.ok ? { ok: true, value: result.value as Iova } : result;
}

/**
 * Parses a size in bytes, 0 to 2^64: an integer as in `parseAddress`, or a decimal number with a unit
 * (`4K`, `2M`, `1.5GiB`, `64 kB`, `1TB`; always powers of 1024, as memory is counted). A fraction must give whole bytes.
 */
export function parseSize(text: string): ParseResult<bigint> {
  const lead = text.length - text.trimStart().length;
  const body = text.trim();
  if (body === '') return failure('empty', 'expected a size such as 4K, 2M or 1.5GiB', 0);
  const match = /^(\d+(?:_\d+)*)(?:\.(\d+))?\s*(?:([KMGTPE])(?:i?B)?|(B|bytes?))$/i.exec(body);
  if (!match) {
    const plain = parseInteger(text, looksHex(body), IOVA_SPACE);
    if (plain.ok) return plain;
    const unit = /^\d[\d_.]*\s*/.exec(body);
    if (plain.error.code === 'too-large' || !unit) return plain;
    return failure('not-a-number', 'expected a size such as 4096, 4K, 2M or 1.5GiB', lead + unit[0].length);
  }
  const [, whole = '0', fraction = '', letter = ''] = match;
  const scaled = BigInt(whole.replaceAll('_', '') + fraction) << (UNIT_SHIFT[letter.toUpperCase()] ?? 0n);
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) return failure('not-whole-bytes', `${body} is not a whole number of bytes`, lead);
  const value = scaled / divisor;
  if (value > IOVA_SPACE) return failure('too-large', 'larger than the 64-bit space (16 EiB)', lead);
  return { ok: true, value };
}

/**
 * Parses a range: `START-LAST` and `START..LAST` (inclusive), `START+SIZE`, `SIZE@START`; an en dash counts as a dash.
 * A range may end at 0xffffffffffffffff and not beyond. If neither end has `0x`, both are hex or both are decimal:
 * `10000000-1fffffff` is one range of a dump, not a decimal and a hex number.
 */
export function parseRange(text: string): ParseResult<IovaRange> {
  const separator = /\s*(?:\.\.|[-–+@])\s*/.exec(text.trimEnd());
  if (!separator || separator.index === 0) {
    if (text.trim() === '') return failure('empty', 'expected a range such as 0xfee00000-0xfeefffff', 0);
    return failure('not-a-range', 'expected START-LAST, START+SIZE or SIZE@START', text.length);
  }
  const kind = separator[0].trim();
  const cut = separator.index + separator[0].length;
  const left = text.slice(0, separator.index);
  const right = text.slice(cut);
  const shifted = (error: ParseError) => failure(error.code, error.message, error.position + cut);
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
  const prefixed = /^\s*0x/i.test(left) || /^\s*0x/i.test(right);
  const bothHex = !prefixed && (looksHex(left.trim()) || looksHex(right.trim()));
  const start = bothHex ? parseAddressAs(left, true) : parseAddress(left);
  if (!start.ok) return start;
  const last = bothHex ? parseAddressAs(right, true) : parseAddress(right);
  if (!last.ok) return shifted(last.error);
  if (start.value > last.value) return failure('start-above-last', 'the range ends before it starts', cut);
  return { ok: true, value: { start: start.value, last: last.value } };
}
