// Reads lines of a source again, numbered as the format readers number them, to show where a fact was found.
import { TextLines } from '../text/text-lines.ts';
import { type DumpInput, openInputs } from './open.ts';

/** Lines are shown up to this many characters. */
const SHOWN_LENGTH_MAX = 2000;

export interface SourceLines {
  /** The requested lines, without line ends, starting with `from`; fewer if the source ends before. */
  readonly lines: readonly string[];
  /** Number of lines in the source; undefined if it was not read to its end. */
  readonly total?: number | undefined;
}

/** Stops reading: enough lines are known. */
class Enough extends Error {}

/**
 * Reads lines `from` (counted from 1) to `from + limit - 1` of the source called `source`, which is `input` itself or a
 * member of it if that is an archive. Undefined if there is no such text in it. Rejects only when `signal` is aborted.
 */
export async function readSourceLines(
  input: DumpInput,
  source: string,
  from: number,
  limit: number,
  signal?: AbortSignal,
): Promise<SourceLines | undefined> {
  const enough = new AbortController();
  const lines: string[] = [];
  let isFound = false;
  const reader = new TextLines(SHOWN_LENGTH_MAX, (text, begin, end, number, isCut) => {
    if (number < from || lines.length >= limit) return;
    const line = text.slice(begin, end).replace(/^\uFEFF/, '');
    lines.push(isCut ? `${line}…` : line);
  });
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    await openInputs([input], {
      formats: [],
      onEvents: () => undefined,
      onText: (name, piece) => {
        if (name !== source) return;
        isFound = true;
        reader.push(piece);
        if (reader.count > from + limit) enough.abort(new Enough());
      },
      signal: stop,
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return { lines };
  }
  reader.end();
  return isFound ? { lines, total: reader.count } : undefined;
}
