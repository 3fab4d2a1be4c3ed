// Finds a message that ends in parts which need not be there, whether or not a mail program broke its line.
import type { DumpLine, Lookahead } from '../format.ts';
import { continuation, joinWrapped } from './wrapped.ts';

/** A message and the number of lines that it takes. */
export interface Matched {
  readonly match: RegExpExecArray;
  readonly lines: number;
}

/**
 * `patterns` from the fullest form of a message to its shortest. The first that matches the line alone, or together
 * with one to three lines below it (of which it then uses something), is taken. `start` keeps this cheap: what it does
 * not match cannot be the first line. A match that ends with the line goes on below if the next line matches `rest`:
 * digits of a number that was broken, say.
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
      const below = endsWith(line, alone) && rest ? continuation(line, ahead)?.text.trim() : undefined;
      const longer =
        below !== undefined && rest?.test(below) ? pattern.exec(line.text.replace(/=$/, '') + below) : null;
      return longer ? { match: longer, lines: 2 } : { match: alone, lines: 1 };
    }
    const joined = joinWrapped(line, ahead, 3, (text) => {
      const match = pattern.exec(text);
      return match && match.index < line.text.length && match.index + match[0].length > line.text.length - 1
        ? match
        : undefined;
    });
    if (joined) return { match: joined.value, lines: joined.lines };
  }
  return undefined;
}

function endsWith(line: DumpLine, match: RegExpExecArray): boolean {
  return match.index + match[0].length >= line.text.replace(/=$/, '').length;
}
