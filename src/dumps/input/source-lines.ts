// The text of a source again, line by line as the readers counted it, for showing where a fact was read.
import { LineSplitter } from '../../session/lines.ts';
import { type DumpInput, openInputs } from './open.ts';

/** Lines are shown up to this many characters. */
const LONGEST_SHOWN = 2000;

export interface SourceLines {
  /** The lines asked for, the first of them `from`; fewer where the source ends before. Without line ends. */
  readonly lines: readonly string[];
  /** Lines of the source in all; undefined if it was not read to its end. */
  readonly total?: number | undefined;
}

/** Reading stops here: enough lines are known. */
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
  const splitter = new LineSplitter({ loneCarriageReturn: true });
  const enough = new AbortController();
  const lines: string[] = [];
  let number = 0;
  let isFound = false;
  let afterLoneReturn = false;
  const take = (line: string) => {
    // "\r\r\n" ends one line, as for the readers.
    if (afterLoneReturn && line === '\r\n') {
      afterLoneReturn = false;
      return;
    }
    afterLoneReturn = line.endsWith('\r');
    number++;
    if (number < from || lines.length >= limit) return;
    const text = line.replace(/[\r\n]+$/, '').replace(/^\uFEFF/, '');
    lines.push(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);
  };
  const stop = signal ? AbortSignal.any([signal, enough.signal]) : enough.signal;
  try {
    await openInputs([input], {
      formats: [],
      onEvents: () => undefined,
      onText: (name, piece) => {
        if (name !== source) return;
        isFound = true;
        for (const line of splitter.push(piece)) take(line);
        if (number > from + limit) enough.abort(new Enough());
      },
      signal: stop,
    });
  } catch (error) {
    if (!(error instanceof Enough)) throw error;
    return { lines };
  }
  for (const line of splitter.end()) take(line);
  return isFound ? { lines, total: number } : undefined;
}
