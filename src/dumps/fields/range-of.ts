// Ranges as programs print them: two ends, or a start and a size. What is wrong with them becomes a diagnostic.
import { hex } from '../../iova/format.ts';
import { type IovaRange, rangeOfLength } from '../../iova/range.ts';
import type { DumpLine, FactSink } from '../format.ts';
import { parseAddress, shown } from '../formats/kernel-log/shared.ts';

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
    const message = `${shown(line.text)}: the start ${hex(start)} lies above the last address ${hex(last)}`;
    sink.diagnostic('error', 'start-above-last', message, line.number);
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
  const [code, what] =
    length === 0n
      ? (['empty-range', `the size at ${hex(start)} is 0`] as const)
      : (['range-beyond-64-bits', `${hex(start)} + ${hex(length)} ends beyond 64 bits`] as const);
  sink.diagnostic('warning', code, `${shown(line.text)}: ${what}`, line.number);
  return undefined;
}

function tooManyDigits(line: DumpLine, sink: FactSink): undefined {
  sink.diagnostic('error', 'too-many-digits', `${shown(line.text)}: a number of more than 64 bits`, line.number);
  return undefined;
}
