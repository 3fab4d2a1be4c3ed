// Ranges as programs print them: two ends, or a start and a size. What is wrong with them becomes a diagnostic.
import { type IovaRange, rangeOfLength } from '../../iova/range.ts';
import { quote } from '../diagnostics.ts';
import type { DumpLine, FactSink } from '../format.ts';
import { parseAddress } from '../formats/kernel-log/shared.ts';

/** From two ends, inclusive, in hexadecimal with or without `0x`. Undefined after a diagnostic. */
export function rangeOfEnds(
  from: string | undefined,
  to: string | undefined,
  line: DumpLine,
  sink: FactSink,
): IovaRange | undefined {
  const start = parseAddress(from);
  const last = parseAddress(to);
  if (start === undefined || last === undefined) return tooManyDigits(line, sink);
  if (start > last) {
    sink.diagnostic('start-above-last', { what: quote(line.text), start, last }, line.number);
    return undefined;
  }
  return { start, last };
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
  const start = parseAddress(from);
  const length = parseAddress(size);
  if (start === undefined || length === undefined) return tooManyDigits(line, sink);
  const range = rangeOfLength(start, length);
  if (range) return range;
  const what = quote(line.text);
  if (length === 0n) sink.diagnostic('empty-range', { what, start }, line.number, 'warning');
  else sink.diagnostic('range-beyond-64-bits', { what, start, length }, line.number);
  return undefined;
}

function tooManyDigits(line: DumpLine, sink: FactSink): undefined {
  sink.diagnostic('too-many-digits', { text: line.text }, line.number);
  return undefined;
}
