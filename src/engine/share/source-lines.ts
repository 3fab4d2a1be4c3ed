// The original lines of the dumps that conflicts refer to, for reports.
import { sourceText } from '../answers/source-text.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Answered } from '../protocol/answers.ts';
import type { Params } from '../protocol/methods.ts';

export interface QuotedLine {
  readonly source: string;
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** Maximum number of quoted lines in a report. */
const LINES_MAX = 30;

/** One line; undefined if it cannot be read again, for example because the file has changed. */
async function lineOf(owner: EngineDocument, place: Params<'text'>): Promise<string | undefined> {
  try {
    const found = await sourceText(owner, place, new AbortController().signal);
    return found.ok ? found.value.lines[0]?.text : undefined;
  } catch {
    return undefined;
  }
}

/** The first lines that the conflicts refer to and that can be read again. */
export async function sourceLines(
  documents: readonly EngineDocument[],
  { rows }: Pick<Answered, 'rows'>,
): Promise<QuotedLine[]> {
  const quoted: QuotedLine[] = [];
  const seen = new Set<string>();
  for (const { document: id, provenance } of rows) {
    for (const { source, line } of provenance) {
      const key = `${source}:${line}`;
      if (line === undefined || seen.has(key) || quoted.length >= LINES_MAX) continue;
      seen.add(key);
      const owner = documents.find((document) => document.id === id);
      const text = owner && (await lineOf(owner, { id, source, from: line, limit: 1 }));
      if (text !== undefined) quoted.push({ source, line, text });
    }
  }
  return quoted;
}
