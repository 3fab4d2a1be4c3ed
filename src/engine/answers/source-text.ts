// The text of an open document's sources, with what was recognized in each line.
import { emptyIndex, type LineIndex, readSourceLines } from '../../dumps/input/source-lines.ts';
import { isFact } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import { inputOf } from '../documents/read-document.ts';
import type { InputFile, SourceLine, SourceText } from '../protocol/documents.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';

/** The facts of one source by the line in which they begin. */
type FactLines = ReadonlyMap<number, readonly { readonly kind: string; readonly position: number }[]>;

const factLines = new WeakMap<EngineDocument, Map<string, FactLines>>();
/**
 * Maximum number of facts per line. A line of a session file has one; the first line of a flattened page table has very
 * many.
 */
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

/** Offsets of the lines of a file, as far as it was read. */
const indices = new WeakMap<Blob, LineIndex>();

interface OpenedText {
  readonly file: InputFile;
  /** The name under which it was opened; its name in the document may differ. */
  readonly name: string;
  readonly sources: EngineDocument['sources'];
}

/** The file with the text that a document calls `source`; undefined if it cannot be read again. */
function openedText(document: EngineDocument, source: string): OpenedText | undefined {
  const within =
    (name: string) =>
    ({ name: other }: InputFile) =>
      name === other || name.startsWith(`${other}/`);
  for (const { label, name, files, sources } of document.origins) {
    if (source !== label && !source.startsWith(`${label}/`)) continue;
    const original = `${name}${source.slice(label.length)}`;
    const file = files.find(within(original));
    if (file) return { file, name: original, sources };
  }
  if (document.origins.length > 0) return undefined;
  const file = document.files.find(within(source));
  return file && { file, name: source, sources: document.sources };
}

/** Lines of a source as they were read. */
export async function sourceText(
  document: EngineDocument,
  { source, from, limit }: Params<'text'>,
  signal: AbortSignal,
): Promise<EngineResult<SourceText>> {
  if (document.concealed)
    return failure('unusable', `the text of "${source}" is hidden because later events are hidden`);
  const opened = openedText(document, source);
  if (!opened) return failure('unusable', `the text of "${source}" is not available`);
  const index = indices.get(opened.file.data) ?? emptyIndex();
  indices.set(opened.file.data, index);
  const found = await readSourceLines(inputOf(opened.file), opened.name, from, limit, { signal, index });
  if (!found) return failure('unusable', `"${source}" is not text`);
  const facts = factLinesOf(document, source);
  const leftover = new Set(opened.sources.flatMap((summary) => summary.leftover.get(opened.name) ?? []));
  return success({
    source,
    lines: found.lines.map((text, i): SourceLine => {
      const number = from + i;
      return { number, text, facts: facts.get(number) ?? [], isUnrecognized: leftover.has(number) };
    }),
    ...(found.total === undefined ? {} : { total: found.total }),
  });
}
