// A fast path for the lines of traces, which may be millions: reads an event from the text of its line. It takes only
// lines as the kernel and trace-cmd print them, whole and with nothing around them. Anything else takes the normal path,
// through the envelope and `ftrace.ts`, which gives the same facts.
//
//   free "[" cpu "]" [flags] time ":" ["iommu:"] "map: IOMMU: iova=0x" hex [" - 0x" hex] " paddr=0x" hex " size=" number
//   free "[" cpu "]" [flags] time ":" ["iommu:"] "unmap: IOMMU: iova=0x" hex [" - 0x" hex] " size=" number
//        " unmapped_size=" number
//
// `free` is a program's name and its process, and may hold anything. Numbers are decimal, the time has decimals.

import { TWO_32 } from '../../../iova/address-halves.ts';
import type { Iova } from '../../../iova/iova.ts';
import { doubleAt, wordAt } from '../../../iova/typed-arrays.ts';
import type { Fact } from '../../../session/events.ts';
import type { Shortcut } from '../../format.ts';
import {
  addressOf,
  blanksEnd,
  bytesOf,
  decimal,
  decimalEnd,
  freeTextEnd,
  hexEnd,
  prefixEnd,
  textEnd,
  words,
} from './event-bytes.ts';

const MAP = bytesOf('map:');
const UNMAP = bytesOf('unmap:');
const SYSTEM = bytesOf('iommu:');
const IOVA = bytesOf('IOMMU: iova=0x');
const END = bytesOf(' - 0x');
const PADDR = bytesOf(' paddr=0x');
const SIZE = bytesOf(' size=');
const UNMAPPED = bytesOf(' unmapped_size=');

function read(bytes: Uint8Array, from: number, to: number): Fact | undefined {
  const name = prefixEnd(bytes, from, to);
  if (name < 0) return undefined;
  const time = doubleAt(decimal, 0);
  const system = textEnd(bytes, name, to, SYSTEM);
  const event = system < 0 ? name : system;
  const map = textEnd(bytes, event, to, MAP);
  const named = map < 0 ? textEnd(bytes, event, to, UNMAP) : map;
  if (named < 0) return undefined;
  return mapping(bytes, blanksEnd(bytes, named, to), to, map >= 0, time);
}

function mapping(bytes: Uint8Array, from: number, to: number, isMap: boolean, time: number): Fact | undefined {
  if (from < 0) return undefined;
  let at = textEnd(bytes, from, to, IOVA);
  if (at < 0) return undefined;
  at = hexEnd(bytes, at, to);
  if (at < 0) return undefined;
  const startHigh = wordAt(words, 0);
  const startLow = wordAt(words, 1);
  const end = textEnd(bytes, at, to, END);
  let endHigh = 0;
  let endLow = 0;
  if (end >= 0) {
    at = hexEnd(bytes, end, to);
    if (at < 0) return undefined;
    endHigh = wordAt(words, 0);
    endLow = wordAt(words, 1);
  }
  let paddr: Iova | undefined;
  if (isMap) {
    at = textEnd(bytes, at, to, PADDR);
    if (at < 0) return undefined;
    at = hexEnd(bytes, at, to);
    if (at < 0) return undefined;
    paddr = addressOf(wordAt(words, 0), wordAt(words, 1));
  }
  at = textEnd(bytes, at, to, SIZE);
  if (at < 0) return undefined;
  at = decimalEnd(bytes, at, to);
  const size = doubleAt(decimal, 0);
  if (at < 0 || size === 0) return undefined;
  let unmapped: Iova | undefined;
  if (!isMap) {
    at = textEnd(bytes, at, to, UNMAPPED);
    if (at < 0) return undefined;
    at = decimalEnd(bytes, at, to);
    const value = doubleAt(decimal, 0);
    if (at < 0) return undefined;
    unmapped = addressOf(Math.floor(value / TWO_32), value >>> 0);
  }
  if (at !== to) return undefined;
  const sumLow = startLow + (size >>> 0);
  const nextHigh = startHigh + Math.floor(size / TWO_32) + (sumLow >= TWO_32 ? 1 : 0);
  const nextLow = sumLow >>> 0;
  // A range that ends beyond 64 bits or not where the line says takes the normal path, which reports it.
  if (nextHigh >= TWO_32 || (end >= 0 && (nextHigh !== endHigh || nextLow !== endLow))) return undefined;
  const start = addressOf(startHigh, startLow);
  const last = addressOf(nextLow === 0 ? nextHigh - 1 : nextHigh, (nextLow - 1) >>> 0);
  // With the fields that the sink fills in: adding fields later takes twice as long.
  return paddr === undefined
    ? { kind: 'unmap', start, last, unmapped, origin: 'ftrace', time, source: '', line: 0 }
    : { kind: 'map', start, last, paddr, origin: 'ftrace', time, source: '', line: 0 };
}

export const FTRACE_SHORTCUT: Shortcut = { freeTextEnd, read, prefix: { freeTextEnd, end: prefixEnd } };
