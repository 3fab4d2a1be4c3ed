// Joins lines that a mail program broke. Whether the break was inside a token or between two is not visible, so both are
// tried, and the format's grammar decides.
import type { DumpLine, Lookahead } from '../format.ts';

/** The n-th line below if no blank line or command is between: only such a line can be a continuation. */
export function continuation(line: DumpLine, ahead: Lookahead, n = 1): DumpLine | undefined {
  const next = ahead(n);
  if (!next || next.prompt || next.blanksBefore > 0 || next.index !== line.index + n) return undefined;
  return next;
}

/**
 * Joins `line` with up to `max` following lines until `parse` accepts the result. Breaks inside a token are tried
 * before breaks at a blank; for the former a `=` that quoted-printable left at the end of a part is dropped. `parse` also
 * gets where the last part begins (behind a blank, its index).
 * Returns the parsed value and the number of lines used (2 or more), or undefined, after at most 2^(max+1) attempts.
 */
export function joinWrapped<T>(
  line: DumpLine,
  ahead: Lookahead,
  max: 1 | 2 | 3,
  parse: (text: string, joint: number) => T | undefined,
): { value: T; lines: number } | undefined {
  let candidates = [line.text];
  for (let n = 1; n <= max; n++) {
    const next = continuation(line, ahead, n);
    if (!next) return undefined;
    const part = next.text.trim();
    candidates = candidates.flatMap((text) => [text.replace(/=$/, '') + part, `${text} ${part}`]);
    for (const candidate of candidates) {
      const value = parse(candidate, candidate.length - part.length);
      if (value !== undefined) return { value, lines: n + 1 };
    }
  }
  return undefined;
}
