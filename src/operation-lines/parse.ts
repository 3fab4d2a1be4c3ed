// Operation lines to operations.
import type { Operation } from '../session/events.ts';
import { readOperation } from './grammar.ts';
import { type LineMistake, LineReader } from './line-reader.ts';
import { tokenize } from './tokens.ts';
import { interfaceOf } from './vocabulary.ts';

export type { LineMistake };

export interface LineContext {
  /** The session's model: whether `map a …` is about an IOAS or a container depends on it. iommufd if left out. */
  readonly model?: string | undefined;
}

/** A line with what is expected of its operation. */
export interface SplitLine {
  readonly operation: string;
  /** What is behind `=>`, and the index of its first character in the line; undefined without an arrow. */
  readonly answer: { readonly text: string; readonly start: number } | undefined;
}

/** Splits `map a any 4K r => 0x1000` at its arrow, which is none inside of a quoted name. A comment behind it is dropped. */
export function splitExpectation(line: string): SplitLine {
  const split = tokenize(line);
  const tokens = split.ok ? split.tokens : [];
  const arrow = tokens.find(({ kind, text }) => kind === 'mark' && text === '=>');
  if (!arrow) return { operation: line, answer: undefined };
  const text = line.slice(arrow.end, tokens.at(-1)?.end).trim();
  const start = text === '' ? arrow.end : line.indexOf(text, arrow.end);
  return { operation: line.slice(0, arrow.start), answer: { text, start } };
}

export type ParsedLine =
  | { readonly ok: true; readonly operation: Operation }
  | { readonly ok: false; readonly mistake: LineMistake };

/**
 * Reads one operation, such as `map a 0x40000000 4G rw` (docs/operations.md). Objects need not exist: what a model says
 * about that is its answer. Never throws.
 */
export function parseOperationLine(line: string, { model }: LineContext = {}): ParsedLine {
  const split = tokenize(line);
  if (!split.ok) return { ok: false, mistake: split };
  const reader = new LineReader(split.tokens, line.trimEnd().length);
  const operation = readOperation(reader, interfaceOf(model));
  const { mistake } = reader;
  if (mistake) return { ok: false, mistake };
  // Without a mistake there is an operation.
  return operation ? { ok: true, operation } : { ok: false, mistake: { message: 'no operation', start: 0, end: 0 } };
}
