// Ranges as programs print them: two ends, or a start and a size. What is wrong with them becomes a diagnostic.
import type { Iova } from '../../iova/iova.ts';
import { type IovaRange, rangeOfLength } from '../../iova/range.ts';
import { quote } from '../diagnostic-rule.ts';
import type { DumpLine, FactSink } from '../format.ts';
import { parseHexAddress } from './address.ts';

/**
 * The range from `start` to `last`, inclusive. Undefined after a diagnostic if the start is above the last address;
 * `what` names the range in it.
 */
export function orderedRange(
  start: Iova,
  last: Iova,
  what: string,
  line: number | undefined,
  sink: FactSink,
): IovaRange | undefined {
  if (start <= last) return { start, last };
  sink.diagnostic('start-above-last', { what, start, last }, line);
  return undefined;
}

/** From two ends, inclusive, in hexadecimal with or without `0x`. Undefined after a diagnostic. */
export function rangeOfEnds(
  from: string | undefined,
  to: string | undefined,
  line: DumpLine,
  sink: FactSink,
): IovaRange | undefined {
  const start = parseHexAddress(from);
  const last = parseHexAddress(to);
  if (start === undefined || last === undefined) return tooManyDigits(line, sink);
  return orderedRange(start, last, quote(line.text), line.number, sink);
}

/**
 * From a start and a size in hexadecimal. A size of 0 and an end beyond 2^64 are diagnostics, never a range; an end at
 * 2^64 exactly is one.
 */
export function rangeOfSize(
  from: string | undefined,
  size: string | undefined,
  line: DumpLine,
  sink: FactSink,
): IovaRange | undefined {
  const start = parseHexAddress(from);
  const length = parseHexAddress(size);
  if (start === undefined || length === undefined) return tooManyDigits(line, sink);
  return sizedRange(start, length, line, sink);
}

/** The range of `length` bytes from `start`; undefined after a diagnostic if it is empty or ends beyond 64 bits. */
export function sizedRange(start: Iova, length: bigint, line: DumpLine, sink: FactSink): IovaRange | undefined {
  const range = rangeOfLength(start, length);
  const what = quote(line.text);
  if (length === 0n) sink.diagnostic('empty-range', { what, start }, line.number, 'warning');
  else if (!range) sink.diagnostic('range-beyond-64-bits', { what, start, length }, line.number);
  return range;
}

function tooManyDigits(line: DumpLine, sink: FactSink): undefined {
  sink.diagnostic('too-many-digits', { text: line.text }, line.number);
}
