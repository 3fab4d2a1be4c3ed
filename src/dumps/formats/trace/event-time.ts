// The time before an event in a line of a trace.

/** With its dot: a double holds fifteen digits exactly. */
const TIME_LENGTH_MAX = 16;

/**
 * The time in seconds before an event whose name starts at `at`. Undefined if there is none with decimals: a counter, or
 * microseconds since the start of the buffer, is not a time.
 */
export function timeBefore(text: string, at: number): number | undefined {
  let end = at;
  if (text.startsWith('iommu:', at - 6)) end -= 6;
  else if (text.startsWith('dma:', at - 4)) end -= 4;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  // perf may print a count of events between the time and the name.
  if (isDigit(text.charCodeAt(end - 1))) {
    while (end > 0 && isDigit(text.charCodeAt(end - 1))) end--;
    while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  }
  if (text.charCodeAt(end - 1) !== 58) return undefined;
  let begin = --end;
  while (begin > 0 && isDigit(text.charCodeAt(begin - 1))) begin--;
  if (begin === end || text.charCodeAt(begin - 1) !== 46) return undefined;
  const dot = --begin;
  while (begin > 0 && isDigit(text.charCodeAt(begin - 1))) begin--;
  if (begin === dot || dot - begin > 12 || end - dot > 10) return undefined;
  if (end - begin > TIME_LENGTH_MAX) return Number(text.slice(begin, end));
  // Both numbers are exact, so their quotient is the double nearest to the printed time.
  let value = 0;
  let scale = 1;
  for (let i = begin; i < end; i++) {
    if (i === dot) continue;
    value = value * 10 + (text.charCodeAt(i) - 48);
    if (i > dot) scale *= 10;
  }
  return value / scale;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
