// The text of an open document's sources, with what was recognized in each line.
import { readSourceLines } from '../../dumps/input/source-lines.ts';
import { isFact } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import { inputOf } from '../documents/read-document.ts';
import type { SourceLine, SourceText } from '../protocol/documents.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

/** The facts of one source by the line in which they begin. */
type FactLines = ReadonlyMap<number, readonly { readonly kind: string; readonly position: number }[]>;

const factLines = new WeakMap<EngineDocument, Map<string, FactLines>>();
/** Facts that one line shows; a session file's lines have one each, a flattened page table's first line very many. */
const FACTS_MAX = 20;

function factLinesOf(document: EngineDocument, source: string): FactLines {
  const bySource = factLines.get(document) ?? new Map<string, FactLines>();
  factLines.set(document, bySource);
  const known = bySource.get(source);
  if (known) return known;
  const lines = new Map<number, { kind: string; position: number }[]>();
  for (const [index, event] of document.session.events.entries()) {
    if (!isFact(event) || event.source !== source || event.line === undefined) continue;
    const entry = { kind: event.kind, position: index + 1 };
    const there = lines.get(event.line);
    if (!there) lines.set(event.line, [entry]);
    else if (there.length < FACTS_MAX) there.push(entry);
  }
  bySource.set(source, lines);
  return lines;
}

/** Lines of a source as they were read. */
export async function sourceText(
  document: EngineDocument,
  { source, from, limit }: Params<'text'>,
  signal: AbortSignal,
): Promise<EngineResult<SourceText>> {
  const file = document.files.find(({ name }) => source === name || source.startsWith(`${name}/`));
  if (!file) return failure('unusable', `the text of "${source}" is not available`);
  const found = await readSourceLines(inputOf(file), source, from, limit, signal);
  if (!found) return failure('unusable', `"${source}" is not text`);
  const facts = factLinesOf(document, source);
  const leftover = new Set(document.sources.flatMap((summary) => summary.leftover.get(source) ?? []));
  return success({
    source,
    lines: found.lines.map((text, i): SourceLine => {
      const number = from + i;
      return { number, text, facts: facts.get(number) ?? [], isUnrecognized: leftover.has(number) };
    }),
    ...(found.total === undefined ? {} : { total: found.total }),
  });
}
