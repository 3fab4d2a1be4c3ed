// Finds a message whose last parts are optional, even if a mail program broke its line.
import type { DumpLine, Lookahead } from '../format.ts';
import { continuation, joinWrapped } from './wrapped.ts';

/** The rest of a hexadecimal number that was broken at the end of a line. */
export const HEX_REST = /^[0-9a-f]{1,15}$/i;
/** The same of what is printed in lower case. */
export const LOWER_HEX_REST = /^[0-9a-f]{1,15}$/;

/** A message and the number of lines that it takes. */
export interface Matched {
  readonly match: RegExpExecArray;
  readonly lines: number;
}

/**
 * `patterns` go from the longest form of a message to the shortest. The first one wins that matches the line alone, or
 * joined with one to three lines below it (and uses a part of them). `start` keeps this cheap: a line that it does not
 * match cannot be the first one. A match that ends with the line continues below if the next line matches `rest`, such
 * as digits of a number that was broken.
 */
export function matchLongest(
  line: DumpLine,
  ahead: Lookahead,
  start: RegExp,
  patterns: readonly RegExp[],
  rest?: RegExp,
): Matched | undefined {
  if (!start.test(line.text)) return undefined;
  for (const pattern of patterns) {
    const alone = pattern.exec(line.text);
    if (alone) {
      const below = endsWith(line.text, alone) && rest ? continuation(line, ahead)?.text.trim() : undefined;
      const longer =
        below !== undefined && rest?.test(below) ? pattern.exec(line.text.replace(/=$/, '') + below) : null;
      return longer ? { match: longer, lines: 2 } : { match: alone, lines: 1 };
    }
    const joined = joinWrapped(line, ahead, 3, (text, joint) => {
      const match = pattern.exec(text);
      return match && match.index < line.text.length && reaches(match, joint) ? match : undefined;
    });
    if (!joined) continue;
    const { value, lines } = joined;
    const below = rest && endsWith(value.input, value) ? continuation(line, ahead, lines)?.text.trim() : undefined;
    const longer = below !== undefined && rest?.test(below) ? pattern.exec(value.input + below) : null;
    return longer ? { match: longer, lines: lines + 1 } : { match: value, lines };
  }
  return undefined;
}

/**
 * True if a match uses the last part of a joined text, which begins at `joint`. One that ends where the part begins does not,
 * unless a mark there ends its last word: the word may have been cut, and the part be another message.
 */
function reaches(match: RegExpExecArray, joint: number): boolean {
  const end = match.index + match[0].length;
  return end > joint || (end === joint && /[,;:)\]}]/.test(match.input.charAt(joint)));
}

function endsWith(text: string, match: RegExpExecArray): boolean {
  return match.index + match[0].length >= text.replace(/=$/, '').length;
}
