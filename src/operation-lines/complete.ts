// What may follow at the cursor of an operation line.
import { readOperation } from './grammar.ts';
import { type Expectation, LineReader, type NameKind } from './line-reader.ts';
import type { LineContext } from './parse.ts';
import { quoteName, tokenize } from './tokens.ts';
import { interfaceOf, KEYWORDS } from './vocabulary.ts';

/** What a session has that a line may name. */
export interface CompletionContext extends LineContext {
  /** Objects by kind, in the order in which they are offered. */
  readonly names?: Partial<Readonly<Record<NameKind, readonly string[]>>>;
  /** Addresses, each with what is there; offered where an address may be. */
  readonly addresses?: readonly { readonly text: string; readonly label: string }[];
}

export interface Completion {
  /** Replaces the characters of `Completions.start` to `Completions.end`, with a blank before it where there is none. */
  readonly text: string;
  /** What it is, such as `an IOAS`; empty for a keyword. */
  readonly label: string;
}

export interface Completions {
  /** What is replaced: from this character … */
  readonly start: number;
  /** … to before this one. */
  readonly end: number;
  readonly items: readonly Completion[];
  /** What else may be there, that cannot be listed: `address`, `size` …. */
  readonly kinds: readonly (Expectation['kind'] | NameKind)[];
}

const SIZES = ['4K', '2M', '1G'] as const;
const LABELS: Readonly<Partial<Record<NameKind, string>>> = {
  ioas: 'IOAS',
  container: 'container',
  device: 'device',
  group: 'group',
  hwpt: 'page table',
  access: 'access',
  pin: 'pin',
  iommu: 'IOMMU',
  domain: 'domain',
  file: 'file',
};

function itemsOf(expectation: Expectation, { names, addresses }: CompletionContext): Completion[] {
  switch (expectation.kind) {
    case 'keyword':
      return [{ text: expectation.word, label: '' }];
    case 'name': {
      if (expectation.isNew) return [];
      const known = names?.[expectation.of] ?? [];
      return known.map((name) => ({ text: quoteName(name, KEYWORDS), label: LABELS[expectation.of] ?? '' }));
    }
    case 'address':
      return [...(addresses ?? [])];
    case 'size':
      return SIZES.map((text) => ({ text, label: 'size' }));
    default:
      return [];
  }
}

/**
 * What may follow at `cursor` (a character index; the end of the line if left out), in the order of the grammar. What is
 * behind the cursor is not looked at; the word that the cursor touches is replaced, and filters by its beginning.
 */
export function completeLine(line: string, context: CompletionContext = {}, cursor = line.length): Completions {
  const before = line.slice(0, cursor);
  const none: Completions = { start: cursor, end: cursor, items: [], kinds: [] };
  const split = tokenize(before);
  if (!split.ok) return none;
  const last = split.tokens.at(-1);
  const isPartial = last?.kind === 'word' && last.end === cursor;
  const reader = new LineReader(isPartial ? split.tokens.slice(0, -1) : split.tokens, cursor);
  readOperation(reader, interfaceOf(context.model));
  // A mistake at the end only says that more must follow.
  if (reader.mistake && !reader.isAtEnd) return none;
  const typed = isPartial ? last.text : '';
  const items = new Map<string, Completion>();
  for (const item of reader.expected.flatMap((expectation) => itemsOf(expectation, context))) {
    if (item.text.startsWith(typed) && !items.has(item.text)) items.set(item.text, item);
  }
  const kinds = reader.expected.flatMap((item): Completions['kinds'] =>
    item.kind === 'name' ? [item.of] : item.kind === 'keyword' || item.kind === 'mark' ? [] : [item.kind],
  );
  return {
    start: isPartial ? last.start : cursor,
    end: cursor,
    items: [...items.values()],
    kinds: [...new Set(kinds)],
  };
}
