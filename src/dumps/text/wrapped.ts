// Lines that a mail program broke. Where the break was cannot be seen, so the parts are put together both ways, inside
// a token and between two, and the format's own grammar decides.
import type { DumpLine, Lookahead } from '../format.ts';

/** The next line if it stands directly below and is no new command: only such a line can be a continuation. */
export function continuation(line: DumpLine, ahead: Lookahead, n = 1): DumpLine | undefined {
  const next = ahead(n);
  if (!next || next.prompt || next.blanksBefore > 0 || next.index !== line.index + n) return undefined;
  return next;
}

/**
 * Joins `line` with up to `most` following lines until `parse` accepts the result. Breaks inside a token are tried
 * before breaks at a blank; a `=` that quoted-printable left at the end of a part is dropped for the former.
 * Gives the parsed value and the number of lines used (2 or more), or undefined. The work is at most 2^most attempts.
 */
export function joinWrapped<T>(
  line: DumpLine,
  ahead: Lookahead,
  most: 1 | 2 | 3,
  parse: (text: string) => T | undefined,
): { value: T; lines: number } | undefined {
  let candidates = [line.text];
  for (let n = 1; n <= most; n++) {
    const next = continuation(line, ahead, n);
    if (!next) return undefined;
    const part = next.text.trim();
    candidates = candidates.flatMap((text) => [text.replace(/=$/, '') + part, `${text} ${part}`]);
    for (const candidate of candidates) {
      const value = parse(candidate);
      if (value !== undefined) return { value, lines: n + 1 };
    }
  }
  return undefined;
}
