// A fast path for the events of the DMA API that map or unmap one range for a PCI device: reads them from the bytes of their
// lines, as the kernel and trace-cmd print them. Anything else takes the normal path, through the envelope and
// dma-events.ts, which gives the same facts.
//
//   free "[" cpu "]" [flags] time ":" ["dma:"] "dma_map_" what ":" device "dir=" word "dma_addr=" hex "size=" decimal
//        "phys_addr=" hex "attrs=" [words]
//   free "[" cpu "]" [flags] time ":" ["dma:"] "dma_unmap_" what ":" device "dir=" word "dma_addr=" hex "size=" decimal
//        "attrs=" [words]
//   what = "page" | "phys" | "resource"
//
// `free` is a program's name and its process, and may hold anything but an equals sign, so that no event begins in it.

import { TWO_32 } from '../../../iova/address-halves.ts';
import { doubleAt, wordAt } from '../../../iova/typed-arrays.ts';
import type { Fact } from '../../../session/events.ts';
import type { Shortcut } from '../../format.ts';
import {
  addressOf,
  bytesOf,
  decimal,
  decimalEnd,
  hexEnd,
  prefixEnd,
  textEnd,
  freeTextEnd as traceFreeTextEnd,
  words,
} from './event-bytes.ts';

const BLANK = 32;
const EQUALS = 61;
const COLON = 58;
const DOT = 46;
const LETTER_P = 112;
const UNDERLINE = 95;
const BAR = 124;
const ADDRESS_LENGTH = 12;

const SYSTEM = bytesOf('dma:');
const MAP = bytesOf('dma_map_');
const UNMAP = bytesOf('dma_unmap_');
const WHATS = ['page: ', 'phys: ', 'resource: '].map(bytesOf);
const DIRECTIONS = ['TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL', 'NONE'].map(bytesOf);
const DIR = bytesOf(' dir=');
const ADDRESS = bytesOf(' dma_addr=');
const SIZE = bytesOf(' size=');
const PHYSICAL = bytesOf(' phys_addr=');
const ATTRS = bytesOf(' attrs=');

/** By byte: the value of a lower-case hex digit, -1 for other characters. */
const DIGITS = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789abcdef'].entries()) DIGITS[digit.charCodeAt(0)] = value;

/** Names of devices by the number that their digits make: a trace has few. */
const names = new Map<number, string>();
const NAMES_MAX = 4096;

/** Number of the device at this place, `dddd:dd:dd.d`; -1 if there is none. */
function deviceAt(bytes: Uint8Array, at: number, to: number): number {
  if (at + ADDRESS_LENGTH > to || bytes[at + 4] !== COLON || bytes[at + 7] !== COLON || bytes[at + 10] !== DOT)
    return -1;
  let number = 0;
  for (let i = 0; i < ADDRESS_LENGTH; i++) {
    if (i === 4 || i === 7 || i === 10) continue;
    const digit = DIGITS[bytes[at + i] as number] as number;
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  // Slots have five bits and functions three, in ASCII digits.
  return (bytes[at + 8] as number) < 50 && (bytes[at + 11] as number) < 56 ? number : -1;
}

function nameOf(number: number, bytes: Uint8Array, at: number): string {
  const known = names.get(number);
  if (known !== undefined) return known;
  const name = String.fromCharCode(...bytes.subarray(at, at + ADDRESS_LENGTH));
  if (names.size >= NAMES_MAX) names.clear();
  names.set(number, name);
  return name;
}

/** Where one of the texts ends if it is at this place; -1 if none is. */
function anyEnd(bytes: Uint8Array, at: number, to: number, texts: readonly Uint8Array[]): number {
  for (const text of texts) {
    const end = textEnd(bytes, at, to, text);
    if (end >= 0) return end;
  }
  return -1;
}

/** True if there are only names in capitals with bars between them. */
function areWords(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = bytes[at] as number;
    if (!(code >= 65 && code <= 90) && code !== UNDERLINE && code !== BAR) return false;
  }
  return true;
}

function freeTextEnd(bytes: Uint8Array, from: number, to: number): number {
  const end = traceFreeTextEnd(bytes, from, to);
  let isName = false;
  for (let at = from; at < end; at++) {
    const code = bytes[at] as number;
    if (code === EQUALS) return -1;
    if (code !== BLANK) isName = true;
  }
  // Without a name, the number of the CPU may be taken for the stamp of a kernel log.
  return isName ? end : -1;
}

function read(bytes: Uint8Array, from: number, to: number): Fact | undefined {
  const begin = prefixEnd(bytes, from, to);
  if (begin < 0) return undefined;
  const time = doubleAt(decimal, 0);
  const system = textEnd(bytes, begin, to, SYSTEM);
  const name = system < 0 ? begin : system;
  const map = textEnd(bytes, name, to, MAP);
  const kind = map < 0 ? textEnd(bytes, name, to, UNMAP) : map;
  if (kind < 0 || (bytes[kind] !== LETTER_P && bytes[kind] !== 114)) return undefined;
  const isMap = map >= 0;
  const device = anyEnd(bytes, kind, to, WHATS);
  const number = device < 0 ? -1 : deviceAt(bytes, device, to);
  if (number < 0) return undefined;
  let at = textEnd(bytes, device + ADDRESS_LENGTH, to, DIR);
  if (at >= 0) at = anyEnd(bytes, at, to, DIRECTIONS);
  if (at >= 0) at = textEnd(bytes, at, to, ADDRESS);
  if (at >= 0) at = hexEnd(bytes, at, to);
  if (at < 0) return undefined;
  const startHigh = wordAt(words, 0);
  const startLow = wordAt(words, 1);
  at = textEnd(bytes, at, to, SIZE);
  if (at >= 0) at = decimalEnd(bytes, at, to);
  if (at < 0) return undefined;
  const size = doubleAt(decimal, 0);
  let physicalHigh = 0;
  let physicalLow = 0;
  if (isMap) {
    at = textEnd(bytes, at, to, PHYSICAL);
    if (at >= 0) at = hexEnd(bytes, at, to);
    if (at < 0) return undefined;
    physicalHigh = wordAt(words, 0);
    physicalLow = wordAt(words, 1);
    // A mapping that failed, or a device that is not translated, is reported on the normal path.
    if (startHigh === physicalHigh && startLow === physicalLow) return undefined;
    if (startHigh === 0xffff_ffff && startLow === 0xffff_ffff) return undefined;
  }
  at = textEnd(bytes, at, to, ATTRS);
  if (at < 0 || size === 0 || !areWords(bytes, at, to)) return undefined;
  const sumLow = startLow + (size >>> 0);
  const nextHigh = startHigh + Math.floor(size / TWO_32) + (sumLow >= TWO_32 ? 1 : 0);
  const nextLow = sumLow >>> 0;
  if (nextHigh >= TWO_32) return undefined;
  const start = addressOf(startHigh, startLow);
  const last = addressOf(nextLow === 0 ? nextHigh - 1 : nextHigh, (nextLow - 1) >>> 0);
  const named = nameOf(number, bytes, device);
  // With the fields that the sink fills in: adding fields later takes twice as long.
  return isMap
    ? {
        kind: 'map',
        start,
        last,
        device: named,
        origin: 'ftrace',
        paddr: addressOf(physicalHigh, physicalLow),
        time,
        source: '',
        line: 0,
      }
    : { kind: 'unmap', start, last, device: named, origin: 'ftrace', time, source: '', line: 0 };
}

export const DMA_SHORTCUT: Shortcut = { freeTextEnd, read };
